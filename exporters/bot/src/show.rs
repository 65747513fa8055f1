//! What is shown of the gateway: metrics, the summary with its hour of history, and its health.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::metrics::encode::{Encoder, Format, block};
use common::metrics::vocabulary::Type;
use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use serde_json::{Value as Json, json};

use crate::catalogue::{Family, Kind};
use crate::gateway::{Gateway, Inner};
use crate::refusal::Reason;
use crate::store::{Series, Value};

/// The gateway's own metrics: name, type, labels, help.
pub const OWN: [(&str, Type, &str, &str); 14] = [
    ("bot_gateway_events_total", Type::Counter, "", "Events applied."),
    ("bot_gateway_repeated_events_total", Type::Counter, "", "Events that were applied before, under the same id."),
    ("bot_gateway_refused_total", Type::Counter, "reason", "Posts refused, each as a whole, by reason."),
    ("bot_gateway_last_event_timestamp_seconds", Type::Gauge, "bot", "When the last event of a bot was applied."),
    ("bot_gateway_series", Type::Gauge, "", "Series of bots, as Prometheus counts them."),
    ("bot_gateway_series_limit", Type::Gauge, "", "How many there may be."),
    ("bot_gateway_expired_series_total", Type::Counter, "", "Gauges that left because nobody set them again."),
    ("bot_gateway_ids", Type::Gauge, "", "Ids of the last hour."),
    ("bot_gateway_families", Type::Gauge, "", "Families that the catalogue declares."),
    ("bot_gateway_state_saved_timestamp_seconds", Type::Gauge, "", "When the state file was last written."),
    ("bot_gateway_state_error", Type::Gauge, "", "1 while the state file cannot be written."),
    ("bot_gateway_state_set_aside", Type::Gauge, "", "1 if the start found a state file that it could not use."),
    (
        "bot_gateway_config_error",
        Type::Gauge,
        "reason",
        "1 while a changed file cannot be used: web_config, token_file.",
    ),
    ("bot_gateway_build_info", Type::Info, "version, revision, rustc", "What this exporter was built from."),
];

/// All metrics.
pub fn metrics(gateway: &Gateway, format: Format) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 * 1024);
    gateway.look(|inner| {
        let mut encoder = Encoder::new(&mut out, format);
        for (family, shelf) in inner.store.families().filter(|(_, shelf)| !shelf.series.is_empty()) {
            self::family(&mut encoder, family, shelf.series.values());
        }
        own(&mut encoder, gateway, inner);
    });
    let mut encoder = Encoder::new(&mut out, format);
    for family in ProcessCollector::for_self().collect() {
        encoder.gathered(&family);
    }
    encoder.end();
    out
}

fn family<'s>(encoder: &mut Encoder<'_>, family: &Family, series: impl Iterator<Item = &'s Series>) {
    let name = &family.name;
    encoder.head(name, family.shown_as(), &family.help);
    let (bucket, sum, count) = (format!("{name}_bucket"), format!("{name}_sum"), format!("{name}_count"));
    let edges: Vec<String> = family.buckets.iter().map(f64::to_string).chain(["+Inf".to_owned()]).collect();
    for one in series {
        match &one.value {
            Value::Number(value) => encoder.sample(name, &one.block, *value),
            Value::Sizes { counts, sum: total } => {
                let mut so_far = 0;
                for (edge, more) in edges.iter().zip(counts) {
                    so_far += more;
                    encoder.sample(&bucket, &with_edge(&one.block, edge), so_far as f64);
                }
                encoder.sample(&sum, &one.block, *total);
                encoder.sample(&count, &one.block, so_far as f64);
            }
        }
    }
}

/// A rendered block of labels with one more.
fn with_edge(block: &str, edge: &str) -> String {
    match block.strip_suffix('}') {
        Some(open) => format!("{open},le=\"{edge}\"}}"),
        None => format!("{{le=\"{edge}\"}}"),
    }
}

