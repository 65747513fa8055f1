//! Bybit V5, spot. Source: <https://bybit-exchange.github.io/docs/v5/intro>.

mod market;
mod questions;

use std::sync::Arc;
use std::time::Duration;

use common::{
    About, Allowance, Fact, Fault, Feed, Hosts, Instrument, Kind, Limit, Query, Reply, Request, Setup, Tell, Venue,
};
use serde::Deserialize;

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
    pools: &[],
    hubs: &["USDT", "USDC", "BTC", "ETH", "EUR", "MNT"],
    pars: &[],
};

/// Builds the venue.
pub fn build(setup: &Setup) -> Arc<dyn Venue> {
    Arc::new(Bybit { setup: setup.clone() })
}

struct Bybit {
    setup: Setup,
}

impl Venue for Bybit {
    fn judge<'f>(&self, reply: &Reply<'f>, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        let (limit, remaining) = (reply.number("x-bapi-limit"), reply.number("x-bapi-limit-status"));
        if limit.is_some() || remaining.is_some() {
            let window = Duration::from_secs(1);
            tell(Fact::Limit(Limit { name: "uid_endpoint".into(), limit, remaining, window }).into());
        }
        judge(reply)
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
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    ret_code: i64,
    #[serde(default)]
    ret_msg: String,
}

/// Refusals come with HTTP 200; a 403 is an address shut out for ten minutes, or a country that is not served.
fn judge(reply: &Reply<'_>) -> Result<(), Fault> {
    if reply.status == 403 && reply.body.contains("access too frequent") {
        return Err(Fault::new(Kind::RateLimit, "HTTP 403: access too frequent").after(Some(Duration::from_secs(600))));
    }
    let Ok(verdict) = serde_json::from_str::<Verdict>(reply.body) else { return common::status_fault(reply) };
    let kind = match verdict.ret_code {
        0 => return common::status_fault(reply),
        10_003 | 10_004 | 10_007 | 10_008 | 33_004 | -2015 => Kind::Auth,
        10_002 | -1 => Kind::ClockSkew,
        10_005 | 10_009 | 10_010 | 10_024 | 10_027 | 10_028 => Kind::Permission,
        10_006 | 10_018 | 429 => Kind::RateLimit,
        10_000 => Kind::Timeout,
        _ if reply.status == 503 => Kind::Maintenance,
        _ => Kind::Venue,
    };
    let wait = (kind == Kind::RateLimit).then_some(Duration::from_secs(2));
    // 10004 echoes the signed string, 10010 the address: only the code is told of those.
    let words = if matches!(verdict.ret_code, 10_004 | 10_010) { "" } else { verdict.ret_msg.as_str() };
    Err(Fault::new(kind, format!("{} {}", verdict.ret_code, common::excerpt(words))).after(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_whatever_the_status() {
        let judged = |status, body: &str| judge(&Reply { status, headers: &(), body }).err();
        let kind = |status, body: &str| judged(status, body).map(|fault| fault.kind);
        assert_eq!(kind(200, r#"{"retCode":0,"retMsg":"OK","result":{}}"#), None);
        assert_eq!(kind(200, r#"{"retCode":10006,"retMsg":"Too many visits!"}"#), Some(Kind::RateLimit));
        assert_eq!(judged(403, "access too frequent").unwrap().wait, Some(Duration::from_secs(600)));
        assert_eq!(
            kind(403, "<html>The Amazon CloudFront distribution is configured to block"),
            Some(Kind::Permission)
        );
        assert_eq!(kind(200, r#"{"retCode":10002,"retMsg":"invalid request"}"#), Some(Kind::ClockSkew));
        let signature =
            judged(200, r#"{"retCode":10004,"retMsg":"error sign! origin_string[1763600000000key5000]"}"#).unwrap();
        assert!(signature.kind == Kind::Auth && !signature.detail.contains("key"));
        assert_eq!(kind(503, ""), Some(Kind::Maintenance));
    }
}
