//! The reference pages are what the catalogues and the tables in code say. `make docs` rewrites them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bot::catalogue::reference;
use bot::show::OWN;
use common::metrics::vocabulary::Type;

const BEGIN: &str = "<!-- flags: begin -->\n";
const END: &str = "<!-- flags: end -->";

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

fn current(name: &str, wanted: &str) -> io::Result<()> {
    let path = page(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, wanted)?;
    }
    let found = fs::read_to_string(&path)?;
    assert!(found == wanted, "docs/{name} is not what the code says; run `make docs`");
    Ok(())
}

#[test]
fn the_metric_reference_is_current() -> io::Result<()> {
    let wanted = reference::metrics().unwrap_or_else(|errors| panic!("{errors:?}"));
    current("bot-metrics.md", &wanted)
}

#[test]
fn the_flags_in_the_page_are_current() -> io::Result<()> {
    let text = fs::read_to_string(page("bot-gateway.md"))?;
    let (head, rest) = text.split_once(BEGIN).expect("the page has a mark");
    let (_, tail) = rest.split_once(END).expect("the page has a mark");
    current("bot-gateway.md", &format!("{head}{BEGIN}{}{END}{tail}", reference::flags()))
}

/// The rules of the ecosystem, for the gateway's own names.
#[test]
fn own_names_follow_the_rules() {
    for (name, kind, _, help) in OWN {
        assert!(name.starts_with("bot_gateway_"), "{name}: one prefix");
        assert_eq!(name.ends_with("_total"), kind == Type::Counter, "{name}");
        assert_eq!(name.ends_with("_info"), kind == Type::Info, "{name}");
        assert!(help.ends_with('.'), "{name}: the help is a sentence");
    }
}
