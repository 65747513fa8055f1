//! Futures in the United States: a wallet of its own beside the dollars of spot.

use serde_json::{Map, Value, json};

use super::rows::{SPOT, money};
use super::signed::{Asked, Problem};
use crate::account::{Books, Position, Side};
use crate::fixed::Fixed;

const FUTURES: &str = "futures";
const DOLLAR: &str = "USD";

/// What the futures are worth in dollars, profits not taken included.
pub(super) fn worth(books: &Books) -> Fixed {
    books.money(FUTURES, DOLLAR).total() + books.unrealised(DOLLAR)
}

/// Names and amounts, which the stream tells as plain text.
fn amounts(books: &Books) -> [(&'static str, Fixed); 11] {
    let (futures, spot) = (books.money(FUTURES, DOLLAR).total(), books.money(SPOT, DOLLAR).total());
    let margin: Fixed = books.positions.iter().map(|position| position.value().over(position.leverage)).sum();
    [
        ("futures_buying_power", futures - margin),
        ("total_usd_balance", futures + spot),
        ("cbi_usd_balance", spot),
        ("cfm_usd_balance", futures),
        ("total_open_orders_hold_amount", Fixed::ZERO),
        ("unrealized_pnl", books.unrealised(DOLLAR)),
        ("daily_realized_pnl", Fixed::ZERO),
        ("initial_margin", margin),
        ("available_margin", futures - margin),
        ("liquidation_threshold", margin.over(Fixed::from(2))),
        ("liquidation_buffer_amount", futures - margin.over(Fixed::from(2))),
    ]
}

/// The same as text, for the stream.
pub(super) fn streamed(books: &Books) -> Value {
    let fields = amounts(books).map(|(name, amount)| (name.to_owned(), amount.to_string().into()));
    let mut summary = Map::from_iter(fields);
    summary.insert("liquidation_buffer_percentage".to_owned(), "90.5".into());
    Value::Object(summary)
}

pub(super) fn balance(asked: &Asked<'_>) -> Result<Value, Problem> {
    if !asked.account.key.has("futures") {
        return Err(Problem::scopes());
    }
    let fields = amounts(&asked.account.books).map(|(name, amount)| (name.to_owned(), money(amount, DOLLAR)));
    let mut summary = Map::from_iter(fields);
    summary.insert("liquidation_buffer_percentage".to_owned(), "90.5".into());
    let window =
        json!({"margin_window_type": "FCM_MARGIN_WINDOW_TYPE_INTRADAY", "margin_level": "MARGIN_LEVEL_TYPE_BASE"});
    summary.insert("intraday_margin_window_measure".to_owned(), window);
    Ok(json!({"balance_summary": summary}))
}

pub(super) fn positions(asked: &Asked<'_>) -> Result<Value, Problem> {
    if !asked.account.key.has("futures") {
        return Err(Problem::new(404, "NOT_FOUND", "futures account not found".to_owned()));
    }
    let row = |position: &Position| {
        json!({
            "product_id": position.symbol, "expiration_time": "2030-12-20T16:00:00Z", "side": side(position),
            "number_of_contracts": position.size, "current_price": position.mark, "avg_entry_price": position.entry,
            "unrealized_pnl": position.unrealised, "daily_realized_pnl": "0",
        })
    };
    Ok(json!({"positions": asked.account.books.positions.iter().map(row).collect::<Vec<_>>()}))
}

const fn side(position: &Position) -> &'static str {
    if matches!(position.side, Side::Buy) { "LONG" } else { "SHORT" }
}

/// Positions as the stream tells them: of one that was closed, no contracts are left.
pub(super) fn streamed_positions<'a>(positions: impl Iterator<Item = &'a Position>) -> Value {
    let row = |position: &Position| {
        json!({
            "product_id": position.symbol, "side": side(position), "number_of_contracts": position.size, "realized_pnl": "0",
            "unrealized_pnl": position.unrealised, "entry_price": position.entry,
        })
    };
    json!({"perpetual_futures_positions": [], "expiring_futures_positions": positions.map(row).collect::<Vec<_>>()})
}
