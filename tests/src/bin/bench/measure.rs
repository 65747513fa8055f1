//! The measurements, each into a table of the report.

use std::hint::black_box;
use std::io;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{Hosts, Setup};
use fake_venues::Fake;

use crate::child::{Child, series, value};
use crate::clients::{Kind, Lines, Rig};
use crate::deck::{Deck, options, trading};
use crate::report::{Report, Table};
use crate::venues::Case;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Frames in one burst.
    pub frames: usize,
    /// Bursts per client, in turns, of which the median counts.
    pub rounds: usize,
    /// Scrapes of one kind.
    pub scrapes: u32,
    /// How long to watch a client at rest, and at the rate below.
    pub watch: Duration,
    /// Starts to find the first price.
    pub starts: usize,
    /// "Many symbols".
    pub many: usize,
}

/// Frames a second that a busy exporter is sent.
const RATE: u32 = 5_000;
const FEW: usize = 20;

/// A fake venue with so many trading symbols, and frames of them.
struct Stage {
    case: &'static Case,
    fake: Fake,
    deck: Arc<Deck>,
    symbols: usize,
}

impl Stage {
    fn new(case: &'static Case, symbols: usize) -> io::Result<Self> {
        let fake = fake_venues::start(case.fake, options(case, symbols))?;
        let deck = Arc::new(Deck::new(case, fake.market()));
        Ok(Self { case, fake, deck, symbols })
    }

    fn start(&self, kind: Kind, lines: Lines, flags: &[&str]) -> io::Result<Rig> {
        Rig::start((kind, lines), self.case, &self.deck, &self.fake.rest_url(), flags)
    }

    fn ready(&self, kind: Kind, lines: Lines, flags: &[&str]) -> io::Result<Rig> {
        self.start(kind, lines, flags)?.ready(self.symbols)
    }
}

/// Frames per CPU-second: reading only, plain, ours.
struct Rates {
    reading: f64,
    plain: f64,
    ours: f64,
}

/// On one connection, all three in turns so that what disturbs one disturbs all.
fn rates(case: &'static Case, symbols: usize, effort: Effort) -> io::Result<Rates> {
    let stage = Stage::new(case, symbols)?;
    let mut rigs = [Kind::ReadOnly, Kind::Plain, Kind::Exporter]
        .into_iter()
        .map(|kind| Ok((stage.ready(kind, Lines::One, &[])?, Vec::new())))
        .collect::<io::Result<Vec<(Rig, Vec<f64>)>>>()?;
    for _ in 0..effort.rounds {
        for (rig, times) in &mut rigs {
            times.push(burst(rig, effort.frames)?);
        }
    }
    let medians: Vec<f64> = rigs.iter_mut().map(|(_, times)| effort.frames as f64 / median(times)).collect();
    match medians[..] {
        [reading, plain, ours] => Ok(Rates { reading, plain, ours }),
        _ => Err(io::Error::other("three clients were started")),
    }
}

