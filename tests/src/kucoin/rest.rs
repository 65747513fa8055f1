//! KuCoin classic spot: REST.

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::frames::{book_entry, ratio, ticker_entry};
use crate::fault::{Fault, Limited};
use crate::fixed::Fixed;
use crate::http::{Reply, Request};
use crate::ledger::{Entry, text};
use crate::limiter::Limit;
use crate::market::{Level, Listing, Quote, State};
use crate::protocol::Protocol as _;
use crate::universe::worth;
use crate::world::{World, true_now};

/// The pool of public calls.
pub(super) const QUOTA: Limit = Limit::per_millis(2_000, 30_000);

type Answer = fn(&World, &Request) -> Result<Value, Reply>;

pub(super) fn answer(world: &World, request: &Request) -> Reply {
    let path = request.path.as_str();
    let (weight, body): (u64, Answer) = match (request.method.as_str(), path) {
        ("POST", "/api/v1/bullet-public") => (10, bullet),
        ("GET", "/api/v1/timestamp") => (3, |world, _| Ok(world.now().into())),
        ("GET", "/api/v1/status") => (3, status),
        ("GET", "/api/v2/symbols") => (4, symbols),
        ("GET", "/api/v1/market/allTickers") => (15, all_tickers),
        ("GET", "/api/v1/market/stats") => (15, stats),
        ("GET", "/api/v1/market/orderbook/level1") => (2, level1),
        ("GET", "/api/v1/prices") => (3, prices),
        ("GET", _) if path.starts_with("/api/v2/symbols/") => (4, symbol),
        (_, "/api/v1/bullet-public" | "/api/v1/timestamp" | "/api/v1/status" | "/api/v2/symbols") => {
            return Reply::json(405, &json!({"code": "405000", "msg": "Request method is not supported"}));
        }
        (_, "/api/v1/bullet-private") => {
            return Reply::json(
                400,
                &json!({"code": "400001", "msg": "Please check the header of your request for KC-API-KEY, KC-API-SIGN, KC-API-TIMESTAMP, KC-API-PASSPHRASE"}),
            );
        }
        _ => return Reply::json(404, &json!({"code": "404", "msg": "Not Found", "retry": false, "success": false})),
    };
    let now = Instant::now();
    let (used, reset) = {
        let mut tallies = world.tallies.lock();
        let pool = tallies.of("public");
        let used = pool.count(QUOTA, weight, now);
        (used, pool.wait(QUOTA, now).as_millis() as u64)
    };
    let Some(used) = used else {
        world.seen.lock().violations.push(format!("429000 {path}"));
        return super::Kucoin.limited(Limited::Plain);
    };
    if world.suffers(&Fault::Maintenance) && path != "/api/v1/status" && path != "/api/v1/timestamp" {
        return Reply::json(503, &json!({"code": "503000", "msg": "Service temporarily unavailable"}));
    }
    let reply = body(world, request)
        .map_or_else(|reply| reply, |data| Reply::json(200, &json!({"code": "200000", "data": data})));
    with_limits(reply, used, reset)
}

pub(super) fn with_limits(reply: Reply, used: u64, reset: u64) -> Reply {
    let reply = reply.with("gw-ratelimit-limit", QUOTA.most).with("gw-ratelimit-remaining", QUOTA.most - used);
    reply.with("gw-ratelimit-reset", reset)
}

/// A ticket: a token with characters that must be escaped, and the way to this very server.
fn bullet(world: &World, request: &Request) -> Result<Value, Reply> {
    let mut tickets = world.tickets.lock();
    let token = format!("fake+Tok-{:x}/k8+s/{}==", true_now(), tickets.len() + world.seen.lock().connections.len());
    tickets.insert(token.clone(), true_now());
    let host = request.header("host").map_or_else(|| world.address.to_string(), str::to_owned);
    let endpoint = world.options.ticket_endpoint.clone().unwrap_or_else(|| format!("ws://{host}/"));
    let (interval, timeout) = world.times.ticket_ping;
    Ok(json!({"token": token, "instanceServers": [{
        "endpoint": endpoint, "encrypt": false, "protocol": "websocket",
        "pingInterval": interval.as_millis() as u64, "pingTimeout": timeout.as_millis() as u64,
    }]}))
}

fn status(world: &World, _: &Request) -> Result<Value, Reply> {
    let down = world.suffers(&Fault::Maintenance);
    Ok(json!({"status": if down { "close" } else { "open" }, "msg": if down { "System maintenance" } else { "" }}))
}

fn symbols(world: &World, request: &Request) -> Result<Value, Reply> {
    let market = request.parameter("market");
    let known = market.is_none_or(|market| market == "USDS");
    let rows = world.market.lock().listings().iter().filter(|_| known).map(row).collect();
    Ok(Value::Array(rows))
}

fn symbol(world: &World, request: &Request) -> Result<Value, Reply> {
    let symbol = request.path.trim_start_matches("/api/v2/symbols/");
    world.market.lock().find(symbol).map(row).ok_or_else(unknown)
}

/// Most failures come with a 200.
fn unknown() -> Reply {
    Reply::json(200, &json!({"code": "900001", "msg": "symbol not exists"}))
}

