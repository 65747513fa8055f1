//! Coinbase Advanced Trade: REST.

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::frames::percent;
use crate::clock::rfc3339;
use crate::fault::{Fault, Limited};
use crate::http::{Reply, Request};
use crate::ledger::{Entry, text};
use crate::limiter::Limit;
use crate::market::{Level, Listing, Market, Product, Quote, State};
use crate::protocol::Protocol as _;
use crate::universe::worth;
use crate::world::World;

const PUBLIC: Limit = Limit::per_millis(10, 1_000);
const MARKET: &str = "/api/v3/brokerage/market/";

pub(super) fn answer(world: &World, request: &Request) -> Reply {
    if super::signed::is_signed(&request.path) && !world.suffers(&Fault::Maintenance) {
        return super::signed::answer(world, request);
    }
    if world.tallies.lock().of("rest").count(PUBLIC, 1, Instant::now()).is_none() {
        world.seen.lock().violations.push(format!("429 {}", request.path));
        return super::Coinbase.limited(Limited::Plain);
    }
    if world.suffers(&Fault::Maintenance) {
        return Reply::html(503, "503 Service Unavailable");
    }
    match request.path.as_str() {
        _ if request.method != "GET" => {
            Reply::json(405, &json!({"error": "unknown", "code": 12, "message": "Method Not Allowed", "details": []}))
        }
        "/api/v3/brokerage/time" => time(world.now()),
        "/v2/time" => Reply::json(200, &json!({"data": {"iso": rfc3339(world.now()), "epoch": world.now() / 1_000}})),
        "/v2/exchange-rates" => rates(request),
        path => match path.strip_prefix(MARKET) {
            Some(path) => market(world, path, request),
            None => Reply::json(404, &json!({"errors": [{"id": "not_found", "message": "Not found"}]})),
        },
    }
}

fn time(now: u64) -> Reply {
    let (iso, seconds) = (rfc3339(now / 1_000 * 1_000).replace(".000", ""), now / 1_000);
    Reply::json(200, &json!({"iso": iso, "epochSeconds": seconds.to_string(), "epochMillis": now.to_string()}))
}

fn rates(request: &Request) -> Reply {
    let currency = request.parameter("currency").unwrap_or_else(|| "USD".to_owned());
    let others = ["USD", "EUR", "BRL", "BTC", "ETH", "USDT", "USDC"];
    let rates = others.map(|other| (other.to_owned(), worth(&currency).over(worth(other)).to_string().into()));
    Reply::json(200, &json!({"data": {"currency": currency, "rates": Map::from_iter(rates)}}))
}

fn market(world: &World, path: &str, request: &Request) -> Reply {
    let words: Vec<&str> = path.split('/').collect();
    let market = world.market.lock();
    match words[..] {
        ["products"] => products(world, &market, request),
        ["products", symbol] => match market.find(symbol) {
            Some(listing) => Reply::json(200, &row(world, &market, listing)),
            None => not_found(),
        },
        ["products", symbol, "ticker"] => {
            market.resolve(symbol).map_or_else(not_found, |listing| ticker(&listing.quote))
        }
        ["product_book"] => {
            let symbol = request.parameter("product_id").unwrap_or_default();
            market.resolve(&symbol).map_or_else(not_found, |listing| book(world.now(), &listing.quote))
        }
        _ => Reply::json(404, &json!({"error": "NOT_FOUND", "error_details": "", "message": "Not Found"})),
    }
}

fn not_found() -> Reply {
    let why = "valid product_id is required";
    Reply::json(404, &json!({"error": "NOT_FOUND", "error_details": why, "message": why}))
}

pub(super) fn products(world: &World, market: &Market, request: &Request) -> Reply {
    let kind = match request.parameter("product_type").as_deref() {
        None => None,
        Some("SPOT") => Some(Product::Spot),
        Some("FUTURE") => Some(Product::Future),
        Some(_) => {
            let why = "product_type is invalid";
            return Reply::json(400, &json!({"error": "INVALID_ARGUMENT", "error_details": why, "message": why}));
        }
    };
    let only: Vec<String> = request.parameters("product_ids").collect();
    let all = request.parameter("get_all_products").as_deref() == Some("true");
    let number = |name| request.parameter(name).and_then(|number| number.parse().ok());
    let listings = market.listings().iter().filter(|listing| {
        kind.is_none_or(|kind| kind == listing.product)
            && (all || listing.state != State::Delisted)
            && (only.is_empty() || only.contains(&listing.quote.symbol))
    });
    let listings: Vec<&Listing> = listings.collect();
    let page = listings.iter().skip(number("offset").unwrap_or(0)).take(number("limit").unwrap_or(usize::MAX));
    let rows: Vec<Value> = page.map(|listing| row(world, market, listing)).collect();
    Reply::json(200, &json!({"products": rows, "num_products": listings.len(), "pagination": null}))
}

