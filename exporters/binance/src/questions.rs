//! Binance's public REST questions.

use common::account::Rate;
use common::{Amount, Entry, Fact, Fault, Instrument, Market, Micros, Rows, Said, Tell, Ticker};
use serde::Deserialize;

#[derive(Deserialize)]
struct ExchangeInfo {
    symbols: Rows<SymbolRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SymbolRow {
    symbol: String,
    status: String,
    base_asset: String,
    quote_asset: String,
    is_spot_trading_allowed: Option<bool>,
}

pub fn instruments<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let info: ExchangeInfo = serde_json::from_str(body)?;
    for row in info.symbols.good(tell).into_iter().filter(|row| row.is_spot_trading_allowed != Some(false)) {
        let instrument = Instrument {
            market: Market::Spot,
            base: row.base_asset,
            quote: row.quote_asset,
            heard: row.symbol.clone(),
            asked: row.symbol,
            trading: row.status == "TRADING",
        };
        tell(Fact::Instrument(instrument).into());
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TickerRow<'f> {
    symbol: &'f str,
    #[serde(default)]
    last_price: Said,
    #[serde(default)]
    bid_price: Said,
    #[serde(default)]
    ask_price: Said,
    #[serde(default)]
    high_price: Said,
    #[serde(default)]
    low_price: Said,
    #[serde(default)]
    volume: Said,
    #[serde(default)]
    quote_volume: Said,
    #[serde(default)]
    price_change_percent: Said,
}

pub fn tickers<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Rows<TickerRow<'f>> = serde_json::from_str(body)?;
    for row in rows.good(tell) {
        let ticker = Ticker {
            symbol: row.symbol,
            last: row.last_price.as_price(),
            bid: row.bid_price.as_price(),
            ask: row.ask_price.as_price(),
            high: row.high_price.as_price(),
            low: row.low_price.as_price(),
            volume_base: row.volume,
            volume_quote: row.quote_volume,
            change: row.price_change_percent.divided(100.0),
            at: None,
        };
        tell(Fact::Seed(super::market::untraded(ticker)).into());
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Time {
    server_time: i64,
}

pub fn clock<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let time: Time = serde_json::from_str(body)?;
    tell(Fact::Clock(Micros::from_millis(time.server_time)).into());
    Ok(None)
}

#[derive(Deserialize)]
struct Index {
    index: Amount,
}

/// What one USDT is in dollars, by the futures' asset index.
pub fn index<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let row: Index = serde_json::from_str(body)?;
    if let Some(price) = row.index.nonzero() {
        tell(Entry::Rate(Rate { base: "USDT".into(), quote: "USD".into(), price }).into());
    }
    Ok(None)
}

#[derive(Deserialize)]
struct Status {
    status: i64,
}

pub fn status<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let system: Status = serde_json::from_str(body)?;
    tell(Fact::Status { up: system.status == 0 }.into());
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Update;

    #[test]
    fn a_row_of_a_new_shape_loses_no_other() {
        let body =
            r#"{"symbols":[{"symbol":"NEW"},{"symbol":"AB","status":"TRADING","baseAsset":"A","quoteAsset":"B"}]}"#;
        let mut told = Vec::new();
        instruments(body, &mut |update| told.push(update)).unwrap();
        assert!(
            matches!(told.as_slice(), [Update::Misread(_), Update::Fact(Fact::Instrument(one))] if one.asked == "AB")
        );
    }

    #[test]
    fn a_symbol_that_never_traded_has_no_price() {
        let body = r#"[{"symbol":"NEWUSDT","priceChangePercent":"0.000","lastPrice":"0.00000000","bidPrice":"0.00000000","askPrice":"1.5","highPrice":"0.0","lowPrice":"0.0","volume":"0.0","quoteVolume":"0.0","count":0}]"#;
        let mut told = Vec::new();
        tickers(body, &mut |update| told.push(update)).unwrap();
        let [Update::Fact(Fact::Seed(ticker))] = told.as_slice() else { unreachable!("one seed") };
        assert_eq!((ticker.last, ticker.bid, ticker.change), (Said::Nothing, Said::Nothing, Said::Nothing));
        assert_eq!((ticker.ask, ticker.volume_base), (Said::Number(1.5), Said::Number(0.0)));
    }

    #[test]
    fn dollars_by_the_index() {
        let mut told = Vec::new();
        index(r#"{"symbol":"USDTUSD","time":1795168800000,"index":"0.99950000"}"#, &mut |update| told.push(update))
            .unwrap();
        let [Update::Fact(Fact::Entry(Entry::Rate(rate)))] = told.as_slice() else { unreachable!("one rate") };
        assert_eq!(
            (rate.base.as_str(), rate.quote.as_str(), rate.price.to_string().as_str()),
            ("USDT", "USD", "0.99950000")
        );
    }

    #[test]
    fn only_what_trades_is_trading_whatever_new_states_there_are() {
        let body = r#"{"symbols":[{"symbol":"A","status":"TRADING","baseAsset":"A","quoteAsset":"B"},{"symbol":"C","status":"CANCEL_ONLY","baseAsset":"C","quoteAsset":"B"},
            {"symbol":"这是测试币456","status":"BREAK","baseAsset":"这是测试币","quoteAsset":"456","isSpotTradingAllowed":true},{"symbol":"M","status":"TRADING","baseAsset":"M","quoteAsset":"B","isSpotTradingAllowed":false}]}"#;
        let mut trading = Vec::new();
        instruments(body, &mut |update| {
            if let Update::Fact(Fact::Instrument(one)) = update {
                trading.push((one.asked, one.trading));
            }
        })
        .unwrap();
        assert_eq!(trading, [("A".into(), true), ("C".into(), false), ("这是测试币456".into(), false)]);
    }
}
