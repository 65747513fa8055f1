//! Binance's public streams: `@ticker` every second, and `@bookTicker` at every change of the best bid or ask.

use std::sync::Arc;
use std::time::Duration;

use common::json::Reader;
use common::keys::{Key, idle, key};
use common::{
    Endpoint, Fault, Feed, Figure, Instrument, Kind, Micros, Query, Request, Said, Signal, Step, Tell, Ticker,
};
use serde::Deserialize;

/// Streams in one message: some 440 failed without a word in 2019, libraries stop at 200.
const BATCH: usize = 100;

pub struct Tickers {
    url: String,
    instruments: Vec<Arc<Instrument>>,
}

impl Tickers {
    pub fn new(base: &str, instruments: Vec<Arc<Instrument>>) -> Self {
        Self { url: format!("{base}/ws"), instruments }
    }
}

/// What every socket of Binance demands, but for its address.
pub fn endpoint() -> Endpoint {
    Endpoint {
        url: String::new(),
        // The server pings every 20 s; the websocket library answers.
        heartbeat: None,
        silence: Duration::from_secs(75),
        // Five messages a second, and our pongs count too.
        pace: Duration::from_millis(250),
        // Every connection is cut after 24 h.
        lifetime: Some(Duration::from_secs(23 * 3600 + 50 * 60)),
    }
}

impl Feed for Tickers {
    fn endpoint(&self, _ticket: &str) -> Result<Endpoint, Fault> {
        Ok(Endpoint { url: self.url.clone(), ..endpoint() })
    }

    fn opening(&self, _now: Micros) -> Result<Vec<Step>, Fault> {
        // Stream names are lower case; an upper-case one is acked and stays silent.
        let names =
            |one: &Arc<Instrument>| ["ticker", "bookTicker"].map(|kind| format!("{}@{kind}", one.asked.to_lowercase()));
        let streams: Vec<String> = self.instruments.iter().flat_map(names).collect();
        let message = |(id, params): (usize, &[String])| {
            serde_json::json!({ "method": "SUBSCRIBE", "params": params, "id": id + 1 }).to_string()
        };
        let say: Vec<String> = streams.chunks(BATCH).enumerate().map(message).collect();
        let answers = say.len();
        Ok(vec![Step { say, answers }])
    }

    fn decode<'f>(&self, frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        let mut reader = Reader::new(frame);
        // Streams of all symbols send lists.
        let known = if frame.starts_with('[') {
            reader.array(|one| event(one, Wrapping::May, tell).map(|_| ())).map(|()| true)?
        } else {
            event(&mut reader, Wrapping::May, tell)?
        };
        reader.end()?;
        if known { Ok(()) } else { control(frame, tell) }
    }

    /// The streams send nothing until something changes, which for a quiet symbol takes minutes.
    fn seeds(&self) -> Vec<Query> {
        let symbols: Vec<&str> = self.instruments.iter().map(|one| one.asked.as_str()).collect();
        let (query, weight) = match symbols.len() {
            0 => return Vec::new(),
            count @ 1..=100 => (format!("symbols={}", encoded(&symbols)), if count <= 20 { 2 } else { 40 }),
            _ => (String::new(), 80),
        };
        let request = Request::get("/api/v3/ticker/24hr").query(query).weight(weight);
        vec![Query::new("ticker_24h", request, super::questions::tickers)]
    }
}

/// A JSON list, percent-encoded.
fn encoded(symbols: &[&str]) -> String {
    crate::auth::escaped(&serde_json::json!(symbols).to_string())
}

/// Whether an event may be wrapped: once, however often a frame says `data`.
#[derive(PartialEq)]
enum Wrapping {
    May,
    MustNot,
}

/// What a value of an event is.
#[derive(Clone, Copy)]
enum Part {
    Of(Figure),
    Kind,
    Wrapped,
}
use Figure::{Ask, At, Bid, ChangePercent, High, Last, Low, Symbol, VolumeBase, VolumeQuote};
use Part::{Kind as EventKind, Of, Wrapped};

