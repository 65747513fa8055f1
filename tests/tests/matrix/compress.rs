//! Time in fast motion: rules and configuration with every duration divided, and with every threshold as it is.
//!
//! The YAML is read, changed and written as JSON, which is YAML; PromQL is read as far as needed to tell a duration from a name
//! like `volume_24h`, a text, or a comment.

use std::time::Duration;

use serde_json::{Map, Value};

/// The keys of Prometheus's and Alertmanager's files whose values are durations.
const DURATIONS: [&str; 11] = [
    "for",
    "keep_firing_for",
    "interval",
    "scrape_interval",
    "scrape_timeout",
    "evaluation_interval",
    "refresh_interval",
    "group_wait",
    "group_interval",
    "repeat_interval",
    "resolve_timeout",
];

/// How much faster, and what nothing may be shorter than.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    pub factor: u32,
    /// Of evaluations, and of what Alertmanager waits for.
    pub shortest: Duration,
    /// Of the windows that rates look at: they need some scrapes within.
    pub shortest_window: Duration,
}

impl Speed {
    /// A duration of the file, as it is to be.
    pub fn short(&self, text: &str) -> String {
        self.at_least(text, self.shortest)
    }

    fn window(&self, text: &str) -> String {
        self.at_least(text, self.shortest_window)
    }

    fn at_least(&self, text: &str, least: Duration) -> String {
        let full = duration(text).unwrap_or_else(|| panic!("no duration: {text:?}"));
        // What is nothing stays nothing, and what is short already is not made longer.
        format!("{}ms", (full / self.factor).max(least.min(full)).as_millis())
    }

    /// All durations of a file, in rules and configurations alike. `numbers` changes what is not a duration: alert or record, what
    /// stands there, what is to stand there.
    pub fn file(&self, yaml: &Value, numbers: &[(&str, &str, &str)]) -> Value {
        match yaml {
            Value::Array(items) => items.iter().map(|item| self.file(item, numbers)).collect(),
            Value::Object(members) => Value::Object(self.members(members, numbers)),
            other => other.clone(),
        }
    }

    fn members(&self, members: &Map<String, Value>, numbers: &[(&str, &str, &str)]) -> Map<String, Value> {
        let name = members.get("alert").or(members.get("record")).and_then(Value::as_str);
        let change = |(key, value): (&String, &Value)| {
            let changed = match value {
                Value::String(text) if DURATIONS.contains(&key.as_str()) => self.short(text).into(),
                Value::String(text) if key == "expr" => {
                    let mut expression = self.expression(text);
                    for (_, from, to) in numbers.iter().filter(|(alert, ..)| Some(*alert) == name) {
                        assert!(expression.contains(from), "{name:?} has no {from:?}: {expression}");
                        expression = expression.replace(from, to);
                    }
                    expression.into()
                }
                other => self.file(other, numbers),
            };
            (key.clone(), changed)
        };
        members.iter().map(change).collect()
    }

    /// A PromQL expression with its ranges, resolutions and offsets divided.
    pub fn expression(&self, promql: &str) -> String {
        let mut result = String::new();
        let mut rest = promql;
        let mut after_offset = false;
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '"' | '\'' | '`' => quoted(rest),
                '#' => rest.find('\n').unwrap_or(rest.len()),
                '[' => rest.find(']').map_or(rest.len(), |end| end + 1),
                letter if letter.is_ascii_alphanumeric() || "_:".contains(letter) => {
                    rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_:.".contains(c)).unwrap_or(rest.len())
                }
                other => other.len_utf8(),
            };
            let (token, after) = rest.split_at(length);
            result += &match first {
                '[' => {
                    let inside = token.trim_start_matches('[').trim_end_matches(']');
                    let parts = inside.splitn(2, ':').map(str::trim).enumerate();
                    // The resolution of a subquery may be left out.
                    let short = |(place, part): (usize, &str)| match (place, part) {
                        (_, "") => String::new(),
                        (0, range) => self.window(range),
                        (_, resolution) => self.short(resolution),
                    };
                    format!("[{}]", parts.map(short).collect::<Vec<_>>().join(":"))
                }
                _ if after_offset && duration(token).is_some() => self.short(token),
                _ => token.to_owned(),
            };
            after_offset = token == "offset" || after_offset && (token.trim().is_empty() || token == "-");
            rest = after;
        }
        result
    }
}

