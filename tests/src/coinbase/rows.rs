//! The rows of Coinbase's account: money is text with its currency, but the positions of a portfolio are numbers.

use serde_json::{Value, json};

use crate::account::{Account, Books, Category, Fill, Money, Order, Role, Side, Status, dollars, equity};
use crate::clock::rfc3339;
use crate::fixed::Fixed;
use crate::market::Market;
use crate::universe::worth;

/// The wallets.
pub(super) const SPOT: &str = "spot";
pub(super) const VAULT: &str = "vault";
/// The portfolio that the key is bound to.
pub(super) const PORTFOLIO: &str = "b87a2d3f-8a1e-49b3-a4ea-402d8c389aca";
pub(super) const USER: &str = "5844eceb-ecef-506a-9e7d-3ee23a8fbd31";
const FIAT: [&str; 3] = ["USD", "EUR", "GBP"];

/// Money in one of the venue's objects.
pub(super) fn money(value: Fixed, currency: &str) -> Value {
    json!({"value": value, "currency": currency})
}

fn time(at: u64) -> Value {
    if at == 0 { "2023-01-04T06:20:06.456Z".into() } else { rfc3339(at).into() }
}

/// A number of the account that holds an asset.
fn account_number(wallet: &str, asset: &str) -> u64 {
    let mix = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    wallet.bytes().chain(asset.bytes()).fold(0xcbf2_9ce4_8422_2325, mix)
}

fn account_id(wallet: &str, asset: &str) -> String {
    let number = account_number(wallet, asset);
    format!("{:08x}-f7c6-4422-bf07-{:012x}", number >> 32, number & 0xffff_ffff_ffff)
}

/// One account an asset, with its number, in no order that means anything; what was emptied keeps its account.
pub(super) fn accounts(books: &Books) -> Vec<(u64, Value)> {
    let of = |wallet: &'static str| {
        let assets = books.wallets.get(wallet).into_iter().flatten();
        assets.map(move |(asset, held)| (account_number(wallet, asset), account(wallet, asset, *held)))
    };
    let mut accounts: Vec<(u64, Value)> = of(SPOT).chain(of(VAULT)).collect();
    accounts.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    accounts
}

fn account(wallet: &str, asset: &str, held: Money) -> Value {
    let kind = match wallet {
        VAULT => "ACCOUNT_TYPE_VAULT",
        _ if FIAT.contains(&asset) => "ACCOUNT_TYPE_FIAT",
        _ => "ACCOUNT_TYPE_CRYPTO",
    };
    let name = if wallet == VAULT { format!("{asset} Vault") } else { format!("{asset} Wallet") };
    json!({
        "uuid": account_id(wallet, asset), "name": name, "currency": asset, "available_balance": money(held.free, asset),
        "default": wallet == SPOT, "active": true, "created_at": time(0), "updated_at": time(held.updated_at), "deleted_at": null,
        "type": kind, "ready": true, "hold": money(held.locked, asset), "retail_portfolio_id": PORTFOLIO,
        "platform": "ACCOUNT_PLATFORM_CONSUMER",
    })
}

pub(super) fn portfolio() -> Value {
    json!({"name": "Default", "uuid": PORTFOLIO, "type": "DEFAULT", "deleted": false})
}

