//! How old the newest price of a scrape is.

use std::io;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use fake_venues::market::Quote;

use super::{Effort, FEW, RATE, Stage, quantile};
use crate::clients::{Kind, Lines, Rig};
use crate::deck::{encode, trading};
use crate::report::Limit::AtMost;
use crate::report::{Report, Table};
use crate::venues::Case;

/// The largest pause between scrapes; each is a random part of it.
const PAUSE: Duration = Duration::from_millis(20);

/// A clock that prices tell: microseconds since it was made.
struct Clock(Instant);

impl Clock {
    fn now(&self) -> f64 {
        (self.0.elapsed().as_nanos() / 1_000) as f64
    }

    /// A frame whose price is the moment of its making.
    fn frame(&self, case: &Case, quote: &Quote) -> Vec<u8> {
        let told = Quote { last: self.now().to_string().parse().ok(), ..quote.clone() };
        (case.frames)(&told).first().map(|text| encode(text)).unwrap_or_default()
    }

    /// Milliseconds from the sending of the newest price in an answer to the asking for it.
    fn age(&self, rig: &Rig, pause: Duration) -> io::Result<f64> {
        let mut client = rig.child.client()?;
        sleep(pause);
        let asked = self.now();
        let body = client.get("/metrics", "")?.body;
        let text = String::from_utf8_lossy(&body);
        let prices = text.lines().filter(|line| line.starts_with("exchange_last_price{"));
        let newest = prices.filter_map(|line| line.rsplit(' ').next()?.parse().ok()).fold(f64::NAN, f64::max);
        // One that was sent after the question is as new as can be.
        Ok((asked - newest).max(0.0) / 1e3)
    }
}

/// Scrapes at random moments while prices come at the steady rate.
fn ages(rig: &Rig, clock: &Clock, case: &Case, quotes: &[Quote], watch: Duration) -> io::Result<Vec<f64>> {
    let make = |place: usize| quotes.get(place).map(|quote| clock.frame(case, quote)).unwrap_or_default();
    scope(|scope| {
        let sender = scope.spawn(|| rig.flood.tell(RATE, watch, make));
        // Until each symbol has such a price.
        sleep(Duration::from_millis(100));
        let (mut ages, mut seed) = (Vec::new(), 1_u64);
        let end = Instant::now() + watch.saturating_sub(Duration::from_millis(200));
        while Instant::now() < end {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let part = (seed >> 33) as f64 / (u64::MAX >> 33) as f64;
            ages.push(clock.age(rig, PAUSE.mul_f64(part))?);
        }
        sender.join().unwrap_or(Ok(())).map(|()| ages)
    })
}

/// Both exporters, in turns.
pub fn age(case: &'static Case, effort: Effort, report: &mut Report) -> io::Result<()> {
    report.say("age of prices at a scrape");
    let stage = Stage::new(case, FEW)?;
    let quotes: Vec<Quote> = trading(&stage.fake.market()).cloned().collect();
    let clock = Clock(Instant::now());
    let mut rows = [Kind::Plain, Kind::Exporter]
        .into_iter()
        .map(|kind| Ok((kind, stage.ready(kind, Lines::Venue, &[])?, Vec::new())))
        .collect::<io::Result<Vec<_>>>()?;
    for _ in 0..effort.rounds {
        for (_, rig, all) in &mut rows {
            all.extend(ages(rig, &clock, case, &quotes, 2 * effort.watch / effort.rounds as u32)?);
        }
    }
    let title = format!("Age of the newest price at a scrape, {RATE} frames/s one by one, {FEW} symbols");
    let mut table = Table::new(&title, &["", "scrapes", "median", "p90", "p99", "worst"]);
    let mut late = Vec::new();
    for (kind, _, all) in &mut rows {
        let cells = [0.5, 0.9, 0.99, 1.0].map(|share| format!("{:.2} ms", quantile(all, share)));
        table.row([kind.title().to_owned(), all.len().to_string()].into_iter().chain(cells).collect());
        late.push(quantile(all, 0.99));
    }
    report.table(table);
    if let [plain, ours] = late[..] {
        let what = "age of the newest price at a scrape, p99, more than the plain exporter's";
        report.target(what, AtMost(0.5), ours - plain, " ms");
    }
    Ok(())
}
