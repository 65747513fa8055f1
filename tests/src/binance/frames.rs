//! The data frames of Binance: prices with eight places as text, times and ids as integers, zero for what there is not.

use crate::fixed::Fixed;
use crate::ledger::Entry;
use crate::market::{Level, Quote};

const DAY: u64 = 24 * 60 * 60 * 1_000;

fn number(number: Option<Fixed>) -> String {
    format!("{:.8}", number.unwrap_or_default())
}

fn level(level: Option<Level>) -> (String, String) {
    (number(level.map(|level| level.price)), number(level.map(|level| level.size)))
}

/// All texts of a 24 h ticker, which the stream and REST write under different names.
pub(super) struct Texts {
    pub(super) last: String,
    pub(super) last_size: String,
    pub(super) bid: (String, String),
    pub(super) ask: (String, String),
    pub(super) open: String,
    pub(super) high: String,
    pub(super) low: String,
    pub(super) base_volume: String,
    pub(super) quote_volume: String,
    pub(super) average: String,
    pub(super) change: String,
    /// In per cent.
    pub(super) percent: String,
    /// First and last trade, -1 without any.
    pub(super) trades: (i64, i64),
    pub(super) opened_at: u64,
}

impl Texts {
    pub(super) fn of(quote: &Quote) -> Self {
        let zero = |value: Option<Fixed>| value.unwrap_or_default();
        let first = if quote.trades == 0 { -1 } else { 5_412_300_100 };
        Self {
            last: number(quote.last),
            last_size: number(Some(quote.last_size)),
            bid: level(quote.bid),
            ask: level(quote.ask),
            open: number(quote.open),
            high: number(quote.high),
            low: number(quote.low),
            base_volume: number(Some(quote.base_volume)),
            quote_volume: number(Some(quote.quote_volume)),
            average: number(Some(quote.quote_volume.over(quote.base_volume))),
            change: number(Some(zero(quote.last) - zero(quote.open))),
            percent: format!("{:.3}", zero(quote.change()).by(100)),
            trades: (first, if first < 0 { -1 } else { first + quote.trades as i64 - 1 }),
            opened_at: quote.changed_at.saturating_sub(DAY),
        }
    }
}

/// An event of `<symbol>@ticker`.
#[must_use]
pub fn ticker_frame(quote: &Quote) -> String {
    let Texts {
        last,
        last_size,
        bid,
        ask,
        open,
        high,
        low,
        base_volume,
        quote_volume,
        average,
        change,
        percent,
        trades,
        opened_at,
    } = Texts::of(quote);
    format!(
        r#"{{"e":"24hrTicker","E":{at},"s":"{symbol}","p":"{change}","P":"{percent}","w":"{average}","x":"{open}","c":"{last}","Q":"{last_size}","b":"{}","B":"{}","a":"{}","A":"{}","o":"{open}","h":"{high}","l":"{low}","v":"{base_volume}","q":"{quote_volume}","O":{opened_at},"C":{at},"F":{},"L":{},"n":{}}}"#,
        bid.0,
        bid.1,
        ask.0,
        ask.1,
        trades.0,
        trades.1,
        quote.trades,
        at = quote.changed_at,
        symbol = quote.symbol,
    )
}

/// An event of `<symbol>@bookTicker`: it has neither a name nor a time.
#[must_use]
pub fn book_ticker_frame(quote: &Quote) -> String {
    let (bid, ask) = (level(quote.bid), level(quote.ask));
    format!(
        r#"{{"u":{},"s":"{}","b":"{}","B":"{}","a":"{}","A":"{}"}}"#,
        quote.sequence, quote.symbol, bid.0, bid.1, ask.0, ask.1
    )
}

/// An event of `<symbol>@miniTicker`.
#[must_use]
pub fn mini_ticker_frame(quote: &Quote) -> String {
    let texts = Texts::of(quote);
    format!(
        r#"{{"e":"24hrMiniTicker","E":{},"s":"{}","c":"{}","o":"{}","h":"{}","l":"{}","v":"{}","q":"{}"}}"#,
        quote.changed_at,
        quote.symbol,
        texts.last,
        texts.open,
        texts.high,
        texts.low,
        texts.base_volume,
        texts.quote_volume
    )
}

pub(super) fn ticker_entry(quote: &Quote) -> Entry {
    let texts = Texts::of(quote);
    let ratio = texts.percent.parse::<f64>().ok().filter(|_| quote.last.is_some());
    Entry {
        bid: Some(texts.bid.0),
        ask: Some(texts.ask.0),
        change: Some(texts.percent),
        change_ratio: ratio.map(|percent| percent / 100.0),
        ..mini_entry(quote)
    }
}

pub(super) fn book_entry(quote: &Quote) -> Entry {
    Entry { bid: Some(level(quote.bid).0), ask: Some(level(quote.ask).0), ..Entry::default() }
}

pub(super) fn mini_entry(quote: &Quote) -> Entry {
    let texts = Texts::of(quote);
    Entry {
        last: Some(texts.last),
        base_volume: Some(texts.base_volume),
        quote_volume: Some(texts.quote_volume),
        high: Some(texts.high),
        low: Some(texts.low),
        open: Some(texts.open),
        ..Entry::default()
    }
}
