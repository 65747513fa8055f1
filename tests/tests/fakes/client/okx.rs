//! OKX, as a client asks it.

use std::collections::{BTreeMap, BTreeSet};

use fake_venues::Fake;
use fake_venues::account::Key;
use serde_json::{Value, json};

use super::sign::{base64, now, okx};
use super::{Answer, Client, request_with, said};

const BALANCE: &str = "/api/v5/account/balance";

/// A signed request to OKX, as it should be.
pub async fn get_okx(fake: &Fake, target: &str) -> Answer {
    request_with(fake, "GET", target, &okx(&fake.key(), target, now()), "").await
}

/// The message that logs in.
pub fn login(key: &Key, seconds: i64) -> Value {
    let sign = base64(&key.secret, &format!("{seconds}GET/users/self/verify"));
    json!({"op": "login", "args": [{
        "apiKey": key.id, "passphrase": key.passphrase, "timestamp": seconds.to_string(), "sign": sign,
    }]})
}

/// A private socket that is logged in.
pub async fn private(fake: &Fake) -> Client {
    let mut client = Client::dial(fake, "/ws/v5/private").await;
    client.say(login(&fake.key(), now() / 1_000)).await;
    assert_eq!(client.json().await["event"], "login");
    client
}

/// What a client knows that listens and takes the latest word on everything.
#[derive(Default)]
pub struct Known {
    pub cash: BTreeMap<String, Value>,
    pub orders: BTreeMap<String, Value>,
    pub positions: BTreeMap<String, Value>,
    pub fills: BTreeSet<(String, String)>,
    pub frames: usize,
}

impl Known {
    pub fn hear(&mut self, frame: &Value) {
        let data = frame["data"].as_array().expect("data");
        self.frames += 1;
        match frame["arg"]["channel"].as_str().expect("a channel") {
            "account" => {
                data[0]["details"].as_array().expect("details").iter().for_each(|row| later(&mut self.cash, "ccy", row))
            }
            "positions" => data.iter().for_each(|row| later(&mut self.positions, "posId", row)),
            "orders" => {
                for row in data {
                    later(&mut self.orders, "ordId", row);
                    if row["tradeId"] != "" {
                        self.fills.insert((row["instId"].to_string(), row["tradeId"].to_string()));
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether all that is known is what the books say.
    pub fn agrees_with(&self, fake: &Fake) {
        let books = fake.books();
        for (currency, money) in books.assets("trading") {
            let row = &self.cash[currency];
            assert_eq!((said(row, "availBal"), said(row, "frozenBal")), (money.free, money.locked), "{currency}");
        }
        let open: Vec<&str> = self
            .orders
            .iter()
            .filter(|(_, row)| row["state"] == "live" || row["state"] == "partially_filled")
            .map(|(id, _)| id.as_str())
            .collect();
        assert!(!open.is_empty() && open.iter().all(|id| books.order(id).expect("it exists").status.is_open()));
        for (id, row) in &self.orders {
            assert_eq!(said(row, "accFillSz"), books.order(id).expect("it exists").filled, "{id}");
        }
        for position in &books.positions {
            assert!(self.positions.contains_key(&position.id));
        }
    }

    /// Hears everything until a pong.
    pub async fn hear_all(&mut self, client: &mut Client) {
        client.say("ping").await;
        loop {
            match client.text().await.as_str() {
                "pong" => return,
                text => {
                    let frame: Value = serde_json::from_str(text).expect("JSON");
                    if frame.get("event").is_none() {
                        self.hear(&frame);
                    }
                }
            }
        }
    }
}

/// Keeps the row that changed last.
fn later(rows: &mut BTreeMap<String, Value>, id: &str, row: &Value) {
    let at = |row: &Value| row["uTime"].as_str().and_then(|at| at.parse::<u64>().ok()).expect("a time");
    let kept = rows.entry(row[id].as_str().expect("an id").to_owned()).or_insert_with(|| row.clone());
    if at(row) >= at(kept) {
        *kept = row.clone();
    }
}

/// The rows of an answer that is no refusal.
pub fn rows(answer: &Answer) -> Vec<Value> {
    let body = answer.json();
    assert_eq!((answer.status, &body["code"]), (200, &json!("0")), "{body}");
    body["data"].as_array().expect("an array").clone()
}

/// Asks for the balance as a client with this key would, at this time.
pub async fn refused(fake: &Fake, key: &Key, at: i64) -> (u16, String) {
    let answer = request_with(fake, "GET", BALANCE, &okx(key, BALANCE, at), "").await;
    (answer.status, answer.json()["code"].as_str().expect("text").to_owned())
}

/// All pages of something, as the documentation has it.
pub async fn all(fake: &Fake, path: &str, id: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let after = all.last().map_or_else(String::new, |row| format!("?after={}", row[id].as_str().expect("text")));
        let page = rows(&get_okx(fake, &format!("{path}{after}")).await);
        let more = page.len() == 100;
        all.extend(page);
        if !more {
            return all;
        }
    }
}
