//! Coinbase's signed REST questions: accounts, orders, executions, the futures of the United States, the key.
//!
//! Source: <https://docs.cdp.coinbase.com/api-reference/advanced-trade-api>.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use common::account::{Balance, Contract, Fill, Order, Position, Rights, Role, Side, Size, label};
use common::venue::Decoder;
use common::{
    Account, Amount, Ask, Cause, Decimal, Entry, Fault, Feed, Keyring, Kind, Market, Micros, Query, Request, Rows,
    Setup, Tell, Topic, View,
};
use serde::Deserialize;

use crate::questions::{self, Pagination};
use crate::rows::{FUTURES, Money, SPOT, market, quote, status, sum};
use crate::{KEY, auth, private};

const HOURLY: Duration = Duration::from_secs(3600);

/// The account behind a key.
pub struct Owner {
    pub setup: Setup,
    pub keys: Arc<Keyring>,
}

fn query(name: &'static str, path: &str, query: impl Into<String>, decode: Decoder) -> Query {
    Query::new(name, Request::get(format!("/api/v3/brokerage{path}")).query(query).pool(KEY), decode)
}

impl Account for Owner {
    fn sign(&self, request: &mut Request, now: Micros) -> Result<(), Fault> {
        auth::sign(&self.keys.keys(), request, now)
    }

    fn survey(&self) -> Vec<Ask> {
        let request = Request::get("/api/v3/brokerage/market/products").query("product_type=FUTURE");
        let contracts = Query::new("contracts", request, contracts).paged("cursor").every(HOURLY);
        vec![
            Ask::may(Topic::Key, query("key", "/key_permissions", "", rights).every(HOURLY)),
            Ask::may(Topic::Facts, contracts).unsigned(),
        ]
    }

    fn asks(&self, _view: &View) -> Vec<Ask> {
        let orders = query("orders", "/orders/historical/batch", "order_status=OPEN&limit=250", orders);
        vec![
            Ask::must(Topic::Wallet(SPOT), query("accounts", "/accounts", "limit=250", accounts).paged("cursor")),
            Ask::may(Topic::Orders, orders.paged("cursor")),
            Ask::may(Topic::Wallet(FUTURES), query("futures", "/cfm/balance_summary", "", futures)),
            Ask::may(Topic::Positions, query("positions", "/cfm/positions", "", positions)),
        ]
    }

    fn fills(&self, since: Micros, _view: &View) -> Vec<Ask> {
        let text = format!("start_sequence_timestamp={}&limit=100", since.rfc3339());
        vec![Ask::may(Topic::Fills, query("fills", "/orders/historical/fills", text, fills).paged("cursor"))]
    }

    fn feeds(&self, _view: &View) -> Vec<Box<dyn Feed>> {
        vec![Box::new(private::Events::new(&self.setup.hosts.ws_private, Arc::clone(&self.keys)))]
    }

    fn tells_fills(&self) -> bool {
        false
    }

    /// Valid tokens are refused now and then, for no reason that anybody knows.
    fn again(&self, fault: &Fault) -> bool {
        matches!(fault.kind, Kind::ClockSkew | Kind::Auth)
    }
}

