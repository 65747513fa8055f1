//! Numbers as the futures side writes them: bare, and small ones with an exponent. None passes through a float.

use std::fmt::Write as _;

use serde_json::Value;

use crate::fixed::Fixed;

/// A number as Java prints it: `-4.069805E-4`.
pub(super) fn bare(number: Fixed) -> String {
    let plain = number.to_string();
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |digits| ("-", digits));
    let Some(places) = digits.strip_prefix("0.").filter(|places| places.starts_with("000")) else { return plain };
    let digits = places.trim_start_matches('0');
    let (first, rest) = digits.split_at(1);
    let exponent = places.len() - digits.len() + 1;
    format!("{sign}{first}.{}E-{exponent}", if rest.is_empty() { "0" } else { rest })
}

/// A JSON object, which must have some members, with numbers besides.
pub(super) fn object(members: &Value, numbers: &[(&str, Fixed)]) -> String {
    let mut text = members.to_string();
    text.pop();
    for (name, number) in numbers {
        // Writing to a string cannot fail.
        let _ = write!(text, r#","{name}":{}"#, bare(*number));
    }
    text + "}"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{bare, object};

    #[test]
    fn numbers_are_written_as_java_does() {
        let written = |text: &str| bare(text.parse().unwrap());
        assert_eq!(written("-0.0004069805"), "-4.069805E-4");
        assert_eq!(written("0.0001"), "1.0E-4");
        assert_eq!(written("0.000000000001"), "1.0E-12");
        for plain in ["0", "5", "0.001", "-0.5", "1500.123456789012"] {
            assert_eq!(written(plain), plain);
        }
        let one = "1".parse().unwrap();
        assert_eq!(object(&json!({"a": "b"}), &[("c", one), ("d", one)]), r#"{"a":"b","c":1,"d":1}"#);
    }
}
