//! OKX v5: REST with a signature.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::rest::{error, ok};
use super::rows::{self, EARN, FUNDING, TRADING};
use crate::account::signing::hmac_base64;
use crate::account::{Account, Fill, KeyState, Order, dollars, equity};
use crate::clock::millis;
use crate::fault::{Fault, Limited};
use crate::http::{Reply, Request};
use crate::limiter::Limit;
use crate::market::Market;
use crate::protocol::Protocol as _;
use crate::world::World;

/// A timestamp may be off by this much.
const WINDOW: u64 = 30_000;
const DAY: u64 = 86_400_000;
const PAGE: usize = 100;

type Answer = fn(&World, &Request) -> Reply;

pub(super) fn answer(world: &World, request: &Request) -> Reply {
    let (limit, body): (Limit, Answer) = match request.path.as_str() {
        "/api/v5/account/balance" => (Limit::per_millis(10, 2_000), balance),
        "/api/v5/account/positions" => (Limit::per_millis(10, 2_000), positions),
        "/api/v5/account/config" => (Limit::per_millis(5, 2_000), config),
        "/api/v5/account/trade-fee" => (Limit::per_millis(5, 2_000), trade_fee),
        "/api/v5/asset/balances" => (Limit::per_millis(6, 1_000), asset_balances),
        "/api/v5/asset/asset-valuation" => (Limit::per_millis(1, 1_000), asset_valuation),
        "/api/v5/finance/savings/balance" => (Limit::per_millis(6, 1_000), savings),
        "/api/v5/trade/orders-pending" => (Limit::per_millis(60, 2_000), orders_pending),
        "/api/v5/trade/fills" => (Limit::per_millis(60, 2_000), |world, request| fills(world, request, 3 * DAY)),
        "/api/v5/trade/fills-history" => {
            (Limit::per_millis(10, 2_000), |world, request| fills(world, request, 90 * DAY))
        }
        path => {
            world.seen.lock().violations.push(format!("unknown path {path}"));
            return Reply::json(404, &json!({"code": "404", "data": [], "msg": "Not Found"}));
        }
    };
    if request.method != "GET" {
        world.seen.lock().violations.push(format!("{} {}", request.method, request.path));
        return error(405, "50115", "Invalid request type");
    }
    if !request.body.is_empty() {
        world.seen.lock().violations.push(format!("GET {} with a body", request.path));
    }
    if world.tallies.lock().of(&request.path).count(limit, 1, Instant::now()).is_none() {
        world.seen.lock().violations.push(format!("50011 {}", request.path));
        return super::Okx.limited(Limited::Plain);
    }
    if world.suffers(&Fault::Maintenance) {
        return error(503, "50001", "Service temporarily unavailable. Try again later");
    }
    match refusal(world, request) {
        Some((status, code, message)) => Reply::json(status, &json!({"msg": message, "code": code})),
        None => body(world, request),
    }
}

/// Why a request is not answered, if so.
fn refusal(world: &World, request: &Request) -> Option<(u16, &'static str, &'static str)> {
    let header = |name: &str| request.header(name).filter(|value| !value.is_empty());
    let Some(id) = header("OK-ACCESS-KEY") else {
        return Some((401, "50103", "Request header \"OK-ACCESS-KEY\" can not be empty."));
    };
    let Some(passphrase) = header("OK-ACCESS-PASSPHRASE") else {
        return Some((401, "50104", "Request header \"OK-ACCESS-PASSPHRASE\" can not be empty."));
    };
    let Some(signature) = header("OK-ACCESS-SIGN") else {
        return Some((401, "50106", "Request header \"OK-ACCESS-SIGN\" can not be empty."));
    };
    let Some(timestamp) = header("OK-ACCESS-TIMESTAMP") else {
        return Some((401, "50107", "Request header \"OK-ACCESS-TIMESTAMP\" can not be empty."));
    };
    let Some(at) = millis(timestamp) else {
        return Some((401, "50112", "Invalid OK-ACCESS-TIMESTAMP"));
    };
    let now = world.now();
    if at.abs_diff(now) > WINDOW {
        return Some((401, "50102", "Timestamp request expired"));
    }
    let key = world.account.lock().key.clone();
    let state = key.state_at(now);
    // A key that is gone is like one that never was.
    if id != key.id || matches!(state, KeyState::Unknown | KeyState::Expired) {
        return Some((401, "50119", "API key doesn't exist"));
    }
    let demo = header("x-simulated-trading") == Some("1");
    if demo != (state == KeyState::WrongEnvironment) {
        return Some((401, "50101", "APIKey does not match current environment."));
    }
    if passphrase != key.passphrase {
        return Some((401, "50105", "Request header \"OK-ACCESS-PASSPHRASE\" incorrect."));
    }
    let mark = if request.query.is_empty() { "" } else { "?" };
    let body = String::from_utf8_lossy(&request.body);
    let parts = [timestamp, &request.method, &request.path, mark, &request.query, &body];
    if signature != hmac_base64(&key.secret, &parts) {
        return Some((401, "50113", "Invalid Sign"));
    }
    match state {
        KeyState::AddressRefused => Some((401, "50110", "Invalid IP")),
        KeyState::Frozen => Some((400, "50100", "API frozen, please contact customer service.")),
        _ if !key.read => Some((200, "50120", "This API key doesn't have permission to use this function")),
        _ => None,
    }
}

