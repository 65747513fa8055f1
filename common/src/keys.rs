//! Which keys of an object mean what, in the order in which a venue writes them. The order is a guess at where to look first: a key that
//! was foreseen is told by one comparison, one that was not is looked up.

use crate::scan::{self, STEP};

/// A key of an object, and what its value is.
#[derive(Clone, Copy, Debug)]
pub struct Key<'k, T> {
    name: &'k str,
    /// `None` where nobody wants it.
    what: Option<T>,
    place: Place,
    /// The key as it is written, quotes and colon included: its first bytes, and its last ones where it is longer.
    head: u128,
    mask: u128,
    tail: u128,
}

/// Where it is in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    First,
    Amid,
    Last,
}

/// A key whose value is wanted.
pub const fn key<T: Copy>(name: &str, what: T) -> Key<'_, T> {
    written(name, Some(what))
}

/// A key whose value is passed over. Those that were never heard of are, too; to name it keeps the order.
pub const fn idle<T: Copy>(name: &str) -> Key<'_, T> {
    written(name, None)
}

const fn written<T: Copy>(name: &str, what: Option<T>) -> Key<'_, T> {
    let length = name.len() + 3;
    let mask = if length < STEP { (1 << (8 * length)) - 1 } else { u128::MAX };
    let (head, tail) = (bytes(name, 0) & mask, bytes(name, length.saturating_sub(STEP)));
    Key { name, what, place: Place::Amid, head, mask, tail }
}

/// Sixteen bytes of `"name":`, the first of them the lowest.
const fn bytes(name: &str, from: usize) -> u128 {
    let name = name.as_bytes();
    let mut word = 0;
    let mut place = STEP;
    while place > 0 {
        place -= 1;
        let at = from + place;
        let byte = match at {
            0 => b'"',
            _ if at <= name.len() => name[at - 1],
            _ if at == name.len() + 1 => b'"',
            _ => b':',
        };
        word = word << 8 | byte as u128;
    }
    word
}

impl<T: Copy> Key<'_, T> {
    /// Objects begin with it.
    pub const fn first(self) -> Self {
        Self { place: Place::First, ..self }
    }

    /// Where all keys from a first one to this came in their order, nothing behind it is wanted, and the rest is passed over in one.
    pub const fn last(self) -> Self {
        Self { place: Place::Last, ..self }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.name
    }

    /// What its value is, where somebody wants it.
    pub fn what(&self) -> Option<T> {
        self.what
    }

    /// Where it is in the order.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// What stands behind it, where a text begins with it.
    #[inline(always)]
    pub(crate) fn behind<'f>(&self, text: &'f [u8]) -> Option<&'f [u8]> {
        let length = self.name.len() + 3;
        let head = u128::from_le_bytes(text.first_chunk().copied().unwrap_or_else(|| scan::padded(text)));
        if (head ^ self.head) & self.mask != 0 {
            return None;
        }
        let (written, behind) = text.split_at_checked(length)?;
        match written.last_chunk::<STEP>() {
            Some(tail) if u128::from_le_bytes(*tail) != self.tail => None,
            _ => Some(behind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_from_all_others() {
        let names = ["", "a", "b", "ab", "thirteen_long", "thirteen_lonG", "fourteen__long", "best_bid_quantity"];
        let longest = "a_key_that_is_longer_than_two_whole_steps";
        let longer = "a_key_that_is_longer_than_two_whole_stepz";
        for name in names.into_iter().chain([longest, longer]) {
            let text = format!("\"{name}\":1,\"what\":\"follows\"");
            for other in names.into_iter().chain([longest, longer]) {
                let behind = key(other, ()).behind(text.as_bytes());
                let expected = (name == other).then_some(&b"1,\"what\":\"follows\""[..]);
                assert_eq!(behind, expected, "{other} in {text}");
            }
            for end in 0..name.len() + 3 {
                assert_eq!(key(name, ()).behind(&text.as_bytes()[..end]), None, "{name}, {end} bytes of it");
            }
        }
    }
}
