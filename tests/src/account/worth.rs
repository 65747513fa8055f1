//! What things are worth in dollars, as the venue would say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::books::{Books, Category, Side};
use super::contracts::{Instrument, contracts};
use crate::Venue;
use crate::fixed::Fixed;
use crate::market::Market;

/// What an account is worth, and what it could trade: all that a bot asks its venue for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Worth {
    /// Dollars by wallet, net of debts. What has no price counts for nothing.
    pub wallets: BTreeMap<String, Fixed>,
    /// Profits not taken of all positions, in dollars.
    pub unrealised: Fixed,
    /// Open positions.
    pub positions: Vec<Held>,
    /// Perpetuals, and bitcoin against the dollar.
    pub offers: Vec<Offer>,
}

/// An open position.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Held {
    /// The venue's symbol.
    pub symbol: String,
    /// Linear or inverse.
    pub category: Category,
    /// Long is `Buy`.
    pub side: Side,
    /// How much, in the venue's unit.
    pub size: Fixed,
    /// The price by which it is judged.
    pub mark: Fixed,
    /// Its worth at the mark, in dollars.
    pub value: Fixed,
    /// Profit not taken, in dollars.
    pub unrealised: Fixed,
}

/// Something that can be traded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Offer {
    /// The venue's symbol.
    pub symbol: String,
    /// The kind of market.
    pub category: Category,
    /// Its price in quote currency.
    pub price: Fixed,
    /// What one unit of the size is worth in dollars.
    pub unit: Fixed,
    /// The smallest size, and the step of all sizes.
    pub step: Fixed,
}

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

impl Worth {
    /// As its owner would reckon it, by the venue's prices.
    pub(crate) fn of(venue: Venue, market: &Market, books: &Books) -> Self {
        let dollar = |asset: &str| dollars(venue, market, asset).unwrap_or_default();
        let held: Vec<Held> = books
            .positions
            .iter()
            .map(|position| Held {
                symbol: position.symbol.clone(),
                category: position.category,
                side: position.side,
                size: position.size,
                mark: position.mark,
                value: position.value().times(if position.category == Category::Inverse {
                    Fixed::ONE
                } else {
                    dollar(&position.currency)
                }),
                unrealised: position.unrealised.times(dollar(&position.currency)),
            })
            .collect();
        let wallets = books.wallets.keys().map(|wallet| (wallet.clone(), equity(venue, market, books, wallet)));
        let pair = venue.spell("BTC", if venue == Venue::Coinbase { "USD" } else { "USDT" });
        let pair = Instrument::find(venue, market, Some(Category::Spot), &pair);
        Self {
            wallets: wallets.collect(),
            unrealised: held.iter().map(|one| one.unrealised).sum(),
            positions: held,
            offers: contracts(venue).chain(pair).filter_map(|one| Offer::of(venue, market, &one)).collect(),
        }
    }
}

impl Offer {
    fn of(venue: Venue, market: &Market, instrument: &Instrument) -> Option<Self> {
        let base = dollars(venue, market, &instrument.base)?;
        let quote = dollars(venue, market, &instrument.quote)?;
        let size = instrument.contract_size;
        Some(Self {
            symbol: instrument.symbol.clone(),
            category: instrument.category,
            price: base.over(quote).floor_to(Fixed::new(1, 1)),
            unit: if instrument.category == Category::Inverse { size } else { size.times(base) },
            // Where one unit is a coin, parts of it are traded.
            step: if size == Fixed::ONE && instrument.category != Category::Inverse {
                Fixed::new(1, 3)
            } else {
                Fixed::ONE
            },
        })
    }
}
