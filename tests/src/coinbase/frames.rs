//! The data frames of Coinbase: an envelope with the only time and the number, tickers inside.

use crate::clock::rfc3339;
use crate::ledger::{Entry, text};
use crate::market::{Level, Quote};

/// The first ticker after a subscription, or a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Sent before the acknowledgement.
    Snapshot,
    /// Sent after a match.
    Update,
}

fn envelope(channel: &str, kind: Kind, sequence: u64, at: u64, ticker: &str) -> String {
    let (kind, timestamp) = (if kind == Kind::Snapshot { "snapshot" } else { "update" }, rfc3339(at));
    format!(
        r#"{{"channel":"{channel}","timestamp":"{timestamp}","sequence_num":{sequence},"events":[{{"type":"{kind}","tickers":[{{"type":"ticker",{ticker}}}]}}]}}"#
    )
}

/// The fields that both ticker channels have.
fn common(quote: &Quote) -> String {
    format!(
        r#""product_id":"{}","price":"{}","volume_24_h":"{}","low_24_h":"{low}","high_24_h":"{high}","low_52_w":"{low}","high_52_w":"{high}","price_percent_chg_24_h":"{}""#,
        quote.symbol,
        text(quote.last),
        quote.base_volume,
        percent(quote),
        low = text(quote.low),
        high = text(quote.high),
    )
}

pub(super) fn percent(quote: &Quote) -> String {
    text(quote.change().map(|change| change.by(100)))
}

/// A frame of the `ticker` channel, sent at `at` (Unix milliseconds).
#[must_use]
pub fn ticker_frame(quote: &Quote, kind: Kind, sequence: u64, at: u64) -> String {
    let price = |level: Option<Level>| text(level.map(|level| level.price));
    let size = |level: Option<Level>| text(level.map(|level| level.size));
    let book = format!(
        r#""best_bid":"{}","best_ask":"{}","best_bid_quantity":"{}","best_ask_quantity":"{}""#,
        price(quote.bid),
        price(quote.ask),
        size(quote.bid),
        size(quote.ask),
    );
    envelope("ticker", kind, sequence, at, &(common(quote) + "," + &book))
}

/// A frame of the `ticker_batch` channel: no book.
#[must_use]
pub fn ticker_batch_frame(quote: &Quote, kind: Kind, sequence: u64, at: u64) -> String {
    envelope("ticker_batch", kind, sequence, at, &common(quote))
}

/// A snapshot of nothing, as the venue sends it now and then.
pub(super) fn empty_frame(sequence: u64, at: u64) -> String {
    let names = [
        "product_id",
        "price",
        "volume_24_h",
        "low_24_h",
        "high_24_h",
        "low_52_w",
        "high_52_w",
        "price_percent_chg_24_h",
    ];
    let book = ["best_bid", "best_ask", "best_bid_quantity", "best_ask_quantity"];
    let fields: Vec<String> = names.iter().chain(&book).map(|name| format!(r#""{name}":"""#)).collect();
    envelope("ticker", Kind::Snapshot, sequence, at, &fields.join(","))
}

pub(super) fn ticker_entry(quote: &Quote) -> Entry {
    let price = |level: Option<Level>| text(level.map(|level| level.price));
    Entry { bid: Some(price(quote.bid)), ask: Some(price(quote.ask)), ..batch_entry(quote) }
}

pub(super) fn batch_entry(quote: &Quote) -> Entry {
    let percent = percent(quote);
    Entry {
        last: Some(text(quote.last)),
        base_volume: Some(quote.base_volume.to_string()),
        high: Some(text(quote.high)),
        low: Some(text(quote.low)),
        change_ratio: percent.parse::<f64>().ok().map(|percent| percent / 100.0),
        change: Some(percent),
        ..Entry::default()
    }
}
