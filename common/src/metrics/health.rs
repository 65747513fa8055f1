//! How the exporter itself is doing: counters of every stream and request, the state of every connection, what the
//! venue says of itself, and the last errors.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts};

use super::vocabulary::{self as names, Metric};
use crate::fault::{Fault, Kind, Source};
use crate::update::Limit;

/// Seconds since the Unix epoch by the local clock.
pub fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// Locks, also after a panic elsewhere: what these locks guard is whole at every moment.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The reasons of `exchange_websocket_reconnects_total` besides the kinds of errors.
const PLANNED: [&str; 4] = ["rotation", "notice", "symbols", "stalled"];
/// Buckets of both histograms: half a millisecond to half a minute.
const BUCKETS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0];
/// How many errors the status page shows.
const RECENT: usize = 10;
/// One line in the log per kind and source in so long.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// Where one connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Opening the socket.
    Dialling,
    /// Open, waiting for answers or for the first data.
    Opening,
    /// Open, subscribed, answering and carrying data.
    Live,
    /// Waiting before the next dial, because of this.
    Waiting(String),
}

/// One connection, for people.
#[derive(Clone, Debug)]
pub struct LineState {
    /// Public or private.
    pub source: Source,
    /// Where it stands.
    pub standing: Standing,
    /// Since when.
    pub since: f64,
    /// How many symbols it carries.
    pub symbols: usize,
    /// Where to.
    pub host: String,
}

/// A limiter as last reported.
#[derive(Clone, Debug)]
pub struct LimitState {
    /// Units that the window holds.
    pub limit: Option<f64>,
    /// Units left, until the window has turned.
    pub remaining: Option<f64>,
    /// When the window that this was said of has turned.
    pub turns: Instant,
    /// Unix seconds at which the venue lets us in again.
    pub reset: Option<f64>,
}

impl LimitState {
    /// Units left now: a window that has turned since it was told of is whole again.
    pub fn left(&self) -> Option<f64> {
        let told = self.remaining?;
        if Instant::now() < self.turns { Some(told) } else { Some(self.limit.unwrap_or(told)) }
    }
}

/// An error as the status page shows it.
#[derive(Clone, Debug)]
pub struct Recent {
    /// Unix seconds.
    pub at: f64,
    /// Where it was met.
    pub source: Source,
    /// What it was.
    pub fault: Fault,
}

/// What the venue says of itself, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Venue clock minus local clock, seconds.
    pub skew: Option<f64>,
    /// The round trip that the skew was measured by: its uncertainty.
    pub skew_error: Option<Duration>,
    /// Whether the venue says that it is up.
    pub up: Option<bool>,
    /// Seconds of the last REST round trip.
    pub latency: Option<f64>,
    /// Why there is no list of symbols yet; `None` once there is.
    pub no_list: Option<String>,
    /// Unix seconds of the last complete list.
    pub listed_at: Option<f64>,
    /// Reasons for which `exchange_config_error` is 1.
    pub config_errors: BTreeSet<&'static str>,
    /// What is dangerous though it works.
    pub config_warnings: BTreeSet<&'static str>,
    /// There is a key, so that private streams belong to what has to be up.
    pub has_key: bool,
    /// Why the account is not known, or no longer refreshed.
    pub account_trouble: Option<String>,
}

/// The counters of one stream, resolved once.
#[derive(Clone, Debug)]
pub struct StreamCounters {
    /// Frames.
    pub messages: IntCounter,
    /// Their payload.
    pub bytes: IntCounter,
    /// Lost frames.
    pub gaps: IntCounter,
    /// Event lag.
    pub lag: Histogram,
}

/// All of it.
#[derive(Debug)]
pub struct Health {
    pub(super) messages: IntCounterVec,
    pub(super) bytes: IntCounterVec,
    pub(super) gaps: IntCounterVec,
    pub(super) reconnects: IntCounterVec,
    pub(super) lag: HistogramVec,
    pub(super) requests: IntCounterVec,
    pub(super) durations: HistogramVec,
    pub(super) errors: IntCounterVec,
    lines: Mutex<BTreeMap<(Source, usize), LineState>>,
    last_message: Mutex<BTreeMap<Source, f64>>,
    limits: Mutex<BTreeMap<String, LimitState>>,
    known: Mutex<Known>,
    recent: Mutex<VecDeque<Recent>>,
    logged: Mutex<BTreeMap<(Source, Kind), (Instant, u64)>>,
}

/// A metric of the table as the `prometheus` crate wants it.
fn options(metric: &Metric, exchange: &str) -> Opts {
    Opts::new(metric.name, metric.help).const_label("exchange", exchange)
}

