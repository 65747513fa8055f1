//! What can go wrong goes wrong, on every venue, and stops when told to.

use std::time::{Duration, Instant};

use crate::client::busiest::{dial, is_answer, subscribe, subscribed};
use crate::client::{Client, PATIENCE, fake, get, request};
use fake_venues::flood::{Flood, Rate, Script};
use fake_venues::{Broken, Fault, Garbage, Limited, Venue};
use futures_util::StreamExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn connections_end_in_three_ways() {
    for venue in Venue::ALL {
        for (fault, code) in [(Fault::Close, 1001), (Fault::Drop, 1006), (Fault::Reset, 1006)] {
            let fake = fake(venue);
            let mut client = subscribed(&fake).await;
            client.text().await;
            fake.inflict(fault.clone());
            assert_eq!(client.closed().await, code, "{venue:?} {fault:?}");
            assert_eq!(fake.seen().open(), 0);
            // An event is over when it has happened.
            subscribed(&fake).await.text().await;
        }
    }
}

#[tokio::test]
async fn silence_holds_back_data_but_no_answers() {
    for venue in Venue::ALL {
        let fake = fake(venue);
        fake.inflict(Fault::Silent);
        let mut client = subscribed(&fake).await;
        assert!(is_answer(&client.text().await), "{venue:?}");
        assert!(client.quiet(Duration::from_millis(150)).await, "{venue:?}");
        fake.clear();
        assert!(!is_answer(&client.text().await), "{venue:?}");
    }
}

/// The busiest symbol of each venue, while the connection lives.
#[tokio::test]
async fn one_symbol_can_stand_still() {
    for venue in Venue::ALL {
        let fake = fake(venue);
        let symbol = venue.spell("BTC", if venue == Venue::Coinbase { "USD" } else { "USDT" });
        let frozen = Fault::FrozenSymbol { symbol: symbol.clone() };
        fake.inflict(frozen.clone());
        let mut client = subscribed(&fake).await;
        assert!(is_answer(&client.text().await), "{venue:?}");
        assert!(client.quiet(Duration::from_millis(150)).await, "{venue:?}");
        assert_eq!(fake.ledger(&symbol), None, "{venue:?}");
        fake.clear_one(&frozen);
        assert!(!is_answer(&client.text().await), "{venue:?}");
    }
}

#[tokio::test]
async fn others_use_up_the_limit() {
    let fake = fake(Venue::Binance);
    let used = async |fake| {
        let answer = get(fake, "/api/v3/time").await;
        let line = answer.head.lines().find_map(|line| line.strip_prefix("x-mbx-used-weight-1m: "));
        line.unwrap_or_else(|| panic!("{}", answer.head)).trim().parse::<u64>().unwrap()
    };
    assert!(used(&fake).await < 100);
    fake.inflict(Fault::Crowded { percent: 85 });
    assert!((5_100..5_200).contains(&used(&fake).await));
}

#[tokio::test]
async fn a_deaf_connection_answers_nothing_until_cleared() {
    for venue in Venue::ALL {
        let fake = fake(venue);
        let mut client = dial(&fake).await;
        fake.inflict(Fault::Deaf);
        // At once: a message that meets the fault on its way is kept, not lost.
        subscribe(&fake, &mut client).await;
        assert!(client.quiet(Duration::from_millis(150)).await, "{venue:?}");
        fake.clear();
        client.text().await;
    }
}

#[tokio::test]
async fn only_the_next_dial_is_refused() {
    for venue in Venue::ALL {
        let fake = fake(venue);
        fake.inflict_next(Fault::RefuseDial);
        assert!(Client::try_dial(&fake, "/ws/v5/public").await.is_err());
        subscribed(&fake).await.text().await;
        let seen = fake.seen();
        assert_eq!((seen.connections.len(), seen.connections[0].end.as_deref()), (2, Some("refused on demand")));
    }
}

#[tokio::test]
async fn garbage_comes_in_every_kind_before_a_good_frame() {
    for venue in Venue::ALL {
        let fake = fake(venue);
        fake.inflict(Fault::Garbage { kind: None });
        let mut client = subscribed(&fake).await;
        let (mut broken, mut binary, mut huge, mut empty, mut nobody) = (0, 0, 0, 0, 0);
        while broken * binary * huge * empty * nobody == 0 {
            match client.frame().await {
                Some(Ok(Message::Binary(_))) => binary += 1,
                Some(Ok(Message::Text(text))) if text.is_empty() => empty += 1,
                Some(Ok(Message::Text(text))) if text.len() > 1_000_000 => huge += 1,
                Some(Ok(Message::Text(text))) if text.contains("NOSUCH-COIN") => nobody += 1,
                Some(Ok(Message::Text(text))) if serde_json::from_str::<serde_json::Value>(&text).is_err() => {
                    broken += 1
                }
                Some(Ok(_)) => {}
                other => panic!("{venue:?} {other:?}"),
            }
        }
        fake.clear();
        fake.inflict(Fault::Garbage { kind: Some(Garbage::InvalidUtf8) });
        // The client must not go on after that.
        assert_eq!(client.closed().await, 1006);
    }
}

