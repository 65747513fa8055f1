//! KuCoin, spot and futures: the websockets, entered with a ticket.
//!
//! The host of futures is this one under the path `/futures`, which is not part of what is signed.

mod frames;
mod futures;
mod numbers;
mod orders;
mod pools;
mod private;
mod push;
mod rest;
mod signed;
mod unified;
mod wallets;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

pub use frames::{level1_frame, snapshot_frame, ticker_frame};
use pools::{Standing, too_many};

use crate::account::Inbox;
use crate::fault::{Fault, Limited};
use crate::http::{Reply, Request};
use crate::limiter::{Limit, Tally};
use crate::options::Times;
use crate::protocol::{Desk, Heard, Protocol, Session, object};
use crate::streams::Streams;
use crate::world::{World, true_now};

/// What a client may say on one connection, pings included.
const MESSAGES: Limit = Limit::per_millis(100, 10_000);
const MOST_SYMBOLS: usize = 100;
const MOST_TOPICS: usize = 400;
/// Where the host of futures begins.
const FUTURES: &str = "/futures";

pub(crate) struct Kucoin;

/// Where the private websocket of the Unified mode is.
const UNIFIED: [&str; 2] = ["/uta", "/uta/"];

/// What a token is good for: one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    /// When, in Unix milliseconds.
    issued: u64,
    private: bool,
    futures: bool,
}

impl Protocol for Kucoin {
    fn dials(&self) -> Limit {
        Limit::per_millis(30, 60_000)
    }

    fn connect(&self, world: &World, request: &Request) -> Result<Box<dyn Session>, Reply> {
        if UNIFIED.contains(&request.path.as_str()) {
            return Ok(Box::new(push::Push::new(world)));
        }
        let (path, futures) = rest::host(&request.path);
        if path != "/" {
            return Err(Reply::text(404, ""));
        }
        let ticket = world.tickets.lock().remove(&request.parameter("token").unwrap_or_default());
        let life = world.times.lifetime.unwrap_or(Duration::MAX).as_millis();
        let problem = match ticket {
            Some(ticket) if ticket.futures != futures => Some("token is invalid"),
            Some(ticket) if u128::from(true_now() - ticket.issued) < life => None,
            Some(_) => Some("token is expired"),
            None => Some("token is invalid"),
        };
        let id = request.parameter("connectId").unwrap_or_else(|| format!("{:x}", true_now()));
        let inbox = ticket.filter(|ticket| ticket.private).map(|_| Inbox::new(world));
        Ok(Box::new(Conversation::new(id, problem, futures, inbox)))
    }

    fn rest(&self, world: &World, request: &Request) -> Reply {
        rest::answer(world, request)
    }

    fn is_private(&self, world: &World, request: &Request) -> bool {
        let token = request.parameter("token").unwrap_or_default();
        UNIFIED.contains(&request.path.as_str())
            || rest::is_signed(request)
            || world.tickets.lock().get(&token).is_some_and(|ticket| ticket.private)
    }

    fn limited(&self, how: Limited) -> Reply {
        match how {
            Limited::Plain => Standing::EXHAUSTED.tell(too_many()),
            // The gateway is overloaded: nobody's quota is exhausted.
            Limited::Other => too_many(),
            Limited::Banned => Reply::html(403, "Error 1015: You are being rate limited"),
        }
    }
}

/// The topics of one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Channel {
    Ticker,
    Snapshot,
    Level1,
    /// Part of `/market/ticker:all`.
    TickerAll,
}

impl Channel {
    const NAMED: [(Self, &str); 3] =
        [(Self::Ticker, "/market/ticker"), (Self::Snapshot, "/market/snapshot"), (Self::Level1, "/spotMarket/level1")];

    fn named(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(_, prefix)| *prefix == name).map(|(channel, _)| *channel)
    }
}

impl crate::streams::Channel for Channel {
    fn every(self, times: &Times) -> Duration {
        match self {
            Self::Ticker | Self::TickerAll => times.ticker / 20,
            Self::Snapshot => times.ticker,
            Self::Level1 => times.ticker / 200,
        }
    }
}

