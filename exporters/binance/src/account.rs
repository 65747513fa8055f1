//! Binance's signed REST questions about the key, the spot account and the other wallets; `futures.rs` has the futures.
//!
//! Source: <https://developers.binance.com/docs/wallet> and <https://developers.binance.com/docs/binance-spot-api-docs/rest-api/account-endpoints>.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use common::account::{Balance, Rights, windows};
use common::venue::Decoder;
use common::{
    Account, Amount, Ask, Entry, Fault, Feed, Keyring, Market, Micros, Query, Request, Rows, Setup, Tell, Topic,
    Update, View,
};
use serde::Deserialize;

use crate::rows::{FillRow, OrderRow, SPOT, balance, holding, sum};
use crate::{auth, futures, futures_stream, has_wallets, private};

/// What moves slowly.
pub const HOURLY: Duration = Duration::from_secs(3600);
/// What is dear.
const SLOW: Duration = Duration::from_secs(300);
/// The longest time that executions can be asked for at once.
const DAY: Duration = Duration::from_secs(86_400);
/// The most executions, and the most positions, that one answer holds.
pub const PAGE: usize = 1000;
const PAGE_EARN: usize = 100;

/// The account behind a key.
pub struct Owner {
    pub setup: Setup,
    pub keys: Arc<Keyring>,
}

impl Owner {
    fn reads_futures(&self, view: &View) -> bool {
        has_wallets(&self.setup) && view.read.contains(&futures::WALLET)
    }
}

/// A question of the wallets' part, which has limits of its own.
fn sapi(name: &'static str, path: &str, query: &str, weight: u32, decode: Decoder) -> Query {
    Query::new(name, Request::get(path).query(query).weight(weight).pool("sapi"), decode)
}

impl Account for Owner {
    fn sign(&self, request: &mut Request, now: Micros) -> Result<(), Fault> {
        auth::sign(&self.keys.keys(), request, now)
    }

    fn survey(&self) -> Vec<Ask> {
        if !has_wallets(&self.setup) {
            return Vec::new();
        }
        let key = sapi("key", "/sapi/v1/account/apiRestrictions", "", 1, rights).every(HOURLY);
        vec![Ask::may(Topic::Key, key), futures::contracts()]
    }

    fn asks(&self, view: &View) -> Vec<Ask> {
        let account = Request::get("/api/v3/account").query("omitZeroBalances=true").weight(20);
        let orders = Request::get("/api/v3/openOrders").weight(80);
        let mut asks = vec![
            Ask::must(Topic::Wallet(SPOT), Query::new("account", account, spot)),
            Ask::may(Topic::Orders, Query::new("open_orders", orders, open_orders)),
        ];
        if has_wallets(&self.setup) {
            asks.extend(wallets());
            asks.extend(futures::asks(view));
        }
        asks
    }

    /// By symbol, as there is no other way, and a day at a time.
    fn fills(&self, since: Micros, view: &View) -> Vec<Ask> {
        let day = |(from, until): (Micros, Option<Micros>)| match until {
            None => format!("startTime={}", from.as_millis()),
            Some(until) => format!("startTime={}&endTime={}", from.as_millis(), until.as_millis()),
        };
        let days: Vec<String> = windows(since, view.now, DAY).into_iter().map(day).collect();
        let queries = |symbols: &[String]| -> Vec<String> {
            let query =
                |symbol: &String, days: &String| format!("symbol={}&{days}&limit={PAGE}", auth::escaped(symbol));
            symbols.iter().flat_map(|symbol| days.iter().map(move |days| query(symbol, days))).collect()
        };
        let spot = |query: String| {
            let request = Request::get("/api/v3/myTrades").query(query).weight(20);
            Ask::may(Topic::Fills, Query::new("my_trades", request, my_trades))
        };
        let contracts = if self.reads_futures(view) { &view.touched_linear[..] } else { &[] };
        let futures = queries(contracts).into_iter().map(futures::fills);
        queries(&view.touched).into_iter().map(spot).chain(futures).collect()
    }

