//! OKX, spoken right and wrong.

use std::time::Duration;

use crate::client::{Client, PATIENCE, fake, fake_with, get, within};
use fake_venues::{Fault, Venue};
use serde_json::json;

const PATH: &str = "/ws/v5/public";

fn subscribe(symbols: &[&str]) -> String {
    let args: Vec<_> = symbols.iter().map(|symbol| json!({"channel": "tickers", "instId": symbol})).collect();
    json!({"id": "7", "op": "subscribe", "args": args}).to_string()
}

#[tokio::test]
async fn every_arg_has_an_answer_of_its_own() {
    let fake = fake(Venue::Okx);
    let mut client = Client::dial(&fake, PATH).await;
    client.say(subscribe(&["BTC-USDT", "NOPE-USDT", "ICX-USDT"])).await;
    let answers = [client.json().await, client.json().await, client.json().await];
    assert_eq!(answers[0]["event"], "subscribe");
    assert_eq!(answers[0]["arg"]["instId"], "BTC-USDT");
    assert_eq!((&answers[1]["event"], &answers[1]["code"]), (&json!("error"), &json!("60018")));
    assert!(answers[1].get("arg").is_none() && answers[1]["msg"].as_str().unwrap().contains("instId:NOPE-USDT"));
    assert!(answers.iter().all(|answer| answer["id"] == "7"));
    assert_eq!(fake.seen().connections[0].subscriptions, ["tickers:BTC-USDT", "tickers:ICX-USDT"]);
    // A symbol that never trades has its first push all the same.
    client.find(|frame| frame["data"][0]["instId"] == "ICX-USDT").await;
}

#[tokio::test]
async fn what_the_ledger_says_was_sent() {
    let fake = fake(Venue::Okx);
    let mut client = Client::dial(&fake, PATH).await;
    client.say(subscribe(&["BTC-USDT", "GHST-USDT"])).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(fake.settle(PATIENCE).await);
    client.say("ping").await;
    let mut last = json!(null);
    loop {
        match client.text().await.as_str() {
            "pong" => break,
            text if text.contains(r#""instId":"BTC-USDT","last""#) => last = serde_json::from_str(text).unwrap(),
            _ => {}
        }
    }
    let (entry, row) = (fake.ledger("BTC-USDT").unwrap(), &last["data"][0]);
    assert_eq!(entry.last.as_deref(), row["last"].as_str());
    assert_eq!(entry.ask.as_deref(), row["askPx"].as_str());
    assert_eq!(entry.quote_volume.as_deref(), row["volCcy24h"].as_str());
    assert_eq!(fake.ledger("GHST-USDT").unwrap().last.as_deref(), Some(""));
}

#[tokio::test]
async fn nonsense_is_60012_and_an_unknown_op_60019() {
    let fake = fake(Venue::Okx);
    let mut client = Client::dial(&fake, PATH).await;
    for (said, code) in [
        ("hello", "60012"),
        (r#"{"op":"subscribe","argss":[]}"#, "60012"),
        (r#"{"op":"sub","args":[{}]}"#, "60019"),
        (r#"{"op":"subscribe","args":[{}]}"#, "60018"),
    ] {
        client.say(said).await;
        assert_eq!(client.json().await["code"], code, "{said}");
    }
    assert_eq!(fake.seen().connections[0].violations.len(), 4);
    assert!(Client::try_dial(&fake, "/ws/v5/nowhere").await.is_err());
}

#[tokio::test]
async fn idle_connections_are_cut_and_pings_keep_them() {
    let fake = fake_with(Venue::Okx, |times| times.idle = Duration::from_secs(2));
    let mut client = Client::dial(&fake, PATH).await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(600)).await;
        client.say("ping").await;
        assert_eq!(client.text().await, "pong");
    }
    assert_eq!(client.closed().await, 4004);
}

#[tokio::test]
async fn refuses_the_fourth_dial_in_a_second() {
    within(Duration::from_secs(1), async || {
        let fake = fake(Venue::Okx);
        let mut kept = Vec::new();
        for _ in 0..3 {
            kept.push(Client::dial(&fake, PATH).await);
        }
        let refused = Client::try_dial(&fake, PATH).await.is_err();
        if refused && fake.seen().open() == 3 { Ok(()) } else { Err("the fourth dial succeeds".to_owned()) }
    })
    .await;
}

#[tokio::test]
async fn announces_a_shutdown_and_maintenance() {
    let fake = fake(Venue::Okx);
    let mut client = Client::dial(&fake, PATH).await;
    client.say(r#"{"op":"subscribe","args":[{"channel":"status"}]}"#).await;
    client.json().await;
    fake.inflict(Fault::Maintenance);
    assert_eq!(client.json().await["data"][0]["state"], "ongoing");
    assert_eq!(get(&fake, "/api/v5/public/time").await.status, 503);
    assert_eq!(get(&fake, "/api/v5/system/status").await.json()["data"][0]["state"], "ongoing");
    fake.inflict(Fault::Shutdown { ms: Some(50) });
    assert_eq!(client.find(|frame| frame["event"] == "notice").await["code"], "64008");
    assert_eq!(client.closed().await, 1001);
}

#[tokio::test]
async fn rest_lists_the_awkward_and_limits_the_hasty() {
    let fake = fake(Venue::Okx);
    let rows = get(&fake, "/api/v5/public/instruments?instType=SPOT").await.json();
    let row =
        |symbol: &str| rows["data"].as_array().unwrap().iter().find(|row| row["instId"] == symbol).unwrap().clone();
    assert_eq!(row("BTC-USDT")["state"], "live");
    assert_eq!(row("LUNA-USDT")["state"], "suspend");
    assert_eq!((&row("FRESH-USDT")["state"], &row("FRESH-USDT")["baseCcy"]), (&json!("preopen"), &json!("")));
    let swaps = get(&fake, "/api/v5/public/instruments?instType=SWAP").await.json();
    assert_eq!(swaps["data"][0]["baseCcy"], "");
    let tickers = get(&fake, "/api/v5/market/tickers?instType=SPOT").await.json();
    assert_eq!(tickers["data"].as_array().unwrap().len(), rows["data"].as_array().unwrap().len());
    assert_eq!(get(&fake, "/api/v5/market/ticker?instId=NOPE-USDT").await.json()["code"], "51001");
    assert_eq!(get(&fake, "/api/v5/system/status").await.json()["data"], json!([]));
    let hasty = get(&fake, "/api/v5/system/status").await;
    assert_eq!((hasty.status, &hasty.json()["code"]), (429, &json!("50011")));
}
