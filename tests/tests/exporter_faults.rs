//! Every way for a connection to fail: the process lives, no price lies, the cause is counted, and it recovers by itself.

mod exporter;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use exporter::exposition::Exposition;
use exporter::prices::label;
use exporter::{Rig, everywhere, fake, prices, start, suffering};
use fake_venues::inspect::GRACE;
use fake_venues::{Fault, Options, Times, Venue};
use tokio::join;
use tokio::time::sleep;

/// Most of their time is waiting, so they wait together.
#[tokio::test]
async fn connections_that_die() {
    join!(
        prices_of_a_dead_connection_leave_and_never_come_back(),
        a_stalled_connection_is_dead(),
        a_half_open_connection_is_dead(),
    );
}

/// Most of their time is waiting, so they wait together.
#[tokio::test]
async fn connections_that_are_cut_or_refused() {
    join!(
        a_cut_connection_is_replaced(),
        short_lives_are_lived_one_after_the_other(),
        a_refused_dial_is_tried_again(),
        an_unanswered_subscription_is_a_timeout(),
        a_refused_subscription_is_the_venue_s_error(),
    );
}

/// What a fault must leave behind on the public stream, more than before: `(kind of error, reason to reconnect)`.
async fn costs(rig: &Rig, before: &Exposition, kind: &str, reason: &str) {
    let counted = |now: &Exposition| {
        now.errors(kind, "public") > before.errors(kind, "public") && now.reconnects(reason) > before.reconnects(reason)
    };
    rig.until_scrape(&format!("an error {kind} and a reconnect {reason}"), counted).await;
}

/// Reconnected, live, and every figure the last one sent.
async fn recovers(rig: &mut Rig) {
    rig.until_ready().await;
    rig.until_scrape("it is connected", Exposition::connected).await;
    rig.agrees().await;
    rig.lives();
}

/// Each of the ways to cut a connection off, one after the other.
async fn a_cut_connection_is_replaced() {
    everywhere(async |venue| {
        let mut rig = Rig::new(fake(venue));
        rig.until_ready().await;
        for fault in [Fault::Close, Fault::Drop, Fault::Reset] {
            let before = rig.scrape().await;
            rig.fake.inflict(fault.clone());
            costs(&rig, &before, "network", "network").await;
            recovers(&mut rig).await;
            let after = rig.scrape().await;
            let kinds: Vec<String> = after.errors_by_kind("public").into_keys().collect();
            rig.check(kinds == ["network"], format!("{fault:?} counted {kinds:?}"));
            let cuts = after.reconnects("network") - before.reconnects("network");
            rig.check(cuts == 1.0, format!("{fault:?} cost {cuts} reconnects"));
        }
        rig.is_polite();
    })
    .await;
}

/// A venue that cuts every connection young.
async fn short_lives_are_lived_one_after_the_other() {
    everywhere(async |venue| {
        let mut rig = Rig::new(suffering(venue, Fault::Lifetime { ms: 3_000 }));
        let twice = |now: &Exposition| now.reconnects("network") >= 2.0;
        rig.until_scrape("two connections were cut", twice).await;
        rig.lives();
        rig.fake.clear();
        recovers(&mut rig).await;
    })
    .await;
}

/// The long outage: grace, then nothing, then only new prices.
async fn prices_of_a_dead_connection_leave_and_never_come_back() {
    everywhere(async |venue| {
        let mut rig = Rig::with(fake(venue), &["--exchange.symbols=all"]);
        rig.until_ready().await;
        rig.agrees().await;
        rig.fake.freeze(true);
        let old = rig.scrape().await;
        rig.fake.inflict(Fault::RefuseDial);
        rig.fake.inflict(Fault::Drop);
        costs(&rig, &old, "network", "network").await;
        tells_that_it_is_down(&mut rig).await;
        let moved = move_far(&rig, &old);
        let step = rig.fake.market().step();
        rig.fake.freeze(false);
        rig.fake.clear();
        shows_only_new_prices(&rig, &old, &moved, step).await;
        recovers(&mut rig).await;
    })
    .await;
}

