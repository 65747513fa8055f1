//! A market that walks at random from a seed: the same seed and the same steps give the same prices.
//!
//! All venues walk beside one path (`path.rs`) and never leave it by more than a thousandth: what costs the same at the start costs the
//! same an hour later, as it does where people trade between venues.

use std::collections::HashMap;

use crate::Venue;
use crate::fixed::Fixed;
use crate::{path, universe};

/// One side of the top of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The price.
    pub price: Fixed,
    /// The size, in base currency.
    pub size: Fixed,
}

/// All that a venue knows of one symbol right now.
#[derive(Clone, Debug)]
pub struct Quote {
    /// The symbol as the venue spells it.
    pub symbol: String,
    /// The base currency.
    pub base: String,
    /// The quote currency.
    pub quote: String,
    /// Price of the last trade; `None` without a trade in 24 h.
    pub last: Option<Fixed>,
    /// Size of the last trade.
    pub last_size: Fixed,
    /// Best bid.
    pub bid: Option<Level>,
    /// Best ask.
    pub ask: Option<Level>,
    /// Price 24 h ago.
    pub open: Option<Fixed>,
    /// Highest price in 24 h.
    pub high: Option<Fixed>,
    /// Lowest price in 24 h.
    pub low: Option<Fixed>,
    /// Volume in 24 h in base currency.
    pub base_volume: Fixed,
    /// Volume in 24 h in quote currency.
    pub quote_volume: Fixed,
    /// Trades in 24 h.
    pub trades: u64,
    /// When the last trade was, in Unix milliseconds.
    pub traded_at: u64,
    /// When anything last changed, in Unix milliseconds.
    pub changed_at: u64,
    /// Rises with every change, by more than one now and then.
    pub sequence: u64,
    /// The market's step at the last trade.
    pub trade_step: u64,
    /// The market's step at the last change of any kind.
    pub step: u64,
}

impl Quote {
    /// The change over 24 h as a ratio: 0.01 is one per cent up.
    #[must_use]
    pub fn change(&self) -> Option<Fixed> {
        Some((self.last? - self.open?).over(self.open?))
    }
}

/// What may be done with a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Trades as usual.
    Trading,
    /// Listed, but nothing happens.
    Halted,
    /// Orders can only be cancelled.
    CancelOnly,
    /// A trading pause.
    Break,
    /// Announced, not yet open.
    Preopen,
    /// Gone, shown only to those who ask for everything.
    Delisted,
}

/// Spot or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Spot.
    Spot,
    /// A future or a swap.
    Future,
}

/// How often a symbol moves, in chances per thousand at each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// A trade happens.
    pub trade: u16,
    /// Only the book changes.
    pub book: u16,
}

impl Pace {
    /// Never moves.
    pub const STILL: Self = Self { trade: 0, book: 0 };
}

/// A symbol, its rules and its quote.
#[derive(Clone, Debug)]
pub struct Listing {
    /// What it costs.
    pub quote: Quote,
    /// What may be done with it.
    pub state: State,
    /// Spot or not.
    pub product: Product,
    /// The price step.
    pub tick: Fixed,
    /// How often it moves.
    pub pace: Pace,
    /// The display name; differs from the symbol after a renaming.
    pub name: String,
    /// The symbol whose book this one shares.
    pub alias: Option<String>,
    /// Where its path begins; `None` without a price.
    home: Option<Fixed>,
}