/// The next page's name, encoded as it is to be sent.
fn next(more: bool, cursor: Option<String>) -> Option<String> {
    let cursor = cursor.filter(|cursor| more && !cursor.is_empty())?;
    let encoded = cursor.bytes().map(|byte| match byte {
        b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    Some(encoded.collect())
}

#[derive(Deserialize)]
struct Accounts {
    accounts: Rows<AccountRow>,
    #[serde(default)]
    has_next: bool,
    cursor: Option<String>,
}

#[derive(Deserialize)]
struct AccountRow {
    currency: String,
    available_balance: Money,
    #[serde(default)]
    hold: Money,
    #[serde(default, rename = "type")]
    kind: String,
}

/// Any number of accounts may hold one currency; what a wallet holds of it is told as one.
fn accounts<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let page: Accounts = serde_json::from_str(body)?;
    let mut sums: BTreeMap<(&'static str, String), Balance> = BTreeMap::new();
    for row in page.accounts.good(tell) {
        let wallet = match row.kind.as_str() {
            "ACCOUNT_TYPE_VAULT" => "vault",
            "ACCOUNT_TYPE_PERP_FUTURES" => "perpetuals",
            _ => SPOT,
        };
        let whole = sums.entry((wallet, row.currency)).or_default();
        whole.free = Some(sum([whole.free, row.available_balance.0.0]));
        whole.locked = Some(sum([whole.locked, row.hold.0.0]));
    }
    for ((wallet, asset), whole) in sums.into_iter().filter(|(_, whole)| !whole.is_empty()) {
        tell(Entry::Balance(Balance { wallet, asset, ..whole }).into());
    }
    Ok(next(page.has_next, page.cursor))
}

#[derive(Deserialize)]
struct Orders {
    orders: Rows<OrderRow>,
    #[serde(default)]
    has_next: bool,
    cursor: Option<String>,
    #[serde(default)]
    proof_token_required: bool,
}

#[derive(Deserialize)]
struct OrderRow {
    order_id: String,
    product_id: String,
    status: String,
    #[serde(default)]
    filled_size: Amount,
}

fn orders<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let page: Orders = serde_json::from_str(body)?;
    complete(page.proof_token_required)?;
    for row in page.orders.good(tell) {
        let Some(status) = status(&row.status, row.filled_size.nonzero().is_some(), tell) else { continue };
        let market = market(&row.product_id);
        tell(Entry::Order(Order { market, name: row.product_id, id: row.order_id, status, at: None }).into());
    }
    Ok(next(page.has_next, page.cursor))
}

/// In the European Union a list may be withheld until a person has shown who he is.
fn complete(withheld: bool) -> Result<(), Fault> {
    let why = "the venue withholds the list until the account's owner has confirmed it (proof_token_required)";
    if withheld { Err(Fault::new(Kind::Permission, why).because(Cause::Account)) } else { Ok(()) }
}

#[derive(Deserialize)]
struct Fills {
    fills: Rows<FillRow>,
    cursor: Option<String>,
    #[serde(default)]
    proof_token_required: bool,
}

#[derive(Deserialize)]
struct FillRow {
    entry_id: String,
    product_id: String,
    trade_time: String,
    price: Amount,
    size: Amount,
    #[serde(default)]
    size_in_quote: bool,
    #[serde(default)]
    commission: Amount,
    #[serde(default)]
    liquidity_indicator: String,
    side: String,
}

fn fills<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let page: Fills = serde_json::from_str(body)?;
    complete(page.proof_token_required)?;
    let some = page.fills.count() > 0;
    for row in page.fills.good(tell) {
        let (price, size) = (row.price.or_zero(), row.size.or_zero());
        let fill = Fill {
            market: market(&row.product_id),
            id: row.entry_id,
            side: if row.side == "BUY" { Side::Buy } else { Side::Sell },
            role: match row.liquidity_indicator.as_str() {
                "MAKER" => Some(Role::Maker),
                "TAKER" => Some(Role::Taker),
                _ => None,
            },
            quote_volume: if row.size_in_quote { Some(size) } else { size.checked_mul(price) },
            fee: row.commission.0.map(|fee| (fee, quote(&row.product_id).to_owned())),
            at: Micros::of_rfc3339(&row.trade_time),
            name: row.product_id,
        };
        // Contracts are counted, not coins.
        let entry = if fill.market == Market::Spot { Entry::Fill(fill) } else { Entry::Deal(fill, size, price) };
        tell(entry.into());
    }
    // There is no word on whether more follows; an empty page ends.
    Ok(next(some, page.cursor))
}

#[derive(Deserialize)]
struct Futures {
    balance_summary: Option<Summary>,
}

#[derive(Deserialize)]
struct Summary {
    #[serde(default)]
    cfm_usd_balance: Money,
    #[serde(default)]
    unrealized_pnl: Money,
}

/// Only what lies with the futures: the rest of the summary's dollars are those of the spot wallet. Profit is a figure of
/// its own there.
fn futures<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let answer: Futures = serde_json::from_str(body)?;
    if let Some(summary) = answer.balance_summary {
        let (free, profit) = (summary.cfm_usd_balance.0.0, summary.unrealized_pnl.0.0);
        let net = Some(sum([free, profit]));
        let balance = Balance { wallet: FUTURES, asset: "USD".into(), free, net, ..Balance::default() };
        tell(Entry::Balance(balance).into());
    }
    Ok(None)
}