fn own(encoder: &mut Encoder<'_>, gateway: &Gateway, inner: &Inner) {
    let (own, store) = (&gateway.own, &inner.store);
    let flag = |on: &std::sync::atomic::AtomicBool| f64::from(u8::from(on.load(Ordering::Relaxed)));
    let one = |value: f64| vec![(String::new(), value)];
    let saved = own.saved_at.load(Ordering::Relaxed);
    for (name, kind, _, help) in OWN {
        let samples = match name {
            "bot_gateway_events_total" => one(own.applied.load(Ordering::Relaxed) as f64),
            "bot_gateway_repeated_events_total" => one(own.repeated.load(Ordering::Relaxed) as f64),
            "bot_gateway_refused_total" => Reason::ALL
                .iter()
                .zip(&own.refused)
                .map(|(reason, count)| (block([("reason", reason.as_str())]), count.load(Ordering::Relaxed) as f64))
                .collect(),
            "bot_gateway_last_event_timestamp_seconds" => {
                let named = |bot: &str| if bot.is_empty() { String::new() } else { block([("bot", bot)]) };
                inner.bots.iter().map(|(bot, heard)| (named(bot), heard.at)).collect()
            }
            "bot_gateway_series" => one(store.weight() as f64),
            "bot_gateway_series_limit" => one(store.most() as f64),
            "bot_gateway_expired_series_total" => one(store.expired() as f64),
            "bot_gateway_ids" => one(store.ids.count() as f64),
            "bot_gateway_families" => one(gateway.catalogue.families.len() as f64),
            "bot_gateway_state_saved_timestamp_seconds" if saved > 0 => one(saved as f64),
            "bot_gateway_state_error" => one(flag(&own.state_broken)),
            "bot_gateway_state_set_aside" => one(flag(&own.state_lost)),
            "bot_gateway_config_error" => {
                let reasons = [("web_config", &own.web_broken), ("token_file", &own.tokens_broken)];
                reasons.iter().map(|(reason, on)| (block([("reason", *reason)]), flag(on))).collect()
            }
            "bot_gateway_build_info" => vec![(build_info(), 1.0)],
            _ => Vec::new(),
        };
        if !samples.is_empty() {
            encoder.head(name, kind, help);
        }
        for (labels, value) in samples {
            encoder.sample(name, &labels, value);
        }
    }
}

fn build_info() -> String {
    let common::metrics::scrape::Build { version, revision, rustc } = common::metrics::scrape::BUILD;
    block([("version", version), ("revision", revision), ("rustc", rustc)])
}

/// `/metrics/summary`: every series with its figure now and at the minutes of the last hour.
pub fn summary(gateway: &Gateway) -> Json {
    gateway.look(|inner| {
        let families = inner.store.families().filter(|(_, shelf)| !shelf.series.is_empty()).map(|(family, shelf)| {
            let rows: Vec<Json> = shelf.series.iter().map(|(labels, series)| row(family, labels, series)).collect();
            let told = json!({ "type": family.shown_as().as_str(), "unit": family.unit, "series": rows });
            (family.name.clone(), told)
        });
        let families: serde_json::Map<String, Json> = families.collect();
        json!({ "at": gateway.now().unix, "families": families })
    })
}

fn row(family: &Family, labels: &[Box<str>], series: &Series) -> Json {
    let named = family.labels.iter().zip(labels).filter(|(_, value)| !value.is_empty());
    let labels: serde_json::Map<String, Json> =
        named.map(|(label, value)| (label.name.clone(), Json::from(&**value))).collect();
    let history: Vec<(u64, f64)> = series.past.iter().map(|(minute, figure)| (minute * 60, *figure)).collect();
    let mut row = json!({ "labels": labels, "history": history });
    if let Some(row) = row.as_object_mut() {
        let figure = if family.kind == Kind::Histogram { "count" } else { "value" };
        row.insert(figure.to_owned(), series.value.figure().into());
        if let Value::Sizes { sum, .. } = &series.value {
            row.insert("sum".to_owned(), (*sum).into());
        }
    }
    row
}

/// `/metrics/health`: in figures what `/health` says in words.
pub fn health(gateway: &Arc<Gateway>) -> Json {
    let complaints = gateway.complaints();
    let last = gateway.look(|inner| inner.bots.values().map(|heard| heard.at).fold(f64::NAN, f64::max));
    let (series, ids) = gateway.look(|inner| (inner.store.weight(), inner.store.ids.count()));
    let refused: u64 = gateway.own.refused.iter().map(|count| count.load(Ordering::Relaxed)).sum();
    json!({
        "status": if complaints.is_empty() { "ok" } else { "degraded" },
        "reasons": complaints,
        "uptime_seconds": gateway.now().running.as_secs(),
        "events_applied": gateway.own.applied.load(Ordering::Relaxed),
        "events_repeated": gateway.own.repeated.load(Ordering::Relaxed),
        "posts_refused": refused,
        // Not a number is written as null: there was none yet.
        "last_event_at": last,
        "series": series,
        "ids": ids,
    })
}
