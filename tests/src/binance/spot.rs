//! The spot wallet: money with eight places as text, ids and times as integers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::signed::{Asked, Problem};
use crate::account::{Account, Books, Category, Fill, Money, Order, Role, Side, Status, contracts};
use crate::fixed::Fixed;
use crate::market::Product;

/// The wallets.
pub(super) const SPOT: &str = "spot";
pub(super) const EARN: &str = "earn";
const DAY: u64 = 86_400_000;

/// Eight places, whatever they are.
pub(super) fn places(number: Fixed) -> String {
    format!("{number:.8}")
}

/// How flexible savings of an asset are called among the coins of the spot wallet.
pub(super) fn claim(asset: &str) -> String {
    format!("LD{asset}")
}

/// Free and locked, by asset: what is in flexible savings is shown once more, under another name.
fn shown(books: &Books) -> BTreeMap<String, (Fixed, Fixed)> {
    let held = books.assets(SPOT).map(|(asset, money)| (asset.to_owned(), (money.free, money.locked)));
    let saved = books.assets(EARN).filter(|(_, money)| !money.free.is_zero());
    held.chain(saved.map(|(asset, money)| (claim(asset), (money.free, Fixed::ZERO)))).collect()
}

pub(super) fn account(asked: &Asked<'_>) -> Result<Value, Problem> {
    let Account { books, .. } = asked.account;
    let mut assets = shown(books);
    if asked.parameters.get("omitZeroBalances") != Some("true") {
        for listing in asked.market.listings().iter().filter(|listing| listing.product == Product::Spot) {
            for asset in [&listing.quote.base, &listing.quote.quote] {
                assets.entry(asset.clone()).or_default();
            }
        }
    }
    let balances = assets
        .iter()
        .map(|(asset, (free, locked))| json!({"asset": asset, "free": places(*free), "locked": places(*locked)}));
    let changed = books.assets(SPOT).map(|(_, money): (_, Money)| money.updated_at).max().unwrap_or(0);
    let points = |rate: Fixed| rate.by(10_000).as_f64().round() as i64;
    Ok(json!({
        "makerCommission": points(books.fees.maker), "takerCommission": points(books.fees.taker), "buyerCommission": 0,
        "sellerCommission": 0, "commissionRates": rates(books), "canTrade": true, "canWithdraw": true, "canDeposit": true,
        "brokered": false, "requireSelfTradePrevention": false, "preventSor": false, "updateTime": changed, "accountType": "SPOT",
        "balances": balances.collect::<Vec<_>>(), "permissions": ["SPOT"], "uid": 354_937_868,
    }))
}

fn rates(books: &Books) -> Value {
    json!({
        "maker": places(books.fees.maker), "taker": places(books.fees.taker), "buyer": "0.00000000", "seller": "0.00000000",
    })
}

/// The symbol that is asked about; there must be such a one.
pub(super) fn symbol<'a>(asked: &'a Asked<'_>) -> Result<Option<&'a str>, Problem> {
    match asked.parameters.get("symbol") {
        Some(symbol) if asked.market.find(symbol).is_none() => Err(Problem::bug(-1121, "Invalid symbol.")),
        symbol => Ok(symbol),
    }
}

pub(super) fn commission(asked: &Asked<'_>) -> Result<Value, Problem> {
    let symbol = symbol(asked)?.ok_or_else(|| Problem::missing("symbol"))?;
    let none = json!({"maker": "0.00000000", "taker": "0.00000000", "buyer": "0.00000000", "seller": "0.00000000"});
    Ok(json!({
        "symbol": symbol, "standardCommission": rates(&asked.account.books), "specialCommission": none, "taxCommission": none,
        "discount": {"enabledForAccount": true, "enabledForSymbol": true, "discountAsset": "BNB", "discount": "0.75000000"},
    }))
}

pub(super) fn order_limits(_: &Asked<'_>) -> Result<Value, Problem> {
    Ok(json!([
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 50, "count": 0},
        {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 160_000, "count": 12},
    ]))
}

pub(super) const fn side(side: Side) -> &'static str {
    if matches!(side, Side::Buy) { "BUY" } else { "SELL" }
}

pub(super) const fn status(status: Status) -> &'static str {
    match status {
        Status::New => "NEW",
        Status::PartiallyFilled => "PARTIALLY_FILLED",
        Status::Filled => "FILLED",
        Status::Canceled => "CANCELED",
        Status::Rejected => "REJECTED",
        Status::Expired => "EXPIRED",
    }
}

/// An id as the number that it is.
pub(super) fn id(text: &str) -> Value {
    text.parse::<u64>().map_or(Value::Null, Value::from)
}

pub(super) fn open_orders(asked: &Asked<'_>) -> Result<Value, Problem> {
    let symbol = symbol(asked)?;
    let meant = asked
        .account
        .books
        .open_orders()
        .filter(|order| order.category == Category::Spot && symbol.is_none_or(|symbol| symbol == order.symbol));
    Ok(meant.map(order).collect())
}

