//! The status page: one look tells whether this exporter is well. No script, no external asset; it refreshes itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::account;
use crate::context::Context;
use crate::fault::Source;
use crate::metrics::board::{Row, Table};
use crate::metrics::cell::Shown;
use crate::metrics::health::{LineState, Recent, Standing, unix_now};

/// Seconds between refreshes.
const REFRESH: u32 = 5;
/// Symbols on one page; the search finds the others.
const ROWS: usize = 250;

const STYLE: &str = include_str!("page.css");

/// The page.
pub fn render(context: &Context, telemetry_path: &str, search: &str) -> String {
    let about = context.about;
    let table = context.board.table();
    let complaints = context.health.complaints();
    let now = unix_now();
    let lines: Vec<LineState> =
        [Source::Public, Source::Private].into_iter().flat_map(|source| context.health.lines(source)).collect();
    let body = html! {
        (summary(context, &table, now))
        (connections(&lines, now))
        (account::section(context, now))
        (symbols(context, &table, search, now))
        (errors(&context.health.recent(), now))
    };
    frame(about.title, telemetry_path, &complaints, &body, WELL)
}

/// What a page says while nothing is wrong.
const WELL: &str = "Everything is well: every connection is live.";

/// A page of any program of the suite: its head, what is wrong with it, and what it has to show.
pub fn frame(title: &str, telemetry_path: &str, complaints: &[String], body: &Markup, well: &str) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="refresh" content=(REFRESH);
                title { (if complaints.is_empty() { "● " } else { "○ " }) (title) " exporter" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) span { "exporter " (env!("CARGO_PKG_VERSION")) } }
                    nav {
                        a href=(telemetry_path) { "metrics" }
                        a href="/health" { "health" }
                        a href="/-/ready" { "ready" }
                    }
                }
                (verdict(complaints, well))
                (body)
                footer { "Refreshes every " (REFRESH) " s. A value that is unknown is not shown, here and in the metrics." }
            }
        }
    }
    .into_string()
}

fn verdict(complaints: &[String], well: &str) -> Markup {
    html! {
        @if complaints.is_empty() {
            p.verdict.good { (well) }
        } @else {
            div.verdict.bad {
                @for complaint in complaints.iter().take(5) { p { (complaint) } }
                @if complaints.len() > 5 { p { "and " (complaints.len() - 5) " more" } }
            }
        }
    }
}

fn summary(context: &Context, table: &Table, now: f64) -> Markup {
    let known = context.health.known();
    let clock = context.board.now();
    let streaming = table.rows.iter().filter(|row| !row.show(clock).updated.is_nan()).count();
    let last = context.health.last_message(Source::Public);
    let optional = |value: Option<String>| value.unwrap_or_else(|| "unknown".into());
    html! {
        dl.summary {
            div { dt { "symbols streaming" } dd { (streaming) " of " (table.rows.len()) } }
            div { dt { "last frame" } dd { (optional(last.map(|at| format!("{} ago", span(now - at))))) } }
            div { dt { "venue" } dd { (known.up.map_or("unknown", |up| if up { "up" } else { "down" })) } }
            div { dt { "clock skew" } dd { (optional(known.skew.map(|skew| format!("{:+.0} ms", skew * 1e3)))) } }
            div { dt { "REST round trip" } dd { (optional(known.latency.map(span))) } }
            div { dt { "symbols listed" } dd { (optional(known.listed_at.map(|at| format!("{} ago", span(now - at))))) } }
        }
    }
}

