//! The measurements, one a file, each into tables and targets of the report.

mod age;
mod delay;
mod first;
mod frames;
mod growth;
mod scrapes;
mod size;
mod steady;

pub use self::age::age;
pub use self::delay::delay;
pub use self::first::first_price;
pub use self::frames::frames;
pub use self::growth::growth;
pub use self::scrapes::scrapes;
pub use self::size::size;
pub use self::steady::steady;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use fake_venues::Fake;

use crate::clients::{Kind, Lines, Rig};
use crate::deck::{Deck, options};
use crate::venues::Case;
use crate::wire::Tls;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Frames in one burst.
    pub frames: usize,
    /// Turns of each client, of which the median counts, or all together where it is about the rare.
    pub rounds: usize,
    /// Scrapes of one kind.
    pub scrapes: u32,
    /// How long to watch a client at rest, and at the rate below.
    pub watch: Duration,
    /// Starts to find the first price.
    pub starts: usize,
    /// "Some symbols".
    pub some: usize,
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
    /// Where the stream is by TLS.
    tls: Option<Tls>,
}

impl Stage {
    fn new(case: &'static Case, symbols: usize) -> io::Result<Self> {
        let fake = fake_venues::start(case.fake, options(case, symbols))?;
        let deck = Arc::new(Deck::new(case, fake.market()));
        Ok(Self { case, fake, deck, symbols, tls: None })
    }

    fn start(&self, kind: Kind, lines: Lines, flags: &[&str]) -> io::Result<Rig> {
        let servers = (&*self.fake.rest_url(), self.tls.as_ref());
        Rig::start((kind, lines), self.case, &self.deck, servers, flags)
    }

    fn ready(&self, kind: Kind, lines: Lines, flags: &[&str]) -> io::Result<Rig> {
        self.start(kind, lines, flags)?.ready(self.symbols)
    }
}

fn median(values: &mut [f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value that this share of the values lies below; of one and all the largest.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() as f64 * share) as usize;
    values.get(at.min(values.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