struct Conversation {
    id: String,
    /// Why the ticket is not accepted.
    problem: Option<&'static str>,
    /// On the host of futures.
    futures: bool,
    /// What happens to the account, for those whom it concerns.
    inbox: Option<Inbox>,
    opened: Instant,
    welcomed: bool,
    /// When the client last sent anything.
    heard: Instant,
    messages: Tally,
    /// Every topic subscribed, one a symbol, also those that will never speak.
    topics: BTreeSet<String>,
    streams: Streams<Channel>,
}

impl Conversation {
    fn new(id: String, problem: Option<&'static str>, futures: bool, inbox: Option<Inbox>) -> Self {
        let now = Instant::now();
        Self {
            id,
            problem,
            futures,
            inbox,
            opened: now,
            welcomed: false,
            heard: now,
            messages: Tally::default(),
            topics: BTreeSet::new(),
            streams: Streams::new(),
        }
    }

    fn request(&mut self, text: &str, desk: &mut Desk<'_>) {
        if !self.welcomed {
            return desk.violation("spoke before the welcome");
        }
        let Some(request) = object(text) else {
            return error("", 400, &format!("Unrecognized token '{text}'"), desk);
        };
        // Numbers are taken, and come back as text.
        let id = request["id"].as_str().map_or_else(|| request["id"].to_string(), str::to_owned);
        if self.messages.count(MESSAGES, 1, desk.now).is_none() {
            return error(&id, 509, "exceed max permits per second", desk);
        }
        match request["type"].as_str() {
            Some("ping") => desk.say(json!({"id": id, "type": "pong", "timestamp": desk.world.now() * 1_000})),
            Some(kind @ ("subscribe" | "unsubscribe")) => match self.subscribe(kind == "subscribe", &request, desk) {
                Ok(()) if request["response"] == true => desk.acknowledge(json!({"id": id, "type": "ack"})),
                Ok(()) => {}
                // Nobody is to blame for what was arranged.
                Err((code, message)) if desk.suffers(&Fault::RefuseLogins) => tell(&id, code, &message, desk),
                Err((code, message)) => error(&id, code, &message, desk),
            },
            _ => error(&id, 415, "type is not supported", desk),
        }
    }

    fn subscribe(&mut self, on: bool, request: &Value, desk: &mut Desk<'_>) -> Result<(), (u16, String)> {
        let topic = request["topic"].as_str().ok_or((406, "topic is required".to_owned()))?;
        let unknown = || (404, format!("topic {topic} does not exist"));
        if request["privateChannel"] == true && self.inbox.is_none() || private::is_private(topic) {
            return self.subscribe_private(on, topic, request["privateChannel"] == true, desk);
        }
        let (name, symbols) = topic.split_once(':').ok_or_else(unknown)?;
        let channel = Channel::named(name).filter(|_| !self.futures).ok_or_else(unknown)?;
        let symbols: Vec<&str> = symbols.split(',').collect();
        if symbols.iter().any(|symbol| desk.rejects(symbol)) {
            return Err(unknown());
        }
        if symbols.len() > MOST_SYMBOLS {
            return Err((509, format!("exceed max subscription count limitation of {MOST_SYMBOLS} per time")));
        }
        if !on {
            symbols.iter().for_each(|symbol| self.turn_off(channel, name, symbol, desk));
            return Ok(());
        }
        let new = symbols.iter().filter(|symbol| !self.topics.contains(&format!("{name}:{symbol}"))).count();
        if self.topics.len() + new > MOST_TOPICS {
            return Err((509, format!("exceed max subscription count limitation of {MOST_TOPICS} per session")));
        }
        symbols.iter().for_each(|symbol| self.turn_on(channel, name, symbol, desk));
        Ok(())
    }

    /// There is no snapshot either: only what happens from now on.
    fn subscribe_private(&mut self, on: bool, topic: &str, asked: bool, desk: &Desk<'_>) -> Result<(), (u16, String)> {
        if self.inbox.is_none() || !asked || desk.suffers(&Fault::RefuseLogins) || desk.rejects(topic) {
            return Err((403, "login is required".to_owned()));
        }
        if !private::is_on(topic, self.futures) {
            return Err((404, format!("topic {topic} does not exist")));
        }
        if on {
            self.topics.insert(topic.to_owned());
        } else {
            self.topics.remove(topic);
        }
        Ok(())
    }

