//! What bots may say, by the gateway's own catalogues.

use bot::catalogue::{BOT, Catalogue, Kind};
use std::collections::BTreeSet;

/// The names of all families.
pub fn families() -> BTreeSet<String> {
    Catalogue::read(None).unwrap().families.into_iter().map(|family| family.name).collect()
}

/// All their series, with the labels that they have or may have.
pub fn series() -> Vec<(String, Vec<String>)> {
    let mut series = Vec::new();
    for family in Catalogue::read(None).unwrap().families {
        let own = family.labels.iter().map(|label| label.name.clone());
        let labels: Vec<String> = own.chain([BOT, "job", "instance"].map(str::to_owned)).collect();
        if family.kind == Kind::Histogram {
            let bucket = labels.iter().cloned().chain(["le".to_owned()]).collect();
            series.push((format!("{}_bucket", family.name), bucket));
            series.extend(["_sum", "_count"].map(|part| (format!("{}{part}", family.name), labels.clone())));
        } else {
            series.push((family.name, labels));
        }
    }
    series
}
