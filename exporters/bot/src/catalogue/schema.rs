//! A catalogue's file, as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// All of a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// By name.
    pub family: BTreeMap<String, Spanned<Family>>,
    /// By name.
    pub webhook: BTreeMap<String, Spanned<Webhook>>,
}

/// A metric.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Counter, gauge or histogram.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// In what it is counted.
    pub unit: String,
    /// One sentence.
    pub help: String,
    /// All of them are part of every event.
    #[serde(default)]
    pub labels: BTreeMap<String, Values>,
    /// These may be left out: then the event does not say.
    #[serde(default)]
    pub optional: BTreeMap<String, Values>,
    /// Upper bounds, for a histogram.
    #[serde(default)]
    pub buckets: Vec<f64>,
    /// The least value that makes sense.
    #[serde(default)]
    pub min: Option<f64>,
    /// The largest.
    #[serde(default)]
    pub max: Option<f64>,
}

/// The types of metrics that events can feed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Only rises, by `add`.
    Counter,
    /// Is `set`, and leaves when it is not set again for a while.
    Gauge,
    /// Counts what was `observe`d by size.
    Histogram,
}

/// What a label may say.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum Values {
    /// Anything, but no more than so many different values.
    AtMost(usize),
    /// One of these.
    OneOf(Vec<String>),
}

/// What becomes of a request to `/events/<name>`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// One sentence.
    pub help: String,
    /// The members of its JSON object.
    pub fields: BTreeMap<String, Field>,
    /// What it changes.
    pub change: Vec<Change>,
}

/// A member of a webhook's object.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Field {
    /// A text, for a label.
    #[serde(rename = "text")]
    Text,
    /// The same; what needs it is left out with it.
    #[serde(rename = "text?")]
    MaybeText,
    /// A number, for a value.
    #[serde(rename = "number")]
    Number,
    /// The same; what needs it is left out with it.
    #[serde(rename = "number?")]
    MaybeNumber,
    /// May be there, and changes nothing.
    #[serde(rename = "ignored")]
    Ignored,
}

/// One event that a webhook makes. What starts with `$` is the field of that name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The family.
    pub metric: String,
    /// All its labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// For a counter.
    #[serde(default)]
    pub add: Option<Amount>,
    /// For a gauge.
    #[serde(default)]
    pub set: Option<Amount>,
    /// For a histogram.
    #[serde(default)]
    pub observe: Option<Amount>,
}

/// A value, or where it is found.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
pub enum Amount {
    /// As it stands.
    Number(f64),
    /// `$field`.
    Field(String),
}

/// The line of a place in the text, counted from 1.
pub fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}
