//! Coinbase's public REST questions.

use std::collections::HashMap;

use common::account::Rate;
use common::number::whole;
use common::{Amount, Entry, Fact, Fault, Instrument, Market, Micros, Rows, Said, Tell, Ticker};
use serde::Deserialize;

#[derive(Deserialize)]
struct Products<'f> {
    #[serde(borrow)]
    products: Rows<Product<'f>>,
    pagination: Option<Pagination>,
}

/// `null` so far; where it is an object, the next page is asked for.
#[derive(Deserialize)]
pub struct Pagination {
    #[serde(default)]
    has_next: bool,
    #[serde(default, alias = "cursor")]
    next_cursor: String,
}

/// The next page's name, if there is one.
pub fn next(pagination: Option<Pagination>) -> Option<String> {
    let page = pagination.filter(|page| page.has_next)?;
    Some(page.next_cursor).filter(|cursor| !cursor.is_empty())
}

#[derive(Deserialize)]
struct Product<'f> {
    product_id: &'f str,
    #[serde(default)]
    base_currency_id: &'f str,
    #[serde(default)]
    quote_currency_id: &'f str,
    #[serde(default)]
    status: &'f str,
    alias: Option<&'f str>,
    #[serde(default)]
    product_type: &'f str,
    #[serde(default)]
    is_disabled: bool,
    #[serde(default)]
    trading_disabled: bool,
    #[serde(default)]
    view_only: bool,
    #[serde(default)]
    price: Said,
    #[serde(default)]
    best_bid_price: Said,
    #[serde(default)]
    best_ask_price: Said,
    #[serde(default)]
    approximate_quote_24h_volume: Said,
}

impl Product<'_> {
    fn trading(&self) -> bool {
        self.status == "online" && !self.is_disabled && !self.trading_disabled && !self.view_only
    }

    /// Futures name no base currency.
    fn spot(&self) -> bool {
        self.product_type != "FUTURE" && !self.base_currency_id.is_empty() && !self.quote_currency_id.is_empty()
    }
}

pub fn instruments<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let list: Products<'f> = serde_json::from_str(body)?;
    for row in list.products.good(tell).into_iter().filter(Product::spot) {
        // One book, two names: data of BTC-USDC comes under BTC-USD.
        let heard = row.alias.filter(|alias| !alias.is_empty()).unwrap_or(row.product_id);
        let instrument = Instrument {
            market: Market::Spot,
            base: row.base_currency_id.to_owned(),
            quote: row.quote_currency_id.to_owned(),
            heard: heard.to_owned(),
            asked: row.product_id.to_owned(),
            trading: row.trading(),
        };
        tell(Fact::Instrument(instrument).into());
    }
    Ok(next(list.pagination))
}

/// Prices, and the turnover to rank products by. The best bid and ask may be missing; the last price is not.
pub fn tickers<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let list: Products<'f> = serde_json::from_str(body)?;
    for row in list.products.good(tell) {
        let ticker = Ticker {
            symbol: row.product_id,
            last: row.price.as_price(),
            bid: row.best_bid_price.as_price(),
            ask: row.best_ask_price.as_price(),
            volume_quote: row.approximate_quote_24h_volume,
            ..Ticker::default()
        };
        tell(Fact::Seed(ticker).into());
    }
    Ok(next(list.pagination))
}

/// The one figure that the stream lacks; and whether anything trades.
pub fn turnover<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let list: Products<'f> = serde_json::from_str(body)?;
    let products = list.products.good(tell);
    tell(Fact::Status { up: products.iter().any(Product::trading) }.into());
    for row in products {
        let volume_quote = row.approximate_quote_24h_volume;
        tell(Ticker { symbol: row.product_id, volume_quote, ..Ticker::default() }.into());
    }
    Ok(next(list.pagination))
}

/// Fiat that Coinbase has no USDT book in: where there is one, it says more than a reference rate.
pub const REFERENCED: [&str; 24] = [
    "AED", "ARS", "BRL", "CHF", "CLP", "COP", "CZK", "DKK", "HKD", "IDR", "ILS", "JPY", "KRW", "MXN", "NOK", "NZD",
    "PEN", "PHP", "PLN", "SEK", "THB", "TRY", "VND", "ZAR",
];

