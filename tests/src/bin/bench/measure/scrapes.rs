//! Scrapes over HTTP: their CPU time, and what memory they take.

use std::io;
use std::time::{Duration, Instant};

use super::{Effort, FEW, Stage, milliseconds};
use crate::child::{Child, series};
use crate::clients::{Kind, Lines};
use crate::report::Limit::AtMost;
use crate::report::{Report, Table};
use crate::venues::Case;

const OPEN_METRICS: &str = "Accept: application/openmetrics-text;version=1.0.0\r\n";
pub const GZIP: &str = "Accept-Encoding: gzip\r\n";

/// One kind of scrape.
pub struct Scrapes {
    cpu: Duration,
    wall: Duration,
    bytes: usize,
    series: usize,
}

impl Scrapes {
    /// The mean of so many, after one that does not count.
    pub fn of(child: &Child, count: u32, headers: &str) -> io::Result<Self> {
        let series = series(&child.metrics()?);
        let mut client = child.client()?;
        let mut bytes = client.get("/metrics", headers)?.body.len();
        let start = Instant::now();
        let cpu = child.cpu_of(|| {
            for _ in 0..count {
                bytes = client.get("/metrics", headers)?.body.len();
            }
            Ok(())
        })?;
        Ok(Self { cpu: cpu / count, wall: start.elapsed() / count, bytes, series })
    }

    /// Nanoseconds of CPU time.
    pub fn per_series(&self) -> f64 {
        self.cpu.as_nanos() as f64 / self.series as f64
    }

    fn row(&self, who: Kind, what: &str) -> Vec<String> {
        let ms = |time: Duration| format!("{:.2} ms", milliseconds(time));
        let (series, per) = (self.series.to_string(), format!("{:.0} ns", self.per_series()));
        vec![who.title().into(), what.into(), series, self.bytes.to_string(), ms(self.cpu), ms(self.wall), per]
    }
}

/// The plain exporter's, the same names in ours, and all names as it comes.
pub fn scrapes(case: &'static Case, effort: Effort, report: &mut Report) -> io::Result<()> {
    report.say("scrapes");
    let stage = Stage::new(case, effort.many)?;
    let title = format!("One scrape over HTTP, {} symbols", effort.many);
    let mut table = Table::new(&title, &["", "format", "series", "bytes", "CPU", "wall", "CPU a series"]);
    let mut take = |kind, flags: &[&str], formats: &[(&str, &str)]| {
        let rig = stage.ready(kind, Lines::Venue, flags)?;
        let count = if kind == Kind::Plain { effort.scrapes.div_ceil(4) } else { effort.scrapes };
        let mut costs = Vec::new();
        for (what, headers) in formats {
            let scrapes = Scrapes::of(&rig.child, count, headers)?;
            table.row(scrapes.row(kind, what));
            costs.push(scrapes.per_series());
        }
        io::Result::Ok(costs)
    };
    let plain = take(Kind::Plain, &[], &[("text, `TextEncoder`", "")])?;
    let [text, gzip] = ["text, no compatibility names", "text, no compatibility names, gzip"];
    let same = take(Kind::Exporter, &["--metrics.compat=false"], &[(text, ""), (gzip, GZIP)])?;
    let all = take(Kind::Exporter, &[], &[("text", ""), ("OpenMetrics", OPEN_METRICS), ("text, gzip", GZIP)])?;
    report.table(table);
    let ([plain], [text, gzip], [own, ..]) = (&plain[..], &same[..], &all[..]) else {
        return Err(io::Error::other("a scrape is missing"));
    };
    report.target("CPU of a scrape, a series", AtMost(150.0), text.max(*own), " ns");
    report.target("CPU of a scrape, same names, × `TextEncoder`", AtMost(0.2), text / plain, "");
    report.target("CPU of a scrape with gzip, same names, × `TextEncoder` without", AtMost(0.4), gzip / plain, "");
    memory(case, effort, report)
}

/// What scrapes add to the memory of a client that was never scraped before, at its peak.
fn memory(case: &'static Case, effort: Effort, report: &mut Report) -> io::Result<()> {
    let title = "Memory that scrapes take, from before the first to the peak";
    let mut table = Table::new(title, &["", "symbols", "RSS before", "peak", "taken"]);
    let mut taken = Vec::new();
    for kind in [Kind::Plain, Kind::Exporter] {
        for symbols in [FEW, effort.many] {
            report.say(&format!("memory of scrapes, {}, {symbols} symbols", kind.title()));
            let child = Stage::new(case, symbols)?.ready(kind, Lines::Venue, &[])?.child;
            let (before, _) = child.memory()?;
            child.forget_peak()?;
            let mut client = child.client()?;
            for headers in ["", OPEN_METRICS, GZIP].repeat(7) {
                client.get("/metrics", headers)?;
            }
            let (_, peak) = child.memory()?;
            taken.push(peak - before);
            let mib = [before, peak, peak - before].map(|mib| format!("{mib:.2} MiB"));
            table.row([kind.title().to_owned(), symbols.to_string()].into_iter().chain(mib).collect());
        }
    }
    report.table(table);
    if let [.., few, many] = taken[..] {
        let what = format!("memory that scrapes take at {} symbols, less that at {FEW}", effort.many);
        report.target(&what, AtMost(1.0), many - few, " MiB");
    }
    Ok(())
}