    /// The futures only where the key reads them: else their stream would never come up.
    fn feeds(&self, view: &View) -> Vec<Box<dyn Feed>> {
        let (given, keys) = (&self.setup.hosts.ws_private, || Arc::clone(&self.keys));
        let mut feeds: Vec<Box<dyn Feed>> = vec![Box::new(private::Events::new(given, keys()))];
        if self.reads_futures(view) {
            let base = if self.setup.ws_private_given { given } else { futures_stream::HOST };
            feeds.push(Box::new(futures_stream::Events::new(base, keys())));
        }
        feeds
    }
}

fn wallets() -> Vec<Ask> {
    let post = Request::post("/sapi/v1/asset/get-funding-asset").pool("sapi");
    let locked = sapi("earn_locked", "/sapi/v1/simple-earn/locked/position", "current=1&size=100", 150, locked);
    let worth = sapi("wallet_balance", "/sapi/v1/asset/wallet/balance", "quoteAsset=USDT", 60, worth);
    vec![
        Ask::may(Topic::Wallet("funding"), Query::new("funding", post, funding)),
        Ask::may(Topic::Wallet("cross_margin"), sapi("cross_margin", "/sapi/v1/margin/account", "", 10, cross)),
        Ask::may(
            Topic::Wallet("isolated_margin"),
            sapi("isolated_margin", "/sapi/v1/margin/isolated/account", "", 10, isolated),
        ),
        Ask::may(Topic::Wallet("earn_locked"), locked.every(SLOW)),
        Ask::may(Topic::Facts, worth.every(SLOW)),
    ]
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Restrictions {
    ip_restrict: Option<bool>,
    enable_reading: Option<bool>,
    enable_withdrawals: Option<bool>,
    enable_internal_transfer: Option<bool>,
    permits_universal_transfer: Option<bool>,
    enable_spot_and_margin_trading: Option<bool>,
    enable_margin: Option<bool>,
    enable_futures: Option<bool>,
    enable_vanilla_options: Option<bool>,
    enable_portfolio_margin_trading: Option<bool>,
    enable_fix_api_trade: Option<bool>,
}

/// Whether any is true; `None` where none is told.
fn any(flags: &[Option<bool>]) -> Option<bool> {
    flags.iter().copied().flatten().reduce(|one, other| one || other)
}

/// What this key may do. What the account's own `canWithdraw` says is about the account. No expiry is told: the one that
/// was documented formerly ended trading only.
fn rights<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let key: Restrictions = serde_json::from_str(body)?;
    let trade = any(&[
        key.enable_spot_and_margin_trading,
        key.enable_margin,
        key.enable_futures,
        key.enable_vanilla_options,
        key.enable_portfolio_margin_trading,
        key.enable_fix_api_trade,
    ]);
    let rights = Rights {
        read: key.enable_reading,
        trade,
        withdraw: key.enable_withdrawals,
        transfer: any(&[key.enable_internal_transfer, key.permits_universal_transfer]),
        ip_restricted: key.ip_restrict,
        expires: None,
    };
    tell(Entry::Rights(rights).into());
    Ok(None)
}

#[derive(Deserialize)]
struct Spot {
    balances: Rows<Held>,
}

/// A balance in any wallet.
#[derive(Deserialize)]
struct Held {
    asset: String,
    free: Amount,
    #[serde(default)]
    locked: Amount,
    #[serde(default)]
    freeze: Amount,
    #[serde(default)]
    withdrawing: Amount,
    #[serde(default)]
    borrowed: Amount,
    #[serde(default)]
    interest: Amount,
}

impl Held {
    fn in_wallet(self, wallet: &'static str) -> Balance {
        balance(wallet, &self.asset, self.free, sum([self.locked, self.freeze, self.withdrawing]))
    }

    fn on_margin(self, wallet: &'static str) -> Balance {
        let borrowed = Some(sum([self.borrowed, self.interest]));
        Balance { borrowed, ..self.in_wallet(wallet) }
    }
}

