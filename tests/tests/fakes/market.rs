//! What all venues have in common: one market, one ledger, one notion of time.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::client::busiest::{dial, subscribe, subscribed};
use crate::client::{Client, PATIENCE, fake, fake_with, get};
use fake_venues::{Fault, Options, Venue, start};
use futures_util::StreamExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn the_last_frame_holds_what_the_ledger_says() {
    for venue in Venue::ALL {
        let fake = fake(venue);
        let mut client = subscribed(&fake).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(fake.settle(PATIENCE).await, "{venue:?}");
        let mut last = String::new();
        while let Ok(Some(Ok(Message::Text(text)))) =
            tokio::time::timeout(Duration::from_millis(100), client.0.next()).await
        {
            last = text.to_string();
        }
        let entry = fake.ledger(if venue == Venue::Coinbase { "BTC-USD" } else { "BTC-USDT" }).unwrap();
        let (bid, ask) = (entry.bid.unwrap(), entry.ask.unwrap());
        assert!(
            last.contains(&format!("\"{bid}\"")) && last.contains(&format!("\"{ask}\"")),
            "{venue:?} {bid} {ask} {last}"
        );
        assert_eq!(fake.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_frozen_market_moves_only_by_hand() {
    let fake = start(Venue::Okx, Options { frozen: true, ..Options::default() }).unwrap();
    let mut client = subscribed(&fake).await;
    client.find(|frame| frame.get("data").is_some()).await;
    let before = fake.ledger("BTC-USDT").unwrap();
    assert!(client.quiet(Duration::from_millis(300)).await);
    fake.advance();
    client.json().await;
    assert_ne!(fake.ledger("BTC-USDT").unwrap().last, before.last);
}

#[tokio::test]
async fn the_same_seed_sends_the_same_prices() {
    let mut prices = BTreeMap::new();
    for seed in [1, 1, 2] {
        let fake = start(Venue::Kucoin, Options { frozen: true, seed, ..Options::default() }).unwrap();
        (0..10).for_each(|_| fake.advance());
        get(&fake, "/api/v1/market/allTickers").await;
        prices.entry(seed).or_insert_with(Vec::new).push(fake.rest_ledger("BTC-USDT").unwrap().last);
    }
    assert_eq!(prices[&1][0], prices[&1][1]);
    assert_ne!(prices[&1][0], prices[&2][0]);
}

#[tokio::test]
async fn lives_are_cut_short_on_every_venue() {
    for venue in Venue::ALL {
        let fake = fake(venue);
        fake.inflict(Fault::Lifetime { ms: 500 });
        let mut client = subscribed(&fake).await;
        assert_eq!(client.closed().await, 1001, "{venue:?}");
    }
}

#[tokio::test]
async fn one_symbol_can_be_refused_alone() {
    let refused = [
        (Venue::Binance, "BTCUSDT"),
        (Venue::Kucoin, "BTC-USDT"),
        (Venue::Bybit, "BTCUSDT"),
        (Venue::Coinbase, "BTC-USD"),
        (Venue::Okx, "BTC-USDT"),
    ];
    for (venue, symbol) in refused {
        let fake = fake(venue);
        fake.inflict(Fault::Reject { symbol: Some(symbol.to_owned()) });
        let mut client = dial(&fake).await;
        subscribe(&fake, &mut client).await;
        client.text().await;
        assert!(
            client.quiet(Duration::from_millis(100)).await && fake.seen().connections[0].subscriptions.is_empty(),
            "{venue:?}"
        );
        fake.clear();
        subscribe(&fake, &mut client).await;
        while fake.ledger(symbol).is_none() {
            client.text().await;
        }
    }
}

#[tokio::test]
async fn thousands_of_symbols_reach_one_client() {
    let options = Options { symbols: Some(3_200), tick: Duration::from_millis(50), ..Options::default() };
    let fake = start(Venue::Okx, options).unwrap();
    let symbols: Vec<String> = fake.market().listings().iter().map(|listing| listing.quote.symbol.clone()).collect();
    let mut client = Client::dial(&fake, "/ws/v5/public").await;
    for some in symbols.chunks(100) {
        let args: Vec<_> = some.iter().map(|symbol| json!({"channel": "tickers", "instId": symbol})).collect();
        client.say(json!({"op": "subscribe", "args": args})).await;
    }
    while fake.streamed_symbols().len() < 3_200 {
        client.text().await;
    }
}

#[tokio::test]
async fn okx_counts_requests_and_bytes() {
    let fake = fake_with(Venue::Okx, |times| times.idle = Duration::from_secs(60));
    let mut client = Client::dial(&fake, "/ws/v5/public").await;
    let said = json!({"op": "unsubscribe", "args": [{"channel": "tickers", "instId": "BTC-USDT"}]});
    for _ in 0..480 {
        client.say(&said).await;
        assert_eq!(client.json().await["event"], "unsubscribe");
    }
    client.say(&said).await;
    assert_eq!(client.json().await["code"], "60014");
    let mut other = Client::dial(&fake, "/ws/v5/public").await;
    let args: Vec<_> = (0..2_000).map(|at| json!({"channel": "tickers", "instId": format!("COIN{at}-USDT")})).collect();
    other.say(json!({"op": "subscribe", "args": args})).await;
    assert_eq!(other.closed().await, 1009);
}
