//! Coinbase Advanced Trade: REST with a token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::rows::{self, PORTFOLIO};
use super::token::{self, Fault};
use super::{futures, rest};
use crate::account::{Account, Fill, Order};
use crate::fault::Limited;
use crate::http::{Reply, Request};
use crate::limiter::Limit;
use crate::market::{Level, Market};
use crate::protocol::Protocol as _;
use crate::world::World;

const PREFIX: &str = "/api/v3/brokerage/";
const PRODUCTS: &str = "/api/v3/brokerage/products";
const PER_SECOND: Limit = Limit::per_millis(30, 1_000);
const PER_HOUR: Limit = Limit::per_millis(10_000, 3_600_000);

/// An answer, or its refusal.
type Answer = Result<Value, Problem>;

/// Why a request is not answered.
pub(super) struct Problem {
    status: u16,
    error: &'static str,
    details: String,
    /// No client that knows the documentation gets this.
    bug: bool,
}

impl Problem {
    fn argument(details: impl Into<String>) -> Self {
        Self { status: 400, error: "INVALID_ARGUMENT", details: details.into(), bug: true }
    }

    /// Of something that this user or this key does not have: no mistake of the client.
    pub(super) const fn new(status: u16, error: &'static str, details: String) -> Self {
        Self { status, error, details, bug: false }
    }

    pub(super) fn scopes() -> Self {
        Self::new(403, "PERMISSION_DENIED", "Missing required scopes".to_owned())
    }
}

/// A question about the account, as it is at this moment.
pub(super) struct Asked<'a> {
    pub(super) account: &'a Account,
    pub(super) market: &'a Market,
    request: &'a Request,
    /// The largest page, whatever is asked.
    page: Option<usize>,
}

/// Whether a REST path needs a token.
pub(super) fn is_signed(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest != "time" && !rest.starts_with("market/"))
}

pub(super) fn answer(world: &World, request: &Request) -> Reply {
    let now = Instant::now();
    let refused = |limit, name| world.tallies.lock().of(name).count(limit, 1, now).is_none();
    if refused(PER_SECOND, "private") || refused(PER_HOUR, "private by the hour") {
        world.seen.lock().violations.push(format!("429 {}", request.path));
        return super::Coinbase.limited(Limited::Plain);
    }
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let judged =
        token.map_or(Err(Fault::Refused), |token| token::check(world, token, Some((&request.method, &request.path))));
    if let Err(fault) = judged {
        if let Fault::Bug(what) = fault {
            world.seen.lock().violations.push(format!("{what}: {} {}", request.method, request.path));
        }
        // One answer for all causes.
        return Reply::text(401, "Unauthorized\n");
    }
    if request.method == "GET" && request.path == PRODUCTS && world.account.lock().key.read {
        return rest::products(world, &world.market.lock(), request);
    }
    let page = world.options.page_size;
    let answer = world.deal(|account, market, _| route(&Asked { account, market, request, page }));
    let reply = match answer {
        Ok(body) => Reply::json(200, &body),
        Err(Problem { status, error, details, bug }) => {
            if bug {
                world
                    .seen
                    .lock()
                    .violations
                    .push(format!("{details}: {} {}?{}", request.method, request.path, request.query));
            }
            Reply::json(status, &json!({"error": error, "error_details": details, "message": details}))
        }
    };
    // They may be missing.
    if request.path.contains("/cfm/") {
        return reply;
    }
    reply
        .with("x-ratelimit-limit", PER_SECOND.most)
        .with("x-ratelimit-remaining", PER_SECOND.most - 1)
        .with("x-ratelimit-reset", 1)
}

fn route(asked: &Asked<'_>) -> Answer {
    if !asked.account.key.read {
        return Err(Problem::scopes());
    }
    let words: Vec<&str> = asked.request.path.strip_prefix(PREFIX).unwrap_or_default().split('/').collect();
    let Asked { account, market, .. } = *asked;
    match (asked.request.method.as_str(), &words[..]) {
        ("GET", ["accounts"]) => accounts(asked),
        ("GET", ["portfolios"]) => Ok(json!({"portfolios": [rows::portfolio()]})),
        ("GET", ["portfolios", uuid]) if *uuid == PORTFOLIO => {
            let currency = asked.parameter("currency").unwrap_or_else(|| "USD".to_owned());
            let unknown = || Problem::argument(format!("currency {currency} is not supported"));
            rows::breakdown(account, market, &currency).ok_or_else(unknown)
        }
        ("GET", ["key_permissions"]) => {
            let key = &account.key;
            Ok(json!({
                "can_view": key.read, "can_trade": key.trade, "can_transfer": key.transfer || key.withdraw, "can_receive": false,
                "portfolio_uuid": PORTFOLIO, "portfolio_type": "DEFAULT",
            }))
        }
        ("GET", ["orders", "historical", "batch"]) => orders(asked),
        ("GET", ["orders", "historical", "fills"]) => fills(asked),
        ("GET", ["transaction_summary"]) => Ok(rows::summary(&account.books)),
        ("GET", ["cfm", "balance_summary"]) => futures::balance(asked),
        ("GET", ["cfm", "positions"]) => futures::positions(asked),
        ("GET", ["best_bid_ask"]) => best(asked),
        _ => {
            let unknown = Problem::new(404, "NOT_FOUND", "Not Found".to_owned());
            Err(Problem { bug: true, ..unknown })
        }
    }
}