fn order(order: &Order) -> Value {
    json!({
        "symbol": order.symbol, "orderId": id(&order.id), "orderListId": -1, "clientOrderId": client_id(order),
        "price": places(order.price), "origQty": places(order.quantity), "executedQty": places(order.filled),
        "cummulativeQuoteQty": places(order.quote_filled), "status": status(order.status), "timeInForce": "GTC", "type": "LIMIT",
        "side": side(order.side), "stopPrice": "0.00000000", "icebergQty": "0.00000000", "time": order.created_at,
        "updateTime": order.updated_at, "isWorking": true, "workingTime": order.created_at, "origQuoteOrderQty": "0.00000000",
        "selfTradePreventionMode": "NONE",
    })
}

pub(super) fn client_id(order: &Order) -> String {
    format!("x-a{}", order.number)
}

/// The fills of one symbol, the oldest first: the latest ones, or the first ones from an id or a moment on.
pub(super) fn my_trades(asked: &Asked<'_>) -> Result<Value, Problem> {
    let symbol = symbol(asked)?.ok_or_else(|| Problem::missing("symbol"))?;
    trades_of(asked, Category::Spot, symbol, fill)
}

/// The same for a contract in dollars; its rows are others.
pub(super) fn user_trades(asked: &Asked<'_>) -> Result<Value, Problem> {
    trades_of(asked, Category::Linear, contract(asked, Category::Linear)?, |fill| {
        json!({
            "symbol": fill.symbol, "id": fill.trade, "orderId": id(&fill.order_id), "side": side(fill.side), "price": fill.price,
            "qty": fill.quantity, "quoteQty": fill.quote_volume, "realizedPnl": "0", "commission": fill.fee,
            "commissionAsset": fill.fee_asset, "time": fill.at, "positionSide": "BOTH", "buyer": fill.side == Side::Buy,
            "maker": fill.role == Role::Maker,
        })
    })
}

/// The same for a contract in coins: its quantity counts contracts.
pub(super) fn coin_user_trades(asked: &Asked<'_>) -> Result<Value, Problem> {
    trades_of(asked, Category::Inverse, contract(asked, Category::Inverse)?, |fill| {
        json!({
            "symbol": fill.symbol, "id": fill.trade, "orderId": id(&fill.order_id), "pair": "BTCUSD", "side": side(fill.side),
            "price": fill.price, "qty": fill.quantity, "realizedPnl": "0", "marginAsset": fill.fee_asset,
            "baseQty": fill.quote_volume.over(fill.price), "commission": fill.fee, "commissionAsset": fill.fee_asset,
            "time": fill.at, "positionSide": "BOTH", "buyer": fill.side == Side::Buy, "maker": fill.role == Role::Maker,
        })
    })
}

fn contract<'a>(asked: &'a Asked<'_>, category: Category) -> Result<&'a str, Problem> {
    let symbol = asked.parameters.get("symbol").ok_or_else(|| Problem::missing("symbol"))?;
    let known = contracts(asked.account.venue).any(|it| it.category == category && it.symbol == symbol);
    if known { Ok(symbol) } else { Err(Problem::bug(-1121, "Invalid symbol.")) }
}

fn trades_of(asked: &Asked<'_>, category: Category, symbol: &str, row: fn(&Fill) -> Value) -> Result<Value, Problem> {
    let limit = asked.parameters.number("limit", 500, 1_000)? as usize;
    let moment = |name| asked.parameters.number(name, 0, u64::MAX);
    let (from, begin, end) = (moment("fromId")?, moment("startTime")?, moment("endTime")?);
    if begin != 0 && end != 0 && end.saturating_sub(begin) > DAY {
        return Err(Problem::bug(-1127, "More than 24 hours between startTime and endTime."));
    }
    let only = asked.parameters.get("orderId");
    let meant = asked.account.books.fills.iter().filter(|fill| {
        fill.category == category
            && fill.symbol == symbol
            && fill.trade >= from
            && fill.at >= begin
            && (end == 0 || fill.at <= end)
            && only.is_none_or(|order| order == fill.order_id)
    });
    let fills: Vec<&Fill> = meant.collect();
    let skipped = if from == 0 && begin == 0 { fills.len().saturating_sub(limit) } else { 0 };
    Ok(fills.into_iter().skip(skipped).take(limit).map(row).collect())
}

fn fill(fill: &Fill) -> Value {
    json!({
        "symbol": fill.symbol, "id": fill.trade, "orderId": id(&fill.order_id), "orderListId": -1, "price": places(fill.price),
        "qty": places(fill.quantity), "quoteQty": places(fill.quote_volume), "commission": places(fill.fee),
        "commissionAsset": fill.fee_asset, "time": fill.at, "isBuyer": fill.side == Side::Buy, "isMaker": fill.role == Role::Maker,
        "isBestMatch": true,
    })
}
