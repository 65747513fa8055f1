//! `check`: tells at once, in words, whether this configuration works.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::account;
use crate::config::Config;
use crate::context::Context;
use crate::fault::{Fault, Source};
use crate::metrics::health::{Standing, unix_now};
use crate::symbols::{Chosen, choose, spread};
use crate::upkeep::{load, take_stock};
use crate::web::config::WebConfig;
use crate::websocket::keeper::keep;

/// How long a connection may take to become live.
const PATIENCE: Duration = Duration::from_secs(30);
/// A skew beyond this costs signed requests on the strictest venue.
const SKEW: f64 = 1.0;

/// How a row of the table went.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Good,
    /// It works, and somebody should know.
    Warning,
    /// It does not work.
    Bad,
}

impl From<bool> for Mark {
    fn from(good: bool) -> Self {
        if good { Mark::Good } else { Mark::Bad }
    }
}

/// The table.
#[derive(Default)]
pub struct Report {
    rows: Vec<(&'static str, Mark, String)>,
}

impl Report {
    /// Adds a row.
    pub fn row(&mut self, what: &'static str, mark: impl Into<Mark>, told: impl Into<String>) {
        self.rows.push((what, mark.into(), told.into()));
    }

    /// Writes it: status 0 unless a row is bad.
    pub fn print(&self) -> ExitCode {
        let mut text = String::new();
        for (what, mark, told) in &self.rows {
            let mark = match mark {
                Mark::Good => "ok  ",
                Mark::Warning => "warn",
                Mark::Bad => "FAIL",
            };
            text.push_str(&format!("{mark}  {what:<14}  {told}\n"));
        }
        // A closed pipe is the reader's choice.
        let _ = std::io::stdout().write_all(text.as_bytes());
        if self.rows.iter().any(|(_, mark, _)| *mark == Mark::Bad) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// Tries everything once and prints a table; status 0 if all is well, else 1.
pub async fn run(context: Arc<Context>, config: &Config) -> ExitCode {
    let mut report = Report::default();
    let hosts = &config.setup.hosts;
    report.row("configuration", true, format!("{}, symbols {}", context.about.title, config.selection));
    if config.web_given {
        let (mark, told) = served(&config.web.config());
        report.row("web", mark, told);
    }
    match context.rest.measure_clock().await {
        Ok(()) => {
            let skew = context.health.skew().unwrap_or(0.0);
            report.row("REST", true, hosts.rest.as_ref());
            let cure = if skew.abs() < SKEW {
                ""
            } else {
                "; set this machine's clock, for example by chrony or systemd-timesyncd"
            };
            report.row("clock", skew.abs() < SKEW, format!("the venue's is {:+.3} s from this machine's{cure}", skew));
        }
        Err(fault) => {
            report.row("REST", false, format!("{}: {}", hosts.rest, told(&fault)));
            return report.print();
        }
    }
    match take_stock(&context).await {
        Ok(ranked) => {
            let chosen = choose(&config.selection, &ranked, &Default::default());
            report.row(
                "symbols",
                !chosen.wanted.is_empty(),
                format!("{} of {} listed", chosen.wanted.len(), ranked.len()),
            );
            for one in &chosen.rejected {
                report.row("symbol", false, format!("{}: {}", one.name, one.why));
            }
            stream(&context, &chosen, &mut report).await;
        }
        Err(fault) => report.row("symbols", false, told(&fault)),
    }
    match &context.desk {
        Some(desk) => account::check::run(&context, desk, &mut report).await,
        None if config.unfilled.is_empty() => report.row("credentials", true, "none: market data only"),
        None => {
            let files = config.unfilled.join(", ");
            report.row("credentials", true, format!("none, the files are empty: market data only ({files})"));
        }
    }
    limits(&context, &mut report);
    report.print()
}

/// What the web configuration comes to.
fn served(web: &WebConfig) -> (Mark, String) {
    let scheme = if web.tls.is_some() { "HTTPS" } else { "plain HTTP" };
    let mut told = match web.users.len() {
        0 => format!("{scheme}, no password"),
        count => format!("{scheme}, users: {count}"),
    };
    for warning in &web.warnings {
        told.push_str(&format!("; {warning}"));
    }
    (if web.warnings.is_empty() { Mark::Good } else { Mark::Warning }, told)
}

/// What the venue's limiters have left.
fn limits(context: &Context, report: &mut Report) {
    for (name, state) in context.health.limits() {
        let left = state.left().zip(state.limit).map(|(left, limit)| format!("{name}: {left} of {limit} left"));
        let shut = state.reset.map(|reset| format!("{name}: kept out for {:.0} s more", reset - unix_now()));
        match (shut, left) {
            (Some(told), _) => report.row("limit", false, told),
            (None, Some(told)) => report.row("limit", true, told),
            (None, None) => {}
        }
    }
}

/// Brings up the first connection.
async fn stream(context: &Arc<Context>, chosen: &Chosen, report: &mut Report) {
    let table = context.board.set(chosen);
    let lines = spread(&chosen.wanted, chosen.pilot.as_ref(), context.about.symbols_per_line, &[]);
    let count = lines.len();
    let Some(first) = lines.into_iter().next() else { return };
    let (_cargo, receive) = watch::channel(load(context, &table, first));
    let keeper = tokio::task::spawn_local(keep(Arc::clone(context), 0, receive));
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline && !context.health.connected(Source::Public) {
        sleep(Duration::from_millis(20)).await;
    }
    let host = context.stream_host(Source::Public);
    match context.health.lines(Source::Public).pop() {
        Some(line) if line.standing == Standing::Live => {
            let heard = context.health.last_message(Source::Public).map_or(0.0, |at| unix_now() - at);
            report.row(
                "stream",
                true,
                format!("{host}: the first of {count} connections is live, last frame {:.1} s ago", heard),
            );
        }
        Some(line) => {
            let why = context.health.recent().first().map(|recent| told(&recent.fault));
            report.row("stream", false, format!("{}: {}", line.host, why.unwrap_or_else(|| "no data in time".into())));
        }
        None => report.row("stream", false, format!("{host}: not dialled")),
    }
    keeper.abort();
}

/// The fault and its likely cure.
pub fn told(fault: &Fault) -> String {
    match cure(fault) {
        "" => fault.to_string(),
        cure => format!("{fault}; {cure}"),
    }
}

/// The likely cure, where the fault itself does not name one.
fn cure(fault: &Fault) -> &'static str {
    use crate::fault::Kind;
    if fault.cause.is_some() {
        return "";
    }
    match fault.kind {
        Kind::Network => "check the address, DNS, the firewall and the proxy",
        Kind::Timeout => "check the firewall, and try again: the venue may be slow",
        Kind::Tls => "check the certificate authorities (ca-certificates, SSL_CERT_FILE) and this machine's clock",
        Kind::RateLimit => "another process on this address uses up the venue's limit; wait, and lower its use",
        Kind::Maintenance => "the venue is down for work; try again later",
        Kind::Permission => "the venue refuses this address or country; use another host of the venue",
        Kind::Auth | Kind::ClockSkew => "check the key and this machine's clock",
        Kind::Venue | Kind::Decode | Kind::Protocol => "check that the address is the venue's own API",
    }
}
