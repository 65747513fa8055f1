//! A real exporter against a fake venue: starts both, asks over HTTP, waits, and shows the log of a test that failed.
#![allow(dead_code, reason = "every test binary uses its own part")]
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails where its exporter does")]

pub mod tls;
pub mod web;

use std::fmt::Display;
use std::future::Future;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use exposition::Exposition;
pub use fake_venues::inspect::{exposition, prices};
use fake_venues::stack::{Ports, Process, Response, Scratch, Signal, build, get};
use fake_venues::{Fake, Fault, Options, Venue};
use futures_util::future::join_all;

/// For what should happen soon; under load it may take long, and that proves nothing.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// For so long at most the market stands still: a venue that stands still for longer is a dead one.
pub const STILL: Duration = Duration::from_secs(8);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(40);

/// The venues to try: all of them, or those that `VENUES=okx,bybit` names while somebody works on these.
pub fn venues() -> Vec<Venue> {
    let only = std::env::var("VENUES").unwrap_or_default();
    let wanted = |venue: &Venue| only.is_empty() || only.split(',').any(|name| name == venue.name());
    Venue::ALL.into_iter().filter(wanted).collect()
}

/// Runs a scenario on every venue at once: most of its time is waiting.
pub async fn everywhere<F: Future<Output = ()>>(scenario: impl Fn(Venue) -> F) {
    join_all(venues().into_iter().map(scenario)).await;
}

/// The pair of bitcoin and dollar that the venue trades most, as the exporters label it.
pub fn bitcoin(venue: Venue) -> &'static str {
    if venue == Venue::Coinbase { "BTCUSD" } else { "BTCUSDT" }
}

/// What the venue's dollar pairs are quoted in.
pub fn dollar(venue: Venue) -> &'static str {
    if venue == Venue::Coinbase { "USD" } else { "USDT" }
}

/// Seconds since the Unix epoch.
pub fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// A port that is free now.
pub fn free_port() -> u16 {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // One number of each set of ports, so that tests do not meet on one.
    Ports::free().expect("free ports").exporter(NEXT.fetch_add(1, Ordering::Relaxed) % 5)
}

/// The exporter's program.
pub fn program(venue: Venue) -> PathBuf {
    build().expect("the workspace builds").join(format!("{}-exporter", venue.name()))
}

/// The exporter's command line, in an environment without anybody's settings, keys or proxies.
pub fn command(venue: Venue) -> Command {
    let mut command = Command::new(program(venue));
    command.env_clear();
    command
}

/// Runs to the end, for what does not stay.
pub fn outcome(command: &mut Command) -> Output {
    command.output().expect("the exporter starts")
}

/// A lively fake venue.
pub fn fake(venue: Venue) -> Fake {
    start(venue, Options::default())
}

/// A fake venue that suffers from the beginning.
pub fn suffering(venue: Venue, fault: Fault) -> Fake {
    let fake = fake(venue);
    fake.inflict(fault);
    fake
}

pub fn start(venue: Venue, options: Options) -> Fake {
    fake_venues::start(venue, options).expect("a free port")
}

/// An exporter and the fake venue that it talks to.
pub struct Rig {
    pub fake: Fake,
    pub process: Process,
    pub port: u16,
    process_id: u32,
    /// It reads the venue's list again and again.
    relists: bool,
    _scratch: Scratch,
}

impl Rig {
    /// With the default settings.
    pub fn new(fake: Fake) -> Self {
        Self::with(fake, &[])
    }

    /// With further flags.
    pub fn with(fake: Fake, flags: &[&str]) -> Self {
        Self::custom(fake, |command| {
            command.args(flags);
        })
    }

    /// With whatever is done to the command.
    pub fn custom(fake: Fake, change: impl FnOnce(&mut Command)) -> Self {
        let stream = fake.ws_url();
        Self::streaming(fake, &stream, change)
    }

