//! OKX v5: REST.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::frames::{ticker_entry, ticker_row};
use crate::account::{self, Category, Instrument};
use crate::fault::{Fault, Limited};
use crate::http::{Reply, Request};
use crate::limiter::Limit;
use crate::market::{Listing, Product, State};
use crate::protocol::Protocol as _;
use crate::world::World;

pub(super) fn answer(world: &World, request: &Request) -> Reply {
    let (limit, body): (Limit, fn(&World, &Request) -> Reply) = match request.path.as_str() {
        "/api/v5/public/time" => (Limit::per_millis(10, 2_000), time),
        "/api/v5/public/instruments" => (Limit::per_millis(20, 2_000), instruments),
        "/api/v5/market/tickers" => (Limit::per_millis(20, 2_000), tickers),
        "/api/v5/market/ticker" => (Limit::per_millis(20, 2_000), ticker),
        "/api/v5/market/index-tickers" => (Limit::per_millis(20, 2_000), index_tickers),
        "/api/v5/system/status" => (Limit::per_millis(1, 5_000), status),
        path if super::is_signed(path) => return super::signed::answer(world, request),
        _ => return Reply::json(404, &json!({"code": "404", "data": [], "msg": "Not Found"})),
    };
    if request.method != "GET" {
        return error(405, "50115", "Invalid request type");
    }
    // Some limits go by IP and instrument type; one IP is all that there is here.
    let name = format!("{} {}", request.path, request.parameter("instType").unwrap_or_default());
    if world.tallies.lock().of(&name).count(limit, 1, Instant::now()).is_none() {
        world.seen.lock().violations.push(format!("50011 {name}"));
        return super::Okx.limited(Limited::Plain);
    }
    if world.suffers(&Fault::Maintenance) && request.path != "/api/v5/system/status" {
        return error(503, "50001", "Service temporarily unavailable. Try again later");
    }
    body(world, request)
}

pub(super) fn ok(rows: &[Value]) -> Reply {
    Reply::json(200, &json!({"code": "0", "msg": "", "data": rows}))
}

pub(super) fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({"code": code, "data": [], "msg": message}))
}

fn time(world: &World, _: &Request) -> Reply {
    ok(&[json!({"ts": world.now().to_string()})])
}

fn status(world: &World, _: &Request) -> Reply {
    let ongoing = world.suffers(&Fault::Maintenance).then(|| upgrade(world.now(), "ongoing"));
    ok(&Vec::from_iter(ongoing))
}

/// A row of the system status.
pub(super) fn upgrade(now: u64, state: &str) -> Value {
    json!({
        "title": "Trading account WebSocket system upgrade", "state": state,
        "begin": (now - 60_000).to_string(), "end": (now + 600_000).to_string(), "preOpenBegin": "",
        "href": "", "serviceType": "0", "system": "unified", "scheDesc": "", "maintType": "1", "env": "1",
    })
}

fn instruments(world: &World, request: &Request) -> Reply {
    let kind = request.parameter("instType").unwrap_or_default();
    let (product, suffix) = match kind.as_str() {
        "SPOT" | "MARGIN" => (Product::Spot, ""),
        "SWAP" => (Product::Future, "-SWAP"),
        "FUTURES" => (Product::Future, "5"),
        "OPTION" | "EVENTS" => return error(400, "50014", "Parameter instFamily can not be empty"),
        "" => return error(400, "50014", "Parameter instType can not be empty"),
        _ => return error(400, "51000", "Parameter instType error"),
    };
    let only = request.parameter("instId");
    let market = world.market.lock();
    let listings = market.listings().iter().enumerate().filter(|(_, listing)| {
        let symbol = &listing.quote.symbol;
        listing.product == product && symbol.ends_with(suffix) && only.as_ref().is_none_or(|only| only == symbol)
    });
    let mut rows: Vec<Value> = listings.map(|(index, listing)| instrument(&kind, index, listing)).collect();
    if kind == "SWAP" {
        rows = account::contracts(world.venue)
            .filter(|contract| only.as_ref().is_none_or(|only| *only == contract.symbol))
            .map(|contract| swap(&contract))
            .collect();
    }
    if rows.is_empty() && only.is_some() {
        return error(200, "51001", "Instrument ID doesn't exist.");
    }
    ok(&rows)
}

