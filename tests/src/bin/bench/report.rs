//! What came out, as Markdown.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::SystemTime;

const BEGIN: &str = "<!-- figures: begin -->";
const END: &str = "<!-- figures: end -->";
/// The picture's name, beside the page.
pub const PICTURE: &str = "performance-growth.svg";

/// A table.
pub struct Table {
    title: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Without rows.
    pub fn new(title: &str, header: &[&str]) -> Self {
        let header = header.iter().map(|&cell| cell.to_owned()).collect();
        Self { title: title.to_owned(), header, rows: Vec::new() }
    }

    /// One more row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    fn render(&self, out: &mut String) {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        // Writing to a String cannot fail.
        let _ = write!(out, "\n### {}\n\n{}", self.title, line(&self.header));
        out.push_str(&line(&vec!["---".to_owned(); self.header.len()]));
        self.rows.iter().for_each(|row| out.push_str(&line(row)));
    }
}

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// That much or more.
    AtLeast(f64),
    /// That much or less.
    AtMost(f64),
}

/// All of it.
pub struct Report {
    targets: Table,
    tables: Vec<Table>,
    /// How frames per CPU-second grow, as SVG.
    pub picture: Option<String>,
}

impl Report {
    /// Without figures.
    pub fn new() -> Self {
        Self { targets: Table::new("Targets", &["", "target", "measured", "met"]), tables: Vec::new(), picture: None }
    }

    /// Tells the user what is going on.
    pub fn say(&self, what: &str) {
        // A closed terminal is no reason to stop measuring.
        let _ = writeln!(io::stderr(), "bench: {what}");
    }

    /// A figure that has a limit.
    pub fn target(&mut self, what: &str, limit: Limit, measured: f64, unit: &str) {
        let (bound, limit, met) = match limit {
            Limit::AtLeast(limit) => ("at least", limit, measured >= limit),
            Limit::AtMost(limit) => ("at most", limit, measured <= limit),
        };
        let met = if met { "yes" } else { "**no**" };
        let cells = [what.to_owned(), format!("{bound} {limit}{unit}"), format!("{measured:.2}{unit}"), met.to_owned()];
        self.targets.row(cells.to_vec());
    }

    /// A finished table.
    pub fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// The page's generated part.
    pub fn render(&self, command: &str) -> String {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        let model = model.map_or("unknown", |(_, name)| name.trim());
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let date = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let date = date.split('T').next().unwrap_or_default();
        let mut out = format!("Measured {date} on {cores} cores of {model} with `{command}`.\n");
        for table in std::iter::once(&self.targets).chain(&self.tables).filter(|table| !table.rows.is_empty()) {
            table.render(&mut out);
        }
        if self.picture.is_some() {
            let _ = write!(out, "\n![Millions of frames per CPU-second, by connections]({PICTURE})\n");
        }
        out
    }
}

/// Puts the text between the page's marks.
pub fn write(page: &Path, text: &str) -> io::Result<()> {
    let before = fs::read_to_string(page)?;
    let parts = before.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let (head, tail) = parts.ok_or_else(|| io::Error::other(format!("{} has no marks", page.display())))?;
    fs::write(page, format!("{head}{BEGIN}\n{text}\n{END}{tail}"))
}
