//! Bybit V5: the private websocket.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::rows::{self, UNIFIED};
use crate::account::signing::hmac_hex;
use crate::account::{Account, Category, Event, Inbox, KeyState};
use crate::fault::Fault;
use crate::http::Request;
use crate::market::Market;
use crate::protocol::{Desk, Heard, Session, object, strings};
use crate::world::{World, true_now};

const KINDS: [&str; 3] = ["position", "order", "execution"];

pub(super) struct Private {
    connection: String,
    /// The revision of the key that logged in.
    login: Option<u64>,
    inbox: Inbox,
    topics: BTreeSet<String>,
    heard: Instant,
    /// Who says nothing for this long is cut.
    idle: Duration,
    told: u64,
}

impl Private {
    pub(super) fn new(world: &World, request: &Request) -> Self {
        let wish = request.parameter("max_active_time");
        let idle = wish.as_deref().and_then(duration);
        if wish.is_some() && idle.is_none() {
            world.seen.lock().violations.push(format!("max_active_time={wish:?}"));
        }
        Self {
            connection: format!("d4m1k7p2c3vq9sb6uh30-{:x}", true_now()),
            login: None,
            inbox: Inbox::new(world),
            topics: BTreeSet::new(),
            heard: Instant::now(),
            idle: idle.unwrap_or(world.times.idle),
            told: 0,
        }
    }

    fn request(&mut self, text: &str, desk: &mut Desk<'_>) {
        let request = object(text).unwrap_or_default();
        match request["op"].as_str() {
            Some("ping") => {
                let mut pong =
                    json!({"op": "pong", "args": [desk.world.now().to_string()], "conn_id": self.connection});
                echo(&mut pong, &request);
                desk.say(pong);
            }
            Some("auth") => self.log_in(&request, desk),
            Some(op @ ("subscribe" | "unsubscribe")) => self.subscribe(op, &request, desk),
            _ => {
                desk.violation(format!("invalid op {text}"));
                self.answer("", &request, Some("error:invalid op"), desk);
            }
        }
    }

    fn answer(&self, op: &str, request: &Value, problem: Option<&str>, desk: &mut Desk<'_>) {
        let mut answer = json!({
            "success": problem.is_none(), "ret_msg": problem.unwrap_or_default(), "op": op, "conn_id": self.connection,
        });
        echo(&mut answer, request);
        desk.acknowledge(answer);
    }

    fn log_in(&mut self, request: &Value, desk: &mut Desk<'_>) {
        if self.login.is_some() {
            desk.violation("a second auth on the same socket");
        }
        match refusal(&request["args"], desk) {
            None => {
                self.login = Some(desk.world.account.lock().revision);
                // What happened before is not told.
                self.inbox = Inbox::new(desk.world);
                self.answer("auth", request, None, desk);
            }
            Some(problem) => {
                self.answer("auth", request, Some(problem), desk);
                desk.close(1000, "");
            }
        }
    }

    /// All topics of a request, or none.
    fn subscribe(&mut self, op: &str, request: &Value, desk: &mut Desk<'_>) {
        let topics = strings(&request["args"]).unwrap_or_default();
        let problem = self.problem(op == "subscribe", &topics, desk);
        self.answer(op, request, problem.as_deref(), desk);
        if let Some(problem) = problem {
            return desk.violation(problem);
        }
        for topic in topics {
            if op == "subscribe" {
                self.topics.insert(topic.to_owned());
            } else {
                self.topics.remove(topic);
            }
        }
    }

    fn problem(&self, on: bool, topics: &[&str], desk: &Desk<'_>) -> Option<String> {
        if topics.is_empty() {
            return Some("error:invalid op".to_owned());
        }
        if self.login.is_none() {
            return Some(format!("error:topic:{} needs auth first", topics[0]));
        }
        topics.iter().enumerate().find_map(|(at, topic)| {
            let (kind, category) = topic.split_once('.').map_or((*topic, None), |(kind, of)| (kind, Some(of)));
            let known = match category {
                None => kind == "wallet" || KINDS.contains(&kind),
                Some(of) => KINDS.contains(&kind) && (rows::category_named(of).is_some() || of == "option"),
            };
            if !known || desk.rejects(topic) {
                return Some(format!("error:handler not found,topic:{topic}"));
            }
            let mixed =
                |other: &&str| other.split('.').next() == Some(kind) && other.contains('.') != category.is_some();
            if topics.iter().any(mixed) {
                return Some(format!("error:topic:{topic} is mixed with its categories"));
            }
            let again = on && (self.topics.contains(*topic) || topics[..at].contains(topic));
            again.then(|| format!("error:already subscribed,topic:{topic}"))
        })
    }

