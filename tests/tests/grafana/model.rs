//! The JSON of a dashboard: what it asks, and what Grafana makes of that before it asks.

use fake_venues::stack::repository;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

/// Of the data source: what `$__rate_interval` is at least four times of.
const SCRAPE_INTERVAL: u32 = 15;

pub struct Dashboard {
    pub uid: String,
    pub json: Value,
}

/// One query: where it stands, and how it is asked.
#[derive(Debug, Clone)]
pub struct Ask {
    /// `exchange-overview / Equity / A`.
    pub place: String,
    pub expr: String,
    pub instant: bool,
    /// With the labels that it names in braces.
    pub legends: Vec<String>,
}

/// Every dashboard, as it is provisioned.
pub fn all() -> Vec<Dashboard> {
    let folder = repository().join("grafana/dashboards");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let read = |file: &std::path::PathBuf| {
        let json: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        Dashboard { uid: file.file_stem().unwrap().to_str().unwrap().to_owned(), json }
    };
    let mut dashboards: Vec<Dashboard> = files.iter().map(read).collect();
    dashboards.sort_by(|one, other| one.uid.cmp(&other.uid));
    dashboards
}

/// A text of the JSON, empty where there is none.
pub fn text<'a>(json: &'a Value, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_default()
}

fn list<'a>(json: &'a Value, pointer: &str) -> &'a [Value] {
    json.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

impl Dashboard {
    /// All panels and rows, those inside of rows too.
    pub fn panels(&self) -> Vec<&Value> {
        list(&self.json, "/panels")
            .iter()
            .flat_map(|panel| std::iter::once(panel).chain(list(panel, "/panels")))
            .collect()
    }

    pub fn variables(&self) -> &[Value] {
        list(&self.json, "/templating/list")
    }

    pub fn annotations(&self) -> &[Value] {
        list(&self.json, "/annotations/list")
    }

    pub fn links(&self) -> &[Value] {
        list(&self.json, "/links")
    }

    /// Everything that it asks Prometheus for with an expression.
    pub fn asks(&self) -> Vec<Ask> {
        let mut asks = Vec::new();
        for panel in self.panels() {
            for target in list(panel, "/targets") {
                asks.push(Ask {
                    place: format!("{} / {} / {}", self.uid, text(panel, "title"), text(target, "refId")),
                    expr: text(target, "expr").to_owned(),
                    instant: target["instant"].as_bool().unwrap_or_default(),
                    legends: vec![text(target, "legendFormat").to_owned()],
                });
            }
        }
        for annotation in self.annotations() {
            let formats = ["titleFormat", "textFormat"].map(|key| text(annotation, key).to_owned());
            let tags = text(annotation, "tagKeys").split(',').map(|label| format!("{{{{{label}}}}}"));
            asks.push(Ask {
                place: format!("{} / annotation {}", self.uid, text(annotation, "name")),
                expr: text(annotation, "expr").to_owned(),
                instant: false,
                legends: formats.into_iter().chain(tags).collect(),
            });
        }
        asks
    }

    /// The `label_values(series, label)` of its variables: place, series, label.
    pub fn label_values(&self) -> Vec<(String, String, String)> {
        let queries = self.variables().iter().filter(|variable| text(variable, "type") == "query");
        queries
            .map(|variable| {
                let query = text(&variable["query"], "query");
                assert_eq!(query, text(variable, "definition"), "{}", self.uid);
                let inner = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
                let (series, label) = inner.and_then(|inner| inner.rsplit_once(", ")).expect(query);
                (format!("{} / variable {}", self.uid, text(variable, "name")), series.to_owned(), label.to_owned())
            })
            .collect()
    }

    /// What every variable is when the dashboard is opened.
    pub fn opened(&self) -> BTreeMap<String, String> {
        let value = |variable: &Value| {
            let current = text(&variable["current"], "value");
            // All: the value for that goes in as it is.
            let chosen = if current == "$__all" { text(variable, "allValue") } else { current };
            (text(variable, "name").to_owned(), chosen.to_owned())
        };
        self.variables().iter().map(value).collect()
    }

    /// With several values chosen, where several can be: Grafana makes one regular expression of them.
    pub fn chosen(&self, several: &BTreeMap<&str, [&str; 2]>) -> BTreeMap<String, String> {
        let mut values = self.opened();
        for variable in self.variables().iter().filter(|variable| variable["multi"] == true) {
            if let Some([one, other]) = several.get(text(variable, "name")) {
                let escape = |value: &str| value.replace('.', "\\\\.").replace('-', "\\\\-");
                values.insert(text(variable, "name").to_owned(), format!("({}|{})", escape(one), escape(other)));
            }
        }
        values
    }

    /// How long it looks back, as `6h`.
    pub fn range(&self) -> &str {
        text(&self.json["time"], "from").strip_prefix("now-").expect("a range that ends now")
    }

    /// An expression as Grafana sends it. Its interval is the scrape interval, as in a short time range.
    pub fn sent(&self, expression: &str, values: &BTreeMap<String, String>) -> String {
        let mut values = values.clone();
        values.insert("__interval".into(), format!("{SCRAPE_INTERVAL}s"));
        values.insert("__rate_interval".into(), format!("{}s", 4 * SCRAPE_INTERVAL));
        values.insert("__range".into(), self.range().to_owned());
        let mut result = String::new();
        let mut rest = expression;
        while let Some(at) = rest.find('$') {
            let (before, after) = rest.split_at(at);
            let name: String = after[1..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            result.push_str(before);
            rest = &after[1 + name.len()..];
            match values.get(&name) {
                Some(value) => result.push_str(value),
                // What is no variable stays, as the $1 of label_replace does.
                None => result.extend(["$", &name]),
            }
        }
        result + rest
    }
}

/// The labels in the braces of a legend.
pub fn labels_in(legend: &str) -> Vec<&str> {
    legend.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(label, _)| label.trim()).collect()
}

/// What a panel's overrides set.
pub fn properties(panel: &Value) -> impl Iterator<Item = &Value> {
    let overrides = panel["fieldConfig"]["overrides"].as_array().map_or(&[][..], Vec::as_slice);
    overrides.iter().flat_map(|one| one["properties"].as_array().map_or(&[][..], Vec::as_slice))
}
