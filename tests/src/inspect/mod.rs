//! Looks at one exporter's scrapes, one after the other, with its venue's record in hand, and tells every promise that one of them
//! breaks. Nothing here knows how an exporter works: only what it promises and what its venue did.

mod account;
pub mod books;
mod counters;
mod dead;
pub mod exposition;
mod lines;
pub mod prices;
mod secrets;
mod values;

#[cfg(test)]
mod forged;

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use secrets::Needles;

use crate::record::Record;
use crate::{Fake, Venue};
use exposition::Exposition;

/// How long prices stay after the death of their connection, and a little for the look itself.
pub const GRACE: Duration = Duration::from_millis(15_200);
/// What a busy machine may put between the venue's deed and the exporter's knowledge of it.
const LAG: Duration = Duration::from_secs(5);

/// A promise that a scrape breaks, and the lines that do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which promise.
    pub promise: &'static str,
    /// The first of the offending lines.
    pub lines: Vec<String>,
    /// How many there are.
    pub count: usize,
}

impl Breach {
    /// `None` without an offending line.
    #[must_use]
    pub fn of(promise: &'static str, mut lines: Vec<String>) -> Option<Self> {
        const SHOWN: usize = 8;
        let count = lines.len();
        lines.truncate(SHOWN);
        (count > 0).then_some(Self { promise, lines, count })
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} lines)", self.promise, self.count)?;
        self.lines.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

/// One answer of `/metrics`.
#[derive(Clone, Copy, Debug)]
pub struct Scraped<'a> {
    /// The body.
    pub text: &'a str,
    /// Whether it is OpenMetrics.
    pub open: bool,
    /// When it was asked for.
    pub asked: Instant,
}

/// Looks at the scrapes of one exporter.
#[derive(Debug)]
pub struct Inspector {
    venue: Venue,
    /// `--exchange.data-timeout`: a line without data for longer is dead.
    data_timeout: Duration,
    /// What a symbol is streamed as, where that is another one.
    aliases: BTreeMap<String, String>,
    counters: counters::Counters,
    down_since: Option<Instant>,
}

impl Inspector {
    /// For an exporter of this fake, with its `--exchange.data-timeout`.
    #[must_use]
    pub fn new(fake: &Fake, data_timeout: Duration) -> Self {
        let market = fake.market();
        let aliases = market.listings().iter().filter_map(|one| Some((one.quote.symbol.clone(), one.alias.clone()?)));
        Self::with_aliases(fake.venue(), data_timeout, aliases.collect())
    }

    fn with_aliases(venue: Venue, data_timeout: Duration, aliases: BTreeMap<String, String>) -> Self {
        Self { venue, data_timeout, aliases, counters: counters::Counters::default(), down_since: None }
    }

    /// Another process answers from here on: its counters begin at zero.
    pub fn restarted(&mut self) {
        self.counters = counters::Counters::default();
        self.down_since = None;
    }

    /// What this scrape says, and every promise that it breaks.
    pub fn look(&mut self, scraped: Scraped<'_>, record: &Record) -> (Option<Exposition>, Vec<Breach>) {
        let read = if scraped.open { Exposition::open_metrics(scraped.text) } else { Exposition::text(scraped.text) };
        let scrape = match read {
            Ok(scrape) => scrape,
            Err(problem) => {
                return (None, Breach::of("the exposition is valid", vec![problem]).into_iter().collect());
            }
        };
        let names = Names::of(&scrape, &self.aliases);
        let asked = scraped.asked;
        let breaches = [
            ("counters never fall, and stay", self.counters.look(&scrape)),
            ("no figure outlives its connection by more than the grace", self.outlived(&scrape, record, &names, asked)),
            ("the exporter's own word on its connections holds", self.contradicts(&scrape, record, asked)),
            ("a figure is the venue's last word", values::differences(self.venue, &scrape, record, &names, asked)),
            ("a compatibility name tells the same", values::compat(self.venue, &scrape)),
            ("the status is 1 only while every line lives", self.not_live(&scrape, record, asked)),
            ("balances are the books', or absent", account::differences(self.venue, &scrape, record, asked)),
        ];
        let breaches = breaches.into_iter().filter_map(|(promise, lines)| Breach::of(promise, lines)).collect();
        (Some(scrape), breaches)
    }
}

/// How the venue calls what it streams for each `symbol` label.
struct Names(BTreeMap<String, String>);

impl Names {
    fn of(scrape: &Exposition, aliases: &BTreeMap<String, String>) -> Self {
        let name = |sample: &exposition::Sample| {
            let symbol = sample.labels.get("venue_symbol")?;
            Some((sample.labels.get("symbol")?.clone(), aliases.get(symbol).unwrap_or(symbol).clone()))
        };
        Self(scrape.all("exchange_symbol_info").filter_map(name).collect())
    }

    fn streamed(&self, symbol: &str) -> Option<&str> {
        self.0.get(symbol).map(String::as_str)
    }
}

/// Seconds since the Unix epoch.
fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// So long ago, or as long ago as this machine knows.
fn before(now: Instant, ago: Duration) -> Instant {
    now.checked_sub(ago).unwrap_or(now)
}