/// Status, readiness and health say so at once; the figures leave after the grace.
async fn tells_that_it_is_down(rig: &mut Rig) {
    rig.until_scrape("the status is 0", |now| !now.connected()).await;
    let died = Instant::now();
    let reason = rig.reason().await;
    rig.check(reason.contains("connect"), format!("the reason is {reason:?}"));
    let (status, reasons) = rig.health().await;
    rig.check(status == "degraded" && !reasons.is_empty(), format!("/health says {status}, {reasons:?}"));
    rig.check(rig.get("/-/healthy").await.status == 200, "/-/healthy");
    sleep(GRACE.saturating_sub(died.elapsed())).await;
    let late = rig.scrape().await;
    let left = late.figures();
    rig.check(left.is_empty(), format!("{} figures outlive their connection: {:?}", left.len(), left.first()));
    rig.check(!late.connected() && late.count("exchange_symbols", &[("state", "streaming")]) == 0.0, "nothing streams");
    rig.check(late.all("exchange_symbol_info").count() > 0, "the names of symbols stay");
    rig.check(late.all("exchange_websocket_messages_total").count() == 1, "counters stay");
    rig.lives();
}

/// What is known of a symbol that moved while nobody was connected.
struct Moved {
    /// How far the last price went, in price steps.
    ticks: f64,
    /// The volume when the venue came back; it only grows.
    volume: f64,
}

/// Moves the unwatched market until the prices of several symbols are far from where they were.
fn move_far(rig: &Rig, old: &Exposition) -> BTreeMap<String, Moved> {
    const FAR: f64 = 600.0;
    let number = |fixed: fake_venues::Fixed| fixed.to_string().parse().unwrap_or(f64::NAN);
    loop {
        (0..1_000).for_each(|_| rig.fake.advance());
        let moved = prices::trading(&rig.fake).into_iter().filter_map(|one| {
            let was = old.value("exchange_last_price", &[("symbol", &label(&one))])?;
            let ticks = ((number(one.quote.last?) - was) / number(one.tick)).abs();
            Some((label(&one), Moved { ticks, volume: number(one.quote.base_volume) }))
        });
        let moved: BTreeMap<String, Moved> = moved.collect();
        if moved.values().filter(|one| one.ticks > FAR).count() >= 2 {
            return moved;
        }
    }
}

/// From the first scrape on: a volume of before, or the old price where the market cannot have come back to it, is a lie.
async fn shows_only_new_prices(rig: &Rig, old: &Exposition, moved: &BTreeMap<String, Moved>, step: u64) {
    let (mut prices, mut volumes) = (0, 0);
    let deadline = Instant::now() + exporter::PATIENCE;
    while prices < 20 || volumes < 20 {
        rig.check(Instant::now() < deadline, format!("checked {prices} prices and {volumes} volumes so far"));
        let scrape = rig.scrape().await;
        // A step moves a price by three ticks at most.
        let reach = 3.0 * (rig.fake.market().step() - step) as f64;
        for (symbol, moved) in moved {
            let labels = [("symbol", symbol.as_str())];
            let before = old.value("exchange_volume_24h_base", &labels);
            let volume = scrape.value("exchange_volume_24h_base", &labels);
            if let (Some(volume), Some(before)) = (volume, before)
                && before < moved.volume
            {
                rig.check(volume >= moved.volume, format!("{symbol}: volume {volume} of before the outage"));
                volumes += 1;
            }
            let last = scrape.value("exchange_last_price", &labels);
            if last.is_some() && moved.ticks > reach {
                let was = old.value("exchange_last_price", &labels);
                rig.check(last != was, format!("{symbol}: price {last:?} of before the outage"));
                prices += 1;
            }
        }
        sleep(Duration::from_millis(25)).await;
    }
}

/// The socket is open and answers pings, but no data comes.
async fn a_stalled_connection_is_dead() {
    everywhere(async |venue| {
        let mut rig = Rig::with(fake(venue), &["--exchange.data-timeout=4s"]);
        rig.until_ready().await;
        let before = rig.scrape().await;
        rig.fake.inflict(Fault::Silent);
        costs(&rig, &before, "timeout", "stalled").await;
        tells_that_it_is_down(&mut rig).await;
        rig.fake.clear();
        recovers(&mut rig).await;
    })
    .await;
}

/// Half-open: nothing is read and nothing is sent.
async fn a_half_open_connection_is_dead() {
    everywhere(async |venue| {
        let mut rig = Rig::with(fake(venue), &["--exchange.data-timeout=4s"]);
        rig.until_ready().await;
        let before = rig.scrape().await;
        rig.fake.inflict(Fault::Deaf);
        costs(&rig, &before, "timeout", "stalled").await;
        tells_that_it_is_down(&mut rig).await;
        rig.fake.clear();
        recovers(&mut rig).await;
    })
    .await;
}

