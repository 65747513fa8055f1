//! Bybit, as a client asks it.

use std::collections::{BTreeMap, BTreeSet};

use fake_venues::Fake;
use fake_venues::account::Key;
use serde_json::{Value, json};

use super::sign::{hex, now};
use super::{Answer, Client, request_with, said};

const WALLET: &str = "/v5/account/wallet-balance?accountType=UNIFIED";

/// The headers of a GET request.
pub fn headers(key: &Key, target: &str, at: i64) -> Vec<(&'static str, String)> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    vec![
        ("X-BAPI-API-KEY", key.id.clone()),
        ("X-BAPI-TIMESTAMP", at.to_string()),
        ("X-BAPI-RECV-WINDOW", "5000".to_owned()),
        ("X-BAPI-SIGN", hex(&key.secret, &format!("{at}{}5000{query}", key.id))),
    ]
}

/// A signed request, as it should be.
pub async fn get_bybit(fake: &Fake, target: &str) -> Answer {
    request_with(fake, "GET", target, &headers(&fake.key(), target, now()), "").await
}

/// The result of an answer that is no refusal.
pub async fn result(fake: &Fake, target: &str) -> Value {
    let answer = get_bybit(fake, target).await;
    let body = answer.json();
    assert_eq!((answer.status, &body["retCode"]), (200, &json!(0)), "{target}: {body}");
    body["result"].clone()
}

/// The code with which a client with this key, at this time, is refused.
pub async fn refused(fake: &Fake, key: &Key, at: i64) -> i64 {
    let answer = request_with(fake, "GET", WALLET, &headers(key, WALLET, at), "").await;
    assert_eq!(answer.status, 200);
    answer.json()["retCode"].as_i64().expect("a code")
}

/// All pages of something, until one is empty or has no cursor.
pub async fn all(fake: &Fake, target: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = result(fake, &format!("{target}{cursor}")).await;
        let list = page["list"].as_array().expect("a list").clone();
        let next = page["nextPageCursor"].as_str().expect("a cursor").to_owned();
        if list.is_empty() {
            return all;
        }
        all.extend(list);
        if next.is_empty() {
            return all;
        }
        cursor = format!("&cursor={next}");
    }
}

/// The message that logs in.
pub fn auth(key: &Key, expires: i64) -> Value {
    let signature = hex(&key.secret, &format!("GET/realtime{expires}"));
    json!({"req_id": "a-1", "op": "auth", "args": [key.id, expires, signature]})
}

/// A private socket that is logged in and subscribed.
pub async fn private(fake: &Fake, topics: &[&str]) -> Client {
    let mut client = Client::dial(fake, "/v5/private").await;
    client.say(auth(&fake.key(), now() + 10_000)).await;
    let answer = client.json().await;
    assert_eq!((&answer["success"], &answer["op"], &answer["req_id"]), (&json!(true), &json!("auth"), &json!("a-1")));
    client.say(json!({"op": "subscribe", "args": topics})).await;
    assert_eq!(client.json().await["success"], true);
    client
}

/// What a client knows that listens and takes the latest word on everything, with the time of that word.
#[derive(Default)]
pub struct Known {
    pub coins: BTreeMap<String, (u64, Value)>,
    pub orders: BTreeMap<String, (u64, Value)>,
    pub fills: BTreeSet<String>,
}

impl Known {
    /// Hears everything until a pong.
    pub async fn hear_all(&mut self, client: &mut Client) {
        client.say(r#"{"op":"ping"}"#).await;
        loop {
            let frame = client.json().await;
            if frame["op"] == "pong" {
                return;
            }
            self.hear(&frame);
        }
    }

    fn hear(&mut self, frame: &Value) {
        let at = frame["creationTime"].as_u64().expect("a time");
        for row in frame["data"].as_array().expect("rows") {
            match frame["topic"].as_str().expect("a topic") {
                "wallet" => {
                    row["coin"]
                        .as_array()
                        .expect("coins")
                        .iter()
                        .for_each(|coin| later(&mut self.coins, "coin", at, coin));
                }
                "order" => later(&mut self.orders, "orderId", at, row),
                "execution" => drop(self.fills.insert(row["execId"].to_string())),
                _ => {}
            }
        }
    }

    /// Whether all that is known is what the books say.
    pub fn agrees_with(&self, fake: &Fake) {
        let books = fake.books();
        assert!(!self.coins.is_empty() && !self.orders.is_empty());
        for (coin, (_, row)) in &self.coins {
            let money = books.money("unified", coin);
            assert_eq!((said(row, "walletBalance"), said(row, "locked")), (money.total(), money.locked), "{coin}");
        }
        for (id, (_, row)) in &self.orders {
            let order = books.order(id).expect("it exists");
            assert_eq!(said(row, "cumExecQty"), order.filled, "{id}");
            let open = row["orderStatus"] == "New" || row["orderStatus"] == "PartiallyFilled";
            assert_eq!(open, order.status.is_open(), "{id}");
        }
    }
}

fn later(rows: &mut BTreeMap<String, (u64, Value)>, id: &str, at: u64, row: &Value) {
    let id = row[id].as_str().expect("an id").to_owned();
    let kept = rows.entry(id).or_insert_with(|| (at, row.clone()));
    if at >= kept.0 {
        *kept = (at, row.clone());
    }
}
