//! Bybit V5: what signed REST answers.

use serde_json::{Value, json};

use super::rest::{error, ok};
use super::rows::{self, EARN, FUNDING, UNIFIED};
use crate::account::{Category, Money, contracts, dollars, equity};
use crate::clock::rfc3339;
use crate::http::{Reply, Request};
use crate::world::World;

const DAY: u64 = 86_400_000;

/// The coins of the `coin` parameter, or all.
fn wanted(request: &Request, all: Vec<String>) -> Vec<String> {
    let Some(only) = request.parameter("coin").filter(|only| !only.is_empty()) else { return all };
    all.into_iter().filter(|coin| only.split(',').any(|one| one == coin)).collect()
}

pub(super) fn wallet_balance(world: &World, request: &Request, now: u64) -> Reply {
    if request.parameter("accountType").as_deref() != Some("UNIFIED") {
        return error(10_001, "accountType only support UNIFIED.", now);
    }
    world.deal(|account, market, _| {
        let money = |coin: String| -> (String, Money) {
            let money = account.books.money(UNIFIED, &coin);
            (coin, money)
        };
        let shown: Vec<_> = wanted(request, rows::coins(&account.books)).into_iter().map(money).collect();
        ok(&json!({"list": [rows::wallet(account, market, &shown)]}), now)
    })
}

/// The documentation's sample lacks the two last members.
pub(super) fn info(_: &World, _: &Request, _: u64) -> Reply {
    let result = json!({
        "marginMode": "REGULAR_MARGIN", "updatedTime": "1697078946000", "unifiedMarginStatus": 6, "dcpStatus": "OFF", "timeWindow": 10,
        "smpGroup": 0, "isMasterTrader": false, "spotHedgingStatus": "OFF",
    });
    Reply::json(200, &json!({"retCode": 0, "retMsg": "OK", "result": result}))
}

pub(super) fn fee_rate(world: &World, request: &Request, now: u64) -> Reply {
    let Some(category) = request.parameter("category") else { return error(10_001, "Category is required", now) };
    let fees = world.account.lock().books.fees;
    let symbol = request.parameter("symbol").unwrap_or_else(|| "BTCUSDT".to_owned());
    let row = json!({"symbol": symbol, "takerFeeRate": fees.taker, "makerFeeRate": fees.maker});
    ok(&json!({"category": category, "list": [row]}), now)
}

pub(super) fn coins_balance(world: &World, request: &Request, now: u64) -> Reply {
    let (kind, wallet) = match request.parameter("accountType").as_deref() {
        Some("FUND") => ("FUND", FUNDING),
        Some("UNIFIED") if request.parameter("coin").is_some() => ("UNIFIED", UNIFIED),
        _ => return error(10_001, "params error", now),
    };
    let account = world.account.lock();
    let held = account.books.assets(wallet).map(|(coin, _)| coin.to_owned()).collect();
    let row = |coin: &String| {
        let money = account.books.money(wallet, coin);
        json!({"coin": coin, "transferBalance": money.free, "walletBalance": money.total(), "bonus": ""})
    };
    let balance: Vec<Value> = wanted(request, held).iter().map(row).collect();
    ok(&json!({"memberId": "1000123", "accountType": kind, "balance": balance}), now)
}

/// Everything in dollars, or in another currency that has a price.
pub(super) fn asset_overview(world: &World, request: &Request, now: u64) -> Reply {
    let currency = request.parameter("valuationCurrency").unwrap_or_else(|| "USD".to_owned());
    world.deal(|account, market, _| {
        let Some(price) = dollars(account.venue, market, &currency) else {
            return error(10_001, "params error: valuationCurrency", now);
        };
        let worth = |wallet| equity(account.venue, market, &account.books, wallet).over(price);
        let (funding, earn) = (worth(FUNDING), worth(EARN));
        let unified = rows::total(account, market).over(price);
        let coins = |wallet| {
            let row = |(coin, money): (&str, Money)| json!({"coin": coin, "equity": money.net()});
            account.books.assets(wallet).map(row).collect::<Vec<_>>()
        };
        let row = |kind: &str, total| {
            json!({"accountType": kind, "totalEquity": total, "valuationCurrency": currency, "snapshotTime": now.to_string()})
        };
        let mut list = [row("FundingAccount", funding), row("UnifiedTradingAccount", unified), row("Earn", earn)];
        list[0]["coinDetail"] = coins(FUNDING).into();
        list[1]["coinDetail"] = coins(UNIFIED).into();
        list[2]["categories"] = json!([{"category": "Flexible Saving", "equity": earn, "coinDetail": coins(EARN)}]);
        ok(&json!({"totalEquity": funding + unified + earn, "list": list}), now)
    })
}

