//! OKX v5: the private websocket.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::news::{account_row, account_snapshot, order_row, position_row, summary, summary_row, timed};
use super::rows::{self, TRADING};
use super::signed::UID;
use super::{ARGS_BYTES, REQUESTS, echo, is_id};
use crate::account::signing::hmac_base64;
use crate::account::{Event, Inbox, KeyState};
use crate::fault::Fault;
use crate::limiter::Tally;
use crate::protocol::{Desk, Heard, Session, object};
use crate::world::{World, true_now};

/// Regular pushes are so far apart where the client does not say.
const REGULAR: Duration = Duration::from_secs(5);
/// Currencies on a page of a snapshot.
const PAGE: usize = 5;
/// A login may be off by this many seconds.
const WINDOW: u64 = 30;
const CHANNELS: [&str; 4] = ["account", "positions", "orders", "balance_and_position"];

/// One subscription: `account`, `positions`, `orders` or `balance_and_position`.
pub(super) struct Subscription {
    channel: &'static str,
    /// The answer's and the pushes'.
    pub(super) arg: Value,
    /// Only instruments of this type.
    pub(super) kind: Option<String>,
    /// Between regular pushes, and when the next one is due.
    regular: Option<(Duration, Instant)>,
}

pub(super) struct Private {
    connection: String,
    requests: Tally,
    /// When the server last sent anything.
    spoke: Instant,
    /// The revision of the key that logged in.
    login: Option<u64>,
    inbox: Inbox,
    subscriptions: BTreeMap<String, Subscription>,
}

impl Private {
    pub(super) fn new(world: &World) -> Self {
        Self {
            connection: format!("{:08x}", true_now() as u32),
            requests: Tally::default(),
            spoke: Instant::now(),
            login: None,
            inbox: Inbox::new(world),
            subscriptions: BTreeMap::new(),
        }
    }

    fn request(&mut self, text: &str, desk: &mut Desk<'_>) {
        let request = object(text).unwrap_or_default();
        let id = request.get("id");
        let Some(args) = request["args"].as_array().filter(|args| !args.is_empty()) else {
            return self.wrong(None, "60012", &format!("Invalid request: {text}"), desk);
        };
        if id.is_some_and(|id| !is_id(id)) {
            return self.wrong(None, "60012", &format!("Invalid request: {text}"), desk);
        }
        if self.requests.count(REQUESTS, 1, desk.now).is_none() {
            return self.wrong(id, "60014", "Requests too frequent", desk);
        }
        if request["args"].to_string().len() > ARGS_BYTES {
            desk.violation("args over 64 KB");
            return desk.close(1009, "Request message exceeds the maximum frame length");
        }
        match request["op"].as_str() {
            Some("login") => self.log_in(&args[0], id, desk),
            Some("subscribe" | "unsubscribe") if self.login.is_none() => self.wrong(id, "60011", "Please log in", desk),
            Some("subscribe") => {
                // A snapshot is never older than what is told after it.
                self.tell_all(desk);
                args.iter().for_each(|arg| self.subscribe(arg, id, desk));
            }
            Some("unsubscribe") => args.iter().for_each(|arg| self.unsubscribe(arg, id, desk)),
            op => self.wrong(id, "60019", &format!("Invalid op: {op:?}"), desk),
        }
    }

    fn log_in(&mut self, arg: &Value, id: Option<&Value>, desk: &mut Desk<'_>) {
        if self.login.is_some() {
            return self.wrong(
                id,
                "60031",
                "The WebSocket endpoint does not support multiple account batch login.",
                desk,
            );
        }
        match refusal(arg, desk) {
            None => {
                self.login = Some(desk.world.account.lock().revision);
                // What happened before is not told.
                self.inbox = Inbox::new(desk.world);
                let mut answer = json!({"event": "login", "code": "0", "msg": "", "connId": self.connection});
                echo(&mut answer, id);
                desk.acknowledge(answer);
            }
            Some((code, message)) => {
                self.error(id, code, message, desk);
                desk.close(4001, "Login failed.");
            }
        }
    }

