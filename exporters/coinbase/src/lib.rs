//! Coinbase Advanced Trade, spot. Source: <https://docs.cdp.coinbase.com/advanced-trade/docs/welcome>.

mod market;
mod questions;

use std::sync::Arc;
use std::time::Duration;

use common::{
    About, Allowance, Fact, Fault, Feed, Hosts, Instrument, Kind, Limit, Query, Reply, Request, Setup, Tell, Venue,
};

const SECOND: Duration = Duration::from_secs(1);

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
    pools: &[],
    hubs: &["USD", "USDT", "USDC", "BTC", "ETH", "EUR", "GBP"],
    pars: &[],
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
    fn judge<'f>(&self, reply: &Reply<'f>, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        let (limit, remaining) = (reply.number("x-ratelimit-limit"), reply.number("x-ratelimit-remaining"));
        if limit.is_some() || remaining.is_some() {
            tell(Fact::Limit(Limit { name: "requests".into(), limit, remaining, window: SECOND }).into());
        }
        match common::status_fault(reply) {
            // Spurious refusals clear at once; no ban is documented.
            Err(fault) if fault.kind == Kind::RateLimit => {
                Err(Fault { wait: fault.wait.or(Some(2 * SECOND)), ..fault })
            }
            other => other,
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
}
