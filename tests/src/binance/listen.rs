//! The private stream of the futures in dollars: listenKeys, and the socket that one of them opens.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::futures_events::events;
use super::pings::Pings;
use super::signed::{Asked, Problem};
use crate::account::signing::hmac_hex;
use crate::account::{Inbox, Key, KeyState};
use crate::fault::Fault;
use crate::http::Request;
use crate::limiter::{Limit, Tally};
use crate::protocol::{Desk, Heard, Session, object};
use crate::world::{World, true_now};

/// Where the socket is; the paths of old complete the handshake and stay silent.
pub(super) const PATH: &str = "/private/ws";
/// Everything that a client sends counts, pongs too.
const MESSAGES: Limit = Limit::per_millis(10, 1_000);

/// All listenKeys that were ever given out, the oldest first: only the last one can be good.
#[derive(Debug, Default)]
pub(crate) struct ListenKeys(Vec<ListenKey>);

#[derive(Debug)]
struct ListenKey {
    text: String,
    /// The API key that asked for it.
    owner: String,
    until: Instant,
    given_back: bool,
}

/// What has become of a listenKey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Good,
    /// Its time is over, or the API key lost what it needs.
    Expired,
    GivenBack,
    /// It was never given out.
    Unknown,
}

impl ListenKey {
    fn standing(&self, key: &Key, now: Instant) -> Standing {
        let fit = self.owner == key.id && key.read && key.state == KeyState::Good && key.has("futures");
        match () {
            () if self.given_back => Standing::GivenBack,
            () if fit && now < self.until => Standing::Good,
            () => Standing::Expired,
        }
    }
}

impl ListenKeys {
    fn standing(&self, text: &str, key: &Key, now: Instant) -> Standing {
        let issued = self.0.iter().rfind(|issued| issued.text == text);
        issued.map_or(Standing::Unknown, |issued| issued.standing(key, now))
    }

    fn good(&mut self, key: &Key, now: Instant) -> Option<&mut ListenKey> {
        self.0.last_mut().filter(|last| last.standing(key, now) == Standing::Good)
    }

    fn begin(&mut self, owner: &str, until: Instant) -> String {
        let digits = hmac_hex("listenKey", &[&true_now().to_string(), &self.0.len().to_string()]);
        // Letters of either case.
        let mixed = |(place, letter): (usize, char)| if place % 2 == 0 { letter.to_ascii_uppercase() } else { letter };
        let text: String = digits.chars().enumerate().map(mixed).collect();
        self.0.push(ListenKey { text: text.clone(), owner: owner.to_owned(), until, given_back: false });
        text
    }
}

/// The one that is good, for longer now, or a new one.
pub(super) fn begin(asked: &Asked<'_>) -> Result<Value, Problem> {
    let refusals = [Fault::RefuseLogins, Fault::RefuseLogins.private()];
    if refusals.iter().any(|fault| asked.world.suffers(fault)) {
        return Err(Problem::refused());
    }
    let (now, key) = (Instant::now(), &asked.account.key);
    let until = now + asked.world.times.listen_key;
    let mut keys = asked.world.listen_keys.lock();
    if let Some(good) = keys.good(key, now) {
        good.until = until;
        return Ok(json!({"listenKey": good.text}));
    }
    Ok(json!({"listenKey": keys.begin(&key.id, until)}))
}

/// Makes the one that is good last longer.
pub(super) fn extend(asked: &Asked<'_>) -> Result<Value, Problem> {
    let now = Instant::now();
    let mut keys = asked.world.listen_keys.lock();
    let good = keys.good(&asked.account.key, now).ok_or_else(none)?;
    good.until = now + asked.world.times.listen_key;
    Ok(json!({"listenKey": good.text}))
}

/// Gives it back: its sockets fall silent.
pub(super) fn end(asked: &Asked<'_>) -> Result<Value, Problem> {
    let mut keys = asked.world.listen_keys.lock();
    keys.good(&asked.account.key, Instant::now()).ok_or_else(none)?.given_back = true;
    Ok(json!({}))
}

/// No mistake of the client: a listenKey may expire before it is asked about.
fn none() -> Problem {
    Problem::new(400, -1125, "This listenKey does not exist.")
}

/// One socket. Whatever its listenKey is, the handshake succeeds.
pub(super) struct Listener {
    key: String,
    /// The names of the events that are told; all, if there are none.
    only: Vec<String>,
    /// Whether anything is told.
    told: bool,
    inbox: Inbox,
    messages: Tally,
    pings: Pings,
}

impl Listener {
    pub(super) fn dial(world: &World, request: &Request) -> Self {
        let key = request.parameter("listenKey").unwrap_or_default();
        let standing = standing(world, &key, Instant::now());
        if standing == Standing::Unknown {
            world.seen.lock().violations.push(format!("{PATH} with an unknown listenKey"));
        }
        let names = request.parameter("events").unwrap_or_default();
        Self {
            key,
            only: names.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            told: standing == Standing::Good,
            inbox: Inbox::new(world),
            messages: Tally::default(),
            pings: Pings::default(),
        }
    }

    fn wants(&self, event: &Value) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| event["e"] == *name)
    }
}

fn standing(world: &World, text: &str, now: Instant) -> Standing {
    let key = world.account.lock().key.clone();
    world.listen_keys.lock().standing(text, &key, now)
}

impl Session for Listener {
    fn heard(&mut self, frame: Heard<'_>, desk: &mut Desk<'_>) {
        if self.messages.count(MESSAGES, 1, desk.now).is_none() {
            desk.violation("more than 10 messages in a second");
            return desk.close(1008, "Too many requests");
        }
        match frame {
            // What is told hangs on the listenKey alone.
            Heard::Text(text) => {
                let id = object(text).map_or(Value::Null, |request| request["id"].clone());
                super::flat(2, "Invalid request: nothing can be asked for here", &id, desk);
            }
            Heard::Binary => super::flat(3, "Invalid JSON: expected value at line 1 column 1", &Value::Null, desk),
            Heard::Pong(payload) => self.pings.pong(payload),
            Heard::Ping => {}
        }
    }

    fn turn(&mut self, desk: &mut Desk<'_>) {
        self.pings.turn(desk);
        let happened = self.inbox.take(desk);
        if !self.told {
            return;
        }
        for event in happened.iter().flat_map(|event| events(event)).filter(|event| self.wants(event)) {
            desk.event(event);
        }
        let standing = standing(desk.world, &self.key, desk.now);
        self.told = standing == Standing::Good;
        if standing == Standing::Expired && !desk.suffers(&Fault::Silent) {
            desk.event(json!({"e": "listenKeyExpired", "E": desk.world.now(), "listenKey": self.key}));
        }
    }

    /// Without the listenKey, which is a secret.
    fn subscriptions(&self) -> Vec<String> {
        match self.only.as_slice() {
            _ if !self.told => Vec::new(),
            [] => vec!["userData".to_owned()],
            names => names.to_vec(),
        }
    }
}