    /// With a stream that is not the fake's own.
    pub fn streaming(fake: Fake, stream: &str, change: impl FnOnce(&mut Command)) -> Self {
        let (port, venue) = (free_port(), fake.venue());
        let mut command = command(venue);
        command
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!("--exchange.rest-url={}", fake.rest_url()))
            .arg(format!("--exchange.ws-url={stream}"));
        change(&mut command);
        let relists = command.get_args().any(|flag| flag.to_string_lossy().starts_with("--exchange.symbols-interval"));
        let scratch = Scratch::new("exporter-test").expect("a temporary directory");
        let log = scratch.path().join("log");
        let process = Process::start(venue.name(), &mut command, &log).expect("the exporter starts");
        let mut rig = Self { fake, process_id: process.id(), process, port, relists, _scratch: scratch };
        rig.await_port();
        rig
    }

    /// The exporter serves before it reaches the venue.
    fn await_port(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            self.lives();
            self.check(Instant::now() < deadline, "its port never opens");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn venue(&self) -> Venue {
        self.fake.venue()
    }

    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Sends a signal to the exporter.
    pub fn signal(&mut self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Fails the test, with the venue's name.
    pub fn fail(&self, what: impl Display) -> ! {
        panic!("{}: {what}", self.venue().name())
    }

    pub fn check(&self, good: bool, what: impl Display) {
        if !good {
            self.fail(what);
        }
    }

    /// A page that has to be there, soon: on a busy machine not at once.
    pub async fn get(&self, path: &str) -> Response {
        let deadline = Instant::now() + PATIENCE / 3;
        loop {
            match get(self.port, path).await {
                Ok(response) => return response,
                Err(error) if error.kind() == ErrorKind::ConnectionRefused || Instant::now() > deadline => {
                    self.fail(format!("{path}: {error}"))
                }
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// One scrape, every line of it understood.
    pub async fn scrape(&self) -> Exposition {
        let response = self.get("/metrics").await;
        self.check(response.status == 200, format!("/metrics answers {}", response.status));
        Exposition::text(&response.body).unwrap_or_else(|problem| self.fail(problem))
    }

    /// Waits for something to become true.
    pub async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds().await {
            self.check(Instant::now() < deadline, format!("waited {} s for: {what}", PATIENCE.as_secs()));
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits for a scrape of which something is true, and returns it.
    pub async fn until_scrape(&self, what: &str, mut holds: impl FnMut(&Exposition) -> bool) -> Exposition {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let scrape = self.scrape().await;
            if holds(&scrape) {
                return scrape;
            }
            self.check(Instant::now() < deadline, format!("waited {} s for: {what}", PATIENCE.as_secs()));
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until the venue keeps it out for `least` seconds to come: until when, and how many questions the venue got by
    /// then. What was under way at the refusal has its answer by then, so that every further question is one too many.
    pub async fn kept_out(&self, least: f64) -> (f64, u64) {
        let deadline = Instant::now() + PATIENCE;
        let ahead = |now: &Exposition| now.limited_until().is_some_and(|until| until - unix_now() > least);
        let answered = |now: &Exposition| now.all("exchange_requests_total").map(|one| one.value).sum::<f64>();
        loop {
            let until = self.until_scrape("a refusal lies ahead", ahead).await.limited_until();
            tokio::time::sleep(Duration::from_millis(200)).await;
            self.until_scrape("nothing is under way", |now| answered(now) == self.asked() as f64).await;
            let asked = self.asked();
            let now = self.scrape().await.limited_until();
            // A short one may be over by now, and the next one here.
            if let Some((until, now)) = until.zip(now)
                && (now - until).abs() < 0.1
            {
                return (until, asked);
            }
            self.check(Instant::now() < deadline, "each refusal is over before it can be looked at");
        }
    }

    /// How many questions the venue got.
    pub fn asked(&self) -> u64 {
        self.fake.seen().requests.values().sum()
    }

    /// Waits until every connection is live.
    pub async fn until_ready(&self) {
        self.until("it is ready", async || get(self.port, "/-/ready").await.is_ok_and(|ready| ready.status == 200))
            .await;
    }

    /// Why it is not ready; fails if it is.
    pub async fn reason(&self) -> String {
        let ready = self.get("/-/ready").await;
        self.check(ready.status == 503, format!("/-/ready answers {}", ready.status));
        ready.body
    }

    /// Waits until that is why it is not ready: what is counted is told a moment later.
    pub async fn until_reason(&self, words: &[&str]) {
        let told = async || {
            let reason = self.reason().await;
            words.iter().all(|word| reason.contains(word))
        };
        self.until(&format!("it is not ready, and says {words:?}"), told).await;
    }

    /// Waits until one line of the log has all of these words: what is counted is logged a moment later.
    pub async fn until_logged(&self, words: &[&str]) {
        let logged = async || self.log().lines().any(|line| words.iter().all(|word| line.contains(word)));
        self.until(&format!("a line of the log with {words:?}"), logged).await;
    }

    /// `/health` as status and reasons.
    pub async fn health(&self) -> (String, Vec<String>) {
        let health = self.get("/health").await;
        self.check(health.status == 200, format!("/health answers {}", health.status));
        let health: serde_json::Value = serde_json::from_str(&health.body).unwrap_or_default();
        self.check(health["exchange"] == self.venue().name(), format!("/health says {health}"));
        let reasons = health["reasons"].as_array().into_iter().flatten();
        let reasons = reasons.filter_map(|reason| reason.as_str().map(str::to_owned)).collect();
        (health["status"].as_str().unwrap_or_default().to_owned(), reasons)
    }

    /// It is the same process as at the start, and it lives.
    pub fn lives(&mut self) {
        let ended = self.process.ended();
        self.check(ended.is_none() && self.process.id() == self.process_id, format!("it ended: {ended:?}"));
    }

    /// Freezes the market and waits until every price shown is the last one that the fake sent. Not for long at a time.
    pub async fn agrees(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let still = Instant::now();
            let settled = self.fake.settle(STILL / 2).await;
            let mut differences = vec!["the fake has not sent everything".to_owned()];
            while settled && !differences.is_empty() && still.elapsed() < STILL {
                differences = prices::differences(&self.fake, &self.scrape().await, self.relists);
                tokio::time::sleep(LOOK).await;
            }
            self.fake.freeze(false);
            if differences.is_empty() {
                return;
            }
            differences.truncate(20);
            self.check(Instant::now() < deadline, format!("not the last values sent:\n{}", differences.join("\n")));
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// The fake has nothing to complain of.
    pub fn is_polite(&self) {
        let violations = self.fake.violations();
        self.check(violations.is_empty(), format!("the venue would complain: {violations:?}"));
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (name, log) = (self.venue().name(), self.process.log_tail(20));
            eprintln!("--- {name}-exporter's last lines ---\n{log}\n--- what the fake saw ---");
            for connection in self.fake.seen().connections.iter().rev().take(3) {
                eprintln!(
                    "{} dialled at {}, {} subscriptions, {} frames sent, end: {:?}",
                    connection.path,
                    connection.dialled_at,
                    connection.subscriptions.len(),
                    connection.sent,
                    connection.end
                );
            }
        }
    }
}
