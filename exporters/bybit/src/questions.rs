//! Bybit's public REST questions.

use common::account::Rate;
use common::{Amount, Entry, Fact, Fault, Instrument, Market, Micros, Rows, Said, Tell, Ticker};
use serde::Deserialize;

/// What every answer is wrapped in.
#[derive(Deserialize)]
pub struct Answer<T> {
    pub result: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de>"))]
pub struct List<T> {
    #[serde(default)]
    pub category: String,
    pub list: Rows<T>,
    /// The name of the next page, percent-encoded already.
    #[serde(default)]
    pub next_page_cursor: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InstrumentRow {
    symbol: String,
    base_coin: String,
    quote_coin: String,
    #[serde(default)]
    status: String,
}

pub fn instruments<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let reply: Answer<List<InstrumentRow>> = serde_json::from_str(body)?;
    let market = match reply.result.category.as_str() {
        "linear" => Market::Linear,
        "inverse" => Market::Inverse,
        "option" => Market::Option,
        _ => Market::Spot,
    };
    for row in reply.result.list.good(tell) {
        let instrument = Instrument {
            market,
            base: row.base_coin,
            quote: row.quote_coin,
            heard: row.symbol.clone(),
            asked: row.symbol,
            trading: row.status == "Trading",
        };
        tell(Fact::Instrument(instrument).into());
    }
    // Spot comes on one page.
    Ok(Some(reply.result.next_page_cursor).filter(|cursor| !cursor.is_empty()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TickerRow<'f> {
    symbol: &'f str,
    #[serde(default)]
    last_price: Said,
    #[serde(default)]
    bid1_price: Said,
    #[serde(default)]
    ask1_price: Said,
    #[serde(default)]
    turnover24h: Said,
}

pub fn tickers<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let reply: Answer<List<TickerRow<'f>>> = serde_json::from_str(body)?;
    for row in reply.result.list.good(tell) {
        let ticker = Ticker {
            symbol: row.symbol,
            last: row.last_price.as_price(),
            bid: row.bid1_price.as_price(),
            ask: row.ask1_price.as_price(),
            volume_quote: row.turnover24h,
            ..Ticker::default()
        };
        tell(Fact::Seed(ticker).into());
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IndexRow {
    last_price: Amount,
    #[serde(default)]
    usd_index_price: Amount,
}

/// What one USDT is in dollars: what a coin costs in dollars over what it costs in USDT.
pub fn dollars<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let reply: Answer<List<IndexRow>> = serde_json::from_str(body)?;
    for row in reply.result.list.good(tell) {
        let price = row.usd_index_price.nonzero().zip(row.last_price.nonzero());
        if let Some(price) = price.and_then(|(dollars, tethers)| dollars.checked_div(tethers)) {
            tell(Entry::Rate(Rate { base: "USDT".into(), quote: "USD".into(), price }).into());
        }
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Nanos {
    #[serde(deserialize_with = "common::number::whole")]
    time_nano: i64,
}

pub fn clock<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let time: Answer<Nanos> = serde_json::from_str(body)?;
    tell(Fact::Clock(Micros(time.result.time_nano / 1000)).into());
    Ok(None)
}

/// All or nothing: whether the venue is up cannot be told from a part.
#[derive(Deserialize)]
struct Works {
    list: Vec<Work>,
}

#[derive(Deserialize)]
struct Work {
    state: String,
    #[serde(default)]
    product: Vec<i64>,
}

/// The product number of spot.
const SPOT: i64 = 2;

/// Down means work under way on spot; a row that names no product concerns all.
pub fn status<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let reply: Answer<Works> = serde_json::from_str(body)?;
    let concerns = |work: &Work| work.product.is_empty() || work.product.contains(&SPOT);
    let down = reply.result.list.iter().any(|work| work.state == "ongoing" && concerns(work));
    tell(Fact::Status { up: !down }.into());
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Update;

    #[test]
    fn pages_follow_the_cursor_until_it_is_empty() {
        let page = |cursor: &str| {
            let body = format!(
                r#"{{"retCode":0,"result":{{"category":"linear","list":[{{"symbol":"ETHUSDT","baseCoin":"ETH","quoteCoin":"USDT","status":"PreLaunch"}}],"nextPageCursor":"{cursor}"}}}}"#
            );
            let mut rows = Vec::new();
            let next = instruments(&body, &mut |update| {
                if let Update::Fact(Fact::Instrument(one)) = update {
                    rows.push((one.market, one.trading));
                }
            });
            (next.unwrap(), rows)
        };
        assert_eq!(page("first%3DAAA"), (Some("first%3DAAA".into()), vec![(Market::Linear, false)]));
        assert_eq!(page("").0, None);
    }

    #[test]
    fn the_rest_of_the_market_has_both_sides_of_its_books() {
        let body = r#"{"retCode":0,"result":{"category":"spot","list":[{"symbol":"BTCUSDT","bid1Price":"91234.0","ask1Price":"","lastPrice":"91234.1","turnover24h":"741234567.12","usdIndexPrice":"91142.8659"}]}}"#;
        let mut told = Vec::new();
        tickers(body, &mut |update| told.push(update)).unwrap();
        let ticker = Ticker {
            symbol: "BTCUSDT",
            last: Said::Number(91234.1),
            bid: Said::Number(91234.0),
            ask: Said::Nothing,
            volume_quote: Said::Number(741234567.12),
            ..Ticker::default()
        };
        assert_eq!(told, [Fact::Seed(ticker).into()]);
        told.clear();
        dollars(body, &mut |update| told.push(update)).unwrap();
        let [Update::Fact(Fact::Entry(Entry::Rate(rate)))] = &told[..] else { panic!("{told:?}") };
        assert_eq!((rate.base.as_str(), rate.quote.as_str()), ("USDT", "USD"));
        assert_eq!(rate.price.round_dp(6).normalize().to_string(), "0.999");
        let none = body.replace("91142.8659", "");
        let mut told = Vec::new();
        dollars(&none, &mut |update| told.push(update)).unwrap();
        assert_eq!(told, [], "a coin without an index");
    }

    #[test]
    fn only_work_on_spot_is_a_downtime() {
        let up = |row: &str| {
            let body = format!(r#"{{"retCode":0,"result":{{"list":[{row}]}}}}"#);
            let mut up = None;
            status(&body, &mut |update| {
                if let Update::Fact(Fact::Status { up: told }) = update {
                    up = Some(told);
                }
            })
            .unwrap();
            up
        };
        assert_eq!(up(""), Some(true));
        assert_eq!(up(r#"{"state":"ongoing","product":[2],"env":1}"#), Some(false));
        assert_eq!(up(r#"{"state":"ongoing","product":[1],"env":"1"}"#), Some(true));
        assert_eq!(up(r#"{"state":"scheduled","product":[2]}"#), Some(true));
    }
}
