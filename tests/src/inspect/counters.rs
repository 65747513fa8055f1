//! What only grows.

use std::collections::BTreeMap;

use super::exposition::Exposition;

/// The counters of the scrape before, by series.
#[derive(Debug, Default)]
pub(super) struct Counters(BTreeMap<String, f64>);

impl Counters {
    /// Those that fell or went. Histograms count as well: nothing that they observe here is negative.
    pub(super) fn look(&mut self, scrape: &Exposition) -> Vec<String> {
        let growing = scrape.families.iter().filter(|family| matches!(family.kind.as_str(), "counter" | "histogram"));
        let now: BTreeMap<String, f64> = growing
            .flat_map(|family| &family.samples)
            .map(|sample| (format!("{}{:?}", sample.name, sample.labels), sample.value))
            .collect();
        let wrong = self.0.iter().filter_map(|(series, before)| match now.get(series) {
            Some(value) if value >= before => None,
            Some(value) => Some(format!("{series} fell from {before} to {value}")),
            None => Some(format!("{series} was {before} and is gone")),
        });
        let wrong = wrong.collect();
        self.0 = now;
        wrong
    }
}
