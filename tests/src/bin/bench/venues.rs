//! What differs from venue to venue: one entry each. A new venue needs nothing else.

use std::sync::Arc;

use common::{About, Setup};
use fake_venues::market::Quote;
use serde_json::{Value, json};

use crate::plain::{self, Gauges};

/// One venue's benchmark.
pub struct Case {
    /// Whose REST interface the exporter reads its list from.
    pub fake: fake_venues::Venue,
    /// The exporter.
    pub about: &'static About,
    /// Its adapter.
    pub build: fn(&Setup) -> Arc<dyn common::Venue>,
    /// One frame of every kind that a symbol gets, the 24 h ticker first.
    pub frames: fn(&Quote) -> Vec<String>,
    /// Said to every client at once.
    pub hello: &'static str,
    /// What the venue answers.
    pub answers: fn(&Value) -> Vec<Value>,
    /// The plain exporter's way with a frame.
    pub plain: fn(&str, &Gauges) -> Option<()>,
}

impl Case {
    /// The `exchange` label.
    pub const fn name(&self) -> &'static str {
        self.about.name
    }
}

/// All of them; the first one is measured in every way, the others by the flood only.
pub static CASES: [Case; 5] = [
    Case {
        fake: fake_venues::Venue::Binance,
        about: &binance::ABOUT,
        build: binance::build,
        frames: |quote| vec![fake_venues::binance::ticker_frame(quote), fake_venues::binance::book_ticker_frame(quote)],
        hello: "",
        answers: |said| vec![json!({"result": null, "id": said["id"]})],
        plain: plain::binance::take,
    },
    Case {
        fake: fake_venues::Venue::Kucoin,
        about: &kucoin::ABOUT,
        build: kucoin::build,
        frames: |quote| vec![fake_venues::kucoin::snapshot_frame(quote), fake_venues::kucoin::ticker_frame(quote)],
        hello: r#"{"id":"bench","type":"welcome"}"#,
        answers: |said| {
            let answer = if said["type"] == "ping" { "pong" } else { "ack" };
            vec![json!({"id": said["id"], "type": answer})]
        },
        plain: plain::kucoin::take,
    },
    Case {
        fake: fake_venues::Venue::Bybit,
        about: &bybit::ABOUT,
        build: bybit::build,
        frames: |quote| {
            let at = quote.changed_at;
            vec![fake_venues::bybit::ticker_frame(quote, at), fake_venues::bybit::order_book_frame(quote, at)]
        },
        hello: "",
        answers: |said| {
            let message = if said["op"] == "ping" { "pong" } else { "" };
            let (id, op) = (&said["req_id"], &said["op"]);
            vec![json!({"success": true, "ret_msg": message, "conn_id": "bench", "req_id": id, "op": op})]
        },
        plain: plain::bybit::take,
    },
    Case {
        fake: fake_venues::Venue::Coinbase,
        about: &coinbase::ABOUT,
        build: coinbase::build,
        // One channel only; numbered alike, so that the same frame again is no gap.
        frames: |quote| {
            let kind = fake_venues::coinbase::Kind::Update;
            vec![fake_venues::coinbase::ticker_frame(quote, kind, 1, quote.changed_at)]
        },
        hello: "",
        answers: |said| {
            let products = if said["channel"] == "ticker" { json!({"ticker": said["product_ids"]}) } else { json!({}) };
            vec![json!({
                "channel": "subscriptions", "client_id": "", "timestamp": "2026-11-20T00:00:00.000000Z",
                "sequence_num": 0, "events": [{"subscriptions": products}],
            })]
        },
        plain: plain::coinbase::take,
    },
    Case {
        fake: fake_venues::Venue::Okx,
        about: &okx::ABOUT,
        build: okx::build,
        frames: |quote| vec![fake_venues::okx::ticker_frame(quote)],
        hello: "",
        answers: |said| {
            if said.is_null() {
                return vec![Value::from("pong")];
            }
            let arguments = said["args"].as_array().into_iter().flatten();
            arguments.map(|arg| json!({"event": "subscribe", "arg": arg, "connId": "bench"})).collect()
        },
        plain: plain::okx::take,
    },
];

/// The entry of a venue.
pub fn find(name: &str) -> Option<&'static Case> {
    CASES.iter().find(|case| case.name() == name)
}