    fn subscribe(&mut self, arg: &Value, id: Option<&Value>, desk: &mut Desk<'_>) {
        let name = arg["channel"].as_str().unwrap_or_default();
        let kind = arg["instType"].as_str();
        let by_kind = matches!(name, "positions" | "orders");
        let known = CHANNELS.into_iter().find(|channel| *channel == name).filter(|_| !by_kind || kind.is_some());
        let Some(channel) = known.filter(|_| !desk.rejects(name)) else {
            let message = format!(
                "Subscribe failed, wrong URL or channel:{name} doesn't exist. Please use the correct URL, channel and parameters referring to API document."
            );
            return self.wrong(id, "60018", &message, desk);
        };
        let mut shown = arg.clone();
        let extra = shown.as_object_mut().and_then(|arg| arg.remove("extraParams"));
        let mut answer = json!({"event": "subscribe", "arg": shown, "connId": self.connection});
        echo(&mut answer, id);
        desk.acknowledge(answer);
        desk.acknowledge(json!({
            "event": "channel-conn-count", "channel": channel, "connCount": "1", "connId": self.connection,
        }));
        let regular = match (channel, interval(extra.as_ref())) {
            ("account" | "positions", Some(0)) | ("orders" | "balance_and_position", _) => None,
            ("positions", Some(millis)) => Some(Duration::from_millis(millis)),
            _ => Some(REGULAR),
        };
        shown["uid"] = UID.into();
        let subscription = Subscription {
            channel,
            arg: shown,
            kind: kind.map(str::to_owned),
            regular: regular.map(|every| (every, desk.now + every)),
        };
        self.snapshot(&subscription, desk);
        self.subscriptions.insert(key(arg), subscription);
    }

    fn unsubscribe(&mut self, arg: &Value, id: Option<&Value>, desk: &mut Desk<'_>) {
        self.subscriptions.remove(&key(arg));
        let mut answer = json!({"event": "unsubscribe", "arg": arg, "connId": self.connection});
        echo(&mut answer, id);
        desk.acknowledge(answer);
    }

    /// The whole state; orders have none.
    fn snapshot(&self, subscription: &Subscription, desk: &mut Desk<'_>) {
        if desk.suffers(&Fault::Silent) {
            return;
        }
        let world = desk.world;
        let frames = world.deal(|account, market, now| match subscription.channel {
            "account" => account_snapshot(account, market, now, subscription, world.options.page_size.unwrap_or(PAGE)),
            "positions" => {
                let meant = account
                    .books
                    .positions
                    .iter()
                    .filter(|position| rows::is_kind(position.category, subscription.kind.as_deref()));
                let rows: Vec<Value> = meant.map(|position| timed(account, market, position, now)).collect();
                vec![json!({"arg": subscription.arg, "eventType": "snapshot", "curPage": 1, "lastPage": true, "data": rows})]
            }
            "balance_and_position" => {
                let balances: Vec<Value> = account
                    .books
                    .assets(TRADING)
                    .map(|(currency, money)| json!({"ccy": currency, "cashBal": money.total(), "uTime": money.updated_at.to_string()}))
                    .collect();
                let positions: Vec<Value> = account.books.positions.iter().map(summary).collect();
                let row = json!({
                    "pTime": now.to_string(), "eventType": "snapshot", "balData": balances, "posData": positions, "trades": [],
                });
                vec![json!({"arg": subscription.arg, "data": [row]})]
            }
            _ => Vec::new(),
        });
        frames.into_iter().for_each(|frame| desk.event(frame));
    }

    fn tell_all(&mut self, desk: &mut Desk<'_>) {
        for event in self.inbox.take(desk) {
            self.tell(&event, desk);
        }
    }

    /// Tells what happened, on every channel that tells it.
    fn tell(&self, event: &Event, desk: &mut Desk<'_>) {
        let frames = desk.world.deal(|account, market, now| {
            let told = self.subscriptions.values().filter_map(|subscription| {
                let row = match subscription.channel {
                    "orders" => order_row(event, subscription)?,
                    "account" => account_row(account, market, event)?,
                    "positions" => position_row(account, market, event, subscription, now)?,
                    _ => summary_row(event, now)?,
                };
                let mut frame = json!({"arg": subscription.arg, "data": [row]});
                if matches!(subscription.channel, "account" | "positions") {
                    frame["eventType"] = "event_update".into();
                }
                Some(frame)
            });
            told.collect::<Vec<_>>()
        });
        frames.into_iter().for_each(|frame| desk.event(frame));
    }