#[derive(Deserialize)]
struct Positions {
    positions: Rows<PositionRow>,
}

#[derive(Deserialize)]
struct PositionRow {
    product_id: String,
    side: String,
    number_of_contracts: Money,
    #[serde(default)]
    current_price: Money,
    #[serde(default)]
    unrealized_pnl: Money,
    #[serde(default)]
    contract_size: Money,
    #[serde(default)]
    liquidation_price: Money,
    #[serde(default)]
    leverage: Money,
    #[serde(default)]
    position_notional: Money,
}

fn positions<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let list: Positions = serde_json::from_str(body)?;
    for row in list.positions.good(tell) {
        let contracts = row.number_of_contracts.0.or_zero();
        let short = row.side == "SHORT" || contracts.is_sign_negative();
        let contracts = contracts.abs();
        let coins = row.contract_size.0.nonzero().and_then(|size| contracts.checked_mul(size));
        let dollars = |amount: Decimal| (amount, "USD".into());
        let position = Position {
            market: Market::Linear,
            name: row.product_id,
            side: if short { Side::Short } else { Side::Long },
            size: coins.map_or(Size::Contracts(contracts), Size::Base),
            value: row.position_notional.0.nonzero().map(|value| dollars(value.abs())),
            price: row.current_price.0.nonzero().map(dollars),
            pnl: row.unrealized_pnl.0.0.map(dollars),
            leverage: row.leverage.0.nonzero(),
            liquidation: row.liquidation_price.0.nonzero(),
            at: None,
        };
        tell(Entry::Position(position).into());
    }
    Ok(None)
}

#[derive(Deserialize)]
struct Permissions {
    can_view: Option<bool>,
    can_trade: Option<bool>,
    can_transfer: Option<bool>,
}

/// Transfers leave the venue, too. Neither expiry nor addresses are told.
fn rights<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let key: Permissions = serde_json::from_str(body)?;
    let (read, trade, withdraw) = (key.can_view, key.can_trade, key.can_transfer);
    tell(Entry::Rights(Rights { read, trade, withdraw, transfer: withdraw, ..Rights::default() }).into());
    Ok(None)
}

#[derive(Deserialize)]
struct Products {
    products: Rows<Product>,
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
struct Product {
    product_id: String,
    #[serde(default)]
    quote_currency_id: String,
    future_product_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    contract_root_unit: String,
    #[serde(default)]
    contract_size: Amount,
    #[serde(default)]
    contract_expiry: Option<String>,
}

impl Product {
    /// `BTCUSD261127`: base, quote and the day on which it expires.
    fn symbol(&self) -> Option<String> {
        let details = self.future_product_details.as_ref().filter(|all| !all.contract_root_unit.is_empty())?;
        let day = details.contract_expiry.as_deref().and_then(|time| time.get(2..10)).unwrap_or_default();
        let quote = if self.quote_currency_id.is_empty() { "USD" } else { &self.quote_currency_id };
        Some(label(&format!("{}{quote}{day}", details.contract_root_unit)))
    }
}

/// Contracts of several sizes may expire on one day: then the venue's own names tell them apart.
fn contracts<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let list: Products = serde_json::from_str(body)?;
    let named: Vec<(Product, String)> =
        list.products.good(tell).into_iter().filter_map(|one| one.symbol().map(|symbol| (one, symbol))).collect();
    let mut bearers: HashMap<&str, usize> = HashMap::new();
    named.iter().for_each(|(_, symbol)| *bearers.entry(symbol.as_str()).or_default() += 1);
    for (one, symbol) in &named {
        let unique = bearers.get(symbol.as_str()) == Some(&1);
        let symbol = if unique { symbol.clone() } else { label(&one.product_id) };
        let size = one.future_product_details.as_ref().and_then(|details| details.contract_size.nonzero());
        let name = one.product_id.clone();
        tell(Entry::Contract(Contract { name, market: Market::Linear, symbol, size }).into());
    }
    Ok(questions::next(list.pagination))
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
