//! The private stream of Binance's futures in dollars, entered right and wrong.

use std::time::Duration;

use crate::client::binance::{
    ask, event, fields, list, listen_as, listen_key, listening, place_future as place, subscribed,
};
use crate::client::sign::now;
use crate::client::{Client, PATIENCE, fake, fake_with, number, request, said, same_minute};
use fake_venues::account::{Category, KeyState, Role, Side};
use fake_venues::{Fake, Fault, Fixed, Limited, Venue};
use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

const SHORT: Duration = Duration::from_millis(200);
const TELLS: &str = "/private/ws?listenKey=";

/// The names of the next events.
async fn names<const N: usize>(client: &mut Client) -> [Value; N] {
    let mut names = [const { Value::Null }; N];
    for name in &mut names {
        *name = client.json().await["e"].clone();
    }
    names
}

#[tokio::test]
async fn a_listen_key_is_kept_extended_and_given_back() {
    let began = now();
    let fake = fake_with(Venue::Binance, |times| times.listen_key = Duration::from_secs(2));
    let key = listen_key(&fake, "POST").await;
    assert!(key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    for method in ["POST", "PUT", "POST", "PUT"] {
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!(listen_key(&fake, method).await, key);
    }
    let answer = listen_as(&fake, &fake.key().id, "DELETE").await;
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    // A turn of the minute in between starts again.
    assert!(answer.head.contains("x-mbx-used-weight-1m: 6") || !same_minute(began), "{}", answer.head);
    for method in ["PUT", "DELETE"] {
        let answer = listen_as(&fake, &fake.key().id, method).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(-1125)));
        assert!(answer.head.contains("x-mbx-used-weight-1m"));
    }
    let second = listen_key(&fake, "POST").await;
    assert_ne!(second, key);
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(listen_as(&fake, &fake.key().id, "PUT").await.json()["code"], -1125);
    assert_ne!(listen_key(&fake, "POST").await, second);
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    let fake = fake(Venue::Binance);
    let id = fake.key().id;
    let bare = request(&fake, "POST", "/fapi/v1/listenKey", "").await;
    assert_eq!((bare.status, &bare.json()["code"]), (401, &json!(-1002)));
    let asked = async |id: &str, method: &str| {
        let answer = listen_as(&fake, id, method).await;
        (answer.status, answer.json()["code"].as_i64().unwrap_or(0))
    };
    assert_eq!(asked("short", "POST").await, (401, -2014));
    assert_eq!(asked(&id.to_lowercase(), "POST").await, (401, -2015));
    for method in ["POST", "PUT", "DELETE"] {
        fake.change_key(|key| key.scopes.clear());
        let answer = listen_as(&fake, &id, method).await.json();
        assert_eq!(answer["msg"], "Invalid API-key, IP, or permissions for action., request ip: 203.0.113.7");
        fake.change_key(|key| key.scopes.extend(["futures".to_owned()]));
        for (state, read) in [
            (KeyState::Unknown, true),
            (KeyState::Expired, true),
            (KeyState::AddressRefused, true),
            (KeyState::Good, false),
        ] {
            fake.change_key(|key| (key.state, key.read) = (state, read));
            assert_eq!(asked(&id, method).await, (401, -2015), "{state:?} {method}");
        }
        fake.change_key(|key| (key.state, key.read) = (KeyState::Good, true));
    }
    for fault in [Fault::RefuseLogins, Fault::RefuseLogins.private()] {
        fake.inflict(fault);
        assert_eq!(asked(&id, "POST").await, (401, -2015));
        fake.clear();
    }
    fake.inflict(Fault::RestLimited { how: Limited::Plain }.private());
    assert_eq!(asked(&id, "POST").await, (429, -1003));
    fake.clear();
    assert_eq!(asked(&id, "POST").await, (200, 0));
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn orders_are_told_with_every_field() {
    let fake = fake(Venue::Binance);
    let mut client = listening(&fake).await;
    let order = place(&fake, Side::Buy, "2500.5", "0.3");
    let placed = client.json().await;
    assert_eq!((&placed["e"], &placed["E"]), (&json!("ORDER_TRADE_UPDATE"), &placed["T"]));
    let told = &placed["o"];
    assert_eq!((&told["x"], &told["X"], &told["t"]), (&json!("NEW"), &json!("NEW"), &json!(0)));
    assert_eq!((said(told, "b"), said(told, "a"), said(told, "z")), (number("750.15"), Fixed::ZERO, Fixed::ZERO));
    assert_eq!(told["i"].to_string(), order);
    assert!(told.get("n").is_none() && told.get("N").is_none());

    fake.fill(&order, number("0.1"), Role::Maker).unwrap();
    let (lite, update, trade) = (client.json().await, client.json().await, client.json().await);
    let (books, told) = (fake.books(), &trade["o"]);
    let fill = books.fills.last().unwrap();
    assert_eq!([&lite["e"], &update["e"], &trade["e"]], ["TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]);
    assert_eq!(fields(&lite), ["E", "L", "S", "T", "c", "e", "i", "l", "m", "p", "q", "s", "t"]);
    let documented = [
        "L", "N", "R", "S", "T", "V", "X", "a", "ap", "b", "c", "cp", "f", "gtd", "i", "l", "m", "n", "o", "ot", "p",
        "pP", "pm", "ps", "q", "rp", "s", "si", "sp", "ss", "t", "wt", "x", "z",
    ];
    assert_eq!(fields(told), documented);
    assert_eq!((&told["x"], &told["X"], &told["m"]), (&json!("TRADE"), &json!("PARTIALLY_FILLED"), &json!(true)));
    assert_eq!((said(told, "l"), said(told, "L"), said(told, "ap")), (fill.quantity, fill.price, fill.price));
    assert_eq!((said(told, "n"), &told["N"], said(told, "rp")), (fill.fee, &json!("USDT"), Fixed::ZERO));
    for field in ["s", "q", "p", "m", "c", "S", "L", "l", "t", "i"] {
        assert_eq!(lite[field], told[field], "{field}");
    }
    fake.cancel(&order).unwrap();
    let canceled = client.json().await;
    assert_eq!((&canceled["o"]["x"], &canceled["o"]["c"]), (&json!("CANCELED"), &told["c"]));
    let words = async |client: &mut Client| {
        let told = client.json().await;
        [told["o"]["x"].clone(), told["o"]["X"].clone()]
    };
    for end in [Fake::expire, Fake::reject] {
        let order = place(&fake, Side::Sell, "9000", "0.2");
        assert_eq!(words(&mut client).await, ["NEW", "NEW"]);
        end(&fake, &order).unwrap();
        assert_eq!(words(&mut client).await, ["EXPIRED", "EXPIRED"]);
    }
    // What costs nothing is told without a fee.
    fake.set_fees(Fixed::ZERO, Fixed::ZERO);
    let order = place(&fake, Side::Buy, "2500", "0.1");
    fake.fill(&order, number("0.1"), Role::Taker).unwrap();
    let free = client.find(|told| told["o"]["X"] == "FILLED").await;
    assert!(free["o"].get("n").is_none() && free["o"].get("N").is_none());
    assert!(fake.settle(PATIENCE).await);
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn money_and_positions_are_told_as_rest_tells_them() {
    let fake = fake(Venue::Binance);
    let mut client = listening(&fake).await;
    let begin = fake.books().money("futures", "USDT").total();
    let (buy, sell) = (place(&fake, Side::Buy, "2000", "0.3"), place(&fake, Side::Sell, "2100", "0.3125"));
    fake.fill(&buy, number("0.3"), Role::Taker).unwrap();
    fake.fill(&sell, number("0.1"), Role::Maker).unwrap();
    let mut gained = Fixed::ZERO;
    for quantity in ["0.3", "0.2"] {
        let update = client.find(|told| told["e"] == "ACCOUNT_UPDATE").await["a"].clone();
        let told = client.json().await["o"].clone();
        assert_eq!((fields(&update), &update["m"]), (vec!["B", "P", "m"], &json!("ORDER")));
        let (money, position) = (&update["B"][0], &update["P"][0]);
        assert_eq!(fields(money), ["a", "bc", "cw", "wb"]);
        assert_eq!(fields(position), ["bep", "cr", "ep", "iw", "mt", "pa", "ps", "s", "up"]);
        assert_eq!((said(position, "pa"), said(position, "ep")), (number(quantity), number("2000")));
        gained += said(&told, "rp") - said(&told, "n");
        assert_eq!((said(money, "wb"), said(money, "bc")), (begin + gained, Fixed::ZERO));
        assert_eq!(money["cw"], money["wb"]);
    }
    let fees: Fixed = fake.books().fills.iter().rev().take(2).map(|fill| fill.fee).sum();
    assert_eq!(gained + fees, number("10"));

    // A position that turns, in more places than three, and one that is closed.
    fake.fill(&sell, number("0.2125"), Role::Maker).unwrap();
    let update = client.find(|told| told["e"] == "ACCOUNT_UPDATE").await["a"].clone();
    let rows = ask(&fake, "GET", "/fapi/v3/positionRisk").await;
    let row = list(&rows).iter().find(|row| row["symbol"] == "ETHUSDT").unwrap();
    assert_eq!((&update["P"][0]["pa"], &update["P"][0]["ep"]), (&row["positionAmt"], &row["entryPrice"]));
    assert_eq!(said(row, "positionAmt"), number("-0.0125"));
    client.json().await;
    fake.move_mark(Category::Linear, "ETHUSDT", number("2200")).unwrap();
    fake.close_position(Category::Linear, "ETHUSDT").unwrap();
    assert_eq!(names(&mut client).await, ["ORDER_TRADE_UPDATE", "TRADE_LITE"]);
    let update = client.json().await["a"].clone();
    let closed = &update["P"][0];
    assert_eq!(["pa", "ep", "up"].map(|field| said(closed, field)), [Fixed::ZERO; 3]);
    let balance = ask(&fake, "GET", "/fapi/v3/balance").await;
    assert_eq!(update["B"][0]["wb"], balance[0]["balance"]);
    assert_eq!(said(&client.json().await["o"], "rp"), number("-1.25"));

    fake.transfer("spot", "futures", "USDT", number("25")).unwrap();
    fake.transfer("futures", "funding", "USDT", number("5")).unwrap();
    for (reason, by) in [("DEPOSIT", "25"), ("WITHDRAW", "-5")] {
        let update = client.json().await["a"].clone();
        assert_eq!((&update["m"], &update["P"]), (&json!(reason), &json!([])));
        assert_eq!(said(&update["B"][0], "bc"), number(by));
    }
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn spot_and_futures_keep_to_themselves() {
    let fake = fake(Venue::Binance);
    let (mut futures, mut spot) = (listening(&fake).await, subscribed(&fake).await);
    fake.deposit("spot", "BTC", number("1"));
    let order = fake.place("BTCUSDT", Side::Buy, number("50000"), number("0.002")).unwrap();
    fake.fill(&order, number("0.001"), Role::Maker).unwrap();
    // Futures in coins have a stream of their own.
    fake.deposit("futures", "BTC", number("1"));
    fake.open_position(Category::Inverse, "BTCUSD_PERP", Side::Sell, number("10"), number("90000"), number("5"))
        .unwrap();
    fake.move_mark(Category::Linear, "BTCUSDT", number("80000")).unwrap();
    fake.hold("futures", "USDT", number("1")).unwrap();
    assert!(futures.quiet(SHORT).await);
    for name in ["balanceUpdate", "outboundAccountPosition", "executionReport", "outboundAccountPosition"] {
        assert_eq!(event(&mut spot).await["e"], name);
    }
    assert_eq!(event(&mut spot).await["x"], "TRADE");
    event(&mut spot).await;
    fake.deposit("futures", "USDC", number("1"));
    let order = place(&fake, Side::Buy, "2000", "0.1");
    fake.fill(&order, number("0.1"), Role::Maker).unwrap();
    let told = ["ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE", "TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"];
    assert_eq!(names(&mut futures).await, told);
    assert!(spot.quiet(SHORT).await);

    let key = listen_key(&fake, "POST").await;
    let mut only = Client::dial(&fake, &format!("{TELLS}{key}&events=ORDER_TRADE_UPDATE/TRADE_LITE")).await;
    let order = place(&fake, Side::Buy, "2000", "0.1");
    fake.fill(&order, number("0.1"), Role::Maker).unwrap();
    assert_eq!(names(&mut only).await, ["ORDER_TRADE_UPDATE", "TRADE_LITE", "ORDER_TRADE_UPDATE"]);
    assert!(only.quiet(SHORT).await);
    assert!(fake.settle(PATIENCE).await);
    assert_eq!(fake.violations(), [""; 0]);
    assert!(fake.seen().connections.iter().all(|seen| seen.private && !seen.path.contains(&key)));
}

#[tokio::test]
async fn an_expired_key_is_told_once_and_then_nothing() {
    let fake = fake_with(Venue::Binance, |times| times.listen_key = Duration::from_secs(2));
    let old = listen_key(&fake, "POST").await;
    let mut client = Client::dial(&fake, &format!("{TELLS}{old}")).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    listen_key(&fake, "PUT").await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    place(&fake, Side::Buy, "2000", "0.1");
    assert_eq!(client.json().await["e"], "ORDER_TRADE_UPDATE");
    let expired = client.json().await;
    assert_eq!((&expired["e"], &expired["listenKey"]), (&json!("listenKeyExpired"), &json!(old)));
    assert_eq!(fields(&expired), ["E", "e", "listenKey"]);

    let mut fresh = listening(&fake).await;
    let mut late = Client::dial(&fake, &format!("{TELLS}{old}")).await;
    place(&fake, Side::Buy, "2000", "0.1");
    assert_eq!(fresh.json().await["e"], "ORDER_TRADE_UPDATE");
    assert!(client.quiet(SHORT).await && late.quiet(SHORT).await);
    assert_eq!(fresh.json().await["e"], "listenKeyExpired");
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn a_key_that_is_given_back_or_loses_its_rights_tells_no_more() {
    let fake = fake(Venue::Binance);
    let mut client = listening(&fake).await;
    listen_as(&fake, &fake.key().id, "DELETE").await;
    tokio::time::sleep(SHORT).await;
    place(&fake, Side::Buy, "2000", "0.1");
    assert!(client.quiet(SHORT).await);
    let mut client = listening(&fake).await;
    fake.change_key(|key| key.scopes.clear());
    assert_eq!(client.json().await["e"], "listenKeyExpired");
    place(&fake, Side::Buy, "2000", "0.1");
    assert!(client.quiet(SHORT).await);
}

#[tokio::test]
async fn wrong_doors_open_and_nothing_comes() {
    let fake = fake(Venue::Binance);
    let key = listen_key(&fake, "POST").await;
    for (path, violations) in [
        (format!("/ws/{key}"), 1),
        (format!("/stream?streams={key}"), 2),
        (format!("{TELLS}{}", key.to_lowercase()), 3),
        ("/private/ws".to_owned(), 4),
    ] {
        let mut client = Client::dial(&fake, &path).await;
        place(&fake, Side::Buy, "2000", "0.1");
        assert!(client.quiet(SHORT).await, "{path}");
        assert_eq!(fake.violations().len(), violations, "{path}");
    }
    assert!(Client::try_dial(&fake, "/private/nothing").await.is_err());
    assert!(fake.violations().iter().all(|violation| !violation.contains(&key)));

    let mut client = listening(&fake).await;
    client.say(json!({"method": "SUBSCRIBE", "params": ["btcusdt@ticker"], "id": 7})).await;
    let refused = client.json().await;
    assert_eq!((&refused["code"], &refused["id"]), (&json!(2), &json!(7)));
    for _ in 0..10 {
        client.say("{}").await;
    }
    assert_eq!(client.closed().await, 1008);
}

#[tokio::test]
async fn the_faults_of_private_sockets_strike() {
    let fake = fake(Venue::Binance);
    let mut client = listening(&fake).await;
    fake.inflict(Fault::RepeatEvents);
    fake.deposit("futures", "USDT", number("1"));
    let first = client.json().await;
    assert_eq!(client.json().await, first);
    fake.clear();
    fake.inflict(Fault::SwapEvents.private());
    fake.deposit("futures", "USDT", number("2"));
    fake.deposit("futures", "USDT", number("3"));
    for by in ["3", "2"] {
        assert_eq!(said(&client.json().await["a"]["B"][0], "bc"), number(by));
    }
    fake.clear();
    fake.inflict(Fault::Silent.private());
    tokio::time::sleep(Duration::from_millis(50)).await;
    fake.deposit("futures", "USDT", number("4"));
    assert!(client.quiet(SHORT).await);
    fake.clear();
    fake.deposit("futures", "USDT", number("5"));
    assert_eq!(said(&client.json().await["a"]["B"][0], "bc"), number("5"));
    fake.inflict(Fault::Drop.private());
    assert_eq!(client.closed().await, 1006);
    let mut client = listening(&fake).await;
    let mut market = Client::dial(&fake, "/ws/btcusdt@bookTicker").await;
    fake.inflict(Fault::Close.private());
    assert_eq!(client.closed().await, 1001);
    market.json().await;
}

#[tokio::test]
async fn pings_are_sent_and_the_day_ends() {
    let fake = fake_with(Venue::Binance, |times| {
        (times.server_ping, times.pong_within) = (Duration::from_millis(50), Duration::from_millis(300));
    });
    let mut client = listening(&fake).await;
    assert!(matches!(client.frame().await, Some(Ok(Message::Ping(payload))) if !payload.is_empty()));
    // Whoever does not read does not answer.
    client.0.flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(client.closed().await, 1008);
    assert_eq!(fake.violations(), ["a ping was not answered in time"]);

    let fake = fake_with(Venue::Binance, |times| times.lifetime = Some(Duration::from_millis(200)));
    assert_eq!(listening(&fake).await.closed().await, 1001);
    assert_eq!(fake.violations(), [""; 0]);
}
