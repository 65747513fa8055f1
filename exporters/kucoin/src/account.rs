//! KuCoin's signed REST questions of a classic account: wallets, margin, earn, open orders, executions, the key. Those of
//! futures and of unified accounts have files of their own.
//!
//! Source: <https://www.kucoin.com/docs-new/rest/account-info>.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use common::account::{Balance, Fill, Order, Rights, Status, windows};
use common::venue::Decoder;
use common::{
    Account, Amount, Ask, Entry, Fault, Feed, Keyring, Market, Micros, Query, Request, Rows, Setup, Tell, Topic, View,
};
use serde::Deserialize;

use crate::auth::Signer;
use crate::futures::{self, page};
use crate::private::{Events, Place};
use crate::questions::Data;
use crate::rows::{self, ISOLATED, Id, MAIN, MARGIN, TRADE, TRADE_HF, millis, misread};
use crate::unified;

/// Limits of an account, each of so many units in 30 s.
pub const SPOT: &str = "spot";
pub const FUTURES: &str = "futures";
pub const MANAGEMENT: &str = "management";
pub const EARN: &str = "earn";

const HOURLY: Duration = Duration::from_secs(3600);
/// What moves slowly, or is dear.
const SLOW: Duration = Duration::from_secs(300);
/// Executions are told for so long at a time.
const SPAN: Duration = Duration::from_secs(7 * 86_400);
/// Executions on a page.
const FILLS: usize = 100;
/// Orders and executions can be asked by symbol only: of no more symbols than this, or the account's limit would go for
/// nothing else.
const TOUCHED: usize = 40;
/// So many symbols at least, of the exported ones: a key that may only read is not told which have orders.
const LEAST: usize = 10;
/// And so many of those that nothing was heard of, others each time: what happens while no stream is there to tell is found.
const SCOUTED: usize = 5;

/// The account behind a key.
pub struct Owner {
    pub setup: Setup,
    pub keys: Arc<Keyring>,
    pub signer: Signer,
}

fn query(name: &'static str, request: Request, decode: Decoder) -> Query {
    Query::new(name, request, decode)
}

/// Symbols to ask about: those that something was heard of, and the exported ones in turns, so many at least.
fn symbols(view: &View, least: usize) -> Vec<&String> {
    let mut symbols: Vec<&String> = view.touched.iter().take(TOUCHED).collect();
    let silent: Vec<&String> = view.streamed.iter().filter(|symbol| !view.touched.contains(symbol)).collect();
    let more = least.saturating_sub(symbols.len()).max(SCOUTED).min(silent.len());
    symbols.extend(silent.iter().cycle().skip(view.turn.wrapping_mul(more) % silent.len().max(1)).take(more));
    symbols
}

impl Account for Owner {
    fn sign(&self, request: &mut Request, now: Micros) -> Result<(), Fault> {
        self.signer.sign(&self.keys.keys(), request, now);
        Ok(())
    }

    fn again(&self, fault: &Fault) -> bool {
        self.signer.again(fault)
    }

    fn survey(&self) -> Vec<Ask> {
        let key = Request::get("/api/v1/user/api-key").weight(20).pool(MANAGEMENT);
        let mode = Request::get("/api/ua/v2/account/mode").weight(30).pool(unified::POOL);
        let active = Request::get("/api/v1/hf/orders/active/symbols").weight(2).pool(SPOT);
        let contracts = Request::get("/api/v1/contracts/active").weight(3).futures();
        vec![
            Ask::may(Topic::Key, query("key", key, key_info).every(SLOW)),
            Ask::may(Topic::Facts, query("mode", mode, mode_info).every(SLOW)),
            // Refused to keys that may only read; streams tell of later ones.
            Ask::may(Topic::Facts, query("active_symbols", active, active_symbols).every(SLOW)),
            Ask::may(Topic::Facts, query("contracts", contracts, futures::contracts).every(HOURLY)).unsigned(),
        ]
    }

    fn asks(&self, view: &View) -> Vec<Ask> {
        if view.mode == Some(unified::MODE) {
            return [unified::asks(), vec![earn()]].concat();
        }
        let accounts = Request::get("/api/v1/accounts").weight(5).pool(MANAGEMENT);
        let margin = Request::get("/api/v3/margin/accounts").query("quoteCurrency=USDT&queryType=MARGIN");
        let isolated = Request::get("/api/v3/isolated/accounts").query("quoteCurrency=USDT&queryType=ISOLATED");
        let positions = Request::get("/api/v1/positions").weight(2).pool(FUTURES).futures();
        let orders = Request::get("/api/v1/orders").query("status=active&pageSize=1000").weight(2);
        let orders = query("futures_orders", orders.pool(FUTURES).futures(), futures::orders).paged("currentPage");
        let mut asks = vec![
            Ask::must(Topic::Wallet(TRADE), query("accounts", accounts, wallets)),
            Ask::may(Topic::Wallet(MARGIN), query("margin", margin.weight(15).pool(SPOT), cross_margin)),
            Ask::may(Topic::Wallet(ISOLATED), query("isolated", isolated.weight(15).pool(SPOT), isolated_margin)),
            earn(),
        ];
        for coin in ["XBT", "USDC", "USDT"] {
            let request = Request::get("/api/v1/account-overview").query(format!("currency={coin}")).weight(5);
            let overview = query("futures", request.pool(FUTURES).futures(), futures::overview);
            asks.push(Ask::may(Topic::Wallet(futures::WALLET), overview));
        }
        asks.push(Ask::may(Topic::Positions, query("positions", positions, futures::positions)));
        asks.push(Ask::may(Topic::Orders, orders));
        for symbol in symbols(view, LEAST) {
            let request = Request::get("/api/v1/hf/orders/active").query(format!("symbol={symbol}")).weight(2);
            asks.push(Ask::may(Topic::Orders, query("orders", request.pool(SPOT), orders_of_a_symbol)));
        }
        asks
    }