impl Listing {
    pub(crate) fn new(venue: Venue, base: &str, quote: &str, price: Fixed, turnover: Fixed, pace: Pace) -> Self {
        let tick = price.step(if venue == Venue::Binance { 8 } else { 10 });
        let last = price.floor_to(tick);
        let symbol = venue.spell(base, quote);
        let size = |units| Fixed::new(units, 4);
        let quote = Quote {
            base: base.to_owned(),
            quote: quote.to_owned(),
            last: Some(last),
            last_size: size(120),
            bid: Some(Level { price: last - tick, size: size(12_041) }),
            ask: Some(Level { price: last, size: size(40_512) }),
            open: Some(last.times(Fixed::new(1_005_617, 6)).floor_to(tick)),
            high: Some(last.times(Fixed::new(10_134, 4)).floor_to(tick)),
            low: Some(last.times(Fixed::new(9_902, 4)).floor_to(tick)),
            base_volume: turnover.over(last).floor_to(Fixed::new(1, 8)),
            quote_volume: turnover.floor_to(Fixed::new(1, 8)),
            trades: 2_101,
            traded_at: 0,
            changed_at: 0,
            sequence: 24_987_956_059,
            trade_step: 0,
            step: 0,
            symbol: symbol.clone(),
        };
        Self {
            quote,
            state: State::Trading,
            product: Product::Spot,
            tick,
            pace,
            name: symbol,
            alias: None,
            home: Some(last),
        }
    }

    pub(crate) fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    pub(crate) fn state(mut self, state: State) -> Self {
        self.state = state;
        self.quote.bid = None;
        self.quote.ask = None;
        self.pace(Pace::STILL)
    }

    pub(crate) fn named(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    pub(crate) fn alias_of(mut self, symbol: &str) -> Self {
        self.alias = Some(symbol.to_owned());
        self.pace(Pace::STILL)
    }

    /// No trade in 24 h; the book may still move.
    pub(crate) fn untraded(mut self) -> Self {
        let quote = &mut self.quote;
        (quote.last, quote.open, quote.high, quote.low) = (None, None, None, None);
        (quote.last_size, quote.base_volume, quote.quote_volume, quote.trades) =
            (Fixed::ZERO, Fixed::ZERO, Fixed::ZERO, 0);
        self.pace.trade = 0;
        self.home = None;
        self
    }

    fn trade(&mut self, dice: &mut Dice, now: u64, step: u64) {
        let Some(last) = self.quote.last else { return };
        let ticks = dice.below(3) as i64 + 1;
        let rises = last < self.tick.by(50) || dice.below(2) == 0;
        let price = if rises { last + self.tick.by(ticks) } else { last - self.tick.by(ticks) };
        let price = self.beside_the_path(price, step);
        let size = Fixed::new(i128::from(dice.below(9_000) + 1), 4);
        let quote = &mut self.quote;
        quote.last = Some(price);
        quote.last_size = size;
        quote.high = quote.high.max(Some(price));
        quote.low = quote.low.map(|low| low.min(price));
        quote.base_volume += size;
        quote.quote_volume = (quote.quote_volume + size.times(price)).floor_to(Fixed::new(1, 8));
        quote.trades += 1;
        quote.traded_at = now;
        quote.trade_step = step;
        self.requote(dice, price, now, step);
    }

    /// The price, or the nearest one that is not too far from the path: a thousandth of it, or one step of a coarse price.
    fn beside_the_path(&self, price: Fixed, step: u64) -> Fixed {
        let Some(home) = self.home else { return price };
        let path = home.times(path::worth(&self.quote.base, step).over(path::worth(&self.quote.quote, step)));
        let most = self.leeway();
        price.clamp((path - most).floor_to(self.tick), (path + most).floor_to(self.tick)).max(self.tick.by(4))
    }

    fn leeway(&self) -> Fixed {
        self.home.map_or(Fixed::ZERO, |home| home.over(Fixed::from(1_000))).max(self.tick)
    }

    /// Puts the book around `near`, with new sizes.
    fn requote(&mut self, dice: &mut Dice, near: Fixed, now: u64, step: u64) {
        let mut level = |price| Level { price, size: Fixed::new(i128::from(dice.below(50_000) + 1), 4) };
        self.quote.bid = Some(level(near - self.tick));
        self.quote.ask = Some(level(near + self.tick.by(step as i64 % 2)));
        self.quote.changed_at = now;
        self.quote.step = step;
        self.quote.sequence += 1 + dice.below(7);
    }
}

/// All symbols of one venue.
#[derive(Clone, Debug)]
pub struct Market {
    listings: Vec<Listing>,
    index: HashMap<String, usize>,
    dice: Dice,
    step: u64,
}

impl Market {
    /// A venue's default symbols, or `symbols` of them, at the moment `now` (Unix milliseconds).
    #[must_use]
    pub fn new(venue: Venue, seed: u64, symbols: Option<usize>, now: u64) -> Self {
        let mut market =
            Self { listings: universe::listings(venue, symbols), index: HashMap::new(), dice: Dice(seed), step: 1 };
        for listing in &mut market.listings {
            (listing.quote.traded_at, listing.quote.changed_at) = (now, now);
            (listing.quote.trade_step, listing.quote.step) = (1, 1);
            // Two dice rolls so that another seed starts elsewhere.
            if let (true, Some(last)) = (listing.pace != Pace::STILL, listing.quote.last) {
                let shift = listing.tick.by(market.dice.below(40) as i64).min(listing.leeway().floor_to(listing.tick));
                listing.quote.last = Some(last + shift);
                listing.quote.bid = listing.quote.bid.map(|bid| Level { price: bid.price + shift, ..bid });
                listing.quote.ask = listing.quote.ask.map(|ask| Level { price: ask.price + shift, ..ask });
            }
        }
        market.reindex();
        market
    }

