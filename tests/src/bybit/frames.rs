//! The data frames of Bybit spot: the ticker without a book, the book without a last price.

use crate::account::TETHER;
use crate::fixed::Fixed;
use crate::ledger::{Entry, text};
use crate::market::{Level, Quote};

/// A fraction with four places.
pub(super) fn change(quote: &Quote) -> String {
    quote.change().map_or_else(String::new, |change| change.floor_to(Fixed::new(1, 4)).to_string())
}

/// What the coin costs in dollars, which a tether is not; nothing but for pairs with tether.
pub(super) fn index(quote: &Quote) -> String {
    text(quote.last.filter(|_| quote.quote == "USDT").map(|last| last.times(TETHER)))
}

/// A push of `tickers.<symbol>`, generated at `at` (Unix milliseconds).
#[must_use]
pub fn ticker_frame(quote: &Quote, at: u64) -> String {
    format!(
        r#"{{"topic":"tickers.{symbol}","ts":{at},"type":"snapshot","cs":{},"data":{{"symbol":"{symbol}","lastPrice":"{last}","highPrice24h":"{}","lowPrice24h":"{}","prevPrice24h":"{}","volume24h":"{}","turnover24h":"{}","price24hPcnt":"{}","usdIndexPrice":"{}"}}}}"#,
        quote.sequence,
        text(quote.high),
        text(quote.low),
        text(quote.open),
        quote.base_volume,
        quote.quote_volume,
        change(quote),
        index(quote),
        symbol = quote.symbol,
        last = text(quote.last),
    )
}

/// A push of `orderbook.1.<symbol>`, generated at `at` (Unix milliseconds).
#[must_use]
pub fn order_book_frame(quote: &Quote, at: u64) -> String {
    let side = |level: Option<Level>| {
        level.map_or_else(String::new, |level| format!(r#"["{}","{}"]"#, level.price, level.size))
    };
    format!(
        r#"{{"topic":"orderbook.1.{symbol}","ts":{at},"type":"snapshot","data":{{"s":"{symbol}","b":[{}],"a":[{}],"u":{},"seq":{}}},"cts":{}}}"#,
        side(quote.bid),
        side(quote.ask),
        quote.step + 1,
        quote.sequence,
        quote.changed_at,
        symbol = quote.symbol,
    )
}

pub(super) fn ticker_entry(quote: &Quote) -> Entry {
    let change = change(quote);
    Entry {
        last: Some(text(quote.last)),
        base_volume: Some(quote.base_volume.to_string()),
        quote_volume: Some(quote.quote_volume.to_string()),
        high: Some(text(quote.high)),
        low: Some(text(quote.low)),
        open: Some(text(quote.open)),
        change_ratio: change.parse().ok(),
        change: Some(change),
        ..Entry::default()
    }
}

pub(super) fn book_entry(quote: &Quote) -> Entry {
    let price = |level: Option<Level>| text(level.map(|level| level.price));
    Entry { bid: Some(price(quote.bid)), ask: Some(price(quote.ask)), ..Entry::default() }
}
