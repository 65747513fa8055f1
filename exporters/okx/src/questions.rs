//! OKX's public REST questions.

use common::account::Rate;
use common::number::whole;
use common::{Amount, Entry, Fact, Fault, Instrument, Market, Micros, Rows, Said, Tell, Ticker};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Answer<T> {
    data: Rows<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InstrumentRow {
    inst_id: String,
    base_ccy: String,
    quote_ccy: String,
    state: String,
}

pub fn instruments<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Answer<InstrumentRow> = serde_json::from_str(body)?;
    // Rows before their opening, and derivatives, name no assets.
    for row in rows.data.good(tell).into_iter().filter(|row| !row.base_ccy.is_empty() && !row.quote_ccy.is_empty()) {
        let instrument = Instrument {
            market: Market::Spot,
            base: row.base_ccy,
            quote: row.quote_ccy,
            heard: row.inst_id.clone(),
            asked: row.inst_id,
            trading: row.state == "live",
        };
        tell(Fact::Instrument(instrument).into());
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TickerRow<'f> {
    inst_id: &'f str,
    #[serde(default)]
    last: Said,
    #[serde(default)]
    bid_px: Said,
    #[serde(default)]
    ask_px: Said,
    #[serde(default, rename = "volCcy24h")]
    volume_quote: Said,
}

pub fn tickers<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Answer<TickerRow<'f>> = serde_json::from_str(body)?;
    for row in rows.data.good(tell) {
        let ticker = Ticker {
            symbol: row.inst_id,
            last: row.last.as_price(),
            bid: row.bid_px.as_price(),
            ask: row.ask_px.as_price(),
            volume_quote: row.volume_quote,
            ..Ticker::default()
        };
        tell(Fact::Seed(ticker).into());
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IndexRow {
    idx_px: Amount,
}

/// What one USDT is in dollars.
pub fn index<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Answer<IndexRow> = serde_json::from_str(body)?;
    if let Some(price) = rows.data.good(tell).first().and_then(|row| row.idx_px.nonzero()) {
        tell(Entry::Rate(Rate { base: "USDT".into(), quote: "USD".into(), price }).into());
    }
    Ok(None)
}

#[derive(Deserialize)]
struct Time {
    #[serde(deserialize_with = "whole")]
    ts: i64,
}

pub fn clock<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Answer<Time> = serde_json::from_str(body)?;
    let times = rows.data.good(tell);
    let time = times.first().ok_or_else(|| Fault::decode("no time in the reply"))?;
    tell(Fact::Clock(Micros::from_millis(time.ts)).into());
    Ok(None)
}

/// All or nothing: whether the venue is up cannot be told from a part.
#[derive(Deserialize)]
struct Works {
    data: Vec<Work>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Work {
    state: String,
    #[serde(default)]
    service_type: String,
    #[serde(default)]
    env: String,
}

const DEMO: &str = "2";

pub fn status<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    system(body, |env| env != DEMO, tell)
}

pub fn status_demo<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    system(body, |env| env == DEMO, tell)
}

/// Down means work under way on websockets (0) or trading (5, and its batches 8 and 9), not on bots or copy trading.
fn system<'f>(body: &'f str, concerns: fn(&str) -> bool, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Works = serde_json::from_str(body)?;
    let down = rows.data.iter().any(|work| {
        work.state == "ongoing" && concerns(&work.env) && matches!(work.service_type.as_str(), "0" | "5" | "8" | "9")
    });
    tell(Fact::Status { up: !down }.into());
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Update;

    fn told<'f>(decode: common::venue::Decoder, body: &'f str) -> Vec<Update<'f>> {
        let mut told = Vec::new();
        decode(body, &mut |update| told.push(update)).unwrap();
        told
    }

    #[test]
    fn a_row_before_its_opening_names_no_assets_and_is_left_out() {
        let body = r#"{"code":"0","data":[{"instId":"ETH-USDT","baseCcy":"ETH","quoteCcy":"USDT","state":"live"},
            {"instId":"X-USDT","baseCcy":"X","quoteCcy":"USDT","state":"rebase"},{"instId":"NEW-USDT","baseCcy":"","quoteCcy":"","state":"preopen"}]}"#;
        let trading: Vec<_> = told(instruments, body)
            .into_iter()
            .filter_map(|update| match update {
                Update::Fact(Fact::Instrument(one)) => Some((one.asked, one.trading)),
                _ => None,
            })
            .collect();
        assert_eq!(trading, [("ETH-USDT".to_owned(), true), ("X-USDT".to_owned(), false)]);
    }

    #[test]
    fn only_work_on_trading_is_a_downtime() {
        let state = |service, state, env| {
            let body = format!(r#"{{"data":[{{"state":"{state}","serviceType":"{service}","env":"{env}"}}]}}"#);
            told(status, &body) == [Fact::Status { up: true }.into()]
        };
        assert!(!state("5", "ongoing", "1"));
        assert!(state("11", "ongoing", "1") && state("5", "scheduled", "1") && state("5", "ongoing", "2"));
        assert_eq!(told(status, r#"{"code":"0","data":[]}"#), [Fact::Status { up: true }.into()]);
    }

    #[test]
    fn the_clock_is_in_milliseconds() {
        let body = r#"{"code":"0","msg":"","data":[{"ts":"1763600000423"}]}"#;
        assert_eq!(told(clock, body), [Fact::Clock(Micros(1_763_600_000_423_000)).into()]);
    }
}
