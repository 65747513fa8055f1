//! KuCoin's public stream: `/market/ticker` for last, bid and ask ten times a second, `/market/snapshot` for the 24 h
//! figures every two seconds. Both behind a token that every dial needs afresh.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use common::json::Reader;
use common::keys::{Key, idle, key};
use common::{
    Endpoint, Fault, Feed, Figure, Heartbeat, Instrument, Kind, Micros, Query, Request, Signal, Step, Tell, Ticker,
};
use serde::Deserialize;

use crate::questions::Data;

/// Symbols in one message; more is refused with 509.
const BATCH: usize = 100;
/// A ticket that leaves longer between two pings, or for their answer, would leave a dead line unnoticed.
const LONGEST_PING: Duration = Duration::from_secs(60);
const TICKER_TOPIC: &str = "/market/ticker:";
const SNAPSHOT_TOPIC: &str = "/market/snapshot:";

pub struct Tickers {
    /// Where to dial instead of where the ticket says.
    base: Option<String>,
    instruments: Vec<Arc<Instrument>>,
}

impl Tickers {
    pub fn new(base: Option<String>, instruments: Vec<Arc<Instrument>>) -> Self {
        Self { base, instruments }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ticket {
    token: String,
    instance_servers: Vec<Server>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Server {
    endpoint: String,
    ping_interval: u64,
    ping_timeout: u64,
}

/// Where a ticket leads, or where the user does; the same for public and private lines.
pub fn endpoint(ticket: &str, given: Option<&str>) -> Result<Endpoint, Fault> {
    let ticket: Data<Ticket> = serde_json::from_str(ticket)?;
    let Ticket { token, instance_servers } = ticket.data;
    let server = instance_servers.first().ok_or_else(|| Fault::protocol("the ticket names no server"))?;
    // Another host serves the venue's paths: the futures may have one of their own.
    let base = match (given, url::Url::parse(&server.endpoint)) {
        (Some(given), Ok(told)) => format!("{given}{}", told.path()),
        (given, _) => given.unwrap_or(&server.endpoint).to_owned(),
    };
    let base = base.trim_end_matches('/');
    let encoded: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
    // Any id will do that no other connection has; so has no other connection this token.
    let mut hasher = DefaultHasher::new();
    token.hash(&mut hasher);
    let interval = Duration::from_millis(server.ping_interval).min(LONGEST_PING);
    let timeout = Duration::from_millis(server.ping_timeout).min(LONGEST_PING);
    Ok(Endpoint {
        url: format!("{base}/?token={encoded}&connectId={:016x}", hasher.finish()),
        heartbeat: Some(Heartbeat {
            say: r#"{"id":"ping","type":"ping"}"#.into(),
            every: interval / 2,
            within: timeout,
        }),
        silence: interval + timeout,
        // 100 messages in 10 s, pings included.
        pace: Duration::from_millis(150),
        // Token and connection end after 24 h.
        lifetime: Some(Duration::from_secs(23 * 3600)),
    })
}

impl Feed for Tickers {
    fn ticket(&self) -> Option<Request> {
        Some(Request::post("/api/v1/bullet-public").weight(10))
    }

    fn endpoint(&self, ticket: &str) -> Result<Endpoint, Fault> {
        endpoint(ticket, self.base.as_deref())
    }

    fn opening(&self, _now: Micros) -> Result<Vec<Step>, Fault> {
        let names: Vec<&str> = self.instruments.iter().map(|one| one.asked.as_str()).collect();
        let subscribe = |topic: &str, batch: &[&str]| {
            let id = format!("{topic}{}", batch.first().unwrap_or(&""));
            let topic = format!("{topic}{}", batch.join(","));
            serde_json::json!({ "id": id, "type": "subscribe", "topic": topic, "privateChannel": false, "response": true })
                .to_string()
        };
        let both = |batch: &[&str]| [SNAPSHOT_TOPIC, TICKER_TOPIC].map(|topic| subscribe(topic, batch));
        let say: Vec<String> = names.chunks(BATCH).flat_map(both).collect();
        let answers = say.len();
        // Nothing may be said before the welcome.
        Ok(vec![Step { say: Vec::new(), answers: 1 }, Step { say, answers }])
    }

    fn decode<'f>(&self, frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        let mut reader = Reader::new(frame);
        let mut ticker = Ticker::default();
        let (mut kind, mut topic, mut subject, mut later) = ("", "", "", None);
        reader.object(FRAME, |part, value| {
            match part {
                Part::Type => kind = value.text()?,
                Part::Topic => topic = value.text()?,
                Part::Subject => subject = value.text()?,
                // As it always came: behind the type and the topic.
                Part::Data if kind == "message" && !topic.is_empty() => figures(topic, value, &mut ticker)?,
                // Errors put a sentence here.
                Part::Data => {
                    later = Some(*value);
                    value.skip()?;
                }
            }
            Ok(())
        })?;
        reader.end()?;
        match (kind, later) {
            ("message", later) => {
                if let Some(mut data) = later {
                    figures(topic, &mut data, &mut ticker)?;
                }
                // The topic of all symbols names them in the subject.
                if ticker.symbol == "all" {
                    ticker.symbol = subject;
                }
                if ticker.symbol.is_empty() {
                    return Err(Fault::decode("a message without a symbol"));
                }
                tell(ticker.into());
                Ok(())
            }
            ("welcome" | "ack", _) => {
                tell(Signal::Accepted.into());
                Ok(())
            }
            ("pong", _) => {
                tell(Signal::Pong.into());
                Ok(())
            }
            ("error", _) => refusal(frame, tell),
            ("notice" | "command", _) => Ok(()),
            (other, _) => Err(Fault::protocol(format!("unknown type {:?}", common::excerpt(other)))),
        }
    }

    /// The streams send nothing until something changes.
    fn seeds(&self) -> Vec<Query> {
        vec![super::all_tickers()]
    }
}

/// What a value of a frame is.
#[derive(Clone, Copy)]
enum Part {
    Type,
    Topic,
    Subject,
    Data,
}

const FRAME: &[Key<'_, Part>] = &[
    key("topic", Part::Topic),
    key("type", Part::Type),
    key("subject", Part::Subject),
    key("data", Part::Data),
    idle("id"),
];

/// `time` is the last trade's, not this event's, and can be hours old on a quiet pair: it dates nothing.
const QUOTE: &[Key<'_, Figure>] = &[
    key("bestAsk", Figure::Ask).first(),
    idle("bestAskSize"),
    key("bestBid", Figure::Bid),
    idle("bestBidSize"),
    key("price", Figure::Last).last(),
    idle("sequence"),
    idle("size"),
    idle("time"),
];

/// A snapshot's figures are nested twice.
const SNAPSHOT: &[Key<'_, ()>] = &[idle("sequence"), key("data", ())];

/// Behind them are fees and the same figures of other times.
const FIGURES: &[Key<'_, Figure>] = &[
    key("symbol", Figure::Symbol).first(),
    idle("symbolCode"),
    idle("baseCurrency"),
    idle("quoteCurrency"),
    idle("market"),
    idle("markets"),
    idle("trading"),
    key("buy", Figure::Bid),
    idle("bidSize"),
    key("sell", Figure::Ask),
    idle("askSize"),
    key("lastTradedPrice", Figure::Last),
    idle("lastSize"),
    idle("close"),
    idle("open"),
    key("high", Figure::High),
    key("low", Figure::Low),
    idle("changePrice"),
    key("changeRate", Figure::Change),
    idle("averagePrice"),
    key("vol", Figure::VolumeBase),
    key("volValue", Figure::VolumeQuote),
    key("datetime", Figure::At).last(),
];

/// The figures of a message, whichever topic it is of.
fn figures<'f>(topic: &'f str, data: &mut Reader<'f>, ticker: &mut Ticker<'f>) -> Result<(), Fault> {
    if let Some(symbol) = topic.strip_prefix(TICKER_TOPIC) {
        ticker.symbol = symbol;
        data.object(QUOTE, |figure, value| ticker.take(figure, value))
    } else if topic.starts_with(SNAPSHOT_TOPIC) {
        snapshot(data, ticker)
    } else {
        Err(Fault::protocol(format!("unknown topic {}", common::excerpt(topic))))
    }
}

fn snapshot<'f>(data: &mut Reader<'f>, ticker: &mut Ticker<'f>) -> Result<(), Fault> {
    let mut found = false;
    data.object(SNAPSHOT, |(), value| {
        found = true;
        value.object(FIGURES, |figure, value| ticker.take(figure, value))
    })?;
    if found { Ok(()) } else { Err(Fault::decode("a snapshot without figures")) }
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    data: String,
}

#[cold]
fn refusal<'f>(frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    let refusal: Refusal = serde_json::from_str(frame)?;
    // 401 is about the token, and the next dial asks for another one.
    let kind = if refusal.code == 509 { Kind::RateLimit } else { Kind::Venue };
    if let Some(name) = refusal.data.strip_prefix("topic ").and_then(|rest| rest.strip_suffix(" does not exist")) {
        let symbol = name.rsplit(':').next().unwrap_or(name);
        tell(Signal::Unlisted(symbol.to_owned().into()).into());
    }
    let detail = format!("{} {}", refusal.code, common::excerpt(&refusal.data));
    tell(Signal::Refused(Fault::new(kind, detail)).into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::{Said, Update};

    fn told(frame: &str) -> Result<Vec<Update<'_>>, Fault> {
        let mut told = Vec::new();
        Tickers::new(None, vec![]).decode(frame, &mut |update| told.push(update)).map(|()| told)
    }