    /// One step of time: some symbols trade, some only change their book, most rest.
    pub fn advance(&mut self, now: u64) {
        self.step += 1;
        for listing in self.listings.iter_mut().filter(|listing| listing.pace != Pace::STILL) {
            let roll = self.dice.below(1000) as u16;
            if roll < listing.pace.trade {
                listing.trade(&mut self.dice, now, self.step);
            } else if let (true, Some(bid)) =
                (roll < listing.pace.trade.saturating_add(listing.pace.book), listing.quote.bid)
            {
                listing.requote(&mut self.dice, bid.price + listing.tick, now, self.step);
            }
        }
    }

    /// How many steps were taken.
    #[must_use]
    pub const fn step(&self) -> u64 {
        self.step
    }

    /// Every listing, in the venue's order.
    #[must_use]
    pub fn listings(&self) -> &[Listing] {
        &self.listings
    }

    /// The listing of a symbol in the venue's spelling.
    #[must_use]
    pub fn find(&self, symbol: &str) -> Option<&Listing> {
        self.index.get(symbol).map(|&at| &self.listings[at])
    }

    /// The listing whose book a symbol shows: its own, or the one it is an alias of.
    #[must_use]
    pub fn resolve(&self, symbol: &str) -> Option<&Listing> {
        let listing = self.find(symbol)?;
        listing.alias.as_deref().map_or(Some(listing), |alias| self.find(alias))
    }

    /// Lists a new pair, which trades at once and often.
    pub fn list(&mut self, venue: Venue, base: &str, quote: &str, now: u64) {
        let pace = Pace { trade: 500, book: 400 };
        let mut listing = Listing::new(venue, base, quote, Fixed::new(12_345, 3), Fixed::new(1_000_000, 0), pace);
        (listing.quote.traded_at, listing.quote.changed_at) = (now, now);
        (listing.quote.trade_step, listing.quote.step) = (self.step, self.step);
        self.delist(&listing.quote.symbol.clone());
        self.listings.push(listing);
        self.reindex();
    }

    /// Removes a symbol; whether there was one.
    pub fn delist(&mut self, symbol: &str) -> bool {
        let before = self.listings.len();
        self.listings.retain(|listing| listing.quote.symbol != symbol);
        self.reindex();
        self.listings.len() < before
    }

    /// Moves a symbol, or all of them, to another price, as a ratio to what it cost: from its next trade on, and at once where
    /// nobody trades.
    pub fn tilt(&mut self, symbol: Option<&str>, ratio: Fixed) {
        let meant = |listing: &&mut Listing| symbol.is_none_or(|symbol| symbol == listing.quote.symbol);
        for listing in self.listings.iter_mut().filter(meant) {
            listing.home = listing.home.map(|home| home.times(ratio));
            if listing.pace.trade == 0 {
                let (tick, quote) = (listing.tick, &mut listing.quote);
                let moved = |price: Fixed| price.times(ratio).floor_to(tick);
                quote.last = quote.last.map(moved);
                quote.bid = quote.bid.map(|level| Level { price: moved(level.price), ..level });
                quote.ask = quote.ask.map(|level| Level { price: moved(level.price) + tick, ..level });
                quote.step = self.step;
            }
        }
    }

