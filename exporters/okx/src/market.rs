//! OKX's public stream: the `tickers` channel, whole objects with last, bid, ask and 24 h figures.

use std::sync::Arc;
use std::time::Duration;

use common::json::Reader;
use common::keys::{Key, idle, key};
use common::{Endpoint, Fault, Feed, Figure, Heartbeat, Instrument, Micros, Said, Signal, Step, Tell, Ticker};
use serde::Deserialize;

/// Channels in one message; the guide allows 64 KB, this is a tenth of it.
const BATCH: usize = 100;

pub struct Tickers {
    url: String,
    instruments: Vec<Arc<Instrument>>,
}

impl Tickers {
    pub fn new(base: &str, instruments: Vec<Arc<Instrument>>) -> Self {
        Self { url: format!("{base}/ws/v5/public"), instruments }
    }
}

/// A bare text, not JSON, as is its answer.
pub fn heartbeat() -> Heartbeat {
    Heartbeat { say: "ping".into(), every: Duration::from_secs(20), within: Duration::from_secs(10) }
}

impl Feed for Tickers {
    fn endpoint(&self, _ticket: &str) -> Result<Endpoint, Fault> {
        Ok(Endpoint {
            url: self.url.clone(),
            // The venue closes after 30 s without anything pushed.
            heartbeat: Some(heartbeat()),
            silence: Duration::from_secs(45),
            pace: Duration::from_millis(250),
            lifetime: None,
        })
    }

    fn opening(&self, _now: Micros) -> Result<Vec<Step>, Fault> {
        let argument = |one: &Arc<Instrument>| serde_json::json!({ "channel": "tickers", "instId": one.asked });
        let message = |batch: &[Arc<Instrument>]| {
            serde_json::json!({ "op": "subscribe", "args": batch.iter().map(argument).collect::<Vec<_>>() }).to_string()
        };
        let say = self.instruments.chunks(BATCH).map(message).collect();
        // Every argument gets an answer of its own.
        Ok(vec![Step { say, answers: self.instruments.len() }])
    }

    fn decode<'f>(&self, frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        if frame == "pong" {
            tell(Signal::Pong.into());
            return Ok(());
        }
        let mut reader = Reader::new(frame);
        let (mut event, mut data) = (false, false);
        reader.object(FRAME, |part, value| match part {
            Part::Data if !event => {
                data = true;
                value.array(|row| ticker(row, tell))
            }
            Part::Data => value.skip(),
            Part::Event => {
                event = true;
                value.skip()
            }
        })?;
        reader.end()?;
        match (event, data) {
            (true, _) => control(frame, tell),
            (false, true) => Ok(()),
            (false, false) => Err(Fault::protocol("neither data nor an event")),
        }
    }
}

/// What a value of a frame is.
#[derive(Clone, Copy)]
enum Part {
    Data,
    Event,
}

const FRAME: &[Key<'_, Part>] = &[idle("arg"), key("data", Part::Data), key("event", Part::Event)];

/// What a value of a row is.
#[derive(Clone, Copy)]
enum Of {
    Row(Figure),
    Type,
    Open,
    Volume,
    VolumeCcy,
}

const ROW: &[Key<'_, Of>] = &[
    key("instType", Of::Type),
    key("instId", Of::Row(Figure::Symbol)),
    key("last", Of::Row(Figure::Last)),
    idle("lastSz"),
    key("askPx", Of::Row(Figure::Ask)),
    idle("askSz"),
    key("bidPx", Of::Row(Figure::Bid)),
    idle("bidSz"),
    key("open24h", Of::Open),
    key("high24h", Of::Row(Figure::High)),
    key("low24h", Of::Row(Figure::Low)),
    idle("sodUtc0"),
    idle("sodUtc8"),
    key("volCcy24h", Of::VolumeCcy),
    key("vol24h", Of::Volume),
    key("ts", Of::Row(Figure::At)),
];

fn ticker<'f>(row: &mut Reader<'f>, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    let mut ticker = Ticker::default();
    let (mut open, mut volume, mut volume_ccy, mut spot) = (Said::Silent, Said::Silent, Said::Silent, true);
    row.object(ROW, |what, value| {
        match what {
            Of::Row(figure) => ticker.take(figure, value)?,
            Of::Type => spot = matches!(value.text()?, "SPOT" | "MARGIN"),
            Of::Open => open = value.price()?,
            Of::Volume => volume = value.number()?,
            Of::VolumeCcy => volume_ccy = value.number()?,
        }
        Ok(())
    })?;
    // Spot: base and quote. Derivatives: contracts and base.
    (ticker.volume_base, ticker.volume_quote) = if spot { (volume, volume_ccy) } else { (volume_ccy, Said::Silent) };
    ticker.change = Said::change(open, ticker.last);
    // Rows of other channels name no instrument.
    if !ticker.symbol.is_empty() {
        tell(ticker.into());
    }
    Ok(())
}

#[derive(Deserialize)]
struct Event {
    event: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    msg: String,
}

