//! Binance's signatures, the form of its keys, and what its refusals mean.
//!
//! Source: <https://developers.binance.com/docs/binance-spot-api-docs/rest-api/request-security>.

use std::time::Duration;

use common::secrets::signing::{PrivateKey, hmac_hex, is_pem};
use common::{Cause, Fault, Keys, Kind, Micros, Reply, Request};
use serde::Deserialize;

/// How much later than signed a request may arrive, in milliseconds: the venue's own default.
const WINDOW: u32 = 5000;

/// Looks at the key's form; the line says what is wrong with it.
pub fn check(keys: &Keys) -> Result<(), String> {
    if keys.key().is_empty() || !keys.key().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("BINANCE_API_KEY: not a key of Binance, which is one word of letters and digits".into());
    }
    if !is_pem(keys.secret()) {
        let word = keys.secret().bytes().all(|byte| byte.is_ascii_graphic());
        return word.then_some(()).ok_or_else(|| {
            "BINANCE_API_SECRET: neither an HMAC secret, which is one word, nor a private key in PEM".into()
        });
    }
    match PrivateKey::read(keys.secret()) {
        Ok(PrivateKey::Ed25519(_)) => Ok(()),
        Ok(PrivateKey::P256(_)) => Err("BINANCE_API_SECRET: a P-256 private key; Binance wants an Ed25519 one".into()),
        Err(why) => Err(format!("BINANCE_API_SECRET: {why}; of Binance's kinds of keys Ed25519 and HMAC work here")),
    }
}

fn signature(keys: &Keys, text: &str) -> Result<String, Fault> {
    if !is_pem(keys.secret()) {
        return Ok(hmac_hex(keys.secret(), text));
    }
    match PrivateKey::read(keys.secret()) {
        Ok(key) => Ok(key.base64(text)),
        Err(why) => Err(Fault::new(Kind::Auth, format!("the API secret is {why}")).because(Cause::Secret)),
    }
}

/// Signs what is sent, exactly as it is sent; the signature comes last.
pub fn sign(keys: &Keys, request: &mut Request, now: Micros) -> Result<(), Fault> {
    request.append(&format!("recvWindow={WINDOW}&timestamp={}", now.as_millis()));
    let signature = signature(keys, &format!("{}{}", request.query, request.body))?;
    request.append(&format!("signature={}", escaped(&signature)));
    request.headers.push(("X-MBX-APIKEY", keys.key().to_owned().into()));
    Ok(())
}

/// The parameters that open the stream of the account's events: signed sorted by name, and not encoded.
pub fn subscription(keys: &Keys, now: Micros) -> Result<serde_json::Value, Fault> {
    let (key, stamp) = (keys.key(), now.as_millis());
    let signature = signature(keys, &format!("apiKey={key}&recvWindow={WINDOW}&timestamp={stamp}"))?;
    Ok(serde_json::json!({ "apiKey": key, "recvWindow": WINDOW, "timestamp": stamp, "signature": signature }))
}

/// Percent-encoded: base64 and JSON have signs that mean something in a query, and symbols may be of any script.
pub fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// What REST, the socket and the streams say when they refuse.
#[derive(Deserialize)]
pub struct Verdict {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    msg: String,
    data: Option<Ban>,
}

/// Both by the venue's clock, in milliseconds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ban {
    server_time: i64,
    retry_after: i64,
}

impl Verdict {
    /// The fault that it names.
    pub fn fault(&self) -> Fault {
        let wait =
            self.data.as_ref().and_then(|ban| u64::try_from(ban.retry_after.saturating_sub(ban.server_time)).ok());
        refusal(self.code, &self.msg).after(wait.map(Duration::from_millis))
    }
}

/// The status decides where the body has no code.
pub fn judge(reply: &Reply<'_>) -> Result<(), Fault> {
    let fault = match common::status_fault(reply) {
        Ok(()) => return Ok(()),
        Err(fault) => fault,
    };
    match serde_json::from_str::<Verdict>(reply.body) {
        // A ban's text names our address; only the code is told.
        Ok(_) if fault.kind == Kind::RateLimit => Err(Fault { detail: format!("HTTP {}", reply.status), ..fault }),
        Ok(Verdict { code: 0, .. }) | Err(_) => Err(fault),
        Ok(verdict) => Err(verdict.fault().after(fault.wait)),
    }
}

