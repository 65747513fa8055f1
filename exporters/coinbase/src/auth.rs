//! Coinbase's tokens, the form of its keys, and what its refusals mean.
//!
//! Source: <https://docs.cdp.coinbase.com/get-started/authentication/jwt-authentication>.

use std::time::Duration;

use common::secrets::signing::{PrivateKey, nonce};
use common::{Cause, Fault, Keys, Kind, Micros, Reply, Request};
use serde::Deserialize;

/// What tokens name, whichever way a request goes to the venue.
const HOST: &str = "api.coinbase.com";
/// How long a token is good for, in seconds; the venue takes none that is good for longer.
const LIFE: i64 = 120;
/// A token is good from a little before now: one from the future is refused.
const BEFORE: i64 = 3;
/// How long to stay away after a refusal that does not say. Spurious ones clear at once; no ban is documented.
const COOL: Duration = Duration::from_secs(2);

/// Looks at the key's form; the line says what is wrong with it.
pub fn check(keys: &Keys) -> Result<(), String> {
    if keys.key().is_empty() || !keys.key().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("COINBASE_API_KEY: not a key's name, which is organizations/…/apiKeys/… or a UUID".into());
    }
    PrivateKey::read(keys.secret()).map(|_| ()).map_err(|why| {
        format!(
            "COINBASE_API_SECRET: {why}; it is the privateKey of the downloaded file: EC or Ed25519, in PEM or base64"
        )
    })
}

/// A token for this request only.
pub fn sign(keys: &Keys, request: &mut Request, now: Micros) -> Result<(), Fault> {
    // Without the query: with it the token would be refused.
    let uri = format!("{} {HOST}{}", request.method(), request.path);
    let token = token(keys, now, &nonce(), Some(&uri))?;
    request.headers.push(("Authorization", format!("Bearer {token}").into()));
    request.headers.push(("Content-Type", "application/json".to_owned().into()));
    Ok(())
}

