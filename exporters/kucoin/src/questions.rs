//! KuCoin's public REST questions.

use common::account::Rate;
use common::venue::Decoder;
use common::{Amount, Entry, Fact, Fault, Instrument, Market, Micros, Rows, Said, Tell, Ticker};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Data<T> {
    pub data: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SymbolRow {
    symbol: String,
    base_currency: String,
    quote_currency: String,
    #[serde(default)]
    enable_trading: bool,
}

pub fn instruments<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let list: Data<Rows<SymbolRow>> = serde_json::from_str(body)?;
    for row in list.data.good(tell) {
        // `symbol` is the stable id; `name` changes when a coin is renamed.
        let instrument = Instrument {
            market: Market::Spot,
            base: row.base_currency,
            quote: row.quote_currency,
            heard: row.symbol.clone(),
            asked: row.symbol,
            trading: row.enable_trading,
        };
        tell(Fact::Instrument(instrument).into());
    }
    Ok(None)
}

#[derive(Deserialize)]
struct AllTickers<'f> {
    #[serde(borrow)]
    ticker: Rows<TickerRow<'f>>,
}

/// Every figure is `null` where a symbol does not trade.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TickerRow<'f> {
    symbol: &'f str,
    #[serde(default)]
    last: Said,
    #[serde(default)]
    buy: Said,
    #[serde(default)]
    sell: Said,
    #[serde(default)]
    vol: Said,
    #[serde(default)]
    vol_value: Said,
    #[serde(default)]
    high: Said,
    #[serde(default)]
    low: Said,
    #[serde(default)]
    change_rate: Said,
}

pub fn tickers<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let all: Data<AllTickers<'f>> = serde_json::from_str(body)?;
    for row in all.data.ticker.good(tell) {
        let ticker = Ticker {
            symbol: row.symbol,
            last: row.last.as_price(),
            bid: row.buy.as_price(),
            ask: row.sell.as_price(),
            volume_base: row.vol,
            volume_quote: row.vol_value,
            high: row.high.as_price(),
            low: row.low.as_price(),
            change: row.change_rate,
            at: None,
        };
        tell(Fact::Seed(ticker).into());
    }
    Ok(None)
}

pub fn clock<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let time: Data<i64> = serde_json::from_str(body)?;
    tell(Fact::Clock(Micros::from_millis(time.data)).into());
    Ok(None)
}

#[derive(Deserialize)]
struct Status {
    status: String,
}

pub fn status<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let status: Data<Status> = serde_json::from_str(body)?;
    tell(Fact::Status { up: status.data.status == "open" }.into());
    Ok(None)
}

#[derive(Deserialize)]
struct Price {
    #[serde(rename = "USDT")]
    tether: Amount,
}

/// What one USDT is in this currency.
fn price<'f>(body: &'f str, currency: &str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let prices: Data<Price> = serde_json::from_str(body)?;
    if let Some(price) = prices.data.tether.nonzero() {
        tell(Entry::Rate(Rate { base: "USDT".into(), quote: currency.into(), price }).into());
    }
    Ok(None)
}

/// Who reads the price in this currency: the answer does not name it, and a decoder remembers no question.
macro_rules! readers {
    ($($currency:literal)*) => {
        pub fn price_in(currency: &str) -> Option<Decoder> {
            match currency {
                $($currency => Some((|body, tell| price(body, $currency, tell)) as Decoder),)*
                _ => None,
            }
        }
    };
}

readers! {
    "USD" "EUR" "GBP" "BRL" "ARS" "MXN" "COP" "CLP" "PEN" "CAD" "AUD" "NZD" "CHF" "SEK" "NOK" "DKK" "PLN" "CZK" "HUF"
    "RON" "UAH" "RUB" "KZT" "TRY" "ILS" "AED" "SAR" "ZAR" "NGN" "KES" "EGP" "INR" "PKR" "IDR" "VND" "PHP" "THB" "MYR"
    "SGD" "HKD" "TWD" "CNY" "JPY" "KRW"
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Update;

    #[test]
    fn null_figures_are_nothing() {
        let body = r#"{"code":"200000","data":{"time":1,"ticker":[{"symbol":"X-USDT","symbolName":"X-USDT","buy":null,"sell":"0.5","last":null,"vol":"0","changeRate":"0.0033"}]}}"#;
        let mut told = Vec::new();
        tickers(body, &mut |update| told.push(update)).unwrap();
        let [Update::Fact(Fact::Seed(ticker))] = told.as_slice() else { unreachable!("one seed") };
        assert_eq!((ticker.last, ticker.bid, ticker.ask), (Said::Nothing, Said::Nothing, Said::Number(0.5)));
        assert_eq!((ticker.volume_base, ticker.change), (Said::Number(0.0), Said::Number(0.0033)));
    }

    #[test]
    fn what_a_tether_is_in_money() {
        let body = r#"{"code":"200000","data":{"USDT":"5.21419273"}}"#;
        let mut told = Vec::new();
        price_in("BRL").unwrap()(body, &mut |update| told.push(update)).unwrap();
        let price = "5.21419273".parse().unwrap();
        assert_eq!(told, [Entry::Rate(Rate { base: "USDT".into(), quote: "BRL".into(), price }).into()]);
        assert!(price_in("XAU").is_none());
    }

    #[test]
    fn a_renamed_coin_keeps_its_id() {
        let body = r#"{"code":"200000","data":[{"symbol":"BCHSV-USDT","name":"BSV-USDT","baseCurrency":"BCHSV","quoteCurrency":"USDT","enableTrading":false}]}"#;
        let mut told = Vec::new();
        instruments(body, &mut |update| told.push(update)).unwrap();
        let [Update::Fact(Fact::Instrument(one))] = told.as_slice() else { unreachable!("one row") };
        assert_eq!((one.asked.as_str(), one.symbol().as_str(), one.trading), ("BCHSV-USDT", "BCHSVUSDT", false));
    }
}