/// The account has no options: every list of them is empty.
fn options(request: &Request, now: u64) -> Option<Reply> {
    let asked = request.parameter("category").is_some_and(|category| category == "option");
    asked.then(|| ok(&json!({"category": "option", "nextPageCursor": "", "list": []}), now))
}

/// The category, and the filter that all lists share: symbol, base coin, settlement coin.
fn filter(request: &Request, most: [&str; 3], now: u64) -> Result<(Category, impl Fn(&str) -> bool), Reply> {
    let named = request.parameter("category").unwrap_or_default();
    let Some(category) = rows::category_named(&named) else {
        return Err(error(10_001, "params error: Category is invalid", now));
    };
    let [symbol, base, settle] = most.map(|name| request.parameter(name).filter(|value| !value.is_empty()));
    if category == Category::Linear && symbol.is_none() && base.is_none() && settle.is_none() {
        return Err(error(
            10_001,
            "Missing some parameters that must be filled in, symbol or settleCoin or baseCoin",
            now,
        ));
    }
    let fits = move |name: &str| {
        let contract = contracts(crate::Venue::Bybit).find(|it| it.symbol == name && it.category == category);
        symbol.as_deref().is_none_or(|symbol| symbol == name)
            && base.as_ref().is_none_or(|base| contract.as_ref().is_none_or(|it| it.base == *base))
            && settle.as_ref().is_none_or(|settle| contract.as_ref().is_none_or(|it| it.settle == *settle))
    };
    Ok((category, fits))
}

/// A page of rows with their ids, the newest first, and the cursor of the next one.
fn page(
    world: &World,
    request: &Request,
    rows: Vec<(String, Value)>,
    known: impl Fn(&str) -> bool,
    (usual, most): (usize, usize),
    now: u64,
) -> Result<(Vec<Value>, String), Reply> {
    let asked = request.parameter("limit").map_or(Ok(usual), |limit| limit.parse());
    let Some(limit) = asked.ok().filter(|limit| (1..=most).contains(limit)) else {
        world.seen.lock().violations.push(format!("{} with limit {:?}", request.path, request.parameter("limit")));
        return Err(error(10_001, "params error: limit", now));
    };
    let from = match request.parameter("cursor").filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(cursor) => {
            // Some clients encode it a second time.
            let last = cursor.split([':', '%']).next().unwrap_or_default();
            match rows.iter().position(|(id, _)| id == last) {
                Some(place) => place + 1,
                None if known(last) => rows.len(),
                None => {
                    world.seen.lock().violations.push(format!("{} with cursor {cursor}", request.path));
                    return Err(error(10_001, "params error: cursor", now));
                }
            }
        }
    };
    let shown = &rows[from.min(rows.len())..(from + limit).min(rows.len())];
    let last = shown.last().map(|(id, _)| format!("{id}%3A{now}%2C{id}%3A{now}")).unwrap_or_default();
    Ok((shown.iter().map(|(_, row)| row.clone()).collect(), last))
}

fn listed(category: Category, found: Result<(Vec<Value>, String), Reply>, now: u64) -> Reply {
    match found {
        Ok((list, cursor)) => {
            let named = rows::category(category);
            ok(&json!({"category": named, "nextPageCursor": cursor, "list": list}), now)
        }
        Err(refusal) => refusal,
    }
}

/// A page of positions may be short of what was asked: the cursor tells whether there are more.
pub(super) fn positions(world: &World, request: &Request, now: u64) -> Reply {
    if let Some(reply) = options(request, now) {
        return reply;
    }
    let (category, fits) = match filter(request, ["symbol", "none", "settleCoin"], now) {
        Ok(filter) => filter,
        Err(refusal) => return refusal,
    };
    if category == Category::Spot {
        return error(10_001, "params error: Category is invalid", now);
    }
    let account = world.account.lock();
    let meant = account.books.positions.iter().filter(|it| it.category == category && fits(&it.symbol));
    let mut rows: Vec<(String, Value)> = meant.map(|it| (it.symbol.clone(), rows::position(it, false))).collect();
    if let (true, Some(symbol)) = (rows.is_empty(), request.parameter("symbol")) {
        rows.push((symbol.clone(), rows::no_position(&symbol)));
    }
    let last = rows.last().map(|(id, _)| id.clone()).unwrap_or_default();
    let known = |id: &str| contracts(account.venue).any(|it| it.symbol == id);
    let mut found = page(world, request, rows, known, (20, 200), now);
    if let Ok((list, cursor)) = &mut found {
        let most = world.options.page_size.unwrap_or(usize::MAX).max(1);
        if list.len() > most {
            list.truncate(most);
            let id = list[most - 1]["symbol"].as_str().unwrap_or_default();
            *cursor = format!("{id}%3A{now}%2C{id}%3A{now}");
        }
        if list.last().is_none_or(|row| row["symbol"] == *last) {
            cursor.clear();
        }
    }
    listed(category, found, now)
}

