//! Coinbase, spoken right and wrong.

use std::time::Duration;

use crate::client::{Client, fake, fake_with, get};
use fake_venues::{Fault, Venue};
use serde_json::{Value, json};

fn subscribe(channel: &str, products: &[&str]) -> Value {
    json!({"type": "subscribe", "channel": channel, "product_ids": products})
}

#[tokio::test]
async fn snapshots_come_before_the_acknowledgement() {
    let fake = fake(Venue::Coinbase);
    let mut client = Client::dial(&fake, "").await;
    client.say(subscribe("ticker", &["ICX-USD", "BTC-USDC", "FOO-BAR", "GHST-USD"])).await;
    let frames = [client.json().await, client.json().await, client.json().await, client.json().await];
    let ticker = |at: usize| &frames[at]["events"][0]["tickers"][0];
    assert_eq!(frames[0]["events"][0]["type"], "snapshot");
    assert_eq!(ticker(0)["product_id"], "ICX-USD");
    // The alias speaks under the other name; what never traded speaks without one.
    assert_eq!(ticker(1)["product_id"], "BTC-USD");
    assert_eq!((&ticker(2)["product_id"], &ticker(2)["price"]), (&json!(""), &json!("")));
    assert_eq!(frames[3]["channel"], "subscriptions");
    assert_eq!(frames[3]["events"][0]["subscriptions"], json!({"ticker": ["BTC-USD", "GHST-USD", "ICX-USD"]}));
    assert!(frames.iter().enumerate().all(|(at, frame)| frame["sequence_num"] == at));
    assert_eq!(fake.ledger("ICX-USD").unwrap().last.as_deref(), ticker(0)["price"].as_str());
    assert!(fake.ledger("BTC-USDC").is_some());
}

#[tokio::test]
async fn numbers_every_frame_and_skips_on_demand() {
    let fake = fake_with(Venue::Coinbase, |times| times.heartbeat = Duration::from_millis(30));
    let mut client = Client::dial(&fake, "").await;
    client.say(subscribe("ticker", &["BTC-USD"])).await;
    client.say(json!({"type": "subscribe", "channel": "heartbeats"})).await;
    let mut numbers = Vec::new();
    let (mut beats, mut acks) = (0, Vec::new());
    while beats < 3 {
        let frame = client.json().await;
        numbers.push(frame["sequence_num"].as_u64().unwrap());
        match frame["channel"].as_str() {
            Some("heartbeats") => beats += 1,
            Some("subscriptions") => acks.push(frame["events"][0]["subscriptions"].clone()),
            _ => {}
        }
    }
    assert!(numbers.iter().enumerate().all(|(at, number)| *number == at as u64));
    assert_eq!(acks[1], json!({"ticker": ["BTC-USD"], "heartbeats": ["heartbeats"]}));
    fake.inflict(Fault::SkipSequence { by: 5 });
    let mut last = *numbers.last().unwrap();
    loop {
        let next = client.json().await["sequence_num"].as_u64().unwrap();
        if next == last + 6 {
            break;
        }
        assert_eq!(next, last + 1);
        last = next;
    }
}

#[tokio::test]
async fn wants_a_subscription_in_time() {
    let fake = fake_with(Venue::Coinbase, |times| times.first_subscribe = Duration::from_secs(2));
    let mut late = Client::dial(&fake, "").await;
    assert_eq!(late.closed().await, 1008);
    let mut early = Client::dial(&fake, "").await;
    early.say(subscribe("ticker", &["BTC-USD"])).await;
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    assert_eq!(fake.seen().open(), 1);
}

#[tokio::test]
async fn an_unknown_channel_fails_like_a_bad_token() {
    let fake = fake(Venue::Coinbase);
    let mut client = Client::dial(&fake, "").await;
    for channel in ["heartbeat", "user"] {
        client.say(subscribe(channel, &["BTC-USD"])).await;
        assert_eq!(client.json().await, json!({"type": "error", "message": "authentication failure"}));
    }
}

#[tokio::test]
async fn unsubscribing_the_last_leaves_nothing() {
    let fake = fake(Venue::Coinbase);
    let mut client = Client::dial(&fake, "").await;
    client.say(subscribe("ticker", &["ICX-USD"])).await;
    client.find(|frame| frame["channel"] == "subscriptions").await;
    client.say(json!({"type": "unsubscribe", "channel": "ticker", "product_ids": ["ICX-USD"]})).await;
    assert_eq!(client.json().await["events"][0]["subscriptions"], json!({}));
}

#[tokio::test]
async fn cuts_a_connection_without_updates() {
    let fake = fake_with(Venue::Coinbase, |times| times.idle = Duration::from_secs(1));
    let mut client = Client::dial(&fake, "").await;
    client.say(subscribe("ticker", &["ICX-USD"])).await;
    client.closed().await;
    assert_eq!(fake.seen().connections[0].end.as_deref(), Some("1000 no updates"));
}

#[tokio::test]
async fn rest_lists_aliases_futures_and_quote_volume() {
    let fake = fake(Venue::Coinbase);
    let products = get(&fake, "/api/v3/brokerage/market/products").await.json();
    let row = |id: &str| products["products"].as_array().unwrap().iter().find(|row| row["product_id"] == id).cloned();
    let (usd, usdc) = (row("BTC-USD").unwrap(), row("BTC-USDC").unwrap());
    assert_eq!((&usd["alias_to"], &usdc["alias"]), (&json!(["BTC-USDC"]), &json!("BTC-USD")));
    assert!(usd["approximate_quote_24h_volume"].as_str().unwrap().parse::<f64>().unwrap() > 1e9);
    assert_eq!(row("LUNA-USD").unwrap()["trading_disabled"], true);
    let future = row("BIT-27NOV26-CDE").unwrap();
    assert_eq!((&future["base_currency_id"], &future["status"]), (&json!(""), &json!("")));
    assert!(row("OMG-USD").is_none());
    let two = get(&fake, "/api/v3/brokerage/market/products?product_ids=BTC-USD&product_ids=ETH-USD").await.json();
    assert_eq!(two["num_products"], 2);
    let unknown = get(&fake, "/api/v3/brokerage/market/products/FOO-BAR").await;
    assert_eq!((unknown.status, &unknown.json()["error"]), (404, &json!("NOT_FOUND")));
    assert_eq!(get(&fake, "/api/v3/brokerage/accounts").await.body, "Unauthorized\n");
    assert!(get(&fake, "/api/v3/brokerage/time").await.json()["epochMillis"].is_string());
}