    const QUOTE: &str = r#"{"topic":"/market/ticker:ETH-USDT","type":"message","subject":"trade.ticker","data":{"bestAsk":"2667.61","bestAskSize":"10.59","bestBid":"2667.6","bestBidSize":"0.8915","price":"2667.64","sequence":"23242050174","size":"0.002","time":1790984011673}}"#;

    #[test]
    fn a_quote_takes_its_symbol_from_the_topic_and_dates_nothing() {
        let (last, bid, ask) = (Said::Number(2667.64), Said::Number(2667.6), Said::Number(2667.61));
        let ticker = Ticker { symbol: "ETH-USDT", last, bid, ask, ..Ticker::default() };
        assert_eq!(told(QUOTE), Ok(vec![ticker.into()]));
        let all = QUOTE.replace("ticker:ETH-USDT", "ticker:all").replace("trade.ticker", "ETH-USDT");
        assert_eq!(told(&all), Ok(vec![ticker.into()]));
        let (head, data) = QUOTE.rsplit_once(",\"data\":").unwrap();
        let data_first = format!("{{\"data\":{},{}}}", data.strip_suffix('}').unwrap(), &head[1..]);
        assert_eq!(told(&data_first), Ok(vec![ticker.into()]), "{data_first}");
    }

    #[test]
    fn a_snapshot_is_nested_twice_and_buy_is_the_bid() {
        let frame = r#"{"topic":"/market/snapshot:BTC-USDT","type":"message","subject":"trade.snapshot","data":{"sequence":"14691517895","data":{"symbol":"BTC-USDT","markets":["USDS","PoW"],"trading":true,"buy":97158.1,"sell":null,"lastTradedPrice":97158.1,"close":97158.1,"high":97611.80000000000000000000,"low":95257.10000000000000000000,"changeRate":0.0033,"vol":2227.69895852000000000000,"volValue":215972941.07857507300000000000,"datetime":1790984010011,"marketChange1h":{"high":1,"vol":2}}}}"#;
        let ticker = Ticker {
            symbol: "BTC-USDT",
            last: Said::Number(97158.1),
            bid: Said::Number(97158.1),
            ask: Said::Nothing,
            volume_base: Said::Number(2227.69895852),
            volume_quote: Said::Number(215_972_941.078_575_07),
            high: Said::Number(97611.8),
            low: Said::Number(95257.1),
            change: Said::Number(0.0033),
            at: Some(Micros::from_millis(1_790_984_010_011)),
        };
        assert_eq!(told(frame), Ok(vec![ticker.into()]));
    }

