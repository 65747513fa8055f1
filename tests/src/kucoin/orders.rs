//! Orders and fills.

use serde_json::{Value, json};

use super::numbers::object;
use super::rest::{Data, bad, page, unknown};
use crate::account::{Category, Fill, Order, Position, Role, Side};
use crate::fixed::Fixed;
use crate::http::{Reply, Request};
use crate::ledger::text;
use crate::world::World;

pub(super) const MILLION: u64 = 1_000_000;
const DAY: u64 = 86_400_000;
/// The numbers of fills begin here.
const FIRST_FILL: u64 = 19_814_995_255_000;

pub(super) const fn side(side: Side) -> &'static str {
    if matches!(side, Side::Buy) { "buy" } else { "sell" }
}

pub(super) const fn role(role: Role) -> &'static str {
    if matches!(role, Role::Maker) { "maker" } else { "taker" }
}

pub(super) fn settles_in(category: Category) -> &'static str {
    if category == Category::Inverse { "XBT" } else { "USDT" }
}

fn spot_order(order: &Order) -> String {
    json!({
        "id": order.id, "clientOid": "", "symbol": order.symbol, "opType": "DEAL", "type": "limit", "side": side(order.side),
        "price": order.price, "size": order.quantity, "funds": order.price.times(order.quantity), "dealSize": order.filled,
        "dealFunds": order.quote_filled, "fee": order.fee, "feeCurrency": order.fee_asset, "remainSize": order.remaining(),
        "remainFunds": order.price.times(order.remaining()), "cancelledSize": "0", "cancelledFunds": "0", "timeInForce": "GTC",
        "postOnly": false, "hidden": false, "iceberg": false, "visibleSize": "0", "cancelAfter": 0, "channel": "API", "remark": null,
        "tags": null, "tax": "0", "tradeType": "TRADE", "inOrderBook": true, "active": order.status.is_open(), "cancelExist": false,
        "createdAt": order.created_at, "lastUpdatedAt": order.updated_at, "stp": null,
    })
    .to_string()
}

/// The symbols with open orders.
pub(super) fn symbols(world: &World, _: &Request) -> Data {
    let account = world.account.lock();
    let open = account.books.open_orders().filter(|order| order.category == Category::Spot);
    let mut symbols: Vec<&str> = open.map(|order| order.symbol.as_str()).collect();
    symbols.sort_unstable();
    symbols.dedup();
    Ok(json!({"symbols": symbols}).to_string())
}

/// The symbol, which must be given and be one.
fn symbol(world: &World, request: &Request) -> Result<String, Reply> {
    let symbol = request.parameter("symbol").filter(|symbol| !symbol.is_empty());
    let symbol = symbol.ok_or_else(|| bad(world, request, "symbol can not be empty"))?;
    let known = world.market.lock().find(&symbol).is_some();
    if known { Ok(symbol) } else { Err(unknown()) }
}

/// The newest first.
fn open(world: &World, request: &Request) -> Result<Vec<String>, Reply> {
    let symbol = symbol(world, request)?;
    let account = world.account.lock();
    let open = account.books.open_orders().rev();
    let meant = open.filter(|order| order.category == Category::Spot && order.symbol == symbol);
    Ok(meant.map(spot_order).collect())
}

pub(super) fn active(world: &World, request: &Request) -> Data {
    Ok(format!("[{}]", open(world, request)?.join(",")))
}

pub(super) fn active_page(world: &World, request: &Request) -> Data {
    page(world, request, "pageNum", (20, 100), &open(world, request)?)
}

/// There are none here.
pub(super) fn stops(world: &World, request: &Request) -> Data {
    page(world, request, "currentPage", (50, 500), &[])
}

fn spot_fill(fill: &Fill) -> Value {
    let trade = fill.id.parse::<u64>().unwrap_or_default();
    json!({
        "id": FIRST_FILL + fill.number, "orderId": fill.order_id, "counterOrderId": "6717422bd51c29000775ea02", "tradeId": trade,
        "symbol": fill.symbol, "side": side(fill.side), "liquidity": role(fill.role), "forceTaker": false, "type": "limit",
        "price": fill.price, "size": fill.quantity, "funds": fill.quote_volume, "fee": fill.fee, "feeRate": fill.fee_rate,
        "feeCurrency": fill.fee_asset, "stop": "", "taxRate": "0", "tax": "0", "tradeType": "TRADE", "createdAt": fill.at,
    })
}

/// A moment among the parameters.
fn moment(request: &Request, name: &str) -> Option<u64> {
    request.parameter(name)?.parse().ok()
}

/// The newest first, those before the one numbered `lastId`, no older than seven days.
pub(super) fn fills(world: &World, request: &Request) -> Data {
    let symbol = symbol(world, request)?;
    let limit = request.parameter("limit").map_or(Ok(20), |limit| limit.parse());
    let Some(limit) = limit.ok().filter(|limit| (1..=100).contains(limit)) else {
        return Err(bad(world, request, "limit must be between 1 and 100"));
    };
    let before = match request.parameter("lastId") {
        None => u64::MAX,
        Some(id) => id.parse().map_err(|_| bad(world, request, "lastId is no number"))?,
    };
    let end = moment(request, "endAt").unwrap_or_else(|| world.now());
    let begin = moment(request, "startAt").unwrap_or(0).max(end.saturating_sub(7 * DAY));
    let account = world.account.lock();
    let meant = account.books.fills.iter().rev().filter(|fill| {
        fill.category == Category::Spot
            && fill.symbol == symbol
            && FIRST_FILL + fill.number < before
            && (begin..=end).contains(&fill.at)
    });
    let rows: Vec<Value> = meant.take(limit).map(spot_fill).collect();
    let last = rows.last().map_or(json!(0), |row| row["id"].clone());
    Ok(json!({"items": rows, "lastId": last}).to_string())
}