#[tokio::test]
async fn acknowledgements_are_swallowed() {
    for venue in Venue::ALL {
        let fake = fake(venue);
        fake.inflict_next(Fault::SwallowAcks);
        let mut client = subscribed(&fake).await;
        for _ in 0..5 {
            assert!(!is_answer(&client.text().await), "{venue:?}");
        }
    }
}

#[tokio::test]
async fn subscriptions_are_refused_in_the_venues_words() {
    let refusals = [
        (Venue::Binance, "Invalid request: invalid stream"),
        (Venue::Kucoin, "topic /market/ticker:BTC-USDT does not exist"),
        (Venue::Bybit, "Invalid symbol :[orderbook.1.BTCUSDT]"),
        (Venue::Coinbase, "authentication failure"),
        (Venue::Okx, "60018"),
    ];
    for (venue, refusal) in refusals {
        let fake = fake(venue);
        fake.inflict(Fault::Reject { symbol: None });
        let mut client = subscribed(&fake).await;
        assert!(client.text().await.contains(refusal), "{venue:?}");
        assert!(client.quiet(Duration::from_millis(100)).await);
    }
}

#[tokio::test]
async fn rest_is_limited_in_the_venues_shape() {
    let expected = [
        (Venue::Binance, Limited::Plain, 429, "retry-after: 3"),
        (Venue::Binance, Limited::Banned, 418, "retry-after: 120"),
        (Venue::Kucoin, Limited::Plain, 429, "gw-ratelimit-reset: 12000"),
        (Venue::Bybit, Limited::Plain, 200, "application/json"),
        (Venue::Bybit, Limited::Banned, 403, "text/plain"),
        (Venue::Coinbase, Limited::Plain, 429, "text/html"),
        (Venue::Okx, Limited::Plain, 429, "application/json"),
        (Venue::Okx, Limited::Other, 200, "application/json"),
    ];
    for (venue, how, status, head) in expected {
        let fake = fake(venue);
        fake.inflict_next(Fault::RestLimited { how });
        let answer = get(&fake, "/any/path").await;
        assert!(answer.status == status && answer.head.contains(head), "{venue:?} {answer:?}");
        assert_ne!(get(&fake, "/any/path").await.head, answer.head);
    }
    let fake = fake(Venue::Kucoin);
    fake.inflict(Fault::RestLimited { how: Limited::Other });
    assert!(!get(&fake, "/api/v1/status").await.head.contains("gw-ratelimit"));
}

#[tokio::test]
async fn rest_is_slow_broken_or_cut_short() {
    let fake = fake(Venue::Binance);
    let path = "/api/v3/exchangeInfo";
    fake.inflict_next(Fault::RestSlow { ms: 150 });
    let asked = Instant::now();
    assert_eq!(get(&fake, path).await.status, 200);
    assert!(asked.elapsed() >= Duration::from_millis(150));
    for (how, status) in
        [(Broken::InternalError, 500), (Broken::BadGateway, 502), (Broken::Html, 200), (Broken::Reset, 0)]
    {
        fake.inflict_next(Fault::RestBroken { how });
        assert_eq!(get(&fake, path).await.status, status);
    }
    fake.inflict_next(Fault::RestBroken { how: Broken::Truncated });
    let answer = get(&fake, path).await;
    assert!(answer.status == 200 && serde_json::from_str::<serde_json::Value>(&answer.body).is_err());
    assert_eq!(fake.seen().requests[path], 6);
}

#[tokio::test]
async fn the_clock_can_be_wrong() {
    let fake = fake(Venue::Binance);
    fake.inflict(Fault::Clock { ms: 60_000 });
    let body = get(&fake, "/api/v3/time").await.json();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    assert!((body["serverTime"].as_i64().unwrap() - now - 60_000).abs() < 5_000);
}

