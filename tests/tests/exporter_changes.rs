//! Planned changes leave no gap, nonsense between the good frames costs nothing: other prices go on all the while.

mod exporter;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use exporter::exposition::Exposition;
use exporter::{PATIENCE, Rig, bitcoin, dollar, everywhere, fake, start};
use fake_venues::{Fault, Garbage, Options, Venue};
use tokio::time::sleep;

/// Scrapes fast until something is so; from the first scrape to the last the stream is live and no price is missing.
async fn without_a_gap(
    rig: &Rig,
    kept: &BTreeSet<(String, String)>,
    what: &str,
    mut done: impl FnMut(&Exposition) -> bool,
) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let scrape = rig.scrape().await;
        let gone: Vec<_> = kept.difference(&scrape.priced()).cloned().collect();
        rig.check(gone.is_empty(), format!("before {what}: {} prices are missing: {:?}", gone.len(), gone.first()));
        rig.check(scrape.connected(), format!("before {what}: the status is 0"));
        if done(&scrape) {
            return;
        }
        rig.check(Instant::now() < deadline, format!("waited for: {what}"));
        sleep(Duration::from_millis(10)).await;
    }
}

/// The venue announces that it will close; the next connection is live before this one goes.
#[tokio::test]
async fn a_notice_leaves_no_gap() {
    for venue in [Venue::Binance, Venue::Okx] {
        let rig = Rig::new(fake(venue));
        rig.until_ready().await;
        let before = rig.until_scrape("sixty prices", |now| now.priced().len() == 60).await;
        rig.fake.inflict(Fault::Shutdown { ms: Some(4_000) });
        let closed = async || rig.fake.seen().connections[0].closed_at.is_some();
        let (mut noticed, mut since) = (false, None);
        without_a_gap(&rig, &before.priced(), "the change of connections", |now| {
            noticed = noticed || now.reconnects("notice") == 1.0;
            let open = rig.fake.seen().open();
            if noticed && open == 1 && rig.fake.seen().connections.len() == 2 {
                since.get_or_insert_with(Instant::now);
            }
            // A good while longer than the old connection had.
            since.is_some_and(|since: Instant| since.elapsed() > Duration::from_secs(5))
        })
        .await;
        rig.check(closed().await, "the old connection is closed");
        let after = rig.scrape().await;
        rig.check(after.all_reconnects() == 1.0, "one connection was replaced");
        rig.check(after.errors_by_kind("public").is_empty(), "that is no error");
        rig.agrees().await;
        rig.is_polite();
    }
}

/// A pair that is listed appears, one that is delisted leaves, and nobody else notices.
#[tokio::test]
async fn listings_come_and_go_without_a_gap() {
    for selection in ["all", "quote:"] {
        everywhere(async |venue| {
            let quote = dollar(venue);
            let selection = if selection == "all" { "all".to_owned() } else { format!("quote:{quote}") };
            let flags = [
                format!("--exchange.symbols={selection}"),
                "--exchange.symbols-interval=2s".into(),
                "--exchange.rate-limit-share=1".into(),
            ];
            let rig = Rig::with(fake(venue), &[&*flags[0], &flags[1], &flags[2]]);
            rig.until_ready().await;
            let leaving = format!("SHIB{quote}");
            let price = |now: &Exposition, symbol: &str| now.value("exchange_last_price", &[("symbol", symbol)]);
            let before = rig.until_scrape("many prices", |now| {
                now.priced().len() > 60 && price(now, &leaving).is_some() && price(now, bitcoin(venue)).is_some()
            });
            let mut kept = before.await.priced();
            rig.fake.list("NOVEL", quote);
            let novel = format!("NOVEL{quote}");
            without_a_gap(&rig, &kept, "the new pair has a price", |now| price(now, &novel).is_some()).await;
            kept.insert(("exchange_last_price".into(), novel.clone()));
            kept.retain(|(_, symbol)| *symbol != leaving);
            rig.fake.delist(&venue.spell("SHIB", quote));
            let named = |now: &Exposition| now.all("exchange_symbol_info").any(|one| one.labels["symbol"] == leaving);
            without_a_gap(&rig, &kept, "the old pair is gone", |now| {
                !named(now) && now.figures().iter().all(|one| one.labels["symbol"] != leaving)
            })
            .await;
            rig.until_logged(&["added=", &novel]).await;
            rig.until_logged(&["gone=", &leaving]).await;
            rig.agrees().await;
            rig.check(rig.scrape().await.errors_by_kind("public").is_empty(), "no error was met");
        })
        .await;
    }
}

