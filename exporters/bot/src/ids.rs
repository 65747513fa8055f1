//! What makes a repeated post harmless: the ids of the last hour. Each is kept as a sum, with a sum of what came under it, so that
//! neither their length nor their number grows the memory beyond its bound.

use std::collections::{HashMap, VecDeque};

use sha2::{Digest, Sha256};

use crate::event::Event;

/// How long an id is remembered, in seconds.
pub const REMEMBERED: u64 = 3600;

/// An id, of whoever sent it.
pub type Key = [u8; 16];

/// An id and what came under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Of the bot and the id.
    pub key: Key,
    /// Of the event.
    pub content: u64,
}

impl Claim {
    /// For these events under one id: an event's own, or all that a webhook's object stood for.
    pub fn new(id: &str, events: &[Event<'_>]) -> Self {
        let bot = events.iter().flat_map(|event| &event.labels).find(|(name, _)| name == crate::catalogue::BOT);
        let bot = bot.map_or("", |(_, value)| value);
        let mut content = Sha256::new();
        for event in events {
            // In the order of the names: the same event in another order is the same.
            let mut labels: Vec<_> = event.labels.iter().collect();
            labels.sort();
            put(&mut content, &event.metric);
            for (name, value) in labels {
                put(&mut content, name);
                put(&mut content, value);
            }
            put(&mut content, event.operation.name());
            content.update(event.operation.value().to_bits().to_le_bytes());
        }
        let mut key = Sha256::new();
        put(&mut key, bot);
        put(&mut key, id);
        Self { key: head(&key.finalize()), content: u64::from_le_bytes(head(&content.finalize())) }
    }
}

fn put(sum: &mut Sha256, text: &str) {
    sum.update((text.len() as u64).to_le_bytes());
    sum.update(text);
}

/// The first bytes of a sum.
fn head<const N: usize>(sum: &[u8]) -> [u8; N] {
    sum.first_chunk().copied().unwrap_or([0; N])
}

/// Whether an id was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Not within the hour.
    New,
    /// For the same.
    Same,
    /// For something else.
    Other,
}

/// The ids of the last hour, in the order in which they came.
#[derive(Debug)]
pub struct Ids {
    seen: HashMap<Key, u64>,
    order: VecDeque<(u64, Key)>,
    most: usize,
}

impl Ids {
    /// Holds no more than so many.
    pub fn new(most: usize) -> Self {
        Self { seen: HashMap::new(), order: VecDeque::new(), most }
    }

    /// Whether this was used.
    pub fn look(&self, claim: Claim) -> Known {
        match self.seen.get(&claim.key) {
            None => Known::New,
            Some(content) if *content == claim.content => Known::Same,
            Some(_) => Known::Other,
        }
    }

    /// Whether so many more have room; else seconds until the oldest is forgotten.
    pub fn room(&self, more: usize, now: u64) -> Result<(), u64> {
        if self.seen.len() + more <= self.most {
            return Ok(());
        }
        Err(self.order.front().map_or(REMEMBERED, |(at, _)| (at + REMEMBERED).saturating_sub(now).max(1)))
    }

    /// It is used now, at this second of the Unix epoch. A clock that was set back forgets nothing early.
    pub fn remember(&mut self, claim: Claim, now: u64) {
        if self.seen.insert(claim.key, claim.content).is_none() {
            let last = self.order.back().map_or(0, |(at, _)| *at);
            self.order.push_back((now.max(last), claim.key));
        }
    }

    /// Forgets those of more than an hour ago.
    pub fn expire(&mut self, now: u64) {
        while let Some((at, key)) = self.order.front()
            && at + REMEMBERED <= now
        {
            self.seen.remove(key);
            self.order.pop_front();
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.seen.len()
    }

    /// All of them, oldest first.
    pub fn all(&self) -> impl Iterator<Item = (u64, Claim)> {
        self.order.iter().filter_map(|(at, key)| Some((*at, Claim { key: *key, content: *self.seen.get(key)? })))
    }
}
