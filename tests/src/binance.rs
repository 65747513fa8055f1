//! Binance: the market streams of spot.

mod events;
mod frames;
mod futures;
mod futures_events;
mod listen;
mod pings;
mod private;
mod rest;
mod signed;
mod spot;
mod wallet;
mod weights;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

pub use frames::{book_ticker_frame, mini_ticker_frame, ticker_frame};
pub(crate) use listen::ListenKeys;

use listen::Listener;
use pings::Pings;
use private::Api;

use crate::fault::{Fault, Limited};
use crate::http::{Reply, Request};
use crate::limiter::{Limit, Tally};
use crate::options::Times;
use crate::protocol::{Action, Desk, Heard, Protocol, Session, object, strings};
use crate::streams::Streams;
use crate::world::{World, true_now};

/// Everything that a client sends counts, pongs too.
const MESSAGES: Limit = Limit::per_millis(5, 1_000);
const MOST_STREAMS: usize = 1024;
/// Longer lists were seen to fail without a word.
const MOST_NAMES: usize = 400;
/// The lengths of keys for private streams: of spot, where there are none any more, and of futures.
const LISTEN_KEYS: [usize; 2] = [60, 64];
const WS_API: &str = "/ws-api/v3";
const ALL_MINI: &str = "!miniTicker@arr";

pub(crate) struct Binance;

impl Protocol for Binance {
    fn dials(&self) -> Limit {
        Limit::per_millis(300, 300_000)
    }

    fn connect(&self, world: &World, request: &Request) -> Result<Box<dyn Session>, Reply> {
        if request.path == WS_API {
            return Ok(Box::new(Api::dial(world, request)?));
        }
        if request.path == listen::PATH {
            return Ok(Box::new(Listener::dial(world, request)));
        }
        let mut session = Streaming::new(request.path == "/stream");
        let names = match request.path.as_str() {
            "/ws" => String::new(),
            "/stream" => request.parameter("streams").unwrap_or_default(),
            path => path.strip_prefix("/ws/").ok_or_else(|| Reply::html(404, "404 Not Found"))?.to_owned(),
        };
        // The private streams of old had their key here, and no `@`.
        if names.split('/').any(|name| LISTEN_KEYS.contains(&name.len()) && !name.contains('@')) {
            world.seen.lock().violations.push("a listenKey where nothing is told of the account".to_owned());
        }
        let step = world.market.lock().step();
        for name in names.split('/').filter(|name| is_stream(name)).take(MOST_STREAMS) {
            session.add(name, step, Instant::now());
        }
        Ok(Box::new(session))
    }

    fn rest(&self, world: &World, request: &Request) -> Reply {
        rest::answer(world, request)
    }

    fn is_private(&self, _world: &World, request: &Request) -> bool {
        [WS_API, listen::PATH].contains(&request.path.as_str()) || signed::is_private(request)
    }

    fn limited(&self, how: Limited) -> Reply {
        let until = true_now() + 120_000;
        match how {
            Limited::Banned => {
                let message = format!(
                    "Way too much request weight used; IP banned until {until}. Please use WebSocket Streams for live updates to avoid bans."
                );
                Reply::json(418, &json!({"code": -1003, "msg": message})).with("Retry-After", 120)
            }
            Limited::Plain | Limited::Other => {
                let message = "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.";
                Reply::json(429, &json!({"code": -1003, "msg": message})).with("Retry-After", 3)
            }
        }
    }
}

/// The streams of one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Channel {
    Ticker,
    BookTicker,
    MiniTicker,
}

impl Channel {
    const ALL: [Self; 3] = [Self::Ticker, Self::BookTicker, Self::MiniTicker];

    const fn name(self) -> &'static str {
        match self {
            Self::Ticker => "ticker",
            Self::BookTicker => "bookTicker",
            Self::MiniTicker => "miniTicker",
        }
    }
}

impl crate::streams::Channel for Channel {
    fn every(self, times: &Times) -> Duration {
        match self {
            Self::Ticker | Self::MiniTicker => times.ticker,
            Self::BookTicker => Duration::ZERO,
        }
    }
}

