//! An account in Unified mode: one wallet for spot, margin and futures, one for funding.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::futures::bound;
use super::orders::{MILLION, role, side};
use super::rest::{Data, bad};
use super::wallets::with_account;
use crate::account::{Account, Books, Category, Money, Side, dollars};
use crate::fixed::Fixed;
use crate::http::Request;
use crate::market::Market;
use crate::world::World;

/// The wallets of the Classic mode that are one here.
pub(super) const JOINED: [&str; 3] = ["trade", "margin", "futures"];

/// The other wallet.
pub(super) const FUNDING: &str = "main";

/// The currency of futures goes by its usual name here.
pub(super) fn usual(currency: &str) -> &str {
    if currency == "XBT" { "BTC" } else { currency }
}

/// What the unified wallet holds and owes, and the profits not taken.
pub(super) fn joined(books: &Books) -> BTreeMap<String, (Money, Fixed)> {
    let mut all: BTreeMap<String, (Money, Fixed)> = BTreeMap::new();
    for (asset, money) in JOINED.iter().flat_map(|wallet| books.assets(wallet)) {
        let (sum, _) = all.entry(usual(asset).to_owned()).or_default();
        sum.free += money.free;
        sum.locked += money.locked;
        sum.borrowed += money.borrowed;
        sum.interest += money.interest;
    }
    for position in &books.positions {
        all.entry(usual(&position.currency).to_owned()).or_default().1 += position.unrealised;
    }
    all
}

pub(super) fn mode(world: &World, _: &Request) -> Data {
    let unified = world.account.lock().key.has("unified");
    let mode = if unified { "UNIFIED" } else { "CLASSIC" };
    Ok(json!({"selfAccountMode": mode, "unifiedSubAccount": [], "classicSubAccount": [165_112_000]}).to_string())
}

/// In dollars; what has no price counts for nothing.
pub(super) fn overview(world: &World, _: &Request) -> Data {
    with_account(world, |account, market, _| {
        let worth = |of: fn(&Money, Fixed) -> Fixed| -> Fixed {
            let assets = joined(&account.books);
            let worth = |(asset, (money, gain)): (&String, &(Money, Fixed))| {
                Some(of(money, *gain).times(dollars(account.venue, market, asset)?))
            };
            assets.iter().filter_map(worth).sum()
        };
        let (equity, owed) =
            (worth(|money, gain| money.net() + gain), worth(|money, _| money.borrowed + money.interest));
        let margin = initial(account, market);
        Ok(json!({
            "accountType": "UNIFIED", "riskRatio": "0.02", "equity": equity, "adjustedEquity": equity.times(Fixed::new(98, 2)),
            "liability": owed, "availableMargin": equity - margin, "im": margin, "mm": margin.over(Fixed::from(2)),
        })
        .to_string())
    })
}

fn initial(account: &Account, market: &Market) -> Fixed {
    let worth = |currency| Some(bound(&account.books, currency).times(dollars(account.venue, market, currency)?));
    ["USDT", "USDC", "XBT"].into_iter().filter_map(worth).sum()
}

pub(super) fn balance(world: &World, _: &Request) -> Data {
    let (now, books) = (world.now(), world.account.lock().books.clone());
    let rows = joined(&books).into_iter().map(|(asset, (money, gain))| {
        json!({
            "currency": asset, "equity": money.net() + gain, "hold": money.locked, "balance": money.total(), "available": money.free,
            "liability": money.borrowed + money.interest, "potentialBorrow": "0", "collateralStatus": "ENABLED",
        })
    });
    let accounts = json!([{"currencies": rows.collect::<Vec<_>>()}]);
    Ok(json!({"accountType": "UNIFIED", "ts": now, "accounts": accounts}).to_string())
}

/// The funding wallet, which there is in either mode.
pub(super) fn funding(world: &World, request: &Request) -> Data {
    if request.parameter("accountType").as_deref() != Some("FUNDING") {
        return Err(bad(world, request, "accountType is not supported"));
    }
    let (now, books) = (world.now(), world.account.lock().books.clone());
    let row = |(asset, money): (&str, Money)| json!({"currency": asset, "balance": money.total(), "available": money.free, "locked": money.locked});
    let rows: Vec<Value> = books.assets(FUNDING).map(row).collect();
    Ok(json!({"accountType": "FUNDING", "ts": now, "accounts": [{"currencies": rows}]}).to_string())
}

