//! The private topics: nothing but changes, and each in the words of its side.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::futures::{self, MARKED};
use super::numbers::object;
use super::orders::{MILLION, role, side};
use super::wallets::{ACCOUNTS, ISOLATED, MARGIN, account_id};
use crate::account::{Books, Category, Cause, Event, Order, Role, Status};
use crate::fixed::Fixed;
use crate::world::World;

const USER: &str = "633559791e1cbc0001f319bc";
/// Those of spot; the last two never speak here.
const SPOT: [&str; 5] = [
    "/account/balance",
    "/spotMarket/tradeOrdersV2",
    "/spotMarket/tradeOrders",
    "/spotMarket/advancedOrders",
    "/margin/position",
];
/// Those of futures; the last three never speak here.
const FUTURES: [&str; 7] = [
    "/contractAccount/wallet",
    "/contractMarket/tradeOrders",
    "/contract/positionAll",
    "/contract/position",
    "/contractMarket/advancedOrders",
    "/contract/marginMode",
    "/contract/crossLeverage",
];
/// These may, or must, have a symbol.
const WITH_SYMBOL: [&str; 2] = ["/contractMarket/tradeOrders", "/contract/position"];

/// A topic and its symbol.
fn split(topic: &str) -> (&str, Option<&str>) {
    topic.split_once(':').map_or((topic, None), |(name, symbol)| (name, Some(symbol)))
}

/// Whether it is about an account, on either host.
pub(super) fn is_private(topic: &str) -> bool {
    is_on(topic, false) || is_on(topic, true)
}

pub(super) fn is_on(topic: &str, futures: bool) -> bool {
    let (name, symbol) = split(topic);
    let known = if futures { FUTURES.contains(&name) } else { SPOT.contains(&name) };
    known && (symbol.is_none() || WITH_SYMBOL.contains(&name)) && (symbol.is_some() || name != "/contract/position")
}

/// What an event is on the topics. In Unified mode these say nothing.
pub(super) fn frames(world: &World, topics: &BTreeSet<String>, event: &Event) -> Vec<String> {
    let account = world.account.lock();
    if account.key.has("unified") {
        return Vec::new();
    }
    let one = |topic: &String| {
        let (name, symbol) = split(topic);
        match name {
            "/account/balance" => balances(event),
            "/spotMarket/tradeOrdersV2" => spot_orders(event, topic, true),
            "/spotMarket/tradeOrders" => spot_orders(event, topic, false),
            "/contractAccount/wallet" => wallet(event, &account.books),
            "/contractMarket/tradeOrders" => futures_orders(event, topic, symbol),
            "/contract/positionAll" | "/contract/position" => positions(event, symbol),
            _ => Vec::new(),
        }
    };
    // Backwards by name: first the order, then the money, then the position.
    topics.iter().rev().flat_map(one).collect()
}

fn envelope(topic: &str, subject: &str, data: &Value) -> String {
    json!({
        "topic": topic, "type": "message", "subject": subject, "userId": USER, "channelType": "private", "data": data,
    })
    .to_string()
}

/// What happened to money, after the point.
const fn reason(cause: Cause) -> &'static str {
    match cause {
        Cause::Placed | Cause::Canceled | Cause::Rejected | Cause::Expired => "hold",
        Cause::Filled => "setted",
        Cause::Deposited => "deposit",
        Cause::Held => "withdraw_hold",
        Cause::Withdrawn => "withdraw_done",
        Cause::Transferred => "transfer",
        Cause::Borrowed | Cause::Marked => "other",
    }
}

/// One frame a currency and wallet. What is owed is not told.
fn balances(event: &Event) -> Vec<String> {
    let mut frames = Vec::new();
    for (number, change) in (0..).zip(&event.changes) {
        let wallet = change.wallet.as_str();
        let told = ACCOUNTS.contains(&wallet) || wallet == MARGIN || wallet.starts_with(ISOLATED);
        let (before, after) = (change.before, change.after);
        if !told || (before.free, before.locked) == (after.free, after.locked) {
            continue;
        }
        let context = event.order.as_ref().map_or_else(
            || json!({}),
            |order| match &event.fill {
                Some(fill) => json!({"symbol": order.symbol, "orderId": order.id, "tradeId": fill.id}),
                None => json!({"symbol": order.symbol, "orderId": order.id}),
            },
        );
        let id = (event.at * 1_000 + number).to_string();
        let data = json!({
            "accountId": account_id(wallet, &change.asset), "currency": change.asset, "total": after.total(), "available": after.free,
            "hold": after.locked, "availableChange": after.free - before.free, "holdChange": after.locked - before.locked,
            "relationContext": context, "relationEvent": format!("{wallet}.{}", reason(event.cause)), "relationEventId": id,
            "time": event.at.to_string(),
        });
        let frame = json!({
            "topic": "/account/balance", "type": "message", "subject": "account.balance", "id": id, "userId": USER,
            "channelType": "private", "data": data,
        });
        frames.push(frame.to_string());
    }
    frames
}

/// The types of the frames that an event is, with their status.
fn types(event: &Event, order: &Order, received: bool) -> Vec<(&'static str, &'static str)> {
    match (event.cause, order.status) {
        (Cause::Placed, _) if received => vec![("received", "new"), ("open", "open")],
        (Cause::Placed, _) => vec![("open", "open")],
        (Cause::Filled, Status::Filled) => vec![("match", "match"), ("filled", "done")],
        (Cause::Filled, _) => vec![("match", "match")],
        _ => vec![("canceled", "done")],
    }
}

