//! KuCoin's signatures, and what its refusals mean.
//!
//! Source: <https://www.kucoin.com/docs-new/authentication>.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use common::fault::LONGEST_WAIT;
use common::secrets::signing::{hmac_base64, is_pem};
use common::{Cause, Fault, Keys, Kind, Micros, Reply, Request};
use serde::Deserialize;

/// The venue found that the key is of another version than was said.
const VERSION: &str = "400009 ";

/// What is wrong with the key's form, as far as that can be seen.
pub fn check(keys: &Keys) -> Result<(), String> {
    if is_pem(keys.secret()) {
        return Err("KUCOIN_API_SECRET is a private key in PEM; KuCoin's secrets look like \
                    3f1d2c7e-9a55-4c0b-8a10-0123456789ab"
            .into());
    }
    for (name, part) in [("KUCOIN_API_KEY", keys.key()), ("KUCOIN_API_SECRET", keys.secret())] {
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("{name} is not a KuCoin key: it has to be of letters, digits and dashes"));
        }
    }
    if keys.passphrase().is_empty() {
        return Err("KUCOIN_API_PASSPHRASE is empty: it is the one chosen when the key was made".into());
    }
    Ok(())
}

/// Signs in one of the two ways that are left; keys say nowhere of which kind they are.
#[derive(Debug)]
pub struct Signer {
    version: AtomicU8,
}

impl Default for Signer {
    /// Keys made since 2025 are of version 3.
    fn default() -> Self {
        Self { version: AtomicU8::new(3) }
    }
}

impl Signer {
    /// Signs a request: the timestamp, the method, path and query as sent, and the body. Versions differ in name alone.
    pub fn sign(&self, keys: &Keys, request: &mut Request, now: Micros) {
        let stamp = now.as_millis().to_string();
        let text = format!("{stamp}{}{}{}", request.method(), request.target(), request.body);
        for (name, value) in [
            ("KC-API-KEY", keys.key().to_owned()),
            ("KC-API-SIGN", hmac_base64(keys.secret(), &text)),
            ("KC-API-TIMESTAMP", stamp),
            ("KC-API-PASSPHRASE", hmac_base64(keys.secret(), keys.passphrase())),
            ("KC-API-KEY-VERSION", self.version.load(Ordering::Relaxed).to_string()),
            ("Content-Type", "application/json".to_owned()),
        ] {
            request.headers.push((name, value.into()));
        }
    }

    /// Whether another signature may help: a better time, or the other version.
    pub fn again(&self, fault: &Fault) -> bool {
        if fault.detail.starts_with(VERSION) {
            // 3 becomes 2, and 2 becomes 3.
            self.version.fetch_xor(1, Ordering::Relaxed);
            return true;
        }
        fault.kind == Kind::ClockSkew
    }
}

/// What is said on a line of the unified account before all else.
pub fn login(keys: &Keys, now: Micros) -> String {
    let stamp = now.as_millis().to_string();
    let sign = hmac_base64(keys.secret(), &format!("{stamp}POST/api/websocket/users/verify"));
    let phrase = hmac_base64(keys.secret(), keys.passphrase());
    let said = serde_json::json!({
        "id": "auth", "op": "auth", "kc-api-key": keys.key(), "kc-api-sign": sign, "kc-api-timestamp": stamp,
        "kc-api-passphrase": phrase,
    });
    said.to_string()
}

#[derive(Deserialize)]
struct Verdict {
    #[serde(deserialize_with = "common::number::whole")]
    code: i64,
    #[serde(default)]
    msg: String,
}

/// How long it is until the limit's window is over.
pub fn reset(reply: &Reply<'_>) -> Option<Duration> {
    let millis = reply.number("gw-ratelimit-reset")?;
    Some(Duration::from_millis(millis.max(0.0) as u64).min(LONGEST_WAIT))
}

