//! How soon there is a price.

use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Effort, FEW, Stage, median, milliseconds};
use crate::clients::{Kind, Lines};
use crate::report::Limit::AtMost;
use crate::report::{Report, Table};
use crate::venues::Case;

/// From a client's start, and from the venue's first frame, to the first scrape with a price; in milliseconds.
fn start(stage: &Stage, kind: Kind) -> io::Result<(f64, f64)> {
    let began = Instant::now();
    let rig = stage.start(kind, Lines::Venue, &[])?;
    let mut client = None;
    while began.elapsed() < Duration::from_secs(30) {
        let Some(open) = &mut client else {
            client = rig.child.client().ok();
            if client.is_none() {
                sleep(Duration::from_millis(1));
            }
            continue;
        };
        let body = open.get("/metrics", "")?.body;
        if String::from_utf8_lossy(&body).contains("\nexchange_last_price{") {
            let sent = rig.flood.first_data().ok_or_else(|| io::Error::other("a price before any was sent"))?;
            return Ok((milliseconds(began.elapsed()), milliseconds(sent.elapsed())));
        }
    }
    Err(io::Error::other(format!("{}: no price within 30 s", kind.title())))
}

/// Both exporters, in turns.
pub fn first_price(case: &'static Case, effort: Effort, report: &mut Report) -> io::Result<()> {
    report.say("first price");
    let stage = Stage::new(case, FEW)?;
    let mut rows = [(Kind::Plain, Vec::new(), Vec::new()), (Kind::Exporter, Vec::new(), Vec::new())];
    for _ in 0..effort.starts {
        for (kind, from_start, from_frame) in &mut rows {
            let (start, frame) = start(&stage, *kind)?;
            from_start.push(start);
            from_frame.push(frame);
        }
    }
    let title = format!("First scrape with a price, {FEW} symbols, {} starts", effort.starts);
    let header = ["", "after the start, median", "worst", "after the venue's first frame, median", "worst"];
    let mut table = Table::new(&title, &header);
    let mut medians = Vec::new();
    for (kind, from_start, from_frame) in &mut rows {
        let mut cells = vec![kind.title().to_owned()];
        for times in [&mut *from_start, from_frame] {
            let worst = times.iter().copied().fold(0.0, f64::max);
            cells.extend([median(times), worst].map(|time| format!("{time:.2} ms")));
        }
        table.row(cells);
        medians.push(median(from_start));
    }
    report.table(table);
    if let [plain, ours] = medians[..] {
        report.target(
            "first price after the start, later than the plain exporter's",
            AtMost(50.0),
            ours - plain,
            " ms",
        );
    }
    Ok(())
}
