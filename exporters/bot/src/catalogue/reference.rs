//! The reference of what is compiled in, written from the catalogues and the tables in code.

use std::fmt::Write;

use super::{BUILT_IN, Catalogue, Values};
use crate::config::{FLAGS, PROGRAM};
use crate::show::OWN;
use common::config::flags;

/// `docs/bot-metrics.md`. The errors are those of the catalogues.
pub fn metrics() -> Result<String, Vec<String>> {
    let mut page = String::from(
        "# Metrics of bots\n\n\
         Made from `exporters/bot/catalogue/` by `make docs`; a test keeps it current. [bot-gateway.md](bot-gateway.md) says how they are\n\
         posted. Every one also takes the label `bot`; an event may leave that out, and every other label marked optional. A label with a\n\
         number has any value, and at most so many different ones; a label with words has one of these.\n",
    );
    for (file, text) in BUILT_IN {
        let one = Catalogue::of(&[(file.to_owned(), text.to_owned())])?;
        // Writing to a String cannot fail, here and below.
        let _ = write!(page, "\n## {file}\n\n| name | type | unit | labels | meaning |\n|---|---|---|---|---|\n");
        for family in &one.families {
            let label = |label: &super::Label| {
                let values = match &label.values {
                    Values::AtMost(most) => most.to_string(),
                    Values::OneOf(all) => all.join(", "),
                };
                format!("`{}` ({values}{})", label.name, if label.optional { "; optional" } else { "" })
            };
            let labels: Vec<String> = family.labels.iter().skip(1).map(label).collect();
            let (name, kind, unit, help) = (&family.name, family.shown_as().as_str(), &family.unit, &family.help);
            let _ = writeln!(page, "| `{name}` | {kind} | {unit} | {} | {help} |", labels.join(", "));
        }
        if !one.webhooks.is_empty() {
            page.push_str("\n| webhook | fields | meaning |\n|---|---|---|\n");
        }
        for (name, webhook) in &one.webhooks {
            let fields: Vec<String> =
                webhook.fields.iter().map(|(name, field)| format!("`{name}` {}", field.as_str())).collect();
            let _ = writeln!(page, "| `POST /events/{name}` | {} | {} |", fields.join(", "), webhook.help);
        }
    }
    page.push_str("\n## The gateway's own\n\n| name | type | labels | meaning |\n|---|---|---|---|\n");
    for (name, kind, labels, help) in OWN {
        let labels: Vec<String> =
            labels.split(", ").filter(|one| !one.is_empty()).map(|one| format!("`{one}`")).collect();
        let _ = writeln!(page, "| `{name}` | {} | {} | {help} |", kind.as_str(), labels.join(", "));
    }
    page.push_str("\nplus the usual `process_*` of the Prometheus client libraries.\n");
    Ok(page)
}

/// The table of flags in `docs/bot-gateway.md`.
pub fn flags() -> String {
    let head = "| flag | environment | default | meaning |\n|---|---|---|---|\n";
    format!("{head}{}", flags::rows(FLAGS, &PROGRAM.prefix()))
}
