//! KuCoin, classic spot. Source: <https://www.kucoin.com/docs-new/introduction>.

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
    name: "kucoin",
    title: "KuCoin",
    port: 8001,
    live: Hosts::new("https://api.kucoin.com", "", "wss://ws-api-spot.kucoin.com", "wss://ws-api-spot.kucoin.com"),
    // The sandbox was closed in 2023; nothing took its place.
    test: None,
    credentials: &["API_KEY", "API_SECRET", "API_PASSPHRASE"],
    // 300 topics a connection by the older and stricter text, two a symbol.
    symbols_per_line: 140,
    // 30 a minute.
    dials: Allowance { units: 20, per: Duration::from_secs(60) },
    // The public pool.
    requests: Allowance { units: 2000, per: Duration::from_secs(30) },
    pools: &[],
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
    fn judge<'f>(&self, reply: &Reply<'f>, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        let reset = reply.number("gw-ratelimit-reset").map(|millis| Duration::from_millis(millis.max(0.0) as u64));
        let (limit, remaining) = (reply.number("gw-ratelimit-limit"), reply.number("gw-ratelimit-remaining"));
        if limit.is_some() || remaining.is_some() {
            let window = reset.unwrap_or(ABOUT.requests.per);
            tell(Fact::Limit(Limit { name: "public".into(), limit, remaining, window }).into());
        }
        judge(reply, reset)
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
}

fn all_tickers() -> Query {
    Query::new("all_tickers", Request::get("/api/v1/market/allTickers").weight(15), questions::tickers)
}

#[derive(Deserialize)]
struct Verdict {
    #[serde(deserialize_with = "common::number::whole")]
    code: i64,
    #[serde(default)]
    msg: String,
}

/// Many refusals come with HTTP 200: the body's code decides.
fn judge(reply: &Reply<'_>, reset: Option<Duration>) -> Result<(), Fault> {
    let Ok(verdict) = serde_json::from_str::<Verdict>(reply.body) else { return common::status_fault(reply) };
    let kind = match verdict.code {
        200_000 => return Ok(()),
        400_001 | 400_003..=400_005 | 400_008 | 400_009 | 411_100 => Kind::Auth,
        400_002 => Kind::ClockSkew,
        400_006 | 400_007 | 400_010 | 400_301..=400_304 => Kind::Permission,
        200_002 | 429_000..=429_002 | 110_188 => Kind::RateLimit,
        503_000 => Kind::Maintenance,
        504_000 => Kind::Timeout,
        _ if reply.status == 503 => Kind::Maintenance,
        _ => Kind::Venue,
    };
    let wait = if kind == Kind::RateLimit { reset.or(reply.retry_after()) } else { None };
    Err(Fault::new(kind, format!("{} {}", verdict.code, common::excerpt(&verdict.msg))).after(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_whatever_the_status() {
        let kind =
            |status, body: &str| judge(&Reply { status, headers: &(), body }, None).err().map(|fault| fault.kind);
        assert_eq!(kind(200, r#"{"code":"200000","data":1}"#), None);
        assert_eq!(kind(200, r#"{"code":"200003","msg":"Invalid symbol."}"#), Some(Kind::Venue));
        assert_eq!(kind(404, r#"{"code":"404","msg":"Not Found","retry":false,"success":false}"#), Some(Kind::Venue));
        assert_eq!(kind(429, r#"{"code":"429000","msg":"Too many requests"}"#), Some(Kind::RateLimit));
        assert_eq!(kind(400, r#"{"code":"400002","msg":"Invalid KC-API-TIMESTAMP"}"#), Some(Kind::ClockSkew));
        assert_eq!(kind(503, "<html>"), Some(Kind::Maintenance));
        assert_eq!(kind(403, "<html>"), Some(Kind::Permission));
    }

    #[test]
    fn a_limit_lasts_as_long_as_its_header_says() {
        let reply = Reply { status: 429, headers: &(), body: r#"{"code":"429000","msg":""}"# };
        let fault = judge(&reply, Some(Duration::from_millis(1700))).unwrap_err();
        assert_eq!(fault.wait, Some(Duration::from_millis(1700)));
    }
}
