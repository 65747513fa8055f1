//! What a connection hears of the account: orders and futures; of fills and of money in spot there are no events.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{futures, rows};
use crate::account::{Account, Cause, Event, Inbox};
use crate::fault::Fault;
use crate::protocol::{Desk, strings};
use crate::world::World;

pub(super) const ORDERS: &str = "user";
pub(super) const FUTURES: &str = "futures_balance_summary";
/// Orders of the snapshot come in batches; one that is not full is the last.
const BATCH: usize = 50;

/// The private half of a connection.
#[derive(Default)]
pub(super) struct User {
    /// What happens is told from the first private subscription on.
    inbox: Option<Inbox>,
    /// Whose orders are told: of these products, or of all when there is none.
    orders: Option<BTreeSet<String>>,
    futures: bool,
}

impl User {
    /// Of a connection that is known to be private before it says anything.
    pub(super) fn awaited(world: &World) -> Self {
        Self { inbox: Some(Inbox::new(world)), ..Self::default() }
    }

    pub(super) const fn is_private(&self) -> bool {
        self.inbox.is_some()
    }

    /// Turns a channel on or off; the frames that come before the acknowledgement.
    pub(super) fn turn_on(&mut self, on: bool, channel: &str, products: &Value, desk: &Desk<'_>) -> Vec<Value> {
        let new = on && if channel == ORDERS { self.orders.is_none() } else { !self.futures };
        match channel {
            ORDERS => {
                let products = strings(products).unwrap_or_default().into_iter().map(str::to_owned).collect();
                self.orders = on.then_some(products);
            }
            _ => self.futures = on,
        }
        if !new {
            return Vec::new();
        }
        // What happens from now on may be in the snapshot, too.
        self.inbox = Some(Inbox::new(desk.world));
        let account = desk.world.account.lock();
        match channel {
            _ if desk.suffers(&Fault::Silent) => Vec::new(),
            ORDERS => self.snapshot(&account, desk.world.now()),
            _ => summary(&account, "snapshot").into_iter().collect(),
        }
    }

    fn tells(&self, product: &str) -> bool {
        self.orders.as_ref().is_some_and(|products| products.is_empty() || products.contains(product))
    }

    fn snapshot(&self, account: &Account, now: u64) -> Vec<Value> {
        let open = account.books.open_orders().rev().filter(|order| self.tells(&order.symbol));
        let orders: Vec<Value> = open.map(|order| rows::streamed(&account.books, order, now)).collect();
        let mut batches: Vec<&[Value]> = orders.chunks(BATCH).collect();
        if batches.last().is_none_or(|last| last.len() == BATCH) {
            batches.push(&[]);
        }
        let positions = futures::streamed_positions(account.books.positions.iter());
        let frame = |(at, batch): (usize, &&[Value])| {
            let mut event = json!({"type": "snapshot", "orders": batch});
            if at == 0 {
                event["positions"] = positions.clone();
            }
            event
        };
        batches.iter().enumerate().map(frame).collect()
    }

    /// What is to be told now: the channel and its event.
    pub(super) fn turn(&mut self, desk: &mut Desk<'_>) -> Vec<(&'static str, Value)> {
        let Some(inbox) = &mut self.inbox else { return Vec::new() };
        let happened = inbox.take(desk);
        let account = desk.world.account.lock();
        let mut told = Vec::new();
        for event in happened {
            told.extend(self.update(&account, &event).map(|update| (ORDERS, update)));
            let moves = event.position.is_some() || event.changes.iter().any(|change| change.asset == "USD");
            if self.futures && moves {
                told.extend(summary(&account, "update").map(|update| (FUTURES, update)));
            }
        }
        told
    }

    fn update(&self, account: &Account, event: &Event) -> Option<Value> {
        // Its profit alone moves nothing here.
        let position = event.position.as_ref().filter(|it| event.cause != Cause::Marked && self.tells(&it.symbol));
        let order = event.order.as_ref().filter(|order| self.tells(&order.symbol))?;
        let mut update = json!({"type": "update", "orders": [rows::streamed(&account.books, order, event.at)]});
        if position.is_some() {
            update["positions"] = futures::streamed_positions(position.into_iter());
        }
        Some(update)
    }
}

/// Nothing where the key has no futures.
fn summary(account: &Account, kind: &str) -> Option<Value> {
    let known = account.key.has("futures");
    known.then(|| json!({"type": kind, "fcm_balance_summary": futures::streamed(&account.books)}))
}
