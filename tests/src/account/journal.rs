//! What happened, in order, and how far each private connection was told.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::books::{Fill, Money, Order, Position};
use crate::fault::Fault;
use crate::fixed::Fixed;
use crate::protocol::Desk;
use crate::world::World;

/// Who lags further behind than this misses something.
const KEPT: usize = 10_000;
/// An event that waits for a neighbour to be swapped with waits no longer than this.
const ALONE: Duration = Duration::from_millis(200);

/// Why something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Placed,
    Filled,
    Canceled,
    Rejected,
    Expired,
    Deposited,
    Withdrawn,
    Transferred,
    /// Held, or given back, by something that is no order.
    Held,
    Borrowed,
    /// A mark price moved: most venues are silent about it.
    Marked,
}

/// An asset in a wallet, before and after.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) wallet: String,
    pub(crate) asset: String,
    pub(crate) before: Money,
    pub(crate) after: Money,
}

impl Change {
    /// What was won or lost.
    pub(crate) fn difference(&self) -> Fixed {
        self.after.total() - self.before.total()
    }
}

/// All that changed at once, as it was then.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Unix milliseconds by the venue's clock; later events have later ones.
    pub(crate) at: u64,
    pub(crate) cause: Cause,
    pub(crate) changes: Vec<Change>,
    pub(crate) order: Option<Order>,
    pub(crate) fill: Option<Fill>,
    /// Of size nothing when it was closed.
    pub(crate) position: Option<Position>,
}

/// The events, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    events: VecDeque<Arc<Event>>,
    /// The number of the first one kept.
    first: u64,
    last_at: u64,
}

impl Journal {
    /// A time for the next event: `now`, or just after the last one.
    pub(crate) fn next_at(&self, now: u64) -> u64 {
        // A clock that was set back is followed.
        if self.last_at >= now && self.last_at - now < 1_000 { self.last_at + 1 } else { now }
    }

    pub(crate) fn add(&mut self, event: Event) {
        self.last_at = event.at;
        self.events.push_back(Arc::new(event));
        if self.events.len() > KEPT {
            self.events.pop_front();
            self.first += 1;
        }
    }

    /// The number that the next event will have.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    pub(super) fn forget(&mut self) {
        self.first = self.end();
        self.events.clear();
    }

    fn since(&self, number: u64) -> Vec<Arc<Event>> {
        self.events.iter().skip(number.saturating_sub(self.first) as usize).cloned().collect()
    }
}

/// What one private connection was told. It begins with what happens next: the past is lost.
#[derive(Debug)]
pub(crate) struct Inbox {
    next: u64,
    held: Option<(Arc<Event>, Instant)>,
}

impl Inbox {
    pub(crate) fn new(world: &World) -> Self {
        Self { next: world.account.lock().journal.end(), held: None }
    }

    /// What is to be told now, as the faults have it; what happens during silence is lost.
    pub(crate) fn take(&mut self, desk: &mut Desk<'_>) -> Vec<Arc<Event>> {
        let (mut events, end) = {
            let account = desk.world.account.lock();
            (account.journal.since(self.next), account.journal.end())
        };
        self.next = end;
        if desk.suffers(&Fault::Silent) {
            events.clear();
            self.held = None;
        }
        if let Some((held, since)) = self.held.take() {
            events.insert(0, held);
            if events.len() == 1 && desk.suffers(&Fault::SwapEvents) && desk.now - since < ALONE {
                self.held = events.pop().map(|event| (event, since));
            }
        } else if events.len() % 2 == 1 && desk.suffers(&Fault::SwapEvents) {
            self.held = events.pop().map(|event| (event, desk.now));
        }
        if desk.suffers(&Fault::SwapEvents) {
            events.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
        }
        if desk.suffers(&Fault::RepeatEvents) {
            events = events.into_iter().flat_map(|event| [Arc::clone(&event), event]).collect();
        }
        if self.held.is_none() {
            desk.told = Some(end);
        }
        events
    }
}
