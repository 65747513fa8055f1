//! Bybit's signed REST questions: the unified and funding wallets, positions, orders, executions, the key.
//!
//! Source: <https://bybit-exchange.github.io/docs/v5/account/wallet-balance>.

use std::sync::Arc;
use std::time::Duration;

use common::account::{Balance, Contract, Rights, windows};
use common::venue::Decoder;
use common::{
    Account, Amount, Ask, Decimal, Entry, Fault, Feed, Keyring, Market, Micros, Query, Request, Rows, Setup, Tell,
    Topic, View,
};
use serde::Deserialize;

use crate::questions::{Answer, List};
use crate::rows::{self, ExecutionRow, OrderRow, PositionRow, Wallet};
use crate::{auth, private};

/// Per account and endpoint.
pub const UID: &str = "uid_endpoint";
pub const UID_KEY: &str = "uid_key";
pub const UID_ASSET: &str = "uid_asset";

const HOURLY: Duration = Duration::from_secs(3600);
/// What moves slowly.
const SLOW: Duration = Duration::from_secs(300);
/// Executions are told for so long at a time.
const SPAN: Duration = Duration::from_secs(7 * 86_400);
/// The largest pages.
const POSITIONS: usize = 200;
const ORDERS: usize = 50;
const EXECUTIONS: usize = 100;
/// A key that does not expire is said to have expired then.
const NEVER: Micros = Micros(0);

/// The account behind a key.
pub struct Owner {
    pub setup: Setup,
    pub keys: Arc<Keyring>,
}

fn query(name: &'static str, path: &str, query: impl Into<String>, decode: Decoder) -> Query {
    Query::new(name, Request::get(path).query(query).pool(UID), decode)
}

impl Account for Owner {
    fn sign(&self, request: &mut Request, now: Micros) -> Result<(), Fault> {
        auth::sign(&self.keys.keys(), request, now);
        Ok(())
    }

    fn survey(&self) -> Vec<Ask> {
        let contracts = |category: &str| {
            let text = format!("category={category}&limit=1000");
            let request = Request::get("/v5/market/instruments-info").query(text);
            Ask::may(Topic::Facts, Query::new("contracts", request, contracts).paged("cursor").every(HOURLY)).unsigned()
        };
        let key = Request::get("/v5/user/query-api").pool(UID_KEY);
        vec![Ask::must(Topic::Key, Query::new("key", key, key_info)), contracts("linear"), contracts("inverse")]
    }

    fn asks(&self, _view: &View) -> Vec<Ask> {
        let unified = query("unified", "/v5/account/wallet-balance", "accountType=UNIFIED", unified);
        let funding = Request::get("/v5/asset/transfer/query-account-coins-balance").query("accountType=FUND");
        let funding = Query::new("funding", funding.pool(UID_ASSET), funding_wallet);
        let overview = query("overview", "/v5/asset/asset-overview", "valuationCurrency=USD", overview).every(SLOW);
        let positions = |text: &str| {
            let query = query("positions", "/v5/position/list", format!("{text}&limit={POSITIONS}"), positions);
            Ask::may(Topic::Positions, query.paged("cursor"))
        };
        let orders = |text: &str| {
            let query = query("orders", "/v5/order/realtime", format!("{text}&limit={ORDERS}"), orders);
            Ask::may(Topic::Orders, query.paged("cursor"))
        };
        vec![
            Ask::must(Topic::Wallet(rows::UNIFIED), unified),
            Ask::may(Topic::Wallet("funding"), funding),
            Ask::may(Topic::Facts, overview),
            positions("category=option"),
            positions("category=inverse"),
            positions("category=linear&settleCoin=USDC"),
            positions("category=linear&settleCoin=USDT"),
            orders("category=option"),
            orders("category=inverse"),
            orders("category=linear&settleCoin=USDC"),
            orders("category=linear&settleCoin=USDT"),
            orders("category=spot"),
        ]
    }

    fn fills(&self, since: Micros, view: &View) -> Vec<Ask> {
        let spans = windows(since, view.now, SPAN);
        let ask = |category: &str, (start, end): (Micros, Option<Micros>)| {
            let end = end.map(|end| format!("&endTime={}", end.as_millis() - 1)).unwrap_or_default();
            let text = format!("category={category}&startTime={}{end}&limit={EXECUTIONS}", start.as_millis());
            Ask::may(Topic::Fills, query("fills", "/v5/execution/list", text, executions).paged("cursor"))
        };
        let categories = ["spot", "linear", "inverse", "option"];
        categories.iter().flat_map(|category| spans.iter().map(|span| ask(category, *span))).collect()
    }

    fn feeds(&self, _view: &View) -> Vec<Box<dyn Feed>> {
        vec![Box::new(private::Events::new(&self.setup.hosts.ws_private, Arc::clone(&self.keys)))]
    }
}

