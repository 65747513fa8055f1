//! Lists of which every row is read by itself: one that cannot be read is counted and loses no other.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::fault::{Fault, excerpt};
use crate::update::{Tell, Update};

/// A JSON array.
#[derive(Debug)]
pub struct Rows<T> {
    good: Vec<T>,
    bad: usize,
    first: String,
}

impl<T> Rows<T> {
    /// How many rows came, those that cannot be read too: whether a page is full.
    pub fn count(&self) -> usize {
        self.good.len() + self.bad
    }

    /// The rows that could be read; tells of the others.
    pub fn good(self, tell: Tell<'_, '_>) -> Vec<T> {
        if self.bad > 0 {
            let detail = format!("{} of {} rows not understood, the first: {}", self.bad, self.count(), self.first);
            tell(Update::Misread(Fault::decode(detail)));
        }
        self.good
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<T> {
            type Value = Rows<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Rows<T>, A::Error> {
                let mut rows = Rows { good: Vec::new(), bad: 0, first: String::new() };
                while let Some(row) = seq.next_element::<&'de RawValue>()? {
                    match serde_json::from_str(row.get()) {
                        Ok(good) => rows.good.push(good),
                        Err(error) => {
                            if rows.bad == 0 {
                                rows.first = format!("{error}: {}", excerpt(row.get()));
                            }
                            rows.bad += 1;
                        }
                    }
                }
                Ok(rows)
            }
        }
        deserializer.deserialize_seq(Each(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_row_loses_no_other_and_is_told() {
        let rows: Rows<(u8, &str)> = serde_json::from_str(r#"[[1,"a"],[null,"b"],{},[2,"c"]]"#).unwrap();
        assert_eq!(rows.count(), 4);
        let mut told = Vec::new();
        let good = rows.good(&mut |update| told.push(format!("{update:?}")));
        assert_eq!(good, [(1, "a"), (2, "c")]);
        assert!(told.len() == 1 && told[0].contains("2 of 4 rows"), "{told:?}");
        assert!(serde_json::from_str::<Rows<u8>>("[1,2").is_err(), "half a list is none");
    }
}
