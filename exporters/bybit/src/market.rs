//! Bybit's public spot stream: `tickers` for last and 24 h figures, `orderbook.1` for bid and ask, which it lacks.

use std::sync::Arc;
use std::time::Duration;

use common::json::Reader;
use common::keys::{Key, idle, key};
use common::{Endpoint, Fault, Feed, Figure, Heartbeat, Instrument, Kind, Micros, Signal, Step, Tell, Ticker};
use serde::Deserialize;

pub struct Tickers {
    url: String,
    instruments: Vec<Arc<Instrument>>,
}

impl Tickers {
    pub fn new(base: &str, instruments: Vec<Arc<Instrument>>) -> Self {
        Self { url: format!("{base}/v5/public/spot"), instruments }
    }
}

/// The same on public and private lines.
pub fn heartbeat() -> Heartbeat {
    Heartbeat {
        say: r#"{"req_id":"ping","op":"ping"}"#.into(),
        every: Duration::from_secs(20),
        within: Duration::from_secs(10),
    }
}

impl Feed for Tickers {
    fn endpoint(&self, _ticket: &str) -> Result<Endpoint, Fault> {
        Ok(Endpoint {
            url: self.url.clone(),
            heartbeat: Some(heartbeat()),
            silence: Duration::from_secs(45),
            // No rate is documented; bursts of 200 were seen to work.
            pace: Duration::from_millis(50),
            lifetime: None,
        })
    }

    /// One bad topic drops the whole request, so every symbol has a request of its own, and its name is the id.
    fn opening(&self, _now: Micros) -> Result<Vec<Step>, Fault> {
        let message = |one: &Arc<Instrument>| {
            let args = [format!("orderbook.1.{}", one.asked), format!("tickers.{}", one.asked)];
            serde_json::json!({ "req_id": one.asked, "op": "subscribe", "args": args }).to_string()
        };
        let say: Vec<String> = self.instruments.iter().map(message).collect();
        let answers = say.len();
        Ok(vec![Step { say, answers }])
    }

    fn decode<'f>(&self, frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        let mut reader = Reader::new(frame);
        let mut ticker = Ticker::default();
        let (mut topic, mut answer) = ("", false);
        reader.object(FRAME, |part, value| match part {
            Part::Topic => {
                topic = value.text()?;
                Ok(())
            }
            Part::At => ticker.take(Figure::At, value),
            // Both channels name their fields apart, so the topic need not come first.
            Part::Data if !answer => figures(value, &mut ticker),
            Part::Data => value.skip(),
            Part::Answer => {
                answer = true;
                value.skip()
            }
        })?;
        reader.end()?;
        if answer {
            return control(frame, tell);
        }
        if !(topic.starts_with("tickers.") || topic.starts_with("orderbook.1.")) {
            return Err(Fault::protocol(format!("unknown topic {:?}", common::excerpt(topic))));
        }
        if ticker.symbol.is_empty() {
            return Err(Fault::decode("data without a symbol"));
        }
        tell(ticker.into());
        Ok(())
    }
}

/// What a value of a frame is.
#[derive(Clone, Copy)]
enum Part {
    Topic,
    At,
    Data,
    Answer,
}

/// As a book has them, a ticker, and an answer.
const FRAME: &[Key<'_, Part>] = &[
    key("topic", Part::Topic),
    idle("type"),
    key("ts", Part::At),
    key("data", Part::Data),
    idle("cts"),
    key("topic", Part::Topic),
    key("ts", Part::At),
    idle("type"),
    idle("cs"),
    key("data", Part::Data),
    key("success", Part::Answer),
    key("op", Part::Answer),
];

/// What a figure is.
#[derive(Clone, Copy)]
enum Of {
    Row(Figure),
    Bids,
    Asks,
}

/// As a book has them, a ticker, and behind it what contracts have, which carry their bid and ask in the ticker.
const FIGURES: &[Key<'_, Of>] = &[
    key("s", Of::Row(Figure::Symbol)).first(),
    key("b", Of::Bids),
    key("a", Of::Asks).last(),
    idle("u"),
    idle("seq"),
    key("symbol", Of::Row(Figure::Symbol)).first(),
    key("lastPrice", Of::Row(Figure::Last)),
    key("highPrice24h", Of::Row(Figure::High)),
    key("lowPrice24h", Of::Row(Figure::Low)),
    idle("prevPrice24h"),
    key("volume24h", Of::Row(Figure::VolumeBase)),
    key("turnover24h", Of::Row(Figure::VolumeQuote)),
    key("price24hPcnt", Of::Row(Figure::Change)),
    idle("usdIndexPrice"),
    key("bid1Price", Of::Row(Figure::Bid)),
    key("ask1Price", Of::Row(Figure::Ask)),
];

fn figures<'f>(data: &mut Reader<'f>, ticker: &mut Ticker<'f>) -> Result<(), Fault> {
    data.object(FIGURES, |what, value| {
        match what {
            Of::Row(figure) => ticker.take(figure, value)?,
            Of::Bids => ticker.bid = value.top()?,
            Of::Asks => ticker.ask = value.top()?,
        }
        Ok(())
    })
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    op: String,
    success: Option<bool>,
    #[serde(default)]
    ret_msg: String,
    #[serde(default)]
    req_id: String,
}

