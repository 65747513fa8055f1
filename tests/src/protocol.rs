//! What a venue's author writes: REST answers, and one conversation per websocket. No socket, no task.

use serde_json::Value;
use tokio::time::Instant;

use crate::fault::{Fault, Limited};
use crate::http::{Reply, Request};
use crate::ledger::Entry;
use crate::limiter::Limit;
use crate::market::Quote;
use crate::streams::{Channel, Streams};
use crate::world::World;

/// One venue.
pub(crate) trait Protocol: Sync {
    /// Connection attempts that the venue allows.
    fn dials(&self) -> Limit;
    /// Begins a conversation, or answers the handshake otherwise.
    fn connect(&self, world: &World, request: &Request) -> Result<Box<dyn Session>, Reply>;
    /// Answers a REST request, maintenance and the venue's own limits included.
    fn rest(&self, world: &World, request: &Request) -> Reply;
    /// Whether a handshake or a REST request is about the account.
    fn is_private(&self, _world: &World, _request: &Request) -> bool {
        false
    }
    /// Says that there were too many requests.
    fn limited(&self, how: Limited) -> Reply;
}

/// One websocket conversation, as the server holds it.
pub(crate) trait Session: Send {
    /// The client sent something.
    fn heard(&mut self, frame: Heard<'_>, desk: &mut Desk<'_>);
    /// Time has passed: deadlines, heartbeats and market data.
    fn turn(&mut self, desk: &mut Desk<'_>);
    /// Announces that the venue will close this connection soon, where it does that.
    fn announce(&mut self, _desk: &mut Desk<'_>) {}
    /// Skips sequence numbers, where there are any.
    fn skip(&mut self, _by: u64) {}
    /// Whether it turned out to be about the account, where the handshake did not say so.
    fn is_private(&self) -> bool {
        false
    }
    /// Whether it speaks in binary frames.
    fn is_binary(&self) -> bool {
        false
    }
    /// What the client is subscribed to.
    fn subscriptions(&self) -> Vec<String>;
}

/// A frame from the client.
pub(crate) enum Heard<'a> {
    Text(&'a str),
    Binary,
    Ping,
    Pong(&'a [u8]),
}

/// A frame to the client, or the end.
pub(crate) enum Action {
    Say(String),
    Data { text: String, entries: Vec<(String, Entry)> },
    Ping(Vec<u8>),
    Close(u16, &'static str),
}

/// Where a session puts what it has to say, and learns what it may not.
pub(crate) struct Desk<'a> {
    pub(crate) world: &'a World,
    pub(crate) now: Instant,
    pub(crate) faults: &'a [Fault],
    pub(crate) actions: Vec<Action>,
    pub(crate) violations: Vec<String>,
    /// The market's step up to which this connection has been told everything.
    pub(crate) caught_up: Option<u64>,
    /// The number of the event up to which this private connection has been told everything.
    pub(crate) told: Option<u64>,
}

impl Desk<'_> {
    /// Sends what no fault holds back: pongs, heartbeats, notices.
    pub(crate) fn say(&mut self, text: impl ToString) {
        self.actions.push(Action::Say(text.to_string()));
    }

    /// Acknowledges, unless acknowledgements are being swallowed.
    pub(crate) fn acknowledge(&mut self, text: impl ToString) {
        if !self.swallows() {
            self.say(text);
        }
    }

    /// Sends market data of one symbol.
    pub(crate) fn data(&mut self, text: String, symbol: &str, entry: Entry) {
        self.actions.push(Action::Data { text, entries: vec![(symbol.to_owned(), entry)] });
    }

    /// Tells of the account.
    pub(crate) fn event(&mut self, text: impl ToString) {
        self.actions.push(Action::Data { text: text.to_string(), entries: Vec::new() });
    }

    pub(crate) fn close(&mut self, code: u16, reason: &'static str) {
        self.actions.push(Action::Close(code, reason));
    }

    /// Notes that the client did something it must not. While everything is refused on demand, a refusal proves nothing.
    pub(crate) fn violation(&mut self, what: impl ToString) {
        let on_demand = |fault: &Fault| matches!(fault, Fault::Reject { .. } | Fault::RefuseLogins);
        if !self.faults.iter().any(on_demand) {
            self.violations.push(what.to_string());
        }
    }

    pub(crate) fn suffers(&self, fault: &Fault) -> bool {
        self.faults.contains(fault)
    }

    pub(crate) fn swallows(&self) -> bool {
        self.suffers(&Fault::SwallowAcks)
    }

    /// Whether subscriptions of this symbol are to be refused.
    pub(crate) fn rejects(&self, symbol: &str) -> bool {
        self.faults.iter().any(|fault| match fault {
            Fault::Reject { symbol: only } => only.as_deref().is_none_or(|only| only == symbol),
            _ => false,
        })
    }

    /// Whether the venue lists the symbol and lets it be subscribed.
    pub(crate) fn knows(&self, symbol: &str) -> bool {
        !self.rejects(symbol) && self.world.market.lock().resolve(symbol).is_some()
    }

    /// The market's step.
    pub(crate) fn step(&self) -> u64 {
        self.world.market.lock().step()
    }

    /// Whether nothing of this symbol is to be told.
    pub(crate) fn holds_back(&self, symbol: &str) -> bool {
        self.faults.iter().any(|fault| matches!(fault, Fault::FrozenSymbol { symbol: only } if only == symbol))
    }

    /// What is to be pushed now.
    pub(crate) fn due<C: Channel>(&mut self, streams: &mut Streams<C>) -> Vec<(C, Quote)> {
        if self.suffers(&Fault::Silent) {
            return Vec::new();
        }
        let market = self.world.market.lock();
        let (due, caught_up) = streams.due(&market, &self.world.times, self.now, |symbol| self.holds_back(symbol));
        drop(market);
        self.caught_up = caught_up;
        due
    }
}

/// A JSON object in a text frame.
pub(crate) fn object(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(Value::is_object)
}

/// The strings of a JSON array; `None` if it is no array or holds anything else.
pub(crate) fn strings(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}