    fn fills(&self, since: Micros, view: &View) -> Vec<Ask> {
        if view.mode == Some(unified::MODE) {
            return Vec::new();
        }
        let mut asks = Vec::new();
        for (start, end) in windows(since, view.now, SPAN) {
            let end = end.map(|end| format!("&endAt={}", end.as_millis() - 1)).unwrap_or_default();
            let span = format!("startAt={}{end}", start.as_millis());
            for symbol in symbols(view, TOUCHED) {
                let text = format!("symbol={symbol}&{span}&limit={FILLS}");
                let request = Request::get("/api/v1/hf/fills").query(text).weight(2).pool(SPOT);
                asks.push(Ask::may(Topic::Fills, query("fills", request, spot_fills).paged("lastId")));
            }
            let request = Request::get("/api/v1/fills").query(format!("{span}&pageSize={FILLS}")).weight(5);
            let query = query("futures_fills", request.pool(FUTURES).futures(), futures::fills);
            asks.push(Ask::may(Topic::Fills, query.paged("currentPage")));
        }
        asks
    }

    fn feeds(&self, view: &View) -> Vec<Box<dyn Feed>> {
        let given = self.setup.ws_private_given.then(|| self.setup.hosts.ws_private.to_string());
        if view.mode == Some(unified::MODE) {
            return vec![Box::new(unified::Events::new(given, Arc::clone(&self.keys)))];
        }
        let mut feeds: Vec<Box<dyn Feed>> = vec![Box::new(Events::new(Place::Spot, given.clone()))];
        // A line about futures that the key may not read would never live.
        if view.read.contains(&crate::futures::WALLET) {
            feeds.push(Box::new(Events::new(Place::Futures, given)));
        }
        feeds
    }
}

/// Not a part of any other wallet.
fn earn() -> Ask {
    let request = Request::get("/api/v1/earn/hold-assets").query("pageSize=500").weight(5).pool(EARN);
    Ask::may(Topic::Wallet("earn"), query("earn", request, holdings).paged("currentPage").every(SLOW))
}

#[derive(Deserialize)]
struct AccountRow {
    id: Id,
    currency: String,
    #[serde(rename = "type")]
    kind: String,
    available: Amount,
    #[serde(default)]
    holds: Amount,
}

/// An account may come under two types: by its id it counts once.
fn wallets<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let answer: Data<Rows<AccountRow>> = serde_json::from_str(body)?;
    let mut seen = HashSet::new();
    for row in answer.data.good(tell) {
        let wallet = match row.kind.as_str() {
            "main" => MAIN,
            "trade" => TRADE,
            "trade_hf" => TRADE_HF,
            // Another question tells of it, with its debts.
            kind if kind.starts_with("margin") || kind.starts_with("isolated") => continue,
            other => {
                misread("account type", other, tell);
                continue;
            }
        };
        if !seen.insert(row.id.0) {
            continue;
        }
        let (free, locked) = (row.available.0, Some(row.holds.or_zero()));
        tell_balance(Balance { wallet, asset: row.currency, free, locked, ..Balance::default() }, tell);
    }
    Ok(None)
}

fn tell_balance(balance: Balance, tell: Tell<'_, '_>) {
    // Every coin that could be borrowed is listed.
    if !balance.is_empty() {
        tell(Entry::Balance(balance).into());
    }
}

/// One coin of a margin account; `liability` has the interest in it.
#[derive(Deserialize)]
struct Holding {
    currency: String,
    available: Amount,
    #[serde(default)]
    hold: Amount,
    #[serde(default)]
    liability: Amount,
}

impl Holding {
    fn balance(self, wallet: &'static str) -> Balance {
        let [free, locked, borrowed] = [self.available, self.hold, self.liability].map(|part| Some(part.or_zero()));
        Balance { wallet, asset: self.currency, free, locked, borrowed, ..Balance::default() }
    }
}

#[derive(Deserialize)]
struct CrossMargin {
    accounts: Rows<Holding>,
}