/// Even the last page has a cursor.
pub(super) fn orders(world: &World, request: &Request, now: u64) -> Reply {
    if let Some(reply) = options(request, now) {
        return reply;
    }
    let (category, fits) = match filter(request, ["symbol", "baseCoin", "settleCoin"], now) {
        Ok(filter) => filter,
        Err(refusal) => return refusal,
    };
    let account = world.account.lock();
    let open = account.books.open_orders().rev().filter(|it| it.category == category && fits(&it.symbol));
    let rows = open.map(|it| (it.id.clone(), rows::order(it, false))).collect();
    let known = |id: &str| account.books.order(id).is_some();
    listed(category, page(world, request, rows, known, (20, 50), now), now)
}

pub(super) fn executions(world: &World, request: &Request, now: u64) -> Reply {
    if let Some(reply) = options(request, now) {
        return reply;
    }
    let named = request.parameter("category").unwrap_or_default();
    let Some(category) = rows::category_named(&named) else {
        return error(10_001, "params error: Category is invalid", now);
    };
    let moment = |name: &str| request.parameter(name).and_then(|text| text.parse::<u64>().ok());
    let (begin, end) = match (moment("startTime"), moment("endTime")) {
        (None, None) => (now.saturating_sub(7 * DAY), u64::MAX),
        (Some(begin), None) => (begin, begin + 7 * DAY),
        (None, Some(end)) => (end.saturating_sub(7 * DAY), end),
        (Some(begin), Some(end)) if begin <= end && end - begin <= 7 * DAY => (begin, end),
        _ => return error(10_001, "The time range between startTime and endTime cannot exceed 7 days", now),
    };
    let symbol = request.parameter("symbol");
    let account = world.account.lock();
    let meant = account.books.fills.iter().rev().filter(|fill| {
        fill.category == category
            && (begin..=end).contains(&fill.at)
            && symbol.as_ref().is_none_or(|symbol| *symbol == fill.symbol)
    });
    let rows: Vec<(String, Value)> =
        meant.map(|fill| (fill.id.clone(), rows::execution(&account, fill, false))).collect();
    let last = rows.last().map(|(_, row)| row["execId"].clone());
    let known = |id: &str| account.books.fills.iter().any(|fill| fill.id == id);
    let mut found = page(world, request, rows, known, (50, 100), now);
    if let Ok((list, cursor)) = &mut found
        && list.last().map(|row| &row["execId"]) == last.as_ref()
    {
        cursor.clear();
    }
    listed(category, found, now)
}

pub(super) fn query_api(world: &World, _: &Request, now: u64) -> Reply {
    let key = world.account.lock().key.clone();
    let read_only = !(key.trade || key.withdraw || key.transfer);
    let mut wallet = Vec::new();
    if key.has("wallet") {
        wallet.push("AccountTransfer");
    }
    if key.withdraw {
        wallet.push("Withdraw");
    }
    let seconds = |millis: u64| rfc3339(millis - millis % 1_000).replace(".000Z", "Z");
    let days = key.expires_at.map_or(-2, |end| (end.saturating_sub(now) / DAY) as i64);
    let result = json!({
        "id": "7315520", "note": key.label, "apiKey": key.id, "readOnly": i64::from(read_only), "secret": "",
        "permissions": {
            "ContractTrade": ["Order", "Position"], "Spot": ["SpotTrade"], "Wallet": wallet, "Options": [],
            "Derivatives": ["DerivativesTrade"], "Exchange": [], "Earn": [],
        },
        "ips": key.addresses.unwrap_or_else(|| vec!["*".to_owned()]), "type": 1, "deadlineDay": days,
        "expiredAt": seconds(key.expires_at.unwrap_or(0)), "createdAt": "2025-10-13T03:20:45Z", "unified": 0, "uta": 1, "userID": 3_027_741,
        "inviterID": 0, "vipLevel": "No VIP", "isMaster": true, "parentUid": "0", "kycLevel": "LEVEL_1", "kycRegion": "NLD",
    });
    let mut reply = json!({"retCode": 0, "retMsg": "", "result": result, "retExtInfo": {}});
    reply["time"] = now.into();
    Reply::json(200, &reply)
}
