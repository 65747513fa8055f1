//! The account behind a key: what a venue's answers and events say of it, and what a venue author writes to ask.
//!
//! REST answers *state*: what an answer no longer names is gone. Private streams tell *changes*. Both are [`Entry`]s for
//! the [`book::Book`]; the [`clerk`] asks, listens and writes them down.

pub mod amount;
pub mod book;
pub mod check;
pub mod clerk;
pub mod desk;
pub mod ledger;
pub mod listen;
pub mod quotes;
pub mod rates;
pub mod show;
pub mod valuation;
pub mod watch;

use std::time::Duration;

use rust_decimal::Decimal;

use crate::fault::{Fault, Kind};
use crate::update::{Market, Micros};
use crate::venue::{Feed, Query, Request};

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

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// What the key may do.
    Key,
    /// The account's mode, contracts, prices, the venue's own figures: what other questions and figures need.
    Facts,
    /// A wallet, by the name that `exchange_wallet_read_status` shows.
    Wallet(&'static str),
    /// Positions.
    Positions,
    /// Open orders.
    Orders,
    /// Executions.
    Fills,
}

/// What to do when a question is refused for good: the key may not, or the venue does not serve it here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Without it there is no refresh.
    Must,
    /// Then this part is unread, is said to be so, and the rest goes on.
    May,
}

/// A question about the account.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The question; with [`Query::every`] it is asked no more often than that, else at every refresh.
    pub query: Query,
    /// What it is about.
    pub topic: Topic,
    /// How much depends on it.
    pub need: Need,
}

impl Ask {
    /// A question without which there is no refresh. Its request is signed.
    pub fn must(topic: Topic, query: Query) -> Self {
        let request = query.request.clone().signed();
        Self { query: Query { request, ..query }, topic, need: Need::Must }
    }

    /// A question that may be refused. Its request is signed.
    pub fn may(topic: Topic, query: Query) -> Self {
        Self { need: Need::May, ..Self::must(topic, query) }
    }

    /// The same, without a signature: a public question.
    pub fn unsigned(mut self) -> Self {
        self.query.request.signed = false;
        self
    }

    /// What distinguishes its statement from those of other questions.
    pub fn section(&self) -> String {
        format!("{}?{}", self.query.name, self.query.request.query)
    }
}

/// What is known when the questions of a refresh are chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The last [`Entry::Mode`].
    pub mode: Option<&'static str>,
    /// Symbols, by the venue's names, that orders, executions or [`Entry::Touched`] have named.
    pub touched: Vec<String>,
    /// Contracts margined in the quote currency that orders, executions or positions have named, likewise.
    pub touched_linear: Vec<String>,
    /// Symbols, by the venue's names, that are exported.
    pub streamed: Vec<String>,
    /// Wallets that could be read when they were last asked for.
    pub read: Vec<&'static str>,
    /// The venue's clock: where executions are asked for in windows, the last one ends here.
    pub now: Micros,
}

/// The account side of a venue, with a key.
pub trait Account: Send + Sync {
    /// Signs a request. `now` is the venue's clock as far as it is known; called again for every retry.
    fn sign(&self, request: &mut Request, now: Micros) -> Result<(), Fault>;

    /// Asked before all else: what the key may do, the account's mode, contracts.
    fn survey(&self) -> Vec<Ask>;

    /// Asked at every refresh: wallets, positions, open orders.
    fn asks(&self, view: &View) -> Vec<Ask>;

    /// Executions since then, for what a stream could not tell while it was away.
    fn fills(&self, since: Micros, view: &View) -> Vec<Ask>;

    /// The private conversations, told apart by [`Feed::name`]. Asked again after every refresh: those that are told
    /// no more are hung up, those that are new are dialled, the others go on. Every one of them must be able to live:
    /// the account is only ready when they all do.
    fn feeds(&self, view: &View) -> Vec<Box<dyn Feed>>;

    /// Whether the private streams tell executions as they happen. Where they do not, executions are asked for at every
    /// refresh: REST may know of one later than the stream of the order that it fills.
    fn tells_fills(&self) -> bool {
        true
    }

    /// Whether to sign and ask once more after this refusal. The clock is measured before.
    fn again(&self, fault: &Fault) -> bool {
        fault.kind == Kind::ClockSkew
    }
}

/// The time since then in windows of at most this length, for venues that tell executions for so long at a time. The
/// last window has no end: venues take what follows within its length.
pub fn windows(since: Micros, now: Micros, span: Duration) -> Vec<(Micros, Option<Micros>)> {
    let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX).max(1);
    let mut windows = Vec::new();
    let mut start = since;
    while now.0.saturating_sub(start.0) > span {
        let end = Micros(start.0 + span);
        windows.push((start, Some(end)));
        start = end;
    }
    windows.push((start, None));
    windows
}

/// A spot symbol's label from the venue's name: upper case, without separators.
pub fn label(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_uppercase()
}
