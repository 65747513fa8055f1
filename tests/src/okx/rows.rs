//! The rows that OKX's signed REST and its private stream share: everything is text, and what there is not is empty.

use serde_json::{Value, json};

use crate::account::{Account, Books, Category, Fill, Money, Order, Position, Role, Side, Status, dollars};
use crate::fixed::Fixed;
use crate::ledger::text;
use crate::market::Market;

/// The wallets.
pub(super) const TRADING: &str = "trading";
pub(super) const FUNDING: &str = "funding";
pub(super) const EARN: &str = "earn";

/// What a currency of the trading account is worth after its debts.
fn net(books: &Books, currency: &str) -> Fixed {
    books.money(TRADING, currency).net() + books.unrealised(currency)
}

/// The currencies of the trading account, those of positions included.
pub(super) fn currencies(books: &Books) -> Vec<String> {
    let held = books.assets(TRADING).map(|(currency, _)| currency.to_owned());
    let mut currencies: Vec<String> = held.chain(books.positions.iter().map(|it| it.currency.clone())).collect();
    currencies.sort();
    currencies.dedup();
    currencies
}

/// The trading account in dollars, as OKX computes it: what has no price counts for nothing.
pub(super) fn total(account: &Account, market: &Market) -> Fixed {
    let worth =
        |currency: &String| Some(net(&account.books, currency).times(dollars(account.venue, market, currency)?));
    currencies(&account.books).iter().filter_map(worth).sum()
}

/// The trading account with the details of some currencies.
pub(super) fn balance(account: &Account, market: &Market, details: Vec<Value>, at: u64) -> Value {
    let total = total(account, market);
    let gain =
        |position: &Position| Some(position.unrealised.times(dollars(account.venue, market, &position.currency)?));
    let gains: Fixed = account.books.positions.iter().filter_map(gain).sum();
    json!({
        "uTime": at.to_string(), "totalEq": total, "isoEq": "0", "adjEq": total, "availEq": total, "ordFroz": "0", "imr": "456.2",
        "mmr": "22.8", "borrowFroz": "0", "mgnRatio": "", "notionalUsd": "", "notionalUsdForBorrow": "0", "notionalUsdForFutures": "0",
        "notionalUsdForOption": "0", "notionalUsdForSwap": "", "upl": gains, "details": details, "comingSoon": {"field": "1"},
    })
}

/// One currency of the trading account; the stream tells its price, too.
pub(super) fn detail(account: &Account, market: &Market, currency: &str, money: Money, stream: bool) -> Value {
    let books = &account.books;
    let net = money.net() + books.unrealised(currency);
    let price = dollars(account.venue, market, currency);
    let worth = text(price.map(|price| net.times(price)));
    let mut detail = json!({
        "ccy": currency, "eq": net, "cashBal": money.total(), "availBal": money.free, "availEq": money.free, "frozenBal": money.locked,
        "ordFrozen": money.locked, "eqUsd": worth, "disEq": worth, "upl": books.unrealised(currency), "liab": money.borrowed,
        "crossLiab": money.borrowed, "isoLiab": "", "interest": money.interest, "isoEq": "0", "isoUpl": "0", "stgyEq": "0", "rewardBal": "",
        "colRes": "0", "collateralEnabled": false, "collateralRestrict": false, "autoLendStatus": "off", "autoLendMtAmt": "0", "mgnRatio": "",
        "imr": "", "mmr": "", "spotBal": "", "uTime": money.updated_at.to_string(),
    });
    if stream {
        detail["coinUsdPrice"] = text(price).into();
    }
    detail
}

const fn kind(category: Category) -> &'static str {
    if matches!(category, Category::Spot) { "SPOT" } else { "SWAP" }
}

pub(super) fn is_kind(category: Category, wanted: Option<&str>) -> bool {
    matches!(wanted, None | Some("" | "ANY")) || wanted == Some(kind(category))
}

const fn side(side: Side) -> &'static str {
    if matches!(side, Side::Buy) { "buy" } else { "sell" }
}

