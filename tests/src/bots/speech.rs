//! What a bot says in one cycle.

use serde_json::{Map, Value, json};

/// The events and webhooks of one bot, until they are posted.
#[derive(Clone, Debug)]
pub(super) struct Speech {
    /// Labels of every event.
    about: Vec<(&'static str, String)>,
    /// With a number behind it, the id of an event; without it events have none.
    id: Option<String>,
    /// In the order in which they were said.
    pub(super) events: Vec<Value>,
    /// Webhooks, each by its name.
    pub(super) hooks: Vec<(&'static str, Value)>,
}

impl Speech {
    pub(super) fn of(bot: &str) -> Self {
        Self { about: vec![("bot", bot.to_owned())], id: None, events: Vec::new(), hooks: Vec::new() }
    }

    /// Each event also has this label.
    pub(super) fn about(mut self, label: &'static str, value: &str) -> Self {
        self.about.push((label, value.to_owned()));
        self
    }

    /// Events have ids, so that they may be posted twice.
    pub(super) fn repeatable(mut self, id: String) -> Self {
        self.id = Some(id);
        self
    }

    /// A counter rises; by nothing, so that it is there before anything happens.
    pub(super) fn add(&mut self, metric: &str, labels: &[(&str, &str)], amount: f64) {
        self.tell(metric, labels, "add", amount);
    }

    /// A gauge is so much.
    pub(super) fn set(&mut self, metric: &str, labels: &[(&str, &str)], value: f64) {
        self.tell(metric, labels, "set", value);
    }

    /// 1 where it is so.
    pub(super) fn flag(&mut self, metric: &str, labels: &[(&str, &str)], is_so: bool) {
        self.tell(metric, labels, "set", if is_so { 1.0 } else { 0.0 });
    }

    /// A histogram saw so much.
    pub(super) fn observe(&mut self, metric: &str, labels: &[(&str, &str)], value: f64) {
        self.tell(metric, labels, "observe", value);
    }

    /// A webhook, with this object.
    pub(super) fn hook(&mut self, name: &'static str, mut object: Value) {
        for (label, value) in self.about.iter().filter(|(label, _)| *label == "bot") {
            object[*label] = value.as_str().into();
        }
        self.hooks.push((name, object));
    }

    fn tell(&mut self, metric: &str, labels: &[(&str, &str)], operation: &str, value: f64) {
        let about = self.about.iter().map(|(label, value)| (*label, value.as_str()));
        let labels: Map<String, Value> =
            about.chain(labels.iter().copied()).map(|(label, value)| (label.to_owned(), value.into())).collect();
        let mut event = json!({ "metric": metric, "labels": labels, operation: value });
        // What changes nothing the second time needs none: a gateway remembers so many ids an hour and no more.
        let repeats = operation == "set" || (operation == "add" && value == 0.0);
        if let Some(id) = self.id.as_ref().filter(|_| !repeats) {
            event["id"] = format!("{id}-{}", self.events.len()).into();
        }
        self.events.push(event);
    }
}