/// As a book ticker has them, a 24 h ticker, and a wrapping.
const KEYS: &[Key<'_, Part>] = &[
    idle("u").first(),
    key("s", Of(Symbol)),
    key("b", Of(Bid)),
    idle("B"),
    key("a", Of(Ask)).last(),
    idle("A"),
    key("e", EventKind).first(),
    key("E", Of(At)),
    key("s", Of(Symbol)),
    idle("p"),
    key("P", Of(ChangePercent)),
    idle("w"),
    idle("x"),
    key("c", Of(Last)),
    idle("Q"),
    key("b", Of(Bid)),
    idle("B"),
    key("a", Of(Ask)),
    idle("A"),
    idle("o"),
    key("h", Of(High)),
    key("l", Of(Low)),
    key("v", Of(VolumeBase)),
    key("q", Of(VolumeQuote)).last(),
    idle("O"),
    idle("C"),
    idle("F"),
    idle("L"),
    idle("n"),
    idle("stream"),
    key("data", Wrapped),
];

/// One event, bare or wrapped as `{"stream":…,"data":{…}}`; false where it is none.
fn event<'f>(reader: &mut Reader<'f>, wrapping: Wrapping, tell: Tell<'_, 'f>) -> Result<bool, Fault> {
    let mut ticker = Ticker::default();
    let mut kind = "";
    let mut wrapped = None;
    reader.object(KEYS, |part, value| match part {
        Of(figure) => ticker.take(figure, value),
        EventKind => {
            kind = value.text()?;
            Ok(())
        }
        Wrapped if wrapping == Wrapping::May => {
            wrapped = Some(event(value, Wrapping::MustNot, tell)?);
            Ok(())
        }
        Wrapped => value.skip(),
    })?;
    match kind {
        // Book tickers name no kind.
        "" | "24hrTicker" | "24hrMiniTicker" if !ticker.symbol.is_empty() => tell(untraded(ticker).into()),
        "serverShutdown" => tell(Signal::Leaving.into()),
        _ => return Ok(wrapped.unwrap_or(false)),
    }
    Ok(true)
}

