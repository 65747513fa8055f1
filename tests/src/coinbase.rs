//! Coinbase Advanced Trade: the websocket, of which there is one for prices and one for the account, alike in all else.

mod frames;
mod futures;
mod rest;
mod rows;
mod signed;
mod token;
mod user;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use user::User;

pub use frames::{Kind, ticker_batch_frame, ticker_frame};

use crate::clock::rfc3339;
use crate::fault::{Fault, Limited};
use crate::http::{Reply, Request};
use crate::ledger::Entry;
use crate::limiter::Limit;
use crate::market::{Quote, State};
use crate::options::Times;
use crate::protocol::{Action, Desk, Heard, Protocol, Session, object, strings};
use crate::streams::Streams;
use crate::world::World;

/// Unauthenticated messages of one IP, whatever the connection.
const MESSAGES: Limit = Limit::per_millis(8, 1_000);
/// The host for users, where it is this server; one that comes without a path shows by what it subscribes.
const USERS: &str = "/user";

pub(crate) struct Coinbase;

impl Protocol for Coinbase {
    fn dials(&self) -> Limit {
        Limit::per_millis(8, 1_000)
    }

    fn connect(&self, world: &World, request: &Request) -> Result<Box<dyn Session>, Reply> {
        match request.path.as_str() {
            "/" | "" => Ok(Box::new(Stream::new(User::default()))),
            USERS => Ok(Box::new(Stream::new(User::awaited(world)))),
            _ => Err(Reply::text(404, "")),
        }
    }

    fn rest(&self, world: &World, request: &Request) -> Reply {
        rest::answer(world, request)
    }

    fn is_private(&self, _world: &World, request: &Request) -> bool {
        request.path == USERS || signed::is_signed(&request.path)
    }

    fn limited(&self, how: Limited) -> Reply {
        match how {
            Limited::Other => {
                Reply::json(429, &json!({"errors": [{"id": "rate_limit_exceeded", "message": "Too many requests"}]}))
            }
            Limited::Plain | Limited::Banned => Reply::html(429, "429 Too Many Requests"),
        }
    }
}

/// The channels of one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Channel {
    Ticker,
    TickerBatch,
}

impl Channel {
    fn named(name: &str) -> Option<Self> {
        match name {
            "ticker" => Some(Self::Ticker),
            "ticker_batch" => Some(Self::TickerBatch),
            _ => None,
        }
    }
}

impl crate::streams::Channel for Channel {
    fn every(self, times: &Times) -> Duration {
        match self {
            Self::Ticker => Duration::ZERO,
            Self::TickerBatch => times.ticker,
        }
    }

    /// A book that moves without a match moves no ticker.
    fn only_trades(self) -> bool {
        true
    }
}

struct Stream {
    opened: Instant,
    /// When the server last sent anything.
    spoke: Instant,
    /// Numbers every frame of the connection, acknowledgements included.
    sequence: u64,
    /// What every acknowledgement lists: by channel, the products.
    subscribed: BTreeMap<String, BTreeSet<String>>,
    has_subscribed: bool,
    streams: Streams<Channel>,
    next_heartbeat: Option<Instant>,
    user: User,
}

impl Stream {
    fn new(user: User) -> Self {
        let now = Instant::now();
        Self {
            opened: now,
            spoke: now,
            sequence: 0,
            subscribed: BTreeMap::new(),
            has_subscribed: false,
            streams: Streams::new(),
            next_heartbeat: None,
            user,
        }
    }

    fn number(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence - 1
    }

