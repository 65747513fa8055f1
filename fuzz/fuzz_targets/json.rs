//! The reader of hot frames against serde_json: of what is JSON both read the same.
#![no_main]

use std::collections::BTreeMap;

use common::Said;
use common::json::Reader;
use common::keys::{Key, key};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

fuzz_target!(|text: &str| {
    let mut reader = Reader::new(text);
    let skipped = reader.skip().and_then(|()| reader.end());
    let object = walk(text, &[]);
    let _ = Reader::new(text).top();
    let (number, whole) = (Reader::new(text).number(), Reader::new(text).whole());
    if let Ok(Said::Number(number)) = number {
        assert!(number.is_finite());
    }
    if let (Ok(Said::Number(number)), Ok(Some(whole))) = (&number, &whole) {
        assert_eq!(*number, *whole as f64, "one number, two values");
    }
    // serde_json gives up at a depth of 128, the reader does not.
    let Ok(raw) = serde_json::from_str::<&RawValue>(text) else { return };
    skipped.expect("JSON is passed over whole");
    match raw.get().as_bytes()[0] {
        b'{' => {
            assert!(object.is_some(), "an object is walked");
            keys(text, &serde_json::from_str(text).expect("an object"));
        }
        _ => scalar(Reader::new(text), raw),
    }
});

/// A number or a string is what serde_json takes it for.
fn scalar(reader: Reader<'_>, raw: &RawValue) {
    let (number, whole, text) = (reader.clone().number(), reader.clone().whole(), reader.clone().text());
    match raw.get().as_bytes()[0] {
        b'-' | b'0'..=b'9' => {
            let expected = raw.get().parse::<f64>().ok().filter(|number| number.is_finite());
            assert_eq!(number.ok().and_then(Said::number).map(f64::to_bits), expected.map(f64::to_bits));
            assert_eq!(whole.ok().flatten(), raw.get().parse().ok());
        }
        b'"' => {
            // Half a surrogate is JSON and no text.
            let Ok(meant) = serde_json::from_str::<String>(raw.get()) else { return };
            assert!(text.as_ref().map_or(raw.get().contains('\\'), |text| *text == meant), "{text:?}");
        }
        _ => {}
    }
}

/// Every wanted key of an object and where its value is; of a key that comes twice the last one.
fn walk<'f>(text: &'f str, wanted: &[Key<'_, usize>]) -> Option<BTreeMap<usize, Reader<'f>>> {
    let mut found = BTreeMap::new();
    let mut reader = Reader::new(text);
    let walked = reader.object(wanted, |name, value| {
        found.insert(name, *value);
        value.skip()
    });
    walked.and_then(|()| reader.end()).ok().map(|()| found)
}

/// The keys of an object are found, whichever of them were foreseen and in whatever order.
fn keys(text: &str, serde: &BTreeMap<String, &RawValue>) {
    // Keys are compared as they are written: names of venues have no escapes.
    if text.contains('\\') {
        return;
    }
    let names: Vec<&String> = serde.keys().collect();
    let foreseen: Vec<Key<'_, usize>> = names.iter().enumerate().map(|(place, name)| key(name, place)).collect();
    let backwards: Vec<Key<'_, usize>> = foreseen.iter().rev().copied().collect();
    let some: Vec<Key<'_, usize>> = foreseen.iter().step_by(2).copied().collect();
    for wanted in [foreseen, backwards, some] {
        let found = walk(text, &wanted).expect("an object is walked");
        for (place, value) in found {
            scalar(value, serde[names[place]]);
        }
    }
}