impl Health {
    /// With every label set that is known beforehand at zero. An error here is a mistake in the metric table.
    pub fn new(exchange: &'static str) -> prometheus::Result<Self> {
        let counter = |metric: &Metric| IntCounterVec::new(options(metric, exchange), metric.labels);
        let histogram = |metric: &Metric| {
            let options = HistogramOpts { common_opts: options(metric, exchange), buckets: BUCKETS.to_vec() };
            HistogramVec::new(options, metric.labels)
        };
        let health = Self {
            messages: counter(&names::MESSAGES)?,
            bytes: counter(&names::BYTES)?,
            gaps: counter(&names::GAPS)?,
            reconnects: counter(&names::RECONNECTS)?,
            lag: histogram(&names::EVENT_LAG)?,
            requests: counter(&names::REQUESTS)?,
            durations: histogram(&names::REQUEST_DURATION)?,
            errors: counter(&names::ERRORS)?,
            lines: Mutex::default(),
            last_message: Mutex::default(),
            limits: Mutex::default(),
            known: Mutex::new(Known { no_list: Some("the venue's list was not asked yet".into()), ..Known::default() }),
            recent: Mutex::default(),
            logged: Mutex::default(),
        };
        for source in Source::ALL {
            for kind in Kind::ALL {
                health.errors.with_label_values(&[kind.as_str(), source.as_str()]);
            }
        }
        health.expect(Source::Public);
        Ok(health)
    }

    /// This stream will be there: its counters start at zero.
    pub fn expect(&self, source: Source) {
        for reason in PLANNED.into_iter().chain(Kind::ALL.map(Kind::as_str)) {
            self.reconnects.with_label_values(&[source.as_str(), reason]);
        }
        self.stream(source);
        if source == Source::Private {
            self.learn(|known| known.has_key = true);
        }
    }

    /// The counters of a stream.
    pub fn stream(&self, source: Source) -> StreamCounters {
        let label = [source.as_str()];
        StreamCounters {
            messages: self.messages.with_label_values(&label),
            bytes: self.bytes.with_label_values(&label),
            gaps: self.gaps.with_label_values(&label),
            lag: self.lag.with_label_values(&label),
        }
    }

    /// Counts an error, shows it, and logs it unless its like was logged within the minute.
    pub fn fault(&self, source: Source, fault: &Fault) {
        self.errors.with_label_values(&[fault.kind.as_str(), source.as_str()]).inc();
        let mut recent = lock(&self.recent);
        recent.push_front(Recent { at: unix_now(), source, fault: fault.clone() });
        recent.truncate(RECENT);
        drop(recent);
        let now = Instant::now();
        let mut logged = lock(&self.logged);
        match logged.get_mut(&(source, fault.kind)) {
            Some((at, held)) if now.duration_since(*at) < LOG_EVERY => *held += 1,
            before => {
                let held = before.map_or(0, |(_, held)| *held);
                logged.insert((source, fault.kind), (now, 0));
                drop(logged);
                let cure = fault.cause.map_or(String::new(), |cause| format!("; {}", cause.cure()));
                tracing::warn!(
                    kind = fault.kind.as_str(),
                    source = source.as_str(),
                    not_logged = held,
                    "{}{cure}",
                    fault.detail
                );
            }
        }
    }

    /// Counts a replaced connection.
    pub fn reconnect(&self, source: Source, reason: &str) {
        self.reconnects.with_label_values(&[source.as_str(), reason]).inc();
    }

    /// Counts a REST request; `round_trip` where it was answered.
    pub fn request(&self, endpoint: &str, outcome: &str, round_trip: Option<Duration>) {
        self.requests.with_label_values(&[endpoint, outcome]).inc();
        if let Some(took) = round_trip {
            self.durations.with_label_values(&[endpoint]).observe(took.as_secs_f64());
            lock(&self.known).latency = Some(took.as_secs_f64());
        }
    }

    /// Notes where a connection stands.
    pub fn line(&self, number: usize, state: LineState) {
        let mut lines = lock(&self.lines);
        let key = (state.source, number);
        match lines.get_mut(&key) {
            Some(old) if old.standing == state.standing => {
                *old = LineState { since: old.since, ..state };
            }
            _ => {
                lines.insert(key, state);
            }
        }
    }

    /// A connection is not wanted any more.
    pub fn line_gone(&self, source: Source, number: usize) {
        lock(&self.lines).remove(&(source, number));
    }

    /// All connections of a stream, as they stand.
    pub fn lines(&self, source: Source) -> Vec<LineState> {
        lock(&self.lines).values().filter(|line| line.source == source).cloned().collect()
    }

