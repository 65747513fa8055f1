//! Binance, as a client asks it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use ed25519_dalek::{Signer as _, SigningKey};
use fake_venues::account::{Category, Key, Side};
use fake_venues::{Fake, Fixed};
use serde_json::{Value, json};

use super::sign::{hex, now};
use super::{Answer, Client, number, request_with, said};

/// An Ed25519 key: the first one that RFC 8032 tests with.
pub const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";

/// The signature, not yet encoded for an address.
pub fn signature(key: &Key, payload: &str) -> String {
    match SigningKey::from_pkcs8_pem(&key.secret) {
        Ok(signing) => STANDARD.encode(signing.sign(payload.as_bytes()).to_bytes()),
        Err(_) => hex(&key.secret, payload),
    }
}

/// The target with a timestamp and a signature.
pub fn signed(key: &Key, target: &str, at: i64) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mark = if query.is_empty() { "" } else { "&" };
    let payload = format!("{query}{mark}timestamp={at}");
    let encoded = signature(key, &payload).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    format!("{path}?{payload}&signature={encoded}")
}

/// A signed request, as a client with this key would send it at this time.
pub async fn ask_as(fake: &Fake, key: &Key, method: &str, target: &str, at: i64) -> Answer {
    let header = ("X-MBX-APIKEY", key.id.clone());
    request_with(fake, method, &signed(key, target, at), &[header], "").await
}

/// The body of an answer that is no refusal.
pub async fn ask(fake: &Fake, method: &str, target: &str) -> Value {
    let answer = ask_as(fake, &fake.key(), method, target, now()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Status and code of a refusal.
pub async fn refused(fake: &Fake, key: &Key, target: &str, at: i64) -> (u16, i64) {
    let answer = ask_as(fake, key, "GET", target, at).await;
    (answer.status, answer.json()["code"].as_i64().unwrap_or(0))
}

/// The rows of an array.
pub fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("an array")
}

/// The names of an object's members, in the order of the alphabet.
pub fn fields(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// Free and locked by asset, as the account says.
pub async fn balances(fake: &Fake, target: &str) -> BTreeMap<String, (Fixed, Fixed)> {
    let account = ask(fake, "GET", target).await;
    let name = |row: &Value| row["asset"].as_str().expect("text").to_owned();
    list(&account["balances"]).iter().map(|row| (name(row), (said(row, "free"), said(row, "locked")))).collect()
}

/// The parameters of a signed request over the websocket, in any order.
pub fn params(key: &Key, at: i64) -> Value {
    let payload = format!("apiKey={}&timestamp={at}", key.id);
    json!({"timestamp": at, "signature": signature(key, &payload), "apiKey": key.id})
}

/// A private stream.
pub async fn subscribed(fake: &Fake) -> Client {
    let mut client = Client::dial(fake, "/ws-api/v3").await;
    let params = params(&fake.key(), now());
    client.say(json!({"id": "s", "method": "userDataStream.subscribe.signature", "params": params})).await;
    let answer = client.json().await;
    assert_eq!((&answer["status"], &answer["result"]), (&json!(200), &json!({"subscriptionId": 0})), "{answer}");
    client
}

/// The next event.
pub async fn event(client: &mut Client) -> Value {
    let frame = client.find(|frame| frame.get("event").is_some()).await;
    assert_eq!(frame["subscriptionId"], 0);
    frame["event"].clone()
}

/// A request for a listenKey: with the key, without a signature.
pub async fn listen_as(fake: &Fake, id: &str, method: &str) -> Answer {
    request_with(fake, method, "/fapi/v1/listenKey", &[("X-MBX-APIKEY", id.to_owned())], "").await
}

/// The listenKey in an answer that is no refusal.
pub async fn listen_key(fake: &Fake, method: &str) -> String {
    let answer = listen_as(fake, &fake.key().id, method).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["listenKey"].as_str().expect("text").to_owned()
}

/// A private stream of the futures.
pub async fn listening(fake: &Fake) -> Client {
    let key = listen_key(fake, "POST").await;
    Client::dial(fake, &format!("/private/ws?listenKey={key}")).await
}

/// An order for futures of ether, which have no position at first; its id.
pub fn place_future(fake: &Fake, side: Side, price: &str, quantity: &str) -> String {
    let placed = fake.place_on(Category::Linear, "ETHUSDT", side, number(price), number(quantity));
    placed.expect("money enough")
}
