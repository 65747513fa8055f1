//! OKX.

use super::{Gauges, put, set};
use serde::Deserialize;

#[derive(Deserialize)]
struct Message {
    data: Vec<Ticker>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ticker {
    inst_id: String,
    last: String,
    ask_px: String,
    bid_px: String,
    open24h: String,
    high24h: String,
    low24h: String,
    vol_ccy24h: String,
    vol24h: String,
    ts: String,
}

/// Takes one frame.
pub fn take(text: &str, gauges: &Gauges) -> Option<()> {
    let message: Message = serde_json::from_str(text).ok()?;
    for ticker in message.data {
        let symbol = &ticker.inst_id.replace('-', "");
        let (last, open) = (ticker.last.parse::<f64>().ok()?, ticker.open24h.parse::<f64>().ok()?);
        put(&gauges.last, symbol, last)?;
        put(&gauges.change, symbol, last / open - 1.0)?;
        set(&gauges.bid, symbol, &ticker.bid_px)?;
        set(&gauges.ask, symbol, &ticker.ask_px)?;
        set(&gauges.volume_base, symbol, &ticker.vol24h)?;
        set(&gauges.volume_quote, symbol, &ticker.vol_ccy24h)?;
        set(&gauges.high, symbol, &ticker.high24h)?;
        set(&gauges.low, symbol, &ticker.low24h)?;
        gauges.heard(symbol, ticker.ts.parse().ok());
    }
    Some(())
}
