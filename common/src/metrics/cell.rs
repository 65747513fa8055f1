//! The last link of a price's path: what one symbol's ticker says now, as atomics that a scrape reads whole.
//!
//! A cell remembers which dial wrote it. The first word on a new line replaces all of it, later words merge, and what
//! a dead line said leaves after the grace and is never revived.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use std::time::Duration;

use crate::number::Said;
use crate::update::Ticker;

/// How long the words of a dead line stay: until Prometheus has scraped once more, by the contract.
pub const GRACE: Duration = Duration::from_secs(15);

/// How many figures a ticker has.
pub const FIGURES: usize = 8;

/// What a scrape shows of one symbol; NaN is "unknown" and leaves no series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    /// Last, bid, ask, 24 h volume in base and in quote, high, low, change.
    pub figures: [f64; FIGURES],
    /// Unix seconds of the last word.
    pub updated: f64,
    /// Seconds that the last dated event took to reach us.
    pub lag: f64,
}

impl Shown {
    /// Nothing is known.
    pub const NOTHING: Shown = Shown { figures: [f64::NAN; FIGURES], updated: f64::NAN, lag: f64::NAN };
}

/// A ticker's figures in the order of the cell.
fn figures(ticker: &Ticker<'_>) -> [Said; FIGURES] {
    [
        ticker.last,
        ticker.bid,
        ticker.ask,
        ticker.volume_base,
        ticker.volume_quote,
        ticker.high,
        ticker.low,
        ticker.change,
    ]
}

/// Not a number, as bits: nothing was said yet, and a REST reply may fill it.
const SILENT: u64 = f64::NAN.to_bits();
/// Not a number either: the stream said that there is none, and an older REST reply has no say in that.
const NOTHING: u64 = SILENT | 1;

/// Never expires: the line that wrote it lives.
const ALIVE: u64 = u64::MAX;

/// One symbol's figures. Written by lines, read by scrapes, neither waits for the other.
#[derive(Debug)]
pub struct Cell {
    /// Odd while somebody writes (a sequence lock).
    version: AtomicU32,
    /// The dial that owns these words; 0 for none yet.
    dial: AtomicU32,
    /// Milliseconds on the board's clock after which nothing here counts.
    expires: AtomicU64,
    figures: [AtomicU64; FIGURES],
    updated: AtomicU64,
    lag: AtomicU64,
}

/// A line's word on one symbol, dated.
#[derive(Clone, Copy, Debug)]
pub struct Word<'t, 'f> {
    /// What was said.
    pub ticker: &'t Ticker<'f>,
    /// Unix seconds of its receipt.
    pub now: f64,
    /// Seconds from the venue's event to here, where the event is dated.
    pub lag: Option<f64>,
}

impl Default for Cell {
    fn default() -> Self {
        let unknown = || AtomicU64::new(SILENT);
        Self {
            version: AtomicU32::new(0),
            dial: AtomicU32::new(0),
            expires: AtomicU64::new(0),
            figures: std::array::from_fn(|_| unknown()),
            updated: unknown(),
            lag: unknown(),
        }
    }
}

impl Cell {
    /// A word of the stream: what it names is replaced, what it does not name stays.
    pub fn say(&self, dial: u32, word: Word<'_, '_>) {
        self.write(|| {
            self.adopt(dial);
            for (figure, said) in self.figures.iter().zip(figures(word.ticker)) {
                match said {
                    Said::Silent => {}
                    Said::Nothing => figure.store(NOTHING, Ordering::Relaxed),
                    Said::Number(value) => figure.store(value.to_bits(), Ordering::Relaxed),
                }
            }
            self.updated.store(word.now.to_bits(), Ordering::Relaxed);
            if let Some(lag) = word.lag {
                self.lag.store(lag.to_bits(), Ordering::Relaxed);
            }
        });
    }

    /// A word asked over REST: it fills what the stream has not said on this dial.
    pub fn seed(&self, dial: u32, word: Word<'_, '_>) {
        self.write(|| {
            self.adopt(dial);
            for (figure, said) in self.figures.iter().zip(figures(word.ticker)) {
                if let Said::Number(value) = said
                    && figure.load(Ordering::Relaxed) == SILENT
                {
                    figure.store(value.to_bits(), Ordering::Relaxed);
                }
            }
            self.updated.store(word.now.to_bits(), Ordering::Relaxed);
        });
    }

    /// This dial died: its words count until `expires`, unless another dial has spoken since.
    pub fn release(&self, dial: u32, expires: u64) {
        if self.dial.load(Ordering::Relaxed) == dial {
            self.expires.store(expires, Ordering::Relaxed);
        }
    }

    /// A planned change of line: `to` was listening before `from` was hung up, so nothing was missed between them.
    pub fn bequeath(&self, from: u32, to: u32) {
        self.write(|| {
            if self.dial.load(Ordering::Relaxed) == from {
                self.dial.store(to, Ordering::Relaxed);
            }
        });
    }

    /// Whether this dial owns the words here: it has spoken, or inherited them.
    pub fn spoken(&self, dial: u32) -> bool {
        self.dial.load(Ordering::Relaxed) == dial
    }

    /// What counts at `now` on the board's clock, all of it from one moment.
    pub fn show(&self, now: u64) -> Shown {
        loop {
            let before = self.version.load(Ordering::Acquire);
            if before & 1 == 0 {
                let shown = self.copy(now);
                fence(Ordering::Acquire);
                if self.version.load(Ordering::Relaxed) == before {
                    return shown;
                }
            }
            std::hint::spin_loop();
        }
    }

