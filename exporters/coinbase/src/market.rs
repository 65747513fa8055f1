//! Coinbase's public stream: the `ticker` channel, and `heartbeats`, which keep the connection open.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use common::json::Reader;
use common::keys::{Key, idle, key};
use common::{Endpoint, Fault, Feed, Figure, Instrument, Kind, Micros, Query, Signal, Step, Tell, Ticker};
use serde::Deserialize;

/// Products in one message.
const BATCH: usize = 50;
/// How often the turnover is asked for: the stream does not tell it.
const TURNOVER: Duration = Duration::from_secs(60);

pub struct Tickers {
    url: String,
    instruments: Vec<Arc<Instrument>>,
}

impl Tickers {
    pub fn new(base: &str, instruments: Vec<Arc<Instrument>>) -> Self {
        Self { url: base.to_owned(), instruments }
    }
}

/// What every socket of Coinbase demands, but for its address.
pub fn endpoint() -> Endpoint {
    Endpoint {
        url: String::new(),
        // Heartbeats are a channel here, one frame a second.
        heartbeat: None,
        silence: Duration::from_secs(15),
        // 8 messages a second and address; the first must come within 5 s.
        pace: Duration::from_millis(200),
        lifetime: None,
    }
}

impl Feed for Tickers {
    fn endpoint(&self, _ticket: &str) -> Result<Endpoint, Fault> {
        Ok(Endpoint { url: self.url.clone(), ..endpoint() })
    }

    fn opening(&self, _now: Micros) -> Result<Vec<Step>, Fault> {
        let message = |batch: &[Arc<Instrument>]| {
            let ids: Vec<&str> = batch.iter().map(|one| one.asked.as_str()).collect();
            serde_json::json!({ "type": "subscribe", "channel": "ticker", "product_ids": ids }).to_string()
        };
        let mut say: Vec<String> = self.instruments.chunks(BATCH).map(message).collect();
        // Last, so that the ack that names it tells of all products.
        say.push(r#"{"type":"subscribe","channel":"heartbeats"}"#.to_owned());
        let answers = say.len();
        Ok(vec![Step { say, answers }])
    }

    fn decode<'f>(&self, frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        let mut reader = Reader::new(frame);
        let (mut channel, mut at, mut sequence) = ("", None, None);
        let (mut heard, mut later, mut error) = (false, None, false);
        reader.object(FRAME, |part, value| {
            match part {
                Part::Channel => channel = value.text()?,
                Part::Timestamp => at = Micros::of_rfc3339(value.text()?),
                Part::Sequence => sequence = value.whole()?,
                // As it always came: behind the channel and the time.
                Part::Events if at.is_some() && is_ticker(channel) => {
                    heard = true;
                    tickers(value, at, tell)?;
                }
                Part::Events => {
                    later = Some(*value);
                    value.skip()?;
                }
                Part::Type => error = value.text()? == "error",
            }
            Ok(())
        })?;
        reader.end()?;
        if let Some(number) = sequence.and_then(|number| u64::try_from(number).ok()) {
            tell(Signal::Sequence(number).into());
        }
        match (channel, later) {
            _ if heard => Ok(()),
            (_, Some(mut events)) if is_ticker(channel) => tickers(&mut events, at, tell),
            ("heartbeats", _) => Ok(()),
            ("subscriptions", _) => self.subscriptions(frame, tell),
            ("", _) if error => refusal(frame, tell),
            (other, _) => Err(Fault::protocol(format!("unknown channel {:?}", common::excerpt(other)))),
        }
    }

    fn seeds(&self) -> Vec<Query> {
        let ids: Vec<String> = self.instruments.iter().map(|one| format!("&product_ids={}", one.heard)).collect();
        let mut request = super::products();
        request.query.push_str(&ids.concat());
        vec![Query::new("products", request, super::questions::turnover).every(TURNOVER)]
    }
}

