//! The end of all trouble: whatever happened, everything is true again, and nothing was left over.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::deed::Deed;
use super::post::Post;
use crate::inspect::exposition::Exposition;
use crate::inspect::{Breach, books, prices};
use crate::stack::get;

/// For so long at most the market stands still: a venue that stands still for longer is a dead one.
const STILL: Duration = Duration::from_secs(8);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(150);

impl Post {
    /// Nothing goes wrong any more: until every price and the whole account are true, for `within` at most.
    ///
    /// # Errors
    /// The exporter's files cannot be written.
    pub async fn recover(&mut self, within: Duration) -> io::Result<()> {
        self.undo(&Deed::BreakWebConfig)?;
        self.now("the recovery");
        let (began, deadline) = (Instant::now(), Instant::now() + within);
        loop {
            let mut missing = self.not_ready().await;
            if missing.is_empty() {
                missing = self.compare().await;
            }
            if missing.is_empty() {
                missing = self.left_over().await;
            }
            if missing.is_empty() {
                self.found(Breach::of("the venue has nothing to complain of", self.complaints()));
                self.report.comparisons += 1;
                self.report.slowest = self.report.slowest.max(began.elapsed());
                return Ok(());
            }
            if Instant::now() > deadline {
                self.found(Breach::of("all is true again soon after the trouble", missing));
                return Ok(());
            }
            sleep(LOOK * 2).await;
            self.look().await;
        }
    }

    /// What the venue complains of. That a pair is subscribed which went a moment ago nobody can help; nor can a process know what the
    /// one before it asked a moment ago.
    fn complaints(&self) -> Vec<String> {
        if self.restarts > 0 {
            return Vec::new();
        }
        let of_a_pair_that_went = |line: &String| self.delisted.iter().any(|symbol| line.contains(symbol));
        self.fake.violations().into_iter().filter(|line| !of_a_pair_that_went(line)).collect()
    }

    async fn not_ready(&mut self) -> Vec<String> {
        self.look().await;
        match get(self.port(), "/-/ready").await {
            Ok(response) if response.status == 200 => Vec::new(),
            Ok(response) => vec![format!("/-/ready answers {} {}", response.status, response.body.trim())],
            Err(error) => vec![format!("/-/ready: {error}")],
        }
    }

    /// At a standstill of both market and account: what differs.
    async fn compare(&mut self) -> Vec<String> {
        let began = Instant::now();
        let settled = self.fake.settle(STILL / 2).await;
        let mut differences = vec!["the venue has not said everything".to_owned()];
        while settled && !differences.is_empty() && began.elapsed() < STILL {
            sleep(LOOK).await;
            if let Some(scrape) = self.look().await {
                differences = self.differences(&scrape);
            }
        }
        self.fake.freeze(false);
        differences
    }

    fn differences(&self, scrape: &Exposition) -> Vec<String> {
        let mut differences = prices::differences(&self.fake, scrape, true);
        differences.extend(books::differences(&self.fake, &self.fake.books(), scrape, None));
        let shown: BTreeSet<&String> =
            scrape.all("exchange_symbol_info").filter_map(|sample| sample.labels.get("symbol")).collect();
        let listed: BTreeSet<String> = prices::trading(&self.fake).iter().map(prices::label).collect();
        let missing = listed.iter().filter(|symbol| !shown.contains(symbol));
        differences.extend(missing.map(|symbol| format!("{symbol} is listed, and not shown")));
        differences
    }

    /// Connections that the venue has open and the exporter does not want, or the other way round.
    async fn left_over(&mut self) -> Vec<String> {
        let Some(scrape) = self.look().await else { return vec!["no scrape".to_owned()] };
        let wanted: f64 = scrape
            .all("exchange_connections")
            .filter(|sample| sample.labels.get("state").is_some_and(|state| state == "wanted"))
            .map(|sample| sample.value)
            .sum();
        let open = self.fake.with_record(|record| record.lines().filter(|line| line.ended.is_none()).count());
        let wrong = wanted as usize != open;
        wrong
            .then(|| format!("the venue has {open} connections open, and the exporter wants {wanted}"))
            .into_iter()
            .collect()
    }
}
