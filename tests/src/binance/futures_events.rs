//! What the private stream of the futures in dollars tells: their wallet, orders and positions, and nothing else.

use serde_json::{Value, json};

use super::futures::{FUTURES, Kind, amount};
use super::spot::{client_id, id, places, side, status};
use crate::account::{Category, Cause, Change, Event, Fill, Order, Position, Role, Status};
use crate::fixed::Fixed;

/// All that is told of one event, in the order in which it is told.
pub(super) fn events(event: &Event) -> Vec<Value> {
    let order = event.order.as_ref().filter(|order| order.category == Category::Linear);
    let lite = order.zip(event.fill.as_ref()).map(|(order, fill)| trade(event, order, fill));
    let update = order.map(|order| order_update(event, order));
    lite.into_iter().chain(account_update(event)).chain(update).collect()
}

/// A trade in short, which comes first.
fn trade(event: &Event, order: &Order, fill: &Fill) -> Value {
    json!({
        "e": "TRADE_LITE", "E": event.at, "T": event.at, "s": order.symbol, "q": order.quantity, "p": order.price,
        "m": fill.role == Role::Maker, "c": client_id(order), "S": side(order.side), "L": fill.price, "l": fill.quantity,
        "t": fill.trade, "i": id(&order.id),
    })
}

/// Told when money or a position changed: not when an order only locks something, nor when a mark price moves.
fn account_update(event: &Event) -> Option<Value> {
    let ours = |change: &&Change| change.wallet == FUTURES && Kind::Dollars.has(&change.asset);
    let changes: Vec<&Change> = event.changes.iter().filter(ours).collect();
    let moved: Fixed = changes.iter().map(|change| change.difference()).sum();
    let position = event.position.as_ref();
    let position = position.filter(|it| it.category == Category::Linear && event.cause != Cause::Marked);
    if position.is_none() && moved.is_zero() {
        return None;
    }
    let reason = match event.cause {
        Cause::Filled => "ORDER",
        Cause::Deposited | Cause::Withdrawn | Cause::Transferred if moved < Fixed::ZERO => "WITHDRAW",
        Cause::Deposited | Cause::Withdrawn | Cause::Transferred => "DEPOSIT",
        _ => "ADJUSTMENT",
    };
    let balances = changes.iter().map(|change| {
        let total = places(change.after.total());
        // Gains and fees are left out here.
        let other = if event.cause == Cause::Filled { Fixed::ZERO } else { change.difference() };
        json!({"a": change.asset, "wb": total, "cw": total, "bc": places(other)})
    });
    let update = json!({
        "m": reason, "B": balances.collect::<Vec<_>>(), "P": position.map(position_row).into_iter().collect::<Vec<_>>(),
    });
    Some(json!({"e": "ACCOUNT_UPDATE", "E": event.at, "T": event.at, "a": update}))
}

/// One that was closed is told as nothing.
fn position_row(position: &Position) -> Value {
    let entry = if position.size.is_zero() { Fixed::ZERO } else { position.entry };
    json!({
        "s": position.symbol, "pa": amount(position), "ep": entry, "bep": entry, "cr": "-120.4", "up": places(position.unrealised),
        "mt": "cross", "iw": "0", "ps": "BOTH",
    })
}

fn order_update(event: &Event, order: &Order) -> Value {
    let fill = event.fill.as_ref();
    let of = |part: fn(&Fill) -> Fixed| fill.map(part).unwrap_or_default();
    // Refused after all is as if expired: futures know no other word.
    let (execution, status) = match event.cause {
        Cause::Filled => ("TRADE", status(order.status)),
        Cause::Canceled => ("CANCELED", status(order.status)),
        Cause::Rejected | Cause::Expired => ("EXPIRED", status(Status::Expired)),
        _ => ("NEW", status(order.status)),
    };
    let open = if order.status.is_open() { order.remaining().times(order.price) } else { Fixed::ZERO };
    let (bids, asks) = if side(order.side) == "BUY" { (open, Fixed::ZERO) } else { (Fixed::ZERO, open) };
    let mut told = json!({
        "s": order.symbol, "c": client_id(order), "S": side(order.side), "o": "LIMIT", "f": "GTC", "q": order.quantity,
        "p": order.price, "ap": order.average().unwrap_or_default(), "sp": "0", "x": execution, "X": status, "i": id(&order.id),
        "l": of(|fill| fill.quantity), "z": order.filled, "L": of(|fill| fill.price), "T": event.at,
        "t": fill.map_or(0, |fill| fill.trade), "b": bids, "a": asks, "m": fill.is_some_and(|fill| fill.role == Role::Maker),
        "R": false, "wt": "CONTRACT_PRICE", "ot": "LIMIT", "ps": "BOTH", "cp": false,
        "rp": fill.map_or(Fixed::ZERO, |fill| gain(event, fill)), "pP": false, "si": 0, "ss": 0, "V": "NONE", "pm": "NONE",
        "gtd": 0,
    });
    // Where nothing is paid, neither is told.
    if let Some(fill) = fill.filter(|fill| !fill.fee.is_zero()) {
        (told["n"], told["N"]) = (fill.fee.to_string().into(), fill.fee_asset.clone().into());
    }
    json!({"e": "ORDER_TRADE_UPDATE", "E": event.at, "T": event.at, "o": told})
}

/// What a fill won or lost, before its fee.
fn gain(event: &Event, fill: &Fill) -> Fixed {
    let same = |change: &&Change| change.wallet == FUTURES && change.asset == fill.fee_asset;
    event.changes.iter().find(same).map_or(Fixed::ZERO, |change| change.difference() + fill.fee)
}
