//! KuCoin, spoken right and wrong.

#![expect(clippy::unwrap_used, reason = "a test fails where its helpers do")]

use std::time::Duration;

use crate::client::{Client, PATIENCE, fake, fake_with, get, request};
use fake_venues::{Fake, Fault, Venue};
use serde_json::{Value, json};

/// Fetches a ticket and escapes its token.
async fn path(fake: &Fake) -> String {
    let ticket = request(fake, "POST", "/api/v1/bullet-public", "").await.json();
    let server = &ticket["data"]["instanceServers"][0];
    assert_eq!(server["endpoint"], format!("{}/", fake.ws_url()));
    assert_eq!((&server["pingInterval"], &server["pingTimeout"]), (&json!(18_000), &json!(10_000)));
    let token = ticket["data"]["token"].as_str().unwrap();
    format!("/?token={}&connectId=c1", token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"))
}

async fn welcomed(fake: &Fake) -> Client {
    let mut client = Client::dial(fake, &path(fake).await).await;
    assert_eq!(client.json().await, json!({"id": "c1", "type": "welcome"}));
    client
}

fn subscribe(id: &Value, topic: &str) -> Value {
    json!({"id": id, "type": "subscribe", "topic": topic, "privateChannel": false, "response": true})
}

#[tokio::test]
async fn pushes_ticker_and_snapshot_under_single_topics() {
    let fake = fake_with(Venue::Kucoin, |times| times.ticker = Duration::from_millis(100));
    let mut client = welcomed(&fake).await;
    client.say(subscribe(&json!(7), "/market/ticker:BTC-USDT,ETH-USDT,NOPE-USDT")).await;
    assert_eq!(client.find(|frame| frame["type"] == "ack").await["id"], "7");
    client.say(subscribe(&json!("8"), "/market/snapshot:BTC-USDT,GHST-USDT")).await;
    let ticker = client.find(|frame| frame["topic"] == "/market/ticker:ETH-USDT").await;
    assert_eq!(ticker["subject"], "trade.ticker");
    assert!(ticker["data"]["price"].is_string() && ticker["data"].get("symbol").is_none());
    let snapshot = client.find(|frame| frame["topic"] == "/market/snapshot:BTC-USDT").await;
    assert!(snapshot["data"]["data"]["lastTradedPrice"].is_number());
    let untraded = client.find(|frame| frame["topic"] == "/market/snapshot:GHST-USDT").await;
    assert_eq!(untraded["data"]["data"]["lastTradedPrice"], json!(null));
    assert_eq!(fake.seen().connections[0].subscriptions.len(), 5);
    assert!(fake.settle(PATIENCE).await);
    assert!(fake.ledger("BTC-USDT").unwrap().quote_volume.is_some());
    assert!(fake.ledger("NOPE-USDT").is_none());
}

#[tokio::test]
async fn a_token_must_be_known_and_fresh() {
    let fake = fake(Venue::Kucoin);
    let path = path(&fake).await;
    let mut first = Client::dial(&fake, &path).await;
    assert_eq!(first.json().await["type"], "welcome");
    for bad in [path.as_str(), "/", "/?token=nonsense&connectId=c1"] {
        let mut client = Client::dial(&fake, bad).await;
        let error = client.json().await;
        assert_eq!(
            (&error["type"], &error["code"], &error["data"]),
            (&json!("error"), &json!(401), &json!("token is invalid"))
        );
        assert_eq!(client.closed().await, 1000);
    }
}

#[tokio::test]
async fn waits_to_be_heard_until_the_welcome() {
    let fake = fake_with(Venue::Kucoin, |times| times.welcome = Duration::from_millis(200));
    let mut client = Client::dial(&fake, &path(&fake).await).await;
    client.say(subscribe(&json!("1"), "/market/ticker:BTC-USDT")).await;
    assert_eq!(client.json().await["type"], "welcome");
    assert!(client.quiet(Duration::from_millis(200)).await);
    assert_eq!(fake.seen().connections[0].violations, ["spoke before the welcome"]);
}

#[tokio::test]
async fn refuses_with_the_documented_codes() {
    let fake = fake(Venue::Kucoin);
    let mut client = welcomed(&fake).await;
    let many = |from: usize, count: usize| {
        (from..from + count).map(|at| format!("COIN{at}-USDT")).collect::<Vec<_>>().join(",")
    };
    let cases = [
        (json!({"id": "1", "type": "shout"}), 415),
        (json!({"id": "1", "type": "subscribe"}), 406),
        (subscribe(&json!("1"), "/market/nothing:BTC-USDT"), 404),
        (subscribe(&json!("1"), "/account/balance"), 403),
        (subscribe(&json!("1"), &format!("/market/ticker:{}", many(0, 101))), 509),
    ];
    for (said, code) in cases {
        client.say(&said).await;
        assert_eq!(client.json().await["code"], code, "{said}");
    }
    client.say("hello").await;
    assert_eq!(client.json().await["code"], 400);
    for from in [0, 100, 200, 300] {
        client.say(subscribe(&json!(from), &format!("/market/ticker:{}", many(from, 100)))).await;
        assert_eq!(client.json().await, json!({"id": from.to_string(), "type": "ack"}));
    }
    client.say(subscribe(&json!("1"), "/market/ticker:BTC-USDT")).await;
    assert_eq!(client.json().await["data"], "exceed max subscription count limitation of 400 per session");
}

#[tokio::test]
async fn limits_messages_and_answers_pings() {
    let fake = fake(Venue::Kucoin);
    let mut client = welcomed(&fake).await;
    for at in 0..100 {
        client.say(json!({"id": format!("p{at}"), "type": "ping"})).await;
        let pong = client.json().await;
        assert_eq!((&pong["id"], &pong["type"]), (&json!(format!("p{at}")), &json!("pong")));
        assert!(pong["timestamp"].as_u64().unwrap() > 1_000_000_000_000_000);
    }
    client.say(json!({"id": "p", "type": "ping"})).await;
    assert_eq!(client.json().await["code"], 509);
}

#[tokio::test]
async fn cuts_the_silent_with_and_without_subscriptions() {
    let fake = fake_with(Venue::Kucoin, |times| times.idle = Duration::from_secs(2));
    let mut idle = welcomed(&fake).await;
    let mut busy = welcomed(&fake).await;
    busy.say(subscribe(&json!("1"), "/market/ticker:ICX-USDT")).await;
    assert_eq!(idle.json().await["data"], "ping timeout");
    assert_eq!((idle.closed().await, busy.closed().await), (1000, 1000));
    assert_eq!(fake.seen().connections[1].end.as_deref(), Some("1000 Bye"));
}

#[tokio::test]
async fn rest_has_renamed_and_disabled_symbols_and_quota_headers() {
    let fake = fake(Venue::Kucoin);
    let symbols = get(&fake, "/api/v2/symbols").await;
    assert!(symbols.head.contains("gw-ratelimit-limit: 2000") && symbols.head.contains("gw-ratelimit-remaining: 1996"));
    let symbols = symbols.json();
    let row =
        |symbol: &str| symbols["data"].as_array().unwrap().iter().find(|row| row["symbol"] == symbol).unwrap().clone();
    assert_eq!((&row("BCHSV-USDT")["name"], &row("LUNA-USDT")["enableTrading"]), (&json!("BSV-USDT"), &json!(false)));
    let tickers = get(&fake, "/api/v1/market/allTickers").await.json();
    let ticker = |symbol: &str| {
        tickers["data"]["ticker"].as_array().unwrap().iter().find(|row| row["symbol"] == symbol).unwrap().clone()
    };
    assert_eq!((&ticker("GHST-USDT")["last"], &ticker("LUNA-USDT")["vol"]), (&json!(null), &json!(null)));
    assert_eq!(get(&fake, "/api/v1/status").await.json()["data"]["status"], "open");
    fake.inflict(Fault::Maintenance);
    assert_eq!(get(&fake, "/api/v1/status").await.json()["data"]["status"], "close");
    assert_eq!(request(&fake, "POST", "/api/v1/bullet-public", "").await.status, 503);
}
