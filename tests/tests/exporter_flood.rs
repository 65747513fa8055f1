//! Frames that come all at once: every one of them is heard.

mod exporter;

use exporter::{Rig, fake};
use fake_venues::Venue;
use fake_venues::flood::{Flood, Rate, Script};

/// Far more than are read in one go.
const FRAMES: u64 = 20_000;

#[tokio::test]
async fn no_frame_of_a_flood_is_lost() {
    let book = |bid: u64| format!(r#"{{"u":1,"s":"BTCUSDT","b":"{bid}.5","B":"1.0","a":"{}.0","A":"1.0"}}"#, bid + 1);
    let script = Script {
        answers: vec![r#"{"result":null,"id":1}"#.into()],
        client_first: true,
        frames: (1..=FRAMES).map(book).collect(),
        rate: Rate::Total(FRAMES),
    };
    let flood = Flood::start(script).expect("a free port");
    let rig = Rig::streaming(fake(Venue::Binance), &flood.ws_url(), |command| {
        command.arg("--exchange.symbols=BTCUSDT");
    });
    let last = [("exchange", "binance"), ("market", "spot"), ("symbol", "BTCUSDT")];
    let all = FRAMES as f64 + 0.5;
    let scrape =
        rig.until_scrape("the last price", |now| now.value("exchange_best_bid_price", &last) == Some(all)).await;
    let stream = [("exchange", "binance"), ("stream", "public")];
    let heard = scrape.value("exchange_websocket_messages_total", &stream);
    rig.check(heard == Some(FRAMES as f64 + 1.0), format!("the answer and {FRAMES} frames were sent, {heard:?} heard"));
}
