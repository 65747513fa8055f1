//! Coinbase's tokens: a JWT for every request, signed by the curve that the key is of.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::Verifier as _;
use p256::pkcs8::DecodePrivateKey as _;
use serde_json::Value;
use tokio::time::Instant;

use crate::account::signing::{ed25519_pem, is_signed_by};
use crate::account::{Key, KeyState};
use crate::limiter::Limit;
use crate::world::World;

/// The host that every token of a request names.
const HOST: &str = "api.coinbase.com";
/// Seconds that a token may live.
const LIFE: u64 = 120;
/// Seconds by which a token may be early.
const EARLY: u64 = 1;
/// No token outlives this, so that its nonce need not be remembered for longer.
const NONCES: Limit = Limit::per_millis(1, 2 * LIFE * 1_000);

/// Why a token is not good. The client is told nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The key or the time is wrong.
    Refused,
    /// No client that knows the documentation sends this.
    Bug(&'static str),
}

/// The public half of a key.
enum Public {
    Ed25519(ed25519_dalek::VerifyingKey),
    P256(p256::ecdsa::VerifyingKey),
}

impl Public {
    /// From any form in which the venue hands out secrets: two armours, and base64 of an Ed25519 seed, with or without more.
    fn of(secret: &str) -> Option<Self> {
        let secret = secret.replace("\\n", "\n");
        if let Some(key) = ed25519_pem(&secret) {
            return Some(Self::Ed25519(key));
        }
        let curve = p256::SecretKey::from_sec1_pem(&secret)
            .or_else(|_| p256::SecretKey::from_pkcs8_pem(&secret).map_err(|_| p256::elliptic_curve::Error));
        if let Ok(curve) = curve {
            return Some(Self::P256(p256::ecdsa::SigningKey::from(curve).verifying_key().to_owned()));
        }
        let bytes = STANDARD.decode(secret.split_whitespace().collect::<String>()).ok()?;
        let seed = bytes.get(..32).filter(|_| matches!(bytes.len(), 32 | 64))?;
        Some(Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(seed.try_into().ok()?).verifying_key()))
    }

    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
        }
    }

    fn signed(&self, text: &str, signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => is_signed_by(key, text, signature),
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(text.as_bytes(), &signature).is_ok()),
        }
    }
}

/// Whether a token of the key is good now; `uri`: the method and path of the request that it came with.
pub(super) fn check(world: &World, token: &str, uri: Option<(&str, &str)>) -> Result<(), Fault> {
    let (key, now) = (world.account.lock().key.clone(), world.now());
    let hosts = [HOST.to_owned(), world.address.to_string()];
    let expected = uri.map(|(method, path)| hosts.map(|host| format!("{method} {host}{path}")));
    let nonce = judge(&key, now / 1_000, token, expected.as_ref().map(|uris| uris.as_slice()))?;
    if key.state_at(now) != KeyState::Good {
        return Err(Fault::Refused);
    }
    let fresh = world.tallies.lock().of(&format!("nonce {nonce}")).count(NONCES, 1, Instant::now()).is_some();
    fresh.then_some(()).ok_or(Fault::Bug("a nonce was used twice"))
}

