//! KuCoin's private streams, spoken right and wrong.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where its helpers do")]

use std::time::Duration;

use crate::client::kucoin::{FUTURES, Raw, bare, listen, private, topic_of, way};
use crate::client::sign::{base64, now};
use crate::client::{Client, PATIENCE, fake, fake_with, number, said};
use fake_venues::account::{Category, Key, Role, Side};
use fake_venues::{Fault, Fixed, Venue};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// The types of the next frames of one topic.
async fn types(client: &mut Client, count: usize) -> Vec<Value> {
    let mut types = Vec::new();
    for _ in 0..count {
        types.push(client.json().await["data"].clone());
    }
    types
}

fn named(frames: &[Value]) -> Vec<(&str, &str)> {
    frames.iter().map(|data| (data["type"].as_str().unwrap(), data["status"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn orders_are_told_step_by_step() {
    let fake = fake(Venue::Kucoin);
    let mut client = private(&fake, "").await;
    listen(&mut client, "/spotMarket/tradeOrdersV2").await;
    assert!(client.quiet(Duration::from_millis(100)).await, "there is no snapshot");
    let order = fake.place("BTC-USDT", Side::Buy, number("50000.5"), number("0.002")).unwrap();
    let placed = types(&mut client, 2).await;
    assert_eq!(named(&placed), [("received", "new"), ("open", "open")]);
    assert!(placed[0].get("price").is_none() && placed[0]["orderId"] == order.as_str());
    let fill = fake.fill(&order, number("0.0005"), Role::Maker).unwrap();
    let matched = types(&mut client, 1).await;
    assert_eq!(named(&matched), [("match", "match")]);
    assert_eq!((&matched[0]["tradeId"], &matched[0]["liquidity"]), (&json!(fill), &json!("maker")));
    assert_eq!((said(&matched[0], "remainSize"), said(&matched[0], "matchSize")), (number("0.0015"), number("0.0005")));
    let books = fake.books();
    assert_eq!(matched[0]["ts"], books.order(&order).unwrap().updated_at * 1_000_000);
    assert_eq!(matched[0]["orderTime"], books.order(&order).unwrap().created_at);
    fake.cancel(&order).unwrap();
    let ended = types(&mut client, 1).await;
    assert_eq!(named(&ended), [("canceled", "done")]);
    assert_eq!((said(&ended[0], "canceledSize"), said(&ended[0], "remainSize")), (number("0.0015"), Fixed::ZERO));
    let order = fake.place("ETH-USDT", Side::Sell, number("4000"), number("0.01")).unwrap();
    fake.fill(&order, number("0.01"), Role::Taker).unwrap();
    let all = types(&mut client, 4).await;
    assert_eq!(named(&all), [("received", "new"), ("open", "open"), ("match", "match"), ("filled", "done")]);
    assert!(fake.settle(PATIENCE).await && fake.seen().connections[0].private);
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn balances_follow_the_books() {
    let fake = fake(Venue::Kucoin);
    let mut client = private(&fake, "").await;
    listen(&mut client, "/account/balance").await;
    let order = fake.place("BTC-USDT", Side::Buy, number("50000"), number("0.002")).unwrap();
    let held = client.json().await["data"].clone();
    assert_eq!((&held["relationEvent"], &held["relationContext"]["orderId"]), (&json!("trade.hold"), &json!(order)));
    assert_eq!((said(&held, "availableChange"), said(&held, "holdChange")), (number("-100"), number("100")));
    fake.fill(&order, number("0.002"), Role::Maker).unwrap();
    fake.deposit("main", "SOL", number("1.5"));
    fake.transfer("main", "trade", "SOL", number("0.5")).unwrap();
    let told = types(&mut client, 5).await;
    let events: Vec<&str> = told.iter().map(|data| data["relationEvent"].as_str().unwrap()).collect();
    assert_eq!(events, ["trade.setted", "trade.setted", "main.deposit", "main.transfer", "trade.transfer"]);
    let books = fake.books();
    for data in told.iter().filter(|data| data["relationEvent"] != "main.deposit") {
        let wallet = data["relationEvent"].as_str().unwrap().split('.').next().unwrap();
        let money = books.money(wallet, data["currency"].as_str().unwrap());
        let sides = (said(data, "total"), said(data, "available"), said(data, "hold"));
        assert_eq!(sides, (money.total(), money.free, money.locked), "{data}");
    }
}

/// The data of the next frame as it was written, and its topic.
async fn written(client: &mut Client) -> (String, Raw) {
    let text = client.text().await;
    let frame: Raw = serde_json::from_str(&text).unwrap();
    (serde_json::from_str(frame["topic"].get()).unwrap(), serde_json::from_str(frame["data"].get()).unwrap())
}

#[tokio::test]
async fn positions_are_merged_from_what_moves() {
    let fake = fake(Venue::Kucoin);
    let mut client = private(&fake, FUTURES).await;
    listen(&mut client, "/contract/positionAll").await;
    fake.move_mark(Category::Linear, "XBTUSDTM", number("91000.5")).unwrap();
    let (topic, moved) = written(&mut client).await;
    let books = fake.books();
    let held = books.position(Category::Linear, "XBTUSDTM").unwrap();
    assert!(topic == "/contract/position:XBTUSDTM" && !moved.contains_key("symbol"));
    assert!(!moved.contains_key("currentQty") && !moved.contains_key("changeReason"));
    assert_eq!((bare(&moved, "markPrice"), bare(&moved, "unrealisedPnl")), (held.mark, held.unrealised));
    fake.open_position(Category::Linear, "ETHUSDTM", Side::Sell, number("7"), number("3000"), number("5")).unwrap();
    let (_, opened) = written(&mut client).await;
    assert_eq!((bare(&opened, "currentQty"), opened["changeReason"].get()), (number("-7"), r#""positionChange""#));
    fake.close_position(Category::Linear, "ETHUSDTM").unwrap();
    let (_, closed) = written(&mut client).await;
    assert_eq!((bare(&closed, "currentQty"), closed["isOpen"].get()), (Fixed::ZERO, "false"));
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn the_futures_wallet_and_orders_are_told() {
    let fake = fake(Venue::Kucoin);
    let mut client = private(&fake, FUTURES).await;
    listen(&mut client, "/contractAccount/wallet").await;
    fake.deposit("futures", "USDT", number("5"));
    let first = client.json().await["data"].clone();
    fake.move_mark(Category::Linear, "XBTUSDTM", number("91000.5")).unwrap();
    let second = client.json().await["data"].clone();
    let books = fake.books();
    let held = books.money("futures", "USDT").total();
    assert_eq!((said(&first, "walletBalance"), said(&second, "walletBalance")), (held, held));
    assert_eq!(said(&second, "equity"), held + books.unrealised("USDT"));
    assert!(first["version"] == second["version"] && said(&first, "timestamp") < said(&second, "timestamp"));
    let mut client = private(&fake, FUTURES).await;
    listen(&mut client, "/contractMarket/tradeOrders:ETHUSDTM").await;
    fake.open_position(Category::Linear, "XBTUSDTM", Side::Buy, number("1"), number("90000"), number("5")).unwrap();
    let order = fake.place_on(Category::Linear, "ETHUSDTM", Side::Buy, number("2000"), number("3")).unwrap();
    fake.cancel(&order).unwrap();
    let (open, canceled) = (client.json().await, client.json().await);
    assert_eq!((&open["subject"], &open["data"]["type"]), (&json!("symbolOrderChange"), &json!("open")));
    assert_eq!((&open["data"]["size"], &canceled["data"]["tradeType"]), (&json!("3"), &json!("cancel")));
    assert_eq!(open["data"]["orderTime"], fake.books().order(&order).unwrap().created_at * 1_000_000);
}

#[tokio::test]
async fn a_token_is_for_one_connection_of_its_kind() {
    let fake = fake_with(Venue::Kucoin, |times| times.lifetime = Some(Duration::from_secs(3)));
    let spot = way(&fake, "", "private").await;
    for path in [spot.replacen('/', "/futures/", 1), spot] {
        let mut client = Client::dial(&fake, &path).await;
        assert_eq!(client.json().await["code"], 401, "a token of spot, used up by the futures");
    }
    let late = way(&fake, "", "private").await;
    let mut public = Client::dial(&fake, &way(&fake, "", "public").await).await;
    assert_eq!(public.json().await["type"], "welcome");
    public.say(topic_of("/account/balance", true)).await;
    assert_eq!(public.json().await["data"], "login is required");
    let mut client = private(&fake, "").await;
    client.say(topic_of("/account/balance", false)).await;
    assert_eq!(client.json().await["code"], 403, "must be asked for as private");
    client.say(topic_of("/contractAccount/wallet", true)).await;
    assert_eq!(client.json().await["code"], 404, "of the other host");
    client.say(topic_of("/market/ticker:BTC-USDT", false)).await;
    client.find(|frame| frame["type"] == "ack").await;
    client.find(|frame| frame["topic"] == "/market/ticker:BTC-USDT").await;
    tokio::time::sleep(Duration::from_millis(3_100)).await;
    let mut client = Client::dial(&fake, &late).await;
    assert_eq!(client.json().await["data"], "token is expired");
}

#[tokio::test]
async fn logins_are_refused_on_demand() {
    let fake = fake(Venue::Kucoin);
    let mut client = private(&fake, "").await;
    fake.inflict(Fault::RefuseLogins.private());
    client.say(topic_of("/account/balance", true)).await;
    assert_eq!(client.json().await["code"], 403);
    let mut other = Client::dial(&fake, &way(&fake, "", "private").await).await;
    assert_eq!(other.json().await["code"], 401);
    assert_eq!(other.closed().await, 1000);
    let mut public = Client::dial(&fake, &way(&fake, "", "public").await).await;
    assert_eq!(public.json().await["type"], "welcome");
    assert_eq!(fake.violations(), [""; 0]);
    fake.clear();
    fake.inflict(Fault::RepeatEvents);
    listen(&mut client, "/account/balance").await;
    fake.deposit("main", "SOL", number("1.5"));
    assert_eq!(client.json().await, client.json().await);
}

/// The next JSON, which comes in a binary frame.
async fn binary(client: &mut Client) -> Value {
    match client.frame().await {
        Some(Ok(Message::Binary(bytes))) => serde_json::from_slice(&bytes).unwrap(),
        other => panic!("expected a binary frame, got {other:?}"),
    }
}

/// A login to the stream of the Unified mode.
fn login(key: &Key) -> Value {
    let at = now();
    json!({
        "id": "1", "op": "auth", "kc-api-key": key.id, "kc-api-timestamp": at.to_string(),
        "kc-api-sign": base64(&key.secret, &format!("{at}POST/api/websocket/users/verify")),
        "kc-api-passphrase": base64(&key.secret, &key.passphrase),
    })
}

#[tokio::test]
async fn the_unified_mode_has_a_stream_of_its_own() {
    let fake = fake(Venue::Kucoin);
    let mut client = Client::dial(&fake, "/uta").await;
    assert_eq!(binary(&mut client).await["data"], "welcome");
    client.say(login(&fake.key())).await;
    assert_eq!(binary(&mut client).await["result"], false, "the account is in Classic mode");
    assert_eq!(client.closed().await, 1000);
    fake.change_key(|key| key.scopes.extend(["unified".to_owned()]));
    let mut client = Client::dial(&fake, "/uta").await;
    binary(&mut client).await;
    client.say(login(&fake.key())).await;
    assert_eq!(binary(&mut client).await, json!({"id": "1", "result": true}));
    for (id, channel) in [("2", "orderAll"), ("3", "execution"), ("4", "positionAll")] {
        client.say(json!({"id": id, "action": "SUBSCRIBE", "channel": channel, "tradeType": "UNIFIED"})).await;
        assert_eq!(binary(&mut client).await, json!({"id": id, "result": true}));
    }
    for (id, wallet) in [("5", "UNIFIED"), ("6", "FUNDING")] {
        client.say(json!({"id": id, "action": "SUBSCRIBE", "channel": "balance", "accountType": wallet})).await;
        assert_eq!(binary(&mut client).await["result"], true);
    }
    client.say(json!({"id": "7", "type": "ping"})).await;
    assert_eq!(binary(&mut client).await["type"], "pong");
    let order = fake.place("BTC-USDT", Side::Buy, number("50000"), number("0.002")).unwrap();
    let fill = fake.fill(&order, number("0.001"), Role::Maker).unwrap();
    fake.deposit("main", "SOL", number("1.5"));
    let mut told = Vec::new();
    for _ in 0..7 {
        told.push(binary(&mut client).await);
    }
    let topics: Vec<&str> = told.iter().map(|frame| frame["T"].as_str().unwrap()).collect();
    let (balance, orders, execution) = ("balance.UNIFIED", "orderAll.UNIFIED", "execution.UNIFIED");
    assert_eq!(topics, [balance, orders, balance, balance, execution, orders, "balance.FUNDING"]);
    assert_eq!((&told[1]["d"]["os"], &told[5]["d"]["os"], &told[4]["d"]["ti"]), (&json!(2), &json!(4), &json!(fill)));
    let books = fake.books();
    let wallets = ["trade", "margin", "futures"];
    let held: Fixed = wallets.iter().map(|wallet| books.money(wallet, "USDT").total()).sum();
    assert_eq!((&told[3]["d"]["c"], said(&told[3]["d"], "b")), (&json!("USDT"), held));
    assert_eq!(said(&told[6]["d"], "a"), number("1.5"));
    fake.open_position(Category::Linear, "ETHUSDTM", Side::Sell, number("7"), number("3000"), number("5")).unwrap();
    let is_position = |frame: &Value| frame["T"] == "positionAll.UNIFIED";
    let mut frame = binary(&mut client).await;
    while !is_position(&frame) {
        frame = binary(&mut client).await;
    }
    assert_eq!(said(&frame["d"], "q"), number("-7"));
    assert_eq!(fake.violations(), [""; 0]);
}