fn row(world: &World, market: &Market, listing: &Listing) -> Value {
    let symbol = &listing.quote.symbol;
    let quote = market.resolve(symbol).map_or(&listing.quote, |shown| &shown.quote);
    let (last, base_volume, change) = (text(quote.last), quote.base_volume.to_string(), percent(quote));
    world.note_quoted(symbol, quoted(quote));
    let future = listing.product == Product::Future;
    let status = match listing.state {
        _ if future => "",
        State::Delisted => "delisted",
        _ => "online",
    };
    let alias_to =
        market.listings().iter().filter(|other| other.alias.as_ref() == Some(symbol)).map(|other| &other.quote.symbol);
    let mut row = json!({
        "product_id": symbol, "price": last, "price_percentage_change_24h": change, "volume_24h": base_volume,
        "volume_percentage_change_24h": "12.1", "base_increment": "0.00000001", "quote_increment": listing.tick.to_string(),
        "quote_min_size": "1", "quote_max_size": "150000000", "base_min_size": "0.00000001", "base_max_size": "3400",
        "base_name": listing.quote.base, "quote_name": listing.quote.quote, "watched": false, "is_disabled": listing.state == State::Delisted,
        "new": false, "status": status, "cancel_only": false, "limit_only": false, "post_only": false,
        "trading_disabled": matches!(listing.state, State::Halted | State::Delisted), "auction_mode": false,
        "product_type": if future { "FUTURE" } else { "SPOT" }, "quote_currency_id": listing.quote.quote,
        "base_currency_id": if future { "" } else { &listing.quote.base }, "fcm_trading_session_details": null, "mid_market_price": "",
        "alias": listing.alias.as_deref().unwrap_or_default(), "alias_to": Vec::from_iter(alias_to),
        "base_display_symbol": listing.quote.base, "quote_display_symbol": listing.quote.quote, "view_only": false,
        "price_increment": listing.tick.to_string(), "display_name": listing.name,
    });
    row["product_venue"] = if future { "FCM" } else { "CBE" }.into();
    row["approximate_quote_24h_volume"] = quote.quote_volume.to_string().into();
    row["best_bid_price"] = "".into();
    row["best_ask_price"] = "".into();
    row["new_at"] = Value::Null;
    if future {
        row["future_product_details"] = json!({
            "venue": "cde", "contract_code": "BIT", "contract_root_unit": listing.quote.base, "contract_size": "0.01", "contract_expiry": "2026-11-27T16:00:00Z",
            "contract_expiry_type": "EXPIRING", "funding_rate": "", "open_interest": "1204", "index_price": last, "settlement_price": last,
        });
    }
    row
}

fn quoted(quote: &Quote) -> Entry {
    let change = percent(quote);
    Entry {
        last: Some(text(quote.last)),
        base_volume: Some(quote.base_volume.to_string()),
        quote_volume: Some(quote.quote_volume.to_string()),
        change_ratio: change.parse::<f64>().ok().map(|percent| percent / 100.0),
        change: Some(change),
        ..Entry::default()
    }
}

fn ticker(quote: &Quote) -> Reply {
    let price = |level: Option<Level>| text(level.map(|level| level.price));
    let trade = json!({
        "trade_id": quote.trades.to_string(), "product_id": quote.symbol, "price": text(quote.last), "size": quote.last_size.to_string(),
        "time": rfc3339(quote.traded_at), "side": "BUY", "exchange": "",
    });
    let trades = if quote.last.is_some() { vec![trade] } else { Vec::new() };
    Reply::json(200, &json!({"trades": trades, "best_bid": price(quote.bid), "best_ask": price(quote.ask)}))
}

fn book(now: u64, quote: &Quote) -> Reply {
    let side = |level: Option<Level>| {
        Vec::from_iter(level.map(|level| json!({"price": level.price.to_string(), "size": level.size.to_string()})))
    };
    let book =
        json!({"product_id": quote.symbol, "bids": side(quote.bid), "asks": side(quote.ask), "time": rfc3339(now)});
    Reply::json(200, &json!({"pricebook": book}))
}
