//! Keeps one text of every shape that is sent: what decoders are fuzzed from.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

/// Texts of one shape that are kept: their values differ, and one may be the odd one.
const EACH: usize = 3;

/// Writes texts into a folder, a file each.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    folder: Option<PathBuf>,
    seen: HashSet<(String, usize)>,
}

impl Sampler {
    /// Into this folder; nowhere where there is none.
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, seen: HashSet::new() }
    }

    /// Keeps the text if there are not enough of its shape. A folder that cannot be written to is noticed by whoever reads it.
    pub(crate) fn take(&mut self, text: &str) {
        let Some(folder) = &self.folder else { return };
        let shape = serde_json::from_str(text).map_or_else(|_| text.to_owned(), |value| shape(&value));
        if let Some(number) = (0..EACH).find(|number| self.seen.insert((shape.clone(), *number))) {
            let name = format!("{:05}-{number}", self.seen.len());
            let _ = fs::write(folder.join(name), text);
        }
    }
}

/// Keys and types, of a list those of its first element.
fn shape(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| format!("{key}:{}", shape(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.first().map(shape).unwrap_or_default()),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(_) => "\"".to_owned(),
        Value::Number(_) => "0".to_owned(),
        Value::Bool(_) => "?".to_owned(),
        Value::Null => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_do_not_matter_and_keys_and_types_do() {
        let of = |text| shape(&serde_json::from_str(text).unwrap());
        assert_eq!(of(r#"{"a":1,"b":["x","y"]}"#), of(r#"{"b":["z"],"a":2.5}"#));
        assert_ne!(of(r#"{"a":1}"#), of(r#"{"a":"1"}"#));
        assert_ne!(of(r#"{"a":"1"}"#), of(r#"{"a":""}"#));
    }
}
