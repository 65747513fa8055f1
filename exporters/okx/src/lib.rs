//! OKX v5, spot. Source: <https://www.okx.com/docs-v5/en/>.

mod account;
mod auth;
mod market;
mod private;
mod questions;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use common::{
    About, Account, Allowance, Fault, Feed, Hosts, Instrument, Keyring, Query, Reply, Request, Setup, Tell, Venue,
};

/// Fixed facts.
pub static ABOUT: About = About {
    name: "okx",
    title: "OKX",
    port: 8004,
    live: Hosts::new("https://openapi.okx.com", "", "wss://ws.okx.com", "wss://ws.okx.com"),
    test: Some(Hosts::new("https://openapi.okx.com", "", "wss://wspap.okx.com", "wss://wspap.okx.com")),
    credentials: &["API_KEY", "API_SECRET", "API_PASSPHRASE"],
    // No number is documented for one connection; 200 tickers are well below what others run.
    symbols_per_line: 200,
    // 3 connections a second and address.
    dials: Allowance { units: 1, per: Duration::from_millis(500) },
    // 20 requests in 2 s for each of the endpoints used here, counted as if they were one.
    requests: Allowance { units: 600, per: Duration::from_secs(60) },
    burst: None,
    pools: &[],
    hubs: &["USDT", "USDC", "USD", "BTC", "ETH", "EUR"],
    pars: &[],
};

/// Builds the venue.
pub fn build(setup: &Setup) -> Arc<dyn Venue> {
    Arc::new(Okx { setup: setup.clone() })
}

struct Okx {
    setup: Setup,
}

/// A question to the live venue or, with a header, to its demo.
fn get(setup: &Setup, path: &str) -> Request {
    let request = Request::get(path);
    if setup.testnet { request.header("x-simulated-trading", "1") } else { request }
}

impl Okx {
    fn get(&self, path: &str) -> Request {
        get(&self.setup, path)
    }
}

impl Venue for Okx {
    fn judge<'f>(&self, reply: &Reply<'f>, _tell: Tell<'_, 'f>) -> Result<(), Fault> {
        auth::judge(reply)
    }

    fn instruments(&self) -> Query {
        let request = self.get("/api/v5/public/instruments").query("instType=SPOT");
        Query::new("instruments", request, questions::instruments)
    }

    fn tickers(&self) -> Query {
        Query::new("tickers", self.get("/api/v5/market/tickers").query("instType=SPOT"), questions::tickers)
    }

    fn clock(&self) -> Query {
        Query::new("time", self.get("/api/v5/public/time"), questions::clock)
    }

    fn status(&self) -> Option<Query> {
        let decode = if self.setup.testnet { questions::status_demo } else { questions::status };
        Some(Query::new("status", self.get("/api/v5/system/status"), decode))
    }

    fn feed(&self, instruments: Vec<Arc<Instrument>>) -> Box<dyn Feed> {
        Box::new(market::Tickers::new(&self.setup.hosts.ws, instruments))
    }

    fn rates(&self, _fiat: &str) -> Vec<Query> {
        // The index knows real dollars; the dollar books of the spot market were merged into those of USDC.
        let request = self.get("/api/v5/market/index-tickers").query("instId=USDT-USD");
        vec![Query::new("index", request, questions::index)]
    }

    fn account(&self, keys: Arc<Keyring>) -> Result<Arc<dyn Account>, String> {
        Ok(Arc::new(account::Owner { setup: self.setup.clone(), keys }))
    }
}
