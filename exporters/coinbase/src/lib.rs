//! Coinbase Advanced Trade: its spot market, and the account with its futures.
//! Source: <https://docs.cdp.coinbase.com/advanced-trade/docs/welcome>.

mod account;
mod auth;
mod market;
mod private;
mod questions;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use common::{
    About, Account, Allowance, Fact, Fault, Feed, Hosts, Instrument, Keyring, Limit, Query, Reply, Request, Setup,
    Tell, Venue,
};

const SECOND: Duration = Duration::from_secs(1);
/// The limit of requests with a key.
const KEY: &str = "key";

/// Fixed facts.
pub static ABOUT: About = About {
    name: "coinbase",
    title: "Coinbase",
    port: 8003,
    live: Hosts::new(
        "https://api.coinbase.com",
        "",
        "wss://advanced-trade-ws.coinbase.com",
        "wss://advanced-trade-ws-user.coinbase.com",
    ),
    // The sandbox has canned accounts only: no market data, no documented sockets.
    test: None,
    credentials: &["API_KEY", "API_SECRET"],
    // No number is documented; 53 to 100 products on a connection are common practice.
    symbols_per_line: 100,
    // 8 a second and address.
    dials: Allowance { units: 2, per: SECOND },
    // 10 a second and address.
    requests: Allowance { units: 600, per: Duration::from_secs(60) },
    // 10 a second and address; somebody else lives there, too.
    burst: Some(Allowance { units: 6, per: Duration::from_secs(1) }),
    // 30 a second, but 10 000 an hour and key, which is less; kept to in spans short enough to get over a crowded one.
    pools: &[(KEY, Allowance { units: 833, per: Duration::from_secs(300) })],
    hubs: &["USD", "USDT", "USDC", "BTC", "ETH", "EUR", "GBP"],
    // There is no book between them: the venue swaps the one for the other.
    pars: &[("USDC", "USD")],
};

/// Builds the venue.
pub fn build(setup: &Setup) -> Arc<dyn Venue> {
    Arc::new(Coinbase { setup: setup.clone() })
}

struct Coinbase {
    setup: Setup,
}

/// The public list of spot products, with prices and volumes.
fn products() -> Request {
    Request::get("/api/v3/brokerage/market/products").query("product_type=SPOT")
}

impl Venue for Coinbase {
    fn judge<'f>(&self, reply: &Reply<'f>, _tell: Tell<'_, 'f>) -> Result<(), Fault> {
        auth::judge(reply)
    }

    fn limits<'f>(&self, pool: &str, reply: &Reply<'f>, tell: Tell<'_, 'f>) {
        let name = if pool == KEY { "private_requests" } else { "requests" };
        let (limit, remaining) = (reply.number("x-ratelimit-limit"), reply.number("x-ratelimit-remaining"));
        if limit.is_some() || remaining.is_some() {
            tell(Fact::Limit(Limit { name: name.into(), limit, remaining, window: SECOND }).into());
        }
    }

    fn instruments(&self) -> Query {
        Query::new("products", products(), questions::instruments).paged("cursor")
    }

    fn tickers(&self) -> Query {
        Query::new("products", products(), questions::tickers).paged("cursor")
    }

    fn clock(&self) -> Query {
        Query::new("time", Request::get("/api/v3/brokerage/time"), questions::clock)
    }

    /// None exists; the list of products tells whether any trades.
    fn status(&self) -> Option<Query> {
        None
    }

    fn feed(&self, instruments: Vec<Arc<Instrument>>) -> Box<dyn Feed> {
        Box::new(market::Tickers::new(&self.setup.hosts.ws, instruments))
    }

    fn rates(&self, fiat: &str) -> Vec<Query> {
        let request = Request::get("/v2/exchange-rates").query("currency=USDT");
        let query = Query::new("exchange_rates", request, questions::rates);
        questions::REFERENCED.contains(&fiat).then_some(query).into_iter().collect()
    }

    fn account(&self, keys: Arc<Keyring>) -> Result<Arc<dyn Account>, String> {
        auth::check(&keys.keys())?;
        Ok(Arc::new(account::Owner { setup: self.setup.clone(), keys }))
    }
}
