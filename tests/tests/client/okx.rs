//! OKX, as a client asks it.

use fake_venues::Fake;
use fake_venues::account::Key;
use serde_json::{Value, json};

use super::sign::{now, okx};
use super::{Answer, request_with};

const BALANCE: &str = "/api/v5/account/balance";

/// A signed request to OKX, as it should be.
pub async fn get_okx(fake: &Fake, target: &str) -> Answer {
    request_with(fake, "GET", target, &okx(&fake.key(), target, now()), "").await
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
