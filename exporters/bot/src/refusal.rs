//! Why something is not taken: for the sender the field and the reason, for the metrics the kind.

use std::fmt;

/// The kinds, as `bot_gateway_refused_total` tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No user, no token, or from where none may post without.
    Auth,
    /// The body is larger than is taken.
    Body,
    /// Its content type is not JSON's.
    ContentType,
    /// It is no JSON, or no event.
    Syntax,
    /// The catalogue has no such metric, or no such webhook.
    Unknown,
    /// The operation is not that of the metric's type.
    Type,
    /// A label is missing, unknown, or has a value that is not allowed.
    Label,
    /// A value is not a number that the metric can have.
    Value,
    /// Too many values of a label, or too many series.
    Series,
    /// The id was used for another event.
    Id,
    /// More ids within the hour than are remembered.
    Ids,
    /// Too many events a second.
    Rate,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Auth,
        Self::Body,
        Self::ContentType,
        Self::Syntax,
        Self::Unknown,
        Self::Type,
        Self::Label,
        Self::Value,
        Self::Series,
        Self::Id,
        Self::Ids,
        Self::Rate,
    ];

    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Body => "body",
            Self::ContentType => "content_type",
            Self::Syntax => "syntax",
            Self::Unknown => "unknown",
            Self::Type => "type",
            Self::Label => "label",
            Self::Value => "value",
            Self::Series => "series",
            Self::Id => "id",
            Self::Ids => "ids",
            Self::Rate => "rate",
        }
    }

    /// The status of the answer.
    pub const fn status(self) -> u16 {
        match self {
            Self::Auth => 401,
            Self::Body => 413,
            Self::ContentType => 415,
            Self::Syntax | Self::Unknown | Self::Type | Self::Label | Self::Value => 400,
            Self::Id => 409,
            // What was sent is well-formed; there is no room for it.
            Self::Series => 422,
            Self::Ids | Self::Rate => 429,
        }
    }
}

/// Why the whole batch is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its kind.
    pub reason: Reason,
    /// Where: `events[3].labels.side`; nothing where it is about all of it.
    pub place: String,
    /// In words.
    pub why: String,
    /// Seconds after which it may be tried again, where that helps.
    pub retry: Option<u64>,
}

impl Refusal {
    /// About no field in particular.
    pub fn new(reason: Reason, why: impl Into<String>) -> Self {
        Self { reason, place: String::new(), why: why.into(), retry: None }
    }

    /// About this field.
    pub fn at(reason: Reason, field: impl Into<String>, why: impl Into<String>) -> Self {
        Self { reason, place: field.into(), why: why.into(), retry: None }
    }

    /// The same, seen from outside of this part.
    #[must_use]
    pub fn within(mut self, part: &str) -> Self {
        self.place = match self.place.is_empty() {
            true => part.to_owned(),
            false => format!("{part}.{}", self.place),
        };
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() { f.write_str(&self.why) } else { write!(f, "{}: {}", self.place, self.why) }
    }
}

/// A text of the sender's, so that a message stays one short line.
pub fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let short: String = text.chars().take(MOST).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{more}")
}

/// A name of the sender's, as a part of a place: real ones are short words.
pub fn named(name: &str) -> String {
    let is_word = (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_word { name.to_owned() } else { quoted(name) }
}
