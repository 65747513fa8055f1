//! What was found, with all that it takes to find it again.

use std::fmt;
use std::time::Duration;

use crate::Venue;
use crate::inspect::Breach;

/// A promise that was broken, when, and what happened then.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Whose exporter.
    pub venue: Venue,
    /// Since the start.
    pub after: Duration,
    /// What had happened last.
    pub during: String,
    /// The promise and the lines.
    pub breach: Breach,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, after) = (self.venue.name(), self.after.as_secs_f64());
        write!(f, "{name}-exporter after {after:.1} s, during {}: not so: {}", self.during, self.breach)
    }
}

/// All that was found and done.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The first of what was found.
    pub findings: Vec<Finding>,
    /// How many there are.
    pub found: usize,
    /// How many scrapes were looked at.
    pub scrapes: usize,
    /// How many pages besides.
    pub pages: usize,
    /// How many times something happened.
    pub deeds: usize,
    /// How often every price and the whole account were compared at a standstill.
    pub comparisons: usize,
    /// The longest time from the end of trouble until all was true.
    pub slowest: Duration,
}

impl Report {
    /// Notes a finding; the same again is only counted.
    pub(super) fn note(&mut self, finding: Finding) -> bool {
        const MOST: usize = 12;
        self.found += 1;
        let same = |known: &Finding| known.breach.promise == finding.breach.promise && known.during == finding.during;
        let new = self.findings.len() < MOST && !self.findings.iter().any(same);
        if new {
            self.findings.push(finding);
        }
        new
    }
}