impl Asked<'_> {
    fn parameter(&self, name: &str) -> Option<String> {
        self.request.parameter(name).filter(|value| !value.is_empty())
    }

    /// Whether a value is among those that a repeated parameter names, if it names any.
    fn wants(&self, name: &str, value: &str) -> bool {
        let mut wanted = self.request.parameters(name).peekable();
        wanted.peek().is_none() || wanted.any(|one| one == value)
    }

    fn moment(&self, name: &str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.parameter(name) else { return Ok(None) };
        let moment = text.parse::<Timestamp>().map_err(|_| Problem::argument(format!("{name} is invalid")))?;
        Ok(Some(u64::try_from(moment.as_millisecond()).unwrap_or(0)))
    }

    /// The rows of the page that is asked for, and the cursor of the next one, empty after the last. The numbers of the rows
    /// fall.
    fn page<T>(
        &self,
        rows: impl Iterator<Item = T>,
        (default, most): (usize, usize),
        number: impl Fn(&T) -> u64,
    ) -> Result<(Vec<T>, String), Problem> {
        let limit = match self.parameter("limit").map(|limit| limit.parse::<usize>()) {
            None => default,
            Some(Ok(limit)) if (1..=most).contains(&limit) => limit,
            Some(_) => return Err(Problem::argument("limit is invalid")),
        };
        let limit = self.page.map_or(limit, |page| limit.min(page.max(1)));
        let after = match self.parameter("cursor") {
            None => u64::MAX,
            Some(cursor) => place(&cursor).ok_or_else(|| Problem::argument("cursor is invalid"))?,
        };
        let mut rest = rows.filter(|row| number(row) < after);
        let page: Vec<T> = rest.by_ref().take(limit).collect();
        let more = rest.next().is_some();
        let cursor =
            page.last().filter(|_| more).map_or_else(String::new, |last| STANDARD.encode(number(last).to_string()));
        Ok((page, cursor))
    }
}

/// Nobody else should read it.
fn place(cursor: &str) -> Option<u64> {
    String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?.parse().ok()
}

fn accounts(asked: &Asked<'_>) -> Answer {
    let accounts = rows::accounts(&asked.account.books).into_iter();
    let (accounts, cursor) = asked.page(accounts, (49, 250), |(number, _)| *number)?;
    let rows: Vec<Value> = accounts.into_iter().map(|(_, row)| row).collect();
    Ok(json!({"size": rows.len(), "accounts": rows, "has_next": !cursor.is_empty(), "cursor": cursor}))
}

/// Unless asked for more, those of the simple app are left out; there are none here.
fn orders(asked: &Asked<'_>) -> Answer {
    let (begin, end) = (asked.moment("start_date")?, asked.moment("end_date")?);
    let (side, kind) = (asked.parameter("order_side"), asked.parameter("product_type"));
    let meant = asked.account.books.orders.iter().rev().filter(|order: &&Order| {
        asked.wants("order_status", rows::status(order.status))
            && asked.wants("product_ids", &order.symbol)
            && asked.wants("order_ids", &order.id)
            && side.as_ref().is_none_or(|side| side == rows::side(order.side))
            && kind.as_ref().is_none_or(|kind| kind == rows::product_type(order.category))
            && begin.is_none_or(|begin| order.created_at >= begin)
            && end.is_none_or(|end| order.created_at < end)
    });
    let (orders, cursor) = asked.page(meant, (100, 1_000), |order| order.number)?;
    let rows: Vec<Value> = orders.into_iter().map(|order| rows::order(&asked.account.books, order)).collect();
    Ok(json!({
        "orders": rows, "has_next": !cursor.is_empty(), "sequence": "0", "cursor": cursor, "proof_token_required": false,
    }))
}

/// The newest first. Whether there is more, only the cursor says.
fn fills(asked: &Asked<'_>) -> Answer {
    let (begin, end) = (asked.moment("start_sequence_timestamp")?, asked.moment("end_sequence_timestamp")?);
    let meant = asked.account.books.fills.iter().rev().filter(|fill| {
        asked.wants("product_ids", &fill.symbol)
            && asked.wants("order_ids", &fill.order_id)
            && asked.wants("trade_ids", &fill.id)
            && begin.is_none_or(|begin| fill.at >= begin)
            && end.is_none_or(|end| fill.at <= end)
    });
    let (fills, cursor) = asked.page(meant, (100, 1_000), |fill: &&Fill| fill.number)?;
    let rows: Vec<Value> = fills.into_iter().map(rows::fill).collect();
    Ok(json!({"fills": rows, "cursor": cursor, "proof_token_required": false}))
}

fn best(asked: &Asked<'_>) -> Answer {
    let listings = asked.market.listings().iter().filter(|listing| asked.wants("product_ids", &listing.quote.symbol));
    let side = |level: Option<Level>| {
        Vec::from_iter(level.map(|level| json!({"price": level.price.to_string(), "size": level.size.to_string()})))
    };
    let row = |listing: &crate::market::Listing| {
        let shown = asked.market.resolve(&listing.quote.symbol).unwrap_or(listing);
        json!({
            "product_id": listing.quote.symbol, "bids": side(shown.quote.bid), "asks": side(shown.quote.ask),
            "time": crate::clock::rfc3339(shown.quote.changed_at),
        })
    };
    Ok(json!({"pricebooks": listings.map(row).collect::<Vec<_>>()}))
}
