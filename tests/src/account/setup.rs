//! What the account begins with, and how venues spell ids.

use std::collections::BTreeMap;

use super::Account;
use super::books::{Books, Category, Fees, Money, Role, Side};
use super::deals::Wish;
use crate::Venue;
use crate::fixed::Fixed;
use crate::market::Market;

const MINUTE: u64 = 60_000;

/// Wallet, asset, amount in 10^-8.
type Row = (&'static str, &'static str, i128);

/// The wallets besides the one for pairs, as they begin.
const fn others(venue: Venue) -> &'static [Row] {
    match venue {
        Venue::Binance => &[
            ("funding", "USDC", 25_050_000_000),
            ("funding", "BTC", 10_000_000),
            // Shown as `LDUSDT` and `LDBNB` among the coins of the spot wallet, and `LDO` is a coin.
            ("spot", "LDO", 4_000_000_000),
            ("earn", "USDT", 10_000_000_000),
            ("earn", "BNB", 200_000_000),
            ("margin", "USDT", 100_000_000_000),
            ("isolated", "BTC", 1_000_000),
            ("isolated", "USDT", 5_000_000_000),
            ("futures", "USDT", 150_000_000_000),
            ("futures", "BTC", 5_000_000),
        ],
        Venue::Kucoin => &[
            ("main", "USDC", 25_050_000_000),
            ("main", "BTC", 10_000_000),
            ("earn", "USDT", 10_000_000_000),
            ("margin", "USDT", 100_000_000_000),
            ("futures", "USDT", 150_000_000_000),
            ("futures", "XBT", 5_000_000),
        ],
        Venue::Bybit => {
            &[("funding", "USDC", 25_050_000_000), ("funding", "BTC", 10_000_000), ("earn", "USDT", 10_000_000_000)]
        }
        Venue::Coinbase => &[("vault", "BTC", 10_000_000), ("futures", "USD", 50_000_000_000)],
        Venue::Okx => {
            &[("funding", "USDC", 25_050_000_000), ("funding", "BTC", 10_000_000), ("earn", "USDT", 10_000_000_000)]
        }
    }
}

/// In the wallet for pairs: something of everything that is awkward to value.
const TRADED: &[(&str, i128)] = &[
    ("USDT", 1_200_000_000_000),
    ("BTC", 75_000_000),
    ("ETH", 550_000_000),
    ("SOL", 2_000_000_000),
    ("USDC", 120_000_000_000),
    // Only has a pair with BTC.
    ("XMR", 1_250_000_000),
    // Has no pair at all.
    ("AIRDROP", 100_000_000_000),
    // Dust.
    ("DOGE", 12),
];

pub(super) fn wallets(venue: Venue) -> Books {
    let mut wallets: BTreeMap<String, BTreeMap<String, Money>> = BTreeMap::new();
    let spot = super::wallets(venue).0;
    let dollars: &[Row] = if venue == Venue::Coinbase { &[("spot", "USD", 1_200_000_000_000)] } else { &[] };
    let traded = TRADED.iter().map(|&(asset, amount)| (spot, asset, amount));
    for (wallet, asset, amount) in traded.chain(dollars.iter().copied()).chain(others(venue).iter().copied()) {
        let free = Fixed::new(amount, 8);
        wallets.entry(wallet.to_owned()).or_default().insert(asset.to_owned(), Money { free, ..Money::default() });
    }
    let debts = match venue {
        Venue::Binance | Venue::Kucoin => Some("margin"),
        Venue::Bybit | Venue::Okx => Some(spot),
        Venue::Coinbase => None,
    };
    if let Some(money) = debts.and_then(|wallet| wallets.get_mut(wallet)?.get_mut("USDT")) {
        (money.borrowed, money.interest) = (Fixed::from(200), Fixed::new(25, 3));
    }
    let fees = Fees { maker: Fixed::new(8, 4), taker: Fixed::new(1, 3) };
    Books { wallets, orders: Vec::new(), fills: Vec::new(), positions: Vec::new(), fees }
}

/// Orders in the book and fills of the past, more than one page where the venue pages them.
const fn history(venue: Venue) -> (usize, usize) {
    match venue {
        Venue::Okx => (104, 120),
        Venue::Bybit | Venue::Coinbase => (56, 120),
        Venue::Kucoin => (24, 120),
        Venue::Binance => (8, 20),
    }
}

