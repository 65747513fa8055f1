//! Webhooks: what a foreign object's members mean for the catalogue's metrics.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::check::Change;
use super::schema::{self, Amount, Field};
use super::{Catalogue, Kind, names, sentence};
use crate::event::{Event, Fields, Operation, id, number, text};
use crate::refusal::{Reason, Refusal, quoted};

/// A webhook whose changes are all possible.
#[derive(Debug)]
pub struct Webhook {
    /// One sentence.
    pub help: String,
    /// The members of its object.
    pub fields: BTreeMap<String, Field>,
    /// What it changes.
    changes: Vec<Template>,
}

#[derive(Debug)]
struct Template {
    metric: String,
    labels: Vec<Part>,
    make: fn(f64) -> Operation,
    amount: Source<f64>,
}

/// A label of an event to be.
#[derive(Debug)]
struct Part {
    name: String,
    value: Source<String>,
    optional: bool,
}

/// Where a part of an event is from.
#[derive(Debug)]
enum Source<T> {
    Given(T),
    Field(String),
}

impl<T> Source<T> {
    fn field(&self) -> Option<&str> {
        match self {
            Source::Given(_) => None,
            Source::Field(name) => Some(name),
        }
    }
}

/// What the members of one object said.
#[derive(Default)]
struct Said<'j> {
    texts: BTreeMap<&'j str, Cow<'j, str>>,
    numbers: BTreeMap<&'j str, f64>,
}

impl Field {
    fn is_text(self) -> bool {
        matches!(self, Field::Text | Field::MaybeText)
    }

    fn is_number(self) -> bool {
        matches!(self, Field::Number | Field::MaybeNumber)
    }

    fn is_needed(self) -> bool {
        matches!(self, Field::Text | Field::Number)
    }

    /// As the catalogue spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Field::Text => "text",
            Field::MaybeText => "text?",
            Field::Number => "number",
            Field::MaybeNumber => "number?",
            Field::Ignored => "ignored",
        }
    }
}

impl Webhook {
    /// The events that an object stands for, and the id that it came with.
    pub fn events<'j>(&'j self, object: &'j Fields<'j>) -> Result<(Vec<Event<'j>>, Option<Cow<'j, str>>), Refusal> {
        let (mut said, mut given, mut bot) = (Said::default(), None, None);
        for (name, value) in object.iter() {
            match (self.fields.get_key_value(name), name) {
                (Some((name, field)), _) if field.is_text() => drop(said.texts.insert(name, text(name, value)?)),
                (Some((name, field)), _) if field.is_number() => drop(said.numbers.insert(name, number(name, value)?)),
                (Some(_), _) => {}
                (None, "id") => given = Some(id(value)?),
                (None, super::BOT) => bot = Some(text(name, value)?),
                (None, _) => {
                    let all: Vec<&str> = self.fields.keys().map(String::as_str).chain([super::BOT, "id"]).collect();
                    let why = format!("{} is no field of this webhook; it has {}", quoted(name), all.join(", "));
                    return Err(Refusal::new(Reason::Syntax, why));
                }
            }
        }
        for (name, field) in &self.fields {
            if field.is_needed() && !said.texts.contains_key(&**name) && !said.numbers.contains_key(&**name) {
                return Err(Refusal::at(Reason::Syntax, name, "is missing"));
            }
        }
        let events = self.changes.iter().filter_map(|change| change.event(&said, bot.as_ref())).collect();
        Ok((events, given))
    }
}

impl Template {
    /// Nothing where a field that it needs is not there.
    fn event<'j>(&'j self, said: &Said<'j>, bot: Option<&Cow<'j, str>>) -> Option<Event<'j>> {
        let mut labels = Vec::with_capacity(self.labels.len() + 1);
        for part in &self.labels {
            let value = match &part.value {
                Source::Given(value) => Some(Cow::Borrowed(value.as_str())),
                Source::Field(field) => said.texts.get(field.as_str()).cloned(),
            };
            match value {
                Some(value) => labels.push((Cow::Borrowed(part.name.as_str()), value)),
                None if part.optional => {}
                None => return None,
            }
        }
        labels.extend(bot.map(|bot| (Cow::Borrowed(super::BOT), bot.clone())));
        let amount = match &self.amount {
            Source::Given(value) => *value,
            Source::Field(field) => *said.numbers.get(field.as_str())?,
        };
        Some(Event { metric: Cow::Borrowed(&self.metric), labels, operation: (self.make)(amount), id: None })
    }
}