/// The keep-alive has a deadline of its own. Only KuCoin says by itself how long that is.
#[tokio::test]
async fn an_unanswered_keep_alive_is_a_timeout() {
    let (interval, patience) = (Duration::from_millis(1_000), Duration::from_millis(600));
    let times = Times { ticket_ping: (interval, patience), ..Times::documented(Venue::Kucoin) };
    let mut rig = Rig::new(start(Venue::Kucoin, Options { times: Some(times), ..Options::default() }));
    rig.until_ready().await;
    let before = rig.scrape().await;
    rig.fake.inflict(Fault::Deaf);
    costs(&rig, &before, "timeout", "timeout").await;
    rig.check(rig.scrape().await.reconnects("stalled") == 0.0, "it was not the lack of data");
    rig.fake.clear();
    recovers(&mut rig).await;
}

/// A venue that does not answer the dial.
async fn a_refused_dial_is_tried_again() {
    everywhere(async |venue| {
        let mut rig = Rig::new(suffering(venue, Fault::RefuseDial));
        rig.until_scrape("dials fail", |now| now.errors("network", "public") >= 2.0).await;
        let reason = rig.reason().await;
        rig.check(
            reason.contains("cannot connect") || reason.contains("connecting"),
            format!("the reason is {reason:?}"),
        );
        rig.check(!rig.scrape().await.connected(), "it is not connected");
        rig.fake.clear();
        recovers(&mut rig).await;
    })
    .await;
}

/// Data without an answer to the subscription is not yet a live stream.
async fn an_unanswered_subscription_is_a_timeout() {
    everywhere(async |venue| {
        let mut rig = Rig::new(suffering(venue, Fault::SwallowAcks));
        let scrape = rig.until_scrape("an answer is missed", |now| now.errors("timeout", "public") >= 1.0).await;
        rig.check(!scrape.connected(), "it is not connected");
        rig.reason().await;
        rig.fake.clear();
        recovers(&mut rig).await;
    })
    .await;
}

/// A venue that refuses every subscription.
async fn a_refused_subscription_is_the_venue_s_error() {
    everywhere(async |venue| {
        let mut rig = Rig::new(suffering(venue, Fault::Reject { symbol: None }));
        let scrape = rig.until_scrape("a refusal", |now| now.errors("venue", "public") >= 1.0).await;
        rig.check(!scrape.connected() && scrape.figures().is_empty(), "nothing is shown");
        rig.reason().await;
        rig.fake.clear();
        recovers(&mut rig).await;
    })
    .await;
}

/// One symbol that the venue lists but does not stream: its neighbours do not suffer. Binance and KuCoin answer a
/// request as a whole, and take unknown names without a word.
#[tokio::test]
async fn one_refused_symbol_does_not_hurt_the_others() {
    everywhere(async |venue| {
        if matches!(venue, Venue::Binance | Venue::Kucoin) {
            return;
        }
        let quote = exporter::dollar(venue);
        let rig = Rig::new(suffering(venue, Fault::Reject { symbol: Some(venue.spell("SOL", quote)) }));
        rig.until_ready().await;
        let state = |scrape: &Exposition, state| scrape.count("exchange_symbols", &[("state", state)]);
        let good = |scrape: &Exposition| state(scrape, "streaming") >= 19.0 && state(scrape, "rejected") == 1.0;
        let scrape = rig.until_scrape("nineteen stream and one is rejected", good).await;
        let solana = format!("SOL{quote}");
        rig.check(scrape.value("exchange_last_price", &[("symbol", &solana)]).is_none(), "it has no price");
        rig.until_logged(&["does not stream", &solana]).await;
        rig.check(scrape.all_reconnects() == 0.0, "no connection was replaced");
    })
    .await;
}

/// Sequence numbers that are missing are counted, and nothing else happens.
#[tokio::test]
async fn lost_frames_are_counted_where_the_venue_numbers_them() {
    let rig = Rig::new(fake(Venue::Coinbase));
    rig.until_ready().await;
    rig.fake.inflict(Fault::SkipSequence { by: 5 });
    let lost = |scrape: &Exposition| scrape.count("exchange_websocket_gaps_total", &[("stream", "public")]);
    rig.until_scrape("five lost frames", |scrape| lost(scrape) == 5.0).await;
    rig.agrees().await;
    let scrape = rig.scrape().await;
    assert_eq!((lost(&scrape), scrape.all_reconnects()), (5.0, 0.0));
}
