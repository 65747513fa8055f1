//! Numbers as venues write them: decimal text, bare numbers, "" and null.

use std::borrow::Cow;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// What a message says of one value. `Silent` is not `Nothing`: a delta that leaves a field out keeps what was
/// known, a field that is `""`, `null` or an empty book side says that there is no such value now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Said {
    /// The message does not speak of it.
    #[default]
    Silent,
    /// The message says that there is none.
    Nothing,
    /// The value.
    Number(f64),
}

impl Said {
    /// A price: venues write a missing side or a symbol that never traded as zero, and no price is zero.
    pub fn as_price(self) -> Self {
        match self {
            Said::Number(value) if value <= 0.0 => Said::Nothing,
            other => other,
        }
    }

    /// The value times a constant, such as 0.01 for percent.
    pub fn scaled(self, factor: f64) -> Self {
        match self {
            Said::Number(value) => Said::Number(value * factor),
            other => other,
        }
    }

    /// The value divided by a constant: percent to ratio without the error of multiplying by 0.01.
    pub fn divided(self, divisor: f64) -> Self {
        match self {
            Said::Number(value) => Said::Number(value / divisor),
            other => other,
        }
    }

    /// The number, if there is one.
    pub fn number(self) -> Option<f64> {
        match self {
            Said::Number(value) => Some(value),
            Said::Silent | Said::Nothing => None,
        }
    }

    /// The signed change from `open` to `last`, where a venue sends only the two; 0.01 is +1 %.
    pub fn change(open: Said, last: Said) -> Self {
        match (open, last) {
            (Said::Number(open), Said::Number(last)) if open > 0.0 => Said::Number(last / open - 1.0),
            (Said::Silent, _) | (_, Said::Silent) => Said::Silent,
            _ => Said::Nothing,
        }
    }

    /// Reads decimal text. Empty text says that there is none; anything but a finite number is an error.
    pub fn parse(text: &str) -> Option<Said> {
        if text.is_empty() { Some(Said::Nothing) } else { decimal(text).map(Said::Number) }
    }
}

/// Powers of ten that an f64 holds exactly.
const EXACT: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// Decimal text to the nearest f64, the same value that `str::parse` gives, or `None` unless finite.
///
/// Prices have few digits: up to 2^53 over a power of ten up to 10^22 both are exact, and one division rounds
/// correctly (Clinger's fast path). All else goes to the standard library.
pub fn decimal(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, bytes),
    };
    let mut mantissa: u64 = 0;
    let mut point: Option<usize> = None;
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            // 19 characters of digits cannot overflow a u64.
            b'0'..=b'9' if at < 20 => mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0')),
            b'.' if point.is_none() => point = Some(at),
            _ => return slow(text),
        }
    }
    let length = digits.len();
    let decimals = point.map_or(0, |at| length - at - 1);
    let figures = length - usize::from(point.is_some());
    if figures == 0 || figures > 19 || mantissa > 1 << 53 {
        return slow(text);
    }
    // Fits: `mantissa` is at most 2^53 and `decimals` at most 19.
    let value = mantissa as f64 / EXACT.get(decimals)?;
    Some(if negative { -value } else { value })
}

fn slow(text: &str) -> Option<f64> {
    let numeric = |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E');
    // The standard parser takes "inf" and "NaN" too; no venue means them.
    if !text.bytes().all(numeric) {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// From a JSON string, number or null, for the replies that serde reads.
impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyNumber;
        impl Visitor<'_> for AnyNumber {
            type Value = Said;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number, as text or bare, or null")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Said, E> {
                Said::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Said, E> {
                Ok(Said::Number(value))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Said, E> {
                Ok(Said::Number(value as f64))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Said, E> {
                Ok(Said::Number(value as f64))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Said, E> {
                Ok(Said::Nothing)
            }
        }
        deserializer.deserialize_any(AnyNumber)
    }
}

/// A whole number that a venue sends as text or bare: milliseconds, codes.
pub fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Either<'t> {
        Bare(i64),
        Text(#[serde(borrow)] Cow<'t, str>),
    }
    match Either::deserialize(deserializer)? {
        Either::Bare(value) => Ok(value),
        Either::Text(text) => text.parse().map_err(|_| de::Error::custom(format!("not a whole number: {text:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_path_gives_what_the_standard_parser_gives() {
        let texts = [
            "0",
            "-0.561",
            "90787.70000000",
            "0.00000001",
            "1942004411.87120000",
            "14174.4213",
            "97158.10000000000000000000",
            "9007199254740993",
            "123456789012345678901234567890",
            "1e-7",
            "-4.069805E-4",
            "0.0000000000000000",
            ".5",
            "5.",
        ];
        for text in texts {
            assert_eq!(decimal(text), text.parse().ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".", "1.2.3", "NaN", "inf", "1e999", "0x10", "12a", " 1", "--1"] {
            assert_eq!(decimal(text), None, "{text:?}");
        }
    }

    #[test]
    fn silence_and_nothing_differ() {
        #[derive(serde::Deserialize)]
        struct Quote {
            #[serde(default)]
            bid: Said,
        }
        let read = |text| serde_json::from_str::<Quote>(text).map(|quote| quote.bid).ok();
        assert_eq!(read("{}"), Some(Said::Silent));
        assert_eq!(read(r#"{"bid":null}"#), Some(Said::Nothing));
        assert_eq!(read(r#"{"bid":""}"#), Some(Said::Nothing));
        assert_eq!(read(r#"{"bid":"1.5"}"#), Some(Said::Number(1.5)));
        assert_eq!(read(r#"{"bid":2}"#), Some(Said::Number(2.0)));
        assert_eq!(read(r#"{"bid":true}"#), None);
        assert_eq!(Said::Number(0.0).as_price(), Said::Nothing);
    }
}
