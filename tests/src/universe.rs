//! The default symbols of every venue, the awkward ones included.

use crate::Venue;
use crate::fixed::Fixed;
use crate::market::{Listing, Pace, Product, State};

/// Base, price in 10^-10 dollars, millions of dollars traded in 24 h.
const COINS: &[(&str, i128, i128)] = &[
    ("BTC", 907_877_000_000_000, 1_942),
    ("ETH", 30_123_400_000_000, 1_105),
    ("SOL", 1_412_500_000_000, 520),
    ("XRP", 21_534_000_000, 410),
    ("DOGE", 1_598_700_000, 205),
    ("BNB", 9_012_300_000_000, 180),
    ("ADA", 4_871_000_000, 96),
    ("TRX", 2_803_000_000, 74),
    ("AVAX", 141_230_000_000, 61),
    ("LINK", 132_450_000_000, 58),
    ("LTC", 921_200_000_000, 51),
    ("SUI", 16_012_000_000, 47),
    ("DOT", 23_410_000_000, 33),
    ("BCH", 5_401_000_000_000, 28),
    ("UNI", 70_010_000_000, 24),
    ("SHIB", 85_600, 19),
    ("PEPE", 47_120, 17),
    ("NEAR", 21_870_000_000, 15),
    ("APT", 29_980_000_000, 11),
    ("ATOM", 25_430_000_000, 8),
];

/// Whether it is a coin whose worth moves.
pub(crate) fn is_coin(name: &str) -> bool {
    COINS.iter().any(|(coin, ..)| *coin == name)
}

/// What one unit of a quote currency costs in dollars.
pub(crate) fn worth(quote: &str) -> Fixed {
    let coin = COINS.iter().find(|(base, ..)| *base == quote);
    match (coin, quote) {
        (Some((_, price, _)), _) => Fixed::new(*price, 10),
        (None, "EUR") => Fixed::new(116, 2),
        (None, "BRL") => Fixed::new(185, 3),
        _ => Fixed::ONE,
    }
}

/// A trading pair whose price follows from the worth of both sides.
fn pair(venue: Venue, base: &str, quote: &str, rank: usize) -> Listing {
    let volume = COINS.iter().find(|(coin, ..)| *coin == base).map_or(5, |coin| coin.2);
    let share = if matches!(quote, "USDT" | "USD") { 1 } else { 20 };
    let price = worth(base).over(worth(quote));
    let turnover = Fixed::new(volume * 1_000_000 / share, 0).over(worth(quote));
    // The first pair never rests: clients use it to tell a stalled connection from a quiet market.
    let pace = match rank {
        0 => Pace { trade: 1000, book: 1000 },
        1..=9 => Pace { trade: 600 - 50 * rank as u16, book: 400 },
        _ => Pace { trade: 40, book: 60 },
    };
    Listing::new(venue, base, quote, price, turnover, pace)
}

/// The first `count` symbols of a venue (all default ones when `None`), padded with invented coins.
pub(crate) fn listings(venue: Venue, count: Option<usize>) -> Vec<Listing> {
    let dollar = if venue == Venue::Coinbase { "USD" } else { "USDT" };
    let mut listings: Vec<Listing> =
        COINS.iter().enumerate().map(|(rank, coin)| pair(venue, coin.0, dollar, rank)).collect();
    listings.extend(awkward(venue));
    let crosses = [("ETH", "BTC"), ("SOL", "BTC"), ("BTC", "EUR"), ("ETH", "EUR")];
    listings.extend(crosses.map(|(base, quote)| pair(venue, base, quote, 20)));
    if venue == Venue::Coinbase {
        listings.extend(
            [("USDT", "USD"), ("USDT", "USDC"), ("BTC", "USDT")].map(|(base, quote)| pair(venue, base, quote, 20)),
        );
    } else {
        let crosses = [("BTC", "USDC"), ("ETH", "USDC"), ("USDC", "USDT"), ("USDT", "BRL"), ("BTC", "BRL")];
        listings.extend(crosses.map(|(base, quote)| pair(venue, base, quote, 20)));
    }
    // A coin without a dollar: its worth goes through bitcoin.
    listings.push(pair(venue, "XMR", "BTC", 20));
    let count = count.unwrap_or(listings.len());
    listings.truncate(count);
    for index in listings.len()..count {
        listings.push(invented(venue, index, dollar));
    }
    listings
}

/// A made-up coin; one in ten never moves.
fn invented(venue: Venue, index: usize, quote: &str) -> Listing {
    let price = Fixed::new(10_000 + (index as i128 * 7_919) % 990_000, 4);
    let pace = match index % 10 {
        0 => Pace::STILL,
        busy => Pace { trade: 4 * busy as u16, book: 6 * busy as u16 },
    };
    Listing::new(venue, &format!("COIN{index:04}"), quote, price, Fixed::new(50_000 + index as i128, 0), pace)
}

/// What a client is most likely to get wrong on this venue.
fn awkward(venue: Venue) -> Vec<Listing> {
    let quote = if venue == Venue::Coinbase { "USD" } else { "USDT" };
    let still = pair(venue, "ICX", quote, 30).pace(Pace::STILL);
    let untraded = pair(venue, "GHST", quote, 30).untraded();
    let halted = |base| pair(venue, base, quote, 30).state(State::Halted);
    let mut listings = vec![still, untraded];
    match venue {
        Venue::Binance => listings.extend([
            halted("LUNA"),
            pair(venue, "WAVES", quote, 30).state(State::CancelOnly),
            pair(venue, "OMG", quote, 30).state(State::Break),
            pair(venue, "这是测试币", "456", 20),
            // No claim on an `O` in the savings.
            pair(venue, "LDO", quote, 30),
        ]),
        Venue::Kucoin => listings.extend([halted("LUNA"), pair(venue, "BCHSV", quote, 20).named("BSV-USDT")]),
        // A Bybit spot symbol that does not trade is simply not there.
        Venue::Bybit => {}
        Venue::Coinbase => listings.extend([
            pair(venue, "BTC", "USDC", 0).alias_of("BTC-USD"),
            pair(venue, "ETH", "USDC", 1).alias_of("ETH-USD"),
            halted("LUNA"),
            pair(venue, "OMG", quote, 30).state(State::Delisted),
            future(venue, "BIT-27NOV26-CDE", "BTC"),
            future(venue, "BIP-20DEC30-CDE", "BTC"),
        ]),
        Venue::Okx => listings.extend([
            halted("LUNA"),
            pair(venue, "FRESH", quote, 30).state(State::Preopen).untraded(),
            future(venue, "BTC-USDT-SWAP", "BTC"),
            future(venue, "BTC-USDT-261225", "BTC"),
        ]),
    }
    listings
}

fn future(venue: Venue, symbol: &str, root: &str) -> Listing {
    let mut listing = pair(venue, root, "USD", 20);
    listing.product = Product::Future;
    listing.quote.symbol = symbol.to_owned();
    listing
}
