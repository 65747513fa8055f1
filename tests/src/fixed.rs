//! Exact decimal numbers, so that what is sent and what is compared never passes through a float.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const PLACES: usize = 12;
const ONE: i128 = 10i128.pow(PLACES as u32);

/// A decimal number with twelve places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fixed(i128);

impl Fixed {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One.
    pub const ONE: Self = Self(ONE);

    /// `units` × 10^-`places`.
    #[must_use]
    pub const fn new(units: i128, places: u32) -> Self {
        Self(units * 10i128.pow(PLACES as u32 - places))
    }

    /// The product, cut to twelve places.
    #[must_use]
    pub const fn times(self, other: Self) -> Self {
        Self(self.0 * other.0 / ONE)
    }

    /// The quotient, cut to twelve places; by nothing it is nothing.
    #[must_use]
    pub const fn over(self, other: Self) -> Self {
        if other.0 == 0 {
            return Self::ZERO;
        }
        Self(self.0 * ONE / other.0)
    }

    /// The nearest multiple of `step` that is not larger.
    #[must_use]
    pub const fn floor_to(self, step: Self) -> Self {
        Self(self.0 - self.0.rem_euclid(step.0))
    }

    /// Whether it is neither more nor less than nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The number without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// This many times the number.
    #[must_use]
    pub const fn by(self, count: i64) -> Self {
        Self(self.0 * count as i128)
    }

    /// One unit of the sixth significant digit, but no finer than `finest` places: a plausible price step.
    #[must_use]
    pub fn step(self, finest: u32) -> Self {
        let digits = self.0.max(1).ilog10();
        Self(10i128.pow(digits.saturating_sub(5).max(PLACES as u32 - finest)))
    }

    /// As a float, for comparisons with what a client computed.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / ONE as f64
    }
}

impl Add for Fixed {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Fixed {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Fixed {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Fixed {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Fixed {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Fixed {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::ZERO, Add::add)
    }
}

impl From<i64> for Fixed {
    fn from(whole: i64) -> Self {
        Self::new(i128::from(whole), 0)
    }
}

/// A text that is not a decimal number of at most twelve places.
#[derive(Debug, PartialEq, Eq)]
pub struct NotDecimal(String);

impl fmt::Display for NotDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a decimal number of at most {PLACES} places: {}", self.0)
    }
}

impl std::error::Error for NotDecimal {}

impl FromStr for Fixed {
    type Err = NotDecimal;

    fn from_str(text: &str) -> Result<Self, NotDecimal> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let sound = !whole.is_empty() && whole.len() <= 20 && part.len() <= PLACES;
        if !sound || !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Err(NotDecimal(text.to_owned()));
        }
        let number = format!("{whole}{part:0<PLACES$}").parse().map_err(|_| NotDecimal(text.to_owned()))?;
        Ok(if text.starts_with('-') { -Self(number) } else { Self(number) })
    }
}

impl Serialize for Fixed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fixed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// `{}` shows no zeros at the end, `{:.8}` always eight places (cut, not rounded, beyond them).
impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.abs() / ONE, self.0.abs() % ONE);
        let digits = format!("{part:0PLACES$}");
        let shown = match f.precision() {
            Some(places) => &digits[..places.min(PLACES)],
            None => digits.trim_end_matches('0'),
        };
        match shown {
            "" => write!(f, "{sign}{whole}"),
            shown => write!(f, "{sign}{whole}.{shown}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fixed;

    #[test]
    fn reads_what_it_shows() {
        for text in ["0", "-0.561", "90787.7", "0.000000000001", "12"] {
            assert_eq!(text.parse::<Fixed>().unwrap().to_string(), text);
        }
        for text in ["", ".5", "1.0000000000001", "1e5", "--1", "1.2.3", "+1"] {
            assert!(text.parse::<Fixed>().is_err(), "{text}");
        }
    }

    #[test]
    fn shows_exact_text() {
        let price = Fixed::new(9_078_770, 2);
        assert_eq!(price.to_string(), "90787.7");
        assert_eq!(format!("{price:.8}"), "90787.70000000");
        assert_eq!(format!("{}", Fixed::ZERO - Fixed::new(561, 3)), "-0.561");
        assert_eq!(Fixed::new(3, 0).over(Fixed::new(4, 0)).to_string(), "0.75");
        assert_eq!(price.step(8).to_string(), "0.1");
        assert_eq!(Fixed::new(45, 7).step(8).to_string(), "0.00000001");
    }
}