/// What the portfolio is worth; `None` in a currency that the venue does not know.
pub(super) fn breakdown(account: &Account, market: &Market, currency: &str) -> Option<Value> {
    let known = FIAT.contains(&currency) || matches!(currency, "BRL" | "USDC");
    let unit = known.then(|| worth(currency))?;
    let books = &account.books;
    let price = |asset: &str| dollars(account.venue, market, asset).unwrap_or_default().over(unit);
    let futures = super::futures::worth(books).over(unit);
    let held = |wallet| equity(account.venue, market, books, wallet).over(unit);
    let spot = held(SPOT) + held(VAULT);
    let is_cash = |asset: &str| FIAT.contains(&asset) || asset == "USDC";
    let cash: Fixed =
        books.assets(SPOT).filter(|(asset, _)| is_cash(asset)).map(|(asset, it)| it.total().times(price(asset))).sum();
    let of = |wallet: &'static str| books.assets(wallet).map(move |(asset, money)| (wallet, asset, money));
    let position = |(wallet, asset, it): (&str, &str, Money)| {
        let (value, available) = (it.total().times(price(asset)), it.free.times(price(asset)));
        json!({
            "asset": asset, "account_uuid": account_id(wallet, asset), "total_balance_fiat": value.as_f64(),
            "total_balance_crypto": it.total().as_f64(), "available_to_trade_fiat": available.as_f64(),
            "allocation": value.over(spot).as_f64(), "cost_basis": money(Fixed::from(40_000), currency), "asset_img_url": "",
            "is_cash": is_cash(asset), "average_entry_price": money(price(asset), currency), "available_to_trade_crypto": it.free.as_f64(),
            "unrealized_pnl": 7006.5,
        })
    };
    let positions: Vec<Value> = of(SPOT).chain(of(VAULT)).map(position).collect();
    Some(json!({"breakdown": {
        "portfolio": portfolio(),
        "portfolio_balances": {
            "total_balance": money(spot + futures, currency), "total_futures_balance": money(futures, currency),
            "total_cash_equivalent_balance": money(cash, currency), "total_crypto_balance": money(spot - cash, currency),
            "futures_unrealized_pnl": money(books.unrealised("USD").over(unit), currency), "perp_unrealized_pnl": money(Fixed::ZERO, currency),
            "total_equities_balance": money(Fixed::ZERO, currency),
        },
        "spot_positions": positions, "perp_positions": [], "futures_positions": [], "prediction_markets_positions": [],
        "equity_positions": [],
    }}))
}

pub(super) const fn side(side: Side) -> &'static str {
    if matches!(side, Side::Buy) { "BUY" } else { "SELL" }
}

pub(super) const fn status(status: Status) -> &'static str {
    match status {
        Status::New | Status::PartiallyFilled => "OPEN",
        Status::Filled => "FILLED",
        Status::Canceled => "CANCELLED",
        Status::Rejected => "FAILED",
        Status::Expired => "EXPIRED",
    }
}

pub(super) const fn product_type(category: Category) -> &'static str {
    if matches!(category, Category::Spot) { "SPOT" } else { "FUTURE" }
}

/// How often an order was filled until a moment, and when it last was.
fn fills_of(books: &Books, order: &Order, until: u64) -> (usize, Option<u64>) {
    let mine = books.fills.iter().filter(|fill| fill.order_id == order.id && fill.at <= until);
    mine.fold((0, None), |(count, _), fill| (count + 1, Some(fill.at)))
}

fn percent(order: &Order) -> Fixed {
    order.filled.over(order.quantity).by(100)
}

/// What it was worth with its fees: they add to what a buyer pays and take from what a seller gets.
fn after_fees(order: &Order) -> Fixed {
    let worth = order.price.times(order.quantity);
    if order.side == Side::Buy { worth + order.fee } else { worth - order.fee }
}

pub(super) fn order(books: &Books, order: &Order) -> Value {
    let (number, last) = fills_of(books, order, u64::MAX);
    let reason = if order.status == Status::Rejected { "INSUFFICIENT_FUNDS" } else { "REJECT_REASON_UNSPECIFIED" };
    json!({
        "order_id": order.id, "product_id": order.symbol, "user_id": USER,
        "order_configuration": {"limit_limit_gtc": {"base_size": order.quantity, "limit_price": order.price, "post_only": false}},
        "side": side(order.side), "client_order_id": format!("a{}", order.number), "status": status(order.status),
        "time_in_force": "GOOD_UNTIL_CANCELLED", "created_time": rfc3339(order.created_at), "completion_percentage": percent(order),
        "filled_size": order.filled, "average_filled_price": order.average().unwrap_or_default(), "fee": "",
        "number_of_fills": number.to_string(), "filled_value": order.quote_filled, "pending_cancel": false, "size_in_quote": false,
        "total_fees": order.fee, "size_inclusive_of_fees": false, "total_value_after_fees": after_fees(order),
        "trigger_status": "INVALID_ORDER_TYPE", "order_type": "LIMIT", "reject_reason": reason, "settled": !order.status.is_open(),
        "product_type": product_type(order.category), "outstanding_hold_amount": order.locked, "is_liquidation": false,
        "last_fill_time": last.map(rfc3339), "leverage": "", "margin_type": "",
    })
}

