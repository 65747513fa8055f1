//! KuCoin.

use super::{Gauges, put, set};
use serde::Deserialize;

#[derive(Deserialize)]
struct Message<T> {
    topic: String,
    data: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ticker {
    best_ask: String,
    best_bid: String,
    price: String,
}

#[derive(Deserialize)]
struct Snapshot {
    data: Market,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Market {
    symbol: String,
    buy: f64,
    sell: f64,
    last_traded_price: f64,
    high: f64,
    low: f64,
    vol: f64,
    vol_value: f64,
    change_rate: f64,
    datetime: i64,
}

/// Takes one frame.
pub fn take(text: &str, gauges: &Gauges) -> Option<()> {
    if text.contains(r#""subject":"trade.snapshot""#) {
        let market = serde_json::from_str::<Message<Snapshot>>(text).ok()?.data.data;
        let symbol = &market.symbol.replace('-', "");
        put(&gauges.last, symbol, market.last_traded_price)?;
        put(&gauges.bid, symbol, market.buy)?;
        put(&gauges.ask, symbol, market.sell)?;
        put(&gauges.volume_base, symbol, market.vol)?;
        put(&gauges.volume_quote, symbol, market.vol_value)?;
        put(&gauges.high, symbol, market.high)?;
        put(&gauges.low, symbol, market.low)?;
        put(&gauges.change, symbol, market.change_rate)?;
        gauges.heard(symbol, Some(market.datetime));
    } else {
        let message: Message<Ticker> = serde_json::from_str(text).ok()?;
        let symbol = &message.topic.split_once(':')?.1.replace('-', "");
        set(&gauges.last, symbol, &message.data.price)?;
        set(&gauges.bid, symbol, &message.data.best_bid)?;
        set(&gauges.ask, symbol, &message.data.best_ask)?;
        gauges.heard(symbol, None);
    }
    Some(())
}