struct Streaming {
    /// Whether events are wrapped in `stream` and `data`.
    combined: bool,
    /// Every name subscribed, also of streams that will never speak.
    names: BTreeSet<String>,
    streams: Streams<Channel>,
    /// When the array of all mini tickers is next due, and up to which step it was sent.
    all_mini: (Instant, u64),
    messages: Tally,
    pings: Pings,
}

impl Streaming {
    fn new(combined: bool) -> Self {
        let now = Instant::now();
        Self {
            combined,
            names: BTreeSet::new(),
            streams: Streams::new(),
            all_mini: (now, 0),
            messages: Tally::default(),
            pings: Pings::default(),
        }
    }

    /// Adds a well-formed stream. There is no snapshot: it speaks when something changes after this step.
    fn add(&mut self, name: &str, step: u64, now: Instant) {
        self.names.insert(name.to_owned());
        if let Some((channel, symbol)) = symbol_stream(name) {
            self.streams.add(channel, &symbol, step, now);
        }
    }

    fn request(&mut self, text: &str, desk: &mut Desk<'_>) {
        let Some(request) = object(text) else {
            desk.violation(format!("no JSON: {text}"));
            return desk.acknowledge(json!({"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}));
        };
        let id = &request["id"];
        if !is_id(id) {
            let message = "Invalid request: request ID must be an integer, an alphanumeric string of at most 36 characters, or null";
            return flat(2, message, &Value::Null, desk);
        }
        match request["method"].as_str() {
            Some(method @ ("SUBSCRIBE" | "UNSUBSCRIBE")) => match strings(&request["params"]) {
                Some(names) => self.subscribe(method == "SUBSCRIBE", &names, id, desk),
                None => flat(2, "Invalid request: missing field `params`", id, desk),
            },
            Some("LIST_SUBSCRIPTIONS") => desk.acknowledge(json!({"result": self.names, "id": id})),
            Some("SET_PROPERTY") => match (request["params"][0].as_str(), request["params"][1].as_bool()) {
                (Some("combined"), Some(combined)) => {
                    self.combined = combined;
                    done(id, desk);
                }
                (Some("combined"), None) => flat(1, "Invalid value type: expected Boolean", id, desk),
                _ => flat(0, "Unknown property", id, desk),
            },
            Some("GET_PROPERTY") => match request["params"][0].as_str() {
                Some("combined") => desk.acknowledge(json!({"result": self.combined, "id": id})),
                _ => flat(0, "Unknown property", id, desk),
            },
            method => {
                let variants = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`";
                let message = format!(
                    "Invalid request: unknown variant `{}`, expected one of {variants}",
                    method.unwrap_or_default()
                );
                flat(2, &message, id, desk);
            }
        }
    }

    fn subscribe(&mut self, on: bool, names: &[&str], id: &Value, desk: &mut Desk<'_>) {
        if names.len() > MOST_NAMES {
            return desk.violation(format!("{} names in one message", names.len()));
        }
        let refused = |name: &&&str| {
            !is_stream(name) || desk.rejects(&symbol_stream(name).map_or(String::new(), |(_, symbol)| symbol))
        };
        if names.is_empty() || names.iter().any(|name| refused(&name)) {
            return nested("Invalid request: invalid stream", id, desk);
        }
        if !on {
            for name in names {
                self.names.remove(*name);
                if let Some((channel, symbol)) = symbol_stream(name) {
                    self.streams.remove(channel, &symbol);
                }
            }
            return done(id, desk);
        }
        let new = names.iter().filter(|name| !self.names.contains(**name)).count();
        if self.names.len() + new > MOST_STREAMS {
            return nested("Invalid request: too many parameters", id, desk);
        }
        let step = desk.step();
        for name in names {
            // A name that will never speak is acknowledged like any other.
            let known = symbol_stream(name).is_some_and(|(_, symbol)| desk.knows(&symbol));
            if !known && *name != ALL_MINI {
                desk.violation(format!("unknown stream {name}"));
            }
            self.add(name, step, desk.now);
        }
        done(id, desk);
    }

    fn push(&self, name: &str, data: String) -> String {
        if self.combined { format!(r#"{{"stream":"{name}","data":{data}}}"#) } else { data }
    }

    fn push_all_mini(&mut self, desk: &mut Desk<'_>) {
        let (due, sent) = self.all_mini;
        if !self.names.contains(ALL_MINI) || desk.suffers(&Fault::Silent) {
            return;
        }
        let changed: Vec<_> = {
            let market = desk.world.market.lock();
            let quotes = market.listings().iter().map(|listing| &listing.quote);
            let told =
                |quote: &&crate::market::Quote| quote.trade_step > sent.max(1) && !desk.holds_back(&quote.symbol);
            quotes.filter(told).cloned().collect()
        };
        if changed.is_empty() {
            return;
        }
        if desk.now < due {
            desk.caught_up = None;
            return;
        }
        self.all_mini = (desk.now + desk.world.times.ticker, desk.step());
        let array = format!("[{}]", changed.iter().map(mini_ticker_frame).collect::<Vec<_>>().join(","));
        let entries = changed.iter().map(|quote| (quote.symbol.clone(), frames::mini_entry(quote)));
        let entries = entries.collect();
        desk.actions.push(Action::Data { text: self.push(ALL_MINI, array), entries });
    }
}

impl Session for Streaming {
    fn heard(&mut self, frame: Heard<'_>, desk: &mut Desk<'_>) {
        if self.messages.count(MESSAGES, 1, desk.now).is_none() {
            desk.violation("more than 5 messages in a second");
            return desk.close(1008, "Too many requests");
        }
        match frame {
            Heard::Text(text) => self.request(text, desk),
            Heard::Binary => self.request("", desk),
            Heard::Pong(payload) => self.pings.pong(payload),
            Heard::Ping => {}
        }
    }

    fn turn(&mut self, desk: &mut Desk<'_>) {
        self.pings.turn(desk);
        for (channel, quote) in desk.due(&mut self.streams) {
            let (data, entry) = match channel {
                Channel::Ticker => (ticker_frame(&quote), frames::ticker_entry(&quote)),
                Channel::BookTicker => (book_ticker_frame(&quote), frames::book_entry(&quote)),
                Channel::MiniTicker => (mini_ticker_frame(&quote), frames::mini_entry(&quote)),
            };
            let name = format!("{}@{}", quote.symbol.to_lowercase(), channel.name());
            desk.data(self.push(&name, data), &quote.symbol, entry);
        }
        self.push_all_mini(desk);
    }

    fn announce(&mut self, desk: &mut Desk<'_>) {
        let event = json!({"e": "serverShutdown", "E": desk.world.now()}).to_string();
        desk.say(self.push("!serverShutdown", event));
    }

    fn subscriptions(&self) -> Vec<String> {
        self.names.iter().cloned().collect()
    }
}

/// An integer, a short alphanumeric text, or nothing.
fn is_id(id: &Value) -> bool {
    let short = |id: &str| id.len() <= 36 && id.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    id.is_null() || id.is_i64() || id.as_str().is_some_and(short)
}

/// Well-formed, whether it exists or not.
fn is_stream(name: &str) -> bool {
    name.split_once('@').is_some_and(|(symbol, kind)| !symbol.is_empty() && !kind.is_empty())
}

/// The channel and the symbol behind a stream's name; `None` if it is not written in lower case or no such channel exists.
fn symbol_stream(name: &str) -> Option<(Channel, String)> {
    let (symbol, kind) = name.split_once('@')?;
    let channel = Channel::ALL.into_iter().find(|channel| channel.name() == kind)?;
    (symbol == symbol.to_lowercase()).then(|| (channel, symbol.to_uppercase()))
}

fn done(id: &Value, desk: &mut Desk<'_>) {
    desk.acknowledge(json!({"result": null, "id": id}));
}

/// The error shape that is documented.
fn flat(code: i64, message: &str, id: &Value, desk: &mut Desk<'_>) {
    desk.violation(message);
    desk.acknowledge(json!({"code": code, "msg": message, "id": id}));
}

/// The error shape that the live server was seen to use for bad streams.
fn nested(message: &str, id: &Value, desk: &mut Desk<'_>) {
    desk.violation(message);
    desk.acknowledge(json!({"error": {"code": 2, "msg": message}, "id": id}));
}
