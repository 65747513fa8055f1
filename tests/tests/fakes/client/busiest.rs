//! How to reach the busiest symbol of each venue.

use fake_venues::{Fake, Venue};
use serde_json::json;

use super::{Client, request};

/// A connection with a subscription to the busiest symbol, whose answer is not yet read.
pub async fn subscribed(fake: &Fake) -> Client {
    let mut client = dial(fake).await;
    subscribe(fake, &mut client).await;
    client
}

/// A connection that the venue is ready to listen on.
pub async fn dial(fake: &Fake) -> Client {
    let path = match fake.venue() {
        Venue::Binance => "/ws".to_owned(),
        Venue::Bybit => "/v5/public/spot".to_owned(),
        Venue::Coinbase => String::new(),
        Venue::Okx => "/ws/v5/public".to_owned(),
        Venue::Kucoin => {
            let ticket = request(fake, "POST", "/api/v1/bullet-public", "").await.json();
            let token = ticket["data"]["token"].as_str().unwrap_or_default();
            format!("/?token={}", token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"))
        }
    };
    let mut client = Client::dial(fake, &path).await;
    if fake.venue() == Venue::Kucoin {
        client.json().await;
    }
    client
}

/// Asks for the busiest symbol, with its book.
pub async fn subscribe(fake: &Fake, client: &mut Client) {
    let request = match fake.venue() {
        Venue::Binance => json!({"method": "SUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 1}),
        Venue::Bybit => json!({"op": "subscribe", "args": ["orderbook.1.BTCUSDT"]}),
        Venue::Coinbase => json!({"type": "subscribe", "channel": "ticker", "product_ids": ["BTC-USD"]}),
        Venue::Okx => json!({"op": "subscribe", "args": [{"channel": "tickers", "instId": "BTC-USDT"}]}),
        Venue::Kucoin => json!({"id": "1", "type": "subscribe", "topic": "/market/ticker:BTC-USDT", "response": true}),
    };
    client.say(request).await;
}

/// Whether a frame is about a subscription rather than market data.
pub fn is_answer(text: &str) -> bool {
    [r#""result":null"#, r#""type":"ack""#, r#""op":"subscribe""#, r#""channel":"subscriptions""#, r#""event":"#]
        .iter()
        .any(|mark| text.contains(mark))
}
