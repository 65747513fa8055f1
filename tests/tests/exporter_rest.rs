//! What goes wrong over REST: limits are kept, slow and broken answers cost no price, clocks are compared, maintenance is told.

mod exporter;

use std::time::{Duration, Instant};

use exporter::exposition::Exposition;
use exporter::{PATIENCE, Rig, bitcoin, everywhere, fake, suffering, unix_now};
use fake_venues::{Broken, Fault, Limited, Venue};
use tokio::join;
use tokio::time::sleep;

/// What a refusal counts as, and how many seconds it lasts at least and at most. `None`: no time is told.
fn sentence(venue: Venue, how: Limited) -> (&'static str, Option<(f64, f64)>) {
    let short = Some((1.0, 2.0));
    match (venue, how) {
        (Venue::Binance, Limited::Banned) => ("rate_limit", Some((60.0, 120.0))),
        (Venue::Binance, _) => ("rate_limit", Some((2.0, 3.0))),
        (Venue::Kucoin, Limited::Plain) => ("rate_limit", Some((10.0, 12.0))),
        // The gateway says no time; ten seconds are ours.
        (Venue::Kucoin, Limited::Other) => ("rate_limit", Some((8.0, 10.0))),
        (Venue::Bybit, Limited::Other) => ("rate_limit", Some((8.0, 10.0))),
        (Venue::Bybit, Limited::Banned) => ("rate_limit", Some((500.0, 600.0))),
        // A page of the CDN with 403 does not say whether it is a ban or a country.
        (Venue::Kucoin | Venue::Okx, Limited::Banned) => ("permission", None),
        (Venue::Bybit | Venue::Coinbase | Venue::Okx, _) => ("rate_limit", short),
    }
}

async fn keeps_out(venue: Venue, how: Limited) {
    let (kind, length) = sentence(venue, how);
    let mut rig = Rig::new(suffering(venue, Fault::RestLimited { how }));
    let scrape = rig.until_scrape(&format!("{how:?} counts as {kind}"), |now| now.errors(kind, "rest") >= 1.0).await;
    let kinds: Vec<String> = scrape.errors_by_kind("rest").into_keys().collect();
    rig.check(kinds == [kind], format!("{how:?} counts as {kinds:?}"));
    rig.until_reason(&["cannot be had", kind]).await;
    if let Some((least, most)) = length {
        stays_away(&rig, how, least, most).await;
        if most > 60.0 {
            return rig.lives();
        }
    }
    rig.fake.clear();
    rig.until_ready().await;
    rig.until_scrape("it is not limited any more", |now| now.limited_until().is_none()).await;
    rig.agrees().await;
    rig.lives();
}

/// Nothing is asked before the time is over. What this machine is too slow to see during one refusal it sees during the next.
async fn stays_away(rig: &Rig, how: Limited, least: f64, most: f64) {
    let deadline = Instant::now() + PATIENCE;
    while !stayed_away(rig, how, least, most).await {
        rig.check(Instant::now() < deadline, format!("{how:?} is over before it can be looked at"));
    }
}

/// False if the refusal was over before all was seen.
async fn stayed_away(rig: &Rig, how: Limited, least: f64, most: f64) -> bool {
    let (until, before) = rig.kept_out(least).await;
    rig.check(until - unix_now() < most, format!("{how:?} lasts {} s more", until - unix_now()));
    let (status, reasons) = rig.health().await;
    let scrape = rig.scrape().await;
    if scrape.limited_until().is_none_or(|now| (now - until).abs() > 0.1) {
        return false;
    }
    let state = scrape.value("exchange_state", &[("exchange", rig.venue().name())]);
    rig.check(state == Some(0.0), "it does not trade as usual");
    let told = reasons.iter().any(|reason| reason.contains("limited by the venue"));
    rig.check(status == "degraded" && told, format!("/health says {status}, {reasons:?}"));
    let rest = (until - unix_now() - 0.3).clamp(0.0, 10.0);
    sleep(Duration::from_secs_f64(rest)).await;
    let after = rig.asked();
    rig.check(unix_now() > until || after == before, format!("{} requests too early", after - before));
    true
}

/// Each venue in each of its ways.
#[tokio::test]
async fn limits_and_bans_are_kept() {
    join!(
        everywhere(|venue| keeps_out(venue, Limited::Plain)),
        everywhere(|venue| keeps_out(venue, Limited::Other)),
        everywhere(|venue| keeps_out(venue, Limited::Banned)),
    );
}

/// Most of their time is waiting, so they wait together.
#[tokio::test]
async fn answers_that_are_late_wrong_or_refused() {
    join!(
        slow_answers_are_awaited_and_then_given_up(),
        wrong_answers_at_the_start_delay_it(),
        wrong_answers_while_it_runs_cost_no_price(),
        maintenance_is_told(),
    );
}

