//! Frames per CPU-second, from the socket to the price cell.

use std::hint::black_box;
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{Hosts, Setup};

use super::{Effort, Stage, median};
use crate::child::value;
use crate::clients::{Kind, Lines, Rig};
use crate::deck::{options, trading};
use crate::report::Limit::AtLeast;
use crate::report::{Report, Table};
use crate::venues::Case;

/// What each of the three clients does in a second of CPU time.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Reading only.
    pub reading: f64,
    /// The plain exporter.
    pub plain: f64,
    /// This one.
    pub ours: f64,
}

impl Rates {
    /// Of so many bursts of so many frames, all three in turns so that what disturbs one disturbs all; and the clients.
    pub fn of(stage: &Stage, lines: Lines, frames: usize, rounds: usize) -> io::Result<(Self, [Rig; 3])> {
        let kinds = [Kind::ReadOnly, Kind::Plain, Kind::Exporter];
        // All are started before any is waited for.
        let started: Vec<Rig> = kinds.iter().map(|&kind| stage.start(kind, lines, &[])).collect::<io::Result<_>>()?;
        let ready = |rig: Rig| Ok((rig.ready(stage.symbols)?, Vec::new()));
        let mut rigs = started.into_iter().map(ready).collect::<io::Result<Vec<(Rig, Vec<f64>)>>>()?;
        for _ in 0..rounds {
            for (rig, times) in &mut rigs {
                times.push(burst(rig, frames)?);
            }
        }
        let medians: Vec<f64> = rigs.iter_mut().map(|(_, times)| frames as f64 / median(times)).collect();
        let clients = rigs.into_iter().map(|(rig, _)| rig).collect::<Vec<_>>().try_into();
        match (&medians[..], clients) {
            (&[reading, plain, ours], Ok(clients)) => Ok((Self { reading, plain, ours }, clients)),
            _ => Err(io::Error::other("three clients were started")),
        }
    }

    fn over_plain(&self) -> f64 {
        self.ours / self.plain
    }

    fn of_reading(&self) -> f64 {
        100.0 * self.ours / self.reading
    }

    /// The cells of a table, under [`HEADER`].
    pub fn cells(&self) -> Vec<String> {
        let millions = |rate: f64| format!("{:.2} M", rate / 1e6);
        let ratios = [format!("{:.2}", self.over_plain()), format!("{:.0} %", self.of_reading())];
        [self.reading, self.plain, self.ours].map(millions).into_iter().chain(ratios).collect()
    }
}

/// What [`Rates::cells`] are.
pub const HEADER: [&str; 5] = ["reading only", "plain exporter", "this exporter", "× plain", "of reading only"];

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

/// Every venue at one size, and what decoding alone takes.
pub fn frames(cases: &'static [Case], effort: Effort, report: &mut Report) -> io::Result<()> {
    let symbols = effort.some;
    let header: Vec<&str> = [""].into_iter().chain(HEADER).chain(["decoding alone", "bytes a frame"]).collect();
    let title =
        format!("Frames per CPU-second, from the socket to the price cell, {symbols} symbols on one connection");
    let mut table = Table::new(&title, &header);
    for case in cases {
        let who = case.about.title;
        report.say(&format!("frames of {who}, {symbols} symbols"));
        let (rates, _) = Rates::of(&Stage::new(case, symbols)?, Lines::Split(1), effort.frames, effort.rounds)?;
        let what = format!("{who}: frames per CPU-second at {symbols} symbols");
        report.target(&format!("{what}, × plain exporter"), AtLeast(2.2), rates.over_plain(), "");
        report.target(&format!("{what}, share of reading only"), AtLeast(24.0), rates.of_reading(), " %");
        let (nanoseconds, bytes) = decode(case, effort);
        let more = [format!("{nanoseconds:.0} ns"), format!("{bytes:.0}")];
        table.row([who.to_owned()].into_iter().chain(rates.cells()).chain(more).collect());
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
