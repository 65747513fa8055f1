//! The private websocket of accounts in Unified mode: below `/uta`, where it has a host of its own.
//!
//! No ticket, but a login. Frames are binary, names are one or two letters, and times are in nanoseconds.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::orders::{MILLION, role, side};
use super::rest::Needs;
use super::unified::{JOINED, joined, usual};
use super::{signed, unified};
use crate::account::{Books, Category, Event, Fill, Inbox, Order, Position, Side, Status};
use crate::fault::Fault;
use crate::limiter::{Limit, Tally};
use crate::protocol::{Desk, Heard, Session, object};
use crate::world::{World, true_now};

/// Who pings more often is cut.
const PINGS: Limit = Limit::per_millis(1, 900);
/// A channel and what it is of.
const CHANNELS: [(&str, &str, &str); 6] = [
    ("balance", "accountType", "UNIFIED"),
    ("balance", "accountType", "FUNDING"),
    ("balance", "accountType", "ISOLATED"),
    ("orderAll", "tradeType", "UNIFIED"),
    ("execution", "tradeType", "UNIFIED"),
    ("positionAll", "tradeType", "UNIFIED"),
];

pub(super) struct Push {
    inbox: Inbox,
    welcomed: bool,
    logged_in: bool,
    opened: Instant,
    heard: Instant,
    pings: Tally,
    /// As the pushes name them.
    topics: BTreeSet<String>,
}

impl Push {
    pub(super) fn new(world: &World) -> Self {
        let now = Instant::now();
        Self {
            inbox: Inbox::new(world),
            welcomed: false,
            logged_in: false,
            opened: now,
            heard: now,
            pings: Tally::default(),
            topics: BTreeSet::new(),
        }
    }

    fn request(&mut self, text: &str, desk: &mut Desk<'_>) {
        let Some(request) = object(text).filter(|_| self.welcomed) else {
            return refuse(&Value::Null, "invalid request data", desk);
        };
        let id = request["id"].clone();
        match (request["op"].as_str(), request["type"].as_str(), request["action"].as_str()) {
            (Some("ping"), ..) | (_, Some("ping"), _) => {
                if self.pings.count(PINGS, 1, desk.now).is_none() {
                    desk.violation("more than one ping a second");
                    return desk.close(1000, "Bye");
                }
                desk.say(json!({"id": id, "type": "pong", "ts": desk.world.now() * MILLION}));
            }
            (Some("auth"), ..) => self.log_in(&id, &request, desk),
            (.., Some(action @ ("SUBSCRIBE" | "UNSUBSCRIBE"))) => self.subscribe(action == "SUBSCRIBE", &request, desk),
            _ => refuse(&id, "invalid request data", desk),
        }
    }

    fn log_in(&mut self, id: &Value, request: &Value, desk: &mut Desk<'_>) {
        let refusal = signed::login_refusal(desk.world, request, Needs::Unified);
        self.logged_in = refusal.is_none() && !desk.suffers(&Fault::RefuseLogins);
        if self.logged_in {
            return desk.acknowledge(json!({"id": id, "result": true}));
        }
        desk.say(json!({"id": id, "result": false, "reason": refusal.unwrap_or("login failed")}));
        desk.close(1000, "");
    }

    fn subscribe(&mut self, on: bool, request: &Value, desk: &mut Desk<'_>) {
        let id = request["id"].clone();
        if !self.logged_in {
            return refuse(&id, "login is required", desk);
        }
        let meant = |(channel, of, kind): &&(&str, &str, &str)| request["channel"] == *channel && request[*of] == *kind;
        let Some((channel, _, kind)) = CHANNELS.iter().find(meant).filter(|(channel, ..)| !desk.rejects(channel))
        else {
            return refuse(&id, "invalid request data", desk);
        };
        let topic = format!("{channel}.{kind}");
        if on {
            self.topics.insert(topic);
        } else {
            self.topics.remove(&topic);
        }
        desk.acknowledge(json!({"id": id, "result": true}));
    }

    fn tell(&self, event: &Event, desk: &mut Desk<'_>) {
        let books = desk.world.account.lock().books.clone();
        for topic in &self.topics {
            let rows = match topic.as_str() {
                "balance.UNIFIED" => balances(event, &books),
                "balance.FUNDING" => funding(event),
                "orderAll.UNIFIED" => event.order.iter().map(|it| order(it, event.fill.as_ref(), event.at)).collect(),
                "execution.UNIFIED" => event.fill.iter().map(execution).collect(),
                "positionAll.UNIFIED" => event.position.iter().map(|it| position(it, event.at)).collect(),
                _ => Vec::new(),
            };
            for row in rows {
                desk.event(json!({"T": topic, "P": event.at * MILLION, "d": row}));
            }
        }
    }
}

impl Session for Push {
    fn heard(&mut self, frame: Heard<'_>, desk: &mut Desk<'_>) {
        self.heard = desk.now;
        match frame {
            Heard::Text(text) => self.request(text, desk),
            Heard::Binary => refuse(&Value::Null, "invalid request data", desk),
            Heard::Ping | Heard::Pong(_) => {}
        }
    }

