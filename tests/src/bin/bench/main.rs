//! The benchmarks: `make bench`. What they measure and how is told in `docs/performance.md`.

mod child;
mod clients;
mod deck;
mod flood;
mod measure;
mod plain;
mod plot;
mod report;
mod venues;
mod wire;

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::measure::Effort;
use crate::report::Report;
use crate::venues::CASES;

/// Measure the exporters beside a plain one and a loop that only reads.
#[derive(Debug, Parser)]
struct Options {
    /// Too short to mean anything: shows that everything works.
    #[arg(long)]
    quick: bool,
    /// Put the figures into docs/performance.md too.
    #[arg(long)]
    write: bool,
    /// Only these parts.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Frames per CPU-second of every venue.
    Frames,
    /// CPU time and memory of scrapes.
    Scrapes,
    /// CPU time and memory at rest and at a steady rate.
    Steady,
    /// Age of prices at a scrape.
    Age,
    /// Wait of frames during scrapes.
    Delay,
    /// From the start to the first price.
    First,
    /// Size of the binaries.
    Size,
    /// Frames per CPU-second by symbols and connections, with TLS and without.
    Growth,
}

const FULL: Effort = Effort {
    frames: 1_000_000,
    rounds: 5,
    scrapes: 200,
    watch: Duration::from_secs(10),
    starts: 7,
    some: 500,
    many: 3_000,
};
const QUICK: Effort =
    Effort { frames: 50_000, rounds: 1, scrapes: 4, watch: Duration::from_secs(1), starts: 1, some: 100, many: 200 };

fn main() -> ExitCode {
    if let Some(code) = clients::role() {
        return code;
    }
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    let mut report = Report::new();
    let outcome = measure(options, &mut report);
    let text = report.render(if options.quick { "make bench BENCH=--quick" } else { "make bench" });
    // What was measured before something failed is still worth seeing, but not worth keeping.
    io::stdout().lock().write_all(text.as_bytes())?;
    outcome?;
    if options.write {
        let docs = fake_venues::stack::repository().join("docs");
        report::write(&docs.join("performance.md"), &text)?;
        if let Some(picture) = &report.picture {
            fs::write(docs.join(report::PICTURE), picture)?;
        }
    }
    Ok(())
}

fn measure(options: &Options, report: &mut Report) -> io::Result<()> {
    let effort = if options.quick { QUICK } else { FULL };
    let [first, ..] = &CASES;
    let parts = Part::value_variants().iter().filter(|part| options.only.is_empty() || options.only.contains(part));
    for part in parts {
        match part {
            Part::Frames => measure::frames(&CASES, effort, report),
            Part::Scrapes => measure::scrapes(first, effort, report),
            Part::Steady => measure::steady(first, effort, report),
            Part::Age => measure::age(first, effort, report),
            Part::Delay => measure::delay(first, effort, report),
            Part::First => measure::first_price(first, effort, report),
            Part::Size => measure::size(&CASES, report),
            Part::Growth => measure::growth(first, effort, report),
        }?;
    }
    Ok(())
}
