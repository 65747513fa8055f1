//! What can be traded: the market's pairs, and a few perpetuals.

use super::books::Category;
use crate::Venue;
use crate::fixed::Fixed;
use crate::market::{Market, Product};

/// Something to trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instrument {
    pub(crate) symbol: String,
    pub(crate) category: Category,
    pub(crate) base: String,
    pub(crate) quote: String,
    /// The currency of gains and fees; of a pair, its quote.
    pub(crate) settle: String,
    /// What one unit of the size stands for: coins of a linear contract, dollars of an inverse one; one of a pair.
    pub(crate) contract_size: Fixed,
}

const ONE: Fixed = Fixed::ONE;
const HUNDRED: Fixed = Fixed::new(100, 0);
const TENTH: Fixed = Fixed::new(1, 1);
const CENT: Fixed = Fixed::new(1, 2);
const MILL: Fixed = Fixed::new(1, 3);

/// Symbol, category, base, quote, settlement, contract size.
type Row = (&'static str, Category, &'static str, &'static str, &'static str, Fixed);

const fn rows(venue: Venue) -> &'static [Row] {
    use Category::{Inverse, Linear};
    match venue {
        Venue::Binance => &[
            ("BTCUSDT", Linear, "BTC", "USDT", "USDT", ONE),
            ("ETHUSDT", Linear, "ETH", "USDT", "USDT", ONE),
            ("BTCUSD_PERP", Inverse, "BTC", "USD", "BTC", HUNDRED),
        ],
        Venue::Kucoin => &[
            ("XBTUSDTM", Linear, "XBT", "USDT", "USDT", MILL),
            ("ETHUSDTM", Linear, "ETH", "USDT", "USDT", CENT),
            ("XBTUSDM", Inverse, "XBT", "USD", "XBT", ONE),
        ],
        Venue::Bybit => &[
            ("BTCUSDT", Linear, "BTC", "USDT", "USDT", ONE),
            ("ETHUSDT", Linear, "ETH", "USDT", "USDT", ONE),
            ("BTCPERP", Linear, "BTC", "USDC", "USDC", ONE),
            ("BTCUSD", Inverse, "BTC", "USD", "BTC", ONE),
        ],
        Venue::Coinbase => &[("BIP-20DEC30-CDE", Linear, "BTC", "USD", "USD", CENT)],
        Venue::Okx => &[
            ("BTC-USDT-SWAP", Linear, "BTC", "USDT", "USDT", CENT),
            ("ETH-USDT-SWAP", Linear, "ETH", "USDT", "USDT", TENTH),
            ("BTC-USD-SWAP", Inverse, "BTC", "USD", "BTC", HUNDRED),
        ],
    }
}

/// The venue's perpetuals.
pub(crate) fn contracts(venue: Venue) -> impl Iterator<Item = Instrument> {
    rows(venue).iter().map(|&(symbol, category, base, quote, settle, contract_size)| Instrument {
        symbol: symbol.to_owned(),
        category,
        base: base.to_owned(),
        quote: quote.to_owned(),
        settle: settle.to_owned(),
        contract_size,
    })
}

impl Instrument {
    /// The instrument of a symbol; without a category a pair comes before a perpetual of the same name.
    pub(crate) fn find(venue: Venue, market: &Market, category: Option<Category>, symbol: &str) -> Option<Self> {
        let pair = || {
            let listing = market.find(symbol).filter(|listing| listing.product == Product::Spot)?;
            Some(Self {
                symbol: symbol.to_owned(),
                category: Category::Spot,
                base: listing.quote.base.clone(),
                quote: listing.quote.quote.clone(),
                settle: listing.quote.quote.clone(),
                contract_size: ONE,
            })
        };
        let contract = || {
            let fits = |it: &Self| it.symbol == symbol && category.is_none_or(|category| category == it.category);
            contracts(venue).find(fits)
        };
        match category {
            Some(Category::Spot) => pair(),
            Some(_) => contract(),
            None => pair().or_else(contract),
        }
    }
}

/// The wallets that pairs and perpetuals are paid from.
pub(crate) const fn wallets(venue: Venue) -> (&'static str, &'static str) {
    match venue {
        Venue::Binance | Venue::Coinbase => ("spot", "futures"),
        Venue::Kucoin => ("trade", "futures"),
        Venue::Bybit => ("unified", "unified"),
        Venue::Okx => ("trading", "trading"),
    }
}
