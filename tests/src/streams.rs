//! The subscriptions of one connection, and when each has something to say.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::market::{Market, Quote};
use crate::options::Times;

/// A kind of stream.
pub(crate) trait Channel: Copy + Ord {
    /// Pushes are at least this far apart.
    fn every(self, times: &Times) -> Duration;
    /// Only trades move it, not the book.
    fn only_trades(self) -> bool {
        false
    }
    /// Unchanged values are pushed again after this.
    fn repeats(self, _times: &Times) -> Option<Duration> {
        None
    }
}

#[derive(Debug)]
struct Stream {
    sent: u64,
    next: Instant,
    repeat: Option<Instant>,
}

/// What one connection is subscribed to.
#[derive(Debug)]
pub(crate) struct Streams<C>(BTreeMap<(C, String), Stream>);

impl<C: Channel> Streams<C> {
    pub(crate) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a stream that pushes what changed after the step `from` (0: the present state at once). Whether it is new.
    pub(crate) fn add(&mut self, channel: C, symbol: &str, from: u64, now: Instant) -> bool {
        let key = (channel, symbol.to_owned());
        if self.0.contains_key(&key) {
            return false;
        }
        self.0.insert(key, Stream { sent: from, next: now, repeat: None });
        true
    }

    pub(crate) fn remove(&mut self, channel: C, symbol: &str) -> bool {
        self.0.remove(&(channel, symbol.to_owned())).is_some()
    }

    pub(crate) fn contains(&self, channel: C, symbol: &str) -> bool {
        self.0.contains_key(&(channel, symbol.to_owned()))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (C, &str)> {
        self.0.keys().map(|(channel, symbol)| (*channel, symbol.as_str()))
    }

    /// What is to be pushed now, and the market's step if nothing remains for later. What is held back counts as nothing.
    pub(crate) fn due(
        &mut self,
        market: &Market,
        times: &Times,
        now: Instant,
        holds_back: impl Fn(&str) -> bool,
    ) -> (Vec<(C, Quote)>, Option<u64>) {
        let mut due = Vec::new();
        let mut waiting = false;
        for ((channel, symbol), stream) in &mut self.0 {
            let Some(listing) = market.find(symbol).filter(|_| !holds_back(symbol)) else { continue };
            let quote = &listing.quote;
            let step = if channel.only_trades() { quote.trade_step } else { quote.step };
            let repeats = stream.repeat.is_some_and(|at| at <= now);
            if step <= stream.sent && !repeats {
                continue;
            }
            if now < stream.next {
                waiting = true;
                continue;
            }
            *stream = Stream {
                sent: step,
                next: now + channel.every(times),
                repeat: channel.repeats(times).map(|after| now + after),
            };
            due.push((*channel, quote.clone()));
        }
        (due, (!waiting).then(|| market.step()))
    }
}
