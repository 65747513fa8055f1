//! Bybit.

use super::{Gauges, set};
use serde::Deserialize;

#[derive(Deserialize)]
struct Message<T> {
    ts: i64,
    data: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ticker {
    symbol: String,
    last_price: String,
    #[serde(rename = "highPrice24h")]
    high: String,
    #[serde(rename = "lowPrice24h")]
    low: String,
    #[serde(rename = "volume24h")]
    volume_base: String,
    #[serde(rename = "turnover24h")]
    volume_quote: String,
    #[serde(rename = "price24hPcnt")]
    change: String,
}

#[derive(Deserialize)]
struct Book {
    s: String,
    b: Vec<(String, String)>,
    a: Vec<(String, String)>,
}

/// Takes one frame.
pub fn take(text: &str, gauges: &Gauges) -> Option<()> {
    if text.starts_with(r#"{"topic":"tickers."#) {
        let Message::<Ticker> { ts, data: ticker } = serde_json::from_str(text).ok()?;
        let symbol = &ticker.symbol;
        set(&gauges.last, symbol, &ticker.last_price)?;
        set(&gauges.volume_base, symbol, &ticker.volume_base)?;
        set(&gauges.volume_quote, symbol, &ticker.volume_quote)?;
        set(&gauges.high, symbol, &ticker.high)?;
        set(&gauges.low, symbol, &ticker.low)?;
        set(&gauges.change, symbol, &ticker.change)?;
        gauges.heard(symbol, Some(ts));
    } else {
        let Message::<Book> { ts, data: book } = serde_json::from_str(text).ok()?;
        if let Some((price, _)) = book.b.first() {
            set(&gauges.bid, &book.s, price)?;
        }
        if let Some((price, _)) = book.a.first() {
            set(&gauges.ask, &book.s, price)?;
        }
        gauges.heard(&book.s, Some(ts));
    }
    Some(())
}
