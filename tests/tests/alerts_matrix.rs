//! Every fault leads to its alerts and to no others: the real exporters against fake venues that fail, bots that post to the real gateway, the real Prometheus with the
//! repository's rules and alerts, and the real Alertmanager with the repository's routes and inhibitions, twenty times as fast. The run
//! writes docs/alerts.md.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

#[path = "matrix/bot_cases.rs"]
mod bot_cases;
#[path = "matrix/bots.rs"]
mod bots;
#[path = "matrix/cases.rs"]
mod cases;
#[path = "matrix/compress.rs"]
mod compress;
#[path = "matrix/hook.rs"]
mod hook;
#[path = "matrix/play.rs"]
mod play;
#[path = "matrix/report.rs"]
mod report;
#[path = "matrix/stage.rs"]
mod stage;

use std::fs;

use fake_venues::stack::have_tools;
use futures_util::future::join_all;

use play::{Board, Case, calm, lane};
use stage::Stage;

/// Only cases with one of these words, parted by commas, for somebody who works on them.
fn wanted(case: &Case) -> bool {
    let only = std::env::var("CASES").unwrap_or_default();
    only.is_empty() || only.split(',').any(|word| case.fault.contains(word))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_fault_leads_to_its_alerts_and_to_no_others() {
    if !have_tools(&["prometheus", "alertmanager"]).unwrap() {
        return;
    }
    let stage = Stage::set().await;
    let board = Board::default();
    calm(&stage, &board).await;
    let mut outcomes = lane(&stage, &board, cases::first().into_iter().filter(wanted).collect()).await;
    let venue = async |steps: Vec<Vec<Vec<Case>>>| {
        let mut outcomes = Vec::new();
        for lanes in steps {
            let lanes = lanes.into_iter().map(|cases| cases.into_iter().filter(wanted).collect());
            outcomes.extend(join_all(lanes.map(|cases| lane(&stage, &board, cases))).await.into_iter().flatten());
        }
        outcomes
    };
    outcomes.extend(join_all(cases::venues().into_iter().map(venue)).await.into_iter().flatten());
    calm(&stage, &board).await;
    assert!(board.strays().is_empty(), "nobody expects these: {:#?}", board.strays());
    let watchdogs = stage.hook.events().iter().filter(|event| event.receiver == "watchdog").count();
    assert!(watchdogs > 2, "the dead man's switch was told {watchdogs} times");
    if std::env::var_os("UPDATE").is_some() {
        let cases: Vec<&Case> = outcomes.iter().map(|outcome| &outcome.case).collect();
        let times: Vec<_> = outcomes.iter().map(|outcome| (outcome.fired, outcome.over)).collect();
        fs::write(report::path(), report::page(&cases, &times)).unwrap();
    }
}

/// What the run does not decide: which cases there are, and which alerts.
#[test]
fn the_page_of_alerts_is_current() {
    if std::env::var_os("UPDATE").is_some() {
        return;
    }
    let cases: Vec<Case> =
        cases::first().into_iter().chain(cases::venues().into_iter().flatten().flatten().flatten()).collect();
    let page = report::page(&cases.iter().collect::<Vec<_>>(), &[]);
    let written = fs::read_to_string(report::path()).unwrap();
    let (page, written) = (report::timeless(&page), report::timeless(&written));
    let differs = page.lines().zip(written.lines()).find(|(page, written)| page != written);
    let advice = "UPDATE=1 cargo test -p tests --test alerts_matrix";
    assert!(page == written, "docs/alerts.md is not current ({advice}): {differs:#?}");
}
