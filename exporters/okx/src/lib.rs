//! OKX v5, spot. Source: <https://www.okx.com/docs-v5/en/>.

mod market;
mod questions;

use std::sync::Arc;
use std::time::Duration;

use common::{About, Allowance, Fault, Feed, Hosts, Instrument, Kind, Query, Reply, Request, Setup, Tell, Venue};
use serde::Deserialize;

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

impl Okx {
    fn get(&self, path: &str) -> Request {
        let request = Request::get(path);
        if self.setup.testnet { request.header("x-simulated-trading", "1") } else { request }
    }
}

impl Venue for Okx {
    fn judge<'f>(&self, reply: &Reply<'f>, _tell: Tell<'_, 'f>) -> Result<(), Fault> {
        judge(reply)
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
}

#[derive(Deserialize)]
struct Verdict {
    #[serde(deserialize_with = "common::number::whole")]
    code: i64,
    #[serde(default)]
    msg: String,
}

/// Refusals come with any status; where the body has a code, the code decides.
fn judge(reply: &Reply<'_>) -> Result<(), Fault> {
    match serde_json::from_str::<Verdict>(reply.body) {
        Ok(Verdict { code: 0, .. }) => common::status_fault(reply),
        Ok(verdict) => {
            let fault = refusal(verdict.code, &verdict.msg);
            let wait = reply.retry_after().or(fault.wait);
            Err(fault.after(wait))
        }
        Err(_) => common::status_fault(reply),
    }
}

/// The codes of the guide's error page, sorted by what is to be done.
fn refusal(code: i64, message: &str) -> Fault {
    let kind = match code {
        50_101 | 50_103..=50_107 | 50_111 | 50_113 | 50_119 | 60_005 | 60_007 | 60_009 | 60_024 | 60_032 => Kind::Auth,
        50_102 | 50_112 | 60_004 | 60_006 => Kind::ClockSkew,
        50_030 | 50_035 | 50_100 | 50_110 | 50_114 | 50_120 | 50_121 => Kind::Permission,
        50_011 | 50_040 | 50_061 | 60_014 | 60_023 => Kind::RateLimit,
        50_001 => Kind::Maintenance,
        _ => Kind::Venue,
    };
    // One window of any endpoint used here is 2 s.
    let wait = (kind == Kind::RateLimit).then_some(Duration::from_secs(2));
    Fault::new(kind, format!("{code} {}", common::excerpt(message))).after(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, body: &str) -> Option<Kind> {
        judge(&Reply { status, headers: &(), body }).err().map(|fault| fault.kind)
    }

    #[test]
    fn the_code_decides_whatever_the_status() {
        assert_eq!(kind(200, r#"{"code":"0","msg":"","data":[]}"#), None);
        assert_eq!(kind(200, r#"{"code":"50011","msg":"Rate limit reached"}"#), Some(Kind::RateLimit));
        assert_eq!(kind(429, r#"{"msg":"Too Many Requests","code":50011}"#), Some(Kind::RateLimit));
        assert_eq!(kind(429, r#"{"msg":"Systems are busy","code":"50013"}"#), Some(Kind::Venue));
        assert_eq!(kind(401, r#"{"msg":"Invalid Sign","code":"50113"}"#), Some(Kind::Auth));
        assert_eq!(kind(503, r#"{"code":"50001","msg":"Service temporarily unavailable."}"#), Some(Kind::Maintenance));
        assert_eq!(kind(403, "<html>blocked</html>"), Some(Kind::Permission));
        assert_eq!(kind(502, ""), Some(Kind::Venue));
    }
}
