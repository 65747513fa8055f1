//! Binance: its spot market, and the account with its wallets and futures.
//! Source: <https://github.com/binance/binance-spot-api-docs>.

mod account;
mod auth;
mod futures;
mod futures_stream;
mod market;
mod private;
mod questions;
mod rows;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use common::{
    About, Account, Allowance, Fact, Fault, Feed, Hosts, Instrument, Keyring, Limit, Query, Reply, Request, Setup,
    Tell, Venue,
};

/// Weight a minute and address, by `exchangeInfo`.
const WEIGHT: u32 = 6000;
/// The same for each of the wallets' endpoints; they are counted as if they were one.
const WEIGHT_SAPI: u32 = 12_000;
/// And where an endpoint of theirs counts by account.
const WEIGHT_SAPI_UID: u32 = 180_000;
/// The same for the futures of each kind.
const WEIGHT_FUTURES: u32 = 2400;
const MINUTE: Duration = Duration::from_secs(60);

/// Fixed facts.
pub static ABOUT: About = About {
    name: "binance",
    title: "Binance",
    port: 8000,
    live: Hosts {
        rest: Cow::Borrowed("https://api.binance.com"),
        rest_futures: Cow::Borrowed("https://fapi.binance.com"),
        rest_coin: Cow::Borrowed("https://dapi.binance.com"),
        ws: Cow::Borrowed("wss://stream.binance.com:9443"),
        ws_private: Cow::Borrowed("wss://ws-api.binance.com:443"),
    },
    test: Some(Hosts::new(
        "https://testnet.binance.vision",
        "",
        "wss://stream.testnet.binance.vision",
        "wss://ws-api.testnet.binance.vision",
    )),
    credentials: &["API_KEY", "API_SECRET"],
    // 1024 streams a connection, two a symbol; a few are left free.
    symbols_per_line: 500,
    // 300 in 5 minutes and address; the user's bots dial too.
    dials: Allowance { units: 60, per: Duration::from_secs(300) },
    requests: Allowance { units: WEIGHT, per: MINUTE },
    burst: None,
    pools: &[
        ("sapi", Allowance { units: WEIGHT_SAPI, per: MINUTE }),
        ("fapi", Allowance { units: WEIGHT_FUTURES, per: MINUTE }),
        ("dapi", Allowance { units: WEIGHT_FUTURES, per: MINUTE }),
    ],
    hubs: &["USDT", "USDC", "BTC", "ETH", "FDUSD", "BNB", "EUR", "TRY"],
    pars: &[],
};

/// Builds the venue.
pub fn build(setup: &Setup) -> Arc<dyn Venue> {
    Arc::new(Binance { setup: setup.clone() })
}

struct Binance {
    setup: Setup,
}

impl Venue for Binance {
    fn judge<'f>(&self, reply: &Reply<'f>, _tell: Tell<'_, 'f>) -> Result<(), Fault> {
        auth::judge(reply)
    }

    fn limits<'f>(&self, pool: &str, reply: &Reply<'f>, tell: Tell<'_, 'f>) {
        // The futures count by a header of the same name, each kind on its own host.
        let all: &[(&'static str, &str, u32)] = match pool {
            "sapi" => &[
                ("sapi_ip_weight_1m", "x-sapi-used-ip-weight-1m", WEIGHT_SAPI),
                ("sapi_uid_weight_1m", "x-sapi-used-uid-weight-1m", WEIGHT_SAPI_UID),
            ],
            "fapi" => &[("fapi_weight_1m", "x-mbx-used-weight-1m", WEIGHT_FUTURES)],
            "dapi" => &[("dapi_weight_1m", "x-mbx-used-weight-1m", WEIGHT_FUTURES)],
            _ => &[("request_weight_1m", "x-mbx-used-weight-1m", WEIGHT)],
        };
        for (name, header, limit) in all {
            if let Some(used) = reply.number(header) {
                let limit = f64::from(*limit);
                let (limit, remaining) = (Some(limit), Some((limit - used).max(0.0)));
                tell(Fact::Limit(Limit { name: (*name).into(), limit, remaining, window: MINUTE }).into());
            }
        }
    }

    fn instruments(&self) -> Query {
        let request = Request::get("/api/v3/exchangeInfo").query("showPermissionSets=false").weight(20);
        Query::new("exchange_info", request, questions::instruments)
    }

    fn tickers(&self) -> Query {
        Query::new("ticker_24h", Request::get("/api/v3/ticker/24hr").weight(80), questions::tickers)
    }

    fn clock(&self) -> Query {
        Query::new("time", Request::get("/api/v3/time"), questions::clock)
    }

    fn status(&self) -> Option<Query> {
        let request = Request::get("/sapi/v1/system/status").pool("sapi");
        has_wallets(&self.setup).then(|| Query::new("system_status", request, questions::status))
    }

    fn feed(&self, instruments: Vec<Arc<Instrument>>) -> Box<dyn Feed> {
        Box::new(market::Tickers::new(&self.setup.hosts.ws, instruments))
    }

    fn rates(&self, _fiat: &str) -> Vec<Query> {
        // Nothing here is quoted in dollars; markets such as USDTBRL are among the tickers.
        let request = Request::get("/fapi/v1/assetIndex").query("symbol=USDTUSD").futures().pool("fapi");
        has_wallets(&self.setup).then(|| Query::new("asset_index", request, questions::index)).into_iter().collect()
    }

    fn account(&self, keys: Arc<Keyring>) -> Result<Arc<dyn Account>, String> {
        auth::check(&keys.keys())?;
        Ok(Arc::new(account::Owner { setup: self.setup.clone(), keys }))
    }
}

/// Only the main site has /sapi, and futures that take the same key: neither testnet, nor demo, nor the data-only hosts.
fn has_wallets(setup: &Setup) -> bool {
    let rest = &setup.hosts.rest;
    !setup.testnet && !rest.contains("binance.vision") && !rest.contains("demo-api")
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Update;
    use common::venue::Headers;

    struct Used(&'static str);

    impl Headers for Used {
        fn get(&self, name: &str) -> Option<&str> {
            (name == self.0).then_some("100")
        }
    }

    #[test]
    fn the_same_header_counts_for_the_limit_that_was_charged() {
        let setup = Setup { hosts: ABOUT.live.clone(), ws_given: false, ws_private_given: false, testnet: false };
        let told = |pool: &str, header: &'static str| {
            let mut told = Vec::new();
            let reply = Reply { status: 200, headers: &Used(header), body: "" };
            build(&setup).limits(pool, &reply, &mut |update| {
                if let Update::Fact(Fact::Limit(limit)) = update {
                    told.push((limit.name.into_owned(), limit.remaining));
                }
            });
            told
        };
        assert_eq!(told("rest", "x-mbx-used-weight-1m"), [("request_weight_1m".into(), Some(5900.0))]);
        assert_eq!(told("fapi", "x-mbx-used-weight-1m"), [("fapi_weight_1m".into(), Some(2300.0))]);
        assert_eq!(told("sapi", "x-sapi-used-ip-weight-1m"), [("sapi_ip_weight_1m".into(), Some(11_900.0))]);
    }
}