    fn reindex(&mut self) {
        let symbols = self.listings.iter().enumerate();
        self.index = symbols.map(|(at, listing)| (listing.quote.symbol.clone(), at)).collect();
    }
}

/// SplitMix64: the same numbers for ever, whatever the libraries do.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_prices() {
        let walk = |seed| {
            let mut market = Market::new(Venue::Okx, seed, Some(100), 0);
            (0..50).for_each(|now| market.advance(now));
            market.listings().iter().map(|listing| listing.quote.last).collect::<Vec<_>>()
        };
        assert_eq!(walk(7), walk(7));
        assert_ne!(walk(7), walk(8));
    }

    #[test]
    fn the_first_symbol_moves_at_every_step_and_some_never_do() {
        let mut market = Market::new(Venue::Binance, 1, None, 0);
        for now in 1..100 {
            market.advance(now);
            assert_eq!(market.listings()[0].quote.trade_step, market.step());
        }
        assert_eq!(market.find("ICXUSDT").map(|still| still.quote.step), Some(1));
        assert!(
            market.find("GHSTUSDT").is_some_and(|untraded| untraded.quote.last.is_none() && untraded.quote.step > 1)
        );
    }

    /// The prices of every pair that two or more venues trade, an hour and more after the start.
    #[test]
    fn venues_stay_together() {
        let mut seen: HashMap<String, Vec<(Venue, f64)>> = HashMap::new();
        for venue in Venue::ALL {
            let mut market = Market::new(venue, 1, None, 0);
            (1..50_000).for_each(|now| market.advance(now));
            for listing in market.listings().iter().filter(|listing| listing.product == Product::Spot) {
                let quote = &listing.quote;
                let Some((bid, ask)) = quote.bid.zip(quote.ask) else { continue };
                let middle = (bid.price.as_f64() + ask.price.as_f64()) / 2.0;
                if matches!(quote.base.as_str(), "USDT" | "USDC")
                    && matches!(quote.quote.as_str(), "USD" | "USDT" | "USDC")
                {
                    assert!((middle - 1.0).abs() < 0.002, "{venue:?} {} {middle}", quote.symbol);
                }
                let dollars = quote.quote.replace("USDT", "USD");
                seen.entry(format!("{}{dollars}", quote.base)).or_default().push((venue, middle));
            }
        }
        assert!(seen.values().filter(|prices| prices.len() > 3).count() > 15);
        for (pair, prices) in seen {
            let all = || prices.iter().map(|(_, price)| *price);
            let apart = all().fold(0.0, f64::max) / all().fold(f64::MAX, f64::min) - 1.0;
            assert!(apart < 0.007, "{pair} is {apart} apart: {prices:?}");
        }
    }

    #[test]
    fn a_symbol_can_be_moved_to_another_price() {
        let mut market = Market::new(Venue::Okx, 1, None, 0);
        let price =
            |market: &Market, symbol| market.find(symbol).and_then(|listing| listing.quote.last).map(Fixed::as_f64);
        let (bitcoin, ether) = (price(&market, "BTC-USDT"), price(&market, "ETH-USDT"));
        market.tilt(Some("BTC-USDT"), Fixed::new(102, 2));
        (1..20).for_each(|now| market.advance(now));
        let moved = |now: Option<f64>, then: Option<f64>| now.zip(then).map(|(now, then)| now / then - 1.0);
        assert!(moved(price(&market, "BTC-USDT"), bitcoin).is_some_and(|moved| (moved - 0.02).abs() < 0.003));
        assert!(moved(price(&market, "ETH-USDT"), ether).is_some_and(|moved| moved.abs() < 0.003));
    }

    #[test]
    fn asks_for_any_number_of_symbols() {
        assert_eq!(Market::new(Venue::Kucoin, 1, Some(3_200), 0).listings().len(), 3_200);
        assert_eq!(Market::new(Venue::Kucoin, 1, Some(2), 0).listings().len(), 2);
    }
}
