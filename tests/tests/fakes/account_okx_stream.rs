//! OKX's private stream, spoken right and wrong.

use std::time::Duration;

use crate::client::okx::{Known, login, private};
use crate::client::sign::now;
use crate::client::{Client, PATIENCE, fake, fake_with, number, said};
use fake_venues::account::{Category, KeyState, Role, Side};
use fake_venues::{Fault, Fixed, Options, Venue, start};
use serde_json::{Value, json};

const PATH: &str = "/ws/v5/private";
const ALL: &str = r#"{"id":"p1","op":"subscribe","args":[{"channel":"account","extraParams":"{\"updateInterval\":\"0\"}"},{"channel":"positions","instType":"ANY","extraParams":"{\"updateInterval\":\"0\"}"},{"channel":"orders","instType":"ANY"},{"channel":"balance_and_position"}]}"#;

fn on(channel: &'static str) -> impl Fn(&Value) -> bool {
    move |frame| frame["arg"]["channel"] == channel && frame.get("data").is_some()
}

#[tokio::test]
async fn logins_are_refused_with_their_codes() {
    let fake = fake(Venue::Okx);
    let key = fake.key();
    let with = |id: &str, secret: &str, passphrase: &str| {
        let mut key = key.clone();
        (key.id, key.secret, key.passphrase) = (id.to_owned(), secret.to_owned(), passphrase.to_owned());
        key
    };
    for (key, off, code) in [
        (with("nobody", &key.secret, &key.passphrase), 0, "60005"),
        (with(&key.id, "wrong", &key.passphrase), 0, "60007"),
        (with(&key.id, &key.secret, "wrong"), 0, "60024"),
        (key.clone(), 40, "60006"),
        (key.clone(), -40, "60006"),
    ] {
        let mut client = Client::dial(&fake, PATH).await;
        client.say(login(&key, now() / 1_000 + off)).await;
        let answer = client.json().await;
        assert_eq!((&answer["event"], &answer["code"]), (&json!("error"), &json!(code)));
        assert_eq!(client.closed().await, 4001);
        tokio::time::sleep(Duration::from_millis(350)).await;
    }
    fake.inflict(Fault::RefuseLogins);
    let mut client = Client::dial(&fake, PATH).await;
    client.say(login(&key, now() / 1_000)).await;
    assert_eq!(client.json().await["code"], "60009");
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn without_a_login_there_is_nothing() {
    let fake = fake(Venue::Okx);
    let mut client = Client::dial(&fake, PATH).await;
    client.say(ALL).await;
    assert_eq!(client.json().await["code"], "60011");
    client.say(login(&fake.key(), now() / 1_000)).await;
    assert_eq!(client.json().await["event"], "login");
    client.say(login(&fake.key(), now() / 1_000)).await;
    assert_eq!(client.json().await["code"], "60031");
    client.say(r#"{"op":"subscribe","args":[{"channel":"orders"},{"channel":"tickers","instId":"BTC-USDT"}]}"#).await;
    assert_eq!(client.json().await["code"], "60018");
    assert_eq!(client.json().await["code"], "60018");
    assert_eq!(fake.violations().len(), 4);
    fake.change_key(|key| key.state = KeyState::Unknown);
    assert_eq!(client.closed().await, 4007);
}

#[tokio::test]
async fn snapshots_come_in_pages_and_updates_hold_what_changed() {
    let fake = fake(Venue::Okx);
    let mut client = private(&fake).await;
    client.say(ALL).await;
    let ack = client.json().await;
    assert_eq!((&ack["event"], &ack["id"], ack["arg"].get("extraParams")), (&json!("subscribe"), &json!("p1"), None));
    assert_eq!(client.json().await["event"], "channel-conn-count");
    let (first, second) = (client.json().await, client.json().await);
    assert_eq!(
        (&first["eventType"], &first["curPage"], &first["lastPage"]),
        (&json!("snapshot"), &json!(1), &json!(false))
    );
    assert_eq!((&second["curPage"], &second["lastPage"]), (&json!(2), &json!(true)));
    let positions = client.find(on("positions")).await;
    assert_eq!(positions["data"].as_array().unwrap().len(), fake.books().positions.len());
    client.find(on("balance_and_position")).await;

    let order = fake.place("BTC-USDT", Side::Buy, number("50000"), number("0.002")).unwrap();
    let update = client.find(on("account")).await;
    assert_eq!((&update["eventType"], update.get("curPage")), (&json!("event_update"), None));
    let details = update["data"][0]["details"].as_array().unwrap();
    assert_eq!((details.len(), &details[0]["ccy"]), (1, &json!("USDT")));
    assert_eq!(said(&details[0], "frozenBal"), fake.books().money("trading", "USDT").locked);
    let row = client.find(on("orders")).await["data"][0].clone();
    assert_eq!((&row["ordId"], &row["state"], &row["tradeId"]), (&json!(order), &json!("live"), &json!("")));

    fake.set_fees(number("-0.0001"), number("0.001"));
    fake.fill(&order, number("0.0005"), Role::Maker).unwrap();
    client.find(on("account")).await;
    let cash = client.find(on("balance_and_position")).await["data"][0].clone();
    assert_eq!((&cash["eventType"], cash["balData"].as_array().unwrap().len()), (&json!("filled"), 2));
    let row = client.find(on("orders")).await["data"][0].clone();
    assert_eq!(
        (&row["state"], &row["execType"], &row["fillSz"]),
        (&json!("partially_filled"), &json!("M"), &json!("0.0005"))
    );
    assert_eq!(said(&row, "fillFee"), -fake.books().fills.last().unwrap().fee);
    assert!(said(&row, "fillFee") > Fixed::ZERO, "a rebate is positive");

    fake.move_mark(Category::Linear, "BTC-USDT-SWAP", number("80000")).unwrap();
    assert!(client.quiet(Duration::from_millis(100)).await, "marks are told with the regular pushes");
    fake.close_position(Category::Linear, "BTC-USDT-SWAP").unwrap();
    let row = client.find(on("positions")).await["data"][0].clone();
    assert_eq!((&row["pos"], &row["avgPx"]), (&json!("0"), &json!("")));
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn whoever_listens_knows_the_books_even_if_told_twice_and_out_of_order() {
    for faults in [&[][..], &[Fault::RepeatEvents], &[Fault::SwapEvents, Fault::RepeatEvents]] {
        let tick = Duration::from_millis(10);
        let fake = start(Venue::Okx, Options { tick, frozen: true, trader: Some(tick), ..Options::default() }).unwrap();
        let before = fake.books().fills.len();
        faults.iter().for_each(|fault| fake.inflict(fault.clone()));
        let mut client = private(&fake).await;
        let mut known = Known::default();
        client.say(ALL).await;
        known.hear_all(&mut client).await;
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
async fn what_happens_while_the_socket_is_down_is_lost() {
    let fake = fake(Venue::Okx);
    let mut public = Client::dial(&fake, "/ws/v5/public").await;
    let mut client = private(&fake).await;
    fake.inflict(Fault::Close.private());
    assert_eq!(client.closed().await, 1001);
    let order = fake.place("BTC-USDT", Side::Buy, number("50000"), number("0.001")).unwrap();
    let mut client = private(&fake).await;
    client.say(r#"{"op":"subscribe","args":[{"channel":"orders","instType":"SPOT"}]}"#).await;
    client.find(|frame| frame["event"] == "channel-conn-count").await;
    assert!(client.quiet(Duration::from_millis(100)).await);
    fake.inflict(Fault::Silent.private());
    tokio::time::sleep(Duration::from_millis(50)).await;
    fake.fill(&order, number("0.0005"), Role::Taker).unwrap();
    assert!(client.quiet(Duration::from_millis(100)).await);
    fake.clear();
    tokio::time::sleep(Duration::from_millis(50)).await;
    fake.cancel(&order).unwrap();
    assert_eq!(client.find(on("orders")).await["data"][0]["state"], "canceled");
    public.say("ping").await;
    assert_eq!(public.text().await, "pong");
    let seen = fake.seen();
    assert_eq!(seen.connections.iter().map(|it| it.private).collect::<Vec<_>>(), [false, true, true]);
}

#[tokio::test]
async fn the_quiet_are_cut_and_garbage_comes_between() {
    let idle = fake_with(Venue::Okx, |times| times.idle = Duration::from_secs(2));
    assert_eq!(private(&idle).await.closed().await, 4004);
    let fake = fake(Venue::Okx);
    let mut client = private(&fake).await;
    fake.inflict(Fault::Garbage { kind: None }.private());
    client.say(ALL).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    for asset in ["BTC", "SOL", "USDC", "ETH"] {
        fake.deposit("trading", asset, number("1.5"));
    }
    let mut broken = 0;
    loop {
        match client.frame().await.unwrap().unwrap().into_text() {
            Ok(text) => match serde_json::from_str::<Value>(&text) {
                Ok(frame) if frame["eventType"] == "event_update" && frame["data"][0]["details"][0]["ccy"] == "ETH" => {
                    break;
                }
                Ok(_) => {}
                Err(_) => broken += 1,
            },
            Err(_) => broken += 1,
        }
    }
    assert!(broken > 0);
}
