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

/// Powers of ten that an f64 holds exactly.
const EXACT: [f64; WINDOW] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

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
    window.get_mut(WINDOW.checked_sub(text.len())?..)?.copy_from_slice(text.as_bytes());
    short(window, text.len())
}

/// How many bytes are looked at together.
pub(crate) const WINDOW: usize = 16;

/// The decimal that the last `length` bytes of a window are, at most all of them; `None` where it takes more to tell. The length of
/// numbers is what a processor cannot foresee, so nothing here branches on it.
#[inline]
pub(crate) fn short(window: [u8; WINDOW], length: usize) -> Option<f64> {
    const BYTES: u128 = u128::MAX / 255;
    const ZEROS: u128 = BYTES * b'0' as u128;
    if length == 0 || length > WINDOW {
        return None;
    }
    // The text's first byte is the lowest: what is in front of the number goes, and zeros take its place.
    let start = 8 * (WINDOW - length);
    let ours = u128::MAX << start;
    let word = u128::from_le_bytes(window) & ours;
    let negative = (word >> start) as u8 == b'-';
    let sign = if negative { u128::from(b'-' ^ b'0') << start } else { 0 };
    let word = word ^ sign;
    let word = word | (ZEROS & !ours);
    // Bytes that are a point turn into zero, and zero bytes alone borrow at their top bit; above the first of them it may
    // be wrong, and a second point is no digit.
    let mark = word ^ (BYTES * b'.' as u128);
    let marks = mark.wrapping_sub(BYTES) & !mark & (BYTES << 7);
    let (digits, decimals) = match marks.trailing_zeros() / 8 {
        16 => (word, 0),
        point => {
            let below = (1u128 << (8 * point)) - 1;
            let above = !(below << 8 | 0xff);
            (word & above | (word & below) << 8 | u128::from(b'0'), 15 - point as usize)
        }
    };
    let high = eight_digits(digits as u64)?;
    let low = eight_digits((digits >> 64) as u64)?;
    let mantissa = high * 100_000_000 + low;
    let figures = length - usize::from(negative) - usize::from(marks != 0);
    if figures == 0 || mantissa > 1 << 53 {
        return None;
    }
    // Fits: `mantissa` is at most 2^53 and `decimals` at most 15.
    let value = mantissa as f64 / EXACT.get(decimals)?;
    Some(if negative { -value } else { value })
}

/// The value of eight digits, if all eight are: pairs, then fours, then eight are added up side by side in one register.
#[inline]
fn eight_digits(word: u64) -> Option<u64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    // A digit's upper half is 3 and stays 3 when 6 is added; nothing else does both.
    let upper = 0xf0f0_f0f0_f0f0_f0f0;
    if word & upper != ZEROS || word.wrapping_add(0x0606_0606_0606_0606) & upper != ZEROS {
        return None;
    }
    let pairs = (word - ZEROS).wrapping_mul(1 + (10 << 8)) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(1 + (100 << 16)) >> 16 & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(1 + (10_000 << 32)) >> 32)
}

/// What is longer than a window, or has more digits than are exact. Most of them are zeros at the end, which say nothing.
#[inline(never)]
pub(crate) fn long(text: &str) -> Option<f64> {
    if let Some((head, tail)) = text.as_bytes().split_first_chunk()
        && tail.iter().all(|byte| *byte == b'0')
        && head.contains(&b'.')
        && let Some(number) = short(*head, WINDOW)
    {
        return Some(number);
    }
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
