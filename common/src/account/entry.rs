//! Statements about an account, as answers and events make them.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::Topic;
use crate::update::{Market, Micros};

/// What a wallet holds of one asset. All amounts are in units of the asset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// The wallet's label: `spot`, `funding`, `unified` …
    pub wallet: &'static str,
    /// The venue's code of the asset, aliases resolved.
    pub asset: String,
    /// What can be used now.
    pub free: Option<Decimal>,
    /// What orders, positions or withdrawals under way hold.
    pub locked: Option<Decimal>,
    /// What is owed, interest included; positive.
    pub borrowed: Option<Decimal>,
    /// What counts for equity: all that is there and unrealised profit, less what is owed. `None`: free and locked
    /// less borrowed.
    pub net: Option<Decimal>,
    /// When the venue says that this was so. An older statement never replaces a newer one.
    pub at: Option<Micros>,
}

impl Balance {
    /// What counts for equity.
    pub fn net(&self) -> Decimal {
        let known = |part: Option<Decimal>| part.unwrap_or_default();
        self.net.unwrap_or_else(|| known(self.free) + known(self.locked) - known(self.borrowed))
    }

    /// Both together.
    fn with(&self, other: &Balance) -> Balance {
        let sum = |a: Option<Decimal>, b: Option<Decimal>| match (a, b) {
            (Some(a), Some(b)) => a.checked_add(b),
            (a, b) => a.or(b),
        };
        Balance {
            wallet: self.wallet,
            asset: self.asset.clone(),
            free: sum(self.free, other.free),
            locked: sum(self.locked, other.locked),
            borrowed: sum(self.borrowed, other.borrowed),
            net: self.net().checked_add(other.net()),
            at: self.at.max(other.at),
        }
    }

    /// Nothing there and nothing owed.
    pub fn is_empty(&self) -> bool {
        self.net().is_zero() && [self.free, self.locked, self.borrowed].into_iter().flatten().all(|part| part.is_zero())
    }
}

/// Which way a position or an order goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Profits when the price rises.
    Long,
    /// Profits when it falls.
    Short,
    /// An order that buys.
    Buy,
    /// An order that sells.
    Sell,
}

impl Side {
    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Side::Long => "long",
            Side::Short => "short",
            Side::Buy => "buy",
            Side::Sell => "sell",
        }
    }
}

/// How large a position is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// In base currency.
    Base(Decimal),
    /// In contracts of [`Contract::size`].
    Contracts(Decimal),
}

impl Size {
    /// The number, whatever it counts.
    pub fn number(self) -> Decimal {
        match self {
            Size::Base(number) | Size::Contracts(number) => number,
        }
    }
}

/// An open position. A size of zero says that it is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Linear, inverse or option; where [`Entry::Contract`] rows name it, that market counts.
    pub market: Market,
    /// The venue's name of the contract.
    pub name: String,
    /// Long or short.
    pub side: Side,
    /// Its size, positive.
    pub size: Size,
    /// What it is worth at the mark price, in this asset; `None` where the venue does not say.
    pub value: Option<(Decimal, String)>,
    /// What one coin of it costs, in this asset, where the venue says that instead: [`Contract::size`] makes the value of it.
    pub price: Option<(Decimal, String)>,
    /// Unrealised profit, in this asset.
    pub pnl: Option<(Decimal, String)>,
    /// Leverage.
    pub leverage: Option<Decimal>,
    /// The price at which it is liquidated.
    pub liquidation: Option<Decimal>,
    /// When the venue says that this was so.
    pub at: Option<Micros>,
}

/// What became of an order, by the `status` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Accepted, nothing filled.
    New,
    /// Still open: partly filled, amended, triggered. Counted as nothing.
    Working,
    /// Wholly filled.
    Filled,
    /// Cancelled, by whomever.
    Canceled,
    /// Never accepted.
    Rejected,
    /// Ended by its own terms.
    Expired,
}

