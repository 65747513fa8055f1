//! Memory and CPU time, at rest and at a steady rate.

use std::io;
use std::thread::{scope, sleep};
use std::time::Duration;

use super::scrapes::GZIP;
use super::{Effort, FEW, RATE, Stage, median};
use crate::child::Child;
use crate::clients::{Kind, Lines, Rig};
use crate::report::Limit::AtMost;
use crate::report::{Report, Table};
use crate::venues::Case;

/// One client. CPU time is a share of a core, memory in MiB.
struct Watched {
    kind: Kind,
    rig: Rig,
    idle: f64,
    /// Of each turn.
    busy: Vec<f64>,
    memory_idle: f64,
    memory_busy: f64,
    memory_later: f64,
    peak: f64,
}

impl Watched {
    /// A client at rest.
    fn new(kind: Kind, rig: Rig, effort: Effort) -> io::Result<Self> {
        let (memory_idle, _) = rig.child.memory()?;
        let rest = effort.watch / 2;
        let idle = share(&rig.child, rest, || {
            sleep(rest);
            Ok(())
        })?;
        let (busy, nothing) = (Vec::with_capacity(effort.rounds), f64::NAN);
        Ok(Self { kind, rig, idle, busy, memory_idle, memory_busy: nothing, memory_later: nothing, peak: nothing })
    }

    fn turn(&mut self, time: Duration) -> io::Result<()> {
        let Rig { child, flood } = &self.rig;
        self.busy.push(share(child, time, || flood.trickle(RATE, time))?);
        Ok(())
    }

    /// After all turns: the same load again, with scrapes amid it. What grew by it is not given back.
    fn scraped(&mut self, watch: Duration) -> io::Result<()> {
        let Rig { child, flood } = &self.rig;
        scrape(child)?;
        (self.memory_busy, _) = child.memory()?;
        scope(|scope| {
            let load = scope.spawn(|| flood.trickle(RATE, watch));
            while !load.is_finished() {
                scrape(child)?;
                sleep(watch / 20);
            }
            load.join().unwrap_or(Ok(()))
        })?;
        (self.memory_later, self.peak) = child.memory()?;
        Ok(())
    }

    fn row(&self, symbols: usize, busy: f64) -> Vec<String> {
        let who = [self.kind.title().to_owned(), symbols.to_string(), self.rig.flood.connections().to_string()];
        let shares = [self.idle, busy].map(|percent| format!("{percent:.2} %"));
        let memory = [self.memory_idle, self.memory_busy, self.memory_later, self.peak];
        who.into_iter().chain(shares).chain(memory.map(|mib| format!("{mib:.1} MiB"))).collect()
    }
}

/// The share of a core, in percent, that a child takes while something of this length goes on.
fn share(child: &Child, time: Duration, work: impl FnOnce() -> io::Result<()>) -> io::Result<f64> {
    Ok(100.0 * child.cpu_of(work)?.as_secs_f64() / time.as_secs_f64())
}

fn scrape(child: &Child) -> io::Result<()> {
    let mut client = child.client()?;
    ["", GZIP].repeat(5).into_iter().try_for_each(|headers| client.get("/metrics", headers).map(drop))
}

/// All three clients, from few symbols to many.
pub fn steady(case: &'static Case, effort: Effort, report: &mut Report) -> io::Result<()> {
    let header = ["", "symbols", "connections", "CPU idle", "CPU busy", "RSS idle", "RSS busy", "RSS later", "peak"];
    let title =
        format!("At rest, and at {RATE} frames/s one by one; RSS after scrapes, connections as the venue has it");
    let mut table = Table::new(&title, &header);
    for symbols in [FEW, effort.some, effort.many] {
        report.say(&format!("at rest and at {RATE} frames/s, {symbols} symbols"));
        let stage = Stage::new(case, symbols)?;
        let mut clients = [Kind::ReadOnly, Kind::Plain, Kind::Exporter]
            .into_iter()
            .map(|kind| Watched::new(kind, stage.ready(kind, Lines::Venue, &[])?, effort))
            .collect::<io::Result<Vec<_>>>()?;
        for _ in 0..effort.rounds {
            clients.iter_mut().try_for_each(|client| client.turn(effort.watch / 4))?;
        }
        let mut plain = f64::NAN;
        for client in &mut clients {
            client.scraped(effort.watch)?;
            let busy = median(&mut client.busy);
            table.row(client.row(symbols, busy));
            match client.kind {
                Kind::ReadOnly => {}
                Kind::Plain => plain = busy,
                Kind::Exporter => targets(client, symbols, busy, plain, symbols == effort.many, report),
            }
        }
    }
    report.table(table);
    Ok(())
}

/// What the exporter is held against.
fn targets(ours: &Watched, symbols: usize, busy: f64, plain: f64, many: bool, report: &mut Report) {
    let at = format!("at {RATE} frames/s, {symbols} symbols");
    report.target(&format!("CPU {at}, × plain exporter"), AtMost(0.85), busy / plain, "");
    report.target(&format!("CPU {at}, share of a core"), AtMost(8.0), busy, " %");
    if many {
        report.target(&format!("peak memory {at}"), AtMost(24.0), ours.peak, " MiB");
        let grown = ours.memory_later - ours.memory_busy;
        report.target(&format!("memory that grows {at}"), AtMost(0.5), grown, " MiB");
    }
}
