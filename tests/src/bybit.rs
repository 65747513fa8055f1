//! Bybit V5: the public websocket of spot, and where the others are.

mod answers;
mod frames;
mod private;
mod rest;
mod rows;
mod signed;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

pub use frames::{order_book_frame, ticker_frame};

use crate::fault::{Fault, Limited};
use crate::http::{Reply, Request};
use crate::limiter::Limit;
use crate::options::Times;
use crate::protocol::{Desk, Heard, Protocol, Session, object, strings};
use crate::streams::Streams;
use crate::world::{World, true_now};

const MOST_ARGS: usize = 10;
/// Of all topics of a connection together.
const MOST_CHARACTERS: usize = 21_000;
const STATUS: &str = "system.status";

pub(crate) struct Bybit;

impl Protocol for Bybit {
    fn dials(&self) -> Limit {
        Limit::per_millis(500, 300_000)
    }

    fn connect(&self, world: &World, request: &Request) -> Result<Box<dyn Session>, Reply> {
        match request.path.as_str() {
            "/v5/public/spot" => Ok(Box::new(Public::new(false))),
            "/v5/private" => Ok(Box::new(private::Private::new(world, request))),
            "/v5/public/misc/status" => Ok(Box::new(Public::new(true))),
            _ => Err(Reply::text(404, "")),
        }
    }

    fn rest(&self, world: &World, request: &Request) -> Reply {
        rest::answer(world, request)
    }

    fn is_private(&self, _world: &World, request: &Request) -> bool {
        request.path == "/v5/private" || signed::is_signed(&request.path)
    }

    fn limited(&self, how: Limited) -> Reply {
        match how {
            Limited::Plain => rest::error(10_006, "Too many visits. Exceeded the API Rate Limit.", true_now()),
            Limited::Other => Reply::text(429, "Too Many Requests"),
            Limited::Banned => Reply::text(403, "access too frequent"),
        }
    }
}

/// The topics of one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Channel {
    Tickers,
    OrderBook,
}

impl Channel {
    const ALL: [Self; 2] = [Self::Tickers, Self::OrderBook];

    const fn prefix(self) -> &'static str {
        match self {
            Self::Tickers => "tickers.",
            Self::OrderBook => "orderbook.1.",
        }
    }

    /// The channel and the symbol of a topic.
    fn of(topic: &str) -> Option<(Self, &str)> {
        Self::ALL.into_iter().find_map(|channel| Some((channel, topic.strip_prefix(channel.prefix())?)))
    }
}

impl crate::streams::Channel for Channel {
    fn every(self, times: &Times) -> Duration {
        match self {
            Self::Tickers => times.ticker,
            Self::OrderBook => times.ticker / 5,
        }
    }

    /// The spot ticker holds no book.
    fn only_trades(self) -> bool {
        self == Self::Tickers
    }

    fn repeats(self, times: &Times) -> Option<Duration> {
        (self == Self::OrderBook).then_some(times.book_repeat)
    }
}

struct Public {
    connection: String,
    /// Whether this is the socket for the system status rather than for spot.
    at_status: bool,
    /// The status topic, and whether it last said that there is maintenance.
    status: Option<bool>,
    streams: Streams<Channel>,
    heard: Instant,
}

impl Public {
    fn new(at_status: bool) -> Self {
        let connection = format!("6f0c2b1e-93d4-4a77-8c15-{:012x}", true_now());
        Self { connection, at_status, status: None, streams: Streams::new(), heard: Instant::now() }
    }

    fn request(&mut self, text: &str, desk: &mut Desk<'_>) {
        let request = object(text).unwrap_or_default();
        match request["op"].as_str() {
            // This endpoint's pong does not echo the id.
            Some("ping") => {
                desk.say(json!({"success": true, "ret_msg": "pong", "conn_id": self.connection, "op": "ping"}))
            }
            Some(op @ ("subscribe" | "unsubscribe")) => match strings(&request["args"]) {
                Some(args) if !args.is_empty() => self.subscribe(op, &args, &request["req_id"], desk),
                _ => self.invalid(&request, desk),
            },
            _ => self.invalid(&request, desk),
        }
    }

