//! Binance spot: REST.

use serde_json::{Value, json};

use super::frames::{Texts, book_entry, ticker_entry};
use super::weights::{Pool, weigh};
use crate::fault::Fault;
use crate::http::{Reply, Request};
use crate::market::{Listing, Quote, State};
use crate::world::World;

pub(super) fn answer(world: &World, request: &Request) -> Reply {
    let path = request.path.as_str();
    if path == "/sapi/v1/system/status" && request.method == "GET" {
        let down = world.suffers(&Fault::Maintenance);
        let body = json!({"status": u8::from(down), "msg": if down { "system_maintenance" } else { "normal" }});
        return Reply::json(200, &body).with("x-sapi-used-ip-weight-1m", 1);
    }
    if let Some(reply) = super::signed::answer(world, request) {
        return reply;
    }
    let body: fn(&World, &Request) -> Result<Value, Problem> = match (request.method.as_str(), path) {
        ("GET", "/api/v3/ping") => |_, _| Ok(json!({})),
        ("GET", "/api/v3/time") => |world, _| Ok(json!({"serverTime": world.now()})),
        ("GET", "/api/v3/exchangeInfo") => exchange_info,
        ("GET", "/api/v3/ticker/24hr") => |world, request| tickers(world, request, Quote24::row),
        ("GET", "/api/v3/ticker/bookTicker") => |world, request| tickers(world, request, Quote24::book),
        ("GET", "/api/v3/ticker/price") => |world, request| tickers(world, request, Quote24::price),
        _ if is_retired(path) => {
            world.seen.lock().violations.push(format!("{} {path}, which is gone", request.method));
            return Reply::html(410, "410 Gone");
        }
        _ => {
            world.seen.lock().violations.push(format!("unknown path {} {path}", request.method));
            return Reply::html(404, "404 Not Found");
        }
    };
    let used = match weigh(world, Pool::Spot, path, weight(request)) {
        Ok(used) => used,
        Err(refusal) => return refusal,
    };
    if world.suffers(&Fault::Maintenance) {
        return overloaded();
    }
    let mut reply = match body(world, request) {
        Ok(body) => Reply::json(200, &body),
        Err((code, message)) => {
            world.seen.lock().violations.push(format!("{code} {path}?{}", request.query));
            Reply::json(400, &json!({"code": code, "msg": message}))
        }
    };
    reply.headers = used;
    reply
}

pub(super) fn overloaded() -> Reply {
    let message = "Server is currently overloaded with other requests. Please try again in a few minutes.";
    Reply::json(503, &json!({"code": -1008, "msg": message}))
}

/// Switched off on 2026-02-20 and 2026-03-25.
fn is_retired(path: &str) -> bool {
    let streams = ["/api/v3/userDataStream", "/sapi/v1/userDataStream", "/sapi/v1/userDataStream/isolated"];
    streams.contains(&path) || path.starts_with("/api/v1/")
}

type Problem = (i64, &'static str);

fn weight(request: &Request) -> u64 {
    let named = request.parameter("symbols").map(|symbols| symbols.split(',').count());
    let single = request.parameter("symbol").is_some();
    match request.path.as_str() {
        "/api/v3/exchangeInfo" => 20,
        "/api/v3/ticker/24hr" => match named {
            _ if single => 2,
            Some(0..=20) => 2,
            Some(21..=100) => 40,
            _ => 80,
        },
        "/api/v3/ticker/bookTicker" | "/api/v3/ticker/price" => {
            if single {
                2
            } else {
                4
            }
        }
        _ => 1,
    }
}

fn exchange_info(world: &World, request: &Request) -> Result<Value, Problem> {
    let status = request.parameter("symbolStatus");
    if let Some(status) = &status {
        if request.parameter("symbol").is_some() || request.parameter("symbols").is_some() {
            return Err((-1128, "Combination of optional parameters invalid."));
        }
        if !["TRADING", "HALT", "BREAK"].contains(&status.as_str()) {
            return Err((-1122, "Invalid symbolStatus."));
        }
    }
    let with_sets = request.parameter("showPermissionSets").as_deref() != Some("false");
    let market = world.market.lock();
    let listings = wanted(market.listings(), request)?;
    let listings = listings.iter().filter(|listing| status.as_ref().is_none_or(|status| status == word(listing.state)));
    let symbols: Vec<Value> = listings.map(|listing| instrument(listing, with_sets)).collect();
    drop(market);
    Ok(json!({
        "timezone": "UTC", "serverTime": world.now(),
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": Pool::Spot.most()},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
            {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200_000},
            {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 300_000},
        ],
        "exchangeFilters": [], "symbols": symbols,
    }))
}

const fn word(state: State) -> &'static str {
    match state {
        State::Trading => "TRADING",
        State::CancelOnly => "CANCEL_ONLY",
        State::Break => "BREAK",
        State::Halted | State::Preopen | State::Delisted => "HALT",
    }
}

