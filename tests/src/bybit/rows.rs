//! The rows that Bybit's signed REST and its private stream share: numbers are text, and what there is not is empty.

use serde_json::{Map, Value, json};

use crate::account::{Account, Books, Category, Fill, Money, Order, Position, Role, Side, Status, dollars};
use crate::fixed::Fixed;
use crate::ledger::text;
use crate::market::Market;

/// The wallets.
pub(super) const UNIFIED: &str = "unified";
pub(super) const FUNDING: &str = "funding";
pub(super) const EARN: &str = "earn";

pub(super) const fn category(category: Category) -> &'static str {
    match category {
        Category::Spot => "spot",
        Category::Linear => "linear",
        Category::Inverse => "inverse",
    }
}

/// Known by its name; options are nobody's here.
pub(super) fn category_named(name: &str) -> Option<Category> {
    [Category::Spot, Category::Linear, Category::Inverse].into_iter().find(|it| category(*it) == name)
}

const fn side(side: Side) -> &'static str {
    if matches!(side, Side::Buy) { "Buy" } else { "Sell" }
}

/// The coins of the unified account, those of positions included.
pub(super) fn coins(books: &Books) -> Vec<String> {
    let held = books.assets(UNIFIED).map(|(coin, _)| coin.to_owned());
    let mut coins: Vec<String> = held.chain(books.positions.iter().map(|it| it.currency.clone())).collect();
    coins.sort();
    coins.dedup();
    coins
}

/// Interest is told apart, and not taken off.
pub(super) fn equity(books: &Books, coin: &str, money: Money) -> Fixed {
    money.total() - money.borrowed + books.unrealised(coin)
}

/// The unified account in dollars: what has no price counts for nothing.
pub(super) fn total(account: &Account, market: &Market) -> Fixed {
    let books = &account.books;
    let worth = |coin: &String| {
        let equity = equity(books, coin, books.money(UNIFIED, coin));
        Some(equity.times(dollars(account.venue, market, coin)?))
    };
    coins(books).iter().filter_map(worth).sum()
}

/// The unified account with some of its coins, as they are or were.
pub(super) fn wallet(account: &Account, market: &Market, shown: &[(String, Money)]) -> Value {
    let total = total(account, market);
    let gain =
        |position: &Position| Some(position.unrealised.times(dollars(account.venue, market, &position.currency)?));
    let gains: Fixed = account.books.positions.iter().filter_map(gain).sum();
    let coins: Vec<Value> = shown.iter().map(|(name, money)| coin(account, market, name, *money)).collect();
    json!({
        "accountType": "UNIFIED", "totalEquity": total, "totalWalletBalance": total - gains, "totalMarginBalance": total,
        "totalAvailableBalance": total, "totalPerpUPL": gains, "totalInitialMargin": "455.4", "totalMaintenanceMargin": "25.36",
        "accountIMRate": "0.0444", "accountMMRate": "0.0025", "accountLTV": "0", "totalInitialMarginByMp": "", "coin": coins,
    })
}

fn coin(account: &Account, market: &Market, coin: &str, money: Money) -> Value {
    let equity = equity(&account.books, coin, money);
    let worth = dollars(account.venue, market, coin).map(|price| equity.times(price));
    json!({
        "coin": coin, "equity": equity, "usdValue": text(worth), "walletBalance": money.total(), "locked": money.locked,
        "spotHedgingQty": "0", "borrowAmount": money.borrowed, "spotBorrow": money.borrowed, "accruedInterest": money.interest,
        "totalOrderIM": "0", "totalPositionIM": "", "totalPositionMM": "", "unrealisedPnl": account.books.unrealised(coin),
        "cumRealisedPnl": "-120.4", "bonus": "0", "marginCollateral": true, "collateralSwitch": true, "colRes": "0",
        "availableToWithdraw": "", "availableToBorrow": "", "comingSoon": {"field": 1},
    })
}

