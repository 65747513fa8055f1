//! The account of a fake venue: what it holds, its key, and what happens to it. Knows no venue's words.

mod api;
mod books;
mod contracts;
mod control;
mod deals;
mod journal;
mod key;
mod positions;
mod setup;
mod trader;
mod worth;

pub(crate) mod signing;

pub use books::{Books, Category, Fees, Fill, Money, Order, Position, Role, Side, Status};
pub use deals::Refusal;
pub use key::{Key, KeyState};

pub(crate) use contracts::{Instrument, contracts, wallets};
pub(crate) use control::{answer as control, is_control};
pub(crate) use journal::{Cause, Change, Event, Inbox, Journal};
pub(crate) use trader::trade;
pub use worth::{Held, Offer, Worth};
pub(crate) use worth::{TETHER, dollars, equity};

use crate::Venue;
use crate::market::{Dice, Market};

/// The account, its key, and what its private connections are still to be told.
pub(crate) struct Account {
    pub(crate) venue: Venue,
    pub(crate) books: Books,
    pub(crate) key: Key,
    /// Rises whenever the key is changed.
    pub(crate) revision: u64,
    pub(crate) journal: Journal,
    dice: Dice,
    orders: u64,
}

impl Account {
    /// The account that a fake begins with.
    pub(crate) fn new(venue: Venue, market: &Market, seed: u64, now: u64) -> Self {
        let mut account = Self {
            venue,
            books: setup::wallets(venue),
            key: Key::documented(venue),
            revision: 0,
            journal: Journal::default(),
            dice: Dice(seed),
            orders: 0,
        };
        setup::live(&mut account, market, now);
        account.journal.forget();
        account
    }
}