/// Answers to pings come in three shapes.
#[cold]
fn control<'f>(frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    let answer: Answer = serde_json::from_str(frame)?;
    match (answer.op.as_str(), answer.success) {
        ("pong", _) => tell(Signal::Pong.into()),
        ("ping", _) if answer.ret_msg == "pong" => tell(Signal::Pong.into()),
        ("subscribe", Some(true)) => tell(Signal::Accepted.into()),
        ("subscribe", _) => {
            // Texts vary: "Invalid symbol :[tickers.NOPE]", "error:handler not found,topic:tickers.NOPE".
            let unknown = ["Invalid symbol", "handler not found", "Invalid topic"]
                .iter()
                .any(|text| answer.ret_msg.contains(text));
            if unknown && !answer.req_id.is_empty() {
                tell(Signal::Unlisted(answer.req_id.into()).into());
            }
            let detail = format!("subscription refused: {}", common::excerpt(&answer.ret_msg));
            tell(Signal::Refused(Fault::new(Kind::Venue, detail)).into());
        }
        ("unsubscribe", _) => {}
        (other, _) => return Err(Fault::protocol(format!("unknown answer {:?}", common::excerpt(other)))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::{Said, Update};

    fn told(frame: &str) -> Result<Vec<Update<'_>>, Fault> {
        let mut told = Vec::new();
        Tickers::new("", vec![]).decode(frame, &mut |update| told.push(update)).map(|()| told)
    }

    const TICKER: &str = r#"{"topic":"tickers.BTCUSDT","ts":1763600000050,"type":"snapshot","cs":24987956059,"data":{"symbol":"BTCUSDT","lastPrice":"91234.1","highPrice24h":"92500","lowPrice24h":"90010.2","prevPrice24h":"90800","volume24h":"8123.456789","turnover24h":"741234567.12","price24hPcnt":"0.0048","usdIndexPrice":""}}"#;

    #[test]
    fn a_ticker_without_a_book_and_a_book_without_a_ticker() {
        let at = Some(Micros::from_millis(1_763_600_000_050));
        let ticker = Ticker {
            symbol: "BTCUSDT",
            last: Said::Number(91234.1),
            volume_base: Said::Number(8123.456789),
            volume_quote: Said::Number(741234567.12),
            high: Said::Number(92500.0),
            low: Said::Number(90010.2),
            change: Said::Number(0.0048),
            at,
            ..Ticker::default()
        };
        assert_eq!(told(TICKER), Ok(vec![ticker.into()]));
        let book = r#"{"topic":"orderbook.1.BTCUSDT","type":"snapshot","data":{"s":"BTCUSDT","b":[["91234.0","0.52"]],"a":[],"u":77123456,"seq":98877665544},"ts":1763600000050,"cts":1763600000007}"#;
        let sides =
            Ticker { symbol: "BTCUSDT", bid: Said::Number(91234.0), ask: Said::Nothing, at, ..Ticker::default() };
        assert_eq!(told(book), Ok(vec![sides.into()]));
    }

    #[test]
    fn a_delta_says_nothing_of_what_it_leaves_out() {
        let frame = r#"{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","bid1Price":"91240.00"},"cs":1,"ts":1763600000200}"#;
        let at = Some(Micros::from_millis(1_763_600_000_200));
        assert_eq!(
            told(frame),
            Ok(vec![Ticker { symbol: "BTCUSDT", bid: Said::Number(91240.0), at, ..Ticker::default() }.into()])
        );
    }

    #[test]
    fn every_shape_of_pong() {
        for frame in [
            r#"{"success":true,"ret_msg":"pong","conn_id":"6f0c","op":"ping"}"#,
            r#"{"success":true,"ret_msg":"pong","conn_id":"b81e","req_id":"","op":"ping"}"#,
            r#"{"args":["1763600000000"],"op":"pong"}"#,
            r#"{"req_id":"p-1","op":"pong","args":["1763600000000"],"conn_id":"d4m1"}"#,
        ] {
            assert_eq!(told(frame), Ok(vec![Signal::Pong.into()]), "{frame}");
        }
    }

    #[test]
    fn a_refusal_is_of_the_symbol_that_asked() {
        assert_eq!(
            told(r#"{"success":true,"ret_msg":"subscribe","conn_id":"6","req_id":"BTCUSDT","op":"subscribe"}"#),
            Ok(vec![Signal::Accepted.into()])
        );
        let updates = told(r#"{"success":false,"ret_msg":"Invalid symbol :[tickers.NOPEUSDT]","conn_id":"6","req_id":"NOPEUSDT","op":"subscribe"}"#).unwrap();
        assert_eq!(updates[0], Signal::Unlisted("NOPEUSDT".into()).into());
        assert!(matches!(&updates[1], Update::Signal(Signal::Refused(_))));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert_eq!(told(r#"{"topic":"surprise.X","data":{"symbol":"X"}}"#).unwrap_err().kind, Kind::Protocol);
        assert_eq!(told(r#"{"op":"dance"}"#).unwrap_err().kind, Kind::Protocol);
        for bad in
            ["", "null", &TICKER[..200], &TICKER.replace("\"91234.1\"", "true"), r#"{"topic":"tickers.X","data":{}}"#]
        {
            assert_eq!(told(bad).unwrap_err().kind, Kind::Decode, "{bad}");
        }
    }

    #[test]
    fn a_request_a_symbol() {
        let one = Arc::new(Instrument {
            market: common::Market::Spot,
            base: "BTC".into(),
            quote: "USDT".into(),
            asked: "BTCUSDT".into(),
            heard: "BTCUSDT".into(),
            trading: true,
        });
        let steps = Tickers::new("", vec![one]).opening(Micros(0)).unwrap();
        assert_eq!(steps[0].answers, 1);
        assert!(steps[0].say[0].contains(r#""args":["orderbook.1.BTCUSDT","tickers.BTCUSDT"]"#));
    }
}
