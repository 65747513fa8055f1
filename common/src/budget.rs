//! Keeps within what a venue allows: at most so many units in any window. Pure; time is an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::venue::Allowance;

/// A sliding window over what was spent.
#[derive(Debug)]
pub struct Budget {
    allowance: Allowance,
    spent: VecDeque<(Instant, u32)>,
    closed_until: Option<Instant>,
}

impl Budget {
    /// A budget of which nothing is spent.
    pub fn new(allowance: Allowance) -> Self {
        Self { allowance, spent: VecDeque::new(), closed_until: None }
    }

    /// The part of an allowance that this process takes for itself, one unit at the least.
    pub fn share(allowance: Allowance, share: f64) -> Allowance {
        let units = (f64::from(allowance.units) * share).floor().max(1.0);
        Allowance { units: units as u32, per: allowance.per }
    }

    /// Spends `units` now, or says how long to wait before asking again. Something that costs more than a whole
    /// window holds goes out alone, after an empty window.
    pub fn spend(&mut self, units: u32, now: Instant) -> Result<(), Duration> {
        if let Some(until) = self.closed_until.filter(|until| *until > now) {
            return Err(until - now);
        }
        while self.spent.front().is_some_and(|(at, _)| now.duration_since(*at) >= self.allowance.per) {
            self.spent.pop_front();
        }
        let sum: u32 = self.spent.iter().map(|(_, units)| units).sum();
        if sum > 0 && sum + units > self.allowance.units {
            let oldest = self.spent.front().map_or(now, |(at, _)| *at);
            return Err((oldest + self.allowance.per).saturating_duration_since(now));
        }
        self.spent.push_back((now, units));
        Ok(())
    }

    /// How much of the window is left.
    pub fn left(&self, now: Instant) -> u32 {
        let within = |at: &Instant| now.duration_since(*at) < self.allowance.per;
        let spent: u32 = self.spent.iter().filter(|(at, _)| within(at)).map(|(_, units)| units).sum();
        self.allowance.units.saturating_sub(spent)
    }

    /// What a window holds.
    pub fn allowance(&self) -> Allowance {
        self.allowance
    }

    /// The venue told us to stay away: nothing goes out until then.
    pub fn close(&mut self, until: Instant) {
        self.closed_until = self.closed_until.max(Some(until));
    }

    /// Until when nothing may go out, if the venue said so.
    pub fn closed_until(&self, now: Instant) -> Option<Instant> {
        self.closed_until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn no_window_holds_more_than_allowed() {
        let start = Instant::now();
        let mut budget = Budget::new(Allowance { units: 3, per: SECOND });
        assert_eq!(budget.spend(2, start), Ok(()));
        assert_eq!(budget.spend(1, start + SECOND / 2), Ok(()));
        assert_eq!(budget.spend(1, start + SECOND / 2), Err(SECOND / 2));
        assert_eq!(budget.spend(1, start + SECOND), Ok(()));
        assert_eq!(budget.spend(2, start + SECOND), Err(SECOND / 2));
    }

    #[test]
    fn what_is_dearer_than_a_window_goes_out_alone() {
        let start = Instant::now();
        let mut budget = Budget::new(Budget::share(Allowance { units: 20, per: SECOND }, 0.1));
        assert_eq!(budget.spend(80, start), Ok(()));
        assert!(budget.spend(80, start).is_err());
        assert_eq!(budget.spend(80, start + SECOND), Ok(()));
    }

    #[test]
    fn a_ban_closes_it() {
        let start = Instant::now();
        let mut budget = Budget::new(Allowance { units: 3, per: SECOND });
        budget.close(start + 5 * SECOND);
        budget.close(start + 2 * SECOND);
        assert_eq!(budget.spend(1, start), Err(5 * SECOND));
        assert_eq!(budget.spend(1, start + 5 * SECOND), Ok(()));
    }
}
