//! What bots may say: families of metrics and webhooks, declared in TOML. What is not declared here is refused.

mod check;
mod names;
pub mod reference;
mod schema;
mod webhook;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

pub use check::Change;
pub use schema::{Kind, Values};
pub use webhook::Webhook;

use common::metrics::vocabulary::Type;
use schema::File;

/// Compiled in: the name that errors and the reference call it by, and its text.
pub const BUILT_IN: [(&str, &str); 4] = [
    ("maveretta.toml", include_str!("../../catalogue/maveretta.toml")),
    ("tasks.toml", include_str!("../../catalogue/tasks.toml")),
    ("services.toml", include_str!("../../catalogue/services.toml")),
    ("trader.toml", include_str!("../../catalogue/trader.toml")),
];
/// The optional label that every family has: who speaks, where one gateway serves several bots.
pub const BOT: &str = "bot";
/// Different bots in one family.
const BOTS: usize = 100;
/// The most values that a label may be declared with.
const MOST_VALUES: usize = 100_000;
/// A catalogue is no larger.
const LARGEST: u64 = 1 << 20;

/// A metric that bots may speak of.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// In what it is counted, in words.
    pub unit: String,
    /// One sentence.
    pub help: String,
    /// `bot`, then the declared ones by name.
    pub labels: Vec<Label>,
    /// Upper bounds of a histogram's buckets.
    pub buckets: Vec<f64>,
    /// The least and the largest value that make sense.
    pub range: (f64, f64),
}

/// A label of a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// What it may say.
    pub values: Values,
    /// An event may leave it out, and then it is empty.
    pub optional: bool,
}

impl Family {
    /// As the encoder calls its type.
    pub fn shown_as(&self) -> Type {
        match self.kind {
            Kind::Counter => Type::Counter,
            Kind::Gauge => Type::Gauge,
            Kind::Histogram => Type::Histogram,
        }
    }

    /// How many series Prometheus makes of one of ours.
    pub fn weight(&self) -> usize {
        // The buckets, the one without bound, the sum and the count.
        if self.kind == Kind::Histogram { self.buckets.len() + 3 } else { 1 }
    }
}

/// All that is declared.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// In the order of their names.
    pub families: Vec<Family>,
    /// By name.
    pub webhooks: BTreeMap<String, Webhook>,
    /// Where each name was declared first.
    origins: HashMap<String, String>,
    index: HashMap<String, usize>,
}

impl Catalogue {
    /// What is compiled in, and the files `*.toml` of a folder. The errors are one line each, all of them.
    pub fn read(folder: Option<&Path>) -> Result<Self, Vec<String>> {
        let mut files: Vec<(String, String)> =
            BUILT_IN.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        if let Some(folder) = folder {
            files.extend(texts(folder).map_err(|line| vec![line])?);
        }
        Self::of(&files)
    }

    /// Of these files: names and texts.
    pub fn of(files: &[(String, String)]) -> Result<Self, Vec<String>> {
        let (mut all, mut errors, mut webhooks) = (Self::default(), Vec::new(), Vec::new());
        let mut declared = BTreeMap::new();
        for (file, text) in files {
            match toml::from_str::<File>(text) {
                Ok(read) => {
                    for (name, family) in read.family {
                        let place = format!("{file}:{}: family.{name}", schema::line(text, family.span().start));
                        match self::family(&name, family.into_inner()) {
                            Ok(family) => all.declare(family, &place, &mut declared, &mut errors),
                            Err(why) => errors.push(format!("{place}{why}")),
                        }
                    }
                    for (name, webhook) in read.webhook {
                        let place = format!("{file}:{}: webhook.{name}", schema::line(text, webhook.span().start));
                        webhooks.push((place, name, webhook.into_inner()));
                    }
                }
                Err(error) => {
                    let line = error.span().map_or(String::new(), |at| format!("{}: ", schema::line(text, at.start)));
                    errors.push(format!("{file}:{line}{}", error.message().replace('\n', " ")));
                }
            }
        }
        all.families = declared.into_values().collect();
        all.index = all.families.iter().enumerate().map(|(at, family)| (family.name.clone(), at)).collect();
        for (place, name, webhook) in webhooks {
            match all.webhook(&name, webhook) {
                Ok(_) if all.webhooks.contains_key(&name) => errors.push(format!("{place}: is declared already")),
                Ok(webhook) => drop(all.webhooks.insert(name, webhook)),
                Err(why) => errors.push(format!("{place}{why}")),
            }
        }
        if errors.is_empty() { Ok(all) } else { Err(errors) }
    }