    fn push_regularly(&mut self, desk: &mut Desk<'_>) {
        let mut due = Vec::new();
        for (key, subscription) in &mut self.subscriptions {
            if let Some((every, next)) = &mut subscription.regular
                && *next <= desk.now
            {
                *next = desk.now + *every;
                due.push(key.clone());
            }
        }
        due.iter().filter_map(|key| self.subscriptions.get(key)).for_each(|it| self.snapshot(it, desk));
    }

    /// An error that only a client's mistake brings about.
    fn wrong(&self, id: Option<&Value>, code: &str, message: &str, desk: &mut Desk<'_>) {
        desk.violation(format!("{code} {message}"));
        self.error(id, code, message, desk);
    }

    fn error(&self, id: Option<&Value>, code: &str, message: &str, desk: &mut Desk<'_>) {
        let mut answer = json!({"event": "error", "code": code, "msg": message, "connId": self.connection});
        echo(&mut answer, id);
        desk.acknowledge(answer);
    }
}

impl Session for Private {
    fn heard(&mut self, frame: Heard<'_>, desk: &mut Desk<'_>) {
        match frame {
            Heard::Text("ping") => desk.say("pong"),
            Heard::Text(text) => self.request(text, desk),
            Heard::Binary => self.wrong(None, "60012", "Invalid request", desk),
            Heard::Ping | Heard::Pong(_) => {}
        }
        if !desk.actions.is_empty() {
            self.spoke = desk.now;
        }
    }

    fn turn(&mut self, desk: &mut Desk<'_>) {
        let revision = desk.world.account.lock().revision;
        if self.login.is_some_and(|login| login != revision) {
            return desk.close(4007, "API key was updated or deleted.");
        }
        self.tell_all(desk);
        self.push_regularly(desk);
        if !desk.actions.is_empty() {
            self.spoke = desk.now;
        } else if desk.now - self.spoke >= desk.world.times.idle {
            desk.violation("nothing was pushed and no ping came within the idle time");
            desk.close(4004, "No data received in 30s.");
        }
    }

    fn announce(&mut self, desk: &mut Desk<'_>) {
        let message = "The connection will soon be closed for a service upgrade. Please reconnect.";
        desk.say(json!({"event": "notice", "code": "64008", "msg": message, "connId": self.connection}));
    }

    fn subscriptions(&self) -> Vec<String> {
        self.subscriptions.keys().cloned().collect()
    }
}

/// Why a login is refused, if so.
fn refusal(arg: &Value, desk: &Desk<'_>) -> Option<(&'static str, &'static str)> {
    let now = desk.world.now();
    let key = desk.world.account.lock().key.clone();
    let state = key.state_at(now);
    let text = |name: &str| match &arg[name] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let timestamp = text("timestamp");
    let seconds = timestamp.parse::<u64>();
    if desk.suffers(&Fault::RefuseLogins) {
        return Some(("60009", "Login failed."));
    }
    if text("apiKey") != key.id || matches!(state, KeyState::Unknown | KeyState::Expired) {
        return Some(("60005", "Invalid apiKey"));
    }
    let Ok(seconds) = seconds else { return Some(("60004", "Invalid timestamp")) };
    if seconds.abs_diff(now / 1_000) > WINDOW {
        return Some(("60006", "Timestamp request expired"));
    }
    if state == KeyState::WrongEnvironment {
        return Some(("50101", "APIKey does not match current environment."));
    }
    if text("passphrase") != key.passphrase {
        return Some(("60024", "Wrong passphrase"));
    }
    if text("sign") != hmac_base64(&key.secret, &[&timestamp, "GET/users/self/verify"]) {
        return Some(("60007", "Invalid sign"));
    }
    (state != KeyState::Good || !key.read).then_some(("60009", "Login failed."))
}

/// The name of a subscription.
fn key(arg: &Value) -> String {
    let name = arg["channel"].as_str().unwrap_or_default();
    arg["instType"].as_str().map_or_else(|| name.to_owned(), |kind| format!("{name}:{kind}"))
}

/// The update interval in the JSON within a text.
fn interval(extra: Option<&Value>) -> Option<u64> {
    object(extra?.as_str()?)?["updateInterval"].as_str()?.parse().ok()
}