/// The codes of errors.md, sorted by what is to be done.
pub fn refusal(code: i64, message: &str) -> Fault {
    let (kind, cause) = match code {
        -2014 => (Kind::Auth, Some(Cause::Key)),
        // One answer for an unknown key, a foreign address and a missing permission.
        -2015 | -1002 => (Kind::Auth, Some(Cause::Unsaid)),
        -1022 => (Kind::Auth, Some(Cause::Secret)),
        -1021 => (Kind::ClockSkew, Some(Cause::Clock)),
        -1003 | -1015 | -1034 => (Kind::RateLimit, None),
        -1006 | -1007 => (Kind::Timeout, None),
        -1016 => (Kind::Maintenance, None),
        // Symbols that are gone, parameters of another time; no margin account, no isolated one.
        -1220..=-1100 | -3003 | -11001 => (Kind::Venue, Some(Cause::Unserved)),
        _ => (Kind::Venue, None),
    };
    let text = match kind {
        // A ban's text names our address.
        Kind::RateLimit => "",
        // So does what the futures append.
        _ => message.split(", request ip").next().unwrap_or_default(),
    };
    Fault { cause, ..Fault::new(kind, format!("{code} {}", common::excerpt(text)).trim_end()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Keyring;

    const KEY: &str = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
    const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
    /// RFC 8032, test 1.
    const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----";
    const NOW: Micros = Micros::from_millis(1_700_000_000_000);

    fn judged(status: u16, body: &str) -> Option<Fault> {
        judge(&Reply { status, headers: &(), body }).err()
    }

    #[test]
    fn the_vectors_through_request_and_subscription() {
        let signed = |secret: &str| {
            let mut request = Request::get("/api/v3/account").query("omitZeroBalances=true");
            sign(&Keyring::fixed([KEY, secret]).keys(), &mut request, NOW).unwrap();
            assert!(request.headers.iter().any(|(name, value)| *name == "X-MBX-APIKEY" && value.as_str() == KEY));
            request.query
        };
        let query = "omitZeroBalances=true&recvWindow=5000&timestamp=1700000000000&signature=";
        assert_eq!(signed(SECRET), format!("{query}821af6641542547413c6f4364e0c62f100d8d746e0ed17277e290acd6214876f"));
        let base64 = "%2Bq2%2FKEEwEEFQfr5cFY8%2F9IMzzGZ%2FwIxK%2FFRNidgZ%2FFMv6M%2BNeqvnHoRznobUsOp%2FocFnoG4mX0JBfph2X%2BwgAg%3D%3D";
        assert_eq!(signed(PEM), format!("{query}{base64}"));
        let said = subscription(&Keyring::fixed([KEY, SECRET]).keys(), NOW).unwrap();
        assert_eq!(said["signature"], "be706daf71f9ef8eaeecc8a5a91895c48c3d6a830b5e8e247fe2448cb8b2da6b");
    }

    #[test]
    fn the_form_of_a_key() {
        let told = |key: &str, secret: &str| check(&Keyring::fixed([key, secret]).keys()).err();
        assert_eq!((told(KEY, SECRET), told(KEY, PEM)), (None, None));
        let rsa = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----";
        assert!(told(KEY, rsa).is_some_and(|line| line.contains("Ed25519") && !line.contains("MIIE")));
        assert!(told("two words", SECRET).is_some_and(|line| line.contains("BINANCE_API_KEY")));
        assert!(told(KEY, "two words").is_some_and(|line| line.contains("BINANCE_API_SECRET")));
    }

    #[test]
    fn refusals_are_sorted_by_what_is_to_be_done() {
        let kind = |status, body| judged(status, body).map(|fault| fault.kind);
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
            kind(451, r#"{"code":0,"msg":"Service unavailable from a restricted location"}"#),
            Some(Kind::Permission)
        );
        assert_eq!(kind(400, r#"{"code":-1121,"msg":"Invalid symbol."}"#), Some(Kind::Venue));
        assert_eq!(kind(503, "<html>"), Some(Kind::Maintenance));
    }

    #[test]
    fn a_refusal_names_the_cure_and_no_address() {
        let fault = judged(
            401,
            r#"{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action, request ip: 1.2.3.4"}"#,
        )
        .unwrap();
        assert_eq!((fault.kind, fault.cause), (Kind::Auth, Some(Cause::Unsaid)));
        assert!(!fault.to_string().contains("1.2.3.4"), "{fault}");
        let cause = |status, body| judged(status, body).and_then(|fault| fault.cause);
        assert_eq!(
            cause(400, r#"{"code":-1022,"msg":"Signature for this request is not valid."}"#),
            Some(Cause::Secret)
        );
        assert_eq!(cause(400, r#"{"code":-3003,"msg":"Margin account does not exist."}"#), Some(Cause::Unserved));
        assert_eq!(cause(404, "<html>"), Some(Cause::Unserved));
        assert_eq!(cause(503, r#"{"code":-1008,"msg":"Server is currently overloaded"}"#), None, "only for now");
        let ban: Verdict = serde_json::from_str(
            r#"{"code":-1003,"msg":"banned","data":{"serverTime":1659146399000,"retryAfter":1659146400000}}"#,
        )
        .unwrap();
        assert_eq!(ban.fault().wait, Some(Duration::from_secs(1)));
        let endless = r#"{"code":-1,"msg":"x","data":{"serverTime":-9223372036854775808,"retryAfter":1}}"#;
        let ban: Verdict = serde_json::from_str(endless).unwrap();
        assert_eq!(ban.fault().wait, Some(common::fault::LONGEST_WAIT));
    }
}
