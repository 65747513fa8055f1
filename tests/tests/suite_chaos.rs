//! The whole suite under faults drawn by lot, on all five venues at once and with every account: whatever happens, no scrape breaks a
//! promise, and all is true again soon after.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fake_venues::Venue;
use fake_venues::ordeal::{Plan, Post, Report, Weather};
use fake_venues::stack::build;
use futures_util::future::join_all;

/// How long it is rough; `CHAOS_SECONDS` says otherwise.
const ROUGH: u64 = 32;
/// All must be true again within this.
const RECOVERY: Duration = Duration::from_secs(150);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The seed stands in the output of a run that fails; `CHAOS_SEED` repeats it. Where changes are judged it is always the same one, so that a change
/// answers for itself only.
#[tokio::test]
async fn nothing_that_happens_makes_the_suite_lie() -> io::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let drawn = if std::env::var_os("CI").is_some() { 1 } else { now };
    let seed = number("CHAOS_SEED").unwrap_or(drawn);
    let time = Duration::from_secs(number("CHAOS_SECONDS").unwrap_or(ROUGH));
    eprintln!("CHAOS_SEED={seed} CHAOS_SECONDS={}", time.as_secs());
    let only = std::env::var("VENUES").unwrap_or_default();
    let venues = Venue::ALL.into_iter().filter(|one| only.is_empty() || only.split(',').any(|name| name == one.name()));
    let posts = join_all(venues.map(|venue| one(venue, seed, time))).await;
    let posts: Vec<_> = posts.into_iter().collect::<io::Result<_>>()?;
    let found: usize = posts.iter().map(|(report, _)| report.found).sum();
    for (report, log) in posts.iter().filter(|(report, _)| report.found > 0) {
        report.findings.iter().for_each(|finding| eprintln!("\n{finding}"));
        eprintln!("--- its last lines ---\n{log}");
    }
    assert_eq!(found, 0, "broken promises; CHAOS_SEED={seed} CHAOS_SECONDS={} repeats this", time.as_secs());
    Ok(())
}

async fn one(venue: Venue, seed: u64, time: Duration) -> io::Result<(Report, String)> {
    let weather = Weather { restarts: true, bans: false };
    let plan = Plan { venue, seed, times: None, binaries: build()?, weather };
    let mut post = Post::start(plan).await?;
    let port = post.port();
    let course = async {
        post.recover(RECOVERY).await?;
        post.rough(time).await?;
        post.recover(RECOVERY).await
    };
    let ended = tokio::select! {
        ended = course => ended,
        () = Post::crowd(port) => Ok(()),
    };
    let log = post.log_tail();
    ended.map_err(|error: io::Error| io::Error::other(format!("{}: {error}\n{log}", venue.name())))?;
    let report = post.report.clone();
    assert!(report.comparisons == 2 || report.found > 0, "{}: nothing was compared", venue.name());
    eprintln!(
        "{}: {} scrapes and {} other pages during {} deeds, all true {:.1} s after the last",
        venue.name(),
        report.scrapes,
        report.pages,
        report.deeds,
        report.slowest.as_secs_f64()
    );
    Ok((report, log))
}