/// Slow, and slower than anybody waits.
async fn slow_answers_are_awaited_and_then_given_up() {
    everywhere(async |venue| {
        let rig = Rig::new(suffering(venue, Fault::RestSlow { ms: 1_500 }));
        rig.until_ready().await;
        let endpoints = rig.scrape().await;
        let sum: f64 = endpoints.all("exchange_request_duration_seconds_sum").map(|one| one.value).sum();
        let count: f64 = endpoints.all("exchange_request_duration_seconds_count").map(|one| one.value).sum();
        rig.check(sum / count > 1.4, format!("{count} round trips took {sum} s"));
        rig.check(endpoints.errors_by_kind("rest").is_empty(), "slow is not wrong");
        let mut rig = Rig::new(suffering(venue, Fault::RestSlow { ms: 60_000 }));
        let reason = rig.reason().await;
        rig.check(reason.contains("list"), format!("the reason is {reason:?}"));
        let given_up = |now: &Exposition| now.errors("timeout", "rest") >= 1.0;
        let scrape = rig.until_scrape("an answer is given up", given_up).await;
        let timeouts: f64 = scrape
            .all("exchange_requests_total")
            .filter(|one| one.labels["outcome"] == "timeout")
            .map(|one| one.value)
            .sum();
        rig.check(timeouts >= 1.0, "the request counts as timed out");
        rig.reason().await;
        rig.fake.clear();
        rig.until_ready().await;
        rig.agrees().await;
        rig.lives();
    })
    .await;
}

const WRONG: [(Broken, &str); 5] = [
    (Broken::InternalError, "venue"),
    (Broken::BadGateway, "venue"),
    (Broken::Html, "decode"),
    (Broken::Truncated, "network"),
    (Broken::Reset, "network"),
];

/// From the start: no list, so not ready, and each way to be wrong is told by its kind.
async fn wrong_answers_at_the_start_delay_it() {
    everywhere(async |venue| {
        for (how, kind) in WRONG {
            let mut rig = Rig::new(suffering(venue, Fault::RestBroken { how }));
            let counted = |now: &Exposition| now.errors(kind, "rest") >= 3.0;
            let scrape = rig.until_scrape(&format!("{how:?} counts as {kind}"), counted).await;
            let kinds: Vec<String> = scrape.errors_by_kind("rest").into_keys().collect();
            rig.check(kinds == [kind], format!("{how:?} counts as {kinds:?}"));
            rig.until_reason(&["cannot be had", kind]).await;
            rig.check(!rig.log().contains("<html"), "no page belongs in a log");
            rig.fake.clear();
            rig.until_ready().await;
            rig.lives();
        }
    })
    .await;
}

/// While it runs: the prices come over the stream and go on.
async fn wrong_answers_while_it_runs_cost_no_price() {
    everywhere(async |venue| {
        let flags = ["--exchange.symbols-interval=2s", "--exchange.rate-limit-share=1"];
        let mut rig = Rig::with(fake(venue), &flags);
        rig.until_ready().await;
        let before = rig.until_scrape("twenty prices", |now| now.all("exchange_last_price").count() == 20).await;
        for (how, kind) in WRONG {
            let failed = rig.scrape().await.errors(kind, "rest");
            rig.fake.inflict(Fault::RestBroken { how });
            let counted = |now: &Exposition| {
                let kept = now.priced().is_superset(&before.priced());
                rig.check(kept && now.connected(), format!("{how:?} costs a price"));
                now.errors(kind, "rest") > failed
            };
            rig.until_scrape(&format!("{how:?} counts as {kind}"), counted).await;
            rig.check(rig.get("/-/ready").await.status == 200, "it stays ready");
            rig.fake.clear();
        }
        rig.agrees().await;
        rig.check(rig.scrape().await.all_reconnects() == 0.0, "no connection was replaced");
        rig.lives();
    })
    .await;
}

/// The venue's clock is five seconds off, either way: the skew is told, and lags are free of it.
#[tokio::test]
async fn a_wrong_clock_is_measured_and_corrected() {
    for offset in [5.0, -5.0] {
        everywhere(async |venue| {
            let fake = suffering(venue, Fault::Clock { ms: (offset * 1e3) as i64 });
            // The first quotes are as old as the fake, and dated by the right clock.
            sleep(Duration::from_millis(500)).await;
            let rig = Rig::with(fake, &[&format!("--exchange.symbols={}", bitcoin(venue))]);
            rig.until_ready().await;
            let lag = |now: &Exposition| {
                now.value(&format!("{}_latency_seconds", venue.name()), &[("symbol", bitcoin(venue))])
            };
            let lags = |now: &Exposition| now.count("exchange_event_lag_seconds_count", &[("stream", "public")]);
            let scrape =
                rig.until_scrape("ten lags were measured", |now| lags(now) >= 10.0 && lag(now).is_some()).await;
            let skew = scrape.value("exchange_clock_skew_seconds", &[]).unwrap_or_default();
            rig.check((skew - offset).abs() < 1.0, format!("the skew of {offset} s is told as {skew} s"));
            let lag = lag(&scrape).unwrap_or_default();
            rig.check(lag.abs() < 2.5, format!("with a clock {offset} s off the lag is {lag} s"));
            let labels = [("stream", "public"), ("le", "2.5")];
            let (near, all) = (scrape.count("exchange_event_lag_seconds_bucket", &labels), lags(&scrape));
            rig.check(near == all, format!("{} of {all} lags are off", all - near));
        })
        .await;
    }
}

/// Down for work: said so where the venue says so, and over when it is over.
async fn maintenance_is_told() {
    everywhere(async |venue| {
        let mut rig = Rig::new(suffering(venue, Fault::Maintenance));
        let status = |now: &Exposition| now.value("exchange_system_status", &[]);
        rig.until_scrape("the venue says that it is down", |now| status(now) == Some(0.0)).await;
        let told = rig.health().await.1.iter().any(|reason| reason.contains("says that it is down"));
        rig.check(told, "/health says so");
        rig.reason().await;
        rig.fake.clear();
        rig.until_ready().await;
        // Asked once a minute.
        rig.until_scrape("the venue says that it is up", |now| status(now) == Some(1.0)).await;
        rig.lives();
    })
    .await;
}
