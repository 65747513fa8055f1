//! What the gateway's own catalogues declare.

use fake_venues::stack::repository;
use std::collections::BTreeSet;
use std::fs;

/// The names of all families.
pub fn families() -> BTreeSet<String> {
    let files = fs::read_dir(repository().join("exporters/bot/catalogue")).unwrap();
    let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let declared = |text: String| {
        let names = text.lines().filter_map(|line| line.strip_prefix("[family.")?.strip_suffix(']')).map(str::to_owned);
        names.collect::<Vec<_>>()
    };
    let families: BTreeSet<String> = texts.flat_map(declared).collect();
    assert!(families.len() > 70, "only {} families were found", families.len());
    families
}