fn spot_orders(event: &Event, topic: &str, received: bool) -> Vec<String> {
    let Some(order) = event.order.as_ref().filter(|order| order.category == Category::Spot) else { return Vec::new() };
    let types = types(event, order, received).into_iter();
    let frame = |(number, (kind, status)): (u64, (&str, &str))| {
        let mut data = json!({
            "orderId": order.id, "clientOid": "", "symbol": order.symbol, "side": side(order.side), "orderType": "limit",
            "originSize": order.quantity, "orderTime": order.created_at, "type": kind, "status": status,
            "ts": event.at * MILLION + number,
        });
        if kind != "received" {
            let canceled = kind == "canceled";
            let left = if canceled { Fixed::ZERO } else { order.remaining() };
            data["price"] = order.price.to_string().into();
            data["size"] = order.quantity.to_string().into();
            data["filledSize"] = order.filled.to_string().into();
            data["remainSize"] = left.to_string().into();
            data["canceledSize"] = if canceled { order.remaining() } else { Fixed::ZERO }.to_string().into();
            data["remainFunds"] = order.price.times(left).to_string().into();
        }
        matched(&mut data, event, kind);
        envelope(topic, "orderChange", &data)
    };
    (0..).zip(types).map(frame).collect()
}

/// What only a match tells: no fee, but whose it is.
fn matched(data: &mut Value, event: &Event, kind: &str) {
    let Some(fill) = event.fill.as_ref().filter(|_| kind == "match") else { return };
    data["matchPrice"] = fill.price.to_string().into();
    data["matchSize"] = fill.quantity.to_string().into();
    data["tradeId"] = fill.id.clone().into();
    data["liquidity"] = role(fill.role).into();
    data["feeType"] = if fill.role == Role::Maker { "makerFee" } else { "takerFee" }.into();
}

/// Everything is text, and every time in nanoseconds.
fn futures_orders(event: &Event, topic: &str, symbol: Option<&str>) -> Vec<String> {
    let meant = |order: &&Order| order.category != Category::Spot && symbol.is_none_or(|symbol| symbol == order.symbol);
    let Some(order) = event.order.as_ref().filter(meant) else { return Vec::new() };
    let subject = if symbol.is_some() { "symbolOrderChange" } else { "orderChange" };
    let types = types(event, order, false).into_iter();
    let frame = |(number, (kind, status)): (u64, (&str, &str))| {
        let canceled = kind == "canceled";
        let left = |yes: bool| if yes { order.remaining() } else { Fixed::ZERO };
        let mut data = json!({
            "orderId": order.id, "clientOid": "", "symbol": order.symbol, "side": side(order.side), "orderType": "limit", "type": kind,
            "status": status, "price": order.price, "size": order.quantity, "filledSize": order.filled, "remainSize": left(!canceled),
            "canceledSize": left(canceled), "marginMode": "ISOLATED", "positionSide": "BOTH",
            "tradeType": if canceled { "cancel" } else { "trade" }, "orderTime": order.created_at * MILLION,
            "ts": event.at * MILLION + number,
        });
        matched(&mut data, event, kind);
        envelope(topic, subject, &data)
    };
    (0..).zip(types).map(frame).collect()
}

/// The wallet of futures, also when only a price moved: then the version stays.
fn wallet(event: &Event, books: &Books) -> Vec<String> {
    let changed = event.changes.iter().filter(|change| change.wallet == futures::WALLET);
    let mut currencies: Vec<&str> = changed.map(|change| change.asset.as_str()).collect();
    currencies.extend(event.position.iter().map(|position| position.currency.as_str()));
    currencies.sort_unstable();
    currencies.dedup();
    let frame = |currency: &str| {
        let change = event.changes.iter().find(|it| it.wallet == futures::WALLET && it.asset == currency);
        let money = change.map_or_else(|| books.money(futures::WALLET, currency), |change| change.after);
        let (held, gain, bound) = (money.total(), books.unrealised(currency), futures::bound(books, currency));
        let free = (held - bound).max(Fixed::ZERO);
        let data = json!({
            "currency": currency, "equity": held + gain, "walletBalance": held, "isolatedUnPnl": gain, "crossUnPnl": "0",
            "isolatedPosMargin": bound, "isolatedOrderMargin": "0", "isolatedFundingFeeMargin": "0", "crossPosMargin": "0",
            "crossOrderMargin": "0", "holdBalance": "0", "totalCrossMargin": free, "availableBalance": free, "maxWithdrawAmount": free,
            "version": money.updated_at.to_string(), "timestamp": event.at.to_string(),
        });
        envelope("/contractAccount/wallet", "walletBalance.change", &data)
    };
    currencies.into_iter().map(frame).collect()
}

/// A change tells everything but is rare; a price that moved tells only what it moved, and no symbol.
fn positions(event: &Event, symbol: Option<&str>) -> Vec<String> {
    let meant = event.position.as_ref().filter(|position| symbol.is_none_or(|symbol| symbol == position.symbol));
    let Some(position) = meant else { return Vec::new() };
    let mut row = futures::position(position, event.at);
    if event.cause == Cause::Marked {
        row.texts = json!({"currentTimestamp": event.at, "settleCurrency": position.currency});
        row.numbers.truncate(MARKED);
    } else {
        row.texts["changeReason"] = "positionChange".into();
    }
    let data = object(&row.texts, &row.numbers);
    let head = json!({
        "topic": format!("/contract/position:{}", position.symbol), "type": "message", "subject": "position.change", "userId": USER,
        "channelType": "private",
    });
    vec![format!(r#"{},"data":{data}}}"#, head.to_string().trim_end_matches('}'))]
}
