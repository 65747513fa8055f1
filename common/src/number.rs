//! Numbers as venues write them: decimal text, bare numbers, "" and null.

use std::borrow::Cow;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::scan::{self, STEP};

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
            // Between prices that no market has known it may be larger than any number.
            (Said::Number(open), Said::Number(last)) if open > 0.0 && (last / open).is_finite() => {
                Said::Number(last / open - 1.0)
            }
            (Said::Silent, _) | (_, Said::Silent) => Said::Silent,
            _ => Said::Nothing,
        }
    }

    /// Reads decimal text. Empty text says that there is none; anything but a finite number is an error.
    pub fn parse(text: &str) -> Option<Said> {
        if text.is_empty() { Some(Said::Nothing) } else { decimal(text).map(Said::Number) }
    }
}

/// Powers of ten up to eight decimals, as whole numbers and as f64, which holds them exactly.
const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
const EXACT: [f64; 9] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];

/// Decimal text to the nearest f64, the same value that `str::parse` gives, or `None` unless finite.
///
/// Prices have few digits: up to 2^53 over a power of ten up to 10^22 both are exact, and one division rounds
/// correctly (Clinger's fast path). All else goes to the standard library.
pub fn decimal(text: &str) -> Option<f64> {
    brief(text).or_else(|| long(text))
}

/// A text that fits into a window.
fn brief(text: &str) -> Option<f64> {
    let mut window = [0; WINDOW];
    window.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
    leading(&window).filter(|(_, length)| *length == text.len()).map(|(number, _)| number)
}

/// How many bytes are looked at together.
pub(crate) const WINDOW: usize = 2 * STEP;

/// The decimal that a window begins with, and its length; `None` where it takes more to tell. How long numbers are, and
/// whether they are negative, is what a processor cannot foresee, so that hardly anything here branches on it.
#[inline]
pub(crate) fn leading(window: &[u8; WINDOW]) -> Option<(f64, usize)> {
    let negative = window.first() == Some(&b'-');
    let start = usize::from(negative);
    let others = scan::no_digits(window) >> start;
    let whole = others.trailing_zeros() as usize;
    let further = others & others.wrapping_sub(1);
    let point = window.get(start + whole) == Some(&b'.');
    let end = if point { further.trailing_zeros() as usize } else { whole };
    let decimals = if point { end.wrapping_sub(whole + 1) } else { 0 };
    if whole == 0 || end > WINDOW - 2 {
        return None;
    }
    let number = exact(window, start, whole, decimals)
        .or_else(|| exact(window, start, whole, decimals - zeros_at_the_end(window, start + end, decimals)))?;
    Some((if negative { -number } else { number }, start + end))
}

/// The whole number, without a sign, that a window begins with, and its length.
#[inline]
pub(crate) fn leading_whole(window: &[u8; WINDOW]) -> Option<(i64, usize)> {
    let length = scan::no_digits(window).trailing_zeros() as usize;
    let number = digits(window, 0, length)?;
    (length > 0).then(|| i64::try_from(number).ok().map(|number| (number, length)))?
}

/// The number of so many digits, a point and so many decimals, if an f64 holds it without a point.
#[inline(always)]
fn exact(window: &[u8; WINDOW], start: usize, whole: usize, decimals: usize) -> Option<f64> {
    let (power, divisor) = (POWERS.get(decimals)?, EXACT.get(decimals)?);
    let fraction = some_digits(window, start + whole + 1, decimals)?;
    let mantissa = digits(window, start, whole)?.checked_mul(*power)? + fraction;
    (mantissa <= 1 << 53).then(|| mantissa as f64 / divisor)
}

/// How many of so many decimals are zeros that say nothing.
#[inline(never)]
fn zeros_at_the_end(window: &[u8; WINDOW], end: usize, decimals: usize) -> usize {
    let decimals = window.get(end.saturating_sub(decimals)..end).unwrap_or_default();
    decimals.iter().rev().take_while(|digit| **digit == b'0').count()
}

/// The value of up to sixteen digits.
#[inline(always)]
fn digits(window: &[u8; WINDOW], start: usize, count: usize) -> Option<u64> {
    if count <= 8 {
        return some_digits(window, start, count);
    }
    let rest = count - 8;
    Some(some_digits(window, start, 8)? * POWERS.get(rest)? + some_digits(window, start + 8, rest)?)
}

/// The value of up to eight digits: pairs, then fours, then eight are added up side by side in one register.
#[inline(always)]
fn some_digits(window: &[u8; WINDOW], start: usize, count: usize) -> Option<u64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let word = u64::from_le_bytes(*window.get(start..)?.first_chunk()?) ^ ZEROS;
    // What is behind them goes, and zeros come before them.
    let word = word.checked_shl(64 - 8 * count as u32).unwrap_or(0);
    let pairs = word.wrapping_mul(1 + (10 << 8)) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(1 + (100 << 16)) >> 16 & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(1 + (10_000 << 32)) >> 32)
}

/// What is longer than a window, or has more digits than are exact.
#[inline(never)]
fn long(text: &str) -> Option<f64> {
    let numeric = |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E');
    // The standard parser takes "inf" and "NaN" too; no venue means them.
    if !text.bytes().all(numeric) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
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
            "0.",
            "-0",
            "-0.0",
            "12345678",
            "-12345678.87654321",
            "1234567890123456789",
            "12345678901234567890",
            "0.1234567890123456789",
            "99999999.99999999",
            "9999999999999999999",
            "1.5e10",
            "100000000000000000000.50000000000000000000",
            "0.00000000000000000000",
            "0.30000000000000000000",
        ];
        for text in texts {
            assert_eq!(decimal(text), text.parse().ok(), "{text}");
        }
    }

    #[test]
    fn so_does_any_other_text_of_digits_and_a_point() {
        let mut dice: u64 = 1;
        let mut below = |limit: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % limit
        };
        for _ in 0..100_000 {
            let mut text: String = (0..below(24)).map(|_| char::from(b'0' + below(10) as u8)).collect();
            text.insert(below(text.len() as u64 + 1) as usize, '.');
            text.push_str(&"0".repeat(below(12) as usize));
            if below(2) == 0 {
                text.insert(0, '-');
            }
            let bits = |value: Option<f64>| value.map(f64::to_bits);
            assert_eq!(bits(decimal(&text)), bits(text.parse().ok()), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "-",
            ".",
            "1.2.3",
            "NaN",
            "inf",
            "1e999",
            "0x10",
            "12a",
            " 1",
            "--1",
            "+-1",
            "1-",
            "1234567:",
            "/2345678",
            "1234567890.1234567:",
            "-.",
            "..",
            ".00000000000000000000.",
        ] {
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

    #[test]
    fn a_change_is_a_number_or_nothing() {
        let change = |open, last| Said::change(Said::Number(open), Said::Number(last));
        assert_eq!(change(100.0, 101.0), Said::Number(101.0 / 100.0 - 1.0));
        assert_eq!(change(0.0, 1.0), Said::Nothing);
        assert_eq!(change(1e-300, 1e300), Said::Nothing, "no infinity");
    }
}