    /// Nothing is pushed until something changes. An unknown symbol is taken like any other, and stays silent.
    fn turn_on(&mut self, channel: Channel, name: &str, symbol: &str, desk: &mut Desk<'_>) {
        self.topics.insert(format!("{name}:{symbol}"));
        if (channel, symbol) == (Channel::Ticker, "all") {
            for symbol in every_symbol(desk) {
                self.streams.add(Channel::TickerAll, &symbol, desk.step(), desk.now);
            }
        } else if desk.knows(symbol) {
            self.streams.add(channel, symbol, desk.step(), desk.now);
        } else {
            desk.violation(format!("unknown symbol '{symbol}'"));
        }
    }

    fn turn_off(&mut self, channel: Channel, name: &str, symbol: &str, desk: &Desk<'_>) {
        self.topics.remove(&format!("{name}:{symbol}"));
        if (channel, symbol) == (Channel::Ticker, "all") {
            for symbol in every_symbol(desk) {
                self.streams.remove(Channel::TickerAll, &symbol);
            }
        } else {
            self.streams.remove(channel, symbol);
        }
    }

    /// Whether the conversation goes on.
    fn admits(&mut self, desk: &mut Desk<'_>) -> bool {
        if let Some(problem) = self.problem {
            error(&self.id, 401, problem, desk);
            desk.close(1000, "");
            return false;
        }
        if self.inbox.is_some() && !self.welcomed && desk.suffers(&Fault::RefuseLogins) {
            tell(&self.id, 401, "token is invalid", desk);
            desk.close(1000, "");
            return false;
        }
        if !self.welcomed && desk.now - self.opened >= desk.world.times.welcome {
            self.welcomed = true;
            desk.say(json!({"id": self.id, "type": "welcome"}));
        }
        let (silence, idle) = (desk.now - self.heard, desk.world.times.idle);
        if self.topics.is_empty() && silence >= idle * 120 / 121 {
            // Half a second earlier than with subscriptions, and less polite.
            error(&self.id, 400, "ping timeout", desk);
            desk.close(1000, "");
        } else if silence >= idle {
            desk.violation("no ping in time");
            desk.close(1000, "Bye");
        }
        true
    }
}

impl Session for Conversation {
    fn heard(&mut self, frame: Heard<'_>, desk: &mut Desk<'_>) {
        self.heard = desk.now;
        match frame {
            Heard::Text(text) => self.request(text, desk),
            Heard::Binary => self.request("", desk),
            Heard::Ping | Heard::Pong(_) => {}
        }
    }

    fn turn(&mut self, desk: &mut Desk<'_>) {
        if !self.admits(desk) {
            return;
        }
        if let Some(inbox) = &mut self.inbox {
            for event in inbox.take(desk) {
                let frames = private::frames(desk.world, &self.topics, &event);
                frames.into_iter().for_each(|frame| desk.event(frame));
            }
        }
        for (channel, quote) in desk.due(&mut self.streams) {
            let (text, entry) = match channel {
                Channel::Ticker => (ticker_frame(&quote), frames::ticker_entry(&quote)),
                Channel::TickerAll => (frames::ticker_all_frame(&quote), frames::ticker_entry(&quote)),
                Channel::Snapshot => (snapshot_frame(&quote), frames::snapshot_entry(&quote)),
                Channel::Level1 => (level1_frame(&quote), frames::book_entry(&quote)),
            };
            desk.data(text, &quote.symbol, entry);
        }
    }

    fn subscriptions(&self) -> Vec<String> {
        self.topics.iter().cloned().collect()
    }
}

fn every_symbol(desk: &Desk<'_>) -> Vec<String> {
    desk.world.market.lock().listings().iter().map(|listing| listing.quote.symbol.clone()).collect()
}

fn error(id: &str, code: u16, message: &str, desk: &mut Desk<'_>) {
    desk.violation(format!("{code} {message}"));
    tell(id, code, message, desk);
}

fn tell(id: &str, code: u16, message: &str, desk: &mut Desk<'_>) {
    desk.say(json!({"id": id, "type": "error", "code": code, "data": message}));
}
