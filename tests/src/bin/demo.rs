//! `make demo` and `make run`: the whole suite on this machine, with nothing installed and nothing left behind.
//!
//! Everything that is started belongs to one [`Suite`], which ends it, whatever way this program takes out: a signal, a
//! failure, or a child that died. Release builds abort on a panic, so nothing here may panic: not even on a closed
//! standard output, which is why it never uses `println!`.

use clap::{Parser, ValueEnum};
use fake_venues::bots::Trouble;
use fake_venues::stack::{
    Endpoint, Market, Ports, Progress, Row, Suite, Target, VENUES, binaries, get, prometheus, render, until_ready,
};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

/// Start the five exporters, the bot gateway, Prometheus and Alertmanager on this machine, until Ctrl-C; with fake venues, bots that
/// trade there too.
#[derive(Debug, Parser)]
struct Options {
    /// Talk to the venues themselves, configured by the environment, instead of fake ones.
    #[arg(long)]
    live: bool,
    /// The first exporter's port; the bot gateway is 5 above it, Prometheus 1090 and Alertmanager 1093.
    #[arg(long, env = "PORT_BASE", default_value_t = Ports::DEFAULT_BASE,
          value_parser = clap::value_parser!(u16).range(1..=i64::from(Ports::LARGEST_BASE)))]
    port_base: u16,
    /// What goes wrong with the bots that trade on the fake venues; may be repeated.
    #[arg(long, conflicts_with = "live")]
    trouble: Vec<Trouble>,
    /// How many seconds everything may take to become healthy.
    #[arg(long, env = "START_TIMEOUT", default_value_t = 60)]
    timeout: u64,
    /// Where the built programs are, if not beside this one.
    #[arg(long)]
    binaries: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let taken = Ports::from_base(options.port_base).taken();
    if !taken.is_empty() {
        taken.iter().for_each(|sentence| complain(sentence));
        complain("nothing was started; end those, or shift all ports: make demo PORT_BASE=18000");
        return ExitCode::from(2);
    }
    match supervise(&options).await {
        Ok(code) => code,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Runs the suite until it fails or a signal comes. Whatever was started ends here.
async fn supervise(options: &Options) -> io::Result<ExitCode> {
    // First of all: from here on no signal ends us without the cleaning up.
    let mut signals = Signals::new()?;
    let binaries = options.binaries.clone().map_or_else(binaries, Ok)?;
    let mut suite = Suite::new(Ports::from_base(options.port_base), &binaries)?;
    let mut healthy = false;
    let outcome = tokio::select! {
        number = signals.next() => Ok(number),
        failure = run(&mut suite, options, &mut healthy) => failure.map(|never| match never {}),
    };
    say("\nStopping.");
    suite.stop();
    let number = outcome?;
    // To stop a demo that runs is how it ends well; to stop one that has not come up is an interruption.
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::from(128 + number) })
}

/// Starts everything, shows it, and watches it. Ends only by failing.
async fn run(suite: &mut Suite, options: &Options, healthy: &mut bool) -> io::Result<std::convert::Infallible> {
    let limit = Duration::from_secs(options.timeout);
    let (monitored, fakes) = start(suite, options).await?;
    let missing = until_ready(suite, limit, report).await?;
    // A venue that this network may not reach is no reason to stop showing the other four.
    if !missing.is_empty() && !options.live {
        return Err(explain(suite, &missing, limit));
    }
    // Not before: what they do is to be seen from its beginning on.
    if !fakes.is_empty() {
        say("Starting the bots.");
        let troubles = options.trouble.iter().filter_map(Trouble::to_possible_value);
        let troubles = troubles.map(|trouble| format!("--trouble={}", trouble.get_name()));
        suite.start_bots(&fakes, |command| {
            command.args(troubles);
        })?;
    }
    if monitored {
        first_scrapes(suite, limit).await?;
    }
    if !fakes.is_empty() {
        first_words(suite, limit).await?;
    }
    show(suite, monitored).await;
    *healthy = true;
    loop {
        suite.check()?;
        sleep(Duration::from_millis(250)).await;
    }
}

/// Starts all processes but the bots; true if Prometheus is among them, and the fake venues.
async fn start(suite: &mut Suite, options: &Options) -> io::Result<(bool, Vec<Endpoint>)> {
    let mut fakes = Vec::new();
    let market = if options.live {
        say("Starting the five exporters against the live venues, and the bot gateway.");
        Market::Live
    } else {
        say("Starting the fake venues, the five exporters and the bot gateway.");
        // On their accounts only the bots trade.
        fakes = suite.start_fakes_with(&[]).await?;
        Market::Fake(fakes.clone())
    };
    suite.start_exporters(&market)?;
    // Bots made up by us would lie about accounts that are real: the user's own may post.
    suite.start_gateway()?;
    let alerting = suite.start_alertmanager()?;
    let monitored = suite.start_prometheus()?;
    for (name, found) in [("Prometheus", monitored), ("Alertmanager", alerting)] {
        say(&if found { format!("Starting {name}.") } else { format!("There is no {name} here: going on without.") });
    }
    Ok((monitored, fakes))
}

