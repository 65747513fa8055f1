//! Bybit's private stream, spoken right and wrong.

use std::time::Duration;

use crate::client::bybit::{Known, auth, private};
use crate::client::sign::now;
use crate::client::{Client, PATIENCE, fake, fake_with, number, said};
use fake_venues::account::{Category, KeyState, Role, Side};
use fake_venues::{Fault, Options, Venue, start};
use serde_json::{Value, json};

const PATH: &str = "/v5/private";
const ALL: &[&str] = &["wallet", "position", "order", "execution"];

fn on(topic: &'static str) -> impl Fn(&Value) -> bool {
    move |frame| frame["topic"] == topic
}

#[tokio::test]
async fn logins_are_refused() {
    let fake = fake(Venue::Bybit);
    let key = fake.key();
    let with = |id: &str, secret: &str| {
        let mut key = key.clone();
        (key.id, key.secret) = (id.to_owned(), secret.to_owned());
        key
    };
    for (key, off) in [(with("nobody", "x"), 10_000), (with(&key.id, "wrong"), 10_000), (key.clone(), -10)] {
        let mut client = Client::dial(&fake, PATH).await;
        client.say(auth(&key, now() + off)).await;
        let answer = client.json().await;
        assert_eq!((&answer["success"], &answer["op"]), (&json!(false), &json!("auth")));
        client.closed().await;
    }
    fake.inflict_next(Fault::RefuseLogins);
    let mut client = Client::dial(&fake, PATH).await;
    client.say(auth(&key, now() + 10_000)).await;
    assert_eq!(client.json().await["success"], false);
    assert_eq!(fake.violations(), [""; 0]);
    let mut client = private(&fake, ALL).await;
    fake.change_key(|key| key.state = KeyState::Unknown);
    client.closed().await;
}

#[tokio::test]
async fn topics_are_refused_all_together() {
    let fake = fake(Venue::Bybit);
    let mut client = Client::dial(&fake, PATH).await;
    client.say(json!({"op": "subscribe", "args": ["order"]})).await;
    assert_eq!(client.json().await["ret_msg"], "error:topic:order needs auth first");
    let mut client = private(&fake, &["wallet", "order.spot"]).await;
    for args in [json!(["position", "orders"]), json!(["execution", "execution.spot"]), json!(["wallet"]), json!([])] {
        client.say(json!({"req_id": "s", "op": "subscribe", "args": args})).await;
        let answer = client.json().await;
        assert_eq!((&answer["success"], &answer["req_id"]), (&json!(false), &json!("s")), "{args}");
    }
    assert_eq!(fake.seen().connections[1].subscriptions, ["order.spot", "wallet"]);
    client.say(r#"{"req_id":"p-1","op":"ping"}"#).await;
    let pong = client.json().await;
    assert_eq!((&pong["op"], &pong["req_id"]), (&json!("pong"), &json!("p-1")));
    fake.place_on(Category::Linear, "BTCUSDT", Side::Buy, number("50000"), number("0.01")).unwrap();
    fake.place("BTCUSDT", Side::Buy, number("50000"), number("0.001")).unwrap();
    assert_eq!(client.find(on("order.spot")).await["data"][0]["category"], "spot");
}

#[tokio::test]
async fn every_change_is_told_on_its_topics() {
    let fake = fake(Venue::Bybit);
    let mut client = private(&fake, ALL).await;
    assert!(client.quiet(Duration::from_millis(100)).await, "there is no snapshot");
    let order = fake.place("BTCUSDT", Side::Buy, number("50000"), number("0.002")).unwrap();
    let row = client.find(on("order")).await["data"][0].clone();
    assert_eq!((&row["orderId"], &row["orderStatus"]), (&json!(order), &json!("New")));
    let coins = client.find(on("wallet")).await["data"][0]["coin"].clone();
    assert_eq!((coins.as_array().unwrap().len(), &coins[0]["coin"]), (1, &json!("USDT")));
    assert_eq!(said(&coins[0], "locked"), fake.books().money("unified", "USDT").locked);

    fake.fill(&order, number("0.0005"), Role::Maker).unwrap();
    let row = client.find(on("execution")).await["data"][0].clone();
    assert_eq!((&row["isMaker"], &row["category"]), (&json!(true), &json!("spot")));
    assert_eq!((said(&row, "execFee"), &row["feeCurrency"]), (fake.books().fills.last().unwrap().fee, &json!("BTC")));
    fake.cancel(&order).unwrap();
    let row = client.find(|frame| frame["data"][0]["orderStatus"] == "PartiallyFilledCanceled").await;
    assert_eq!(row["data"][0]["cumExecQty"], "0.0005");
    client.find(on("wallet")).await;

    fake.move_mark(Category::Linear, "BTCUSDT", number("80000")).unwrap();
    assert!(client.quiet(Duration::from_millis(100)).await, "marks are not told");
    fake.place_on(Category::Linear, "BTCUSDT", Side::Buy, number("50000"), number("0.01")).unwrap();
    let row = client.find(on("position")).await["data"][0].clone();
    assert!(row["size"] == "0.05" && row.get("avgPrice").is_none() && said(&row, "entryPrice") > number("1"));
    fake.close_position(Category::Linear, "BTCUSDT").unwrap();
    let row = client.find(|frame| frame["topic"] == "position" && frame["data"][0]["size"] == "0").await;
    assert_eq!(row["data"][0]["side"], "");
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn whoever_listens_knows_the_books_even_if_told_twice_and_out_of_order() {
    for faults in [&[][..], &[Fault::RepeatEvents], &[Fault::SwapEvents, Fault::RepeatEvents]] {
        let tick = Duration::from_millis(10);
        let fake =
            start(Venue::Bybit, Options { tick, frozen: true, trader: Some(tick), ..Options::default() }).unwrap();
        let before = fake.books().fills.len();
        faults.iter().for_each(|fault| fake.inflict(fault.clone()));
        let mut client = private(&fake, ALL).await;
        let mut known = Known::default();
        fake.freeze(false);
        while fake.books().fills.len() < before + 20 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(fake.settle(PATIENCE).await);
        known.hear_all(&mut client).await;
        known.agrees_with(&fake);
        assert!(known.fills.len() >= 20 && known.fills.len() == fake.books().fills.len() - before);
        assert_eq!(fake.violations(), [""; 0]);
    }
}

#[tokio::test]
async fn the_quiet_are_cut_and_the_private_alone_are_struck() {
    let idle = fake_with(Venue::Bybit, |times| times.idle = Duration::from_secs(2));
    let mut client = private(&idle, ALL).await;
    client.closed().await;
    let mut client = Client::dial(&idle, "/v5/private?max_active_time=30s").await;
    assert!(client.quiet(Duration::from_millis(2_500)).await);
    let fake = fake(Venue::Bybit);
    let mut public = Client::dial(&fake, "/v5/public/spot").await;
    let mut client = private(&fake, ALL).await;
    fake.inflict(Fault::Reset.private());
    assert_eq!(client.closed().await, 1006);
    public.say(r#"{"op":"ping"}"#).await;
    assert_eq!(public.json().await["ret_msg"], "pong");
    assert_eq!(idle.violations().len(), 1);
}