/// The nonce of a token that is good at this second, for one of these addresses.
fn judge(key: &Key, now: u64, token: &str, uris: Option<&[String]>) -> Result<String, Fault> {
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, signature] = parts[..] else { return Err(Fault::Bug("a token has three parts")) };
    let object = |part: &str| -> Option<Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok().filter(Value::is_object)
    };
    let text = &token[..head.len() + 1 + claims.len()];
    let (Some(head), Some(claims)) = (object(head), object(claims)) else {
        return Err(Fault::Bug("a part of a token is no JSON in base64url without padding"));
    };
    let Some(nonce) = head["nonce"].as_str().filter(|nonce| nonce.len() >= 16) else {
        return Err(Fault::Bug("a token without a nonce"));
    };
    let (Some(from), Some(to)) = (claims["nbf"].as_u64(), claims["exp"].as_u64()) else {
        return Err(Fault::Bug("a token without nbf or exp"));
    };
    if head["typ"] != "JWT" || claims["iss"] != "cdp" || claims["sub"] != head["kid"] {
        return Err(Fault::Bug("typ, iss or sub of a token is wrong"));
    }
    if to.saturating_sub(from) > LIFE {
        return Err(Fault::Bug("a token lives for longer than 120 s"));
    }
    if let Some(uris) = uris {
        let uri = claims["uri"].as_str().or_else(|| claims["uris"][0].as_str()).unwrap_or_default();
        if !uris.iter().any(|known| known == uri) {
            return Err(Fault::Bug("the uri of a token is not that of its request"));
        }
    }
    let public = Public::of(&key.secret).ok_or(Fault::Refused)?;
    let bytes = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Fault::Bug("a signature is no base64url"))?;
    if bytes.len() != 64 {
        return Err(Fault::Bug("a signature has 64 bytes, and no DER"));
    }
    let good = head["kid"] == *key.id
        && head["alg"] == public.algorithm()
        && from <= now + EARLY
        && now < to
        && public.signed(text, &bytes);
    if good { Ok(nonce.to_owned()) } else { Err(Fault::Refused) }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::{Fault, Public, URL_SAFE_NO_PAD, judge};
    use crate::Venue;
    use crate::account::Key;
    use base64::Engine as _;

    const EC: &str = "-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEEIKwf3Uox30cRWzRBOPoPOH5p0Gpb0Dt8zUKXUEM5fMkGoAoGCCqGSM49\\nAwEHoUQDQgAEbAtpLlSZYVOwYICz+uEyxcS29vRIujiES/gQ1DC7FV4zK4JuYE9v\\nqDyGZQYjdXHLM7I6f/QnnOITL+dXYWBHRA==\\n-----END EC PRIVATE KEY-----\\n";
    const LONG: &str = "k0BUni0p0vZG1BdpVjS6ogBJ7kxm630AJ2dN+tuputDOKsRAwgyrpEQLeBtS1znTmzPX6Xr2eOWpzx6nW8knkA==";
    const SEED: &str = "k0BUni0p0vZG1BdpVjS6ogBJ7kxm630AJ2dN+tuputA=";
    const PKCS8: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJNAVJ4tKdL2RtQXaVY0uqIASe5MZut9ACdnTfrbqbrQ\n-----END PRIVATE KEY-----\n";

    fn input(algorithm: &str, uri: bool) -> String {
        let name = "organizations/test-organization/apiKeys/test-api-key";
        let head =
            format!(r#"{{"alg":"{algorithm}","kid":"{name}","nonce":"00112233445566778899aabbccddeeff","typ":"JWT"}}"#);
        let uri = if uri { r#","uri":"GET api.coinbase.com/api/v3/brokerage/accounts""# } else { "" };
        let claims = format!(r#"{{"sub":"{name}","iss":"cdp","nbf":1700000000,"exp":1700000120{uri}}}"#);
        format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims))
    }

    fn hash(text: &str) -> String {
        Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Algorithm, whether there is a uri, hash of what is signed, signature.
    const VECTORS: [(&str, bool, &str, &str); 4] = [
        (
            "ES256",
            true,
            "5349502f0249e22bb627ef86462a9ab8fea2a07e156da4a481906fe794fd5dde",
            "Lu-m6yThIDEIIkxD-AQ0RaHVhae0nVCV2Gx2WX1JXCpPgxDYk5G2QrFmvDYwmh2csYNGO-_A4t27mmWveZAU4g",
        ),
        (
            "ES256",
            false,
            "94b169b1fe0101a2e3a771b97b9648b8dd7b6be02ad8b51c4c2bb20135537d27",
            "L9AomHKM2FbNpmywdJ_W-faNhTZ85nWZgYiKyXBUVffwhv-n04z0N8HMBNQs80UGX70wrSG9AlZrIsR21GH8Ag",
        ),
        (
            "EdDSA",
            true,
            "4b887caf6683b0895178b183ecd3948ae6265bb31b6ec6871d1a1fdbd6e528d5",
            "VKxvz0b5LzwhWX-Fz9sB1un4A3tuMxE5h_BbeY_tyyiZjwfoH7TDfKQYpucjbLrQcAjvRpEL1hXPGIS0SB3YAA",
        ),
        (
            "EdDSA",
            false,
            "012fa4f23ead67305dcd83a1cd563a1e4a47996a7843b1b4acbdb6506dfd04cc",
            "loRlsE9Nxjitd6W4MzwGyPoFMZGVdgR6lfquZdzuth30OuwBjIKI6ZrExlgf860l0Kb42aWZFNB9W_NaE78CAQ",
        ),
    ];

    #[test]
    fn judges_as_coinbase_does() {
        let uris = ["GET api.coinbase.com/api/v3/brokerage/accounts".to_owned()];
        for (algorithm, uri, sum, signature) in VECTORS {
            let input = input(algorithm, uri);
            assert_eq!(hash(&input), sum);
            let token = format!("{input}.{signature}");
            let secrets: &[&str] = if algorithm == "ES256" { &[EC] } else { &[LONG, SEED, PKCS8] };
            let mut key = Key::documented(Venue::Coinbase);
            for secret in secrets {
                key.secret = (*secret).to_owned();
                let judged = |now, token: &str| judge(&key, now, token, uri.then_some(&uris[..]));
                assert_eq!(judged(1_700_000_000, &token).as_deref(), Ok("00112233445566778899aabbccddeeff"));
                for now in [1_699_999_990, 1_700_000_120] {
                    assert_eq!(judged(now, &token), Err(Fault::Refused));
                }
                assert_eq!(
                    judged(1_700_000_000, &format!("{input}.{}", VECTORS[0].3.replacen('L', "M", 1))),
                    Err(Fault::Refused)
                );
            }
            key.secret = if algorithm == "ES256" { LONG } else { EC }.to_owned();
            assert_eq!(judge(&key, 1_700_000_000, &token, None), Err(Fault::Refused));
        }
        let token = format!("{}.{}", input("EdDSA", true), VECTORS[2].3);
        let other = ["GET api.coinbase.com/api/v3/brokerage/accounts?limit=250".to_owned()];
        let key = Key::documented(Venue::Coinbase);
        assert!(matches!(judge(&key, 1_700_000_000, &token, Some(&other)), Err(Fault::Bug(_))));
        assert!(Public::of("nonsense").is_none());
    }
}
