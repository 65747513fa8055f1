//! How many events a second are taken.

use std::time::Duration;

/// Fills by so many a second, and holds as many. A batch may overdraw it once, so that any size fits, and then it has to fill again.
#[derive(Debug)]
pub struct Rate {
    most: f64,
    left: f64,
    at: Duration,
}

impl Rate {
    /// Full.
    pub fn new(a_second: u32) -> Self {
        Self { most: f64::from(a_second), left: f64::from(a_second), at: Duration::ZERO }
    }

    /// So many events; else seconds until the next ones.
    pub fn take(&mut self, events: usize, now: Duration) -> Result<(), u64> {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.left = (self.left + passed * self.most).min(self.most);
        self.at = self.at.max(now);
        if self.left <= 0.0 {
            return Err((-self.left / self.most).ceil().max(1.0) as u64);
        }
        self.left -= events as f64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_batch_is_paid_for_afterwards() {
        let at = Duration::from_secs_f64;
        let mut rate = Rate::new(10);
        assert_eq!(rate.take(35, at(0.0)), Ok(()));
        assert_eq!(rate.take(1, at(0.0)), Err(3));
        assert_eq!(rate.take(1, at(2.4)), Err(1));
        assert_eq!(rate.take(1, at(2.6)), Ok(()));
        // It holds no more than a second's worth.
        assert_eq!(rate.take(10, at(100.0)), Ok(()));
        assert_eq!(rate.take(1, at(100.0)), Err(1));
    }
}