/// An order as the stream tells it at a moment: everything is text.
pub(super) fn streamed(books: &Books, order: &Order, at: u64) -> Value {
    let never = "0001-01-01T00:00:00Z";
    json!({
        "avg_price": order.average().unwrap_or_default(), "cancel_reason": if order.status == Status::Canceled { "User requested cancel" } else { "" },
        "client_order_id": format!("a{}", order.number), "completion_percentage": percent(order),
        "contract_expiry_type": "UNKNOWN_CONTRACT_EXPIRY_TYPE", "cumulative_quantity": order.filled, "filled_value": order.quote_filled,
        "leaves_quantity": order.remaining(), "limit_price": order.price, "number_of_fills": fills_of(books, order, at).0.to_string(),
        "order_id": order.id, "order_side": side(order.side), "order_type": "Limit", "outstanding_hold_amount": order.locked,
        "post_only": "false", "product_id": order.symbol, "product_type": product_type(order.category),
        "reject_reason": if order.status == Status::Rejected { "INSUFFICIENT_FUNDS" } else { "" }, "retail_portfolio_id": PORTFOLIO,
        "risk_managed_by": "UNKNOWN_RISK_MANAGEMENT_TYPE", "status": status(order.status), "stop_price": "",
        "time_in_force": "GOOD_UNTIL_CANCELLED", "total_fees": order.fee, "total_value_after_fees": after_fees(order),
        "trigger_status": "INVALID_ORDER_TYPE", "creation_time": rfc3339(order.created_at), "end_time": never, "start_time": never,
    })
}

/// One in four tells its size in quote currency.
pub(super) fn fill(fill: &Fill) -> Value {
    let in_quote = fill.category == Category::Spot && fill.number % 4 == 1;
    let at = rfc3339(fill.at);
    json!({
        "entry_id": format!("e{}", fill.id), "trade_id": fill.id, "order_id": fill.order_id, "trade_time": at, "trade_type": "FILL",
        "price": fill.price, "size": if in_quote { fill.quote_volume } else { fill.quantity }, "commission": fill.fee,
        "product_id": fill.symbol, "sequence_timestamp": at, "liquidity_indicator": if fill.role == Role::Maker { "MAKER" } else { "TAKER" },
        "size_in_quote": in_quote, "user_id": USER, "side": side(fill.side), "retail_portfolio_id": PORTFOLIO, "fillSource": "FILL_SOURCE_CLOB",
        "commission_detail_total": {"total_commission": fill.fee},
    })
}

pub(super) fn summary(books: &Books) -> Value {
    let volume: Fixed = books.fills.iter().map(|fill| fill.quote_volume).sum();
    let fees: Fixed = books.fills.iter().map(|fill| fill.fee).sum();
    json!({
        "total_volume": volume.as_f64(), "total_fees": fees.as_f64(), "fee_tier": {
            "pricing_tier": "Advanced 1", "usd_from": "0", "usd_to": "1000", "taker_fee_rate": books.fees.taker,
            "maker_fee_rate": books.fees.maker, "aop_from": "", "aop_to": "",
        },
        "margin_rate": null, "goods_and_services_tax": null, "advanced_trade_only_volume": volume.as_f64(),
        "advanced_trade_only_fees": fees.as_f64(), "coinbase_pro_volume": 0, "coinbase_pro_fees": 0, "total_balance": "",
        "has_promo_fee": false,
    })
}