    fn turn(&mut self, desk: &mut Desk<'_>) {
        if !self.welcomed && desk.now - self.opened >= desk.world.times.welcome {
            self.welcomed = true;
            let (interval, timeout) = desk.world.times.ticket_ping;
            desk.say(json!({
                "sessionId": format!("{:x}", true_now()), "data": "welcome", "pingInterval": interval.as_millis() as u64,
                "pingTimeout": timeout.as_millis() as u64,
            }));
        }
        if desk.now - self.heard >= desk.world.times.idle {
            desk.violation("no ping in time");
            return desk.close(1000, "Bye");
        }
        for event in self.inbox.take(desk) {
            self.tell(&event, desk);
        }
    }

    fn subscriptions(&self) -> Vec<String> {
        self.topics.iter().cloned().collect()
    }

    fn is_binary(&self) -> bool {
        true
    }
}

fn refuse(id: &Value, reason: &str, desk: &mut Desk<'_>) {
    desk.violation(reason);
    desk.say(json!({"id": id, "result": false, "reason": reason}));
}

/// A row for every currency of the one wallet that changed.
fn balances(event: &Event, books: &Books) -> Vec<Value> {
    let changed = event.changes.iter().filter(|change| JOINED.contains(&change.wallet.as_str()));
    let mut currencies: Vec<&str> = changed.map(|change| usual(&change.asset)).collect();
    currencies.sort_unstable();
    currencies.dedup();
    let all = joined(books);
    let row = |currency: &str| {
        let (money, gain) = all.get(currency).copied().unwrap_or_default();
        json!({
            "c": currency, "e": money.net() + gain, "b": money.total(), "a": money.free, "h": money.locked,
            "l": money.borrowed + money.interest, "cS": "ENABLED", "U": event.at * MILLION,
        })
    };
    currencies.into_iter().map(row).collect()
}

/// Here the time is in milliseconds, and text.
fn funding(event: &Event) -> Vec<Value> {
    let changed = event.changes.iter().filter(|change| change.wallet == unified::FUNDING);
    let row = |change: &crate::account::Change| {
        let money = change.after;
        json!({
            "c": change.asset, "e": money.total(), "b": money.total(), "a": money.free, "h": money.locked, "l": "0",
            "U": event.at.to_string(),
        })
    };
    changed.map(row).collect()
}

fn kind(category: Category) -> &'static str {
    if category == Category::Spot { "SPOT" } else { "FUTURES" }
}

fn order(order: &Order, fill: Option<&Fill>, at: u64) -> Value {
    let (status, canceled) = match order.status {
        Status::New => (2, false),
        Status::PartiallyFilled => (4, false),
        Status::Filled => (3, false),
        _ if order.filled.is_zero() => (5, true),
        _ => (6, true),
    };
    let left = |yes: bool| if yes { order.remaining().to_string() } else { "0".to_owned() };
    let event = if fill.is_some() {
        "TRADE"
    } else if canceled {
        "CANCEL"
    } else {
        "NEW"
    };
    json!({
        "tT": kind(order.category), "oi": order.id, "ci": "", "os": status, "eT": event, "s": order.symbol,
        "S": side(order.side).to_uppercase(), "oT": "LIMIT", "lR": fill.map_or("", |fill| role(fill.role)).to_uppercase(), "oS": "USER",
        "p": order.price, "ti": fill.map_or("", |fill| fill.id.as_str()), "q": order.quantity,
        "qU": if order.category == Category::Spot { "BASECCY" } else { "UNIT" }, "fS": order.filled,
        "lS": fill.map(|fill| fill.quantity).unwrap_or_default(), "aP": order.average().unwrap_or_default(), "f": order.fee,
        "fC": order.fee_asset, "t": "0", "cR": if canceled { "USER" } else { "" }, "cS": left(canceled), "rS": left(!canceled), "stp": "",
        "rO": false, "tIF": "GTC", "pO": false, "O": (order.created_at * MILLION).to_string(), "U": at * MILLION,
    })
}

fn execution(fill: &Fill) -> Value {
    json!({
        "oi": fill.order_id, "s": fill.symbol, "S": side(fill.side).to_uppercase(), "oT": "LIMIT", "p": fill.price, "q": fill.quantity,
        "ti": fill.id, "E": fill.at * MILLION, "lR": role(fill.role).to_uppercase(), "f": fill.fee, "fC": fill.fee_asset, "fT": "NORMAL",
        "ci": "", "fP": "0",
    })
}

fn position(position: &Position, at: u64) -> Value {
    let size = if position.side == Side::Buy { position.size } else { -position.size };
    json!({
        "pi": position.id, "s": position.symbol, "mM": "CROSS", "q": size, "eP": position.entry, "pV": position.value(),
        "mP": position.mark, "lP": position.liquidation.unwrap_or_default(), "bP": position.liquidation.unwrap_or_default(),
        "l": position.leverage, "uPL": position.unrealised, "rPL": "-0.01122489", "iM": "6.0993333327234", "mmr": "0.007",
        "mtM": "0.128086", "pM": "0", "r": "0.02", "adl": "0.52", "U": at * MILLION, "O": position.opened_at * MILLION,
    })
}
