//! A strict reader of both exposition formats: what it takes, Prometheus takes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The metrics that are prices.
pub const PRICES: [&str; 3] = ["exchange_last_price", "exchange_best_bid_price", "exchange_best_ask_price"];

/// A family: its head and its samples.
#[derive(Clone, Debug, Default)]
pub struct Family {
    /// Its name in the head.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Its help.
    pub help: String,
    /// In the order of the page.
    pub samples: Vec<Sample>,
}

/// One series and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// With its ending.
    pub name: String,
    /// Unescaped.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<String> = self.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        write!(f, "{}{{{}}} {}", self.name, labels.join(","), self.value)
    }
}

/// A whole scrape.
#[derive(Clone, Debug)]
pub struct Exposition {
    /// In the order of the page.
    pub families: Vec<Family>,
}

impl Exposition {
    /// Reads Prometheus's text format 0.0.4.
    pub fn text(text: &str) -> Result<Self, String> {
        Self::read(text, false)
    }

    /// Reads OpenMetrics 1.0.
    pub fn open_metrics(text: &str) -> Result<Self, String> {
        let body = text.strip_suffix("# EOF\n").ok_or("it does not end with # EOF")?;
        Self::read(body, true)
    }

    fn read(text: &str, open: bool) -> Result<Self, String> {
        if !text.ends_with('\n') {
            return Err("the last line is not complete".into());
        }
        let mut families: Vec<Family> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            take(&mut families, line).map_err(|problem| format!("line {}: {problem}: {line}", number + 1))?;
        }
        let names: BTreeSet<&str> = families.iter().map(|family| family.name.as_str()).collect();
        if names.len() < families.len() {
            return Err("a family appears twice".into());
        }
        for family in &families {
            check(family, open).map_err(|problem| format!("{}: {problem}", family.name))?;
        }
        Ok(Self { families })
    }

    /// All samples.
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.families.iter().flat_map(|family| &family.samples)
    }

    /// The samples of one name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &Sample> {
        self.samples().filter(move |sample| sample.name == name)
    }

    /// The value of the one sample of this name with these labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let fits = |sample: &&Sample| {
            labels.iter().all(|(label, value)| sample.labels.get(*label).is_some_and(|found| found == value))
        };
        self.all(name).find(fits).map(|sample| sample.value)
    }

    /// The same, 0 where there is none: for counters that appear with their first count.
    pub fn count(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.value(name, labels).unwrap_or(0.0)
    }

    /// Whether every connection of the public stream is live.
    pub fn connected(&self) -> bool {
        self.value("exchange_connection_status", &[("stream", "public")]) == Some(1.0)
    }

    /// Until when the venue keeps us out, if it does.
    pub fn limited_until(&self) -> Option<f64> {
        self.all("exchange_rate_limit_reset_timestamp_seconds").map(|sample| sample.value).reduce(f64::max)
    }

    /// Errors of this kind and source so far.
    pub fn errors(&self, kind: &str, source: &str) -> f64 {
        self.count("exchange_errors_total", &[("kind", kind), ("source", source)])
    }

    /// Reconnects for this reason so far.
    pub fn reconnects(&self, reason: &str) -> f64 {
        self.count("exchange_websocket_reconnects_total", &[("stream", "public"), ("reason", reason)])
    }

    /// Reconnects so far, whatever the reason.
    pub fn all_reconnects(&self) -> f64 {
        self.all("exchange_websocket_reconnects_total").map(|sample| sample.value).sum()
    }

    /// Errors of a source so far, by kind, those that happened.
    pub fn errors_by_kind(&self, source: &str) -> BTreeMap<String, f64> {
        let of_source = self.all("exchange_errors_total").filter(|sample| sample.labels["source"] == source);
        of_source
            .map(|sample| (sample.labels["kind"].clone(), sample.value))
            .filter(|(_, count)| *count > 0.0)
            .collect()
    }

    /// Name and symbol of every price shown.
    pub fn priced(&self) -> BTreeSet<(String, String)> {
        let prices = self.samples().filter(|sample| PRICES.contains(&sample.name.as_str()));
        prices.map(|sample| (sample.name.clone(), sample.labels["symbol"].clone())).collect()
    }

    /// Series of figures of symbols, canonical or compatible: none may outlive its connection. Names of symbols may.
    pub fn figures(&self) -> Vec<&Sample> {
        let named = |sample: &&Sample| sample.labels.contains_key("symbol") && sample.name != "exchange_symbol_info";
        self.samples().filter(named).collect()
    }
}