/// Without a trade there is no change either, though the venue says 0.
pub fn untraded(ticker: Ticker<'_>) -> Ticker<'_> {
    if ticker.last == Said::Nothing { Ticker { change: Said::Nothing, ..ticker } } else { ticker }
}

/// An answer: `result` on success, even `null`; errors are documented flat and were seen nested.
#[derive(Deserialize)]
struct Answer {
    id: Option<serde_json::Value>,
    code: Option<i64>,
    #[serde(default)]
    msg: String,
    error: Option<Refusal>,
    e: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    msg: String,
}

#[cold]
fn control<'f>(frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    let answer: Answer = serde_json::from_str(frame)?;
    let refusal = answer.error.map(|error| (error.code, error.msg)).or(answer.code.map(|code| (code, answer.msg)));
    if let Some((code, message)) = refusal {
        let detail = format!("subscription refused: {code} {}", common::excerpt(&message));
        tell(Signal::Refused(Fault::new(Kind::Venue, detail)).into());
        return Ok(());
    }
    match (answer.e, answer.id) {
        (Some(event), _) => Err(Fault::protocol(format!("unknown event {}", common::excerpt(&event)))),
        (None, Some(_)) => {
            tell(Signal::Accepted.into());
            Ok(())
        }
        (None, None) => Err(Fault::protocol("neither an event nor an answer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::{Market, Update};

    fn feed(count: usize) -> Tickers {
        let one = |n: usize| Instrument {
            market: Market::Spot,
            base: format!("B{n}"),
            quote: "Q".into(),
            asked: format!("B{n}Q"),
            heard: format!("B{n}Q"),
            trading: true,
        };
        Tickers::new("", (0..count).map(|n| Arc::new(one(n))).collect())
    }

    fn told(frame: &str) -> Result<Vec<Update<'_>>, Fault> {
        let mut told = Vec::new();
        feed(0).decode(frame, &mut |update| told.push(update)).map(|()| told)
    }

    const BOOK: Ticker<'static> = Ticker {
        symbol: "BTCUSDT",
        bid: Said::Number(90787.69),
        ask: Said::Number(90787.7),
        last: Said::Silent,
        volume_base: Said::Silent,
        volume_quote: Said::Silent,
        high: Said::Silent,
        low: Said::Silent,
        change: Said::Silent,
        at: None,
    };

    #[test]
    fn a_ticker_and_a_book_ticker() {
        let frame = r#"{"e":"24hrTicker","E":1795168800017,"s":"BTCUSDT","p":"-512.31000000","P":"-0.561","w":"90980.11230000","x":"91300.01000000","c":"90787.70000000","Q":"0.00120000","b":"90787.69000000","B":"1.20410000","a":"90787.70000000","A":"4.05120000","o":"91300.01000000","h":"92011.00000000","l":"89900.00000000","v":"21345.12300000","q":"1942004411.87120000","O":1795082399998,"C":1795168799998,"F":5412300100,"L":5414400200,"n":2100101}"#;
        let ticker = Ticker {
            last: Said::Number(90787.7),
            volume_base: Said::Number(21345.123),
            volume_quote: Said::Number(1942004411.8712),
            high: Said::Number(92011.0),
            low: Said::Number(89900.0),
            change: Said::Number(-0.561 / 100.0),
            at: Some(Micros::from_millis(1_795_168_800_017)),
            ..BOOK
        };
        assert_eq!(told(frame), Ok(vec![ticker.into()]));
        let book = r#"{"u":84012345678,"s":"BTCUSDT","b":"90787.69000000","B":"1.20410000","a":"90787.70000000","A":"4.05120000"}"#;
        assert_eq!(told(book), Ok(vec![BOOK.into()]));
        let wrapped = format!(r#"{{"stream":"btcusdt@bookTicker","data":{book}}}"#);
        assert_eq!(told(&wrapped), Ok(vec![BOOK.into()]));
        assert_eq!(told(&format!("[{book},{book}]")), Ok(vec![BOOK.into(), BOOK.into()]));
    }

    #[test]
    fn nesting_costs_no_stack() {
        let deep = "{\"data\":".repeat(400_000) + "1" + &"}".repeat(400_000);
        assert!(told(&deep).is_err());
    }

    #[test]
    fn a_missing_side_is_nothing() {
        let updates = told(r#"{"u":1,"s":"BTCUSDT","b":"0.00000000","B":"0.0","a":"1.5","A":"1.0"}"#).unwrap();
        let [Update::Fact(common::Fact::Ticker(ticker))] = updates.as_slice() else { unreachable!("one ticker") };
        assert_eq!((ticker.bid, ticker.ask), (Said::Nothing, Said::Number(1.5)));
    }

    #[test]
    fn the_three_farewells_and_both_refusals() {
        for frame in [
            r#"{"e":"serverShutdown","E":1770123456789}"#,
            r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}"#,
        ] {
            assert_eq!(told(frame), Ok(vec![Signal::Leaving.into()]));
        }
        assert_eq!(told(r#"{"result":null,"id":1}"#), Ok(vec![Signal::Accepted.into()]));
        for frame in [
            r#"{"code":2,"msg":"Invalid request: unknown variant `SUB`","id":1}"#,
            r#"{"error":{"code":2,"msg":"Invalid request: invalid stream"},"id":2}"#,
        ] {
            assert!(matches!(told(frame).unwrap().as_slice(), [Update::Signal(Signal::Refused(_))]));
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert_eq!(told(r#"{"e":"surprise","s":"BTCUSDT"}"#).unwrap_err().kind, Kind::Protocol);
        assert_eq!(told("{}").unwrap_err().kind, Kind::Protocol);
        for bad in ["", "5", r#"{"s":null}"#, r#"{"s":"A","b":[]}"#, r#"{"s":"A","b":"1.0""#, r#"{"s":"A","b":"x"}"#] {
            assert_eq!(told(bad).unwrap_err().kind, Kind::Decode, "{bad}");
        }
    }

    #[test]
    fn a_full_line_stays_within_the_limits() {
        let steps = feed(500).opening(Micros(0)).unwrap();
        assert_eq!((steps[0].say.len(), steps[0].answers), (10, 10));
        assert!(steps[0].say[0].contains(r#""b0q@ticker","b0q@bookTicker""#));
        assert_eq!(feed(2).seeds()[0].request.query, "symbols=%5B%22B0Q%22%2C%22B1Q%22%5D");
        assert_eq!([1, 21, 101].map(|count| feed(count).seeds()[0].request.weight), [2, 40, 80]);
    }
}
