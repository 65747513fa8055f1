//! From a body to events: JSON, read strictly. What is said twice, not known or not understood is refused, and the place is named.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::refusal::{Reason, Refusal, named, quoted};

/// An id is no longer, in bytes.
const LONGEST_ID: usize = 128;

/// What an event does to its metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operation {
    /// A counter rises by so much.
    Add(f64),
    /// A gauge is so much now.
    Set(f64),
    /// A histogram saw so much.
    Observe(f64),
}

impl Operation {
    /// The member that says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add(_) => "add",
            Self::Set(_) => "set",
            Self::Observe(_) => "observe",
        }
    }

    /// How much.
    pub fn value(self) -> f64 {
        match self {
            Self::Add(value) | Self::Set(value) | Self::Observe(value) => value,
        }
    }
}

/// A label's name and its value.
pub type Label<'j> = (Cow<'j, str>, Cow<'j, str>);

/// One event, as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'j> {
    /// The family's name.
    pub metric: Cow<'j, str>,
    /// Names and values, in the sender's order.
    pub labels: Vec<Label<'j>>,
    /// What it does.
    pub operation: Operation,
    /// What makes a repetition harmless.
    pub id: Option<Cow<'j, str>>,
}

/// The members of an object, in order.
pub struct Fields<'j>(Vec<(Cow<'j, str>, &'j RawValue)>);

impl<'j> Fields<'j> {
    /// Of an object in which nothing is said twice.
    pub fn read(raw: &'j RawValue) -> Result<Self, Refusal> {
        if !raw.get().starts_with('{') {
            return Err(Refusal::new(Reason::Syntax, format!("wants an object, not {}", quoted(raw.get()))));
        }
        let fields: Self = serde_json::from_str(raw.get()).map_err(|error| syntax(&error))?;
        for (at, (name, _)) in fields.0.iter().enumerate() {
            if fields.0.iter().take(at).any(|(before, _)| before == name) {
                return Err(Refusal::new(Reason::Syntax, format!("{} is given twice", quoted(name))));
            }
        }
        Ok(fields)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'j RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }
}

/// Members beyond this are no event; it keeps the search for duplicates short.
const MOST_MEMBERS: usize = 64;

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    if members.len() >= MOST_MEMBERS {
                        return Err(serde::de::Error::custom(format_args!("more than {MOST_MEMBERS} members")));
                    }
                    members.push((name, value));
                }
                Ok(Fields(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// A text, borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'j>(#[serde(borrow)] Cow<'j, str>);

/// The texts of a body's events: of one, or of an array of them.
#[derive(Debug)]
pub struct Body<'j> {
    /// Each as it stands.
    pub events: Vec<&'j RawValue>,
    /// There is no array around it.
    single: bool,
}

impl<'j> Body<'j> {
    /// Of a body that is JSON.
    pub fn read(bytes: &'j [u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            Refusal::new(Reason::Syntax, format!("the body is no UTF-8 from byte {} on", error.valid_up_to()))
        })?;
        let single = !text.trim_start().starts_with('[');
        let events = if single { serde_json::from_str(text).map(|one| vec![one]) } else { serde_json::from_str(text) };
        Ok(Self { events: events.map_err(|error| syntax(&error))?, single })
    }

    /// How an error calls an event.
    pub fn place(&self, at: usize) -> String {
        if self.single { "event".into() } else { format!("events[{at}]") }
    }
}

impl<'j> Event<'j> {
    /// Of one object.
    pub fn read(raw: &'j RawValue) -> Result<Self, Refusal> {
        let (mut metric, mut labels, mut operation, mut given) = (None, Vec::new(), None, None);
        for (name, value) in Fields::read(raw)?.iter() {
            let mut operate = |make: fn(f64) -> Operation| -> Result<(), Refusal> {
                if operation.replace(make(number(name, value)?)).is_some() {
                    return Err(Refusal::at(Reason::Syntax, name, ONE_OF));
                }
                Ok(())
            };
            match name {
                "metric" => metric = Some(text(name, value)?),
                "labels" => labels = self::labels(value)?,
                "add" => operate(Operation::Add)?,
                "set" => operate(Operation::Set)?,
                "observe" => operate(Operation::Observe)?,
                "id" => given = Some(id(value)?),
                _ => {
                    let why = format!("{} is no member of an event; it has {MEMBERS}", quoted(name));
                    return Err(Refusal::new(Reason::Syntax, why));
                }
            }
        }
        let metric = metric.ok_or_else(|| Refusal::at(Reason::Syntax, "metric", "is missing"))?;
        let operation = operation.ok_or_else(|| Refusal::new(Reason::Syntax, ONE_OF))?;
        Ok(Self { metric, labels, operation, id: given })
    }
}

const MEMBERS: &str = "metric, labels, id, and add, set or observe";
const ONE_OF: &str = "wants exactly one of add, set and observe";

fn labels<'j>(raw: &'j RawValue) -> Result<Vec<Label<'j>>, Refusal> {
    let fields = Fields::read(raw).map_err(|refusal| refusal.within("labels"))?;
    let label = |(name, raw): (Cow<'j, str>, &'j RawValue)| match text(&name, raw) {
        Ok(value) => Ok((name, value)),
        Err(refusal) => Err(refusal.within("labels")),
    };
    fields.0.into_iter().map(label).collect()
}

/// A member that is a text.
pub fn text<'j>(name: &str, raw: &'j RawValue) -> Result<Cow<'j, str>, Refusal> {
    let read: Result<Text<'j>, _> = serde_json::from_str(raw.get());
    match read {
        Ok(Text(text)) => Ok(text),
        Err(_) => Err(Refusal::at(Reason::Syntax, named(name), format!("wants a text, not {}", quoted(raw.get())))),
    }
}

/// A member that is a number. JSON has no infinity; what is too large to be held is refused by the catalogue.
pub fn number(name: &str, raw: &RawValue) -> Result<f64, Refusal> {
    let text = raw.get();
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    // The standard library's reading is the nearest number to what is written, to the last bit.
    match text.parse() {
        Ok(value) if is_number => Ok(value),
        _ => Err(Refusal::at(Reason::Value, named(name), format!("wants a number, not {}", quoted(text)))),
    }
}

/// The member `id`.
pub fn id(raw: &RawValue) -> Result<Cow<'_, str>, Refusal> {
    let id = text("id", raw)?;
    match id.len() {
        1..=LONGEST_ID => Ok(id),
        _ => Err(Refusal::at(Reason::Syntax, "id", format!("wants 1 to {LONGEST_ID} bytes"))),
    }
}

fn syntax(error: &serde_json::Error) -> Refusal {
    Refusal::new(Reason::Syntax, format!("the body is no JSON: {error}"))
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