/// An order; the stream tells more.
pub(super) fn order(order: &Order, stream: bool) -> Value {
    let nothing = order.filled.is_zero();
    let status = match order.status {
        Status::New => "New",
        Status::PartiallyFilled => "PartiallyFilled",
        Status::Filled => "Filled",
        Status::Rejected => "Rejected",
        Status::Canceled | Status::Expired if order.category == Category::Spot && !nothing => "PartiallyFilledCanceled",
        Status::Canceled | Status::Expired => "Cancelled",
    };
    let mut fees = Map::new();
    if !nothing {
        fees.insert(order.fee_asset.clone(), order.fee.to_string().into());
    }
    // What is over leaves nothing, or not even that.
    let leaves = if order.status.is_open() { order.remaining() } else { Fixed::ZERO };
    let shown = if stream && status == "Cancelled" { String::new() } else { leaves.to_string() };
    let mut row = json!({
        "orderId": order.id, "orderLinkId": "", "symbol": order.symbol, "price": order.price, "qty": order.quantity,
        "side": side(order.side), "orderStatus": status, "avgPrice": order.average().unwrap_or_default(), "leavesQty": shown,
        "leavesValue": leaves.times(order.price), "cumExecQty": order.filled, "cumExecValue": order.quote_filled, "timeInForce": "GTC",
        "orderType": "Limit", "stopOrderType": "", "triggerPrice": if stream { "" } else { "0" }, "reduceOnly": false, "positionIdx": 0,
        "rejectReason": if order.status == Status::Rejected { "EC_PostOnlyWillTakeLiquidity" } else { "EC_NoError" },
        "cumFeeDetail": fees, "createdTime": order.created_at.to_string(), "updatedTime": order.updated_at.to_string(),
    });
    if stream {
        row["category"] = category(order.category).into();
        row["cancelType"] = (if order.status == Status::Canceled { "CancelByUser" } else { "UNKNOWN" }).into();
        row["closedPnl"] = "0".into();
        row["feeCurrency"] = "".into();
        row["cumExecFee"] = order.fee.to_string().into();
        row["rpiTakerAccess"] = false.into();
        row["rpiMatchedQty"] = "0".into();
    }
    row
}

/// A fill; the stream tells more.
pub(super) fn execution(account: &Account, fill: &Fill, stream: bool) -> Value {
    let order = account.books.order(&fill.order_id);
    let currency = if stream || fill.category == Category::Spot { &*fill.fee_asset } else { "" };
    let mut row = json!({
        "symbol": fill.symbol, "orderId": fill.order_id, "orderLinkId": "", "side": side(fill.side), "orderType": "Limit",
        "orderPrice": fill.price, "orderQty": text(order.map(|order| order.quantity)), "leavesQty": text(order.map(Order::remaining)),
        "execId": fill.id, "execPrice": fill.price, "execQty": fill.quantity, "execValue": fill.quote_volume, "execFee": fill.fee,
        "feeCurrency": currency, "feeRate": fill.fee_rate, "execType": "Trade", "execTime": fill.at.to_string(),
        "isMaker": fill.role == Role::Maker, "closedSize": "0", "extraFees": "", "seq": 8_812_046_032_u64 + fill.number,
    });
    if stream {
        row["category"] = category(fill.category).into();
        row["execPnl"] = "0".into();
        row["isLeverage"] = "0".into();
        row["createType"] = "".into();
        row["markPrice"] = "".into();
    }
    row
}

/// A position; the stream calls the entry otherwise.
pub(super) fn position(position: &Position, stream: bool) -> Value {
    let closed = position.size.is_zero();
    let some = |number: Fixed| if closed { String::new() } else { number.to_string() };
    let value = match position.category {
        Category::Inverse => position.value().over(position.mark),
        _ => position.value(),
    };
    let mut row = json!({
        "positionIdx": 0, "symbol": position.symbol, "side": if closed { "" } else { side(position.side) }, "size": position.size,
        "positionValue": some(value), "positionStatus": "Normal", "leverage": position.leverage, "markPrice": position.mark,
        "liqPrice": text(position.liquidation.filter(|_| !closed)), "bustPrice": "", "positionIM": "455.4", "positionMM": "25.36",
        "positionBalance": "0", "unrealisedPnl": some(position.unrealised), "curRealisedPnl": "-2.49", "cumRealisedPnl": "-120.4",
        "takeProfit": "", "stopLoss": "", "trailingStop": "0", "adlRankIndicator": 2, "autoAddMargin": 0, "isReduceOnly": false,
        "createdTime": position.opened_at.to_string(), "updatedTime": position.updated_at.to_string(), "seq": position.updated_at,
    });
    let entry = if closed { "0".to_owned() } else { position.entry.to_string() };
    if stream {
        row["entryPrice"] = entry.into();
        row["category"] = category(position.category).into();
    } else {
        row["avgPrice"] = entry.into();
        row["breakEvenPrice"] = some(position.entry).into();
        row["openTime"] = position.opened_at.into();
    }
    row
}

/// The row of a symbol without a position.
pub(super) fn no_position(symbol: &str) -> Value {
    json!({
        "positionIdx": 0, "symbol": symbol, "side": "", "size": "0", "avgPrice": "0", "positionValue": "", "positionStatus": "Normal",
        "leverage": "10", "markPrice": "", "liqPrice": "", "unrealisedPnl": "", "curRealisedPnl": "0", "cumRealisedPnl": "0",
        "adlRankIndicator": 0, "autoAddMargin": 0, "isReduceOnly": false, "createdTime": "1676538056258", "updatedTime": "1676538056258",
        "seq": -1,
    })
}