    /// Takes a family in, unless the name stands for something else already.
    fn declare(
        &mut self,
        family: Family,
        place: &str,
        declared: &mut BTreeMap<String, Family>,
        errors: &mut Vec<String>,
    ) {
        match declared.get(&family.name) {
            Some(other) if *other == family => return,
            Some(_) => {
                let other = self.origins.get(&family.name).map_or("", String::as_str);
                errors.push(format!("{place}: is declared otherwise at {other}"));
                return;
            }
            None => {}
        }
        // `x` beside `x_total`: OpenMetrics calls both families x.
        let twin = match family.name.strip_suffix("_total") {
            Some(short) => short.to_owned(),
            None => format!("{}_total", family.name),
        };
        if let Some(other) = self.origins.get(&twin) {
            errors.push(format!("{place}: {twin} at {other} has the same name in OpenMetrics"));
            return;
        }
        self.origins.insert(family.name.clone(), place.to_owned());
        declared.insert(family.name.clone(), family);
    }

    /// A family by its name.
    pub fn find(&self, name: &str) -> Option<(usize, &Family)> {
        let at = *self.index.get(name)?;
        Some((at, self.families.get(at)?))
    }

    /// The nearest real name, for a slip.
    fn nearest(&self, name: &str) -> Option<&str> {
        let stem = |name: &str| name.trim_end_matches("_total").to_lowercase().replace('-', "_");
        let wanted = stem(name);
        let near = |family: &&Family| {
            let own = stem(&family.name);
            own == wanted || (wanted.len() > 5 && (own.contains(&wanted) || wanted.contains(&own)))
        };
        self.families.iter().find(near).map(|family| family.name.as_str())
    }
}

/// The files of a folder, by name.
fn texts(folder: &Path) -> Result<Vec<(String, String)>, String> {
    let told = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let entries = fs::read_dir(folder).map_err(|error| told(folder, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| told(folder, &error))?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    let read = |path: std::path::PathBuf| {
        let length = fs::metadata(&path).map_err(|error| told(&path, &error))?.len();
        if length > LARGEST {
            return Err(told(&path, &"larger than 1 MiB: no catalogue"));
        }
        let text = fs::read_to_string(&path).map_err(|error| told(&path, &error))?;
        Ok((path.display().to_string(), text))
    };
    paths.into_iter().map(read).collect()
}

/// A family as declared; the error is what follows its name.
fn family(name: &str, declared: schema::Family) -> Result<Family, String> {
    let schema::Family { kind, unit, help, labels, optional, buckets, min, max } = declared;
    names::metric(name, kind == Kind::Counter).map_err(|why| format!(": {why}"))?;
    sentence(&help).map_err(|why| format!(".help: {why}"))?;
    if unit.is_empty() || !unit.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ' ') {
        return Err(".unit: wants a word such as seconds, usd, ratio or trades".into());
    }
    let named = labels.iter().map(|one| ("labels", one)).chain(optional.iter().map(|one| ("optional", one)));
    for (key, (label, values)) in named {
        names::label(label).map_err(|why| format!(".{key}.{label}: {why}"))?;
        check::declared(values).map_err(|why| format!(".{key}.{label}: {why}"))?;
    }
    if let Some(both) = optional.keys().find(|label| labels.contains_key(*label)) {
        return Err(format!(".optional.{both}: is among the labels that no event may leave out"));
    }
    let rising = buckets.windows(2).all(|pair| pair[0] < pair[1]) && buckets.iter().all(|edge| edge.is_finite());
    match (kind, buckets.len()) {
        (Kind::Histogram, 1..=100) if rising => {}
        (Kind::Histogram, _) => return Err(".buckets: wants 1 to 100 rising numbers".into()),
        (_, 0) => {}
        _ => return Err(".buckets: only a histogram has them".into()),
    }
    let range = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
    if kind == Kind::Counter && (min.is_some() || max.is_some()) {
        return Err(": a counter has neither min nor max".into());
    }
    if range.0.is_nan() || range.1.is_nan() || range.0 >= range.1 {
        return Err(".min: is not below max".into());
    }
    let label = |optional| move |(name, values)| Label { name, values, optional };
    let mut declared: Vec<Label> =
        labels.into_iter().map(label(false)).chain(optional.into_iter().map(label(true))).collect();
    declared.sort_by(|a, b| a.name.cmp(&b.name));
    let bot = Label { name: BOT.to_owned(), values: Values::AtMost(BOTS), optional: true };
    let labels = std::iter::once(bot).chain(declared).collect();
    Ok(Family { name: name.to_owned(), kind, unit, help, labels, buckets, range })
}

/// Why this is no help, if it is none. It goes into `# HELP` as it is.
fn sentence(help: &str) -> Result<(), String> {
    if help.len() < 2 || !help.ends_with('.') {
        return Err("wants a sentence that ends in a full stop".into());
    }
    if help.chars().any(|c| c.is_control() || c == '\\' || c == '"') {
        return Err("wants one line, without backslash or double quote".into());
    }
    Ok(())
}

#[cfg(test)]
#[path = "../catalogue_tests.rs"]
mod tests;
