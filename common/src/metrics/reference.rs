//! The metric reference, written from the table.

use std::fmt::Write;

use super::vocabulary::{ALL, COLUMNS, COMPAT, Compat};

/// `docs/metrics.md`.
pub fn reference() -> String {
    let mut page = String::from(
        "# Metrics\n\n\
         Made from `common/src/metrics/vocabulary.rs` by `make docs`; a test keeps it current.\n\n\
         Every metric carries `exchange`. `symbol` is base and quote in upper case with no separator, the same on every\n\
         venue; `market` is `spot`. A value that is unknown has no series: never 0, never a guess, and never a value from\n\
         before the connection was lost ([when a price counts](architecture.md#when-a-price-counts)).\n\n\
         | name | type | labels | meaning |\n|---|---|---|---|\n",
    );
    let list = |labels: &[&str]| labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
    for metric in ALL {
        let (name, kind, help) = (metric.name, metric.kind.as_str(), metric.help);
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| `{name}` | {kind} | {} | {help} |", list(metric.labels));
    }
    page.push_str(
        "\nplus the usual `process_*` of the Prometheus client libraries.\n\n\
         ## Compatibility names\n\n\
         On unless `--metrics.compat=false`. `V` is the venue's name; the values come from the same cells in the same\n\
         scrape, for spot symbols only.\n\n\
         | name | type | labels | meaning |\n|---|---|---|---|\n",
    );
    let compat = COLUMNS.iter().filter_map(|column| column.compat.as_ref()).chain(COMPAT.iter().copied());
    for Compat { suffix, help, kind, labels } in compat {
        let prefix = if suffix.starts_with("exchange_") { "" } else { "V_" };
        let _ = writeln!(page, "| `{prefix}{suffix}` | {} | {} | {help} |", kind.as_str(), list(labels));
    }
    page
}
