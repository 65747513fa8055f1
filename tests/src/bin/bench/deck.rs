//! The frames that are sent: made once, before anything is measured.

use std::collections::HashMap;

use fake_venues::Options;
use fake_venues::market::{Listing, Market, Product, Quote, State};

use crate::venues::Case;

/// Different frames altogether at least, so that no parser lives from seeing the same digits again.
const VARIETY: usize = 8_192;
/// What goes into one write: the order of what a socket buffer takes.
const PIECE: usize = 64 * 1024;

/// How many symbols the fake needs so that `wanted` of them trade, by its own list.
pub fn options(case: &Case, wanted: usize) -> Options {
    let trading = |count| trading(&Market::new(case.fake, 1, Some(count), 0)).count();
    let symbols = (wanted..wanted + 100).find(|&count| trading(count) == wanted).unwrap_or(wanted);
    Options { symbols: Some(symbols), frozen: true, ..Options::default() }
}

/// The quotes of all spot symbols that trade.
pub fn trading(market: &Market) -> impl Iterator<Item = &Quote> {
    let trades = |one: &&Listing| one.state == State::Trading && one.product == Product::Spot && one.alias.is_none();
    market.listings().iter().filter(trades).map(|one| &one.quote)
}

/// Every symbol's frames, in several states of the market.
pub struct Deck {
    /// By symbol as the venue spells it, in capitals: its place.
    pub places: HashMap<String, usize>,
    /// By place: its frames, encoded for the wire.
    frames: Vec<Vec<Vec<u8>>>,
    /// How many frames show one state of one symbol.
    kinds: usize,
}

impl Deck {
    /// Of a fake's market.
    pub fn new(case: &Case, mut market: Market) -> Self {
        let symbols: Vec<String> = trading(&market).map(|quote| quote.symbol.clone()).collect();
        let mut frames = vec![Vec::new(); symbols.len()];
        let (mut kinds, mut now) = (0, market.listings().first().map_or(0, |one| one.quote.changed_at));
        for _ in 0..(VARIETY / symbols.len().max(1)).max(2) {
            for (quote, frames) in trading(&market).zip(&mut frames) {
                let made = (case.frames)(quote);
                kinds = made.len();
                frames.extend(made.iter().map(|text| encode(text)));
            }
            for _ in 0..5 {
                now += 100;
                market.advance(now);
            }
        }
        Self { places: symbols.into_iter().enumerate().map(|(at, symbol)| (symbol, at)).collect(), frames, kinds }
    }

    /// One frame of each kind, as a venue sends it right after a subscription.
    pub fn first(&self, place: usize) -> Vec<u8> {
        self.frames.get(place).into_iter().flatten().take(self.kinds).flatten().copied().collect()
    }

    /// All frames of these symbols, shuffled, the same way each time.
    pub fn shuffle(&self, places: &[usize]) -> Stream {
        let mut all: Vec<&Vec<u8>> = places.iter().filter_map(|&place| self.frames.get(place)).flatten().collect();
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        for at in (1..all.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            all.swap(at, usize::try_from(seed >> 33).unwrap_or(0) % (at + 1));
        }
        let mut stream = Stream { bytes: Vec::new(), ends: vec![0], next: 0 };
        for frame in all {
            stream.bytes.extend_from_slice(frame);
            stream.ends.push(stream.bytes.len());
        }
        stream
    }
}

/// Frames one after the other, round and round.
pub struct Stream {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    next: usize,
}

impl Stream {
    /// The next frames, at most so many and no more than one write takes; and how many they are.
    pub fn take(&mut self, most: usize) -> (&[u8], usize) {
        let count = self.ends.len() - 1;
        if self.next >= count {
            self.next = 0;
        }
        let from = self.next;
        let start = self.ends.get(from).copied().unwrap_or_default();
        let limit = (from + most).min(count);
        while self.next < limit {
            self.next += 1;
            if self.ends.get(self.next).is_some_and(|end| end - start >= PIECE) {
                break;
            }
        }
        let end = self.ends.get(self.next).copied().unwrap_or_default();
        (self.bytes.get(start..end).unwrap_or_default(), self.next - from)
    }
}

/// A text frame as a server sends it: one piece, no mask.
pub fn encode(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        short @ 0..=125 => frame.push(short as u8),
        length @ 126..=0xffff => {
            frame.push(126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(text.as_bytes());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venues::CASES;

    #[test]
    fn every_venue_has_frames_of_exactly_the_symbols_asked_for() {
        for case in &CASES {
            for wanted in [20, 150] {
                let market = Market::new(case.fake, 1, options(case, wanted).symbols, 0);
                let deck = Deck::new(case, market);
                assert_eq!(deck.places.len(), wanted, "{}", case.name());
                let mut stream = deck.shuffle(&[0, 1]);
                let taken: usize = (0..3).map(|_| stream.take(5).1).sum();
                assert_eq!(taken, 15, "{}", case.name());
            }
        }
    }
}
