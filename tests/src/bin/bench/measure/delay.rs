//! Whether scrapes make frames wait.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::scope;
use std::time::Duration;

use super::{Effort, RATE, Stage, milliseconds, quantile};
use crate::child::Child;
use crate::clients::{Kind, Lines, Rig};
use crate::report::Limit::AtMost;
use crate::report::{Report, Table};
use crate::venues::Case;

/// Who is scraped meanwhile. A neighbour is a second process of the same kind: whoever is scraped, the machine has the
/// same work, and so what its own scrapes add is the exporter's doing.
const SCRAPED: [&str; 3] = ["nobody's", "a neighbour's", "its own"];

/// What was seen of one kind of client, by who was scraped.
#[derive(Default)]
struct Waits {
    delays: Vec<f64>,
    scrapes: u32,
}

/// How long pings amid the frames wait for their answer while one scrape of somebody follows the other.
fn probe(rig: &Rig, scraped: Option<&Child>, time: Duration, waits: &mut Waits) -> io::Result<()> {
    let (over, count) = (AtomicBool::new(false), AtomicU32::new(0));
    let delays = scope(|scope| {
        let scraper = scope.spawn(|| {
            let Some(child) = scraped else { return Ok(()) };
            let mut client = child.client()?;
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
    waits.delays.extend(delays.into_iter().map(milliseconds));
    waits.scrapes += count.into_inner();
    Ok(())
}

/// Both exporters, in turns with and without scrapes.
pub fn delay(case: &'static Case, effort: Effort, report: &mut Report) -> io::Result<()> {
    let stage = Stage::new(case, effort.many)?;
    let title = format!("Wait of a frame for being read, {RATE} frames/s one by one, {} symbols", effort.many);
    let header = ["", "scrapes", "back to back", "frames watched", "median", "p99", "p99.9", "worst"];
    let mut table = Table::new(&title, &header);
    for kind in [Kind::Plain, Kind::Exporter] {
        report.say(&format!("wait of frames during scrapes, {}", kind.title()));
        let rig = stage.ready(kind, Lines::Venue, &[])?;
        let neighbour = stage.ready(kind, Lines::Venue, &[])?;
        let mut seen = SCRAPED.map(|_| Waits::default());
        let whom = [None, Some(&neighbour.child), Some(&rig.child)];
        for _ in 0..effort.rounds {
            for (waits, scraped) in seen.iter_mut().zip(whom) {
                probe(&rig, scraped, 2 * effort.watch / effort.rounds as u32, waits)?;
            }
        }
        let late = seen.each_mut().map(|waits| quantile(&mut waits.delays, 0.999));
        for (whose, Waits { delays, scrapes }) in SCRAPED.iter().zip(&mut seen) {
            let who = [kind.title().to_owned(), (*whose).to_owned(), scrapes.to_string(), delays.len().to_string()];
            let cells = [0.5, 0.99, 0.999, 1.0].map(|share| format!("{:.2} ms", quantile(delays, share)));
            table.row(who.into_iter().chain(cells).collect());
        }
        if let (Kind::Exporter, [_, neighbours, own]) = (kind, late) {
            let symbols = effort.many;
            let what =
                format!("wait of a frame during scrapes of {symbols} symbols, p99.9, more than during a neighbour's");
            report.target(&what, AtMost(1.0), own - neighbours, " ms");
        }
    }
    report.table(table);
    Ok(())
}