#[cold]
fn control<'f>(frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    let said: Event = serde_json::from_str(frame)?;
    match (said.event.as_str(), said.code.parse().unwrap_or(0)) {
        ("subscribe", _) => tell(Signal::Accepted.into()),
        ("notice", 64_008) => tell(Signal::Leaving.into()),
        ("error", code) => {
            // 60018 says which name it does not know only in its text: `channel:tickers,instId:NOPE-USDT doesn't exist`.
            if code == 60_018
                && let Some(name) = said.msg.split("instId:").nth(1).and_then(|rest| rest.split([' ', ',']).next())
            {
                tell(Signal::Unlisted(name.to_owned().into()).into());
            }
            tell(Signal::Refused(super::auth::refusal(code, &said.msg)).into());
        }
        ("unsubscribe" | "notice" | "channel-conn-count", _) => {}
        (other, _) => return Err(Fault::protocol(format!("unknown event {}", common::excerpt(other)))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::{Kind, Update};

    fn told(frame: &str) -> Result<Vec<Update<'_>>, Fault> {
        let mut told = Vec::new();
        Tickers::new("", vec![]).decode(frame, &mut |update| told.push(update)).map(|()| told)
    }

    #[test]
    fn a_spot_ticker() {
        let frame = r#"{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"instType":"SPOT","instId":"BTC-USDT","last":"91234.1","lastSz":"0.0021","askPx":"91234.2","askSz":"1.05","bidPx":"","bidSz":"","open24h":"90800","high24h":"92500","low24h":"90010.2","volCcy24h":"741234567.12","vol24h":"8123.456789","sodUtc0":"91000","sodUtc8":"90950.5","ts":"1763600000050"}]}"#;
        let ticker = Ticker {
            symbol: "BTC-USDT",
            last: Said::Number(91234.1),
            bid: Said::Nothing,
            ask: Said::Number(91234.2),
            volume_base: Said::Number(8123.456789),
            volume_quote: Said::Number(741234567.12),
            high: Said::Number(92500.0),
            low: Said::Number(90010.2),
            change: Said::Number(91234.1 / 90800.0 - 1.0),
            at: Some(Micros::from_millis(1_763_600_000_050)),
        };
        assert_eq!(told(frame), Ok(vec![ticker.into()]));
    }

    #[test]
    fn a_contract_s_volumes_are_contracts_and_coins() {
        let frame = r#"{"data":[{"instType":"SWAP","instId":"BTC-USD-SWAP","vol24h":"1985047","volCcy24h":"6540.5"}]}"#;
        let ticker = Ticker { symbol: "BTC-USD-SWAP", volume_base: Said::Number(6540.5), ..Ticker::default() };
        assert_eq!(told(frame), Ok(vec![ticker.into()]));
    }

    #[test]
    fn answers_and_notices() {
        assert_eq!(told("pong"), Ok(vec![Signal::Pong.into()]));
        assert_eq!(
            told(r#"{"event":"subscribe","arg":{"channel":"tickers","instId":"BTC-USDT"},"connId":"7"}"#),
            Ok(vec![Signal::Accepted.into()])
        );
        assert_eq!(
            told(r#"{"event":"notice","code":"64008","msg":"The connection will soon be closed"}"#),
            Ok(vec![Signal::Leaving.into()])
        );
        let refusal = r#"{"event":"error","code":"60018","msg":"Subscribe failed, wrong URL or channel:tickers,instId:NOPE-USDT doesn't exist. Please \"use\" it.","connId":"7"}"#;
        let updates = told(refusal).unwrap();
        assert_eq!(updates[0], Signal::Unlisted("NOPE-USDT".into()).into());
        assert!(matches!(&updates[1], Update::Signal(Signal::Refused(fault)) if fault.kind == Kind::Venue));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert_eq!(told(r#"{"event":"surprise"}"#).unwrap_err().kind, Kind::Protocol);
        assert_eq!(told(r#"{"event":"surprise","data":{"x":1}}"#).unwrap_err().kind, Kind::Protocol);
        assert_eq!(told(r#"{"hello":1}"#).unwrap_err().kind, Kind::Protocol);
        for bad in
            ["", "null", "[]", r#"{"data":[{"instId":5}]}"#, r#"{"data":[{"instId":"A","last":{}}]}"#, r#"{"data":{}}"#]
        {
            assert_eq!(told(bad).unwrap_err().kind, Kind::Decode, "{bad}");
        }
    }

    #[test]
    fn a_hundred_names_a_message_and_an_answer_for_each() {
        let one = |n: usize| {
            Arc::new(Instrument {
                market: common::Market::Spot,
                base: format!("B{n}"),
                quote: "USDT".into(),
                asked: format!("B{n}-USDT"),
                heard: String::new(),
                trading: true,
            })
        };
        let steps = Tickers::new("wss://ws.okx.com", (0..150).map(one).collect()).opening(Micros(0)).unwrap();
        assert_eq!((steps.len(), steps[0].say.len(), steps[0].answers), (1, 2, 150));
    }
}