#[tokio::test]
async fn symbols_come_and_go() {
    let fake = fake(Venue::Okx);
    let symbol = fake.list("FRESHLY", "USDT");
    let mut client = dial(&fake).await;
    client.say(json!({"op": "subscribe", "args": [{"channel": "tickers", "instId": symbol}]})).await;
    client.find(|frame| frame["data"][0]["instId"] == "FRESHLY-USDT").await;
    assert!(fake.delist(&symbol));
    tokio::time::sleep(Duration::from_millis(100)).await;
    client.say("ping").await;
    while client.text().await != "pong" {}
    assert!(client.quiet(Duration::from_millis(200)).await);
    assert_eq!(
        get(&fake, "/api/v5/public/instruments?instType=SPOT&instId=FRESHLY-USDT").await.json()["code"],
        "51001"
    );
}

#[tokio::test]
async fn everything_can_be_had_over_http() {
    let fake = fake(Venue::Coinbase);
    let mut client = subscribed(&fake).await;
    client.find(|frame| frame["channel"] == "subscriptions").await;
    assert_eq!(request(&fake, "POST", "/fake/freeze", r#"{"frozen":true}"#).await.status, 200);
    assert!(fake.settle(PATIENCE).await);
    let ledger = get(&fake, "/fake/ledger").await.json();
    assert_eq!(ledger["stream"]["BTC-USD"]["last"].as_str(), fake.ledger("BTC-USD").unwrap().last.as_deref());
    let seen = get(&fake, "/fake/seen").await.json();
    assert_eq!((&seen["open"], &seen["connections"][0]["subscriptions"]), (&json!(1), &json!(["ticker:BTC-USD"])));
    let fault = r#"{"fault":"rest_limited","how":"plain"}"#;
    assert_eq!(request(&fake, "POST", "/fake/fault", fault).await.status, 200);
    assert_eq!(get(&fake, "/api/v3/brokerage/time").await.status, 429);
    assert_eq!(get(&fake, "/fake/fault").await.json(), json!([{"fault": "rest_limited", "how": "plain"}]));
    assert_eq!(request(&fake, "DELETE", "/fake/fault", fault).await.status, 200);
    assert_eq!(get(&fake, "/api/v3/brokerage/time").await.status, 200);
    assert_eq!(request(&fake, "POST", "/fake/fault", r#"{"fault":"close","next":true}"#).await.status, 200);
    assert_eq!(dial(&fake).await.closed().await, 1001);
    assert_eq!(request(&fake, "POST", "/fake/list", r#"{"base":"NEW","quote":"USD"}"#).await.status, 200);
    assert_eq!(get(&fake, "/api/v3/brokerage/market/products/NEW-USD").await.status, 200);
    assert_eq!(request(&fake, "POST", "/fake/delist", r#"{"symbol":"NEW-USD"}"#).await.status, 200);
    assert_eq!(get(&fake, "/api/v3/brokerage/market/products/NEW-USD").await.status, 404);
    assert_eq!(request(&fake, "POST", "/fake/fault", r#"{"fault":"unheard of"}"#).await.status, 400);
    assert_eq!(request(&fake, "DELETE", "/fake/fault", "").await.status, 200);
}

#[tokio::test]
async fn dropping_it_ends_everything_at_once() {
    let fake = fake(Venue::Okx);
    let (address, mut client) = (fake.address(), subscribed(&fake).await);
    let asked = Instant::now();
    drop(fake);
    assert!(asked.elapsed() < Duration::from_secs(8), "a client's patience is not awaited");
    client.closed().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn floods_at_full_speed_or_at_a_rate() {
    let frames = vec!["a".to_owned(), "b".repeat(200), "c".repeat(70_000)];
    let script =
        Script { answers: vec!["ok".to_owned()], client_first: true, frames: frames.clone(), rate: Rate::Total(2_000) };
    let flood = Flood::start(script.clone()).expect("a free port");
    let (mut stream, _) = tokio_tungstenite::connect_async(flood.ws_url()).await.expect("a handshake");
    futures_util::SinkExt::send(&mut stream, Message::text("go")).await.expect("sent");
    assert_eq!(stream.next().await.expect("open").expect("a frame"), Message::text("ok"));
    for at in 0..2_000 {
        assert_eq!(stream.next().await.expect("open").expect("a frame"), Message::text(&*frames[at % 3]));
    }
    let paced =
        Flood::start(Script { client_first: false, rate: Rate::PerSecond(500), ..script }).expect("a free port");
    let dialled = Instant::now();
    let (mut stream, _) = tokio_tungstenite::connect_async(paced.ws_url()).await.expect("a handshake");
    // The answer and 200 frames; whoever does not read holds up the rest.
    let mut heard = 0;
    while heard <= 200 || paced.sent() < 200 {
        stream.next().await.expect("open").expect("a frame");
        heard += 1;
    }
    assert!(dialled.elapsed() >= Duration::from_millis(400), "{:?}", dialled.elapsed());
}
