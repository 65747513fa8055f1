//! KuCoin: spot prices by the classic streams, and the account, classic or unified. Source: <https://www.kucoin.com/docs-new/introduction>.

mod account;
mod auth;
mod futures;
mod market;
mod private;
mod questions;
mod rows;
mod unified;

use std::sync::Arc;
use std::time::Duration;

use common::{
    About, Account, Allowance, Fact, Fault, Feed, Hosts, Instrument, Keyring, Limit, Query, Reply, Request, Setup,
    Tell, Venue,
};

/// Fixed facts.
pub static ABOUT: About = About {
    name: "kucoin",
    title: "KuCoin",
    port: 8001,
    live: Hosts::new(
        "https://api.kucoin.com",
        "https://api-futures.kucoin.com",
        "wss://ws-api-spot.kucoin.com",
        "wss://ws-api-spot.kucoin.com",
    ),
    // The sandbox was closed in 2023; nothing took its place.
    test: None,
    credentials: &["API_KEY", "API_SECRET", "API_PASSPHRASE"],
    // 300 topics a connection by the older and stricter text, two a symbol.
    symbols_per_line: 140,
    // 30 a minute.
    dials: Allowance { units: 20, per: Duration::from_secs(60) },
    // The public pool.
    requests: Allowance { units: 2000, per: Duration::from_secs(30) },
    burst: None,
    // Of an account without a VIP level.
    pools: &[
        (account::SPOT, Allowance { units: 4000, per: Duration::from_secs(30) }),
        (account::FUTURES, Allowance { units: 2000, per: Duration::from_secs(30) }),
        (account::MANAGEMENT, Allowance { units: 2000, per: Duration::from_secs(30) }),
        (account::EARN, Allowance { units: 2000, per: Duration::from_secs(30) }),
        (unified::POOL, Allowance { units: 300, per: Duration::from_secs(1) }),
    ],
    hubs: &["USDT", "USDC", "BTC", "ETH", "KCS", "EUR"],
    pars: &[],
};

/// Builds the venue.
pub fn build(setup: &Setup) -> Arc<dyn Venue> {
    Arc::new(KuCoin { setup: setup.clone() })
}

struct KuCoin {
    setup: Setup,
}

impl Venue for KuCoin {
    fn judge<'f>(&self, reply: &Reply<'f>, _tell: Tell<'_, 'f>) -> Result<(), Fault> {
        auth::judge(reply)
    }

    fn limits<'f>(&self, pool: &str, reply: &Reply<'f>, tell: Tell<'_, 'f>) {
        let (limit, remaining) = (reply.number("gw-ratelimit-limit"), reply.number("gw-ratelimit-remaining"));
        if limit.is_some() || remaining.is_some() {
            let known = ABOUT.pools.iter().find(|(name, _)| *name == pool);
            let (name, allowance) = known.copied().unwrap_or(("public", ABOUT.requests));
            let window = auth::reset(reply).unwrap_or(allowance.per);
            tell(Fact::Limit(Limit { name: name.into(), limit, remaining, window }).into());
        }
    }

    fn instruments(&self) -> Query {
        Query::new("symbols", Request::get("/api/v2/symbols").weight(4), questions::instruments)
    }

    fn tickers(&self) -> Query {
        all_tickers()
    }

    fn clock(&self) -> Query {
        Query::new("timestamp", Request::get("/api/v1/timestamp").weight(3), questions::clock)
    }

    fn status(&self) -> Option<Query> {
        Some(Query::new("status", Request::get("/api/v1/status").weight(3), questions::status))
    }

    fn feed(&self, instruments: Vec<Arc<Instrument>>) -> Box<dyn Feed> {
        let base = self.setup.ws_given.then(|| self.setup.hosts.ws.to_string());
        Box::new(market::Tickers::new(base, instruments))
    }

    fn rates(&self, fiat: &str) -> Vec<Query> {
        let price = |name, currency: &str| {
            let query = format!("base={currency}&currencies=USDT");
            let request = Request::get("/api/v1/prices").query(query).weight(3);
            Some(Query::new(name, request, questions::price_in(currency)?))
        };
        [price("usd_price", "USD"), Some(fiat).filter(|fiat| *fiat != "USD").and_then(|fiat| price("fiat_price", fiat))]
            .into_iter()
            .flatten()
            .collect()
    }

    fn account(&self, keys: Arc<Keyring>) -> Result<Arc<dyn Account>, String> {
        auth::check(&keys.keys())?;
        Ok(Arc::new(account::Owner { setup: self.setup.clone(), keys, signer: auth::Signer::default() }))
    }
}

fn all_tickers() -> Query {
    Query::new("all_tickers", Request::get("/api/v1/market/allTickers").weight(15), questions::tickers)
}
