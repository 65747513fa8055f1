//! Amounts as venues write them, read exactly: decimal text, bare numbers, exponents, "" and null; never through a float.

use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

/// An amount, if the message names one. Reads from `serde_json::from_str` only, and not inside `flatten` or `untagged`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount(pub Option<Decimal>);

impl Amount {
    /// The amount, zero where there is none.
    pub fn or_zero(self) -> Decimal {
        self.0.unwrap_or_default()
    }

    /// The amount unless it is zero: venues write `"0"` for "there is none", such as no liquidation price.
    pub fn nonzero(self) -> Option<Decimal> {
        self.0.filter(|amount| !amount.is_zero())
    }
}

/// Nobody holds more of anything. A sum of tens of thousands of such amounts still is a `Decimal`.
const LARGEST: Decimal = Decimal::from_parts(2_701_131_776, 466_537_709, 54_210, false, 0);

/// Decimal text, with an exponent or without; digits beyond the 28th are rounded.
pub fn parse(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let amount = text.parse().ok().or_else(|| Decimal::from_scientific(text).ok());
    amount.filter(|amount: &Decimal| amount.abs() <= LARGEST)
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        let text = raw.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(raw);
        match text.trim() {
            "" | "null" => Ok(Amount(None)),
            text => parse(text)
                .map(|amount| Amount(Some(amount)))
                .ok_or_else(|| D::Error::custom(format!("not an amount: {}", crate::fault::excerpt(raw)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Row {
        #[serde(default)]
        a: Amount,
    }

    fn read(text: &str) -> Option<String> {
        let row: Result<Row, _> = serde_json::from_str(text);
        row.ok().map(|row| row.a.0.map_or("none".into(), |amount| amount.to_string()))
    }

    #[test]
    fn every_way_of_writing_an_amount() {
        for (text, amount) in [
            (r#"{"a":"0.00012300"}"#, "0.00012300"),
            (r#"{"a":394.44}"#, "394.44"),
            (r#"{"a":-4.069805E-4}"#, "-0.0004069805"),
            (r#"{"a":"1e3"}"#, "1000"),
            (r#"{"a":"1000000000000000000000000"}"#, "1000000000000000000000000"),
            (r#"{"a":"0.3333333333333333333333333333333333"}"#, "0.3333333333333333333333333333"),
            (r#"{"a":""}"#, "none"),
            (r#"{"a":null}"#, "none"),
            (r#"{}"#, "none"),
        ] {
            assert_eq!(read(text).as_deref(), Some(amount), "{text}");
        }
        for bad in [
            r#"{"a":"x"}"#,
            r#"{"a":{}}"#,
            r#"{"a":"NaN"}"#,
            r#"{"a":true}"#,
            r#"{"a":"1e99"}"#,
            r#"{"a":"-79228162514264337593543950335"}"#,
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
