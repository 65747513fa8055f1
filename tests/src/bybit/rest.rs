//! Bybit V5: REST.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::frames::{book_entry, change, index, ticker_entry};
use super::rows;
use crate::account::{self, Category, Instrument};
use crate::fault::{Fault, Limited};
use crate::http::{Reply, Request};
use crate::ledger::text;
use crate::limiter::Limit;
use crate::market::{Level, Listing, Product, State};
use crate::protocol::Protocol as _;
use crate::world::World;

/// Of one IP, over all endpoints.
const REQUESTS: Limit = Limit::per_millis(600, 5_000);

pub(super) fn answer(world: &World, request: &Request) -> Reply {
    if world.tallies.lock().of("rest").count(REQUESTS, 1, Instant::now()).is_none() {
        world.seen.lock().violations.push(format!("403 {}", request.path));
        return super::Bybit.limited(Limited::Banned);
    }
    let now = world.now();
    if super::signed::is_signed(&request.path) {
        return super::signed::answer(world, request, now);
    }
    if request.header("X-BAPI-API-KEY").is_some() {
        world.seen.lock().violations.push(format!("a key on the public {}", request.path));
    }
    if request.method != "GET" {
        return Reply::text(404, "404 page not found");
    }
    if request.path == "/v5/system/status" {
        let ongoing = world.suffers(&Fault::Maintenance).then(|| upgrade(now, "ongoing"));
        return ok(&json!({"list": Vec::from_iter(ongoing)}), now);
    }
    if world.suffers(&Fault::Maintenance) {
        return error(10_016, "Internal system error. Please try again later.", now);
    }
    match request.path.as_str() {
        "/v5/market/time" => {
            ok(&json!({"timeSecond": (now / 1_000).to_string(), "timeNano": format!("{now}213947")}), now)
        }
        "/v5/market/instruments-info" => instruments(request, now, world),
        "/v5/market/tickers" => list(request, now, world, ticker),
        _ => Reply::text(404, "404 page not found"),
    }
}

pub(super) fn ok(result: &Value, now: u64) -> Reply {
    Reply::json(200, &json!({"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now}))
}

/// Even a refusal is a 200.
pub(super) fn error(code: i64, message: &str, now: u64) -> Reply {
    Reply::json(200, &json!({"retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": now}))
}

/// A row of the system status.
pub(super) fn upgrade(now: u64, state: &str) -> Value {
    json!({
        "id": "7e21c9d4-c5aa-11f0-9b31-0a58a9feac02", "title": "Spot upgrade", "state": state,
        "begin": (now - 60_000).to_string(), "end": (now + 3_600_000).to_string(), "href": "", "serviceTypes": [2],
        "product": [2], "uidSuffix": [], "maintainType": 1, "env": 1,
    })
}

/// Perpetuals, or pairs.
fn instruments(request: &Request, now: u64, world: &World) -> Reply {
    let category = request.parameter("category").unwrap_or_default();
    let only = request.parameter("symbol");
    let perpetuals: Vec<Value> = account::contracts(world.venue)
        .filter(|it| rows::category(it.category) == category && only.as_ref().is_none_or(|only| *only == it.symbol))
        .map(|it| perpetual(&it))
        .collect();
    if perpetuals.is_empty() {
        return list(request, now, world, instrument);
    }
    ok(&json!({"category": category, "list": perpetuals, "nextPageCursor": ""}), now)
}

fn perpetual(it: &Instrument) -> Value {
    let kind = if it.category == Category::Inverse { "InversePerpetual" } else { "LinearPerpetual" };
    json!({
        "symbol": it.symbol, "symbolId": 7, "contractType": kind, "status": "Trading", "baseCoin": it.base, "quoteCoin": it.quote,
        "settleCoin": it.settle, "launchTime": "1615766400000", "deliveryTime": "0", "deliveryFeeRate": "", "priceScale": "2",
        "priceFilter": {"minPrice": "0.01", "maxPrice": "199999.98", "tickSize": "0.01"},
        "lotSizeFilter": {"maxOrderQty": "8000.00", "minOrderQty": "0.01", "qtyStep": "0.01", "minNotionalValue": "5"},
        "unifiedMarginTrade": true, "fundingInterval": 480, "isPreListing": false, "preListingInfo": null, "symbolType": "",
    })
}

/// Spot pays no heed to `limit` and `cursor`: everything, always. The other categories are empty here.
fn list(request: &Request, now: u64, world: &World, row: fn(&World, &Listing) -> Value) -> Reply {
    let category = request.parameter("category").unwrap_or_default();
    if !["spot", "linear", "inverse", "option"].contains(&category.as_str()) {
        return error(10_001, "params error: Category is invalid", now);
    }
    let only = request.parameter("symbol");
    let market = world.market.lock();
    let listings = market.listings().iter().filter(|listing| {
        let named = only.as_ref().is_none_or(|only| *only == listing.quote.symbol);
        category == "spot" && listing.product == Product::Spot && listing.state == State::Trading && named
    });
    let rows: Vec<Value> = listings.map(|listing| row(world, listing)).collect();
    if rows.is_empty() && only.is_some() {
        return error(10_001, "Not supported symbols", now);
    }
    ok(&json!({"category": category, "list": rows}), now)
}

fn instrument(_: &World, listing: &Listing) -> Value {
    json!({
        "symbol": listing.quote.symbol, "symbolId": 6, "baseCoin": listing.quote.base, "quoteCoin": listing.quote.quote,
        "innovation": "0", "symbolType": "", "status": "Trading", "marginTrading": "utaOnly", "stTag": "0",
        "lotSizeFilter": {"basePrecision": "0.00001", "quotePrecision": "0.0000001", "minOrderQty": "0.00001", "minOrderAmt": "5"},
        "priceFilter": {"tickSize": listing.tick.to_string()}, "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
    })
}

/// Unlike the stream's, this ticker has a book.
fn ticker(world: &World, listing: &Listing) -> Value {
    let quote = &listing.quote;
    world.note_quoted(&quote.symbol, ticker_entry(quote));
    world.note_quoted(&quote.symbol, book_entry(quote));
    let price = |level: Option<Level>| text(level.map(|level| level.price));
    let size = |level: Option<Level>| text(level.map(|level| level.size));
    json!({
        "symbol": quote.symbol, "bid1Price": price(quote.bid), "bid1Size": size(quote.bid), "ask1Price": price(quote.ask), "ask1Size": size(quote.ask),
        "lastPrice": text(quote.last), "prevPrice24h": text(quote.open), "price24hPcnt": change(quote),
        "highPrice24h": text(quote.high), "lowPrice24h": text(quote.low), "turnover24h": quote.quote_volume.to_string(),
        "volume24h": quote.base_volume.to_string(), "usdIndexPrice": index(quote),
    })
}