fn instrument(kind: &str, index: usize, listing: &Listing) -> Value {
    let quote = &listing.quote;
    let preopen = listing.state == State::Preopen;
    let state = match listing.state {
        State::Trading => "live",
        State::Preopen => "preopen",
        _ => "suspend",
    };
    let mut row = json!({
        "instType": kind, "instId": quote.symbol, "instIdCode": 1_000_000_000 + index, "state": state, "ruleType": "normal",
        "tickSz": listing.tick.to_string(), "lotSz": "0.00000001", "minSz": "0.0001", "listTime": "1606468572000",
        "expTime": "", "openType": "call_auction", "lever": "10", "alias": "", "category": "1", "auctionEndTime": "", "contTdSwTime": "",
        "settleCcy": "", "uly": "", "instFamily": "", "ctVal": "", "ctMult": "", "ctValCcy": "", "ctType": "", "groupId": "1",
        "baseCcy": if preopen { "" } else { &quote.base }, "quoteCcy": if preopen { "" } else { &quote.quote }, "tradeQuoteCcyList": [quote.quote],
    });
    if listing.product == Product::Future {
        let contract = json!({
            "baseCcy": "", "quoteCcy": "", "tradeQuoteCcyList": [], "settleCcy": "USDT", "uly": "BTC-USDT", "instFamily": "BTC-USDT",
            "ctVal": "0.01", "ctMult": "1", "ctValCcy": "BTC", "ctType": "linear",
        });
        for (name, value) in contract.as_object().into_iter().flatten() {
            row[name] = value.clone();
        }
    }
    row
}

/// A perpetual: its base and quote stand in the family alone.
fn swap(contract: &Instrument) -> Value {
    let inverse = contract.category == Category::Inverse;
    let family = format!("{}-{}", contract.base, contract.quote);
    json!({
        "instType": "SWAP", "instId": contract.symbol, "instIdCode": 10_458_u64, "state": "live", "ruleType": "normal", "tickSz": "0.1",
        "lotSz": "0.01", "minSz": "0.01", "listTime": "1606468572000", "expTime": "", "openType": "", "lever": "100", "alias": "",
        "category": "1", "auctionEndTime": "", "contTdSwTime": "", "groupId": "1", "baseCcy": "", "quoteCcy": "", "tradeQuoteCcyList": [],
        "settleCcy": contract.settle, "uly": family, "instFamily": family, "ctVal": contract.contract_size, "ctMult": "1",
        "ctValCcy": if inverse { &contract.quote } else { &contract.base }, "ctType": if inverse { "inverse" } else { "linear" },
    })
}

/// The dollar of the venue's valuations.
fn index_tickers(world: &World, request: &Request) -> Reply {
    let Some(symbol) = request.parameter("instId") else {
        return error(400, "50014", "Parameter instId can not be empty");
    };
    let asset = symbol.strip_suffix("-USD").or_else(|| symbol.strip_suffix("-USDT")).unwrap_or_default();
    let Some(price) = account::dollars(world.venue, &world.market.lock(), asset) else {
        return error(200, "51001", "Instrument ID doesn't exist.");
    };
    ok(&[json!({
        "instId": symbol, "idxPx": price, "high24h": price, "low24h": price, "open24h": price, "sodUtc0": price, "sodUtc8": price,
        "ts": world.now().to_string(),
    })])
}

fn tickers(world: &World, request: &Request) -> Reply {
    match request.parameter("instType").as_deref() {
        Some("SPOT") => rows(world, |listing| listing.product == Product::Spot),
        Some("SWAP" | "FUTURES" | "OPTION") => ok(&[]),
        Some(_) => error(400, "51000", "Parameter instType error"),
        None => error(400, "50014", "Parameter instType can not be empty"),
    }
}

fn ticker(world: &World, request: &Request) -> Reply {
    let Some(symbol) = request.parameter("instId") else {
        return error(400, "50014", "Parameter instId can not be empty");
    };
    if world.market.lock().find(&symbol).is_none() {
        return error(200, "51001", "Instrument ID doesn't exist.");
    }
    rows(world, |listing| listing.quote.symbol == symbol)
}

/// Ticker rows, written once, as text: the same that the stream sends.
fn rows(world: &World, wanted: impl Fn(&Listing) -> bool) -> Reply {
    let market = world.market.lock();
    let listings = market.listings().iter().filter(|listing| wanted(listing));
    let rows = listings.map(|listing| {
        world.note_quoted(&listing.quote.symbol, ticker_entry(&listing.quote));
        RawValue::from_string(ticker_row(&listing.quote)).unwrap_or_default()
    });
    let rows: Vec<Box<RawValue>> = rows.collect();
    match serde_json::to_string(&rows) {
        Ok(rows) => Reply::raw(200, "application/json", format!(r#"{{"code":"0","msg":"","data":{rows}}}"#)),
        Err(_) => Reply::text(500, ""),
    }
}