fn spot<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let account: Spot = serde_json::from_str(body)?;
    for held in account.balances.good(tell) {
        let (wallet, asset) = holding(&held.asset);
        tell(Entry::Balance(balance(wallet, asset, held.free, held.locked.or_zero())).into());
    }
    Ok(None)
}

fn open_orders<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Rows<OrderRow> = serde_json::from_str(body)?;
    rows.good(tell).into_iter().for_each(|row| row.tell(Market::Spot, tell));
    Ok(None)
}

fn my_trades<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Rows<FillRow> = serde_json::from_str(body)?;
    full(rows.count(), PAGE, "executions of a symbol in a day", tell);
    rows.good(tell).into_iter().for_each(|row| row.tell(Market::Spot, tell));
    Ok(None)
}

/// What does not fit into one answer is not known, and is said to be so.
pub fn full(count: usize, page: usize, what: &str, tell: Tell<'_, '_>) {
    if count >= page {
        tell(Update::Misread(Fault::protocol(format!("more than {page} {what}: the rest is not counted"))));
    }
}

fn funding<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Rows<Held> = serde_json::from_str(body)?;
    rows.good(tell).into_iter().for_each(|row| tell(Entry::Balance(row.in_wallet("funding")).into()));
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cross {
    user_assets: Rows<Held>,
}

fn cross<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let account: Cross = serde_json::from_str(body)?;
    let held = account.user_assets.good(tell).into_iter().map(|row| row.on_margin("cross_margin"));
    held.filter(|balance| !balance.is_empty()).for_each(|balance| tell(Entry::Balance(balance).into()));
    Ok(None)
}

#[derive(Deserialize)]
struct Isolated {
    assets: Rows<Pair>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pair {
    base_asset: Held,
    quote_asset: Held,
}

/// Every pair has its own two balances; what they hold of one asset is told as one.
fn isolated<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let account: Isolated = serde_json::from_str(body)?;
    let pairs = account.assets.good(tell).into_iter().flat_map(|pair| [pair.base_asset, pair.quote_asset]);
    let mut sums: BTreeMap<String, Balance> = BTreeMap::new();
    for held in pairs.map(|held| held.on_margin("isolated_margin")).filter(|held| !held.is_empty()) {
        let whole = sums.entry(held.asset.clone()).or_insert_with(|| Balance { asset: held.asset.clone(), ..empty() });
        for (whole, part) in
            [(&mut whole.free, held.free), (&mut whole.locked, held.locked), (&mut whole.borrowed, held.borrowed)]
        {
            *whole = Some(sum([Amount(*whole), Amount(part)]));
        }
    }
    sums.into_values().for_each(|balance| tell(Entry::Balance(balance).into()));
    Ok(None)
}

fn empty() -> Balance {
    Balance { wallet: "isolated_margin", ..Balance::default() }
}

#[derive(Deserialize)]
struct Locked {
    rows: Rows<Stake>,
}

#[derive(Deserialize)]
struct Stake {
    asset: String,
    amount: Amount,
}

/// Locked Simple Earn: any number of positions in one asset. The flexible ones stand in the spot wallet.
fn locked<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let page: Locked = serde_json::from_str(body)?;
    full(page.rows.count(), PAGE_EARN, "positions in locked Simple Earn", tell);
    let mut sums: BTreeMap<String, Amount> = BTreeMap::new();
    for row in page.rows.good(tell) {
        let whole = sums.entry(row.asset).or_default();
        *whole = Amount(Some(sum([*whole, row.amount])));
    }
    for (asset, amount) in sums {
        let locked = amount.0;
        tell(Entry::Balance(Balance { wallet: "earn_locked", asset, locked, ..Balance::default() }).into());
    }
    Ok(None)
}

#[derive(Deserialize)]
struct Worth {
    balance: Amount,
}

/// What the venue makes of all wallets.
fn worth<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let rows: Vec<Worth> = serde_json::from_str(body)?;
    tell(Entry::Reported("account", sum(rows.into_iter().map(|row| row.balance)), "USDT").into());
    Ok(None)
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
