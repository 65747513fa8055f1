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
const EXACT: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// Decimal text to the nearest f64, the same value that `str::parse` gives, or `None` unless finite.
///
/// Prices have few digits: up to 2^53 over a power of ten up to 10^22 both are exact, and one division rounds
/// correctly (Clinger's fast path). All else goes to the standard library.
#[inline]
pub fn decimal(text: &str) -> Option<f64> {
    exact(text).or_else(|| slow(text))
}

#[inline]
fn exact(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let (negative, bytes) = match bytes.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, bytes),
    };
    // 19 digits cannot overflow a u64.
    if bytes.len() > 20 {
        return None;
    }
    let (mantissa, rest) = digits(0, bytes);
    let (mantissa, decimals) = match rest.split_first() {
        None => (mantissa, 0),
        Some((b'.', fraction)) => match digits(mantissa, fraction) {
            (mantissa, []) => (mantissa, fraction.len()),
            _ => return None,
        },
        Some(_) => return None,
    };
    let figures = bytes.len() - usize::from(!rest.is_empty());
    if figures == 0 || figures > 19 || mantissa > 1 << 53 {
        return None;
    }
    // Fits: `mantissa` is at most 2^53 and `decimals` at most 19.
    let value = mantissa as f64 / EXACT.get(decimals)?;
    Some(if negative { -value } else { value })
}

/// Appends the digits that the text starts with to a number, eight at a time as long as there are eight; and the rest.
#[inline]
fn digits(mut number: u64, mut text: &[u8]) -> (u64, &[u8]) {
    while let Some((eight, more)) = text.split_first_chunk()
        && let Some(block) = eight_digits(*eight)
    {
        number = number.wrapping_mul(100_000_000).wrapping_add(block);
        text = more;
    }
    while let [digit @ b'0'..=b'9', more @ ..] = text {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        text = more;
    }
    (number, text)
}

/// The value of eight digits, if all eight are: pairs, then fours, then eight are added up side by side in one register.
#[inline]
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let word = u64::from_le_bytes(text);
    // A digit's upper half is 3 and stays 3 when 6 is added; nothing else does both.
    let upper = 0xf0f0_f0f0_f0f0_f0f0;
    if word & upper != ZEROS || word.wrapping_add(0x0606_0606_0606_0606) & upper != ZEROS {
        return None;
    }
    let pairs = (word - ZEROS).wrapping_mul(1 + (10 << 8)) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(1 + (100 << 16)) >> 16 & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(1 + (10_000 << 32)) >> 32)
}

/// What has more digits than `exact` can take. Many of them are zeros at the end, which say nothing.
#[cold]
fn slow(text: &str) -> Option<f64> {
    let numeric = |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E');
    // The standard parser takes "inf" and "NaN" too; no venue means them.
    if !text.bytes().all(numeric) {
        return None;
    }
    let short = if text.contains('.') { text.trim_end_matches('0') } else { text };
    exact(short).or_else(|| text.parse().ok().filter(|value: &f64| value.is_finite()))
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
