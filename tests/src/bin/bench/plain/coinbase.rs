//! Coinbase.

use super::{Gauges, put, set};
use serde::Deserialize;

#[derive(Deserialize)]
struct Message {
    timestamp: String,
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    tickers: Vec<Ticker>,
}

#[derive(Deserialize)]
struct Ticker {
    product_id: String,
    price: String,
    volume_24_h: String,
    low_24_h: String,
    high_24_h: String,
    price_percent_chg_24_h: String,
    best_bid: String,
    best_ask: String,
}

/// Takes one frame.
pub fn take(text: &str, gauges: &Gauges) -> Option<()> {
    let message: Message = serde_json::from_str(text).ok()?;
    let at = message.timestamp.parse::<jiff::Timestamp>().ok()?.as_millisecond();
    for ticker in message.events.into_iter().flat_map(|event| event.tickers) {
        let symbol = &ticker.product_id.replace('-', "");
        set(&gauges.last, symbol, &ticker.price)?;
        set(&gauges.volume_base, symbol, &ticker.volume_24_h)?;
        set(&gauges.bid, symbol, &ticker.best_bid)?;
        set(&gauges.ask, symbol, &ticker.best_ask)?;
        set(&gauges.high, symbol, &ticker.high_24_h)?;
        set(&gauges.low, symbol, &ticker.low_24_h)?;
        put(&gauges.change, symbol, ticker.price_percent_chg_24_h.parse::<f64>().ok()? / 100.0)?;
        gauges.heard(symbol, Some(at));
    }
    Some(())
}
