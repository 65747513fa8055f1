//! What things are worth in dollars, as the venue would say.

use super::books::Books;
use crate::Venue;
use crate::fixed::Fixed;
use crate::market::Market;

/// What one tether is worth where no pair says.
pub(crate) const TETHER: Fixed = Fixed::new(9_998, 4);

/// What one unit of an asset is worth in dollars, by the last price of a pair; `None` where no pair leads to the dollar.
pub(crate) fn dollars(venue: Venue, market: &Market, asset: &str) -> Option<Fixed> {
    let last = |base: &str, quote: &str| market.find(&venue.spell(base, quote))?.quote.last;
    match asset {
        "USD" => return Some(Fixed::ONE),
        "USDT" => return Some(last("USDT", "USD").unwrap_or(TETHER)),
        // Coinbase changes it for a dollar at any time, and has no pair of the two.
        "USDC" if venue == Venue::Coinbase => return Some(Fixed::ONE),
        "XBT" => return dollars(venue, market, "BTC"),
        _ => {}
    }
    // None of these is worth itself by way of itself.
    let ways: &[&str] = match asset {
        "USDC" => &["USD", "USDT"],
        "BTC" => &["USD", "USDT", "USDC"],
        _ => &["USD", "USDT", "USDC", "BTC"],
    };
    ways.iter().find_map(|way| Some(last(asset, way)?.times(dollars(venue, market, way)?)))
}

/// What a wallet is worth in dollars after its debts, profits not taken aside. What has no price counts for nothing.
pub(crate) fn equity(venue: Venue, market: &Market, books: &Books, wallet: &str) -> Fixed {
    let worth = |(asset, money): (&str, super::Money)| Some(money.net().times(dollars(venue, market, asset)?));
    books.assets(wallet).filter_map(worth).sum()
}
