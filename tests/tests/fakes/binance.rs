//! Binance, spoken right and wrong.

use std::time::{Duration, Instant};

use crate::client::{Client, fake, fake_with, get};
use fake_venues::{Fault, Venue};
use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

fn subscribe(id: Value, streams: &[&str]) -> Value {
    json!({"method": "SUBSCRIBE", "params": streams, "id": id})
}

#[tokio::test]
async fn acknowledges_in_the_type_of_the_id() {
    let fake = fake_with(Venue::Binance, |times| times.ticker = Duration::from_millis(50));
    let mut client = Client::dial(&fake, "/ws").await;
    for id in [json!(1), json!("a1"), json!(null)] {
        client.say(subscribe(id.clone(), &["btcusdt@ticker", "这是测试币456@bookTicker", "nosuch@ticker"])).await;
        assert_eq!(client.find(|frame| frame.get("result").is_some()).await, json!({"result": null, "id": id}));
    }
    let ticker = client.find(|frame| frame["e"] == "24hrTicker").await;
    let percent: f64 = ticker["P"].as_str().unwrap().parse().unwrap();
    let (last, open): (f64, f64) =
        (ticker["c"].as_str().unwrap().parse().unwrap(), ticker["o"].as_str().unwrap().parse().unwrap());
    assert!((percent - (last / open - 1.0) * 100.0).abs() < 0.002);
    let book = client.find(|frame| frame.get("u").is_some()).await;
    assert_eq!(book["s"], "这是测试币456");
    assert!(book.get("e").is_none() && book.get("E").is_none());
}

