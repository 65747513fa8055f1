//! Bybit, spoken right and wrong.

use std::time::Duration;

use crate::client::{Client, fake, fake_with, get};
use fake_venues::{Fault, Venue};
use serde_json::{Value, json};

const PATH: &str = "/v5/public/spot";

fn subscribe(topics: &[&str]) -> Value {
    json!({"req_id": "t-1", "op": "subscribe", "args": topics})
}

#[tokio::test]
async fn the_ticker_has_no_book_and_the_book_repeats_itself() {
    let fake = fake_with(Venue::Bybit, |times| times.book_repeat = Duration::from_millis(100));
    let mut client = Client::dial(&fake, PATH).await;
    client.say(subscribe(&["tickers.ICXUSDT", "orderbook.1.ICXUSDT"])).await;
    let ack = client.json().await;
    assert_eq!((&ack["success"], &ack["ret_msg"], &ack["req_id"]), (&json!(true), &json!("subscribe"), &json!("t-1")));
    let ticker = client.find(|frame| frame["topic"] == "tickers.ICXUSDT").await;
    assert!(ticker["type"] == "snapshot" && ticker["data"].get("bid1Price").is_none());
    let book = client.find(|frame| frame["topic"] == "orderbook.1.ICXUSDT").await;
    let again = client.json().await;
    assert_eq!(book["data"], again["data"]);
    let entry = fake.ledger("ICXUSDT").unwrap();
    assert_eq!(entry.last.as_deref(), ticker["data"]["lastPrice"].as_str());
    assert_eq!(entry.bid.as_deref(), book["data"]["b"][0][0].as_str());
}

#[tokio::test]
async fn one_bad_topic_fails_the_whole_request() {
    let fake = fake(Venue::Bybit);
    let mut client = Client::dial(&fake, PATH).await;
    let eleven: Vec<String> = (0..11).map(|at| format!("tickers.COIN{at}")).collect();
    let eleven: Vec<&str> = eleven.iter().map(String::as_str).collect();
    let cases: [(&[&str], &str); 4] = [
        (&["tickers.BTCUSDT", "tickers.NOPEUSDT"], "Invalid symbol :[tickers.NOPEUSDT]"),
        (&["tickers.BTCUSDT", "trades.BTCUSDT"], "error:handler not found,topic:trades.BTCUSDT"),
        (&["tickers.BTCUSDT", "tickers.BTCUSDT"], "error:already subscribed,topic:tickers.BTCUSDT"),
        (&eleven, "args size >10"),
    ];
    for (topics, problem) in cases {
        client.say(subscribe(topics)).await;
        let answer = client.json().await;
        assert_eq!((&answer["success"], &answer["ret_msg"]), (&json!(false), &json!(problem)));
    }
    client.say(json!({"op": "sub"})).await;
    assert_eq!(client.json().await["ret_msg"], "error:invalid op");
    assert!(client.quiet(Duration::from_millis(200)).await && fake.seen().connections[0].subscriptions.is_empty());
}

#[tokio::test]
async fn holds_at_most_21000_characters_of_topics() {
    let fake =
        fake_venues::start(Venue::Bybit, fake_venues::Options { symbols: Some(1_200), ..Default::default() }).unwrap();
    let mut client = Client::dial(&fake, PATH).await;
    let symbols: Vec<String> =
        fake.market().listings().iter().map(|listing| format!("tickers.{}", listing.quote.symbol)).collect();
    let mut characters = 0;
    for topics in symbols.chunks(10) {
        characters += topics.iter().map(String::len).sum::<usize>();
        client.say(subscribe(&topics.iter().map(String::as_str).collect::<Vec<_>>())).await;
        let answer = client.find(|frame| frame["op"] == "subscribe").await;
        assert_eq!(answer["success"], characters <= 21_000);
        if characters > 21_000 {
            return;
        }
    }
    panic!("never refused");
}

#[tokio::test]
async fn pongs_without_the_id_and_cuts_the_silent() {
    let fake = fake_with(Venue::Bybit, |times| times.idle = Duration::from_secs(2));
    let mut client = Client::dial(&fake, PATH).await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(600)).await;
        client.say(r#"{"req_id":"p-1","op":"ping"}"#).await;
        let pong = client.json().await;
        assert_eq!((&pong["ret_msg"], &pong["op"], pong.get("req_id")), (&json!("pong"), &json!("ping"), None));
    }
    client.closed().await;
    assert_eq!(fake.seen().connections[0].violations, ["no ping within the idle time"]);
}

#[tokio::test]
async fn rest_ignores_paging_and_answers_200() {
    let fake = fake(Venue::Bybit);
    let rows = get(&fake, "/v5/market/instruments-info?category=spot&limit=2").await.json();
    assert!(rows["result"]["list"].as_array().unwrap().len() > 20 && rows["result"].get("nextPageCursor").is_none());
    let ticker = get(&fake, "/v5/market/tickers?category=spot&symbol=BTCUSDT").await.json();
    assert!(ticker["result"]["list"][0]["bid1Price"].is_string());
    let unknown = get(&fake, "/v5/market/tickers?category=spot&symbol=NOPE").await;
    assert_eq!((unknown.status, &unknown.json()["retCode"]), (200, &json!(10_001)));
    assert_eq!(get(&fake, "/v5/market/nothing").await.status, 404);
    fake.inflict(Fault::Maintenance);
    assert_eq!(get(&fake, "/v5/system/status").await.json()["result"]["list"][0]["state"], "ongoing");
    assert_eq!(get(&fake, "/v5/market/time").await.json()["retCode"], 10_016);
}

#[tokio::test]
async fn the_status_socket_tells_of_maintenance() {
    let fake = fake(Venue::Bybit);
    let mut client = Client::dial(&fake, "/v5/public/misc/status").await;
    client.say(subscribe(&["system.status"])).await;
    assert_eq!(client.json().await["success"], true);
    fake.inflict(Fault::Maintenance);
    assert_eq!(client.json().await["data"][0]["state"], "ongoing");
    fake.clear();
    assert_eq!(client.json().await["data"][0]["state"], "completed");
}
