//! Every price that an exporter shows is the last one that its venue sent, and nothing else is shown.

mod exporter;

use std::collections::BTreeSet;
use std::time::Duration;

use exporter::{Rig, everywhere, fake, prices, start};
use fake_venues::{Options, Venue};

/// Everything that the venue lists, the awkward symbols included: still ones, untraded ones, aliases, foreign scripts.
#[tokio::test]
async fn every_figure_of_every_symbol_is_the_last_one_sent() {
    everywhere(async |venue| {
        let rig = Rig::with(fake(venue), &["--exchange.symbols=all"]);
        rig.until_ready().await;
        rig.agrees().await;
        // Moving again, and another stop: not a picture of the first moment.
        tokio::time::sleep(Duration::from_secs(3)).await;
        rig.agrees().await;
        let scrape = rig.scrape().await;
        let shown: BTreeSet<String> =
            scrape.all("exchange_symbol_info").map(|sample| sample.labels["symbol"].clone()).collect();
        let trading: BTreeSet<String> = prices::trading(&rig.fake).iter().map(prices::label).collect();
        rig.check(shown == trading, format!("shown are {shown:?}, trading are {trading:?}"));
        rig.check(scrape.errors_by_kind("public").is_empty(), "no error was met on the stream");
        rig.check(scrape.errors_by_kind("rest").is_empty(), "no error was met over REST");
        rig.check(scrape.all_reconnects() == 0.0, "no connection was replaced");
        rig.is_polite();
    })
    .await;
}

/// The default: the twenty most traded.
#[tokio::test]
async fn the_default_is_the_twenty_most_traded() {
    everywhere(async |venue| {
        let rig = Rig::new(fake(venue));
        rig.until_ready().await;
        let count = |state| {
            move |scrape: &exporter::exposition::Exposition| scrape.count("exchange_symbols", &[("state", state)])
        };
        let scrape = rig.until_scrape("twenty symbols stream", |scrape| count("streaming")(scrape) == 20.0).await;
        rig.check(count("requested")(&scrape) == 20.0 && count("rejected")(&scrape) == 0.0, "twenty, none rejected");
        let bitcoin = [("symbol", exporter::bitcoin(venue)), ("market", "spot"), ("exchange", venue.name())];
        rig.check(scrape.value("exchange_last_price", &bitcoin).is_some(), "bitcoin is among them");
        rig.agrees().await;
        rig.is_polite();
    })
    .await;
}

/// More symbols than one connection may carry.
#[tokio::test]
async fn thousands_of_symbols_are_spread_over_connections() {
    let fake = start(Venue::Binance, Options { symbols: Some(3_200), ..Options::default() });
    let listed = prices::trading(&fake).len() as f64;
    let rig = Rig::with(fake, &["--exchange.symbols=all", "--exchange.rate-limit-share=1"]);
    let streaming =
        |scrape: &exporter::exposition::Exposition| scrape.count("exchange_symbols", &[("state", "streaming")]);
    let scrape =
        rig.until_scrape("all symbols stream", |scrape| streaming(scrape) == listed && scrape.connected()).await;
    let connections = |state| scrape.count("exchange_connections", &[("stream", "public"), ("state", state)]);
    assert!(connections("wanted") >= 7.0, "{} connections", connections("wanted"));
    assert_eq!(connections("wanted"), connections("live"));
    assert_eq!(rig.fake.seen().open() as f64, connections("live"));
    let log = rig.log();
    let told = log.lines().find(|line| line.contains("symbols spread over connections"));
    assert!(told.is_some_and(|line| line.contains(&format!("connections={}", connections("wanted")))), "{log}");
    rig.until_ready().await;
    rig.agrees().await;
    rig.is_polite();
}
