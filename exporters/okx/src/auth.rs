//! OKX's signatures, and what its refusals mean.
//!
//! Source: <https://www.okx.com/docs-v5/en/#overview-rest-authentication>.

use std::time::Duration;

use common::secrets::signing::hmac_base64;
use common::{Cause, Fault, Keys, Kind, Micros, Reply, Request, Step};
use serde::Deserialize;

/// Signs a request: the timestamp, the method, path and query as sent, and the body.
pub fn sign(keys: &Keys, request: &mut Request, now: Micros) {
    let stamp = now.rfc3339();
    let text = format!("{stamp}{}{}{}", request.method(), request.target(), request.body);
    for (name, value) in [
        ("OK-ACCESS-KEY", keys.key().to_owned()),
        ("OK-ACCESS-SIGN", hmac_base64(keys.secret(), &text)),
        ("OK-ACCESS-TIMESTAMP", stamp),
        ("OK-ACCESS-PASSPHRASE", keys.passphrase().to_owned()),
        ("Content-Type", "application/json".to_owned()),
    ] {
        request.headers.push((name, value.into()));
    }
}

/// The first thing said on a private line; the stamp is in seconds here.
pub fn login(keys: &Keys, now: Micros) -> Step {
    let stamp = (now.as_millis() / 1000).to_string();
    let sign = hmac_base64(keys.secret(), &format!("{stamp}GET/users/self/verify"));
    let argument =
        serde_json::json!({ "apiKey": keys.key(), "passphrase": keys.passphrase(), "timestamp": stamp, "sign": sign });
    Step { say: vec![serde_json::json!({ "op": "login", "args": [argument] }).to_string()], answers: 1 }
}

#[derive(Deserialize)]
struct Verdict {
    #[serde(deserialize_with = "common::number::whole")]
    code: i64,
    #[serde(default)]
    msg: String,
}

/// Refusals come with any status; where the body has a code, the code decides.
pub fn judge(reply: &Reply<'_>) -> Result<(), Fault> {
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
pub fn refusal(code: i64, message: &str) -> Fault {
    let (kind, cause) = match code {
        50_101 => (Kind::Auth, Some(Cause::Environment)),
        50_103..=50_104 | 50_106..=50_107 => (Kind::Auth, Some(Cause::Unsaid)),
        50_105 | 60_024 => (Kind::Auth, Some(Cause::Passphrase)),
        // What a key of another region gets, too.
        50_111 | 50_119 | 60_005 | 60_032 => (Kind::Auth, Some(Cause::Key)),
        50_113 | 60_007 => (Kind::Auth, Some(Cause::Secret)),
        60_009 => (Kind::Auth, Some(Cause::Unsaid)),
        50_102 | 50_112 | 60_004 | 60_006 => (Kind::ClockSkew, Some(Cause::Clock)),
        50_035 | 50_110 | 50_121 => (Kind::Permission, Some(Cause::Address)),
        50_030 | 50_114 | 50_120 => (Kind::Permission, Some(Cause::Scope)),
        50_007 | 50_009 | 50_051 | 50_052 | 50_100 => (Kind::Permission, Some(Cause::Account)),
        50_011 | 50_040 | 50_061 | 60_014 | 60_023 => (Kind::RateLimit, None),
        50_001 => (Kind::Maintenance, None),
        50_038 | 51_000 | 51_001 => (Kind::Venue, Some(Cause::Unserved)),
        _ => (Kind::Venue, None),
    };
    // One window of any endpoint used here is 2 s.
    let wait = (kind == Kind::RateLimit).then_some(Duration::from_secs(2));
    let fault = Fault::new(kind, format!("{code} {}", common::excerpt(message))).after(wait);
    Fault { cause, ..fault }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Keyring;

    fn judged(status: u16, body: &str) -> Option<Fault> {
        judge(&Reply { status, headers: &(), body }).err()
    }

    #[test]
    fn the_code_decides_whatever_the_status() {
        let kind = |status, body| judged(status, body).map(|fault| fault.kind);
        assert_eq!(kind(200, r#"{"code":"0","msg":"","data":[]}"#), None);
        assert_eq!(kind(200, r#"{"code":"50011","msg":"Rate limit reached"}"#), Some(Kind::RateLimit));
        assert_eq!(kind(429, r#"{"msg":"Too Many Requests","code":50011}"#), Some(Kind::RateLimit));
        assert_eq!(kind(429, r#"{"msg":"Systems are busy","code":"50013"}"#), Some(Kind::Venue));
        assert_eq!(kind(401, r#"{"msg":"Invalid Sign","code":"50113"}"#), Some(Kind::Auth));
        assert_eq!(kind(503, r#"{"code":"50001","msg":"Service temporarily unavailable."}"#), Some(Kind::Maintenance));
        assert_eq!(kind(403, "<html>blocked</html>"), Some(Kind::Permission));
        assert_eq!(kind(502, ""), Some(Kind::Venue));
    }

    #[test]
    fn a_refused_key_is_told_what_to_do() {
        let cause = |body| judged(401, body).and_then(|fault| fault.cause);
        assert_eq!(
            cause(r#"{"msg":"Request header OK-ACCESS-PASSPHRASE incorrect.","code":"50105"}"#),
            Some(Cause::Passphrase)
        );
        assert_eq!(cause(r#"{"msg":"API key doesn't exist","code":"50119"}"#), Some(Cause::Key));
        assert_eq!(cause(r#"{"msg":"Invalid IP","code":"50110"}"#), Some(Cause::Address));
        assert_eq!(cause(r#"{"msg":"Timestamp request expired","code":"50102"}"#), Some(Cause::Clock));
        let told = judged(401, r#"{"msg":"Invalid Sign","code":"50113"}"#).map(|fault| fault.to_string());
        assert!(told.is_some_and(|told| told.contains("check the API secret")));
    }

    #[test]
    fn the_guide_s_vectors_through_request_and_login() {
        let ring = Keyring::fixed(["a-key", "22582BD0CFF14C41EDBF1AB98506286D", "a phrase"]);
        let mut request = Request::get("/api/v5/account/balance").query("ccy=BTC");
        sign(&ring.keys(), &mut request, Micros(1_607_418_537_715_000));
        let header = |name: &str| {
            request.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        assert_eq!(header("OK-ACCESS-TIMESTAMP"), "2020-12-08T09:08:57.715Z");
        assert_eq!(header("OK-ACCESS-SIGN"), "HiZhvSfMtWJA3uUIVXV3a/bSXNPCWvYFXoGCVS8V4zY=");
        assert_eq!(header("OK-ACCESS-PASSPHRASE"), "a phrase");
        let said = &login(&ring.keys(), Micros(1_704_876_947_999_999)).say[0];
        assert!(said.contains(r#""sign":"5/36BgGV6m/6pmdc20zdqk0mzF5ZalmzzPD2fo3wavU=""#), "{said}");
        assert!(said.contains(r#""timestamp":"1704876947""#), "{said}");
    }
}