/// Many refusals come with HTTP 200: the body's code decides.
pub fn judge(reply: &Reply<'_>) -> Result<(), Fault> {
    let Ok(verdict) = serde_json::from_str::<Verdict>(reply.body) else {
        return common::status_fault(reply).map_err(|fault| match fault.kind {
            Kind::Auth => fault.because(Cause::Unsaid),
            _ => fault,
        });
    };
    if verdict.code == 200_000 {
        return Ok(());
    }
    let fault = refusal(verdict.code, &verdict.msg);
    let wait = if fault.kind == Kind::RateLimit { reset(reply).or(reply.retry_after()) } else { None };
    let fault = fault.after(wait);
    // Codes that nobody knows; the status does.
    Err(match (fault.kind, reply.status) {
        (Kind::Venue, 503) => Fault { kind: Kind::Maintenance, ..fault },
        (Kind::Venue, 404) => fault.because(Cause::Unserved),
        _ => fault,
    })
}

/// The codes of the guide's error page, sorted by what is to be done.
pub fn refusal(code: i64, message: &str) -> Fault {
    let (kind, cause) = match code {
        400_003 => (Kind::Auth, Some(Cause::Key)),
        // It is signed with the secret.
        400_004 => (Kind::Auth, Some(Cause::SecretOrPassphrase)),
        400_005 => (Kind::Auth, Some(Cause::Secret)),
        // Made long ago: newer APIs refuse such keys, others go on to serve them.
        400_008 => (Kind::Permission, Some(Cause::Expired)),
        400_009 => (Kind::Auth, Some(Cause::Key)),
        400_001 | 400_400 | 400_401 => (Kind::Auth, Some(Cause::Unsaid)),
        400_002 => (Kind::ClockSkew, Some(Cause::Clock)),
        400_006 => (Kind::Permission, Some(Cause::Address)),
        400_007 => (Kind::Permission, Some(Cause::Scope)),
        400_010 | 400_301..=400_304 | 411_100 => (Kind::Permission, Some(Cause::Account)),
        200_002 | 429_000..=429_002 | 110_188 => (Kind::RateLimit, None),
        503_000 => (Kind::Maintenance, None),
        504_000 => (Kind::Timeout, None),
        // A path, a parameter or a symbol that this site, or this kind of account, does not know.
        404 | 404_000 | 400_100 | 900_001 | 100_001 | 100_003 => (Kind::Venue, Some(Cause::Unserved)),
        _ => (Kind::Venue, None),
    };
    let words = match code {
        400_009 => "the key is neither of version 3 nor of version 2".into(),
        _ => common::excerpt(message),
    };
    let fault = Fault::new(kind, format!("{code} {words}"));
    Fault { cause, ..fault }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Keyring;
    use common::venue::Headers;

    const KEYS: [&str; 3] = ["6560c0ffee0000000000abcd", "3f1d2c7e-9a55-4c0b-8a10-0123456789ab", "Passw0rd-example"];
    const NOW: Micros = Micros::from_millis(1_767_225_600_000);

    fn judged(status: u16, body: &str) -> Option<Fault> {
        judge(&Reply { status, headers: &(), body }).err()
    }

    #[test]
    fn the_code_decides_whatever_the_status() {
        let kind = |status, body: &str| judged(status, body).map(|fault| fault.kind);
        assert_eq!(kind(200, r#"{"code":"200000","data":1}"#), None);
        assert_eq!(kind(200, r#"{"code":"200003","msg":"Invalid symbol."}"#), Some(Kind::Venue));
        assert_eq!(kind(404, r#"{"code":"404","msg":"Not Found","retry":false,"success":false}"#), Some(Kind::Venue));
        assert_eq!(kind(429, r#"{"code":"429000","msg":"Too many requests"}"#), Some(Kind::RateLimit));
        assert_eq!(kind(400, r#"{"code":"400002","msg":"Invalid KC-API-TIMESTAMP"}"#), Some(Kind::ClockSkew));
        assert_eq!(kind(503, "<html>"), Some(Kind::Maintenance));
        assert_eq!(kind(503, r#"{"code":"500000","msg":"x"}"#), Some(Kind::Maintenance));
        assert_eq!(kind(403, "<html>"), Some(Kind::Permission));
    }

    #[test]
    fn a_limit_lasts_as_long_as_its_header_says() {
        struct Reset;
        impl Headers for Reset {
            fn get(&self, name: &str) -> Option<&str> {
                (name == "gw-ratelimit-reset").then_some("1700")
            }
        }
        let reply = Reply { status: 429, headers: &Reset, body: r#"{"code":"429000","msg":""}"# };
        assert_eq!(judge(&reply).unwrap_err().wait, Some(Duration::from_millis(1700)));
    }

    #[test]
    fn a_refused_key_is_told_what_to_do() {
        let cause = |code: i64| refusal(code, "").cause;
        assert_eq!(cause(400_003), Some(Cause::Key));
        assert_eq!(cause(400_004), Some(Cause::SecretOrPassphrase));
        assert_eq!(cause(400_005), Some(Cause::Secret));
        assert_eq!(cause(400_006), Some(Cause::Address));
        assert_eq!(cause(400_007), Some(Cause::Scope));
        assert_eq!(cause(411_100), Some(Cause::Account));
        assert_eq!(judged(401, "").and_then(|fault| fault.cause), Some(Cause::Unsaid));
        assert_eq!(judged(404, "").and_then(|fault| fault.cause), Some(Cause::Unserved));
        assert_eq!((cause(500_000), cause(503_000)), (None, None), "for now, not for good");
    }

    #[test]
    fn published_vectors() {
        let ring = Keyring::fixed(KEYS);
        for (mut request, signature) in [
            (
                Request::get("/api/v1/accounts").query("currency=USDT&type=trade"),
                "s0WjfExrgzo47gJ8bOYeSzyViWqbD2RpCfo9GEQGSLM=",
            ),
            (Request::post("/api/v1/bullet-private"), "I4fkBXk6O37ayWmU2viiVhKlvpZEzrYYkfrGS82q+Kg="),
            (
                Request::get("/api/v1/account-overview").query("currency=USDT").futures(),
                "4Fr43uNapL27+3uLo+W+oeNVgn+4zmEPT7xe91mITVI=",
            ),
            (Request::get("/api/v1/user/api-key"), "5Lar/N65U/xKcq5G0UHZuZBwUZNz84WmAD2WuRTug/k="),
        ] {
            Signer::default().sign(&ring.keys(), &mut request, NOW);
            let header = |name: &str| request.headers.iter().find(|(key, _)| *key == name).map(|(_, v)| v.as_str());
            assert_eq!(header("KC-API-SIGN"), Some(signature), "{request:?}");
            assert_eq!(header("KC-API-PASSPHRASE"), Some("jTcnrny+hYOBxIPOlIYJmaAHVW+1QM/OdYlDMEVmZV4="));
        }
        assert!(login(&ring.keys(), NOW).contains("Ek4IwYUwX8qWyXgoMhl9oBlaO4c5uUEkztr1wjp9ps4="));
    }

    #[test]
    fn an_older_key_is_found_out() {
        let (ring, signer) = (Keyring::fixed(KEYS), Signer::default());
        let version = || {
            let mut request = Request::get("/api/v1/accounts");
            signer.sign(&ring.keys(), &mut request, NOW);
            request.headers.iter().find(|(name, _)| *name == "KC-API-KEY-VERSION").map(|(_, value)| value.to_string())
        };
        assert_eq!(version().as_deref(), Some("3"));
        assert!(!signer.again(&refusal(400_003, "")) && signer.again(&refusal(400_002, "")));
        assert!(signer.again(&judged(400, r#"{"code":"400009","msg":"Invalid KC-API-KEY-VERSION"}"#).unwrap()));
        assert_eq!(version().as_deref(), Some("2"));
        assert!(signer.again(&refusal(400_009, "")), "it is a new key");
        assert_eq!(version().as_deref(), Some("3"));
    }

    #[test]
    fn the_form_of_a_key() {
        let checked = |keys: [&str; 3]| check(&Keyring::fixed(keys).keys());
        assert_eq!(checked(KEYS), Ok(()));
        assert!(checked(["a key", "secret", "phrase"]).unwrap_err().starts_with("KUCOIN_API_KEY"));
        assert!(checked(["key", "secret", ""]).unwrap_err().starts_with("KUCOIN_API_PASSPHRASE"));
    }
}