/// The length of a text with its quotes; a backslash shields what follows, but not between backquotes.
fn quoted(text: &str) -> usize {
    let mut letters = text.char_indices();
    let Some((_, quote)) = letters.next() else { return 0 };
    let mut shielded = false;
    for (at, letter) in letters {
        if shielded {
            shielded = false;
        } else if letter == '\\' && quote != '`' {
            shielded = true;
        } else if letter == quote {
            return at + 1;
        }
    }
    text.len()
}

/// A duration as Prometheus writes it, `1h30m`; `None` if it is none.
pub fn duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).filter(|digits| *digits > 0)?;
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|letter: char| letter.is_ascii_digit()).unwrap_or(after.len());
        let millis: u64 = match &after[..unit] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 7 * 86_400_000,
            "y" => 365 * 86_400_000,
            _ => return None,
        };
        total += Duration::from_millis(number.parse::<u64>().ok()? * millis);
        rest = &after[unit..];
    }
    (!text.is_empty()).then_some(total)
}

/// Reads YAML.
pub fn read(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("no YAML: {error}"))
}

mod tests {
    use super::*;
    use serde_json::json;

    const SPEED: Speed =
        Speed { factor: 20, shortest: Duration::from_secs(1), shortest_window: Duration::from_secs(5) };

    #[test]
    fn reads_durations() {
        let seconds = |text| duration(text).map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("1h30m"), Some(5_400.0));
        assert_eq!((seconds("250ms"), seconds("1d"), seconds("0s")), (Some(0.25), Some(86_400.0), Some(0.0)));
        for none in ["", "5", "m", "24h_base", "volume", "5 m", "1h_"] {
            assert_eq!(seconds(none), None, "{none}");
        }
    }

    #[test]
    fn divides_ranges_resolutions_and_offsets() {
        for (from, to) in [
            ("rate(a_total[5m])", "rate(a_total[15000ms])"),
            ("rate(a_total[1m])", "rate(a_total[5000ms])"),
            ("a offset 10m - b offset -1h", "a offset 30000ms - b offset -180000ms"),
            ("max_over_time(rate(a[5m])[30d:1m])", "max_over_time(rate(a[15000ms])[129600000ms:3000ms])"),
            ("avg_over_time(a[1h:])", "avg_over_time(a[180000ms:])"),
            ("rate(a[2s])", "rate(a[2000ms])"),
        ] {
            assert_eq!(SPEED.expression(from), to);
        }
    }

    #[test]
    fn leaves_all_else_alone() {
        for same in [
            "exchange_volume_24h_base > 5 * 60",
            "venue:exchange_public_stream_up:avg_15m < 0.95",
            "a{b=\"[5m] offset 1h\",c='it\\'s [5m]',d=`[5m]\\`} == 1",
            "a # offset 5m [5m]\n+ b",
            "offset_5m > 300",
            "sum by (offset) (a) == 5",
            "time() - a > 14 * 86400",
        ] {
            assert_eq!(SPEED.expression(same), same);
        }
    }

    #[test]
    fn finds_durations_in_files() {
        let rule = json!({"groups": [{"name": "for", "interval": "30s", "rules": [{
            "alert": "A", "expr": "time() - a > 300 and rate(b[5m]) > 5", "for": "2m", "keep_firing_for": "10s",
            "labels": {"for": 5}, "annotations": {"summary": "For 5m."}
        }]}]});
        let changed = SPEED.file(&rule, &[("A", "> 300", "> 15")]);
        let expected = json!({"groups": [{"name": "for", "interval": "1500ms", "rules": [{
            "alert": "A", "expr": "time() - a > 15 and rate(b[15000ms]) > 5", "for": "6000ms", "keep_firing_for": "1000ms",
            "labels": {"for": 5}, "annotations": {"summary": "For 5m."}
        }]}]});
        assert_eq!(changed, expected);
    }

    #[test]
    #[should_panic(expected = "has no")]
    fn a_number_that_is_not_there_is_told() {
        SPEED.file(&json!({"alert": "A", "expr": "a > 300"}), &[("A", "> 600", "> 30")]);
    }

    #[test]
    fn reads_the_yaml_that_people_write() {
        let yaml = "a: { b: [c, \"d\"], e: \"1\" }\nf: |\n  x # y\n  [5m]\ng: >-\n  one\n  two\nh: 0s\n";
        assert_eq!(
            read(yaml),
            json!({"a": {"b": ["c", "d"], "e": "1"}, "f": "x # y\n[5m]\n", "g": "one two", "h": "0s"})
        );
    }
}