/// The currencies of the `ccy` parameter, or all of `all`.
fn wanted(request: &Request, all: Vec<String>) -> Vec<String> {
    let Some(only) = request.parameter("ccy").filter(|only| !only.is_empty()) else { return all };
    all.into_iter().filter(|currency| only.split(',').any(|one| one == currency)).collect()
}

fn with_account<T>(world: &World, read: impl FnOnce(&Account, &Market, u64) -> T) -> T {
    world.deal(|account, market, now| read(account, market, now))
}

fn balance(world: &World, request: &Request) -> Reply {
    with_account(world, |account, market, now| {
        let shown = wanted(request, rows::currencies(&account.books));
        let money = |currency: &String| account.books.money(TRADING, currency);
        let details = shown.iter().map(|it| rows::detail(account, market, it, money(it), false)).collect();
        ok(&[rows::balance(account, market, details, now)])
    })
}

fn positions(world: &World, request: &Request) -> Reply {
    let kind = request.parameter("instType");
    let only = request.parameter("instId");
    with_account(world, |account, market, _| {
        let meant = account.books.positions.iter().filter(|position| {
            rows::is_kind(position.category, kind.as_deref())
                && only.as_ref().is_none_or(|only| only.split(',').any(|one| one == position.symbol))
        });
        ok(&meant.map(|position| rows::position(account, market, position)).collect::<Vec<_>>())
    })
}

fn config(world: &World, _: &Request) -> Reply {
    let key = world.account.lock().key.clone();
    let permissions = [("read_only", key.read), ("trade", key.trade), ("withdraw", key.withdraw)];
    let permissions: Vec<&str> = permissions.iter().filter(|(_, may)| *may).map(|(name, _)| *name).collect();
    ok(&[json!({
        "uid": UID, "mainUid": UID, "acctLv": "3", "posMode": "net_mode", "acctStpMode": "cancel_maker", "autoLoan": false,
        "ctIsoMode": "automatic", "mgnIsoMode": "automatic", "greeksType": "PA", "enableSpotBorrow": false, "spotBorrowAutoRepay": false,
        "ip": key.addresses.unwrap_or_default().join(","), "perm": permissions.join(","), "label": key.label, "level": "Lv1", "levelTmp": "",
        "kycLv": "3", "type": "0", "roleType": "0", "spotRoleType": "0", "opAuth": "0", "liquidationGear": "-1", "traderInsts": [],
        "spotTraderInsts": [], "spotOffsetType": "",
    })])
}

pub(super) const UID: &str = "61820374459211776";

fn trade_fee(world: &World, request: &Request) -> Reply {
    let Some(kind) = request.parameter("instType") else {
        return error(400, "50014", "Parameter instType can not be empty");
    };
    let fees = world.account.lock().books.fees;
    ok(&[json!({
        "level": "Lv1", "maker": -fees.maker, "taker": -fees.taker, "makerU": "", "takerU": "", "makerUSDC": "", "takerUSDC": "",
        "feeGroup": [], "instType": kind, "rpiMaker": "", "ts": world.now().to_string(),
    })])
}

fn asset_balances(world: &World, request: &Request) -> Reply {
    with_account(world, |account, _, _| {
        let held = account.books.assets(FUNDING).map(|(currency, _)| currency.to_owned()).collect();
        let row = |currency: &String| {
            let money = account.books.money(FUNDING, currency);
            json!({"ccy": currency, "bal": money.total(), "frozenBal": money.locked, "availBal": money.free})
        };
        ok(&wanted(request, held).iter().map(row).collect::<Vec<_>>())
    })
}

