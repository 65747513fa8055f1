//! KuCoin, as a client asks it.

use std::collections::BTreeMap;

use fake_venues::account::Key;
use fake_venues::{Fake, Fixed};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::sign::{base64, now};
use super::{Answer, Client, number, request_with};

/// Where the host of futures begins.
pub const FUTURES: &str = "/futures";

/// The headers of a request; the target is the documented one, without percent encoding.
pub fn headers(key: &Key, method: &str, target: &str, at: i64, version: &str) -> Vec<(&'static str, String)> {
    vec![
        ("KC-API-KEY", key.id.clone()),
        ("KC-API-SIGN", base64(&key.secret, &format!("{at}{method}{target}"))),
        ("KC-API-TIMESTAMP", at.to_string()),
        ("KC-API-PASSPHRASE", base64(&key.secret, &key.passphrase)),
        ("KC-API-KEY-VERSION", version.to_owned()),
    ]
}

/// A signed request, as it should be, on the host with this prefix.
pub async fn ask(fake: &Fake, method: &str, host: &str, target: &str) -> Answer {
    let headers = headers(&fake.key(), method, target, now(), "3");
    request_with(fake, method, &format!("{host}{target}"), &headers, "").await
}

/// The data of an answer that is no refusal.
pub fn data(answer: &Answer) -> Value {
    let mut body = answer.json();
    assert_eq!((answer.status, &body["code"]), (200, &json!("200000")), "{body}");
    body["data"].take()
}

/// What spot says.
pub async fn spot(fake: &Fake, target: &str) -> Value {
    data(&ask(fake, "GET", "", target).await)
}

/// What futures say.
pub async fn futures(fake: &Fake, target: &str) -> Value {
    data(&ask(fake, "GET", FUTURES, target).await)
}

/// The code of an answer, whatever its status.
pub fn code(answer: &Answer) -> String {
    answer.json()["code"].as_str().expect("text").to_owned()
}

/// The members of an object as they were written.
pub type Raw = BTreeMap<String, Box<RawValue>>;

/// The rows of an answer as they were written; an object is one row.
pub fn raw(answer: &Answer) -> Vec<Raw> {
    let body: Raw = serde_json::from_str(&answer.body).expect("an object");
    let data = body["data"].get();
    serde_json::from_str(data).unwrap_or_else(|_| vec![serde_json::from_str(data).expect("rows, or one")])
}

/// A bare number, with or without an exponent.
pub fn bare(row: &Raw, name: &str) -> Fixed {
    let text = row.get(name).unwrap_or_else(|| panic!("{name} in {row:?}")).get();
    let (digits, exponent) = text.split_once('E').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().expect("an exponent");
    (0..-exponent).fold(number(digits), |number, _| number.over(Fixed::from(10)))
}

/// Where a new token leads, escaped; `kind` is `public` or `private`.
pub async fn way(fake: &Fake, host: &str, kind: &str) -> String {
    let ticket = data(&ask(fake, "POST", host, &format!("/api/v1/bullet-{kind}")).await);
    assert_eq!(ticket["instanceServers"][0]["endpoint"], format!("{}{host}/", fake.ws_url()));
    let token = ticket["token"].as_str().expect("text");
    let token = token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    format!("{host}/?token={token}&connectId=c1")
}

/// A welcomed connection for the account.
pub async fn private(fake: &Fake, host: &str) -> Client {
    let mut client = Client::dial(fake, &way(fake, host, "private").await).await;
    assert_eq!(client.json().await, json!({"id": "c1", "type": "welcome"}));
    client
}

/// Subscribes, and waits until that is acknowledged.
pub async fn listen(client: &mut Client, topic: &str) {
    client.say(topic_of(topic, true)).await;
    assert_eq!(client.json().await, json!({"id": topic, "type": "ack"}));
}

/// A subscription.
pub fn topic_of(topic: &str, private: bool) -> Value {
    json!({"id": topic, "type": "subscribe", "topic": topic, "privateChannel": private, "response": true})
}
