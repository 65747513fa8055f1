//! Waits until the account shown is the one in the books.

use std::time::{Duration, Instant};

use fake_venues::account::Books;
use fake_venues::inspect::books::differences;
use tokio::time::sleep;

use crate::exporter::{PATIENCE, Rig, STILL};

impl Rig {
    /// Waits until the account shown is the one in the books, and says what differs if that never happens. With `since`
    /// the executions from then on have to be counted, too.
    pub async fn agrees_with_books(&self, what: &str, since: Option<&Books>) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let differences = self.look_into_books(since, STILL).await;
            if differences.is_empty() {
                return;
            }
            let shown: Vec<_> = differences.into_iter().take(20).collect();
            self.check(Instant::now() < deadline, format!("{what}: not what the books say:\n{}", shown.join("\n")));
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// Stands still for so long at most.
    async fn look_into_books(&self, since: Option<&Books>, within: Duration) -> Vec<String> {
        self.fake.freeze(true);
        let until = Instant::now() + within;
        let mut told;
        loop {
            told = differences(&self.fake, &self.fake.books(), &self.scrape().await, since);
            if told.is_empty() || Instant::now() > until {
                break;
            }
            sleep(Duration::from_millis(250)).await;
        }
        self.fake.freeze(false);
        told
    }
}