#[derive(Deserialize)]
struct Rates {
    data: RatesOf,
}

#[derive(Deserialize)]
struct RatesOf {
    currency: String,
    rates: HashMap<String, Amount>,
}

/// What one USDT is in fiat, by the venue's reference rates.
pub fn rates<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let list: Rates = serde_json::from_str(body)?;
    for fiat in REFERENCED {
        if let Some(price) = list.data.rates.get(fiat).and_then(|rate| rate.nonzero()) {
            tell(Entry::Rate(Rate { base: list.data.currency.clone(), quote: fiat.into(), price }).into());
        }
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Time {
    #[serde(deserialize_with = "whole")]
    epoch_millis: i64,
}

pub fn clock<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let time: Time = serde_json::from_str(body)?;
    tell(Fact::Clock(Micros::from_millis(time.epoch_millis)).into());
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Update;

    #[test]
    fn aliases_futures_and_closed_products() {
        let body = r#"{"products":[
            {"product_id":"BTC-USDC","status":"online","alias":"BTC-USD","product_type":"SPOT","quote_currency_id":"USDC","base_currency_id":"BTC"},
            {"product_id":"OLD-USD","status":"delisted","alias":"","product_type":"SPOT","quote_currency_id":"USD","base_currency_id":"OLD"},
            {"product_id":"BIT-27NOV26-CDE","status":"","product_type":"FUTURE","quote_currency_id":"USD","base_currency_id":""}],
            "num_products":3,"pagination":{"has_next":true,"next_cursor":"c2"}}"#;
        let mut told = Vec::new();
        let next = instruments(body, &mut |update| {
            if let Update::Fact(Fact::Instrument(one)) = update {
                told.push((one.asked, one.heard, one.trading));
            }
        });
        assert_eq!(next.unwrap().as_deref(), Some("c2"));
        let row = |asked: &str, heard: &str, trading| (asked.to_owned(), heard.to_owned(), trading);
        assert_eq!(told, [row("BTC-USDC", "BTC-USD", true), row("OLD-USD", "OLD-USD", false)]);
    }

    #[test]
    fn prices_as_far_as_the_list_has_them() {
        let body = r#"{"products":[{"product_id":"BTC-USD","price":"90787.7","best_bid_price":"","best_ask_price":"90787.8","approximate_quote_24h_volume":"1"}],"pagination":null}"#;
        let mut told = Vec::new();
        tickers(body, &mut |update| told.push(update)).unwrap();
        let [Update::Fact(Fact::Seed(ticker))] = told.as_slice() else { unreachable!("one seed") };
        assert_eq!(
            (ticker.last, ticker.bid, ticker.ask),
            (Said::Number(90787.7), Said::Nothing, Said::Number(90787.8))
        );
    }

    #[test]
    fn reference_rates_only_of_fiat_without_a_book() {
        let body = r#"{"data":{"currency":"USDT","rates":{"BRL":"5.41","EUR":"0.86","BTC":"0.00001","JPY":""}}}"#;
        let mut told = Vec::new();
        rates(body, &mut |update| told.push(update)).unwrap();
        let [Update::Fact(Fact::Entry(Entry::Rate(rate)))] = told.as_slice() else { unreachable!("one rate") };
        assert_eq!((rate.base.as_str(), rate.quote.as_str(), rate.price.to_string().as_str()), ("USDT", "BRL", "5.41"));
    }

    #[test]
    fn only_the_list_knows_the_turnover() {
        let body = r#"{"products":[{"product_id":"BTC-USD","status":"online","price":"1","approximate_quote_24h_volume":"737508900.2"},{"product_id":"X-USD","approximate_quote_24h_volume":""}]}"#;
        let mut told = Vec::new();
        turnover(body, &mut |update| told.push(update)).unwrap();
        let of = |symbol, volume_quote| Update::from(Ticker { symbol, volume_quote, ..Ticker::default() });
        assert_eq!(
            told,
            [Fact::Status { up: true }.into(), of("BTC-USD", Said::Number(737508900.2)), of("X-USD", Said::Nothing)]
        );
    }
}