    fn tell(&mut self, event: &Event, desk: &mut Desk<'_>) {
        let frames = desk.world.deal(|account, market, _| {
            let told = self.topics.iter().filter_map(|topic| {
                let (kind, of) = topic.split_once('.').map_or((topic.as_str(), None), |(kind, of)| (kind, Some(of)));
                let row = row(account, market, event, kind)?;
                let wanted = of.is_none() || row["category"].as_str() == of;
                wanted.then(|| json!({"topic": topic, "creationTime": event.at, "data": [row]}))
            });
            told.collect::<Vec<_>>()
        });
        for mut frame in frames {
            self.told += 1;
            frame["id"] = format!("8846ac01d2f7b3-{:04x}", self.told).into();
            desk.event(frame);
        }
    }
}

impl Session for Private {
    fn heard(&mut self, frame: Heard<'_>, desk: &mut Desk<'_>) {
        self.heard = desk.now;
        match frame {
            Heard::Text(text) => self.request(text, desk),
            Heard::Binary => desk.violation("a binary frame"),
            Heard::Ping | Heard::Pong(_) => {}
        }
    }

    fn turn(&mut self, desk: &mut Desk<'_>) {
        let (revision, state, now) = {
            let account = desk.world.account.lock();
            let now = desk.world.now();
            (account.revision, account.key.state_at(now), now)
        };
        // A key that only gained or lost a permission goes on.
        if self.login.is_some_and(|login| login != revision) && state != KeyState::Good {
            return desk.close(1000, "");
        }
        if desk.now - self.heard >= self.idle {
            desk.violation(format!("no ping within the idle time, at {now}"));
            return desk.close(1000, "");
        }
        for event in self.inbox.take(desk) {
            self.tell(&event, desk);
        }
    }

    fn subscriptions(&self) -> Vec<String> {
        self.topics.iter().cloned().collect()
    }
}

/// Why a login is refused, if so: the texts for a bad key and a bad signature are not documented.
fn refusal(args: &Value, desk: &Desk<'_>) -> Option<&'static str> {
    let text = |at: usize| match &args[at] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let (id, expires, signature) = (text(0), text(1), text(2));
    let now = desk.world.now();
    let key = desk.world.account.lock().key.clone();
    let lasts = expires.parse::<u64>().is_ok_and(|expires| expires > now);
    if desk.suffers(&Fault::RefuseLogins) || !lasts {
        return Some("Params Error");
    }
    if signature != hmac_hex(&key.secret, &["GET/realtime", &expires]) && id == key.id {
        return Some("Error sign, please check your signature generation algorithm.");
    }
    match key.state_at(now) {
        _ if id != key.id => Some("Invalid apikey"),
        KeyState::Unknown | KeyState::WrongEnvironment => Some("Invalid apikey"),
        KeyState::Expired => Some("Your api key has expired."),
        KeyState::AddressRefused => Some("Unmatched IP, please check your API key's bound IP addresses."),
        KeyState::Frozen => Some("User has been banned."),
        KeyState::Good if !key.read => Some("Permission denied, please check your API key permissions."),
        KeyState::Good => None,
    }
}

/// What an event is on a topic; `None`: nothing.
fn row(account: &Account, market: &Market, event: &Event, kind: &str) -> Option<Value> {
    match kind {
        "wallet" => {
            let changes = event.changes.iter().filter(|change| change.wallet == UNIFIED);
            let shown: Vec<_> = changes.map(|change| (change.asset.clone(), change.after)).collect();
            (!shown.is_empty()).then(|| rows::wallet(account, market, &shown))
        }
        "order" => event.order.as_ref().map(|order| rows::order(order, true)),
        "execution" => event.fill.as_ref().map(|fill| rows::execution(account, fill, true)),
        _ => {
            // It is told with every order, even when its size is the same; a mark that moves is not told.
            let order = event.order.as_ref().filter(|order| order.category != Category::Spot)?;
            let held = event.position.as_ref().or_else(|| account.books.position(order.category, &order.symbol));
            match held {
                Some(position) => Some(rows::position(position, true)),
                None => {
                    let mut row = rows::no_position(&order.symbol);
                    row["category"] = rows::category(order.category).into();
                    row["entryPrice"] = "0".into();
                    Some(row)
                }
            }
        }
    }
}

/// `30s` to `600s`, or minutes.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    let seconds = if unit == "m" { number * 60 } else { number };
    (matches!(unit, "s" | "m") && (30..=600).contains(&seconds)).then(|| Duration::from_secs(seconds))
}

fn echo(answer: &mut Value, request: &Value) {
    if let Some(id) = request.get("req_id") {
        answer["req_id"] = id.clone();
    }
}
