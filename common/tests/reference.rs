//! The reference pages are what the tables in code say. `make docs` rewrites them.

use std::fs;
use std::io;
use std::path::Path;

use common::config::flags;
use common::metrics::reference::reference;
use common::metrics::vocabulary::{ALL, COLUMNS, COMPAT, Type};

fn current(page: &str, wanted: &str) -> io::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, wanted)?;
    }
    let found = fs::read_to_string(&path)?;
    assert!(found == wanted, "docs/{page} is not what the code says; run `make docs`");
    Ok(())
}

#[test]
fn the_metric_reference_is_current() -> io::Result<()> {
    current("metrics.md", &reference())
}

#[test]
fn the_configuration_reference_is_current() -> io::Result<()> {
    current("configuration.md", &flags::reference())
}

/// The rules of the ecosystem, for our own names; those of before are what they are.
#[test]
fn names_follow_the_rules() {
    for metric in ALL {
        let name = metric.name;
        assert!(name.starts_with("exchange_"), "{name}: one prefix");
        assert_eq!(
            name.ends_with("_total"),
            metric.kind == Type::Counter,
            "{name}: counters end in _total, nothing else does"
        );
        assert_eq!(name.ends_with("_info"), metric.kind == Type::Info, "{name}: infos end in _info");
        assert!(!name.contains("percent") && !name.contains("milliseconds"), "{name}: base units");
        assert!(metric.help.ends_with('.'), "{name}: the help is a sentence");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{name}: lower case");
    }
}

#[test]
fn no_name_is_given_twice() {
    let canonical = ALL.iter().map(|metric| metric.name.to_owned());
    let compat = COLUMNS.iter().filter_map(|column| column.compat.as_ref()).chain(COMPAT.iter().copied());
    let mut names: Vec<String> = canonical.chain(compat.map(|compat| compat.name("okx"))).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}
