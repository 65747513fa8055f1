//! Sliding windows: so many of something in so much time.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// At most so much weight in a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) most: u64,
    pub(crate) window: Duration,
}

impl Limit {
    pub(crate) const fn per_millis(most: u64, millis: u64) -> Self {
        Self { most, window: Duration::from_millis(millis) }
    }
}

/// What was counted against one limit.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    entries: VecDeque<(Instant, u64)>,
    used: u64,
}

impl Tally {
    /// Counts `weight`; what is used now, or `None` when that would exceed the limit (then it is not counted).
    pub(crate) fn count(&mut self, limit: Limit, weight: u64, now: Instant) -> Option<u64> {
        while let Some(&(at, weight)) = self.entries.front() {
            if now.duration_since(at) < limit.window {
                break;
            }
            self.used -= weight;
            self.entries.pop_front();
        }
        if self.used + weight > limit.most {
            return None;
        }
        self.used += weight;
        self.entries.push_back((now, weight));
        Some(self.used)
    }

    /// The same in fixed windows: each begins with the first entry after the last one ended.
    pub(crate) fn count_fixed(&mut self, limit: Limit, weight: u64, now: Instant) -> Option<u64> {
        if self.entries.front().is_some_and(|&(begin, _)| now.duration_since(begin) >= limit.window) {
            *self = Self::default();
        }
        self.count(limit, weight, now)
    }

    /// How long until the oldest entry leaves the window.
    pub(crate) fn wait(&self, limit: Limit, now: Instant) -> Duration {
        let oldest = self.entries.front().map_or(now, |(at, _)| *at);
        (oldest + limit.window).saturating_duration_since(now)
    }
}

/// Tallies by name.
#[derive(Debug, Default)]
pub(crate) struct Tallies(HashMap<String, Tally>);

impl Tallies {
    pub(crate) fn of(&mut self, name: &str) -> &mut Tally {
        self.0.entry(name.to_owned()).or_default()
    }
}