/// What each kind of nonsense counts as. `None`: it is well-formed, and says that there is nothing to say.
const fn counts_as(kind: Garbage) -> Option<&'static str> {
    match kind {
        Garbage::Truncated | Garbage::WrongTypes | Garbage::Empty | Garbage::DeeplyNested => Some("decode"),
        Garbage::UnknownEvent | Garbage::UnknownSymbol | Garbage::Huge | Garbage::Binary | Garbage::InvalidUtf8 => {
            Some("protocol")
        }
        Garbage::Nulls => None,
    }
}

/// One symbol, and no haste: the largest nonsense is 2 MB a frame.
fn slow(venue: Venue) -> Rig {
    let fake = start(venue, Options { tick: Duration::from_millis(200), ..Options::default() });
    Rig::with(fake, &[&format!("--exchange.symbols={}", bitcoin(venue))])
}

/// Each kind is counted as what it is, once a frame, and nothing else happens.
#[tokio::test]
async fn nonsense_is_counted_and_costs_nothing() {
    everywhere(async |venue| {
        let mut rig = slow(venue);
        rig.until_ready().await;
        for kind in Garbage::SURVIVABLE {
            let before = rig.scrape().await.errors_by_kind("public");
            let sent = || rig.fake.seen().connections[0].sent;
            let start = sent();
            let price = |now: &Exposition| now.value("exchange_last_price", &[("symbol", bitcoin(venue))]).is_some();
            rig.fake.inflict(Fault::Garbage { kind: Some(kind) });
            rig.until("five frames and as much nonsense", async || {
                let now = rig.scrape().await;
                // A null takes a price away until the good frame behind it.
                rig.check(
                    now.connected() && (price(&now) || kind == Garbage::Nulls),
                    format!("{kind:?} costs the price"),
                );
                sent() >= start + 5
            })
            .await;
            rig.fake.clear();
            let counted = |now: &Exposition| {
                counts_as(kind)
                    .is_none_or(|kind| now.errors(kind, "public") >= before.get(kind).copied().unwrap_or(0.0) + 4.0)
            };
            let after = rig.until_scrape(&format!("{kind:?} counts as {:?}", counts_as(kind)), counted).await;
            for (other, count) in after.errors_by_kind("public") {
                let same = before.get(&other) == Some(&count) || Some(&*other) == counts_as(kind);
                rig.check(same, format!("{kind:?} counts as {other}, too"));
            }
        }
        rig.agrees().await;
        let after = rig.scrape().await;
        rig.check(after.all_reconnects() == 0.0 && rig.fake.seen().connections.len() == 1, "the connection stays");
        rig.check(after.count("exchange_websocket_gaps_total", &[]) == 0.0, "no frame counts as lost");
        rig.lives();
    })
    .await;
}

/// Text that is not UTF-8 breaks the websocket protocol itself: the connection fails, by RFC 6455.
#[tokio::test]
async fn text_that_is_not_utf8_ends_the_connection() {
    everywhere(async |venue| {
        let mut rig = slow(venue);
        rig.until_ready().await;
        rig.fake.inflict(Fault::Garbage { kind: Some(Garbage::InvalidUtf8) });
        let counted = |now: &Exposition| now.errors("protocol", "public") >= 1.0 && now.reconnects("protocol") >= 1.0;
        rig.until_scrape("it counts as protocol", counted).await;
        rig.fake.clear();
        rig.until_ready().await;
        rig.agrees().await;
        rig.lives();
    })
    .await;
}