    fn copy(&self, now: u64) -> Shown {
        if now >= self.expires.load(Ordering::Relaxed) {
            return Shown::NOTHING;
        }
        let read = |value: &AtomicU64| f64::from_bits(value.load(Ordering::Relaxed));
        Shown {
            figures: std::array::from_fn(|at| self.figures.get(at).map_or(f64::NAN, read)),
            updated: read(&self.updated),
            lag: read(&self.lag),
        }
    }

    /// Makes the cell this dial's own. Words of a line that still lives stay: the lines overlap, nothing was missed.
    fn adopt(&self, dial: u32) {
        if self.dial.load(Ordering::Relaxed) == dial {
            return;
        }
        if self.expires.load(Ordering::Relaxed) != ALIVE {
            for value in self.figures.iter().chain([&self.updated, &self.lag]) {
                value.store(SILENT, Ordering::Relaxed);
            }
        }
        self.dial.store(dial, Ordering::Relaxed);
        self.expires.store(ALIVE, Ordering::Relaxed);
    }

    fn write(&self, change: impl FnOnce()) {
        let mut version = self.version.load(Ordering::Relaxed) & !1;
        while let Err(seen) =
            self.version.compare_exchange_weak(version, version + 1, Ordering::Acquire, Ordering::Relaxed)
        {
            version = seen & !1;
            std::hint::spin_loop();
        }
        fence(Ordering::Release);
        change();
        self.version.store(version.wrapping_add(2), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word<'t>(ticker: &'t Ticker<'static>) -> Word<'t, 'static> {
        Word { ticker, now: 1.0, lag: None }
    }

    fn last_and_bid(cell: &Cell, now: u64) -> (Option<f64>, Option<f64>) {
        let shown = cell.show(now);
        let known = |value: f64| Some(value).filter(|value| !value.is_nan());
        (known(shown.figures[0]), known(shown.figures[1]))
    }

    const LAST: Ticker<'static> = Ticker { last: Said::Number(7.0), ..EMPTY };
    const BID: Ticker<'static> = Ticker { bid: Said::Number(6.0), ..EMPTY };
    const NO_BID: Ticker<'static> = Ticker { bid: Said::Nothing, ..EMPTY };
    const EMPTY: Ticker<'static> = Ticker {
        symbol: "BTCUSDT",
        last: Said::Silent,
        bid: Said::Silent,
        ask: Said::Silent,
        volume_base: Said::Silent,
        volume_quote: Said::Silent,
        high: Said::Silent,
        low: Said::Silent,
        change: Said::Silent,
        at: None,
    };

    #[test]
    fn words_of_one_line_merge_and_nothing_forgets() {
        let cell = Cell::default();
        assert_eq!(last_and_bid(&cell, 0), (None, None));
        cell.say(1, word(&LAST));
        cell.say(1, word(&BID));
        assert_eq!(last_and_bid(&cell, 0), (Some(7.0), Some(6.0)));
        cell.say(1, word(&NO_BID));
        assert_eq!(last_and_bid(&cell, 0), (Some(7.0), None));
    }

    #[test]
    fn words_of_a_dead_line_leave_after_the_grace_and_never_come_back() {
        let cell = Cell::default();
        cell.say(1, word(&LAST));
        cell.release(1, 100);
        assert_eq!(last_and_bid(&cell, 99), (Some(7.0), None));
        assert_eq!(last_and_bid(&cell, 100), (None, None));
        cell.say(2, word(&BID));
        assert_eq!(last_and_bid(&cell, 50), (None, Some(6.0)), "the old price must not show beside the new bid");
        cell.release(1, 0);
        assert_eq!(last_and_bid(&cell, 1000), (None, Some(6.0)), "the old line has no say any more");
    }

    #[test]
    fn overlapping_lines_lose_nothing() {
        let cell = Cell::default();
        cell.say(1, word(&LAST));
        cell.say(2, word(&BID));
        cell.release(1, 0);
        assert_eq!(last_and_bid(&cell, 1000), (Some(7.0), Some(6.0)));
        cell.bequeath(2, 3);
        cell.release(2, 0);
        assert_eq!(last_and_bid(&cell, 1000), (Some(7.0), Some(6.0)));
        assert!(cell.spoken(3));
    }

    #[test]
    fn a_seed_fills_only_what_is_unknown() {
        let cell = Cell::default();
        cell.say(1, word(&LAST));
        let reply = Ticker { last: Said::Number(1.0), bid: Said::Number(2.0), ..EMPTY };
        cell.seed(1, word(&reply));
        assert_eq!(last_and_bid(&cell, 0), (Some(7.0), Some(2.0)));
        cell.say(1, word(&NO_BID));
        cell.seed(1, word(&reply));
        assert_eq!(last_and_bid(&cell, 0), (Some(7.0), None), "the stream said that there is none");
    }

    #[test]
    fn a_scrape_never_sees_half_an_update() {
        let cell = Cell::default();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..200_000 {
                    let value = Said::Number(f64::from(n));
                    cell.say(1, word(&Ticker { last: value, bid: value, change: value, ..EMPTY }));
                }
            });
            for _ in 0..200_000 {
                let shown = cell.show(0);
                assert!(
                    shown.figures[0].is_nan()
                        || (shown.figures[0] == shown.figures[1] && shown.figures[1] == shown.figures[7])
                );
            }
        });
    }
}
