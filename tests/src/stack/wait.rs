//! Waits until all servers of a suite are ready, and tells how far it is.

use super::{Suite, Target, get};
use std::io;
use std::time::{Duration, Instant};

/// Between two rounds of questions.
const PAUSE: Duration = Duration::from_millis(100);
/// Between two reports on what is still missing.
const REPORT: Duration = Duration::from_secs(5);

/// What there is to tell on the way.
#[derive(Debug)]
pub enum Progress<'a> {
    /// This one is ready.
    Ready {
        /// Its name.
        name: &'a str,
        /// Since the wait began.
        after: Duration,
    },
    /// These are not, and why.
    Waiting {
        /// Name and reason of each.
        missing: &'a [(&'static str, String)],
        /// Since the wait began.
        after: Duration,
    },
}

/// Asks each server's `/-/ready` until all say yes or the time is up; returns those that never did, each with its last
/// reason.
///
/// # Errors
/// A process of the suite has ended.
pub async fn until_ready(
    suite: &mut Suite,
    limit: Duration,
    mut tell: impl FnMut(Progress<'_>),
) -> io::Result<Vec<(&'static str, String)>> {
    let began = Instant::now();
    let mut reported = began;
    let mut open = suite.targets();
    loop {
        let mut missing = Vec::new();
        for target in std::mem::take(&mut open) {
            if let Err(reason) = ready(target).await {
                missing.push((target.name, reason));
                open.push(target);
            } else {
                tell(Progress::Ready { name: target.name, after: began.elapsed() });
            }
        }
        suite.check()?;
        if open.is_empty() || began.elapsed() > limit {
            return Ok(missing);
        }
        if reported.elapsed() > REPORT {
            reported = Instant::now();
            tell(Progress::Waiting { missing: &missing, after: began.elapsed() });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn ready(target: Target) -> Result<(), String> {
    match get(target.port, "/-/ready").await {
        Ok(response) if response.status == 200 => Ok(()),
        Ok(response) => {
            let reason = response.body.lines().next().unwrap_or_default().trim().to_owned();
            Err(if reason.is_empty() { format!("answers {}", response.status) } else { reason })
        }
        Err(error) => Err(format!("does not answer ({error})")),
    }
}