fn instrument(listing: &Listing, with_sets: bool) -> Value {
    let tick = format!("{:.8}", listing.tick);
    let mut row = json!({
        "symbol": listing.quote.symbol, "status": word(listing.state), "baseAsset": listing.quote.base, "quoteAsset": listing.quote.quote,
        "baseAssetPrecision": 8, "quotePrecision": 8, "quoteAssetPrecision": 8, "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"], "icebergAllowed": true, "ocoAllowed": true, "otoAllowed": true, "opoAllowed": true,
        "quoteOrderQtyMarketAllowed": true, "allowTrailingStop": true, "cancelReplaceAllowed": true, "amendAllowed": true,
        "pegInstructionsAllowed": true, "isSpotTradingAllowed": true, "isMarginTradingAllowed": true,
        "filters": [{"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick}],
        "permissions": [], "defaultSelfTradePreventionMode": "NONE", "allowedSelfTradePreventionModes": ["NONE"],
    });
    if with_sets {
        row["permissionSets"] = json!([["SPOT", "MARGIN"]]);
    }
    row
}

/// The listings that `symbol` or `symbols` names, or all.
fn wanted<'a>(listings: &'a [Listing], request: &Request) -> Result<Vec<&'a Listing>, Problem> {
    let find = |symbol: &String| {
        listings.iter().find(|listing| listing.quote.symbol == *symbol).ok_or((-1121, "Invalid symbol."))
    };
    match (request.parameter("symbol"), request.parameter("symbols")) {
        (Some(_), Some(_)) => Err((-1128, "Combination of optional parameters invalid.")),
        (Some(symbol), None) => Ok(vec![find(&symbol)?]),
        (None, Some(symbols)) => {
            let illegal = (
                -1100,
                "Illegal characters found in parameter 'symbols'; legal range is '^\\[(\"[\\w\\-._&&[^a-z]]{1,50}\"(,\"[\\w\\-._&&[^a-z]]{1,50}\"){0,}){0,1}\\]$'.",
            );
            let symbols: Vec<String> = serde_json::from_str(&symbols).map_err(|_| illegal)?;
            if symbols.iter().enumerate().any(|(at, symbol)| symbols[..at].contains(symbol)) {
                return Err((-1151, "Symbol is present multiple times in the list."));
            }
            symbols.iter().map(find).collect()
        }
        (None, None) => Ok(listings.iter().collect()),
    }
}

/// A row of one of the ticker endpoints, noted in the ledger.
struct Quote24;

impl Quote24 {
    fn row(world: &World, quote: &Quote) -> Value {
        world.note_quoted(&quote.symbol, ticker_entry(quote));
        let texts = Texts::of(quote);
        json!({
            "symbol": quote.symbol, "priceChange": texts.change, "priceChangePercent": texts.percent, "weightedAvgPrice": texts.average,
            "prevClosePrice": texts.open, "lastPrice": texts.last, "lastQty": texts.last_size, "bidPrice": texts.bid.0, "bidQty": texts.bid.1,
            "askPrice": texts.ask.0, "askQty": texts.ask.1, "openPrice": texts.open, "highPrice": texts.high, "lowPrice": texts.low,
            "volume": texts.base_volume, "quoteVolume": texts.quote_volume, "openTime": texts.opened_at, "closeTime": quote.changed_at,
            "firstId": texts.trades.0, "lastId": texts.trades.1, "count": quote.trades,
        })
    }

    fn book(world: &World, quote: &Quote) -> Value {
        world.note_quoted(&quote.symbol, book_entry(quote));
        let Texts { bid, ask, .. } = Texts::of(quote);
        json!({"symbol": quote.symbol, "bidPrice": bid.0, "bidQty": bid.1, "askPrice": ask.0, "askQty": ask.1})
    }

    fn price(_: &World, quote: &Quote) -> Value {
        json!({"symbol": quote.symbol, "price": Texts::of(quote).last})
    }
}

/// One object for `symbol`, an array otherwise. `type=MINI` leaves out the book and the changes.
fn tickers(world: &World, request: &Request, row: fn(&World, &Quote) -> Value) -> Result<Value, Problem> {
    let mini = match request.parameter("type").as_deref() {
        None | Some("FULL") => false,
        Some("MINI") => true,
        Some(_) => return Err((-1139, "Invalid ticker type.")),
    };
    let market = world.market.lock();
    let rows = wanted(market.listings(), request)?.into_iter().map(|listing| {
        let mut row = row(world, &listing.quote);
        if let (true, Some(members)) = (mini, row.as_object_mut()) {
            members.retain(|name, _| {
                !["bid", "ask", "priceChange", "weighted", "prev", "lastQty"].iter().any(|part| name.starts_with(part))
            });
        }
        row
    });
    let mut rows: Vec<Value> = rows.collect();
    if request.parameter("symbol").is_some() {
        return Ok(rows.remove(0));
    }
    Ok(Value::Array(rows))
}