fn take(families: &mut Vec<Family>, line: &str) -> Result<(), &'static str> {
    if let Some(rest) = line.strip_prefix("# HELP ") {
        let (name, help) = rest.split_once(' ').ok_or("help without a text")?;
        families.push(Family { name: name.into(), help: help.into(), ..Family::default() });
        return Ok(());
    }
    let family = families.last_mut().ok_or("no family before it")?;
    if let Some(rest) = line.strip_prefix("# TYPE ") {
        let kind = rest.strip_prefix(&family.name).and_then(|rest| rest.strip_prefix(' ')).ok_or("another's type")?;
        if !family.kind.is_empty() || !family.samples.is_empty() {
            return Err("a type in the wrong place");
        }
        family.kind = kind.into();
        return Ok(());
    }
    if family.kind.is_empty() {
        return Err("a family without a type");
    }
    family.samples.push(sample(line).ok_or("not a sample")?);
    Ok(())
}

fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, more) = rest.split_once("=\"")?;
            let (value, more) = unescaped(more)?;
            let valid = is_name(label) && !label.contains(':') && labels.insert(label.to_owned(), value).is_none();
            rest = more.strip_prefix(',').filter(|_| valid).or_else(|| more.starts_with('}').then_some(more))?;
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
        }
    }
    let value = rest.strip_prefix(' ')?.parse().ok()?;
    is_name(name).then(|| Sample { name: name.into(), labels, value })
}

/// A label's value up to its closing quote, and what follows.
fn unescaped(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match letters.next()?.1 {
                'n' => '\n',
                same @ ('\\' | '"') => same,
                _ => return None,
            }),
            letter => value.push(letter),
        }
    }
    None
}

fn is_name(name: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':';
    name.chars().all(fits) && name.chars().next().is_some_and(|first| !first.is_ascii_digit())
}

fn check(family: &Family, open: bool) -> Result<(), String> {
    let endings: &[&str] = match (family.kind.as_str(), open) {
        ("counter", true) => &["_total"],
        ("info", true) => &["_info"],
        ("histogram", _) => &["_bucket", "_sum", "_count"],
        ("counter" | "gauge", false) | ("gauge", true) => &[""],
        (kind, _) => return Err(format!("unknown type {kind}")),
    };
    if open && family.kind != "counter" && family.name.ends_with("_total") {
        return Err("only a counter may end with _total".into());
    }
    let mut seen = BTreeSet::new();
    for sample in &family.samples {
        if !endings.iter().any(|ending| sample.name == format!("{}{ending}", family.name)) {
            return Err(format!("{} does not belong to it", sample.name));
        }
        if !seen.insert((&sample.name, &sample.labels)) {
            return Err(format!("a series appears twice: {sample:?}"));
        }
        if sample.value.is_nan() || (family.kind == "counter" && sample.value < 0.0) {
            return Err(format!("an impossible value: {sample:?}"));
        }
    }
    if family.kind == "histogram" { histogram(family) } else { Ok(()) }
}

/// Buckets rise to the count.
fn histogram(family: &Family) -> Result<(), String> {
    let counts = family.samples.iter().filter(|sample| sample.name.ends_with("_count"));
    for count in counts {
        let mut bound = f64::NEG_INFINITY;
        let mut sum = 0.0;
        for bucket in family.samples.iter().filter(|sample| sample.name.ends_with("_bucket")) {
            let mut labels = bucket.labels.clone();
            let le: f64 = labels.remove("le").and_then(|le| le.parse().ok()).ok_or("a bucket without a bound")?;
            if labels == count.labels {
                if le <= bound || bucket.value < sum {
                    return Err(format!("buckets out of order at {bucket:?}"));
                }
                (bound, sum) = (le, bucket.value);
            }
        }
        if bound != f64::INFINITY || sum != count.value {
            return Err(format!("buckets do not reach the count {count:?}"));
        }
    }
    Ok(())
}
