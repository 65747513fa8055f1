//! The status page: which bots speak, of what, and what was refused.

use common::metrics::health::unix_now;
use common::web::page::{frame, span};
use maud::{Markup, html};

use crate::catalogue::Family;
use crate::gateway::{Gateway, Inner};
use crate::store::Shelf;

/// Rows of a table; the metrics have them all.
const ROWS: usize = 100;

/// The page.
pub fn render(gateway: &Gateway, telemetry_path: &str) -> String {
    let now = unix_now();
    let body = gateway.look(|inner| {
        html! {
            (summary(gateway, inner))
            (bots(inner, now))
            (families(gateway, inner))
            (refused(inner, now))
        }
    });
    frame("Bots", telemetry_path, &gateway.complaints(), &body, "Everything is well.")
}

fn summary(gateway: &Gateway, inner: &Inner) -> Markup {
    let count = |count: &std::sync::atomic::AtomicU64| count.load(std::sync::atomic::Ordering::Relaxed);
    let saved = count(&gateway.own.saved_at);
    html! {
        dl.summary {
            div { dt { "events applied" } dd { (count(&gateway.own.applied)) } }
            div { dt { "repeated" } dd { (count(&gateway.own.repeated)) } }
            div { dt { "posts refused" } dd { (gateway.own.refused.iter().map(count).sum::<u64>()) } }
            div { dt { "series" } dd { (inner.store.weight()) " of " (inner.store.most()) } }
            div { dt { "ids of an hour" } dd { (inner.store.ids.count()) } }
            div { dt { "state written" } dd {
                @if saved == 0 { "never" } @else { (span(unix_now() - saved as f64)) " ago" }
            } }
        }
    }
}

fn bots(inner: &Inner, now: f64) -> Markup {
    html! {
        section {
            h2 { "Bots" }
            @if inner.bots.is_empty() { p.quiet { "none has posted since the start" } } @else {
                table {
                    thead { tr { th { "bot" } th.number { "events" } th.number { "last event" } } }
                    tbody {
                        @for (bot, heard) in inner.bots.iter().take(ROWS) {
                            tr {
                                td { @if bot.is_empty() { span.quiet { "without a name" } } @else { b { (bot) } } }
                                td.number { (heard.events) }
                                td.number { (span(now - heard.at)) " ago" }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn families(gateway: &Gateway, inner: &Inner) -> Markup {
    let spoken: Vec<(&Family, &Shelf)> = inner.store.families().filter(|(_, shelf)| !shelf.series.is_empty()).collect();
    let running = gateway.now().running;
    let last = |shelf: &Shelf| shelf.series.values().map(|one| one.spoken).max().unwrap_or_default();
    html! {
        section {
            h2 { "Metrics" }
            p.quiet { (spoken.len()) " of " (gateway.catalogue.families.len()) " that the catalogue declares" }
            @if !spoken.is_empty() {
                table {
                    thead { tr { th { "metric" } th { "type" } th { "unit" } th.number { "series" } th.number { "last event" } } }
                    tbody {
                        @for (family, shelf) in spoken.iter().take(ROWS) {
                            tr {
                                td { b { (family.name) } }
                                td { (family.shown_as().as_str()) }
                                td { (family.unit) }
                                td.number { (shelf.series.len()) }
                                td.number { (span(running.saturating_sub(last(shelf)).as_secs_f64())) " ago" }
                            }
                        }
                    }
                }
                @if spoken.len() > ROWS { p.quiet { "and " (spoken.len() - ROWS) " more" } }
            }
        }
    }
}

fn refused(inner: &Inner, now: f64) -> Markup {
    html! {
        section {
            h2 { "Last refusals" }
            @if inner.recent.is_empty() { p.quiet { "none since the start" } } @else {
                table {
                    thead { tr { th { "when" } th { "reason" } th { "what the sender was told" } } }
                    tbody {
                        @for one in &inner.recent {
                            tr {
                                td { (span(now - one.at)) " ago" }
                                td { (one.refusal.reason.as_str()) }
                                td { (one.refusal) }
                            }
                        }
                    }
                }
            }
        }
    }
}