    #[test]
    fn answers() {
        assert_eq!(told(r#"{"id":"x","type":"welcome"}"#), Ok(vec![Signal::Accepted.into()]));
        assert_eq!(told(r#"{"id":"7","type":"ack"}"#), Ok(vec![Signal::Accepted.into()]));
        assert_eq!(told(r#"{"id":"p","type":"pong","timestamp":1790113097236506}"#), Ok(vec![Signal::Pong.into()]));
        let updates = told(r#"{"id":"7","type":"error","code":404,"data":"topic BTC-\"USDT does not exist"}"#).unwrap();
        assert!(
            matches!(&updates[..], [Update::Signal(Signal::Unlisted(_)), Update::Signal(Signal::Refused(fault))] if fault.kind == Kind::Venue)
        );
        let limited = told(r#"{"type":"error","code":509,"data":"exceed max permits per second"}"#).unwrap();
        assert!(matches!(&limited[..], [Update::Signal(Signal::Refused(fault))] if fault.kind == Kind::RateLimit));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert_eq!(told(r#"{"type":"surprise"}"#).unwrap_err().kind, Kind::Protocol);
        assert_eq!(told(r#"{"type":"message","topic":"/other:X","data":{}}"#).unwrap_err().kind, Kind::Protocol);
        for bad in [
            "",
            "[]",
            &QUOTE[..150],
            &QUOTE.replace("\"2667.6\"", "[]"),
            r#"{"type":null}"#,
            r#"{"type":"message","topic":"/market/snapshot:X","data":{}}"#,
        ] {
            assert_eq!(told(bad).unwrap_err().kind, Kind::Decode, "{bad}");
        }
    }

    #[test]
    fn the_ticket_tells_where_to_dial_unless_the_user_does() {
        let ticket = r#"{"code":"200000","data":{"token":"a+b/c==","instanceServers":[{"endpoint":"wss://ws-api-spot.kucoin.com/","encrypt":true,"protocol":"websocket","pingInterval":18000,"pingTimeout":10000}]}}"#;
        let endpoint = Tickers::new(None, vec![]).endpoint(ticket).unwrap();
        assert!(
            endpoint.url.starts_with("wss://ws-api-spot.kucoin.com/?token=a%2Bb%2Fc%3D%3D&connectId="),
            "{}",
            endpoint.url
        );
        assert_eq!(endpoint.heartbeat.unwrap().every, Duration::from_secs(9));
        let never = ticket.replace("18000", &u64::MAX.to_string());
        assert_eq!(Tickers::new(None, vec![]).endpoint(&never).unwrap().silence, Duration::from_secs(70));
        let given = Tickers::new(Some("ws://127.0.0.1:9".into()), vec![]).endpoint(ticket).unwrap();
        assert!(given.url.starts_with("ws://127.0.0.1:9/?token="));
    }
}
