//! What a figure shows, against what the venue said.

use std::time::Instant;

use super::exposition::Exposition;
use super::prices::{canonical, said};
use super::{GRACE, LAG, Names, before};
use crate::Venue;
use crate::record::{Record, Said};

/// Figures that were not the venue's word at any time since a connection that is dead now may have brought them.
pub(super) fn differences(
    venue: Venue,
    scrape: &Exposition,
    record: &Record,
    names: &Names,
    asked: Instant,
) -> Vec<String> {
    let since = before(asked, GRACE + LAG);
    let mut wrong = Vec::new();
    for sample in scrape.samples() {
        let Some(what) = said(venue, &sample.name) else { continue };
        let symbol = sample.labels.get("symbol").map(String::as_str).unwrap_or_default();
        let Some(name) = names.streamed(symbol) else {
            wrong.push(format!("{sample}: a symbol without a name"));
            continue;
        };
        let like = |value: f64| match what {
            // Computed on both sides.
            Said::Change => (value - sample.value).abs() <= 1e-9,
            _ => value == sample.value,
        };
        // Told over REST alone, and asked for once a minute at best: it only grows.
        let outdated = venue == Venue::Coinbase && what == Said::QuoteVolume;
        let good = record.of(name, what).is_some_and(|[streamed, asked]| match outdated {
            true => asked.held(since, |value| value >= sample.value),
            false => streamed.held(since, like) || asked.held(since, like),
        });
        if !good {
            wrong.push(format!("{sample}: {}", words(record, name, what)));
        }
    }
    wrong
}

/// What the venue said lately, for the one who has to find out.
fn words(record: &Record, name: &str, what: Said) -> String {
    match record.of(name, what) {
        None => format!("the venue said nothing of {name}"),
        Some([streamed, asked]) => {
            format!("{name} was lately {} by the stream, {} by REST", streamed.last(4), asked.last(2))
        }
    }
}

/// Compatibility names that differ from the canonical ones in the same scrape.
pub(super) fn compat(venue: Venue, scrape: &Exposition) -> Vec<String> {
    let differs = |sample: &&super::exposition::Sample| {
        canonical(venue, &sample.name).is_some_and(|canonical| {
            let symbol = sample.labels.get("symbol").map(String::as_str).unwrap_or_default();
            scrape.value(canonical, &[("market", "spot"), ("symbol", symbol)]) != Some(sample.value)
        })
    };
    scrape.samples().filter(differs).map(ToString::to_string).collect()
}