    /// Whether every connection of the stream is live; false where there is none.
    pub fn connected(&self, source: Source) -> bool {
        let lines = self.lines(source);
        !lines.is_empty() && lines.iter().all(|line| line.standing == Standing::Live)
    }

    /// A data frame came.
    pub fn heard(&self, source: Source, now: f64) {
        lock(&self.last_message).insert(source, now);
    }

    /// When the last data frame of a stream came.
    pub fn last_message(&self, source: Source) -> Option<f64> {
        lock(&self.last_message).get(&source).copied()
    }

    /// A reply told the state of a limiter.
    pub fn limit(&self, told: &Limit<'_>) {
        let mut limits = lock(&self.limits);
        let reset = limits.get(&*told.name).and_then(|old| old.reset);
        let state =
            LimitState { limit: told.limit, remaining: told.remaining, turns: Instant::now() + told.window, reset };
        limits.insert(told.name.clone().into_owned(), state);
    }

    /// The venue told us to stay away for so long.
    pub fn limited(&self, name: &str, wait: Duration) {
        let mut limits = lock(&self.limits);
        let turns = Instant::now() + wait;
        let state =
            limits.entry(name.to_owned()).or_insert(LimitState { limit: None, remaining: None, turns, reset: None });
        let reset = unix_now() + wait.as_secs_f64();
        state.reset = Some(state.reset.map_or(reset, |old| old.max(reset)));
    }

    /// The limiters, those that are not limiting without a reset time.
    pub fn limits(&self) -> Vec<(String, LimitState)> {
        let now = unix_now();
        let open = |state: &LimitState| LimitState { reset: state.reset.filter(|reset| *reset > now), ..state.clone() };
        lock(&self.limits).iter().map(|(name, state)| (name.clone(), open(state))).collect()
    }

    /// What is known of the venue.
    pub fn known(&self) -> Known {
        lock(&self.known).clone()
    }

    /// Venue clock minus local clock, seconds.
    pub fn skew(&self) -> Option<f64> {
        lock(&self.known).skew
    }

    /// Changes what is known of the venue.
    pub fn learn(&self, change: impl FnOnce(&mut Known)) {
        change(&mut lock(&self.known));
    }

    /// The last errors, newest first.
    pub fn recent(&self) -> Vec<Recent> {
        lock(&self.recent).iter().cloned().collect()
    }

    /// Why this exporter is not ready, empty when it is.
    pub fn reasons(&self) -> Vec<String> {
        let known = self.known();
        let mut reasons: Vec<String> = known.no_list.into_iter().collect();
        let mut lines = self.lines(Source::Public);
        if reasons.is_empty() && lines.is_empty() {
            reasons.push("no connection yet".into());
        }
        if known.has_key {
            let private = self.lines(Source::Private);
            if private.is_empty() {
                let why = known.account_trouble.clone().unwrap_or_else(|| "the key is being tried".into());
                reasons.push(format!("no private stream yet: {why}"));
            }
            lines.extend(private);
        }
        for line in &lines {
            match &line.standing {
                Standing::Live => {}
                Standing::Dialling => reasons.push(format!("connecting to {}", line.host)),
                Standing::Opening => reasons.push(format!("connected to {}, waiting for its data", line.host)),
                Standing::Waiting(why) => reasons.push(format!("not connected to {}: {why}", line.host)),
            }
        }
        // A hundred lines are down for one reason, as a rule.
        reasons.sort();
        reasons.dedup();
        reasons
    }

    /// What is wrong though it may be ready: unknown symbols, limits, maintenance.
    pub fn complaints(&self) -> Vec<String> {
        let known = self.known();
        let mut complaints = self.reasons();
        complaints.extend(known.config_errors.iter().map(|reason| match *reason {
            "unknown_symbol" => "symbols were asked for that the venue does not list".into(),
            "invalid_credentials" => "the venue refuses the credentials".into(),
            "missing_credentials" => "a file with credentials cannot be read any more; the old ones are in use".into(),
            "web_config" => {
                "the web configuration changed and cannot be used; the last good one goes on, see the log".into()
            }
            other => format!("configuration: {}", other.replace('_', " ")),
        }));
        complaints.extend(known.config_warnings.iter().map(|warning| (*warning).to_owned()));
        complaints.extend(known.account_trouble);
        if known.up == Some(false) {
            complaints.push("the venue says that it is down".into());
        }
        if self.limited_now() {
            complaints.push("limited by the venue".into());
        }
        complaints
    }

    /// Whether the venue told us to stay away and the time is not over.
    pub fn limited_now(&self) -> bool {
        self.limits().iter().any(|(_, state)| state.reset.is_some())
    }
}