/// A token; one without `uri` is for the socket.
pub fn token(keys: &Keys, now: Micros, nonce: &str, uri: Option<&str>) -> Result<String, Fault> {
    let key = PrivateKey::read(keys.secret())
        .map_err(|why| Fault::new(Kind::Auth, format!("the API secret is {why}")).because(Cause::Secret))?;
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let since = now.as_millis() / 1000 - BEFORE;
    let uri = uri.map(|uri| format!(r#","uri":{}"#, text(uri))).unwrap_or_default();
    let (name, until) = (text(keys.key()), since + LIFE);
    let claims = format!(r#"{{"sub":{name},"iss":"cdp","nbf":{since},"exp":{until}{uri}}}"#);
    Ok(key.jwt(keys.key(), nonce, &claims))
}

/// What the venue says on the socket: one text for a refused token and for a channel that it does not know. The names of
/// our channels are known.
pub fn refused(message: &str) -> Fault {
    Fault::new(Kind::Auth, format!("subscription refused: {}", common::excerpt(message))).because(Cause::Unsaid)
}

/// Refusals have several forms, or none.
#[derive(Deserialize)]
struct Verdict {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_details: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    id: String,
    #[serde(default)]
    message: String,
}

/// The status decides; where there is a name for the reason, it tells the cure.
pub fn judge(reply: &Reply<'_>) -> Result<(), Fault> {
    let fault = match common::status_fault(reply) {
        Ok(()) => return Ok(()),
        Err(fault) => fault,
    };
    let verdict = serde_json::from_str::<Verdict>(reply.body).ok();
    let first = verdict.as_ref().and_then(|verdict| verdict.errors.first());
    let said = |wanted: &str| {
        verdict.iter().flat_map(|all| [&all.error_details, &all.message]).any(|text| text.contains(wanted))
    };
    let (kind, cause) = match (reply.status, first.map_or("", |error| error.id.as_str())) {
        (_, "expired_token") => (Kind::ClockSkew, Some(Cause::Clock)),
        (_, "revoked_token") => (Kind::Auth, Some(Cause::Key)),
        (_, "invalid_scope") => (Kind::Permission, Some(Cause::Scope)),
        (_, "rate_limit_exceeded" | "resource_exhausted") => (Kind::RateLimit, None),
        // One answer for a key that is not known, a wrong signature or address, and a token of another time.
        (401, _) => (Kind::Auth, Some(Cause::Unsaid)),
        (402, _) => (Kind::Permission, Some(Cause::Account)),
        (403, _) if said("scope") || said("permission is required") => (Kind::Permission, Some(Cause::Scope)),
        _ => (fault.kind, fault.cause),
    };
    let detail = match (&verdict, first) {
        (_, Some(error)) => format!("HTTP {}: {} {}", reply.status, error.id, common::excerpt(&error.message)),
        (Some(verdict), _) if !verdict.error.is_empty() => {
            format!("HTTP {}: {} {}", reply.status, verdict.error, common::excerpt(&verdict.message))
        }
        _ => fault.detail,
    };
    let wait = fault.wait.or((kind == Kind::RateLimit).then_some(COOL));
    Err(Fault { kind, detail, wait, cause })
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Keyring;

    const NAME: &str = "organizations/test-organization/apiKeys/test-api-key";
    /// The public test key of the venue's own library.
    const SEED: &str = "k0BUni0p0vZG1BdpVjS6ogBJ7kxm630AJ2dN+tuputA=";
    const NONCE: &str = "00112233445566778899aabbccddeeff";
    const NOW: Micros = Micros::from_millis(1_700_000_003_999);

    fn judged(status: u16, body: &str) -> (Kind, Option<Cause>, Option<Duration>) {
        let fault = judge(&Reply { status, headers: &(), body }).unwrap_err();
        (fault.kind, fault.cause, fault.wait)
    }

    #[test]
    fn the_vectors_through_claims_and_token() {
        let keys = Keyring::fixed([NAME, SEED]).keys();
        let rest = token(&keys, NOW, NONCE, Some("GET api.coinbase.com/api/v3/brokerage/accounts")).unwrap();
        assert!(
            rest.ends_with(".VKxvz0b5LzwhWX-Fz9sB1un4A3tuMxE5h_BbeY_tyyiZjwfoH7TDfKQYpucjbLrQcAjvRpEL1hXPGIS0SB3YAA")
        );
        let socket = token(&keys, NOW, NONCE, None).unwrap();
        assert!(
            socket.ends_with(".loRlsE9Nxjitd6W4MzwGyPoFMZGVdgR6lfquZdzuth30OuwBjIKI6ZrExlgf860l0Kb42aWZFNB9W_NaE78CAQ")
        );
    }

    #[test]
    fn every_request_has_a_token_of_its_own_and_the_query_is_not_in_it() {
        let keys = Keyring::fixed([NAME, SEED]).keys();
        let signed = |query: &str| {
            let mut request = Request::get("/api/v3/brokerage/accounts").query(query);
            sign(&keys, &mut request, NOW).unwrap();
            let (name, value) = &request.headers[0];
            assert!(*name == "Authorization" && value.starts_with("Bearer "));
            let parts: Vec<String> = value.split('.').map(str::to_owned).collect();
            (parts[0].clone(), parts[1].clone())
        };
        let (one, other) = (signed("limit=250"), signed(""));
        assert_ne!(one.0, other.0, "the nonce");
        assert_eq!(one.1, other.1, "the claims");
    }

    #[test]
    fn the_form_of_a_key() {
        let told = |key: &str, secret: &str| check(&Keyring::fixed([key, secret]).keys()).err();
        assert_eq!(told(NAME, SEED), None);
        assert!(told(NAME, "hunter2!").is_some_and(|line| line.contains("SECRET") && !line.contains("hunter2")));
        assert!(told("two words", SEED).is_some_and(|line| line.contains("COINBASE_API_KEY")));
    }

    #[test]
    fn refusals_and_their_cures() {
        assert_eq!(judge(&Reply { status: 200, headers: &(), body: "{}" }), Ok(()));
        assert_eq!(judged(401, "Unauthorized"), (Kind::Auth, Some(Cause::Unsaid), None));
        let scopes = r#"{"error":"PERMISSION_DENIED","error_details":"Missing required scopes","message":"Missing required scopes"}"#;
        assert_eq!(judged(403, scopes), (Kind::Permission, Some(Cause::Scope), None));
        assert_eq!(judged(403, "<html>"), (Kind::Permission, None, None));
        assert_eq!(judged(429, "<html>Too many</html>"), (Kind::RateLimit, None, Some(COOL)));
        let v2 = r#"{"errors":[{"id":"expired_token","message":"The token has expired"}]}"#;
        assert_eq!(judged(401, v2), (Kind::ClockSkew, Some(Cause::Clock), None));
        let unknown = r#"{"error":"NOT_FOUND","error_details":"valid product_id is required","message":"valid product_id is required"}"#;
        assert_eq!(judged(404, unknown), (Kind::Venue, Some(Cause::Unserved), None));
        assert_eq!(judged(503, ""), (Kind::Maintenance, None, None));
        assert_eq!(judged(500, r#"{"error":"unknown","code":13,"message":"internal"}"#).1, None, "only for now");
    }
}
