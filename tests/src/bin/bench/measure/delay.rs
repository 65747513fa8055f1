//! Whether scrapes make frames wait.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::scope;
use std::time::Duration;

use super::{Effort, RATE, Stage, milliseconds, quantile};
use crate::clients::{Kind, Lines, Rig};
use crate::report::Limit::AtMost;
use crate::report::{Report, Table};
use crate::venues::Case;

/// How long pings amid the frames wait for their answer while one scrape follows the other; and how many scrapes.
fn scraped(rig: &Rig, time: Duration) -> io::Result<(Vec<f64>, u32)> {
    let (over, count) = (AtomicBool::new(false), AtomicU32::new(0));
    let delays = scope(|scope| {
        let scraper = scope.spawn(|| {
            let mut client = rig.child.client()?;
            while !over.load(Ordering::Relaxed) {
                client.get("/metrics", "")?;
                count.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
        let delays = rig.flood.probe(RATE, time);
        over.store(true, Ordering::Relaxed);
        scraper.join().unwrap_or(Ok(())).and(delays)
    })?;
    Ok((delays.into_iter().map(milliseconds).collect(), count.into_inner()))
}

/// Both exporters, without scrapes and with, in turns.
pub fn delay(case: &'static Case, effort: Effort, report: &mut Report) -> io::Result<()> {
    let stage = Stage::new(case, effort.many)?;
    let title = format!("Wait of a frame for being read, {RATE} frames/s one by one, {} symbols", effort.many);
    let mut table = Table::new(&title, &["", "scrapes", "frames watched", "median", "p99", "p99.9", "worst"]);
    for kind in [Kind::Plain, Kind::Exporter] {
        report.say(&format!("wait of frames during scrapes, {}", kind.title()));
        let rig = stage.ready(kind, Lines::Venue, &[])?;
        let (mut alone, mut amid, mut scrapes) = (Vec::new(), Vec::new(), 0);
        let turn = effort.watch / effort.rounds as u32;
        for _ in 0..effort.rounds {
            alone.extend(rig.flood.probe(RATE, turn)?.into_iter().map(milliseconds));
            let (delays, count) = scraped(&rig, turn)?;
            amid.extend(delays);
            scrapes += count;
        }
        for (what, delays) in [("none".to_owned(), &mut alone), (format!("{scrapes}, back to back"), &mut amid)] {
            let cells = [0.5, 0.99, 0.999, 1.0].map(|share| format!("{:.2} ms", quantile(delays, share)));
            table.row([kind.title().to_owned(), what, delays.len().to_string()].into_iter().chain(cells).collect());
        }
        if kind == Kind::Exporter {
            let more = quantile(&mut amid, 0.999) - quantile(&mut alone, 0.999);
            let what = format!("wait of a frame during scrapes of {} symbols, p99.9, more than without", effort.many);
            report.target(&what, AtMost(1.0), more, " ms");
        }
    }
    report.table(table);
    Ok(())
}
