//! The data frames of KuCoin: text in the ticker, numbers with long tails in the snapshot, null for what there is not.

use crate::fixed::Fixed;
use crate::ledger::{Entry, text};
use crate::market::{Level, Quote};

/// Text in quotes, or null.
fn quoted(number: Option<Fixed>) -> String {
    number.map_or_else(|| "null".to_owned(), |number| format!(r#""{number}""#))
}

fn number(number: Option<Fixed>) -> String {
    number.map_or_else(|| "null".to_owned(), |number| number.to_string())
}

/// The venue's twenty places.
fn tail(number: Fixed) -> String {
    format!("{number:.12}00000000")
}

fn long(number: Option<Fixed>) -> String {
    number.map_or_else(|| "null".to_owned(), tail)
}

fn price(level: Option<Level>) -> Option<Fixed> {
    level.map(|level| level.price)
}

fn size(level: Option<Level>) -> Option<Fixed> {
    level.map(|level| level.size)
}

/// The fraction with four places.
pub(super) fn ratio(quote: &Quote) -> Option<Fixed> {
    quote.change().map(|change| change.floor_to(Fixed::new(1, 4)))
}

fn ticker_data(quote: &Quote) -> String {
    format!(
        r#"{{"bestAsk":{},"bestAskSize":{},"bestBid":{},"bestBidSize":{},"price":{},"sequence":"{}","size":"{}","time":{}}}"#,
        quoted(price(quote.ask)),
        quoted(size(quote.ask)),
        quoted(price(quote.bid)),
        quoted(size(quote.bid)),
        quoted(quote.last),
        quote.sequence,
        quote.last_size,
        quote.traded_at,
    )
}

/// A push of `/market/ticker:<symbol>`.
#[must_use]
pub fn ticker_frame(quote: &Quote) -> String {
    let data = ticker_data(quote);
    format!(r#"{{"topic":"/market/ticker:{}","type":"message","subject":"trade.ticker","data":{data}}}"#, quote.symbol)
}

/// A push of `/market/ticker:all`.
pub(super) fn ticker_all_frame(quote: &Quote) -> String {
    let data = ticker_data(quote);
    format!(r#"{{"topic":"/market/ticker:all","type":"message","subject":"{}","data":{data}}}"#, quote.symbol)
}

/// A push of `/spotMarket/level1:<symbol>`.
#[must_use]
pub fn level1_frame(quote: &Quote) -> String {
    let side =
        |level: Option<Level>| level.map_or_else(String::new, |level| format!(r#""{}","{}""#, level.price, level.size));
    format!(
        r#"{{"topic":"/spotMarket/level1:{}","type":"message","subject":"level1","data":{{"asks":[{}],"bids":[{}],"timestamp":{}}}}}"#,
        quote.symbol,
        side(quote.ask),
        side(quote.bid),
        quote.changed_at,
    )
}

/// A push of `/market/snapshot:<symbol>`: the data is nested twice.
#[must_use]
pub fn snapshot_frame(quote: &Quote) -> String {
    let moved = quote.last.zip(quote.open).map(|(last, open)| last - open);
    let window = format!(
        r#"{{"changePrice":{},"changeRate":{},"high":{},"low":{},"open":{},"vol":{},"volValue":{}}}"#,
        number(moved),
        number(ratio(quote)),
        number(quote.high),
        number(quote.low),
        number(quote.open),
        quote.base_volume,
        quote.quote_volume,
    );
    format!(
        r#"{{"topic":"/market/snapshot:{symbol}","type":"message","subject":"trade.snapshot","data":{{"sequence":"{sequence}","data":{{"symbol":"{symbol}","symbolCode":"{symbol}","baseCurrency":"{base}","quoteCurrency":"{counter}","market":"USDS","markets":["USDS"],"trading":true,"buy":{bid},"bidSize":{bid_size},"sell":{ask},"askSize":{ask_size},"lastTradedPrice":{last},"lastSize":{last_size},"close":{last},"open":{open},"high":{high},"low":{low},"changePrice":{change},"changeRate":{ratio},"averagePrice":{last},"vol":{base_volume},"volValue":{quote_volume},"datetime":{at},"makerFeeRate":0.001,"takerFeeRate":0.001,"makerCoefficient":1.000000,"takerCoefficient":1.000000,"marginTrade":true,"board":1,"mark":0,"sort":100,"siteTypes":["global"],"marketChange1h":{window},"marketChange4h":{window},"marketChange24h":{window}}}}}}}"#,
        symbol = quote.symbol,
        sequence = quote.sequence,
        base = quote.base,
        counter = quote.quote,
        bid = number(price(quote.bid)),
        bid_size = number(size(quote.bid)),
        ask = number(price(quote.ask)),
        ask_size = number(size(quote.ask)),
        last = number(quote.last),
        last_size = quote.last_size,
        open = long(quote.open),
        high = long(quote.high),
        low = long(quote.low),
        change = long(moved),
        ratio = number(ratio(quote)),
        base_volume = tail(quote.base_volume),
        quote_volume = tail(quote.quote_volume),
        at = quote.changed_at,
    )
}

pub(super) fn book_entry(quote: &Quote) -> Entry {
    Entry { bid: Some(text(price(quote.bid))), ask: Some(text(price(quote.ask))), ..Entry::default() }
}

pub(super) fn ticker_entry(quote: &Quote) -> Entry {
    Entry { last: Some(text(quote.last)), ..book_entry(quote) }
}

pub(super) fn snapshot_entry(quote: &Quote) -> Entry {
    let (ratio, long) = (text(ratio(quote)), |number: Option<Fixed>| number.map_or_else(String::new, tail));
    Entry {
        base_volume: Some(tail(quote.base_volume)),
        quote_volume: Some(tail(quote.quote_volume)),
        high: Some(long(quote.high)),
        low: Some(long(quote.low)),
        open: Some(long(quote.open)),
        change_ratio: ratio.parse().ok(),
        change: Some(ratio),
        ..ticker_entry(quote)
    }
}
