//! What the account holds and did: exact, and free of any venue's words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fixed::Fixed;

/// One asset in one wallet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Money {
    /// Can be spent or withdrawn.
    pub free: Fixed,
    /// Held by open orders.
    pub locked: Fixed,
    /// Owed; what was borrowed is part of `free` and `locked`.
    pub borrowed: Fixed,
    /// Owed on top of that.
    pub interest: Fixed,
    /// When any of it last changed, in Unix milliseconds; 0: never.
    pub updated_at: u64,
}

impl Money {
    /// Free and locked.
    #[must_use]
    pub fn total(self) -> Fixed {
        self.free + self.locked
    }

    /// What would remain after paying the debt.
    #[must_use]
    pub fn net(self) -> Fixed {
        self.total() - self.borrowed - self.interest
    }

    /// Neither held nor owed.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        Self { updated_at: 0, ..self } == Self::default()
    }
}

/// Which kind of market an order is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Coins for money, at once.
    #[default]
    Spot,
    /// Perpetuals settled in the quote currency.
    Linear,
    /// Perpetuals settled in the coin.
    Inverse,
}

/// Which way an order or a position goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Buys; a position that wins when the price rises.
    Buy,
    /// Sells; a position that wins when the price falls.
    Sell,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

/// Who waited in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The account's order did.
    Maker,
    /// The other's order did.
    Taker,
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In the book, nothing filled.
    New,
    /// In the book, some of it filled.
    PartiallyFilled,
    /// All of it filled.
    Filled,
    /// Taken back.
    Canceled,
    /// Refused.
    Rejected,
    /// Its time ran out.
    Expired,
}

impl Status {
    /// Whether it is in the book.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::New | Self::PartiallyFilled)
    }
}

/// An order. Quantities are in the venue's unit: of a derivative, contracts or coins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Order {
    /// As the venue spells it.
    pub id: String,
    /// Rises with every order.
    pub number: u64,
    /// The venue's symbol.
    pub symbol: String,
    /// The kind of market.
    pub category: Category,
    /// Which way.
    pub side: Side,
    /// The limit.
    pub price: Fixed,
    /// All that is wanted.
    pub quantity: Fixed,
    /// What was filled of it.
    pub filled: Fixed,
    /// The worth of what was filled, in quote currency.
    pub quote_filled: Fixed,
    /// All fees so far, signed like [`Fill::fee`].
    pub fee: Fixed,
    /// The asset of the fees, known before the first fill.
    pub fee_asset: String,
    /// What it still locks.
    pub locked: Fixed,
    /// The asset that it locks.
    pub locked_asset: String,
    /// What became of it.
    pub status: Status,
    /// When it was placed, in Unix milliseconds.
    pub created_at: u64,
    /// When it last changed.
    pub updated_at: u64,
}

impl Order {
    /// What is not filled.
    #[must_use]
    pub fn remaining(&self) -> Fixed {
        self.quantity - self.filled
    }

    /// The mean price of what was filled.
    #[must_use]
    pub fn average(&self) -> Option<Fixed> {
        (!self.filled.is_zero()).then_some(self.price)
    }
}

/// A fill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fill {
    /// Unlike any other, as the venue spells it.
    pub id: String,
    /// Rises with every fill.
    pub number: u64,
    /// Rises with every fill of the symbol; other symbols have the same numbers.
    pub trade: u64,
    /// The order.
    pub order_id: String,
    /// The venue's symbol.
    pub symbol: String,
    /// The kind of market.
    pub category: Category,
    /// Which way.
    pub side: Side,
    /// Who waited in the book.
    pub role: Role,
    /// At which price.
    pub price: Fixed,
    /// How much, in the venue's unit.
    pub quantity: Fixed,
    /// Its worth in quote currency.
    pub quote_volume: Fixed,
    /// In what the fee was paid.
    pub fee_asset: String,
    /// The fee: positive when paid, negative when received.
    pub fee: Fixed,
    /// Its share of the worth, signed likewise.
    pub fee_rate: Fixed,
    /// When, in Unix milliseconds.
    pub at: u64,
}

