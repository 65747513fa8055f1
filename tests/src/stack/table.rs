//! The demo's summary: one line a server.

use super::prometheus::ScrapeTarget;
use super::{Target, VENUES, get, value};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// One line; what is not known stays empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// The scrape job.
    pub target: String,
    /// `up`, `ready`, or why not.
    pub health: String,
    /// How many symbols are streaming.
    pub symbols: Option<f64>,
    /// Bitcoin's last price, and the symbol that it is the price of.
    pub bitcoin: Option<(&'static str, f64)>,
    /// How long a scrape takes.
    pub scrape: Option<Duration>,
}

impl Row {
    /// Looks at one server itself, and at what Prometheus knows of it where there is one.
    pub async fn of(target: Target, scraped: Option<&ScrapeTarget>) -> Self {
        let began = Instant::now();
        let metrics = get(target.port, "/metrics").await;
        let took = began.elapsed();
        let answered = metrics.as_ref().is_ok_and(|response| response.status == 200);
        let text = metrics.map(|response| response.body).unwrap_or_default();
        let health = match scraped {
            Some(scraped) if scraped.health == "down" => format!("down: {}", scraped.last_error),
            Some(scraped) => scraped.health.clone(),
            None => readiness(target).await,
        };
        let bitcoin = VENUES.iter().find(|venue| venue.exporter == target.name).map(|venue| venue.bitcoin);
        Self {
            target: target.name.to_owned(),
            health,
            symbols: value(&text, "exchange_symbols", &[("state", "streaming")]),
            bitcoin: bitcoin.and_then(|symbol| {
                let labels = [("market", "spot"), ("symbol", symbol)];
                Some((symbol, value(&text, "exchange_last_price", &labels)?))
            }),
            scrape: scraped
                .map(|scraped| Duration::from_secs_f64(scraped.last_scrape_duration))
                .or(answered.then_some(took)),
        }
    }
}

async fn readiness(target: Target) -> String {
    match get(target.port, "/-/ready").await {
        Ok(response) if response.status == 200 => "ready".into(),
        Ok(response) => format!("not ready: {}", response.body.lines().next().unwrap_or_default()),
        Err(error) => format!("silent: {error}"),
    }
}

/// The table as text, columns as wide as they need to be.
#[must_use]
pub fn render(rows: &[Row]) -> String {
    let header = ["target", "health", "symbols", "last BTC price", "scrape"].map(str::to_owned);
    let lines: Vec<[String; 5]> = std::iter::once(header).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text = String::new();
    for (place, [target, health, symbols, bitcoin, scrape]) in lines.iter().enumerate() {
        let [a, b, c, d, e] = widths;
        let line = format!("  {target:a$}  {health:b$}  {symbols:>c$}  {bitcoin:>d$}  {scrape:>e$}");
        let _ = writeln!(text, "{}", line.trim_end());
        if place == 0 {
            let _ = writeln!(text, "  {}", "─".repeat(widths.iter().sum::<usize>() + 8));
        }
    }
    text
}

fn cells(row: &Row) -> [String; 5] {
    [
        row.target.clone(),
        row.health.clone(),
        row.symbols.map(|count| count.to_string()).unwrap_or_default(),
        row.bitcoin.map(|(symbol, price)| format!("{symbol} {price:.2}")).unwrap_or_default(),
        row.scrape.map(|took| format!("{:.1} ms", took.as_secs_f64() * 1000.0)).unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_up() {
        let okx = Row {
            target: "okx-exporter".into(),
            health: "up".into(),
            symbols: Some(20.0),
            bitcoin: Some(("BTCUSDT", 64123.4)),
            scrape: Some(Duration::from_micros(2340)),
        };
        let alertmanager = Row { target: "alertmanager".into(), health: "ready".into(), ..Row::default() };
        let expected = [
            "  target        health  symbols    last BTC price  scrape",
            "  ───────────────────────────────────────────────────────",
            "  okx-exporter  up           20  BTCUSDT 64123.40  2.3 ms",
            "  alertmanager  ready",
        ];
        assert_eq!(render(&[okx, alertmanager]).lines().collect::<Vec<_>>(), expected);
    }
}