fn cross_margin<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let answer: Data<CrossMargin> = serde_json::from_str(body)?;
    for row in answer.data.accounts.good(tell) {
        tell_balance(row.balance(MARGIN), tell);
    }
    Ok(None)
}

#[derive(Deserialize)]
struct IsolatedMargin {
    assets: Rows<Pair>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pair {
    base_asset: Holding,
    quote_asset: Holding,
}

/// Each pair has an account of its own; a coin's holdings in all of them are told as one.
fn isolated_margin<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let answer: Data<IsolatedMargin> = serde_json::from_str(body)?;
    let sides = answer.data.assets.good(tell).into_iter().flat_map(|pair| [pair.base_asset, pair.quote_asset]);
    rows::sum(sides.map(|side| side.balance(ISOLATED))).into_iter().for_each(|balance| tell_balance(balance, tell));
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EarnRow {
    currency: String,
    hold_amount: Amount,
}

fn holdings<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let (rows, next) = page::<EarnRow>(body, tell)?;
    let balance =
        |row: EarnRow| Balance { wallet: "earn", asset: row.currency, free: row.hold_amount.0, ..Balance::default() };
    rows::sum(rows.into_iter().map(balance)).into_iter().for_each(|balance| tell_balance(balance, tell));
    Ok(next)
}

#[derive(Deserialize)]
struct Active {
    symbols: Option<Vec<String>>,
}

fn active_symbols<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let answer: Data<Active> = serde_json::from_str(body)?;
    for symbol in answer.data.symbols.into_iter().flatten() {
        tell(Entry::Touched(symbol).into());
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderRow {
    id: String,
    symbol: String,
    #[serde(default)]
    deal_size: Amount,
    #[serde(default)]
    last_updated_at: Amount,
}

/// The open ones of one symbol; `null` where there is none.
fn orders_of_a_symbol<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let answer: Data<Option<Rows<OrderRow>>> = serde_json::from_str(body)?;
    let rows = answer.data.map(|rows| rows.good(tell)).unwrap_or_default();
    for row in rows {
        let status = if row.deal_size.nonzero().is_some() { Status::Working } else { Status::New };
        let at = millis(row.last_updated_at);
        tell(Entry::Order(Order { market: Market::Spot, name: row.symbol, id: row.id, status, at }).into());
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fills {
    items: Rows<FillRow>,
    #[serde(default)]
    last_id: Id,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FillRow {
    symbol: String,
    trade_id: Id,
    side: String,
    #[serde(default)]
    liquidity: String,
    #[serde(default)]
    funds: Amount,
    #[serde(default)]
    fee: Amount,
    #[serde(default)]
    fee_currency: String,
    #[serde(default)]
    created_at: Amount,
}

/// A full page is followed by the one before it, named by its last row.
fn spot_fills<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let Data { data: fills }: Data<Fills> = serde_json::from_str(body)?;
    let next = Some(fills.last_id.0).filter(|id| fills.items.count() >= FILLS && !id.is_empty() && id != "null");
    for row in fills.items.good(tell) {
        let fill = Fill {
            market: Market::Spot,
            name: row.symbol,
            id: row.trade_id.0,
            side: rows::side(&row.side),
            role: rows::role(&row.liquidity),
            quote_volume: row.funds.0,
            fee: row.fee.0.filter(|_| !row.fee_currency.is_empty()).map(|fee| (fee, row.fee_currency)),
            at: millis(row.created_at),
        };
        tell(Entry::Fill(fill).into());
    }
    Ok(next)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mode {
    self_account_mode: String,
}

fn mode_info<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let answer: Data<Mode> = serde_json::from_str(body)?;
    let mode = if answer.data.self_account_mode == "UNIFIED" { unified::MODE } else { "classic" };
    tell(Entry::Mode(mode).into());
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyInfo {
    permission: String,
    ip_whitelist: Option<String>,
    #[serde(default)]
    expired_at: Amount,
}

/// `Transfer` is the right to withdraw; to move money between one's own wallets is `InnerTransfer`.
fn key_info<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let Data { data: key }: Data<KeyInfo> = serde_json::from_str(body)?;
    let scopes: Vec<&str> = key.permission.split(',').map(str::trim).collect();
    let any = |wanted: fn(&str) -> bool| Some(scopes.iter().any(|scope| wanted(scope)));
    let withdraw = any(|scope| scope != "InnerTransfer" && (scope.contains("Transfer") || scope.contains("Withdraw")));
    let rights = Rights {
        read: Some(true),
        trade: any(|scope| matches!(scope, "Spot" | "Margin" | "Futures" | "Unified")),
        withdraw,
        transfer: any(|scope| scope == "InnerTransfer" || scope.contains("Transfer")),
        ip_restricted: Some(key.ip_whitelist.is_some_and(|list| !list.trim().is_empty())),
        expires: millis(key.expired_at),
    };
    tell(Entry::Rights(rights).into());
    Ok(None)
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