fn connections(lines: &[LineState], now: f64) -> Markup {
    html! {
        section {
            h2 { "Connections" }
            @if lines.is_empty() { p.quiet { "none yet" } } @else {
                table {
                    thead { tr { th { "stream" } th { "to" } th { "state" } th.number { "since" } th.number { "symbols" } } }
                    tbody {
                        @for line in lines {
                            @let (class, word) = standing(&line.standing);
                            tr {
                                td { (line.source.as_str()) }
                                td { (line.host) }
                                td class=(class) { (word) }
                                td.number { (span(now - line.since)) }
                                td.number { @if line.source == Source::Public { (line.symbols) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn standing(standing: &Standing) -> (&'static str, String) {
    match standing {
        Standing::Live => ("good", "live".into()),
        Standing::Dialling => ("pending", "connecting".into()),
        Standing::Opening => ("pending", "subscribing".into()),
        Standing::Waiting(why) => ("bad", format!("waiting to reconnect: {why}")),
    }
}

fn symbols(context: &Context, table: &Table, search: &str, now: f64) -> Markup {
    let wanted = search.trim().to_uppercase();
    let found: Vec<&Arc<Row>> = table.rows.iter().filter(|row| row.symbol.contains(&wanted)).collect();
    let clock = context.board.now();
    html! {
        section {
            h2 { "Symbols" }
            form method="get" action="/" {
                input type="search" name="symbol" value=(search) placeholder="find a symbol" aria-label="find a symbol";
                @if found.len() > ROWS { span.quiet { "the first " (ROWS) " of " (found.len()) } }
            }
            table {
                thead {
                    tr {
                        th { "symbol" } th.number { "last" } th.number { "bid" } th.number { "ask" }
                        th.number { "24 h" } th.number { "24 h volume" } th.number { "age" }
                    }
                }
                tbody { @for row in found.iter().take(ROWS) { (symbol(row, &row.show(clock), now)) } }
            }
            @if !table.rejected.is_empty() {
                h3 { "Not streamed" }
                ul { @for one in table.rejected.iter().take(ROWS) { li { b { (one.name) } ": " (one.why) } } }
            }
        }
    }
}

fn symbol(row: &Row, shown: &Shown, now: f64) -> Markup {
    let [last, bid, ask, volume, _, _, _, change] = shown.figures;
    let direction = if change > 0.0 {
        "number up"
    } else if change < 0.0 {
        "number down"
    } else {
        "number"
    };
    html! {
        tr {
            td { b { (row.instrument.base) } "/" (row.instrument.quote) }
            @if row.unlisted.load(Ordering::Relaxed) {
                td.bad colspan="6" { "the venue does not stream it" }
            } @else if shown.updated.is_nan() {
                td.quiet colspan="6" { "no word yet" }
            } @else {
                td.number { (figure(last)) }
                td.number { (figure(bid)) }
                td.number { (figure(ask)) }
                td class=(direction) { @if !change.is_nan() { (format!("{:+.2} %", change * 100.0)) } }
                td.number { (rounded(volume)) }
                td.number { (span(now - shown.updated)) }
            }
        }
    }
}

fn errors(recent: &[Recent], now: f64) -> Markup {
    html! {
        section {
            h2 { "Last errors" }
            @if recent.is_empty() { p.quiet { "none since the start" } } @else {
                table {
                    thead { tr { th { "when" } th { "where" } th { "kind" } th { "what" } } }
                    tbody {
                        @for one in recent {
                            tr {
                                td { (span(now - one.at)) " ago" }
                                td { (one.source.as_str()) }
                                td { (one.fault.kind.as_str()) }
                                td { (one.fault.detail) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn figure(value: f64) -> String {
    if value.is_nan() { String::new() } else { format!("{value}") }
}

/// Volumes need no more than a reading at a glance.
fn rounded(value: f64) -> String {
    match value {
        value if value.is_nan() => String::new(),
        value if value >= 1e9 => format!("{:.2} G", value / 1e9),
        value if value >= 1e6 => format!("{:.2} M", value / 1e6),
        value if value >= 1e3 => format!("{:.2} k", value / 1e3),
        value => format!("{value:.2}"),
    }
}

/// A length of time, as people say it.
pub fn span(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 0.01 => format!("{:.1} ms", seconds.max(0.0) * 1e3),
        seconds if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        seconds if seconds < 60.0 => format!("{seconds:.0} s"),
        seconds if seconds < 3600.0 => format!("{:.0} min", (seconds / 60.0).floor()),
        seconds if seconds < 86_400.0 => format!("{:.0} h", (seconds / 3600.0).floor()),
        seconds => format!("{:.0} d", (seconds / 86_400.0).floor()),
    }
}