impl Status {
    /// The label's value; `None` for what is not counted.
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Status::New => Some("new"),
            Status::Working => None,
            Status::Filled => Some("filled"),
            Status::Canceled => Some("canceled"),
            Status::Rejected => Some("rejected"),
            Status::Expired => Some("expired"),
        }
    }

    /// Whether the order may still be filled.
    pub const fn open(self) -> bool {
        matches!(self, Status::New | Status::Working)
    }
}

/// An order: a row of the open ones, or an event of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its market.
    pub market: Market,
    /// The venue's name of what it trades.
    pub name: String,
    /// The venue's id of the order.
    pub id: String,
    /// What became of it.
    pub status: Status,
    /// When the venue says that this was so.
    pub at: Option<Micros>,
}

/// The `role` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Added to the book.
    Maker,
    /// Took from it.
    Taker,
}

impl Role {
    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Maker => "maker",
            Role::Taker => "taker",
        }
    }
}

/// One execution. Told twice, by the stream and over REST, it counts once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Its market.
    pub market: Market,
    /// The venue's name of what was traded.
    pub name: String,
    /// The venue's id of the execution, unique together with `market` and `name`; the same from stream and REST.
    pub id: String,
    /// Buy or sell.
    pub side: Side,
    /// Maker or taker; `None` where the venue does not say (liquidations).
    pub role: Option<Role>,
    /// In quote currency.
    pub quote_volume: Option<Decimal>,
    /// What was paid, negative for a rebate, in this asset; `None` where this message does not say.
    pub fee: Option<(Decimal, String)>,
    /// When it happened.
    pub at: Option<Micros>,
}

/// What the key may do; `None` where the venue does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Read the account.
    pub read: Option<bool>,
    /// Place orders.
    pub trade: Option<bool>,
    /// Withdraw from the venue.
    pub withdraw: Option<bool>,
    /// Move money between accounts and wallets.
    pub transfer: Option<bool>,
    /// Whether it works only from certain addresses.
    pub ip_restricted: Option<bool>,
    /// When it expires.
    pub expires: Option<Micros>,
}

/// A derivative that positions and orders may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The venue's name.
    pub name: String,
    /// Linear, inverse or option.
    pub market: Market,
    /// The `symbol` label: base and quote, and the expiry where it has one.
    pub symbol: String,
    /// What one contract is: base currency, or quote currency where the market is inverse.
    pub size: Option<Decimal>,
}

/// A price that the venue names without a market: how much of `quote` one `base` is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What is priced.
    pub base: String,
    /// In what.
    pub quote: String,
    /// How much.
    pub price: Decimal,
}

/// One statement about the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// What a wallet holds.
    Balance(Balance),
    /// A position.
    Position(Position),
    /// An order.
    Order(Order),
    /// An execution.
    Fill(Fill),
    /// An execution of so many contracts at this price; its volume follows from [`Entry::Contract`].
    Deal(Fill, Decimal, Decimal),
    /// What the key may do.
    Rights(Rights),
    /// A derivative's names and size.
    Contract(Contract),
    /// A price without a market.
    Rate(Rate),
    /// The account's mode, where questions depend on it.
    Mode(&'static str),
    /// The account has orders in this symbol, by the venue's name: where orders or fills can only be asked by symbol.
    Touched(String),
    /// What the venue itself says that the account, or a part of it, is worth in this currency; a cross-check only.
    Reported(&'static str, Decimal, &'static str),
    /// Something changed that this message does not tell: ask again.
    Stir(Topic),
}

/// Several accounts of one wallet may hold one asset, on one page or on two: together they are what it holds.
pub(super) fn merged(entries: Vec<Entry>) -> Vec<Entry> {
    let mut places: BTreeMap<(&'static str, String), usize> = BTreeMap::new();
    let mut merged: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries {
        let Entry::Balance(balance) = entry else {
            merged.push(entry);
            continue;
        };
        let key = (balance.wallet, balance.asset.clone());
        match places.get(&key).and_then(|place| merged.get_mut(*place)) {
            Some(Entry::Balance(sum)) => *sum = sum.with(&balance),
            _ => {
                places.insert(key, merged.len());
                merged.push(Entry::Balance(balance));
            }
        }
    }
    merged
}
