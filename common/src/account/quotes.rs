//! Prices for valuation: what streams, and for the rest of the market what REST said within the minute.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::valuation::{Prices, Quote};
use crate::metrics::board::Board;
use crate::number::Said;
use crate::update::{Instrument, Market, Ticker};

/// The rest of the market.
#[derive(Debug, Default)]
pub struct Quotes {
    /// Every spot instrument by the name under which REST speaks of it.
    listed: ArcSwap<HashMap<Box<str>, Arc<Instrument>>>,
    said: ArcSwap<Vec<(Arc<Instrument>, Quote)>>,
}

impl Quotes {
    /// The venue's list. An alias, whose data arrive under another's name, is no market of its own.
    pub fn list(&self, instruments: &[Arc<Instrument>]) {
        let spot = instruments.iter().filter(|one| one.market == Market::Spot && one.trading && one.asked == one.heard);
        self.listed.store(Arc::new(spot.map(|one| (one.asked.as_str().into(), Arc::clone(one))).collect()));
    }

    /// Begins a new set of quotes.
    pub fn collect(&self) -> Collection {
        Collection { listed: self.listed.load_full(), said: Vec::new() }
    }

    /// The set that counts from now on.
    pub fn replace(&self, collection: Collection) {
        if !collection.said.is_empty() {
            self.said.store(Arc::new(collection.said));
        }
    }

    /// Whether any quote was ever had.
    pub fn loaded(&self) -> bool {
        !self.said.load().is_empty()
    }

    /// One moment of all of it.
    pub fn snapshot(&self, board: &Board) -> Snapshot {
        let clock = board.now();
        let figure = |value: f64| (!value.is_nan()).then_some(value);
        let table = board.table();
        let streamed = table.rows.iter().filter(|row| row.instrument.market == Market::Spot).filter_map(|row| {
            let shown = row.show(clock);
            let [last, bid, ask, ..] = shown.figures.map(figure);
            let alias = row.instrument.asked != row.instrument.heard;
            let at = figure(shown.updated).filter(|_| !alias)?;
            Some((Arc::clone(&row.instrument), Quote { bid, ask, last, at, live: true }))
        });
        Snapshot { streamed: streamed.collect(), said: self.said.load_full() }
    }
}

/// Quotes under way.
#[derive(Debug)]
pub struct Collection {
    listed: Arc<HashMap<Box<str>, Arc<Instrument>>>,
    said: Vec<(Arc<Instrument>, Quote)>,
}

impl Collection {
    /// A row of the venue's tickers.
    pub fn say(&mut self, ticker: &Ticker<'_>, now: f64) {
        if let Some(one) = self.listed.get(ticker.symbol) {
            let known = Said::number;
            let quote = Quote {
                bid: known(ticker.bid),
                ask: known(ticker.ask),
                last: known(ticker.last),
                at: now,
                live: false,
            };
            self.said.push((Arc::clone(one), quote));
        }
    }
}

/// Quotes of one moment.
#[derive(Debug)]
pub struct Snapshot {
    streamed: Vec<(Arc<Instrument>, Quote)>,
    said: Arc<Vec<(Arc<Instrument>, Quote)>>,
}

impl Snapshot {
    /// Puts them all where routes are sought.
    pub fn fill<'q>(&'q self, prices: &mut Prices<'q>) {
        for (one, quote) in self.said.iter().chain(&self.streamed) {
            prices.market(&one.base, &one.quote, quote);
        }
    }
}
