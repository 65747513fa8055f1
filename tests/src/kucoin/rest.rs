//! KuCoin: REST. What needs no signature, and the list of all that there is.

use serde_json::{Map, Value, json};

use super::frames::{book_entry, ratio, ticker_entry};
use super::pools::{Pool, error, too_many};
use super::{FUTURES, Ticket, futures, orders, signed, unified, wallets};
use crate::account::dollars;
use crate::fault::Fault;
use crate::fixed::Fixed;
use crate::http::{Reply, Request};
use crate::ledger::{Entry, text};
use crate::market::{Level, Listing, Quote, State};
use crate::universe::worth;
use crate::world::{World, true_now};

/// What a request must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Not even a key.
    Nothing,
    /// A key.
    General,
    /// A key of an account in Classic mode.
    Classic,
    /// One that may trade spot.
    Spot,
    /// One that may trade futures.
    Futures,
    /// A key of an account in Unified mode.
    Unified,
}

/// The data of an answer, as JSON, or a refusal.
pub(super) type Data = Result<String, Reply>;
type Route = (Pool, u64, Needs, fn(&World, &Request) -> Data);

/// What there is on the host of spot.
fn spot(method: &str, path: &str) -> Option<Route> {
    use Needs::{Classic, General, Nothing, Unified};
    use Pool::{Earn, Management, Public, Spot};
    Some(match (method, path) {
        ("POST", "/api/v1/bullet-public") => (Public, 10, Nothing, bullet),
        ("GET", "/api/v1/timestamp") => (Public, 3, Nothing, timestamp),
        ("GET", "/api/v1/status") => (Public, 3, Nothing, status),
        ("GET", "/api/v1/my-ip") => (Public, 5, Nothing, |_, _| Ok(r#""127.0.0.1""#.to_owned())),
        ("GET", "/api/v2/symbols") => (Public, 4, Nothing, symbols),
        ("GET", "/api/v1/market/allTickers") => (Public, 15, Nothing, all_tickers),
        ("GET", "/api/v1/market/stats") => (Public, 15, Nothing, stats),
        ("GET", "/api/v1/market/orderbook/level1") => (Public, 2, Nothing, level1),
        ("GET", "/api/v1/prices") => (Public, 3, Nothing, prices),
        ("GET", _) if path.starts_with("/api/v2/symbols/") => (Public, 4, Nothing, symbol),
        ("POST", "/api/v1/bullet-private") => (Spot, 10, General, bullet),
        ("GET", "/api/v1/user/api-key") => (Management, 20, General, wallets::api_key),
        ("GET", "/api/v1/accounts") => (Management, 5, Classic, wallets::accounts),
        ("GET", "/api/v1/hf/accounts/opened") => (Spot, 30, General, |_, _| Ok("false".to_owned())),
        ("GET", "/api/v3/margin/accounts") => (Spot, 15, Classic, wallets::cross_margin),
        ("GET", "/api/v3/isolated/accounts") => (Spot, 15, Classic, wallets::isolated_margin),
        ("GET", "/api/v1/earn/hold-assets") => (Earn, 5, General, wallets::earn),
        ("GET", "/api/v1/base-fee") => (Spot, 3, General, wallets::base_fee),
        ("GET", "/api/v1/trade-fees") => (Spot, 3, General, wallets::trade_fees),
        ("GET", "/api/v1/hf/orders/active/symbols") => (Spot, 2, Needs::Spot, orders::symbols),
        ("GET", "/api/v1/hf/orders/active") => (Spot, 2, Classic, orders::active),
        ("GET", "/api/v1/hf/orders/active/page") => (Spot, 2, Classic, orders::active_page),
        ("GET", "/api/v1/stop-order") => (Spot, 8, Classic, orders::stops),
        ("GET", "/api/v3/hf/margin/orders/active") => (Spot, 4, Classic, |_, _| Ok("[]".to_owned())),
        ("GET", "/api/v1/hf/fills") => (Spot, 2, Classic, orders::fills),
        ("GET", "/api/ua/v1/account/mode" | "/api/ua/v2/account/mode") => (Pool::Unified, 30, General, unified::mode),
        ("GET", "/api/ua/v2/account/balance") => (Pool::Unified, 5, General, unified::funding),
        ("GET", "/api/ua/v2/unified/account/overview") => (Pool::Unified, 5, Unified, unified::overview),
        ("GET", "/api/ua/v2/unified/account/balance") => (Pool::Unified, 5, Unified, unified::balance),
        ("GET", "/api/ua/v2/unified/position/open-list") => (Pool::Unified, 3, Unified, unified::positions),
        ("GET", "/api/ua/v2/unified/order/open-list") => (Pool::Unified, 4, Unified, unified::orders),
        ("GET", "/api/ua/v2/unified/order/execution") => (Pool::Unified, 4, Unified, unified::fills),
        _ => return None,
    })
}

/// What there is on the host of futures: some paths are the same, and mean something else.
fn derivatives(method: &str, path: &str) -> Option<Route> {
    use Needs::{Classic, General, Nothing};
    use Pool::{Futures, Public};
    Some(match (method, path) {
        ("POST", "/api/v1/bullet-public") => (Public, 10, Nothing, bullet),
        ("GET", "/api/v1/timestamp") => (Public, 2, Nothing, timestamp),
        ("GET", "/api/v1/status") => (Public, 4, Nothing, status),
        ("GET", "/api/v1/contracts/active") => (Public, 3, Nothing, futures::contracts),
        ("POST", "/api/v1/bullet-private") => (Futures, 10, General, bullet),
        ("GET", "/api/v1/account-overview") => (Futures, 5, Needs::Futures, futures::overview),
        ("GET", "/api/v1/account-overview-all") => (Futures, 6, Classic, futures::overview_all),
        ("GET", "/api/v1/positions") => (Futures, 2, Classic, futures::positions),
        ("GET", "/api/v1/orders") => (Futures, 2, Classic, orders::futures),
        ("GET", "/api/v1/stopOrders") => (Futures, 6, Classic, orders::stops),
        ("GET", "/api/v1/fills") => (Futures, 5, Classic, orders::futures_fills),
        ("GET", "/api/v1/recentFills") => (Futures, 3, Classic, orders::recent_fills),
        _ => return None,
    })
}

/// These answers say nothing of the quota.
const WITHOUT_LIMITS: [&str; 3] = ["/api/v1/my-ip", "/futures/api/v1/timestamp", "/futures/api/v1/contracts/active"];

/// A path without the prefix that stands for the host of futures, and which host is meant.
pub(super) fn host(path: &str) -> (&str, bool) {
    path.strip_prefix(FUTURES).filter(|rest| rest.starts_with('/')).map_or((path, false), |rest| (rest, true))
}

fn route(method: &str, path: &str) -> Option<Route> {
    let (path, is_futures) = host(path);
    if is_futures { derivatives(method, path) } else { spot(method, path) }
}

pub(super) fn is_signed(request: &Request) -> bool {
    route(&request.method, &request.path).is_some_and(|(_, _, needs, _)| needs != Needs::Nothing)
}

pub(super) fn answer(world: &World, request: &Request) -> Reply {
    let (path, _) = host(&request.path);
    let Some((pool, weight, needs, body)) = route(&request.method, &request.path) else {
        world.seen.lock().violations.push(format!("unknown: {} {}", request.method, request.path));
        if ["GET", "POST"].iter().any(|method| route(method, &request.path).is_some()) {
            return error(405, "405000", "Request method is not supported");
        }
        return Reply::json(404, &json!({"code": "404", "msg": "Not Found", "retry": false, "success": false}));
    };
    if request.method == "GET" && !request.body.is_empty() {
        world.seen.lock().violations.push(format!("GET {path} with a body"));
        return Reply::html(403, "403 ERROR");
    }
    if world.suffers(&Fault::Maintenance) && path != "/api/v1/status" && path != "/api/v1/timestamp" {
        return error(503, "503000", "Service temporarily unavailable");
    }
    if needs != Needs::Nothing
        && let Some(refusal) = signed::refusal(world, request, path, needs)
    {
        return refusal;
    }
    let (standing, granted) = pool.take(world, weight);
    if !granted {
        world.seen.lock().violations.push(format!("429000 {path}"));
        return standing.tell(too_many());
    }
    let reply = body(world, request).map_or_else(
        |refusal| refusal,
        |data| Reply::raw(200, "application/json;charset=utf-8", format!(r#"{{"code":"200000","data":{data}}}"#)),
    );
    if WITHOUT_LIMITS.contains(&request.path.as_str()) { reply } else { standing.tell(reply) }
}

/// Something about the parameters is wrong.
pub(super) fn bad(world: &World, request: &Request, message: &str) -> Reply {
    world.seen.lock().violations.push(format!("400100 {}?{} {message}", request.path, request.query));
    error(200, "400100", message)
}

/// Rows in numbered pages, as the answer itself tells: so many in a page unless asked, and at most so many.
pub(super) fn page(
    world: &World,
    request: &Request,
    number: &str,
    (usual, most): (usize, usize),
    rows: &[String],
) -> Data {
    let asked = |name: &str, usual: usize| request.parameter(name).map_or(Some(usual), |text| text.parse().ok());
    let (Some(at @ 1..), Some(size @ 1..)) = (asked(number, 1), asked("pageSize", usual)) else {
        return Err(bad(world, request, "page error"));
    };
    if size > most {
        return Err(bad(world, request, "pageSize is too large"));
    }
    let size = size.min(world.options.page_size.unwrap_or(size)).max(1);
    let items: Vec<&str> = rows.iter().skip((at - 1) * size).take(size).map(String::as_str).collect();
    let (total, pages, items) = (rows.len(), rows.len().div_ceil(size), items.join(","));
    Ok(format!(r#"{{"currentPage":{at},"pageSize":{size},"totalNum":{total},"totalPage":{pages},"items":[{items}]}}"#))
}

fn timestamp(world: &World, _: &Request) -> Data {
    Ok(world.now().to_string())
}

/// A ticket: a token with characters that must be escaped, and the way to this very server.
fn bullet(world: &World, request: &Request) -> Data {
    let (path, futures) = host(&request.path);
    let ticket = Ticket { issued: true_now(), private: path.ends_with("private"), futures };
    let mut tickets = world.tickets.lock();
    let token = format!("fake+Tok-{:x}/k8+s/{}==", true_now(), tickets.len() + world.seen.lock().connections.len());
    tickets.insert(token.clone(), ticket);
    let host = request.header("host").map_or_else(|| world.address.to_string(), str::to_owned);
    let endpoint = match &world.options.ticket_endpoint {
        Some(elsewhere) if !futures && !ticket.private => elsewhere.clone(),
        _ => format!("ws://{host}{}/", if futures { FUTURES } else { "" }),
    };
    let (interval, timeout) = world.times.ticket_ping;
    let server = json!({
        "endpoint": endpoint, "encrypt": false, "protocol": "websocket",
        "pingInterval": interval.as_millis() as u64, "pingTimeout": timeout.as_millis() as u64,
    });
    Ok(json!({"token": token, "instanceServers": [server]}).to_string())
}

fn status(world: &World, _: &Request) -> Data {
    let down = world.suffers(&Fault::Maintenance);
    let (status, message) = if down { ("close", "System maintenance") } else { ("open", "") };
    Ok(json!({"status": status, "msg": message}).to_string())
}

fn symbols(world: &World, request: &Request) -> Data {
    let market = request.parameter("market");
    let known = market.is_none_or(|market| market == "USDS");
    let rows: Vec<Value> = world.market.lock().listings().iter().filter(|_| known).map(row).collect();
    Ok(Value::Array(rows).to_string())
}

fn symbol(world: &World, request: &Request) -> Data {
    let symbol = request.path.trim_start_matches("/api/v2/symbols/");
    world.market.lock().find(symbol).map(|listing| row(listing).to_string()).ok_or_else(unknown)
}

/// Most failures come with a 200.
pub(super) fn unknown() -> Reply {
    error(200, "900001", "symbol not exists")
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

fn all_tickers(world: &World, _: &Request) -> Data {
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
    Ok(json!({"time": world.now(), "ticker": rows}).to_string())
}

fn stats(world: &World, request: &Request) -> Data {
    let symbol = request.parameter("symbol").unwrap_or_default();
    let mut row = world.market.lock().find(&symbol).map(|listing| statistics(world, listing)).ok_or_else(unknown)?;
    row["time"] = world.now().into();
    Ok(row.to_string())
}

fn level1(world: &World, request: &Request) -> Data {
    let symbol = request.parameter("symbol").unwrap_or_default();
    let market = world.market.lock();
    let Some(Listing { quote, .. }) = market.find(&symbol) else { return Ok("null".to_owned()) };
    world.note_quoted(&quote.symbol, Entry { last: Some(text(quote.last)), ..book_entry(quote) });
    let price = |level: Option<Level>| level.map(|level| level.price.to_string());
    let size = |level: Option<Level>| level.map(|level| level.size.to_string());
    Ok(json!({
        "time": quote.traded_at, "sequence": quote.sequence.to_string(), "price": quote.last.map(|last| last.to_string()),
        "size": quote.last_size.to_string(), "bestBid": price(quote.bid), "bestBidSize": size(quote.bid),
        "bestAsk": price(quote.ask), "bestAskSize": size(quote.ask),
    })
    .to_string())
}

/// What currencies cost in a fiat one; of those that have no price, nothing.
fn prices(world: &World, request: &Request) -> Data {
    let base = request.parameter("base").unwrap_or_else(|| "USD".to_owned());
    let asked = request.parameter("currencies").unwrap_or_else(|| "BTC,ETH,USDT,USDC".to_owned());
    let market = world.market.lock();
    let price = |currency: &str| {
        let price = dollars(world.venue, &market, currency)?.over(worth(&base));
        Some((currency.to_owned(), price.floor_to(Fixed::new(1, 8)).to_string().into()))
    };
    Ok(Value::Object(Map::from_iter(asked.split(',').filter_map(price))).to_string())
}
