//! Binance.

use super::{Gauges, put, set};
use serde::Deserialize;

#[derive(Deserialize)]
struct Ticker {
    #[serde(rename = "E")]
    at: i64,
    #[serde(rename = "s")]
    symbol: String,
    #[serde(rename = "P")]
    percent: String,
    #[serde(rename = "c")]
    last: String,
    #[serde(rename = "b")]
    bid: String,
    #[serde(rename = "a")]
    ask: String,
    #[serde(rename = "h")]
    high: String,
    #[serde(rename = "l")]
    low: String,
    #[serde(rename = "v")]
    volume_base: String,
    #[serde(rename = "q")]
    volume_quote: String,
}

#[derive(Deserialize)]
struct BookTicker {
    #[serde(rename = "s")]
    symbol: String,
    #[serde(rename = "b")]
    bid: String,
    #[serde(rename = "a")]
    ask: String,
}

/// Takes one frame.
pub fn take(text: &str, gauges: &Gauges) -> Option<()> {
    if text.starts_with(r#"{"e":"24hrTicker""#) {
        let ticker: Ticker = serde_json::from_str(text).ok()?;
        let symbol = &ticker.symbol;
        set(&gauges.last, symbol, &ticker.last)?;
        set(&gauges.bid, symbol, &ticker.bid)?;
        set(&gauges.ask, symbol, &ticker.ask)?;
        set(&gauges.volume_base, symbol, &ticker.volume_base)?;
        set(&gauges.volume_quote, symbol, &ticker.volume_quote)?;
        set(&gauges.high, symbol, &ticker.high)?;
        set(&gauges.low, symbol, &ticker.low)?;
        put(&gauges.change, symbol, ticker.percent.parse::<f64>().ok()? / 100.0)?;
        gauges.heard(symbol, Some(ticker.at));
    } else {
        let ticker: BookTicker = serde_json::from_str(text).ok()?;
        set(&gauges.bid, &ticker.symbol, &ticker.bid)?;
        set(&gauges.ask, &ticker.symbol, &ticker.ask)?;
        gauges.heard(&ticker.symbol, None);
    }
    Some(())
}
