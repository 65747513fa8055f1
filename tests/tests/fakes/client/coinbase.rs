//! Coinbase, as a client asks it.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use fake_venues::account::Key;
use fake_venues::{Fake, Options, Venue, start};
use p256::ecdsa;
use serde_json::{Value, json};

use super::sign::now;
use super::{Answer, Client, request_with};

/// The EC key that the venue's SDK tests with, on one line as it stands in environments.
pub const EC: &str = "-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEEIKwf3Uox30cRWzRBOPoPOH5p0Gpb0Dt8zUKXUEM5fMkGoAoGCCqGSM49\\nAwEHoUQDQgAEbAtpLlSZYVOwYICz+uEyxcS29vRIujiES/gQ1DC7FV4zK4JuYE9v\\nqDyGZQYjdXHLM7I6f/QnnOITL+dXYWBHRA==\\n-----END EC PRIVATE KEY-----\\n";

/// A fake venue with pages of at most so many rows.
pub fn paged(size: usize) -> Fake {
    start(Venue::Coinbase, Options { page_size: Some(size), ..Options::default() }).expect("a free port")
}

/// What a token says.
pub struct Claims {
    pub from: i64,
    pub life: i64,
    pub nonce: String,
    pub uri: Option<String>,
}

impl Claims {
    pub fn now(uri: Option<&str>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let nonce = format!("{:032x}", NEXT.fetch_add(1, Ordering::Relaxed));
        Self { from: now() / 1_000, life: 120, nonce, uri: uri.map(str::to_owned) }
    }
}

/// A token of the key.
pub fn token(key: &Key, claims: &Claims) -> String {
    let ec = key.secret.contains("EC PRIVATE KEY");
    let head = json!({"alg": if ec { "ES256" } else { "EdDSA" }, "kid": key.id, "nonce": claims.nonce, "typ": "JWT"});
    let mut body = json!({"sub": key.id, "iss": "cdp", "nbf": claims.from, "exp": claims.from + claims.life});
    if let Some(uri) = &claims.uri {
        body["uri"] = uri.as_str().into();
    }
    let text = [head, body].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let signature = if ec {
        let secret = p256::SecretKey::from_sec1_pem(&key.secret.replace("\\n", "\n")).expect("a key");
        let signature: ecdsa::Signature = ecdsa::SigningKey::from(secret).sign(text.as_bytes());
        signature.to_bytes().to_vec()
    } else {
        let bytes = STANDARD.decode(&key.secret).expect("base64");
        let seed = bytes[..32].try_into().expect("32 bytes");
        SigningKey::from_bytes(seed).sign(text.as_bytes()).to_bytes().to_vec()
    };
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A request with a token for it.
pub async fn ask_with(fake: &Fake, target: &str, token: &str) -> Answer {
    let target = format!("/api/v3/brokerage/{target}");
    request_with(fake, "GET", &target, &[("Authorization", format!("Bearer {token}"))], "").await
}

/// A request, as a client with this key would send it.
pub async fn ask_as(fake: &Fake, key: &Key, target: &str) -> Answer {
    let path = target.split('?').next().unwrap_or_default();
    let uri = format!("GET api.coinbase.com/api/v3/brokerage/{path}");
    ask_with(fake, target, &token(key, &Claims::now(Some(&uri)))).await
}

/// The body of an answer that is no refusal.
pub async fn ask(fake: &Fake, target: &str) -> Value {
    let answer = ask_as(fake, &fake.key(), target).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// All pages of something: the number of pages, and the rows.
pub async fn all(fake: &Fake, target: &str, name: &str) -> (usize, Vec<Value>) {
    let (mut rows, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = ask(fake, &format!("{target}&cursor={cursor}")).await;
        rows.extend(page[name].as_array().expect("an array").iter().cloned());
        pages += 1;
        cursor = page["cursor"].as_str().expect("text").replace('=', "%3D");
        let more = page["has_next"].as_bool().unwrap_or(!cursor.is_empty());
        assert_eq!(more, !cursor.is_empty());
        if !more {
            return (pages, rows);
        }
    }
}

/// A subscription to a channel of the account.
pub fn subscribe(key: &Key, channel: &str) -> Value {
    json!({"type": "subscribe", "channel": channel, "jwt": token(key, &Claims::now(None))})
}

/// A private stream: the orders of its snapshot, by batch.
pub async fn subscribed(fake: &Fake, path: &str) -> (Client, Vec<Vec<Value>>) {
    let mut client = Client::dial(fake, path).await;
    client.say(subscribe(&fake.key(), "user")).await;
    let mut batches = Vec::new();
    loop {
        let frame = client.json().await;
        if frame["channel"] == "subscriptions" {
            assert!(frame["events"][0]["subscriptions"].get("user").is_some());
            return (client, batches);
        }
        assert_eq!((&frame["channel"], &frame["events"][0]["type"]), (&json!("user"), &json!("snapshot")));
        batches.push(frame["events"][0]["orders"].as_array().expect("an array").clone());
    }
}

/// The next event of a channel.
pub async fn event(client: &mut Client, channel: &str) -> Value {
    client.find(|frame| frame["channel"] == channel).await["events"][0].clone()
}