fn row(listing: &Listing) -> Value {
    let Quote { symbol, base, quote, .. } = &listing.quote;
    json!({
        "symbol": symbol, "name": listing.name, "baseCurrency": base, "quoteCurrency": quote, "feeCurrency": quote, "market": "USDS",
        "baseMinSize": "0.00001", "quoteMinSize": "0.1", "baseMaxSize": "10000000000", "quoteMaxSize": "99999999",
        "baseIncrement": "0.00000001", "quoteIncrement": "0.000001", "priceIncrement": listing.tick.to_string(), "priceLimitRate": "0.1",
        "minFunds": "0.1", "isMarginEnabled": true, "enableTrading": listing.state == State::Trading, "feeCategory": 1,
        "makerFeeCoefficient": "1.00", "takerFeeCoefficient": "1.00", "st": false, "callauctionIsEnabled": false,
        "callauctionPriceFloor": null, "callauctionPriceCeiling": null, "callauctionFirstStageStartTime": null,
        "callauctionSecondStageStartTime": null, "callauctionThirdStageStartTime": null, "tradingStartTime": null,
    })
}

/// Text or null: a symbol that is not traded has no statistics.
fn maybe(listing: &Listing, number: Option<Fixed>) -> Value {
    number.filter(|_| listing.state == State::Trading).map_or(Value::Null, |number| number.to_string().into())
}

fn statistics(world: &World, listing: &Listing) -> Value {
    let quote = &listing.quote;
    world.note_quoted(&quote.symbol, if listing.state == State::Trading { entry(quote) } else { Entry::default() });
    let level = |level: Option<Level>| level.map(|level| level.price);
    let moved = quote.last.zip(quote.open).map(|(last, open)| last - open);
    json!({
        "symbol": quote.symbol, "buy": maybe(listing, level(quote.bid)), "sell": maybe(listing, level(quote.ask)),
        "changeRate": maybe(listing, ratio(quote)), "changePrice": maybe(listing, moved), "high": maybe(listing, quote.high),
        "low": maybe(listing, quote.low), "vol": maybe(listing, Some(quote.base_volume)), "volValue": maybe(listing, Some(quote.quote_volume)),
        "last": maybe(listing, quote.last), "averagePrice": maybe(listing, quote.last), "takerFeeRate": "0.001", "makerFeeRate": "0.001",
        "takerCoefficient": "1", "makerCoefficient": "1",
    })
}

fn entry(quote: &Quote) -> Entry {
    let ratio = text(ratio(quote));
    Entry {
        base_volume: Some(quote.base_volume.to_string()),
        quote_volume: Some(quote.quote_volume.to_string()),
        high: Some(text(quote.high)),
        low: Some(text(quote.low)),
        change_ratio: ratio.parse().ok(),
        change: Some(ratio),
        ..ticker_entry(quote)
    }
}

fn all_tickers(world: &World, _: &Request) -> Result<Value, Reply> {
    let market = world.market.lock();
    let rows = market.listings().iter().map(|listing| {
        let mut row = statistics(world, listing);
        let size = |level: Option<Level>| level.map(|level| level.size);
        row["symbolName"] = listing.name.clone().into();
        row["bestBidSize"] = maybe(listing, size(listing.quote.bid));
        row["bestAskSize"] = maybe(listing, size(listing.quote.ask));
        row
    });
    let rows: Vec<Value> = rows.collect();
    drop(market);
    Ok(json!({"time": world.now(), "ticker": rows}))
}

fn stats(world: &World, request: &Request) -> Result<Value, Reply> {
    let symbol = request.parameter("symbol").unwrap_or_default();
    let mut row = world.market.lock().find(&symbol).map(|listing| statistics(world, listing)).ok_or_else(unknown)?;
    row["time"] = world.now().into();
    Ok(row)
}

fn level1(world: &World, request: &Request) -> Result<Value, Reply> {
    let symbol = request.parameter("symbol").unwrap_or_default();
    let market = world.market.lock();
    let Some(Listing { quote, .. }) = market.find(&symbol) else { return Ok(Value::Null) };
    world.note_quoted(&quote.symbol, Entry { last: Some(text(quote.last)), ..book_entry(quote) });
    let price = |level: Option<Level>| level.map(|level| level.price.to_string());
    let size = |level: Option<Level>| level.map(|level| level.size.to_string());
    Ok(json!({
        "time": quote.traded_at, "sequence": quote.sequence.to_string(), "price": quote.last.map(|last| last.to_string()),
        "size": quote.last_size.to_string(), "bestBid": price(quote.bid), "bestBidSize": size(quote.bid),
        "bestAsk": price(quote.ask), "bestAskSize": size(quote.ask),
    }))
}

fn prices(_: &World, request: &Request) -> Result<Value, Reply> {
    let base = request.parameter("base").unwrap_or_else(|| "USD".to_owned());
    let asked = request.parameter("currencies").unwrap_or_else(|| "BTC,ETH,USDT,USDC".to_owned());
    let price = |currency: &str| (currency.to_owned(), worth(currency).over(worth(&base)).to_string().into());
    Ok(Value::Object(Map::from_iter(asked.split(',').map(price))))
}
