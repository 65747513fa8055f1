//! How frames per CPU-second grow with symbols, connections and TLS.

use std::io;

use super::frames::{HEADER, Rates};
use super::{Effort, FEW, Stage};
use crate::clients::Lines;
use crate::plot::{self, Panel, Series};
use crate::report::{Report, Table};
use crate::venues::Case;
use crate::wire::Tls;

const CONNECTIONS: [usize; 4] = [1, 2, 4, 8];

/// Tables, and the same as a picture.
pub fn growth(case: &'static Case, effort: Effort, report: &mut Report) -> io::Result<()> {
    let mut panels = Vec::new();
    for (name, secure) in [("without TLS", false), ("with TLS", true)] {
        let header: Vec<&str> = ["symbols", "connections"].into_iter().chain(HEADER).collect();
        let mut table = Table::new(&format!("Growth, frames per CPU-second {name}"), &header);
        for symbols in [FEW, effort.some, effort.many] {
            let tls = secure.then(Tls::new).transpose()?;
            let stage = Stage { tls, ..Stage::new(case, symbols)? };
            let mut points = Vec::new();
            for wanted in CONNECTIONS {
                report.say(&format!("frames {name}, {symbols} symbols, {wanted} connections"));
                let (frames, rounds) = (effort.frames / 4, effort.rounds.min(3));
                let (rates, lines) = Rates::of(&stage, Lines::Split(wanted), frames, rounds)?;
                table.row([symbols.to_string(), lines.to_string()].into_iter().chain(rates.cells()).collect());
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