/// CPU seconds of one burst; an error if an exporter has not counted every frame of it, or found fault with one.
fn burst(rig: &Rig, frames: usize) -> io::Result<f64> {
    let counted = |text: &str| value(text, "exchange_websocket_messages_total");
    let before = counted(&rig.child.metrics()?);
    let cpu = rig.child.cpu_of(|| rig.flood.burst(frames))?;
    // The last frames are counted a moment after they were read.
    let mut after = rig.child.metrics()?;
    for _ in 0..100 {
        if after.is_empty() || counted(&after) - before >= frames as f64 {
            break;
        }
        sleep(Duration::from_millis(10));
        after = rig.child.metrics()?;
    }
    let (heard, faults) = (counted(&after) - before, value(&after, "exchange_errors_total"));
    // Answers to keep-alives are frames too, where they are text.
    let all = (frames as f64..frames as f64 + 10.0).contains(&heard);
    if !after.is_empty() && (!all || faults > 0.0) {
        return Err(io::Error::other(format!("{heard} of {frames} frames were counted, {faults} errors")));
    }
    Ok(cpu.as_secs_f64())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn millions(rate: f64) -> String {
    format!("{:.2} M", rate / 1e6)
}

const RATES: [&str; 6] = ["", "reading only", "plain exporter", "this exporter", "× plain", "of reading only"];

fn rates_row(what: String, rates: &Rates) -> Vec<String> {
    let ratio = format!("{:.2}", rates.ours / rates.plain);
    let share = format!("{:.0} %", 100.0 * rates.ours / rates.reading);
    vec![what, millions(rates.reading), millions(rates.plain), millions(rates.ours), ratio, share]
}

/// The first venue at several sizes.
pub fn frames(case: &'static Case, effort: Effort, report: &mut Report) -> io::Result<()> {
    let mut table = Table::new("Frames per CPU-second, from the socket to the price cell, one connection", &RATES);
    for symbols in [FEW, 500.min(effort.many), effort.many] {
        report.say(&format!("frames per CPU-second at {symbols} symbols"));
        let rates = rates(case, symbols, effort)?;
        if symbols == 500 {
            let ratio = rates.ours / rates.plain;
            report.target("frames per CPU-second at 500 symbols, × plain exporter", 2.0, ratio, "", true);
        }
        table.row(rates_row(format!("{symbols} symbols"), &rates));
    }
    report.table(table);
    Ok(())
}

/// Every venue at one size, and what decoding alone takes.
pub fn venues(cases: &'static [Case], effort: Effort, report: &mut Report) -> io::Result<()> {
    let header: Vec<&str> = RATES.into_iter().chain(["decoding alone", "bytes a frame"]).collect();
    let mut table = Table::new("The five venues' frames, 100 symbols on one connection", &header);
    for case in cases {
        report.say(&format!("frames of {}", case.name()));
        let rates = rates(case, 100, effort)?;
        let mut row = rates_row(case.about.title.to_owned(), &rates);
        let (nanoseconds, bytes) = decode(case, effort);
        row.extend([format!("{nanoseconds:.0} ns"), format!("{bytes:.0}")]);
        table.row(row);
    }
    report.table(table);
    Ok(())
}

/// Nanoseconds that the adapter takes for one frame, and its mean length: no socket, no cells.
fn decode(case: &Case, effort: Effort) -> (f64, f64) {
    let hosts = Hosts::new("", "", "", "");
    let venue = (case.build)(&Setup { hosts, ws_given: true, ws_private_given: true, testnet: false });
    let feed = venue.feed(Vec::new());
    let market = fake_venues::market::Market::new(case.fake, 1, options(case, 100).symbols, 0);
    let frames: Vec<String> = trading(&market).flat_map(case.frames).collect();
    let rounds = (effort.frames / 2 / frames.len()).max(1);
    let mut times: Vec<f64> = (0..effort.rounds)
        .map(|_| {
            let start = Instant::now();
            for frame in frames.iter().cycle().take(rounds * frames.len()) {
                // Frames that are not understood would show as errors in the flood.
                let _ = feed.decode(black_box(frame), &mut |update| drop(black_box(update)));
            }
            start.elapsed().as_nanos() as f64 / (rounds * frames.len()) as f64
        })
        .collect();
    let bytes: usize = frames.iter().map(String::len).sum();
    (median(&mut times), bytes as f64 / frames.len() as f64)
}

/// One kind of scrape.
struct Scrapes {
    cpu: Duration,
    wall: Duration,
    bytes: usize,
    series: usize,
}

impl Scrapes {
    fn of(child: &Child, count: u32, headers: &str) -> io::Result<Self> {
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

    fn per_series(&self) -> f64 {
        self.cpu.as_nanos() as f64 / self.series as f64
    }

    fn row(&self, who: &str, what: &str) -> Vec<String> {
        let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
        let (series, per) = (self.series.to_string(), format!("{:.0} ns", self.per_series()));
        vec![who.into(), what.into(), series, self.bytes.to_string(), ms(self.cpu), ms(self.wall), per]
    }
}

/// Scrapes over HTTP.
pub fn scrapes(case: &'static Case, effort: Effort, report: &mut Report) -> io::Result<()> {
    report.say("scrapes");
    let stage = Stage::new(case, effort.many)?;
    let title = format!("One scrape over HTTP, {} symbols", effort.many);
    let mut table = Table::new(&title, &["", "format", "series", "bytes", "CPU", "wall", "CPU a series"]);
    let plain = Scrapes::of(&stage.ready(Kind::Plain, Lines::Venue, &[])?.child, effort.scrapes.div_ceil(4), "")?;
    table.row(plain.row("plain exporter", "text, `TextEncoder`"));
    // The same names as the plain exporter's, for a fair comparison; then all names, as it comes.
    let same = stage.ready(Kind::Exporter, Lines::Venue, &["--metrics.compat=false"])?;
    let ours = Scrapes::of(&same.child, effort.scrapes, "")?;
    table.row(ours.row("this exporter", "text, no compatibility names"));
    drop(same);
    let all = stage.ready(Kind::Exporter, Lines::Venue, &[])?;
    for (what, headers) in [
        ("text", ""),
        ("OpenMetrics", "Accept: application/openmetrics-text;version=1.0.0\r\n"),
        ("text, gzip", "Accept-Encoding: gzip\r\n"),
    ] {
        table.row(Scrapes::of(&all.child, effort.scrapes, headers)?.row("this exporter", what));
    }
    report.table(table);
    let share = ours.per_series() / plain.per_series();
    report.target("CPU of a scrape, same names, share of `TextEncoder`'s", 0.25, share, "", false);
    Ok(())
}

/// From the venue's first frame to the first scrape with a price.
pub fn first_price(case: &'static Case, effort: Effort, report: &mut Report) -> io::Result<()> {
    report.say("first price");
    let stage = Stage::new(case, FEW)?;
    let mut times = Vec::new();
    for _ in 0..effort.starts {
        let mut rig = stage.start(Kind::Exporter, Lines::Venue, &[])?;
        rig.child.wait("web server", |child| child.client().is_ok())?;
        let mut client = rig.child.client()?;
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let body = client.get("/metrics", "")?.body;
            if String::from_utf8_lossy(&body).contains("\nexchange_last_price{") {
                break;
            }
            if Instant::now() > deadline {
                return Err(io::Error::other("no price within 30 s"));
            }
        }
        let sent = rig.flood.first_data().ok_or_else(|| io::Error::other("a price before any was sent"))?;
        times.push(sent.elapsed().as_secs_f64() * 1e3);
    }
    let worst = times.iter().copied().fold(0.0, f64::max);
    report.target("first price after the venue's first frame, worst start", 100.0, worst, " ms", false);
    Ok(())
}

/// Memory and CPU, at rest and at a steady rate.
pub fn steady(case: &'static Case, effort: Effort, report: &mut Report) -> io::Result<()> {
    let header = ["", "symbols", "connections", "CPU idle", "CPU busy", "RSS idle", "RSS busy", "peak"];
    let title =
        format!("At rest, and at {RATE} frames/s one by one; RSS after scrapes, connections as the venue has it");
    let mut table = Table::new(&title, &header);
    for symbols in [FEW, effort.many] {
        let stage = Stage::new(case, symbols)?;
        let mut plain_busy = f64::NAN;
        for kind in [Kind::ReadOnly, Kind::Plain, Kind::Exporter] {
            report.say(&format!("{} at rest and at {RATE} frames/s, {symbols} symbols", kind.title()));
            let rig = stage.ready(kind, Lines::Venue, &[])?;
            let watch = effort.watch;
            let share = |cpu: Duration| 100.0 * cpu.as_secs_f64() / watch.as_secs_f64();
            let (idle_memory, _) = rig.child.memory()?;
            let idle = share(rig.child.cpu_of(|| {
                sleep(watch);
                Ok(())
            })?);
            let busy = share(rig.child.cpu_of(|| rig.flood.trickle(RATE, watch))?);
            for headers in ["", "Accept-Encoding: gzip\r\n"].repeat(5) {
                rig.child.client()?.get("/metrics", headers)?;
            }
            let (busy_memory, peak) = rig.child.memory()?;
            let lines = rig.flood.connections();
            let mut row = vec![kind.title().to_owned(), symbols.to_string(), lines.to_string()];
            row.extend([idle, busy].map(|percent| format!("{percent:.2} %")));
            row.extend([idle_memory, busy_memory, peak].map(|mib| format!("{mib:.1} MiB")));
            table.row(row);
            match kind {
                Kind::Plain => plain_busy = busy,
                Kind::Exporter if symbols == effort.many => {
                    report.target("peak memory, many symbols", 24.0, peak, " MiB", false);
                    report.target("CPU at 5,000 frames/s, share of a core", 8.0, busy, " %", false);
                    report.target("CPU at 5,000 frames/s, × plain exporter", 0.85, busy / plain_busy, "", false);
                }
                _ => {}
            }
        }
    }
    report.table(table);
    Ok(())
}