pub(super) fn positions(world: &World, request: &Request) -> Data {
    let only = request.parameter("symbol");
    let account = world.account.lock();
    let meant = account.books.positions.iter();
    let rows = meant.filter(|position| only.as_deref().is_none_or(|only| only == position.symbol)).map(|position| {
        json!({
            "symbol": position.symbol, "id": position.id, "marginMode": "CROSS",
            "size": if position.side == Side::Buy { position.size } else { -position.size }, "entryPrice": position.entry,
            "positionValue": position.value(), "markPrice": position.mark, "leverage": position.leverage,
            "unrealizedPnL": position.unrealised, "realizedPnL": "-0.01122489", "initialMargin": "6.0993333327234", "mmr": "0.007",
            "maintenanceMargin": "0.128086", "positionMargin": "0", "riskRatio": "0.02",
            "liquidationPrice": position.liquidation.unwrap_or_default(), "adlPercentage": "0.52",
            "creationTime": position.opened_at * MILLION, "updateTime": position.updated_at * MILLION,
        })
    });
    Ok(Value::Array(rows.collect()).to_string())
}

/// Whether a category is the one asked for, which must be one of the two.
fn trade_type(world: &World, request: &Request) -> Result<impl Fn(Category) -> bool, crate::http::Reply> {
    let futures = match request.parameter("tradeType").as_deref() {
        Some("SPOT") => false,
        Some("FUTURES") => true,
        _ => return Err(bad(world, request, "tradeType is SPOT or FUTURES")),
    };
    Ok(move |category| (category != Category::Spot) == futures)
}

pub(super) fn orders(world: &World, request: &Request) -> Data {
    let (is_meant, only) = (trade_type(world, request)?, request.parameter("symbol"));
    let account = world.account.lock();
    let open = account.books.open_orders().rev().filter(|order| is_meant(order.category));
    let rows = open.filter(|order| only.as_deref().is_none_or(|only| only == order.symbol)).map(|order| {
        json!({
            "orderId": order.id, "clientOid": "", "symbol": order.symbol, "orderType": "LIMIT", "side": side(order.side).to_uppercase(),
            "size": order.quantity, "sizeUnit": if order.category == Category::Spot { "BASECCY" } else { "UNIT" }, "price": order.price,
            "timeInForce": "GTC", "postOnly": false, "reduceOnly": false, "filledSize": order.filled,
            "avgPrice": order.average().unwrap_or_default(), "fee": order.fee, "feeCurrency": order.fee_asset, "tax": "0",
            "cancelSize": "0", "cancelReason": "", "status": if order.filled.is_zero() { 2 } else { 4 },
            "orderTime": order.created_at * MILLION, "updatedTime": order.updated_at * MILLION,
        })
    });
    let rows: Vec<Value> = rows.collect();
    let kind = request.parameter("tradeType");
    Ok(json!({"tradeType": kind, "pageNumber": 1, "pageSize": 50, "totalNum": rows.len(), "totalPage": 1, "items": rows}).to_string())
}

/// The newest first, those before the one numbered `lastId`.
pub(super) fn fills(world: &World, request: &Request) -> Data {
    let (is_meant, only) = (trade_type(world, request)?, request.parameter("symbol"));
    let before = request.parameter("lastId").and_then(|id| id.parse().ok()).unwrap_or(u64::MAX);
    let size = request.parameter("pageSize").map_or(Ok(50), |size| size.parse::<usize>());
    let Some(size) = size.ok().filter(|size| (1..=200).contains(size)) else {
        return Err(bad(world, request, "pageSize must be between 1 and 200"));
    };
    const FIRST: u64 = 30_000_000_000_530_000;
    let account = world.account.lock();
    let meant = account.books.fills.iter().rev().filter(|fill| {
        is_meant(fill.category)
            && FIRST + fill.number < before
            && only.as_deref().is_none_or(|only| only == fill.symbol)
    });
    let mut last = 0;
    let rows = meant.take(size).map(|fill| {
        last = FIRST + fill.number;
        json!({
            "orderId": fill.order_id, "symbol": fill.symbol, "orderType": "LIMIT", "side": side(fill.side).to_uppercase(),
            "tradeId": fill.id, "size": fill.quantity, "price": fill.price, "value": fill.quote_volume,
            "executionTime": fill.at * MILLION, "fee": fill.fee, "feeCurrency": fill.fee_asset, "tax": "",
            "liquidityRole": role(fill.role).to_uppercase(), "fillType": "NORMAL",
        })
    });
    let rows: Vec<Value> = rows.collect();
    Ok(json!({"tradeType": request.parameter("tradeType"), "lastId": last, "items": rows}).to_string())
}
