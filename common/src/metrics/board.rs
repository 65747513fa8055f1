//! The rows that are exported, one a symbol. Lines write into their cells, scrapes read them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;

use super::cell::{Cell, GRACE, Shown, Word};
use super::encode::block;
use crate::symbols::{Chosen, Rejected};
use crate::update::{Instrument, Market};

/// One exported symbol: its names, rendered once, and its cell.
#[derive(Debug)]
pub struct Row {
    /// What the venue lists.
    pub instrument: Arc<Instrument>,
    /// The `symbol` label.
    pub symbol: String,
    /// `{exchange=…,market=…,symbol=…}`.
    pub labels: String,
    /// The labels of `exchange_symbol_info`.
    pub info: String,
    /// `{symbol=…}` of the compatibility names; spot only.
    pub compat: Option<String>,
    /// Its figures.
    pub cell: Cell,
    /// The venue refused to stream it.
    pub unlisted: AtomicBool,
}

impl Row {
    fn new(exchange: &str, instrument: Arc<Instrument>) -> Self {
        let symbol = instrument.symbol();
        let market = instrument.market.as_str();
        let names = [("exchange", exchange), ("market", market), ("symbol", &symbol)];
        let more = [("base", &*instrument.base), ("quote", &*instrument.quote), ("venue_symbol", &*instrument.asked)];
        Self {
            labels: block(names),
            info: block(names.into_iter().chain(more)),
            compat: (instrument.market == Market::Spot).then(|| block([("symbol", &*symbol)])),
            cell: Cell::default(),
            unlisted: AtomicBool::new(false),
            symbol,
            instrument,
        }
    }
}

/// What is exported at one time.
#[derive(Debug, Default)]
pub struct Table {
    /// Sorted by symbol.
    pub rows: Vec<Arc<Row>>,
    /// What was asked for and is not streamed.
    pub rejected: Vec<Rejected>,
}

/// All rows, and the clock that their words expire by.
#[derive(Debug)]
pub struct Board {
    exchange: &'static str,
    table: ArcSwap<Table>,
    epoch: Instant,
    dials: AtomicU32,
}

impl Board {
    /// A board without rows.
    pub fn new(exchange: &'static str) -> Self {
        Self { exchange, table: ArcSwap::default(), epoch: Instant::now(), dials: AtomicU32::new(0) }
    }

    /// Makes the rows those of a choice: rows that stay keep their cells, rows that go take theirs with them.
    pub fn set(&self, chosen: &Chosen) -> Arc<Table> {
        let before = self.table.load();
        let old: HashMap<&Instrument, &Arc<Row>> = before.rows.iter().map(|row| (&*row.instrument, row)).collect();
        let row = |one: &Arc<Instrument>| {
            old.get(&**one).map_or_else(|| Arc::new(Row::new(self.exchange, one.clone())), |row| Arc::clone(row))
        };
        let table =
            Arc::new(Table { rows: chosen.wanted.iter().map(row).collect(), rejected: chosen.rejected.clone() });
        self.table.store(Arc::clone(&table));
        table
    }

    /// The rows as they are.
    pub fn table(&self) -> Arc<Table> {
        self.table.load_full()
    }

    /// Milliseconds on the board's clock.
    pub fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A dial of its own for a new connection, over these rows.
    pub fn hold(self: &Arc<Self>, rows: Vec<Arc<Row>>) -> Hold {
        // 0 is nobody's; a wrap takes four thousand million dials.
        let dial = self.dials.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
        Hold { board: Arc::clone(self), dial, rows, over: AtomicBool::new(false) }
    }
}

/// A connection's grip on its rows: what it said is true while it lives. Its end starts the grace.
#[derive(Debug)]
pub struct Hold {
    board: Arc<Board>,
    dial: u32,
    rows: Vec<Arc<Row>>,
    over: AtomicBool,
}

impl Hold {
    /// A word of the stream.
    pub fn say(&self, row: &Row, word: Word<'_, '_>) {
        if !self.over.load(Ordering::Relaxed) {
            row.cell.say(self.dial, word);
        }
    }

    /// A word asked over REST.
    pub fn seed(&self, row: &Row, word: Word<'_, '_>) {
        if !self.over.load(Ordering::Relaxed) {
            row.cell.seed(self.dial, word);
        }
    }

    /// The rows that this connection speaks of.
    pub fn rows(&self) -> &[Arc<Row>] {
        &self.rows
    }

    /// A planned change of line: `next` is live and listening, so what this line said goes on being true.
    pub fn bequeath(&self, next: &Hold) {
        for row in next.rows.iter().filter(|row| !row.unlisted.load(Ordering::Relaxed)) {
            row.cell.bequeath(self.dial, next.dial);
        }
        self.end();
    }

    /// The connection is over, whatever still arrives on it.
    pub fn end(&self) {
        if self.over.swap(true, Ordering::Relaxed) {
            return;
        }
        let expires = self.board.now() + u64::try_from(GRACE.as_millis()).unwrap_or(u64::MAX / 2);
        for row in &self.rows {
            row.cell.release(self.dial, expires);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.end();
    }
}

impl Row {
    /// The figures that count at `now` on the board's clock.
    pub fn show(&self, now: u64) -> Shown {
        self.cell.show(now)
    }
}
