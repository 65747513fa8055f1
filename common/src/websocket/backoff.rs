//! How long to wait before dialling again: longer each time, with dice, so that a thousand clients of a venue that
//! comes back do not come back as one. Pure; the dice are an argument.

use std::time::Duration;

/// First wait at most.
const BASE: Duration = Duration::from_millis(500);
/// Longest wait.
const CAP: Duration = Duration::from_secs(60);
/// A line that lived so long starts over at the base.
const STABLE: Duration = Duration::from_secs(60);

/// Counts failures in a row.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after a line that lived this long; `dice` is in 0..1. Half of the wait is fixed, half is diced.
    pub fn after(&mut self, lived: Duration, dice: f64) -> Duration {
        if lived >= STABLE {
            self.failures = 0;
        }
        let ceiling = BASE.saturating_mul(1 << self.failures.min(16)).min(CAP);
        self.failures = self.failures.saturating_add(1);
        ceiling.mul_f64(0.5 + dice.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_the_cap_and_starts_over_after_a_stable_line() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..10).map(|_| backoff.after(Duration::ZERO, 1.0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000]);
        assert_eq!(backoff.after(Duration::from_secs(59), 0.0), CAP / 2);
        assert_eq!(backoff.after(STABLE, 1.0), BASE);
    }
}
