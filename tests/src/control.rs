//! The same control over HTTP, below `/fake/`, for the demo.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::account;
use crate::fault::Fault;
use crate::fixed::Fixed;
use crate::http::{Reply, Request};
use crate::world::World;

/// A fault, and whom it strikes.
#[derive(Deserialize)]
struct Infliction {
    #[serde(flatten)]
    fault: Fault,
    /// Only the next connection or request.
    #[serde(default)]
    next: bool,
}

#[derive(Deserialize)]
struct Pair {
    base: String,
    quote: String,
}

#[derive(Deserialize)]
struct Symbol {
    symbol: String,
}

/// A symbol, or all, to another price: `{"symbol":"BTC-USDT","ratio":"1.02"}`.
#[derive(Deserialize)]
struct Tilt {
    symbol: Option<String>,
    ratio: Fixed,
}

#[derive(Deserialize)]
struct Freeze {
    frozen: bool,
}

/// Answers a request below `/fake/`.
pub(crate) fn answer(world: &World, request: &Request) -> Reply {
    if account::is_control(&request.path) {
        return account::control(world, request);
    }
    let done = match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/fake/ledger") => return Reply::json(200, &ledger(world, request.parameter("symbol"))),
        ("GET", "/fake/seen") => return seen(world),
        ("GET", "/fake/fault") => return Reply::json(200, &json!(world.faults.lock().lasting)),
        ("POST", "/fake/fault") => serde_json::from_slice(&request.body).map(|Infliction { fault, next }| {
            let mut faults = world.faults.lock();
            if next { faults.inflict_next(fault) } else { faults.inflict(fault) }
        }),
        ("DELETE", "/fake/fault") if request.body.is_empty() => {
            world.faults.lock().clear();
            Ok(())
        }
        ("DELETE", "/fake/fault") => {
            serde_json::from_slice(&request.body).map(|fault| world.faults.lock().clear_one(&fault))
        }
        ("POST", "/fake/list") => serde_json::from_slice(&request.body).map(|Pair { base, quote }| {
            let now = world.now();
            world.market.lock().list(world.venue, &base, &quote, now);
        }),
        ("POST", "/fake/delist") => serde_json::from_slice(&request.body).map(|Symbol { symbol }| {
            world.market.lock().delist(&symbol);
        }),
        ("POST", "/fake/tilt") => serde_json::from_slice(&request.body).map(|Tilt { symbol, ratio }| {
            world.market.lock().tilt(symbol.as_deref(), ratio);
        }),
        ("POST", "/fake/freeze") => serde_json::from_slice(&request.body).map(|Freeze { frozen }| world.freeze(frozen)),
        _ => return Reply::json(404, &json!({"error": "no such control"})),
    };
    match done {
        Ok(()) => Reply::json(200, &json!({"ok": true})),
        Err(error) => Reply::json(400, &json!({"error": error.to_string()})),
    }
}

fn ledger(world: &World, symbol: Option<String>) -> Value {
    let wanted = |map: &BTreeMap<String, _>| match &symbol {
        Some(symbol) => json!(map.get(symbol)),
        None => json!(map),
    };
    json!({"stream": wanted(&world.streamed.lock()), "rest": wanted(&world.quoted.lock())})
}

fn seen(world: &World) -> Reply {
    let seen = world.seen.lock();
    let mut shown = json!(*seen);
    shown["open"] = seen.open().into();
    Reply::json(200, &shown)
}