impl Tickers {
    /// Every ack lists all that is subscribed; a product that the venue does not know is missing, without a word.
    #[cold]
    fn subscriptions<'f>(&self, frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        let ack: Ack = serde_json::from_str(frame)?;
        let listed: HashMap<String, Vec<String>> =
            ack.events.into_iter().flat_map(|event| event.subscriptions).collect();
        if listed.contains_key("heartbeats") {
            let acked = listed.get("ticker").map(Vec::as_slice).unwrap_or_default();
            let known = |one: &&Arc<Instrument>| acked.iter().any(|id| *id == one.asked || *id == one.heard);
            for one in self.instruments.iter().filter(|one| !known(one)) {
                tell(Signal::Unlisted(one.asked.clone().into()).into());
            }
        }
        tell(Signal::Accepted.into());
        Ok(())
    }
}

fn is_ticker(channel: &str) -> bool {
    matches!(channel, "ticker" | "ticker_batch")
}

/// What a value of a frame is.
#[derive(Clone, Copy)]
enum Part {
    Channel,
    Timestamp,
    Sequence,
    Events,
    Type,
}

const FRAME: &[Key<'_, Part>] = &[
    key("channel", Part::Channel),
    idle("client_id"),
    key("timestamp", Part::Timestamp),
    key("sequence_num", Part::Sequence),
    key("events", Part::Events),
    key("type", Part::Type),
];

/// What a value of an event is.
#[derive(Clone, Copy)]
enum Of {
    Type,
    Tickers,
}

const EVENT: &[Key<'_, Of>] = &[key("type", Of::Type), key("tickers", Of::Tickers)];

const ROW: &[Key<'_, Figure>] = &[
    idle("type").first(),
    key("product_id", Figure::Symbol),
    key("price", Figure::Last),
    key("volume_24_h", Figure::VolumeBase),
    key("low_24_h", Figure::Low),
    key("high_24_h", Figure::High),
    idle("low_52_w"),
    idle("high_52_w"),
    key("price_percent_chg_24_h", Figure::ChangePercent),
    key("best_bid", Figure::Bid),
    key("best_ask", Figure::Ask).last(),
    idle("best_bid_quantity"),
    idle("best_ask_quantity"),
];

fn tickers<'f>(events: &mut Reader<'f>, at: Option<Micros>, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    events.array(|event| {
        let mut snapshot = false;
        event.object(EVENT, |what, value| match what {
            Of::Type => {
                snapshot = value.text()? == "snapshot";
                Ok(())
            }
            // A snapshot says what was so before; only an update is an event of its own.
            Of::Tickers => value.array(|row| ticker(row, at.filter(|_| !snapshot), tell)),
        })
    })
}

fn ticker<'f>(row: &mut Reader<'f>, at: Option<Micros>, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    let mut ticker = Ticker { at, ..Ticker::default() };
    row.object(ROW, |figure, value| ticker.take(figure, value))?;
    // Empty snapshots happen: no product, every figure "".
    if !ticker.symbol.is_empty() {
        tell(ticker.into());
    }
    Ok(())
}

#[derive(Deserialize)]
struct Ack {
    events: Vec<Subscriptions>,
}

#[derive(Deserialize)]
struct Subscriptions {
    #[serde(default)]
    subscriptions: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

#[cold]
fn refusal<'f>(frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    let refusal: Refusal = serde_json::from_str(frame)?;
    // "authentication failure" is also said of an unknown channel, so the text decides nothing.
    tell(
        Signal::Refused(Fault::new(
            Kind::Venue,
            format!("subscription refused: {}", common::excerpt(&refusal.message)),
        ))
        .into(),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::{Market, Said, Update};

    fn feed() -> Tickers {
        let one = |asked: &str, heard: &str| {
            let (base, quote) = asked.split_once('-').unwrap();
            Arc::new(Instrument {
                market: Market::Spot,
                base: base.into(),
                quote: quote.into(),
                asked: asked.into(),
                heard: heard.into(),
                trading: true,
            })
        };
        Tickers::new("wss://x", vec![one("BTC-USDC", "BTC-USD"), one("ETH-USD", "ETH-USD"), one("FOO-USD", "FOO-USD")])
    }

    fn told(frame: &str) -> Result<Vec<Update<'static>>, Fault> {
        let mut told = Vec::new();
        let frame: &'static str = Box::leak(frame.to_owned().into_boxed_str());
        feed().decode(frame, &mut |update| told.push(update)).map(|()| told)
    }

