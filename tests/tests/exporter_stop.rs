//! SIGTERM and SIGINT end an exporter at once and in good order, whatever it is waiting for.

mod exporter;

use std::time::{Duration, Instant};

use exporter::exposition::Exposition;
use exporter::{Rig, everywhere, fake, suffering};
use fake_venues::Fault;
use fake_venues::stack::Signal;
use tokio::time::sleep;

/// All of the shutdown must fit into this: whoever runs containers waits for ten seconds.
const AT_ONCE: Duration = Duration::from_secs(8);

/// Sends the signal; fails unless it ends with status 0 in time.
async fn ends(rig: &mut Rig, signal: Signal) {
    rig.signal(signal);
    let asked = Instant::now();
    let status = loop {
        if let Some(status) = rig.process.ended() {
            break status;
        }
        rig.check(asked.elapsed() < AT_ONCE, format!("{signal:?} does not end it within {AT_ONCE:?}"));
        sleep(Duration::from_millis(5)).await;
    };
    rig.check(status.code() == Some(0), format!("{signal:?} ends it with {status}"));
}

/// The venue was told goodbye on every connection.
async fn said_goodbye(rig: &Rig) {
    rig.until("a farewell on every connection", async || {
        let connections = rig.fake.seen().connections;
        !connections.is_empty() && connections.iter().all(|one| one.end.as_deref() == Some("the client closed"))
    })
    .await;
}

#[tokio::test]
async fn while_all_is_well() {
    for signal in [Signal::TERM, Signal::INT] {
        everywhere(async |venue| {
            let mut rig = Rig::new(fake(venue));
            rig.until_ready().await;
            ends(&mut rig, signal).await;
            said_goodbye(&rig).await;
            rig.check(rig.log().contains("stopping"), "the log says so");
        })
        .await;
    }
}

#[tokio::test]
async fn while_the_venue_is_silent() {
    everywhere(async |venue| {
        let mut rig = Rig::new(suffering(venue, Fault::Silent));
        rig.until("it has subscribed", async || {
            rig.fake.seen().connections.iter().any(|connection| !connection.subscriptions.is_empty())
        })
        .await;
        ends(&mut rig, Signal::TERM).await;
        said_goodbye(&rig).await;
    })
    .await;
}

#[tokio::test]
async fn while_the_venue_hears_nothing() {
    everywhere(async |venue| {
        let mut rig = Rig::new(fake(venue));
        rig.until_ready().await;
        rig.fake.inflict(Fault::Deaf);
        sleep(Duration::from_millis(500)).await;
        ends(&mut rig, Signal::INT).await;
    })
    .await;
}

#[tokio::test]
async fn while_it_waits_to_connect() {
    everywhere(async |venue| {
        let mut rig = Rig::new(suffering(venue, Fault::RefuseDial));
        let failed = |now: &Exposition| now.errors("network", "public") >= 1.0;
        rig.until_scrape("a dial fails", failed).await;
        ends(&mut rig, Signal::TERM).await;
    })
    .await;
}

#[tokio::test]
async fn while_it_waits_for_a_reply() {
    everywhere(async |venue| {
        let mut rig = Rig::new(suffering(venue, Fault::RestSlow { ms: 60_000 }));
        rig.until("it has asked", async || !rig.fake.seen().requests.is_empty()).await;
        ends(&mut rig, Signal::TERM).await;
    })
    .await;
}
