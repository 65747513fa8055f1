//! Binance, spot. Source: <https://github.com/binance/binance-spot-api-docs>.

mod market;
mod questions;

use std::sync::Arc;
use std::time::Duration;

use common::{
    About, Allowance, Fact, Fault, Feed, Hosts, Instrument, Kind, Limit, Query, Reply, Request, Setup, Tell, Venue,
};
use serde::Deserialize;

/// Weight a minute and address, by `exchangeInfo`.
const WEIGHT: u32 = 6000;
const MINUTE: Duration = Duration::from_secs(60);

/// Fixed facts.
pub static ABOUT: About = About {
    name: "binance",
    title: "Binance",
    port: 8000,
    live: Hosts::new("https://api.binance.com", "", "wss://stream.binance.com:9443", "wss://ws-api.binance.com:443"),
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
    pools: &[],
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
    fn judge<'f>(&self, reply: &Reply<'f>, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        if let Some(used) = reply.number("x-mbx-used-weight-1m") {
            let remaining = Some((f64::from(WEIGHT) - used).max(0.0));
            let limit = Some(f64::from(WEIGHT));
            tell(Fact::Limit(Limit { name: "request_weight_1m".into(), limit, remaining, window: MINUTE }).into());
        }
        judge(reply)
    }

    fn instruments(&self) -> Query {
        let request = Request::get("/api/v3/exchangeInfo").query("showPermissionSets=false").weight(20);
        Query::new("exchange_info", request, questions::instruments)
    }

    fn tickers(&self) -> Query {
        Query::new("ticker_24h", Request::get("/api/v3/ticker/24hr").query("type=MINI").weight(80), questions::tickers)
    }

    fn clock(&self) -> Query {
        Query::new("time", Request::get("/api/v3/time"), questions::clock)
    }

    fn status(&self) -> Option<Query> {
        // Only the main site has /sapi: neither testnet, nor demo, nor the data-only hosts.
        let rest = &self.setup.hosts.rest;
        let has_sapi = !self.setup.testnet && !rest.contains("binance.vision") && !rest.contains("demo-api");
        has_sapi.then(|| Query::new("system_status", Request::get("/sapi/v1/system/status"), questions::status))
    }

    fn feed(&self, instruments: Vec<Arc<Instrument>>) -> Box<dyn Feed> {
        Box::new(market::Tickers::new(&self.setup.hosts.ws, instruments))
    }
}

#[derive(Deserialize)]
struct Verdict {
    code: i64,
    #[serde(default)]
    msg: String,
}

fn judge(reply: &Reply<'_>) -> Result<(), Fault> {
    let fault = match common::status_fault(reply) {
        Ok(()) => return Ok(()),
        Err(fault) => fault,
    };
    match serde_json::from_str::<Verdict>(reply.body) {
        // A ban's text names our address; only the code is told.
        Ok(_) if fault.kind == Kind::RateLimit => Err(Fault { detail: format!("HTTP {}", reply.status), ..fault }),
        Ok(Verdict { code: 0, .. }) | Err(_) => Err(fault),
        Ok(verdict) => Err(refusal(verdict.code, &verdict.msg).after(fault.wait)),
    }
}

/// The codes of errors.md, sorted by what is to be done.
fn refusal(code: i64, message: &str) -> Fault {
    let kind = match code {
        -2014 | -2015 | -1002 | -1022 => Kind::Auth,
        -1021 => Kind::ClockSkew,
        -1003 | -1015 | -1034 => Kind::RateLimit,
        -1007 => Kind::Timeout,
        _ => Kind::Venue,
    };
    Fault::new(kind, format!("{code} {}", common::excerpt(message)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, body: &str) -> Option<Kind> {
        judge(&Reply { status, headers: &(), body }).err().map(|fault| fault.kind)
    }

    #[test]
    fn refusals_are_sorted_by_what_is_to_be_done() {
        assert_eq!(kind(200, "{}"), None);
        assert_eq!(
            kind(418, r#"{"code":-1003,"msg":"Way too much request weight used; IP banned until 1659146400000."}"#),
            Some(Kind::RateLimit)
        );
        assert_eq!(
            kind(400, r#"{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}"#),
            Some(Kind::ClockSkew)
        );
        assert_eq!(
            kind(401, r#"{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}"#),
            Some(Kind::Auth)
        );
        assert_eq!(
            kind(451, r#"{"code":0,"msg":"Service unavailable from a restricted location"}"#),
            Some(Kind::Permission)
        );
        assert_eq!(kind(400, r#"{"code":-1121,"msg":"Invalid symbol."}"#), Some(Kind::Venue));
        assert_eq!(kind(503, "<html>"), Some(Kind::Maintenance));
    }
}
