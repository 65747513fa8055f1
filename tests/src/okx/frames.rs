//! The data frames of OKX: everything is text, and what there is not is empty.

use crate::fixed::Fixed;
use crate::ledger::{Entry, text};
use crate::market::{Level, Quote};

/// Price and size of a side, or two empty texts.
fn level(level: Option<Level>) -> (String, String) {
    (text(level.map(|level| level.price)), text(level.map(|level| level.size)))
}

/// The row that the `tickers` channel and `/market/tickers` share.
pub(crate) fn ticker_row(quote: &Quote) -> String {
    let ((bid, bid_size), (ask, ask_size)) = (level(quote.bid), level(quote.ask));
    format!(
        r#"{{"instType":"SPOT","instId":"{symbol}","last":"{last}","lastSz":"{last_size}","askPx":"{ask}","askSz":"{ask_size}","bidPx":"{bid}","bidSz":"{bid_size}","open24h":"{open}","high24h":"{high}","low24h":"{low}","volCcy24h":"{quote_volume}","vol24h":"{base_volume}","sodUtc0":"{open}","sodUtc8":"{open}","ts":"{at}"}}"#,
        symbol = quote.symbol,
        last = text(quote.last),
        last_size = quote.last_size,
        open = text(quote.open),
        high = text(quote.high),
        low = text(quote.low),
        quote_volume = quote.quote_volume,
        base_volume = quote.base_volume,
        at = quote.changed_at,
    )
}

/// A push of the `tickers` channel.
#[must_use]
pub fn ticker_frame(quote: &Quote) -> String {
    format!(r#"{{"arg":{{"channel":"tickers","instId":"{}"}},"data":[{}]}}"#, quote.symbol, ticker_row(quote))
}

/// A push of the `bbo-tbt` channel.
#[must_use]
pub fn bbo_frame(quote: &Quote) -> String {
    let side = |level: Option<Level>| {
        level.map_or_else(String::new, |level| format!(r#"["{}","{}","0","3"]"#, level.price, level.size))
    };
    format!(
        r#"{{"arg":{{"channel":"bbo-tbt","instId":"{}"}},"data":[{{"asks":[{}],"bids":[{}],"ts":"{}","seqId":{}}}]}}"#,
        quote.symbol,
        side(quote.ask),
        side(quote.bid),
        quote.changed_at,
        quote.sequence,
    )
}

pub(super) fn ticker_entry(quote: &Quote) -> Entry {
    Entry {
        last: Some(text(quote.last)),
        base_volume: Some(quote.base_volume.to_string()),
        quote_volume: Some(quote.quote_volume.to_string()),
        high: Some(text(quote.high)),
        low: Some(text(quote.low)),
        open: Some(text(quote.open)),
        change_ratio: quote.last.zip(quote.open).map(|(last, open)| last.as_f64() / open.as_f64() - 1.0),
        ..bbo_entry(quote)
    }
}

pub(super) fn bbo_entry(quote: &Quote) -> Entry {
    let price = |level: Option<Level>| -> Option<Fixed> { level.map(|level| level.price) };
    Entry { bid: Some(text(price(quote.bid))), ask: Some(text(price(quote.ask))), ..Entry::default() }
}
