//! Memory and CPU time, at rest and at a steady rate.

use std::io;
use std::thread::{scope, sleep};
use std::time::Duration;

use super::scrapes::GZIP;
use super::{Effort, FEW, RATE, Stage};
use crate::child::Child;
use crate::clients::{Kind, Lines, Rig};
use crate::report::Limit::AtMost;
use crate::report::{Report, Table};
use crate::venues::Case;

/// One client's. CPU time is a share of a core, memory in MiB.
struct Watched {
    idle: f64,
    busy: f64,
    memory_idle: f64,
    memory_busy: f64,
    memory_later: f64,
    peak: f64,
}

impl Watched {
    fn of(rig: &Rig, watch: Duration) -> io::Result<Self> {
        let Rig { child, flood } = rig;
        let share = |cpu: Duration, of: Duration| 100.0 * cpu.as_secs_f64() / of.as_secs_f64();
        let (memory_idle, _) = child.memory()?;
        let rest = || {
            sleep(watch / 2);
            Ok(())
        };
        let idle = share(child.cpu_of(rest)?, watch / 2);
        let busy = share(child.cpu_of(|| flood.trickle(RATE, watch))?, watch);
        scrape(child)?;
        let (memory_busy, _) = child.memory()?;
        // The same load again, with scrapes amid it: what grew is not given back.
        scope(|scope| {
            let load = scope.spawn(|| flood.trickle(RATE, watch));
            while !load.is_finished() {
                scrape(child)?;
                sleep(watch / 20);
            }
            load.join().unwrap_or(Ok(()))
        })?;
        let (memory_later, peak) = child.memory()?;
        Ok(Self { idle, busy, memory_idle, memory_busy, memory_later, peak })
    }

    fn cells(&self) -> impl Iterator<Item = String> {
        let shares = [self.idle, self.busy].map(|percent| format!("{percent:.2} %"));
        let memory = [self.memory_idle, self.memory_busy, self.memory_later, self.peak];
        shares.into_iter().chain(memory.map(|mib| format!("{mib:.1} MiB")))
    }
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
        let stage = Stage::new(case, symbols)?;
        let mut plain_busy = f64::NAN;
        for kind in [Kind::ReadOnly, Kind::Plain, Kind::Exporter] {
            report.say(&format!("{} at rest and at {RATE} frames/s, {symbols} symbols", kind.title()));
            let rig = stage.ready(kind, Lines::Venue, &[])?;
            let seen = Watched::of(&rig, effort.watch)?;
            let lines = rig.flood.connections().to_string();
            table.row([kind.title().to_owned(), symbols.to_string(), lines].into_iter().chain(seen.cells()).collect());
            if kind == Kind::Plain {
                plain_busy = seen.busy;
            }
            if kind != Kind::Exporter {
                continue;
            }
            let at = format!("at {RATE} frames/s, {symbols} symbols");
            report.target(&format!("CPU {at}, × plain exporter"), AtMost(0.85), seen.busy / plain_busy, "");
            report.target(&format!("CPU {at}, share of a core"), AtMost(8.0), seen.busy, " %");
            if symbols == effort.many {
                report.target(&format!("peak memory {at}"), AtMost(24.0), seen.peak, " MiB");
                let grown = seen.memory_later - seen.memory_busy;
                report.target(&format!("memory that grows {at}"), AtMost(0.5), grown, " MiB");
            }
        }
    }
    report.table(table);
    Ok(())
}