    fn invalid(&self, request: &Value, desk: &mut Desk<'_>) {
        desk.violation(format!("invalid op {request}"));
        let request = json!({"op": request["op"].as_str().unwrap_or_default(), "args": request["args"]});
        desk.acknowledge(
            json!({"success": false, "ret_msg": "error:invalid op", "conn_id": self.connection, "request": request}),
        );
    }

    /// All topics of a request, or none: one bad one fails them all.
    fn subscribe(&mut self, op: &str, topics: &[&str], id: &Value, desk: &mut Desk<'_>) {
        let problem = self.problem(op == "subscribe", topics, desk);
        let mut answer = json!({"success": problem.is_none(), "ret_msg": problem.as_deref().unwrap_or(op), "conn_id": self.connection, "op": op});
        if !id.is_null() {
            answer["req_id"] = id.clone();
        }
        desk.acknowledge(answer);
        if let Some(problem) = problem {
            return desk.violation(problem);
        }
        for topic in topics {
            match Channel::of(topic) {
                Some((channel, symbol)) if op == "subscribe" => drop(self.streams.add(channel, symbol, 0, desk.now)),
                Some((channel, symbol)) => drop(self.streams.remove(channel, symbol)),
                None => self.status = (op == "subscribe").then_some(false),
            }
        }
    }

    fn problem(&self, on: bool, topics: &[&str], desk: &Desk<'_>) -> Option<String> {
        if topics.len() > MOST_ARGS {
            return Some("args size >10".to_owned());
        }
        let characters = |topics: usize, topic: &str| topics + topic.len();
        let held = self.subscriptions().iter().map(String::as_str).fold(0, characters);
        if topics.iter().copied().fold(held, characters) > MOST_CHARACTERS {
            return Some("error:args length exceeds 21000".to_owned());
        }
        topics.iter().enumerate().find_map(|(at, topic)| match Channel::of(topic) {
            None if self.at_status && *topic == STATUS => None,
            Some((_, symbol)) if !self.at_status && !desk.knows(symbol) => Some(format!("Invalid symbol :[{topic}]")),
            Some((channel, symbol)) if !self.at_status => {
                let again = self.streams.contains(channel, symbol) || topics[..at].contains(topic);
                (on && again).then(|| format!("error:already subscribed,topic:{topic}"))
            }
            _ => Some(format!("error:handler not found,topic:{topic}")),
        })
    }

    fn push_status(&mut self, desk: &mut Desk<'_>) {
        let Some(told) = self.status else { return };
        let maintenance = desk.suffers(&Fault::Maintenance);
        if told != maintenance {
            self.status = Some(maintenance);
            let now = desk.world.now();
            let row = rest::upgrade(now, if maintenance { "ongoing" } else { "completed" });
            desk.say(json!({"topic": STATUS, "ts": now, "data": [row]}));
        }
    }
}

impl Session for Public {
    fn heard(&mut self, frame: Heard<'_>, desk: &mut Desk<'_>) {
        self.heard = desk.now;
        match frame {
            Heard::Text(text) => self.request(text, desk),
            Heard::Binary => self.invalid(&Value::Null, desk),
            Heard::Ping | Heard::Pong(_) => {}
        }
    }

    fn turn(&mut self, desk: &mut Desk<'_>) {
        if desk.now - self.heard >= desk.world.times.idle {
            desk.violation("no ping within the idle time");
            return desk.close(1000, "");
        }
        self.push_status(desk);
        let now = desk.world.now();
        for (channel, quote) in desk.due(&mut self.streams) {
            let (text, entry) = match channel {
                Channel::Tickers => (ticker_frame(&quote, now), frames::ticker_entry(&quote)),
                Channel::OrderBook => (order_book_frame(&quote, now), frames::book_entry(&quote)),
            };
            desk.data(text, &quote.symbol, entry);
        }
    }

    fn subscriptions(&self) -> Vec<String> {
        let status = self.status.map(|_| STATUS.to_owned());
        self.streams.iter().map(|(channel, symbol)| format!("{}{symbol}", channel.prefix())).chain(status).collect()
    }
}