/// An open position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// As the venue spells it.
    pub id: String,
    /// The venue's symbol.
    pub symbol: String,
    /// Linear or inverse.
    pub category: Category,
    /// Long is `Buy`.
    pub side: Side,
    /// How much, without a sign, in the venue's unit; nothing once it is closed.
    pub size: Fixed,
    /// What one unit of the size stands for: coins of a linear contract, dollars of an inverse one.
    pub contract_size: Fixed,
    /// The mean price at which it was opened.
    pub entry: Fixed,
    /// The price by which it is judged.
    pub mark: Fixed,
    /// Profit not taken, in `currency`.
    pub unrealised: Fixed,
    /// The currency that it settles in.
    pub currency: String,
    /// The leverage.
    pub leverage: Fixed,
    /// The price at which the venue takes it away.
    pub liquidation: Option<Fixed>,
    /// When it was opened, in Unix milliseconds.
    pub opened_at: u64,
    /// When it last changed.
    pub updated_at: u64,
}

impl Position {
    /// Its worth at the mark: in quote currency.
    #[must_use]
    pub fn value(&self) -> Fixed {
        let units = self.size.times(self.contract_size);
        if self.category == Category::Inverse { units } else { units.times(self.mark) }
    }

    pub(crate) fn revalue(&mut self) {
        let units = self.size.times(self.contract_size);
        let gain = match self.category {
            Category::Inverse => units.over(self.entry) - units.over(self.mark),
            _ => units.times(self.mark - self.entry),
        };
        self.unrealised = if self.side == Side::Buy { gain } else { -gain };
    }
}

/// What a trade costs: shares of its worth, negative where the venue pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fees {
    /// For orders that waited.
    pub maker: Fixed,
    /// For orders that did not.
    pub taker: Fixed,
}

/// All that the account holds and did.
#[derive(Clone, Debug, Serialize)]
pub struct Books {
    /// Assets by wallet and name.
    pub wallets: BTreeMap<String, BTreeMap<String, Money>>,
    /// All orders, the oldest first.
    pub orders: Vec<Order>,
    /// All fills, the oldest first.
    pub fills: Vec<Fill>,
    /// Open positions.
    pub positions: Vec<Position>,
    /// What trades cost from now on.
    pub fees: Fees,
}

impl Books {
    /// An asset in a wallet; nothing where there is none.
    #[must_use]
    pub fn money(&self, wallet: &str, asset: &str) -> Money {
        self.wallets.get(wallet).and_then(|assets| assets.get(asset)).copied().unwrap_or_default()
    }

    /// What a wallet holds or owes, by asset.
    pub fn assets(&self, wallet: &str) -> impl Iterator<Item = (&str, Money)> {
        let assets = self.wallets.get(wallet).into_iter().flatten();
        assets.map(|(asset, money)| (asset.as_str(), *money)).filter(|(_, money)| !money.is_nothing())
    }

    /// An order, by the venue's id.
    #[must_use]
    pub fn order(&self, id: &str) -> Option<&Order> {
        self.orders.iter().rfind(|order| order.id == id)
    }

    /// The orders in the book, the oldest first.
    pub fn open_orders(&self) -> impl DoubleEndedIterator<Item = &Order> {
        self.orders.iter().filter(|order| order.status.is_open())
    }

    /// The position in a symbol.
    #[must_use]
    pub fn position(&self, category: Category, symbol: &str) -> Option<&Position> {
        self.positions.iter().find(|position| position.category == category && position.symbol == symbol)
    }

    /// Profit not taken in a currency, over all positions.
    #[must_use]
    pub fn unrealised(&self, currency: &str) -> Fixed {
        self.positions.iter().filter(|position| position.currency == currency).map(|position| position.unrealised).sum()
    }
}