/// Waits until a bot has spoken.
async fn first_words(suite: &mut Suite, limit: Duration) -> io::Result<()> {
    let began = Instant::now();
    while speaking(suite.ports().gateway()).await.is_empty() && began.elapsed() < limit {
        suite.check()?;
        sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

/// The bots that the gateway has heard of.
async fn speaking(gateway: u16) -> Vec<String> {
    let metrics = get(gateway, "/metrics").await.map(|answer| answer.body).unwrap_or_default();
    let name = |line: &str| {
        let line = line.strip_prefix("bot_gateway_last_event_timestamp_seconds{bot=\"")?;
        line.split_once('"').map(|(name, _)| name.to_owned())
    };
    metrics.lines().filter_map(name).collect()
}

/// Waits until Prometheus has scraped each server; the table shows what did not come.
async fn first_scrapes(suite: &mut Suite, limit: Duration) -> io::Result<()> {
    say("  waiting for Prometheus to scrape each of them once");
    let began = Instant::now();
    while began.elapsed() < limit {
        suite.check()?;
        let targets = prometheus::targets(suite.ports().prometheus()).await.unwrap_or_default();
        let is_up = |server: &Target| targets.iter().any(|target| target.is(server) && target.health == "up");
        if suite.targets().iter().all(is_up) {
            break;
        }
        sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

/// The table and the links.
async fn show(suite: &Suite, monitored: bool) {
    let ports = suite.ports();
    let scraped = prometheus::targets(ports.prometheus()).await.unwrap_or_default();
    let mut rows = Vec::new();
    for target in suite.targets() {
        rows.push(Row::of(target, scraped.iter().find(|scraped| scraped.job() == target.name)).await);
    }
    say(&format!("\n{}", render(&rows)));
    for Target { name, port } in suite.targets() {
        if VENUES.iter().any(|venue| venue.exporter == name) {
            say(&format!("  {name:18} http://localhost:{port}/"));
        }
    }
    let gateway = ports.gateway();
    let bots = speaking(gateway).await;
    let told = if bots.is_empty() { String::new() } else { format!("      bots: {}", bots.join(", ")) };
    say(&format!("  {:18} http://localhost:{gateway}/{told}", "bot-exporter"));
    if monitored {
        let page = targets_page(ports.prometheus()).await;
        say(&format!("  {:18} http://localhost:{}{page}", "prometheus", ports.prometheus()));
    }
    if suite.targets().iter().any(|target| target.name == "alertmanager") {
        say(&format!("  {:18} http://localhost:{}/", "alertmanager", ports.alertmanager()));
    }
    say("\nRunning; Ctrl-C stops it all.");
}

/// Debian's Prometheus has the old pages only.
async fn targets_page(port: u16) -> &'static str {
    match get(port, "/targets").await {
        Ok(page) if page.status == 404 => "/classic/targets",
        _ => "/targets",
    }
}

fn report(progress: Progress<'_>) {
    match progress {
        Progress::Ready { name, after } => say(&format!("  {name:18} ready after {:.1} s", after.as_secs_f64())),
        Progress::Waiting { missing, after } => {
            for (name, reason) in missing {
                say(&format!("  {name:18} not yet, after {} s: {reason}", after.as_secs()));
            }
        }
    }
}

/// Why the start is given up: each that is not ready, with its reason and its last words.
fn explain(suite: &mut Suite, missing: &[(&'static str, String)], limit: Duration) -> io::Error {
    let mut text = format!("not healthy within {} s:", limit.as_secs());
    for (name, reason) in missing {
        let tail = suite.process(name).map(|process| process.log_tail(5)).unwrap_or_default();
        text += &format!("\n{name}: {reason}. Its last lines:\n{tail}");
    }
    io::Error::other(text)
}

/// The signals that ask a program to end.
struct Signals([(u8, Signal); 4]);

impl Signals {
    fn new() -> io::Result<Self> {
        let listen = |kind: SignalKind, number| signal(kind).map(|signal| (number, signal));
        Ok(Self([
            listen(SignalKind::interrupt(), 2)?,
            listen(SignalKind::terminate(), 15)?,
            listen(SignalKind::hangup(), 1)?,
            listen(SignalKind::quit(), 3)?,
        ]))
    }

    /// The number of the first that comes.
    async fn next(&mut self) -> u8 {
        let [a, b, c, d] = &mut self.0;
        tokio::select! {
            _ = a.1.recv() => a.0,
            _ = b.1.recv() => b.0,
            _ = c.1.recv() => c.0,
            _ = d.1.recv() => d.0,
        }
    }
}

/// One line for the user. Nobody listening is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "demo: {line}");
}
