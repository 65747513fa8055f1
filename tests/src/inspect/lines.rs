//! What the exporter says of its connections.

use std::time::Instant;

use super::exposition::Exposition;
use super::{Inspector, LAG, before};
use crate::record::{Line, Record};

impl Inspector {
    /// Streams whose status is 1 while the venue knows of fewer lines that live, or of none.
    pub(super) fn not_live(&self, scrape: &Exposition, record: &Record, asked: Instant) -> Vec<String> {
        let latest = before(asked, LAG);
        let mut wrong = Vec::new();
        for (stream, private) in [("public", false), ("private", true)] {
            let at = |state| scrape.value("exchange_connections", &[("stream", stream), ("state", state)]);
            let status = scrape.value("exchange_connection_status", &[("stream", stream)]);
            let (wanted, live) = (at("wanted").unwrap_or(0.0), at("live").unwrap_or(0.0));
            let lives =
                |line: &&Line| line.private == private && self.lived_until(line).is_none_or(|until| until >= latest);
            let known = record.lines().filter(lives).count();
            if status.is_some_and(|status| status != 0.0 && status != 1.0) {
                wrong.push(format!("the status of {stream} is {status:?}"));
            }
            if status == Some(1.0) && (live < wanted || (known as f64) < live.max(1.0)) {
                wrong.push(format!("{stream} is 1 with {live} of {wanted} live, and the venue has {known}"));
            }
        }
        wrong
    }
}