/// Gives the account a past: fills, orders and positions.
pub(super) fn live(account: &mut Account, market: &Market, now: u64) {
    let dollar = if account.venue == Venue::Coinbase { "USD" } else { "USDT" };
    let symbol = account.venue.spell("ETH", dollar);
    let Some(last) = market.find(&symbol).and_then(|listing| listing.quote.last) else { return };
    if account.venue == Venue::Binance {
        // In a locked product; the rest is flexible.
        let _ = account.hold(now, "earn", "BNB", Fixed::new(5, 1));
    }
    let half = last.over(Fixed::from(2)).floor_to(Fixed::new(1, 2));
    let (orders, fills) = history(account.venue);
    let begin = now.saturating_sub((orders + fills + 10) as u64 * MINUTE);
    let mut at = (1..).map(|minute| begin + minute * MINUTE);
    let mut next = || at.next().unwrap_or(now);
    for number in 0..fills {
        let side = if number % 2 == 0 { Side::Buy } else { Side::Sell };
        let quantity = Fixed::new(1 + number as i128 % 5, 3);
        let wish = Wish { category: None, symbol: &symbol, side, price: last, quantity };
        let role = if number % 3 == 0 { Role::Taker } else { Role::Maker };
        let at = next();
        // What the fake itself arranges and cannot afford is left out.
        let _ = account.place(market, at, &wish).and_then(|id| account.fill(market, at, &id, quantity, role));
    }
    for number in 0..orders {
        let (side, price) = if number % 2 == 0 { (Side::Buy, half) } else { (Side::Sell, last + half) };
        let wish = Wish { category: None, symbol: &symbol, side, price, quantity: Fixed::new(1, 3) };
        let _ = account.place(market, next(), &wish);
    }
    for (number, contract) in super::contracts(account.venue).enumerate() {
        let price = super::dollars(account.venue, market, &contract.base).unwrap_or(last).floor_to(Fixed::new(1, 1));
        let side = if number % 2 == 0 { Side::Buy } else { Side::Sell };
        let quantity = match (contract.category, contract.contract_size == Fixed::ONE) {
            (Category::Inverse, true) => Fixed::from(500),
            (_, true) => Fixed::new(5, 2),
            _ => Fixed::from(5),
        };
        let entry = price.times(Fixed::new(99, 2)).floor_to(Fixed::new(1, 1));
        let (category, symbol) = (Some(contract.category), contract.symbol.as_str());
        // One contract has an order instead of a position.
        let wish = Wish { category, symbol, side, price: entry, quantity };
        let at = next();
        if number == 1 {
            let _ = account.place(market, at, &wish);
        } else if account.open_position(market, at, &wish, Fixed::from(10)).is_ok() {
            let _ = account.move_mark(at, contract.category, symbol, price);
        }
    }
}

fn uuid(kind: u16, number: u64) -> String {
    format!("{:08x}-{kind:04x}-4e0a-b8c3-{number:012x}", number.wrapping_mul(0x9e37_79b9) as u32)
}

pub(super) fn order_id(venue: Venue, category: Category, number: u64) -> String {
    match (venue, category) {
        (Venue::Binance, _) => (12_569_099_453 + number).to_string(),
        (Venue::Kucoin, _) => format!("6720ecd9ec71f4000747{number:04x}"),
        (Venue::Bybit, Category::Spot) => (2_087_415_936_211_054_592 + number * 256).to_string(),
        (Venue::Bybit | Venue::Coinbase, _) => uuid(0x6b95, number),
        (Venue::Okx, _) => (2_290_718_804_425_031_680 + number * 65_536).to_string(),
    }
}

pub(super) fn fill_id(venue: Venue, number: u64) -> String {
    match venue {
        Venue::Binance => (5_414_400_200 + number).to_string(),
        Venue::Kucoin => (11_029_373_945_659_392 + number).to_string(),
        Venue::Bybit | Venue::Coinbase => uuid(0x74d8, number),
        Venue::Okx => (2_287_310_457_770_926_080 + number * 65_536).to_string(),
    }
}

pub(super) fn position_id(venue: Venue, number: u64) -> String {
    match venue {
        Venue::Kucoin => (500_000_000_000_988_255 + number).to_string(),
        Venue::Okx => (2_291_047_385_510_461_440 + number * 65_536).to_string(),
        _ => number.to_string(),
    }
}