#[tokio::test]
async fn wraps_events_of_combined_streams_but_no_answers() {
    let fake = fake(Venue::Binance);
    let mut client = Client::dial(&fake, "/stream?streams=btcusdt@bookTicker/ethusdt@bookTicker").await;
    let event = client.find(|frame| frame["stream"] == "ethusdt@bookTicker").await;
    assert_eq!(event["data"]["s"], "ETHUSDT");
    client.say(r#"{"method":"LIST_SUBSCRIPTIONS","id":3}"#).await;
    let list = client.find(|frame| frame["id"] == 3).await;
    assert_eq!(list["result"], json!(["btcusdt@bookTicker", "ethusdt@bookTicker"]));
    fake.inflict(Fault::Shutdown { ms: Some(30) });
    client.find(|frame| frame["stream"] == "!serverShutdown" && frame["data"]["e"] == "serverShutdown").await;
    assert_eq!(client.closed().await, 1001);
}

#[tokio::test]
async fn refuses_nonsense_in_both_shapes() {
    let fake = fake(Venue::Binance);
    let mut client = Client::dial(&fake, "/ws").await;
    client.say("{").await;
    assert_eq!(client.json().await["code"], 3);
    client.say(r#"{"method":"SUB","params":["x@y"],"id":1}"#).await;
    assert_eq!(client.json().await["code"], 2);
    client.say(subscribe(json!(2), &["btcusdt"])).await;
    assert_eq!(client.json().await, json!({"error": {"code": 2, "msg": "Invalid request: invalid stream"}, "id": 2}));
    client.say(subscribe(json!(1.5), &["btcusdt@ticker"])).await;
    assert_eq!(client.json().await["code"], 2);
    assert!(fake.seen().connections[0].subscriptions.is_empty());
}

#[tokio::test]
async fn an_upper_case_name_is_acknowledged_and_silent() {
    let fake = fake(Venue::Binance);
    let mut client = Client::dial(&fake, "/ws").await;
    client.say(subscribe(json!(1), &["BTCUSDT@bookTicker"])).await;
    assert_eq!(client.json().await["result"], json!(null));
    assert!(client.quiet(Duration::from_millis(300)).await);
}

#[tokio::test]
async fn the_sixth_message_in_a_second_ends_it() {
    // Control frames count like any other.
    let said = Message::text(r#"{"method":"LIST_SUBSCRIPTIONS","id":1}"#);
    let six =
        [said.clone(), said.clone(), said.clone(), said, Message::Ping(vec![].into()), Message::Pong(vec![].into())];
    let fake = fake(Venue::Binance);
    loop {
        let mut client = Client::dial(&fake, "/ws").await;
        let began = Instant::now();
        for message in six.clone() {
            client.0.send(message).await.unwrap();
        }
        // Slower than that there is nothing to complain of.
        if began.elapsed() < Duration::from_secs(1) {
            assert_eq!(client.closed().await, 1008);
            break;
        }
    }
}

#[tokio::test]
async fn holds_at_most_1024_streams_and_ignores_endless_lists() {
    let fake = fake(Venue::Binance);
    let mut client = Client::dial(&fake, "/ws").await;
    let names: Vec<String> = (0..1025).map(|at| format!("coin{at}usdt@ticker")).collect();
    let part = |from: usize, to: usize| {
        subscribe(json!(from), &names[from..to].iter().map(String::as_str).collect::<Vec<_>>())
    };
    for (from, to) in [(0, 400), (400, 800), (800, 1024)] {
        client.say(part(from, to)).await;
        assert_eq!(client.json().await["id"], from);
    }
    client.say(part(1024, 1025)).await;
    assert_eq!(client.json().await["error"]["code"], 2);
    let mut other = Client::dial(&fake, "/ws").await;
    other.say(part(0, 500)).await;
    assert!(other.quiet(Duration::from_millis(200)).await);
}

#[tokio::test]
async fn pings_and_cuts_whoever_does_not_answer() {
    let fake = fake_with(Venue::Binance, |times| {
        times.server_ping = Duration::from_millis(250);
        times.pong_within = Duration::from_secs(2);
    });
    let mut answering = Client::dial(&fake, "/ws").await;
    let mut mute = Client::dial(&fake, "/ws").await;
    // Reading is answering: the library sends the pongs, less than five a second. The mute one does not read.
    assert!(answering.quiet(Duration::from_millis(3_000)).await);
    assert_eq!(mute.closed().await, 1008);
    assert_eq!(fake.seen().connections[1].violations, ["a ping was not answered in time"]);
}

#[tokio::test]
async fn cuts_at_the_end_of_a_lifetime() {
    let fake = fake_with(Venue::Binance, |times| times.lifetime = Some(Duration::from_millis(200)));
    let dialled = Instant::now();
    assert_eq!(Client::dial(&fake, "/ws").await.closed().await, 1001);
    assert!(dialled.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn rest_lists_tickers_and_weighs() {
    let fake = fake(Venue::Binance);
    let info = get(&fake, "/api/v3/exchangeInfo").await;
    assert!(info.head.contains("x-mbx-used-weight-1m: 20"));
    let info = info.json();
    let status = |symbol: &str| {
        info["symbols"].as_array().unwrap().iter().find(|row| row["symbol"] == symbol).unwrap()["status"].clone()
    };
    assert_eq!(
        [status("BTCUSDT"), status("LUNAUSDT"), status("WAVESUSDT"), status("OMGUSDT")],
        ["TRADING", "HALT", "CANCEL_ONLY", "BREAK"]
    );
    let untraded = get(&fake, "/api/v3/ticker/24hr?symbol=GHSTUSDT").await.json();
    assert_eq!((&untraded["firstId"], &untraded["lastPrice"]), (&json!(-1), &json!("0.00000000")));
    let two = get(
        &fake,
        "/api/v3/ticker/24hr?symbols=%5B%22BTCUSDT%22,%22%E8%BF%99%E6%98%AF%E6%B5%8B%E8%AF%95%E5%B8%81456%22%5D",
    )
    .await
    .json();
    assert_eq!(two.as_array().unwrap().len(), 2);
    assert_eq!(fake.rest_ledger("BTC-USDT").unwrap().last.as_deref(), two[0]["lastPrice"].as_str());
    let bad = get(&fake, "/api/v3/ticker/bookTicker?symbols=%5B%22BTCUSDT%22,%22NOPE%22%5D").await;
    assert_eq!((bad.status, bad.json()), (400, json!({"code": -1121, "msg": "Invalid symbol."})));
    assert_eq!(
        get(&fake, "/api/v3/exchangeInfo?symbolStatus=HALT").await.json()["symbols"].as_array().unwrap().len(),
        1
    );
    assert_eq!(get(&fake, "/api/v3/userDataStream").await.status, 410);
    assert_eq!(get(&fake, "/sapi/v1/system/status").await.json(), json!({"status": 0, "msg": "normal"}));
}

#[tokio::test]
async fn too_much_weight_is_429_and_going_on_is_418() {
    let fake = fake(Venue::Binance);
    let mut statuses = Vec::new();
    // 75 of 80 make 6000; a turn of the minute in between would start again.
    while statuses.last() != Some(&418) && statuses.len() < 200 {
        statuses.push(get(&fake, "/api/v3/ticker/24hr").await.status);
    }
    assert!(statuses.contains(&200) && statuses.contains(&429));
    assert_eq!(statuses.last(), Some(&418));
}