    fn request(&mut self, text: &str, desk: &mut Desk<'_>) {
        let request = object(text);
        let token = request.as_ref().and_then(|request| request["jwt"].as_str());
        let hasty = || desk.world.tallies.lock().of("messages").count(MESSAGES, 1, desk.now).is_none();
        if token.is_none() && hasty() {
            return error("rate limit exceeded", desk);
        }
        let Some(request) = &request else { return error("invalid message", desk) };
        let on = match request["type"].as_str() {
            Some("subscribe") => true,
            Some("unsubscribe") => false,
            _ => return error("invalid message type", desk),
        };
        self.has_subscribed = true;
        let name = request["channel"].as_str().unwrap_or_default();
        let channel = Channel::named(name);
        let private = matches!(name, user::ORDERS | user::FUTURES);
        if refuses(token, private, desk) {
            return refuse(desk);
        }
        // One answer for a bad token, for a private channel without one, and for an unknown channel.
        let unknown = channel.is_none() && name != "heartbeats" && !private;
        if unknown || private && token.is_none() || desk.faults.contains(&Fault::Reject { symbol: None }) {
            return error(REFUSAL, desk);
        }
        match channel {
            Some(channel) => {
                for product in strings(&request["product_ids"]).unwrap_or_default() {
                    self.turn_on(on, channel, name, product, desk);
                }
            }
            None if private => self.turn_user(on, name, &request["product_ids"], desk),
            None => self.heartbeats(on, desk),
        }
        self.acknowledge(desk);
    }

    fn turn_user(&mut self, on: bool, name: &str, products: &Value, desk: &mut Desk<'_>) {
        if on {
            self.subscribed.insert(name.to_owned(), BTreeSet::from([rows::USER.to_owned()]));
        } else {
            self.subscribed.remove(name);
        }
        for event in self.user.turn_on(on, name, products, desk) {
            self.tell(name, &event, desk);
        }
    }

    /// Tells of the account.
    fn tell(&mut self, channel: &str, event: &Value, desk: &mut Desk<'_>) {
        let timestamp = rfc3339(desk.world.now());
        desk.event(
            json!({"channel": channel, "timestamp": timestamp, "sequence_num": self.number(), "events": [event]}),
        );
    }

    fn turn_on(&mut self, on: bool, channel: Channel, name: &str, product: &str, desk: &mut Desk<'_>) {
        // An unknown product is no error: the acknowledgement just leaves it out.
        let Some(quote) = listed(product, desk) else { return desk.violation(format!("unknown product {product}")) };
        let symbol = quote.symbol.as_str();
        if !on {
            self.streams.remove(channel, symbol);
            if let Some(products) = self.subscribed.get_mut(name) {
                products.remove(symbol);
            }
            self.subscribed.retain(|_, products| !products.is_empty());
            return;
        }
        self.subscribed.entry(name.to_owned()).or_default().insert(symbol.to_owned());
        if self.streams.add(channel, symbol, desk.step(), desk.now)
            && !desk.suffers(&Fault::Silent)
            && !desk.holds_back(symbol)
        {
            self.push(channel, Kind::Snapshot, &quote, desk);
        }
    }

    fn heartbeats(&mut self, on: bool, desk: &Desk<'_>) {
        self.next_heartbeat = on.then(|| desk.now + desk.world.times.heartbeat);
        if on {
            self.subscribed.insert("heartbeats".to_owned(), BTreeSet::from(["heartbeats".to_owned()]));
        } else {
            self.subscribed.remove("heartbeats");
        }
    }

    /// Lists the whole subscription set of the connection.
    fn acknowledge(&mut self, desk: &mut Desk<'_>) {
        // What is not sent must not be numbered either: it would look like a lost frame.
        if !desk.swallows() {
            let events = json!([{"subscriptions": self.subscribed}]);
            self.say("subscriptions", &events, desk);
        }
    }

    fn say(&mut self, channel: &str, events: &Value, desk: &mut Desk<'_>) {
        let timestamp = rfc3339(desk.world.now());
        desk.say(json!({"channel": channel, "timestamp": timestamp, "sequence_num": self.number(), "events": events}));
    }

