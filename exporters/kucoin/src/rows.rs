//! The rows that KuCoin's signed REST and its private streams share. Money of the spot host is text, that of the futures
//! host bare numbers.

use std::collections::BTreeMap;

use common::account::{Balance, Fill, Order, Role, Side, Status, Topic};
use common::{Amount, Decimal, Entry, Fault, Market, Micros, Tell, Update};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Deposits and withdrawals go through here; also called the funding account.
pub const MAIN: &str = "main";
/// What spot orders trade with.
pub const TRADE: &str = "trade";
/// The same for orders at high frequency, on accounts where that is still another one.
pub const TRADE_HF: &str = "trade_hf";
pub const MARGIN: &str = "margin";
pub const ISOLATED: &str = "isolated";

/// An id, as text or as a number beyond what others read exactly.
#[derive(Clone, Debug, Default)]
pub struct Id(pub String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        Ok(Id(raw.trim_matches('"').to_owned()))
    }
}

/// From milliseconds.
pub fn millis(time: Amount) -> Option<Micros> {
    i64::try_from(time.nonzero()?).ok().map(Micros::from_millis)
}

/// From nanoseconds.
pub fn nanos(time: Amount) -> Option<Micros> {
    i64::try_from(time.nonzero()?).ok().map(|nanos| Micros(nanos / 1000))
}

pub fn role(liquidity: &str) -> Option<Role> {
    match liquidity {
        "maker" => Some(Role::Maker),
        "taker" => Some(Role::Taker),
        _ => None,
    }
}

pub fn side(side: &str) -> Side {
    if side.eq_ignore_ascii_case("sell") { Side::Sell } else { Side::Buy }
}

/// Tells of a row that says something unknown; it loses no other.
pub fn misread(what: &str, value: &str, tell: Tell<'_, '_>) {
    tell(Update::Misread(Fault::decode(format!("{what} {:?} is not known", common::excerpt(value)))));
}

/// What an order's event tells of its fate; `match` is told beside.
pub fn status(kind: &str) -> Option<Status> {
    match kind {
        "received" | "open" => Some(Status::New),
        "match" | "update" => Some(Status::Working),
        "filled" => Some(Status::Filled),
        "canceled" => Some(Status::Canceled),
        _ => None,
    }
}

/// Balances of one wallet, each asset once.
pub fn sum(balances: impl Iterator<Item = Balance>) -> Vec<Balance> {
    let plus = |a: Option<Decimal>, b: Option<Decimal>| match (a, b) {
        (Some(a), Some(b)) => a.checked_add(b).or(Some(a)),
        (a, b) => a.or(b),
    };
    let mut sums: BTreeMap<String, Balance> = BTreeMap::new();
    for one in balances {
        match sums.get_mut(&one.asset) {
            Some(sum) => {
                sum.free = plus(sum.free, one.free);
                sum.locked = plus(sum.locked, one.locked);
                sum.borrowed = plus(sum.borrowed, one.borrowed);
                sum.net = plus(sum.net, one.net);
            }
            None => {
                sums.insert(one.asset.clone(), one);
            }
        }
    }
    sums.into_values().collect()
}

/// A change of one coin in one account.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BalanceEvent {
    currency: String,
    available: Amount,
    hold: Amount,
    #[serde(default)]
    relation_event: String,
    #[serde(default)]
    time: Amount,
}

impl BalanceEvent {
    /// The event's name begins with the account's. Of margin it does not tell what is owed; and what events call
    /// `trade_hf`, answers may call `trade`: told under another name it would count twice.
    pub fn tell(self, tell: Tell<'_, '_>) {
        let wallet = match self.relation_event.split('.').next().unwrap_or_default() {
            "main" => MAIN,
            "trade" => TRADE,
            event if event.starts_with("margin") => return tell(Entry::Stir(Topic::Wallet(MARGIN)).into()),
            event if event.starts_with("isolated") => return tell(Entry::Stir(Topic::Wallet(ISOLATED)).into()),
            _ => return tell(Entry::Stir(Topic::Wallet(TRADE)).into()),
        };
        let (free, locked, at) = (self.available.0, self.hold.0, millis(self.time));
        let balance = Balance { wallet, asset: self.currency, free, locked, at, ..Balance::default() };
        tell(Entry::Balance(balance).into());
    }
}

/// What ends a contract is no trade.
pub fn is_trade(kind: &str) -> bool {
    !matches!(kind, "settlement" | "cancel")
}

/// An execution. A contract's size is in lots: what they are worth depends on the contract.
pub fn execution(fill: Fill, size: Decimal, price: Decimal) -> Entry {
    match fill.market {
        Market::Spot => Entry::Fill(Fill { quote_volume: price.checked_mul(size), ..fill }),
        _ => Entry::Deal(fill, size, price),
    }
}

/// What became of an order.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderEvent {
    symbol: String,
    order_id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    side: String,
    #[serde(default)]
    match_price: Amount,
    #[serde(default)]
    match_size: Amount,
    #[serde(default)]
    trade_id: Id,
    #[serde(default)]
    liquidity: String,
    /// Only of futures.
    #[serde(default)]
    trade_type: String,
    #[serde(default)]
    ts: Amount,
}

impl OrderEvent {
    /// Tells the order; a match is an execution, too, whose fee stands only in the list of executions.
    pub fn tell(self, market: fn(&str) -> Market, tell: Tell<'_, '_>) {
        let Some(status) = status(&self.kind) else { return misread("order event", &self.kind, tell) };
        let (market, at) = (market(&self.symbol), nanos(self.ts));
        tell(Entry::Order(Order { market, name: self.symbol.clone(), id: self.order_id, status, at }).into());
        if self.kind == "match" && is_trade(&self.trade_type) {
            let fill = Fill {
                market,
                name: self.symbol,
                id: self.trade_id.0,
                side: side(&self.side),
                role: role(&self.liquidity),
                quote_volume: None,
                fee: None,
                at,
            };
            tell(execution(fill, self.match_size.or_zero(), self.match_price.or_zero()).into());
            tell(Entry::Stir(Topic::Fills).into());
        }
    }
}
