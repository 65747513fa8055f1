//! How frames per CPU-second grow with symbols, connections and TLS.

use std::io;

use super::frames::{HEADER, Rates};
use super::scrapes::Scrapes;
use super::{Effort, FEW, Stage};
use crate::child::Child;
use crate::clients::Lines;
use crate::plot::{self, Panel, Series};
use crate::report::{Report, Table};
use crate::venues::Case;
use crate::wire::Tls;

const CONNECTIONS: [usize; 4] = [1, 2, 4, 8];

/// What else grows, plain / this exporter: CPU time of a scrape, and the peak of memory after all.
const MORE: [&str; 2] = ["a scrape's series, plain / this", "peak memory, plain / this"];

fn more(plain: &Child, ours: &Child, effort: Effort) -> io::Result<[String; 2]> {
    let scrape = |child| Scrapes::of(child, effort.scrapes.div_ceil(20), "").map(|scrapes| scrapes.per_series());
    let scrape = format!("{:.0} / {:.0} ns", scrape(plain)?, scrape(ours)?);
    let (plain, ours) = (plain.memory()?.1, ours.memory()?.1);
    Ok([scrape, format!("{plain:.1} / {ours:.1} MiB")])
}

/// Tables, and the frames as a picture.
pub fn growth(case: &'static Case, effort: Effort, report: &mut Report) -> io::Result<()> {
    let mut panels = Vec::new();
    for (name, secure) in [("without TLS", false), ("with TLS", true)] {
        let header: Vec<&str> = ["symbols", "connections"].into_iter().chain(HEADER).chain(MORE).collect();
        let mut table = Table::new(&format!("Growth {name}: frames per CPU-second, scrapes, memory"), &header);
        for symbols in [FEW, effort.some, effort.many] {
            let tls = secure.then(Tls::new).transpose()?;
            let stage = Stage { tls, ..Stage::new(case, symbols)? };
            let mut points = Vec::new();
            for wanted in CONNECTIONS {
                report.say(&format!("frames {name}, {symbols} symbols, {wanted} connections"));
                let (frames, rounds) = (effort.frames / 4, effort.rounds.min(3));
                let (rates, [_, plain, ours]) = Rates::of(&stage, Lines::Split(wanted), frames, rounds)?;
                let lines = ours.flood.connections();
                let more = more(&plain.child, &ours.child, effort)?;
                let start = [symbols, lines].map(|number| number.to_string());
                table.row(start.into_iter().chain(rates.cells()).chain(more).collect());
                points.push((lines, rates));
            }
            let of = |pick: fn(&Rates) -> f64| points.iter().map(|(lines, rates)| (*lines, pick(rates))).collect();
            let series: [Series; 3] = [of(|rates| rates.reading), of(|rates| rates.plain), of(|rates| rates.ours)];
            panels.push(Panel { title: format!("{symbols} symbols, {name}"), series });
        }
        report.table(table);
    }
    report.picture = Some(plot::render(&panels));
    Ok(())
}
