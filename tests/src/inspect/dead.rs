//! Figures of dead connections: by what the venue knows of its lines, and by what the exporter says of them itself.

use std::time::Instant;

use super::exposition::{Exposition, Sample};
use super::prices::is_figure;
use super::{GRACE, Inspector, LAG, Names, before, unix_now};
use crate::record::{Line, Record};

impl Inspector {
    /// Until when the client may take a line for alive, as far as its venue knows; `None`: still.
    pub(super) fn lived_until(&self, line: &Line) -> Option<Instant> {
        let stalled = (!line.private).then(|| line.spoke + self.data_timeout);
        line.ended.into_iter().chain(stalled).min()
    }

    /// Figures of symbols whose last line died too long ago. A symbol that no line was asked for may be on any.
    pub(super) fn outlived(&self, scrape: &Exposition, record: &Record, names: &Names, asked: Instant) -> Vec<String> {
        let public = || record.lines().filter(|line| !line.private);
        let latest = before(asked, GRACE + LAG);
        let lives = |line: &&Line| self.lived_until(line).is_none_or(|until| until >= latest);
        let any = public().any(|line| lives(&line));
        let carried = |symbol: &str| {
            let carriers: Vec<&Line> = public().filter(|line| line.carries.contains(symbol)).collect();
            if carriers.is_empty() { any } else { carriers.iter().any(lives) }
        };
        let dead = |sample: &&Sample| {
            let symbol = sample.labels.get("symbol").map(String::as_str).unwrap_or_default();
            !names.streamed(symbol).map_or(any, carried)
        };
        figures(self, scrape).filter(dead).map(ToString::to_string).collect()
    }

    /// Figures that are there although the exporter has said for longer than the grace that it is not connected, and the venue has no line
    /// open. What a line brought that was up but never answered counts until its own grace is over.
    pub(super) fn contradicts(&mut self, scrape: &Exposition, record: &Record, asked: Instant) -> Vec<String> {
        let open = record.lines().any(|line| !line.private && line.ended.is_none());
        if scrape.connected() || open {
            self.down_since = None;
            return Vec::new();
        }
        let since = *self.down_since.get_or_insert_with(Instant::now);
        if asked.saturating_duration_since(since) <= GRACE {
            return Vec::new();
        }
        let oldest = unix_now() - GRACE.as_secs_f64() - 1.0;
        let stale = |sample: &&Sample| {
            let at = [("symbol", sample.labels.get("symbol").map(String::as_str).unwrap_or_default())];
            scrape.value("exchange_ticker_last_update_timestamp_seconds", &at).is_none_or(|told| told < oldest)
        };
        figures(self, scrape).filter(stale).map(ToString::to_string).collect()
    }
}

fn figures<'a>(inspector: &Inspector, scrape: &'a Exposition) -> impl Iterator<Item = &'a Sample> {
    let venue = inspector.venue;
    scrape.samples().filter(move |sample| is_figure(venue, &sample.name))
}