impl Catalogue {
    /// A webhook as declared; the error is what follows its name.
    pub(super) fn webhook(&self, name: &str, declared: schema::Webhook) -> Result<Webhook, String> {
        let schema::Webhook { help, fields, change } = declared;
        names::webhook(name).map_err(|why| format!(": {why}"))?;
        sentence(&help).map_err(|why| format!(".help: {why}"))?;
        if let Some(own) = fields.keys().find(|name| *name == "id" || *name == super::BOT) {
            return Err(format!(".fields.{own}: every webhook has it already"));
        }
        if change.is_empty() {
            return Err(": changes nothing".into());
        }
        let template = |(at, change): (usize, schema::Change)| {
            self.template(&fields, change).map_err(|why| format!(".change[{at}]{why}"))
        };
        let changes = change.into_iter().enumerate().map(template).collect::<Result<_, _>>()?;
        Ok(Webhook { help, fields, changes })
    }

    fn template(&self, fields: &BTreeMap<String, Field>, declared: schema::Change) -> Result<Template, String> {
        let schema::Change { metric, labels, add, set, observe } = declared;
        let (_, family) = self.find(&metric).ok_or_else(|| format!(".metric: {metric} is not in the catalogue"))?;
        let (make, amount): (fn(f64) -> Operation, Amount) = match (family.kind, add, set, observe) {
            (Kind::Counter, Some(amount), None, None) => (Operation::Add, amount),
            (Kind::Gauge, None, Some(amount), None) => (Operation::Set, amount),
            (Kind::Histogram, None, None, Some(amount)) => (Operation::Observe, amount),
            _ => {
                return Err(
                    ": wants add for a counter, set for a gauge or observe for a histogram, and no other".into()
                );
            }
        };
        let amount = match amount {
            Amount::Number(value) => Source::Given(value),
            Amount::Field(name) => {
                let field = name.strip_prefix('$').filter(|name| fields.get(*name).is_some_and(|one| one.is_number()));
                Source::Field(field.ok_or_else(|| format!(": {name} is no number of this webhook"))?.to_owned())
            }
        };
        let label = |(name, value): (String, String)| {
            let optional = family.labels.iter().any(|label| label.name == name && label.optional);
            let value = match value.strip_prefix('$') {
                None => Source::Given(value),
                Some(field) if fields.get(field).is_some_and(|one| one.is_text()) => Source::Field(field.to_owned()),
                Some(_) => return Err(format!(".labels.{name}: {value} is no text of this webhook")),
            };
            Ok(Part { name, value, optional })
        };
        let labels = labels.into_iter().map(label).collect::<Result<Vec<_>, String>>()?;
        let template = Template { metric, labels, make, amount };
        self.rehearse(&template)?;
        Ok(template)
    }

    /// Plays a template once, with values that are as good as any: what is wrong with it is wrong always.
    fn rehearse(&self, template: &Template) -> Result<(), String> {
        let mut said = Said::default();
        let (_, family) = self.find(&template.metric).ok_or(": has no family")?;
        for Part { name, value, .. } in &template.labels {
            if let Some(field) = value.field() {
                let first =
                    family.labels.iter().find(|label| label.name == *name).and_then(|label| match &label.values {
                        super::Values::OneOf(all) => all.first().map(String::as_str),
                        super::Values::AtMost(_) => None,
                    });
                said.texts.insert(field, Cow::Owned(first.unwrap_or("x").to_owned()));
            }
        }
        if let Some(field) = template.amount.field() {
            let (least, most) = family.range;
            said.numbers.insert(field, 0.0_f64.clamp(least, most));
        }
        let event = template.event(&said, None).ok_or(": a field that it needs is not declared")?;
        self.check(&event).map(|_: Change| ()).map_err(|refusal| format!(".{refusal}"))
    }
}
