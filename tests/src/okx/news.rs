//! What happened, in the words of OKX's private channels.

use serde_json::{Value, json};

use super::private::Subscription;
use super::rows::{self, TRADING};
use crate::account::{Account, Cause, Event, Position};
use crate::market::Market;

/// The trading account, in pages.
pub(super) fn account_snapshot(
    account: &Account,
    market: &Market,
    now: u64,
    subscription: &Subscription,
    page: usize,
) -> Vec<Value> {
    let currencies = rows::currencies(&account.books);
    // An empty account has one page, too.
    let pages: Vec<&[String]> =
        if currencies.is_empty() { vec![&[]] } else { currencies.chunks(page.max(1)).collect() };
    let last = pages.len();
    let frame = |(number, page): (usize, &&[String])| {
        let detail =
            |currency: &String| rows::detail(account, market, currency, account.books.money(TRADING, currency), true);
        let row = rows::balance(account, market, page.iter().map(detail).collect(), now);
        json!({
            "arg": subscription.arg, "eventType": "snapshot", "curPage": number + 1, "lastPage": number + 1 == last, "data": [row],
        })
    };
    pages.iter().enumerate().map(frame).collect()
}

/// Only the currencies that changed, in the sum of the whole account.
pub(super) fn account_row(account: &Account, market: &Market, event: &Event) -> Option<Value> {
    let changes = event.changes.iter().filter(|change| change.wallet == TRADING);
    let details: Vec<Value> =
        changes.map(|change| rows::detail(account, market, &change.asset, change.after, true)).collect();
    (!details.is_empty()).then(|| rows::balance(account, market, details, event.at))
}

/// An order that changed, with the fill that changed it.
pub(super) fn order_row(event: &Event, subscription: &Subscription) -> Option<Value> {
    let order = event.order.as_ref().filter(|it| rows::is_kind(it.category, subscription.kind.as_deref()))?;
    Some(rows::streamed_order(order, event.fill.as_ref()))
}

/// A mark that moves is no event: the regular pushes tell it.
pub(super) fn position_row(
    account: &Account,
    market: &Market,
    event: &Event,
    subscription: &Subscription,
    now: u64,
) -> Option<Value> {
    let position = event.position.as_ref().filter(|_| event.cause != Cause::Marked)?;
    rows::is_kind(position.category, subscription.kind.as_deref()).then(|| timed(account, market, position, now))
}

/// A position, and when it is told.
pub(super) fn timed(account: &Account, market: &Market, position: &Position, now: u64) -> Value {
    let mut row = rows::position(account, market, position);
    row["pTime"] = now.to_string().into();
    row
}

/// A position in `balance_and_position`.
pub(super) fn summary(position: &Position) -> Value {
    let row = rows::size(position);
    json!({
        "posId": position.id, "instId": position.symbol, "instType": "SWAP", "mgnMode": "cross", "posSide": "net", "pos": row,
        "ccy": position.currency, "avgPx": position.entry, "uTime": position.updated_at.to_string(),
    })
}

/// Cash that moved, and positions: no order locks cash.
pub(super) fn summary_row(event: &Event, now: u64) -> Option<Value> {
    let moved = event.changes.iter().filter(|it| it.wallet == TRADING && !it.difference().is_zero());
    let balances: Vec<Value> = moved
        .map(|it| json!({"ccy": it.asset, "cashBal": it.after.total(), "uTime": it.after.updated_at.to_string()}))
        .collect();
    let positions: Vec<Value> = event.position.iter().filter(|_| event.cause != Cause::Marked).map(summary).collect();
    if balances.is_empty() && positions.is_empty() {
        return None;
    }
    let trades: Vec<Value> =
        event.fill.iter().map(|fill| json!({"instId": fill.symbol, "tradeId": fill.trade.to_string()})).collect();
    let kind = if event.cause == Cause::Filled { "filled" } else { "transferred" };
    Some(json!({
        "pTime": now.to_string(), "eventType": kind, "balData": balances, "posData": positions, "trades": trades,
    }))
}
