//! Bybit's signatures, and what its refusals mean.
//!
//! Source: <https://bybit-exchange.github.io/docs/v5/guide>.

use std::time::Duration;

use common::secrets::signing::{hmac_hex, is_pem};
use common::{Cause, Fault, Keys, Kind, Micros, Reply, Request, Step};
use serde::Deserialize;

/// How long the venue takes a request for, from its timestamp on.
const WINDOW: &str = "5000";
/// A timestamp a second ahead of the venue's clock is refused whatever the window; a little behind is always right.
const BEHIND: i64 = 200;
/// A login is over by then. One second, as the venue's own client has it, is too short in practice.
const LOGIN: i64 = 10_000;

/// What is wrong with the key's form, as far as that can be seen.
pub fn check(keys: &Keys) -> Result<(), String> {
    if is_pem(keys.secret()) {
        return Err("BYBIT_API_SECRET is a private key in PEM; keys that sign by RSA are not supported: \
                    make a system-generated (HMAC) key"
            .into());
    }
    for (name, part) in [("BYBIT_API_KEY", keys.key()), ("BYBIT_API_SECRET", keys.secret())] {
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("{name} is not a Bybit key: it has to be of letters and digits"));
        }
    }
    Ok(())
}

/// Signs a request: the timestamp, the key, the window, and the query or body exactly as sent.
pub fn sign(keys: &Keys, request: &mut Request, now: Micros) {
    let stamp = (now.as_millis() - BEHIND).to_string();
    let payload = if request.post { &request.body } else { &request.query };
    let sign = hmac_hex(keys.secret(), &format!("{stamp}{}{WINDOW}{payload}", keys.key()));
    for (name, value) in [
        ("X-BAPI-API-KEY", keys.key().to_owned()),
        ("X-BAPI-TIMESTAMP", stamp),
        ("X-BAPI-RECV-WINDOW", WINDOW.to_owned()),
        ("X-BAPI-SIGN", sign),
    ] {
        request.headers.push((name, value.into()));
    }
}

/// The first thing said on a private line.
pub fn login(keys: &Keys, now: Micros) -> Step {
    let expires = now.as_millis() + LOGIN;
    let sign = hmac_hex(keys.secret(), &format!("GET/realtime{expires}"));
    let said = serde_json::json!({ "req_id": "auth", "op": "auth", "args": [keys.key(), expires, sign] });
    Step { say: vec![said.to_string()], answers: 1 }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    ret_code: i64,
    #[serde(default)]
    ret_msg: String,
}

/// Refusals come with HTTP 200; a 403 is an address shut out for ten minutes, or a country that is not served.
pub fn judge(reply: &Reply<'_>) -> Result<(), Fault> {
    if reply.status == 403 && reply.body.contains("access too frequent") {
        return Err(Fault::new(Kind::RateLimit, "HTTP 403: access too frequent").after(Some(Duration::from_secs(600))));
    }
    match serde_json::from_str::<Verdict>(reply.body) {
        Ok(Verdict { ret_code: 0, .. }) => common::status_fault(reply),
        Ok(verdict) => Err(refusal(verdict.ret_code, &verdict.ret_msg)),
        Err(_) => common::status_fault(reply).map_err(|fault| match fault.kind {
            // Headers that are missing, or a wrong key: the body may be empty.
            Kind::Auth => fault.because(Cause::Unsaid),
            _ => fault,
        }),
    }
}

