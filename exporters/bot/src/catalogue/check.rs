//! From an event to a change: everything about it that the catalogue alone can tell.

use super::{Catalogue, Family, Kind, Label, MOST_VALUES, Values};
use crate::event::{Event, Operation};
use crate::refusal::{Reason, Refusal, named, quoted};

/// A label's value is no longer, in bytes.
const LONGEST: usize = 128;
/// What is added or observed at once is no larger: up to here a sum cannot lose whole numbers or overflow unnoticed.
const LARGEST: f64 = 1e15;

/// An event that the catalogue allows, resolved: nothing is applied yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The place of its family in the catalogue.
    pub family: usize,
    /// Values in the order of the family's labels; empty where an optional one was left out.
    pub labels: Box<[Box<str>]>,
    /// What to do.
    pub operation: Operation,
}

impl Catalogue {
    /// Whether the event may be; nothing of it is applied.
    pub fn check(&self, event: &Event<'_>) -> Result<Change, Refusal> {
        let Some((at, family)) = self.find(&event.metric) else {
            let near = self.nearest(&event.metric).map_or(String::new(), |near| format!("; is it {near}?"));
            let why = format!("{} is not in the catalogue{near}", quoted(&event.metric));
            return Err(Refusal::at(Reason::Unknown, "metric", why));
        };
        operation(family, event.operation)?;
        Ok(Change { family: at, labels: labels(family, event)?, operation: event.operation })
    }
}

fn operation(family: &Family, operation: Operation) -> Result<(), Refusal> {
    let (name, value) = (operation.name(), operation.value());
    let wanted = match family.kind {
        Kind::Counter => "add",
        Kind::Gauge => "set",
        Kind::Histogram => "observe",
    };
    if name != wanted {
        let kind = family.shown_as().as_str();
        return Err(Refusal::at(Reason::Type, name, format!("{} is a {kind}, which wants {wanted}", family.name)));
    }
    let refused = |why: String| Err(Refusal::at(Reason::Value, name, why));
    if !value.is_finite() {
        return refused("is too large for a number".into());
    }
    if family.kind == Kind::Counter && value < 0.0 {
        return refused(format!("{value}: a counter only rises"));
    }
    if family.kind != Kind::Gauge && value.abs() > LARGEST {
        return refused(format!("{value}: more than {LARGEST:e} at once"));
    }
    let (least, most) = family.range;
    if value < least {
        return refused(format!("{value} is below {least}, the least that {} can be ({})", family.name, family.unit));
    }
    if value > most {
        return refused(format!("{value} is above {most}, the most that {} can be ({})", family.name, family.unit));
    }
    Ok(())
}

/// The event's values in the family's order.
fn labels(family: &Family, event: &Event<'_>) -> Result<Box<[Box<str>]>, Refusal> {
    let known = |name: &str| family.labels.iter().any(|label| label.name == name);
    if let Some((name, _)) = event.labels.iter().find(|(name, _)| !known(name)) {
        let all: Vec<&str> = family.labels.iter().map(|label| label.name.as_str()).collect();
        let why = format!("{} has no such label; it has {}", family.name, all.join(", "));
        return Err(Refusal::at(Reason::Label, field(name), why));
    }
    family.labels.iter().map(|label| value(label, event)).collect()
}

fn value(label: &Label, event: &Event<'_>) -> Result<Box<str>, Refusal> {
    let refused = |why: String| Err(Refusal::at(Reason::Label, field(&label.name), why));
    let Some((_, value)) = event.labels.iter().find(|(name, _)| *name == label.name) else {
        return if label.optional { Ok(Box::default()) } else { refused("is missing".into()) };
    };
    if let Err(why) = text(value) {
        return refused(why);
    }
    match &label.values {
        Values::OneOf(all) if !all.iter().any(|one| one == value) => {
            refused(format!("{} is none of {}", quoted(value), all.join(", ")))
        }
        _ => Ok(value.as_ref().into()),
    }
}

fn field(name: &str) -> String {
    format!("labels.{}", named(name))
}

/// Why this is no value of a label, if it is none. An empty one is no label at all to Prometheus.
fn text(value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Err("is empty".into());
    }
    if value.len() > LONGEST {
        return Err(format!("{}: longer than {LONGEST} bytes", quoted(value)));
    }
    if value.chars().any(char::is_control) {
        return Err(format!("{}: has a control character", quoted(value)));
    }
    Ok(())
}

/// Why a label cannot be declared so, if it cannot.
pub fn declared(values: &Values) -> Result<(), String> {
    match values {
        Values::AtMost(0) => Err("wants at least one value".into()),
        Values::AtMost(most) if *most > MOST_VALUES => Err(format!("{most} values are more than {MOST_VALUES}")),
        Values::AtMost(_) => Ok(()),
        Values::OneOf(all) if all.is_empty() => Err("wants at least one value".into()),
        Values::OneOf(all) => {
            let mut sorted = all.clone();
            sorted.sort();
            sorted.dedup();
            if sorted.len() < all.len() {
                return Err("has a value twice".into());
            }
            all.iter().try_for_each(|value| text(value))
        }
    }
}