    fn push(&mut self, channel: Channel, kind: Kind, quote: &Quote, desk: &mut Desk<'_>) {
        let at = if kind == Kind::Snapshot { desk.world.now() } else { quote.traded_at };
        let sequence = self.number();
        if quote.last.is_none() {
            // Without a trade even the product's name is empty.
            return desk.actions.push(Action::Data { text: frames::empty_frame(sequence, at), entries: Vec::new() });
        }
        let (text, entry): (String, Entry) = match channel {
            Channel::Ticker => (ticker_frame(quote, kind, sequence, at), frames::ticker_entry(quote)),
            Channel::TickerBatch => (ticker_batch_frame(quote, kind, sequence, at), frames::batch_entry(quote)),
        };
        desk.data(text, &quote.symbol, entry);
    }

    fn beat(&mut self, desk: &mut Desk<'_>) {
        let Some(due) = self.next_heartbeat.filter(|due| *due <= desk.now) else { return };
        self.next_heartbeat = Some(due + desk.world.times.heartbeat);
        let counter = (desk.now - self.opened).as_secs();
        // A print of Go's clock, which nobody should parse.
        let time = rfc3339(desk.world.now()).replace('T', " ").replace('Z', " +0000 UTC m=+139651.272674714");
        self.say("heartbeats", &json!([{"current_time": time, "heartbeat_counter": 139_651 + counter}]), desk);
    }
}

impl Session for Stream {
    fn heard(&mut self, frame: Heard<'_>, desk: &mut Desk<'_>) {
        match frame {
            Heard::Text(text) => self.request(text, desk),
            Heard::Binary => error("invalid message", desk),
            Heard::Ping | Heard::Pong(_) => {}
        }
        if !desk.actions.is_empty() {
            self.spoke = desk.now;
        }
    }

    fn turn(&mut self, desk: &mut Desk<'_>) {
        if !self.has_subscribed && desk.now - self.opened >= desk.world.times.first_subscribe {
            desk.violation("no subscription in time");
            return desk.close(1008, "no subscription received");
        }
        self.beat(desk);
        for (channel, event) in self.user.turn(desk) {
            self.tell(channel, &event, desk);
        }
        for (channel, quote) in desk.due(&mut self.streams) {
            self.push(channel, Kind::Update, &quote, desk);
        }
        if !desk.actions.is_empty() {
            self.spoke = desk.now;
        } else if desk.now - self.spoke >= desk.world.times.idle {
            desk.close(1000, "no updates");
        }
    }

    fn skip(&mut self, by: u64) {
        self.sequence += by;
    }

    fn is_private(&self) -> bool {
        self.user.is_private()
    }

    fn subscriptions(&self) -> Vec<String> {
        let channels = self.subscribed.iter();
        channels
            .flat_map(|(channel, products)| products.iter().map(move |product| format!("{channel}:{product}")))
            .collect()
    }
}

/// The quote that a product shows: that of the other side where it is an alias.
fn listed(product: &str, desk: &Desk<'_>) -> Option<Quote> {
    if desk.rejects(product) {
        return None;
    }
    let market = desk.world.market.lock();
    market.resolve(product).filter(|listing| listing.state != State::Delisted).map(|listing| listing.quote.clone())
}

/// Whether a token is no good, or good for nothing here.
fn refuses(token: Option<&str>, private: bool, desk: &mut Desk<'_>) -> bool {
    let Some(token) = token else { return false };
    match token::check(desk.world, token, None) {
        Err(token::Fault::Bug(what)) => {
            desk.violation(what);
            true
        }
        Err(token::Fault::Refused) => true,
        Ok(()) => private && (desk.suffers(&Fault::RefuseLogins) || !desk.world.account.lock().key.read),
    }
}

const REFUSAL: &str = "authentication failure";

/// Refuses what no client can know to be wrong.
fn refuse(desk: &mut Desk<'_>) {
    desk.acknowledge(json!({"type": "error", "message": REFUSAL}));
}

fn error(message: &str, desk: &mut Desk<'_>) {
    desk.violation(message);
    desk.acknowledge(json!({"type": "error", "message": message}));
}