/// The rows of a list of one category, and the name of the next page. The last page may name another one, which is
/// empty.
fn page<'f, T: Deserialize<'f>>(body: &'f str, tell: Tell<'_, 'f>) -> Result<(Market, Vec<T>, Option<String>), Fault> {
    let Answer { result: list }: Answer<List<T>> = serde_json::from_str(body)?;
    let market = rows::market(&list.category).ok_or_else(|| Fault::decode("a list of no known category"))?;
    let next = Some(list.next_page_cursor).filter(|cursor| !cursor.is_empty() && list.list.count() > 0);
    Ok((market, list.list.good(tell), next))
}

fn unified<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let answer: Answer<List<Wallet>> = serde_json::from_str(body)?;
    for wallet in answer.result.list.good(tell) {
        wallet.tell(None, tell);
    }
    Ok(None)
}

#[derive(Deserialize)]
struct Funds {
    balance: Rows<Fund>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fund {
    coin: String,
    wallet_balance: Amount,
    #[serde(default)]
    transfer_balance: Amount,
}

/// What can be transferred is free; the rest is held by withdrawals and the like.
fn funding_wallet<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let answer: Answer<Funds> = serde_json::from_str(body)?;
    for row in answer.result.balance.good(tell) {
        let all = row.wallet_balance.or_zero();
        let free = row.transfer_balance.0.unwrap_or(all).min(all);
        let (free, locked) = (Some(free), Some(all - free));
        let balance = Balance { wallet: "funding", asset: row.coin, free, locked, ..Balance::default() };
        tell(Entry::Balance(balance).into());
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Overview {
    total_equity: Amount,
}

/// The whole account by the venue's own reckoning, with what no other question sees: earn, bots, loans.
fn overview<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let answer: Answer<Overview> = serde_json::from_str(body)?;
    if let Some(total) = answer.result.total_equity.0 {
        tell(Entry::Reported("account", total, "USD").into());
    }
    Ok(None)
}

fn positions<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let (market, rows, next) = page::<PositionRow>(body, tell)?;
    rows.into_iter().for_each(|row| row.tell(market, tell));
    Ok(next)
}

fn orders<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let (market, rows, next) = page::<OrderRow>(body, tell)?;
    rows.into_iter().for_each(|row| row.tell(market, tell));
    Ok(next)
}

fn executions<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let (market, rows, next) = page::<ExecutionRow>(body, tell)?;
    rows.into_iter().for_each(|row| row.tell(market, tell));
    Ok(next)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyInfo {
    read_only: i64,
    #[serde(default)]
    permissions: Permissions,
    ips: Option<Vec<String>>,
    #[serde(default)]
    expired_at: String,
}

/// Lists by group; only those of wallets say more than that one may trade.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Permissions {
    wallet: Vec<String>,
    contract_trade: Vec<String>,
    spot: Vec<String>,
    options: Vec<String>,
    derivatives: Vec<String>,
    exchange: Vec<String>,
}

/// Without addresses a key is bound to none; `*` stands for all of them.
fn key_info<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let Answer { result: key }: Answer<KeyInfo> = serde_json::from_str(body)?;
    let (may, writes) = (&key.permissions, key.read_only == 0);
    let trades = [&may.contract_trade, &may.spot, &may.options, &may.derivatives, &may.exchange];
    let withdraw = |one: &String| one == "Withdraw";
    let rights = Rights {
        read: Some(true),
        trade: Some(writes && trades.iter().any(|group| !group.is_empty())),
        withdraw: Some(writes && may.wallet.iter().any(withdraw)),
        transfer: Some(writes && may.wallet.iter().any(|one| one.contains("Transfer"))),
        ip_restricted: Some(key.ips.iter().flatten().any(|ip| ip != "*")),
        expires: Micros::of_rfc3339(&key.expired_at).filter(|at| *at > NEVER),
    };
    tell(Entry::Rights(rights).into());
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContractRow {
    symbol: String,
    base_coin: String,
    quote_coin: String,
    #[serde(default)]
    contract_type: String,
    #[serde(default)]
    delivery_time: Amount,
}

/// Sizes are in the coin, or in dollars where a contract pays in the coin. A date tells futures from perpetuals.
fn contracts<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let (market, rows, next) = page::<ContractRow>(body, tell)?;
    for row in rows {
        let dated = row.contract_type.ends_with("Futures");
        let day = row.delivery_time.nonzero().and_then(|time| i64::try_from(time).ok()).filter(|_| dated);
        let day = day.map(|time| Micros::from_millis(time).rfc3339()).unwrap_or_default();
        let day = day.get(2..10).unwrap_or_default();
        let symbol = common::account::label(&format!("{}{}{day}", row.base_coin, row.quote_coin));
        tell(Entry::Contract(Contract { name: row.symbol, market, symbol, size: Some(Decimal::ONE) }).into());
    }
    Ok(next)
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