fn savings(world: &World, request: &Request) -> Reply {
    with_account(world, |account, _, _| {
        let held = account.books.assets(EARN).map(|(currency, _)| currency.to_owned()).collect();
        let row = |currency: &String| {
            let amount = account.books.money(EARN, currency).total();
            json!({
                "ccy": currency, "amt": amount, "earnings": "0.0010737388791526", "rate": "0.0100000000000000", "loanAmt": amount,
                "pendingAmt": "0", "redemptAmt": "",
            })
        };
        ok(&wanted(request, held).iter().map(row).collect::<Vec<_>>())
    })
}

/// Everything, in bitcoin unless asked otherwise.
fn asset_valuation(world: &World, request: &Request) -> Reply {
    let currency = request.parameter("ccy").unwrap_or_else(|| "BTC".to_owned());
    with_account(world, |account, market, now| {
        let Some(price) = dollars(account.venue, market, &currency) else {
            return error(400, "51000", "Parameter ccy error");
        };
        let funding = equity(account.venue, market, &account.books, FUNDING);
        let trading = rows::total(account, market);
        let earn = equity(account.venue, market, &account.books, EARN);
        ok(&[json!({
            "totalBal": (funding + trading + earn).over(price), "ts": now.to_string(),
            "details": {"funding": funding.over(price), TRADING: trading.over(price), "classic": "0", "earn": earn.over(price)},
        })])
    })
}

/// The rows after the one with the id `after`, the newest first.
fn page<T>(
    world: &World,
    request: &Request,
    newest_first: impl Iterator<Item = T>,
    known: impl Fn(&str) -> Option<u64>,
    number: impl Fn(&T) -> u64,
) -> Result<Vec<T>, Reply> {
    let asked = request.parameter("limit").map_or(Ok(PAGE), |limit| limit.parse());
    let Some(limit) = asked.ok().filter(|limit| (1..=PAGE).contains(limit)) else {
        world.seen.lock().violations.push(format!("{} with limit {:?}", request.path, request.parameter("limit")));
        return Err(error(400, "51000", "Parameter limit error"));
    };
    let before = match request.parameter("after") {
        None => u64::MAX,
        Some(id) => known(&id).unwrap_or_else(|| {
            world.seen.lock().violations.push(format!("{} after {id}, which there never was", request.path));
            0
        }),
    };
    Ok(newest_first.filter(|row| number(row) < before).take(limit).collect())
}

fn orders_pending(world: &World, request: &Request) -> Reply {
    let (kind, symbol, state) =
        (request.parameter("instType"), request.parameter("instId"), request.parameter("state"));
    let account = world.account.lock();
    let open = account.books.open_orders().rev().filter(|order| {
        rows::is_kind(order.category, kind.as_deref()) && symbol.as_ref().is_none_or(|only| *only == order.symbol)
    });
    let known = |id: &str| account.books.order(id).map(|order| order.number);
    let latest = |order: &Order| account.books.fills.iter().rfind(|fill| fill.order_id == order.id);
    match page(world, request, open, known, |order| order.number) {
        Err(refusal) => refusal,
        Ok(orders) => {
            let shown = orders.into_iter().map(|order| rows::order(order, latest(order)));
            let shown = shown.filter(|row| state.as_ref().is_none_or(|state| row["state"] == **state));
            ok(&shown.collect::<Vec<Value>>())
        }
    }
}

fn fills(world: &World, request: &Request, reach: u64) -> Reply {
    let kind = request.parameter("instType");
    let symbol = request.parameter("instId");
    let moment = |name: &str| request.parameter(name).and_then(|text| text.parse::<u64>().ok());
    let begin = moment("begin").unwrap_or(0).max(world.now().saturating_sub(reach));
    let end = moment("end").unwrap_or(u64::MAX);
    let account = world.account.lock();
    let meant = account.books.fills.iter().rev().filter(|fill| {
        rows::is_kind(fill.category, kind.as_deref())
            && symbol.as_ref().is_none_or(|only| *only == fill.symbol)
            && (begin..=end).contains(&fill.at)
    });
    let known = |id: &str| account.books.fills.iter().rfind(|fill| fill.id == id).map(|fill| fill.number);
    match page(world, request, meant, known, |fill: &&Fill| fill.number) {
        Err(refusal) => refusal,
        Ok(fills) => ok(&fills.into_iter().map(rows::fill).collect::<Vec<_>>()),
    }
}