/// The codes of the guide's error page, sorted by what is to be done.
pub fn refusal(code: i64, message: &str) -> Fault {
    let (kind, cause) = match code {
        10_003 => (Kind::Auth, Some(Cause::Key)),
        10_004 => (Kind::Auth, Some(Cause::Secret)),
        33_004 | -2015 => (Kind::Auth, Some(Cause::Expired)),
        10_007 => (Kind::Auth, Some(Cause::Unsaid)),
        10_002 | -1 => (Kind::ClockSkew, Some(Cause::Clock)),
        10_005 => (Kind::Permission, Some(Cause::Scope)),
        10_010 => (Kind::Permission, Some(Cause::Address)),
        10_008 | 10_009 | 10_024 | 10_027 | 10_028 => (Kind::Permission, Some(Cause::Account)),
        10_006 | 10_018 | 429 => (Kind::RateLimit, None),
        10_000 => (Kind::Timeout, None),
        503 => (Kind::Maintenance, None),
        // A parameter or a path that this site, or this kind of account, does not know: it will not, the next time.
        10_001 | 10_017 | 404 => (Kind::Venue, Some(Cause::Unserved)),
        _ => (Kind::Venue, None),
    };
    // The window of an endpoint is one second; that it is over is told in headers which may be missing.
    let wait = (kind == Kind::RateLimit).then_some(Duration::from_secs(2));
    let words = match code {
        10_003 => "API key is invalid; so are keys of another environment (testnet, demo) or regional site".into(),
        // Repeats the signed text, in which the key stands.
        10_004 => "the signature does not fit".into(),
        // Repeats the address.
        10_010 => "unmatched IP".into(),
        _ => common::excerpt(message),
    };
    let fault = Fault::new(kind, format!("{code} {words}")).after(wait);
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

    #[test]
    fn a_refused_key_is_told_what_to_do() {
        let cause = |code: i64| refusal(code, "").cause;
        assert_eq!(cause(10_003), Some(Cause::Key));
        assert_eq!(cause(10_004), Some(Cause::Secret));
        assert_eq!(cause(10_005), Some(Cause::Scope));
        assert_eq!(cause(10_010), Some(Cause::Address));
        assert_eq!(cause(33_004), Some(Cause::Expired));
        assert_eq!(cause(10_002), Some(Cause::Clock));
        assert_eq!(judged(401, "").and_then(|fault| fault.cause), Some(Cause::Unsaid));
        assert_eq!(judged(404, "").and_then(|fault| fault.cause), Some(Cause::Unserved));
        assert_eq!((cause(10_016), cause(10_000)), (None, None), "for now, not for good");
    }

    #[test]
    fn published_vectors_through_request_and_login() {
        let ring = Keyring::fixed(["test_api_key", "test_secret"]);
        let now = Micros::from_millis(1_700_000_000_000 + BEHIND);
        for (query, signature) in [
            ("category=linear&symbol=BTCUSDT", "fd4f31228a46109dc6673062328693696df9a96c7ff04e6491a45e7f63a0fdd7"),
            ("accountType=UNIFIED", "79f4e0d1d51812c554fdb1c0dfdb83dc9c9e0be0c62bf52e83a7340456548595"),
            ("", "cfffd774219bfa1d400476f699f830daaedcd3c41faa1dbdda95a8f4dd8170cc"),
        ] {
            let mut request = Request::get("/v5/any").query(query);
            sign(&ring.keys(), &mut request, now);
            let header = |name: &str| request.headers.iter().find(|(key, _)| *key == name).map(|(_, v)| v.as_str());
            assert_eq!(header("X-BAPI-SIGN"), Some(signature), "{query}");
            assert_eq!(header("X-BAPI-TIMESTAMP"), Some("1700000000000"));
        }
        let said = &login(&ring.keys(), Micros::from_millis(1_700_000_000_000 - LOGIN)).say[0];
        assert!(said.contains("1700000000000,\"bacffe7500499eb829bb58c45d36d1b3e5ac67c14eaeba91df5e99ccee013925\""));
    }

    #[test]
    fn the_form_of_a_key() {
        let checked = |key, secret| check(&Keyring::fixed([key, secret]).keys());
        assert_eq!(checked("test_api_key", "test_secret"), Ok(()));
        assert!(checked("a key", "secret").unwrap_err().starts_with("BYBIT_API_KEY"));
        assert!(checked("key", "-----BEGIN PRIVATE KEY-----").unwrap_err().contains("RSA"));
    }
}
