//! What the private stream tells: the spot wallet and its orders, and nothing of the other wallets.

use serde_json::{Value, json};

use super::spot::{EARN, SPOT, claim, client_id, id, places, side, status};
use crate::account::{Category, Cause, Change, Event, Fill, Order, Role};
use crate::fixed::Fixed;

/// All that is told of one event, in the order in which it is told.
pub(super) fn events(event: &Event) -> Vec<Value> {
    let mut told = Vec::new();
    if let Some(order) = event.order.as_ref().filter(|order| order.category == Category::Spot) {
        told.push(report(event, order));
    }
    let moved = event.changes.iter().filter(|change| change.wallet == SPOT);
    for change in moved {
        match event.cause {
            Cause::Deposited | Cause::Withdrawn | Cause::Transferred => {
                told.push(delta(event, "balanceUpdate", change, change.difference()));
            }
            Cause::Held => {
                told.push(delta(event, "externalLockUpdate", change, change.after.locked - change.before.locked))
            }
            _ => {}
        }
    }
    let rows: Vec<Value> = event.changes.iter().filter_map(row).collect();
    if !rows.is_empty() {
        told.push(json!({"e": "outboundAccountPosition", "E": event.at, "u": event.at, "B": rows}));
    }
    told
}

/// An asset as it is now; flexible savings are among them under their other name.
fn row(change: &Change) -> Option<Value> {
    let after = change.after;
    match change.wallet.as_str() {
        SPOT => Some(json!({"a": change.asset, "f": places(after.free), "l": places(after.locked)})),
        EARN => Some(json!({"a": claim(&change.asset), "f": places(after.free), "l": places(Fixed::ZERO)})),
        _ => None,
    }
}

fn delta(event: &Event, name: &str, change: &Change, by: Fixed) -> Value {
    json!({"e": name, "E": event.at, "a": change.asset, "d": places(by), "T": event.at})
}

fn report(event: &Event, order: &Order) -> Value {
    let fill = event.fill.as_ref();
    let of = |part: fn(&Fill) -> Fixed| places(fill.map(part).unwrap_or_default());
    let execution = match event.cause {
        Cause::Filled => "TRADE",
        Cause::Canceled => "CANCELED",
        Cause::Rejected => "REJECTED",
        Cause::Expired => "EXPIRED",
        _ => "NEW",
    };
    // Whoever takes an order back names it anew.
    let (client, original) = match event.cause {
        Cause::Canceled => (format!("cancel{}", order.number), client_id(order)),
        _ => (client_id(order), String::new()),
    };
    let mut report = json!({
        "e": "executionReport", "E": event.at, "s": order.symbol, "c": client, "S": side(order.side), "o": "LIMIT", "f": "GTC",
        "q": places(order.quantity), "p": places(order.price), "P": "0.00000000", "F": "0.00000000", "g": -1, "C": original,
        "x": execution, "X": status(order.status), "r": if event.cause == Cause::Rejected { "INSUFFICIENT_BALANCES" } else { "NONE" },
        "i": id(&order.id), "l": of(|fill| fill.quantity), "z": places(order.filled), "L": of(|fill| fill.price),
        "n": of(|fill| fill.fee), "N": fill.map(|fill| fill.fee_asset.as_str()), "T": event.at,
        "t": fill.map_or(-1, |fill| fill.trade as i64), "I": event.at - EXECUTIONS, "w": order.status.is_open(),
        "m": fill.is_some_and(|fill| fill.role == Role::Maker), "M": fill.is_some(), "O": order.created_at,
        "Z": places(order.quote_filled), "Y": of(|fill| fill.quote_volume), "Q": "0.00000000", "V": "NONE",
    });
    if event.cause != Cause::Rejected {
        report["W"] = order.created_at.into();
    }
    if event.cause == Cause::Expired {
        report["eR"] = 1.into();
    }
    report
}

/// Executions are numbered; no two events have the same time.
const EXECUTIONS: u64 = 1_500_000_000_000;