/// What a number of contracts is worth at a price, in the currency that they settle in.
pub(super) fn worth(category: Category, size: Fixed, contract_size: Fixed, price: Fixed) -> Fixed {
    let units = size.times(contract_size);
    if category == Category::Inverse { units.over(price) } else { units.times(price) }
}

fn contract_size(symbol: &str) -> Fixed {
    let mut contracts = crate::account::contracts(crate::Venue::Kucoin);
    contracts.find(|contract| contract.symbol == symbol).map_or(Fixed::ONE, |contract| contract.contract_size)
}

fn futures_order(order: &Order, positions: &[Position]) -> String {
    let value = |size: Fixed| worth(order.category, size, contract_size(&order.symbol), order.price).to_string();
    let position = positions.iter().find(|position| position.symbol == order.symbol);
    let leverage = position.map_or(Fixed::from(3), |position| position.leverage);
    let open = order.status.is_open();
    let texts = json!({
        "id": order.id, "symbol": order.symbol, "type": "limit", "side": side(order.side), "price": order.price,
        "value": value(order.quantity), "dealValue": value(order.filled), "filledValue": value(order.filled), "stp": "", "stop": "",
        "stopPriceType": "", "stopTriggered": false, "stopPrice": null, "timeInForce": "GTC", "postOnly": false, "hidden": false,
        "iceberg": false, "leverage": leverage, "forceHold": false, "closeOrder": false, "visibleSize": "0", "clientOid": "",
        "remark": null, "tags": null, "isActive": open, "cancelExist": !open && !order.remaining().is_zero(),
        "createdAt": order.created_at, "updatedAt": order.updated_at, "endAt": (!open).then_some(order.updated_at),
        "orderTime": order.created_at * MILLION, "settleCurrency": settles_in(order.category), "marginMode": "ISOLATED",
        "positionSide": "BOTH", "avgDealPrice": text(order.average()), "status": if open { "open" } else { "done" },
        "reduceOnly": false,
    });
    object(&texts, &[("size", order.quantity), ("dealSize", order.filled), ("filledSize", order.filled)])
}

pub(super) fn futures(world: &World, request: &Request) -> Data {
    let (status, symbol) = (request.parameter("status"), request.parameter("symbol"));
    if !matches!(status.as_deref(), None | Some("active" | "done")) {
        return Err(bad(world, request, "status is active or done"));
    }
    let books = world.account.lock().books.clone();
    let meant = books.orders.iter().rev().filter(|order| {
        order.category != Category::Spot
            && status.as_deref().is_none_or(|status| order.status.is_open() == (status == "active"))
            && symbol.as_deref().is_none_or(|symbol| order.symbol == symbol)
    });
    let rows: Vec<String> = meant.map(|order| futures_order(order, &books.positions)).collect();
    page(world, request, "currentPage", (50, 1_000), &rows)
}

fn futures_fill(fill: &Fill) -> String {
    let texts = json!({
        "symbol": fill.symbol, "tradeId": fill.id, "orderId": fill.order_id, "side": side(fill.side), "liquidity": role(fill.role),
        "forceTaker": false, "price": fill.price, "value": worth(fill.category, fill.quantity, contract_size(&fill.symbol), fill.price),
        "fee": fill.fee, "feeRate": fill.fee_rate, "feeCurrency": fill.fee_asset, "fixFee": "0", "openFeePay": fill.fee,
        "closeFeePay": "0", "stop": "", "orderType": "limit", "displayType": "limit", "tradeType": "trade", "subTradeType": null,
        "settleCurrency": settles_in(fill.category), "marginMode": "ISOLATED", "positionSide": "BOTH", "tradeTime": fill.at * MILLION,
        "createdAt": fill.at,
    });
    object(&texts, &[("size", fill.quantity)])
}

fn recent(world: &World, request: &Request, since: u64) -> Vec<String> {
    let symbol = request.parameter("symbol");
    let account = world.account.lock();
    let meant = account.books.fills.iter().rev().filter(|fill| {
        fill.category != Category::Spot
            && fill.at >= since
            && symbol.as_deref().is_none_or(|symbol| fill.symbol == symbol)
    });
    meant.map(futures_fill).collect()
}

pub(super) fn futures_fills(world: &World, request: &Request) -> Data {
    let since = moment(request, "startAt").unwrap_or_else(|| world.now().saturating_sub(7 * DAY));
    page(world, request, "currentPage", (50, 1_000), &recent(world, request, since))
}

pub(super) fn recent_fills(world: &World, request: &Request) -> Data {
    let rows = recent(world, request, world.now().saturating_sub(DAY));
    Ok(format!("[{}]", rows.into_iter().take(1_000).collect::<Vec<_>>().join(",")))
}