    const UPDATE: &str = r#"{"channel":"ticker","timestamp":"2026-09-05T22:10:31.100000001Z","sequence_num":5,"events":[{"type":"update","tickers":[{"type":"ticker","product_id":"BTC-USD","price":"79914.6","volume_24_h":"14174.4213","low_24_h":"79445","high_24_h":"80206","low_52_w":"57705.8","high_52_w":"126340.3","price_percent_chg_24_h":"0.27","best_bid":"79914.5","best_ask":"79914.6","best_bid_quantity":"0.79","best_ask_quantity":"0.75"}]}]}"#;

    #[test]
    fn an_update_is_dated_and_numbered() {
        let ticker = Ticker {
            symbol: "BTC-USD",
            last: Said::Number(79914.6),
            bid: Said::Number(79914.5),
            ask: Said::Number(79914.6),
            volume_base: Said::Number(14174.4213),
            volume_quote: Said::Silent,
            high: Said::Number(80206.0),
            low: Said::Number(79445.0),
            change: Said::Number(0.27 / 100.0),
            at: Some(Micros(1_788_646_231_100_000)),
        };
        assert_eq!(told(UPDATE), Ok(vec![ticker.into(), Signal::Sequence(5).into()]));
        let late = UPDATE.replacen(r#""channel":"ticker","#, "", 1);
        let late = format!(r#"{},"channel":"ticker"}}"#, late.strip_suffix('}').unwrap());
        assert_eq!(told(&late), Ok(vec![Signal::Sequence(5).into(), ticker.into()]), "in any order");
    }

    #[test]
    fn a_snapshot_dates_nothing_and_an_empty_one_says_nothing() {
        let updates = told(&UPDATE.replace("\"update\"", "\"snapshot\"")).unwrap();
        assert!(matches!(updates.first(), Some(Update::Fact(common::Fact::Ticker(ticker))) if ticker.at.is_none()));
        let empty = r#"{"channel":"ticker","timestamp":"2026-09-05T22:10:31Z","sequence_num":0,"events":[{"type":"snapshot","tickers":[{"type":"ticker","product_id":"","price":"","best_bid":""}]}]}"#;
        assert_eq!(told(empty), Ok(vec![Signal::Sequence(0).into()]));
    }

    #[test]
    fn the_last_ack_tells_which_products_are_unknown() {
        let partial =
            r#"{"channel":"subscriptions","sequence_num":2,"events":[{"subscriptions":{"ticker":["BTC-USD"]}}]}"#;
        assert_eq!(told(partial), Ok(vec![Signal::Sequence(2).into(), Signal::Accepted.into()]));
        let last = r#"{"channel":"subscriptions","sequence_num":3,"events":[{"subscriptions":{"heartbeats":["heartbeats"],"ticker":["BTC-USD","ETH-USD"]}}]}"#;
        assert_eq!(
            told(last),
            Ok(vec![Signal::Sequence(3).into(), Signal::Unlisted("FOO-USD".into()).into(), Signal::Accepted.into()])
        );
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert!(matches!(
            told(r#"{"type":"error","message":"authentication failure"}"#).unwrap().as_slice(),
            [Update::Signal(Signal::Refused(_))]
        ));
        assert_eq!(told(r#"{"channel":"surprise","events":[]}"#).unwrap_err().kind, Kind::Protocol);
        for bad in ["", "[]", r#"{"channel":5}"#, &UPDATE[..300], &UPDATE.replace("\"79914.6\"", "{}")] {
            assert_eq!(told(bad).unwrap_err().kind, Kind::Decode, "{bad}");
        }
    }

    #[test]
    fn the_heartbeats_come_last() {
        let steps = feed().opening(Micros(0)).unwrap();
        assert_eq!((steps[0].say.len(), steps[0].answers), (2, 2));
        assert!(steps[0].say[1].contains("heartbeats"));
        assert!(
            feed().seeds()[0].request.query.ends_with("&product_ids=BTC-USD&product_ids=ETH-USD&product_ids=FOO-USD")
        );
    }
}
