//! Bybit V5: spot prices, and the account. Source: <https://bybit-exchange.github.io/docs/v5/intro>.

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

/// The window of all limits of an account.
const SECOND: Duration = Duration::from_secs(1);

/// Fixed facts.
pub static ABOUT: About = About {
    name: "bybit",
    title: "Bybit",
    port: 8002,
    live: Hosts::new("https://api.bybit.com", "", "wss://stream.bybit.com", "wss://stream.bybit.com"),
    test: Some(Hosts::new(
        "https://api-testnet.bybit.com",
        "",
        "wss://stream-testnet.bybit.com",
        "wss://stream-testnet.bybit.com",
    )),
    credentials: &["API_KEY", "API_SECRET"],
    // 21,000 characters of topics a connection hold some 400 symbols; fewer subscribe sooner.
    symbols_per_line: 150,
    // 500 in 5 minutes and host; the user's bots dial too.
    dials: Allowance { units: 100, per: Duration::from_secs(300) },
    // 600 in 5 s and address; beyond it the address is shut out for ten minutes.
    requests: Allowance { units: 600, per: Duration::from_secs(5) },
    burst: None,
    // Each endpoint has its own limit for each account; those of one size count here as if they were one.
    pools: &[
        (account::UID, Allowance { units: 50, per: SECOND }),
        (account::UID_KEY, Allowance { units: 10, per: SECOND }),
        (account::UID_ASSET, Allowance { units: 5, per: SECOND }),
    ],
    hubs: &["USDT", "USDC", "BTC", "ETH", "EUR", "MNT"],
    // A claim on flexible savings, good for margin; the venue redeems it.
    pars: &[("BYUSDT", "USDT")],
};

/// Builds the venue.
pub fn build(setup: &Setup) -> Arc<dyn Venue> {
    Arc::new(Bybit { setup: setup.clone() })
}

struct Bybit {
    setup: Setup,
}

impl Venue for Bybit {
    fn judge<'f>(&self, reply: &Reply<'f>, _tell: Tell<'_, 'f>) -> Result<(), Fault> {
        auth::judge(reply)
    }

    fn limits<'f>(&self, pool: &str, reply: &Reply<'f>, tell: Tell<'_, 'f>) {
        let (limit, remaining) = (reply.number("x-bapi-limit"), reply.number("x-bapi-limit-status"));
        if limit.is_some() || remaining.is_some() {
            // Public endpoints rarely tell, and then of the same limit.
            let known = ABOUT.pools.iter().find(|(name, _)| *name == pool);
            let name = known.map_or(account::UID, |(name, _)| *name).into();
            tell(Fact::Limit(Limit { name, limit, remaining, window: SECOND }).into());
        }
    }

    fn instruments(&self) -> Query {
        let request = Request::get("/v5/market/instruments-info").query("category=spot");
        Query::new("instruments_info", request, questions::instruments).paged("cursor")
    }

    fn tickers(&self) -> Query {
        Query::new("tickers", Request::get("/v5/market/tickers").query("category=spot"), questions::tickers)
    }

    fn clock(&self) -> Query {
        Query::new("time", Request::get("/v5/market/time"), questions::clock)
    }

    fn status(&self) -> Option<Query> {
        Some(Query::new("system_status", Request::get("/v5/system/status"), questions::status))
    }

    fn feed(&self, instruments: Vec<Arc<Instrument>>) -> Box<dyn Feed> {
        Box::new(market::Tickers::new(&self.setup.hosts.ws, instruments))
    }

    fn rates(&self, _fiat: &str) -> Vec<Query> {
        // A coin that counts as collateral has an index in dollars; this one always does.
        let request = Request::get("/v5/market/tickers").query("category=spot&symbol=BTCUSDT");
        vec![Query::new("usd_index", request, questions::dollars)]
    }

    fn account(&self, keys: Arc<Keyring>) -> Result<Arc<dyn Account>, String> {
        auth::check(&keys.keys())?;
        Ok(Arc::new(account::Owner { setup: self.setup.clone(), keys }))
    }
}