/// An order; of the stream when there is a fill to tell or not, as the case may be.
pub(super) fn order(order: &Order, last: Option<&Fill>) -> Value {
    let state = match order.status {
        Status::New => "live",
        Status::PartiallyFilled => "partially_filled",
        Status::Filled => "filled",
        Status::Canceled | Status::Rejected | Status::Expired => "canceled",
    };
    // A rebate stands in another field, and there a fee is what was paid, with a minus.
    let (fee, rebate) = if order.fee > Fixed::ZERO { (-order.fee, Fixed::ZERO) } else { (Fixed::ZERO, -order.fee) };
    json!({
        "instType": kind(order.category), "instId": order.symbol, "ordId": order.id, "clOrdId": "", "side": side(order.side),
        "posSide": "net", "tdMode": if order.category == Category::Spot { "cash" } else { "cross" }, "ordType": "limit",
        "px": order.price, "sz": order.quantity, "accFillSz": order.filled, "avgPx": text(order.average()),
        "fillPx": text(last.map(|fill| fill.price)), "fillSz": last.map_or(Fixed::ZERO, |fill| fill.quantity),
        "fillTime": last.map_or_else(String::new, |fill| fill.at.to_string()),
        "tradeId": last.map_or_else(String::new, |fill| fill.trade.to_string()), "state": state, "lever": "", "fee": fee,
        "feeCcy": order.fee_asset, "rebate": rebate, "rebateCcy": order.fee_asset, "pnl": "0", "category": "normal",
        "reduceOnly": "false", "tgtCcy": "", "stpMode": "cancel_maker", "attachAlgoOrds": [], "linkedAlgoOrd": {"algoId": ""},
        "cTime": order.created_at.to_string(), "uTime": order.updated_at.to_string(),
    })
}

const fn role(role: Role) -> &'static str {
    if matches!(role, Role::Maker) { "M" } else { "T" }
}

/// An order as the stream tells it: with its latest fill, or what ended it.
pub(super) fn streamed_order(row: &Order, last: Option<&Fill>) -> Value {
    let mut row = order(row, last);
    let told = match last {
        Some(fill) => json!({
            "execType": role(fill.role), "fillFee": -fill.fee, "fillFeeCcy": fill.fee_asset, "fillPnl": "0",
            "fillNotionalUsd": fill.quote_volume,
        }),
        None => json!({"execType": "", "fillFee": "0", "fillFeeCcy": "", "fillPnl": "0", "fillNotionalUsd": ""}),
    };
    let canceled = row["state"] == "canceled";
    let common = json!({"cancelSource": if canceled { "1" } else { "" }, "amendResult": "", "code": "0", "msg": "", "reqId": ""});
    for (name, value) in told.as_object().into_iter().chain(common.as_object()).flatten() {
        row[name] = value.clone();
    }
    row
}

/// A row of the fills.
pub(super) fn fill(fill: &Fill) -> Value {
    let mut row = json!({
        "instType": kind(fill.category), "instId": fill.symbol, "tradeId": fill.trade.to_string(), "ordId": fill.order_id, "clOrdId": "",
        "billId": fill.id, "subType": if fill.side == Side::Buy { "1" } else { "2" }, "side": side(fill.side), "posSide": "net",
        "execType": role(fill.role), "fillPx": fill.price, "fillSz": fill.quantity, "fillPnl": "0", "fee": -fill.fee, "feeCcy": fill.fee_asset,
        "fillTime": fill.at.to_string(), "ts": (fill.at + 1).to_string(), "tag": "", "tradeQuoteCcy": "USDT",
    });
    if fill.category == Category::Spot {
        row["feeRate"] = (-fill.fee_rate).to_string().into();
    }
    row
}

/// In net mode a short is a negative number.
pub(super) fn size(position: &Position) -> Fixed {
    if position.side == Side::Buy { position.size } else { -position.size }
}

/// A row of the positions: in net mode a short is a negative number.
pub(super) fn position(account: &Account, market: &Market, position: &Position) -> Value {
    let closed = position.size.is_zero();
    let some = |number: Fixed| if closed { String::new() } else { number.to_string() };
    let quote = if position.category == Category::Inverse { "USD" } else { "USDT" };
    let value = dollars(account.venue, market, quote).map(|price| position.value().times(price));
    json!({
        "instType": "SWAP", "instId": position.symbol, "mgnMode": "cross", "posId": position.id, "posSide": "net", "pos": size(position),
        "posCcy": "", "ccy": position.currency, "avgPx": some(position.entry), "markPx": position.mark, "last": position.mark,
        "idxPx": position.mark, "upl": some(position.unrealised), "uplRatio": "0.0725", "lever": position.leverage,
        "liqPx": text(position.liquidation.filter(|_| !closed)), "imr": "456.2", "margin": "", "mgnRatio": "449.56", "mmr": "22.8",
        "notionalUsd": if closed { String::new() } else { text(value) }, "bePx": some(position.entry), "realizedPnl": "-2.26",
        "pnl": "0", "fee": "-2.26", "fundingFee": "0", "liqPenalty": "0", "settledPnl": "", "adl": if closed { "" } else { "2" },
        "tradeId": "918377015", "availPos": "", "optVal": "", "closeOrderAlgo": [], "cTime": position.opened_at.to_string(),
        "uTime": position.updated_at.to_string(),
    })
}
