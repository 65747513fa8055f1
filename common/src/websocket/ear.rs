//! What a line hears: frames are decoded, signals go to the session, facts to the cells.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use futures_util::{FutureExt, StreamExt};
use prometheus::local::LocalHistogram;
use rustc_hash::FxHashMap;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::line::{Cargo, Socket, socket_fault};
use super::session::Session;
use crate::account::Entry;
use crate::context::Context;
use crate::fault::{Fault, Kind, Source, excerpt};
use crate::metrics::board::{Hold, Row};
use crate::metrics::cell::Word;
use crate::metrics::health::{StreamCounters, unix_now};
use crate::update::{Fact, Signal, Ticker, Update};
use crate::venue::Feed;

/// Frames read in one go before timers and other tasks get a turn.
const BATCH: usize = 256;

/// Where each name that may be heard goes. The pilot, unless asked for, goes nowhere and counts as a sign of life.
pub type Map = Arc<FxHashMap<Box<str>, Vec<Arc<Row>>>>;

fn map(cargo: &Cargo) -> Map {
    let mut map: FxHashMap<Box<str>, Vec<Arc<Row>>> = FxHashMap::default();
    for one in &cargo.instruments {
        map.entry(one.heard.as_str().into()).or_default();
    }
    for row in &cargo.rows {
        map.entry(row.instrument.heard.as_str().into()).or_default().push(Arc::clone(row));
    }
    Arc::new(map)
}

/// What hears: decodes frames, sorts updates, and keeps the counting of one batch together.
pub struct Ear {
    context: Arc<Context>,
    feed: Arc<dyn Feed>,
    source: Source,
    counters: StreamCounters,
    lag: LocalHistogram,
    map: Map,
    hold: Arc<Hold>,
    has_data: bool,
    instant: Instant,
    now: f64,
    skew: Option<f64>,
    frames: u64,
    bytes: u64,
}

impl Ear {
    /// For one dial.
    pub fn new(context: &Arc<Context>, cargo: &Cargo, hold: Arc<Hold>) -> Self {
        let counters = context.health.stream(cargo.source);
        // Every dial asks anew.
        cargo.rows.iter().for_each(|row| row.unlisted.store(false, Ordering::Relaxed));
        Self {
            context: Arc::clone(context),
            feed: Arc::clone(&cargo.feed),
            source: cargo.source,
            lag: counters.lag.local(),
            counters,
            map: map(cargo),
            hold,
            has_data: false,
            instant: Instant::now(),
            now: 0.0,
            skew: None,
            frames: 0,
            bytes: 0,
        }
    }

    /// Whether market data came on this dial.
    pub fn has_data(&self) -> bool {
        self.has_data
    }

    /// Where names go.
    pub fn map(&self) -> Map {
        Arc::clone(&self.map)
    }

    /// The line's grip on its rows.
    pub fn hold(&self) -> Arc<Hold> {
        Arc::clone(&self.hold)
    }

    /// Reads what has come, as long as more is there: one clock reading and one round of counting for all of it.
    /// Returns what ends the line.
    pub fn listen(
        &mut self,
        socket: &mut Socket,
        first: Option<Result<Message, Error>>,
        session: &mut Session,
    ) -> Option<Fault> {
        let feed = Arc::clone(&self.feed);
        self.begin();
        session.hear(self.instant);
        let mut frame = first;
        let mut over = None;
        for left in (0..BATCH).rev() {
            over = match frame {
                Some(Ok(message)) => self.frame(message, &*feed, session),
                Some(Err(error)) => Some(socket_fault("the connection broke", error)),
                None => Some(Fault::new(Kind::Network, "the connection ended without a farewell")),
            };
            if over.is_some() || left == 0 {
                break;
            }
            // What is taken from the socket must be heard: nobody else will see it.
            match socket.next().now_or_never() {
                Some(next) => frame = next,
                None => break,
            }
        }
        self.finish();
        over
    }

    fn begin(&mut self) {
        self.instant = Instant::now();
        self.now = unix_now();
        self.skew = self.context.health.skew();
    }

    fn finish(&mut self) {
        if self.frames > 0 {
            self.context.pace.heard(self.frames);
            self.counters.messages.inc_by(std::mem::take(&mut self.frames));
            self.counters.bytes.inc_by(std::mem::take(&mut self.bytes));
            self.context.health.heard(self.source, self.now);
            self.lag.flush();
        }
    }

    /// Takes one frame; returns what ends the line.
    fn frame(&mut self, message: Message, feed: &dyn Feed, session: &mut Session) -> Option<Fault> {
        match message {
            Message::Text(text) => self.text(&text, feed, session),
            // Some venues send JSON in binary frames.
            Message::Binary(bytes) => match std::str::from_utf8(&bytes) {
                Ok(text) => self.text(text, feed, session),
                Err(_) => {
                    self.count(bytes.len());
                    self.fault(&Fault::protocol(format!("a binary frame of {} bytes", bytes.len())));
                }
            },
            Message::Close(frame) => {
                let why = frame
                    .map_or("no reason given".into(), |frame| format!("{} {}", frame.code, excerpt(&frame.reason)));
                return Some(Fault::new(Kind::Network, format!("closed by the venue: {why}")));
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
        None
    }

    fn text(&mut self, text: &str, feed: &dyn Feed, session: &mut Session) {
        self.count(text.len());
        let decoded = feed.decode(text, &mut |update| match update {
            Update::Fact(Fact::Ticker(ticker)) => self.ticker(&ticker, session),
            Update::Fact(Fact::Status { up }) => self.context.health.learn(|known| known.up = Some(up)),
            Update::Fact(Fact::Entry(entry)) => self.entry(entry),
            Update::Fact(_) => {}
            Update::Misread(fault) => self.fault(&fault),
            Update::Signal(signal) => {
                if let Signal::Unlisted(symbol) = &signal {
                    self.unlisted(symbol);
                }
                let lost = session.take(signal, self.instant);
                if lost > 0 {
                    self.counters.gaps.inc_by(lost);
                }
            }
        });
        if let Err(fault) = decoded {
            self.fault(&Fault { detail: format!("{}; the frame: {}", fault.detail, excerpt(text)), ..fault });
        }
    }

    fn ticker(&mut self, ticker: &Ticker<'_>, session: &mut Session) {
        let Some(rows) = self.map.get(ticker.symbol) else {
            return self
                .fault(&Fault::protocol(format!("data of {}, which was not asked for", excerpt(ticker.symbol))));
        };
        session.data(self.instant);
        self.has_data = true;
        // Without a measured skew a lag would be a guess.
        let lag = ticker.at.zip(self.skew).map(|(at, skew)| self.now + skew - at.as_seconds());
        if let Some(lag) = lag {
            self.lag.observe(lag.max(0.0));
        }
        for row in rows {
            self.hold.say(row, Word { ticker, now: self.now, lag });
        }
    }

    fn entry(&mut self, entry: Entry) {
        let at = match &entry {
            Entry::Fill(fill) => fill.at,
            Entry::Order(order) => order.at,
            _ => None,
        };
        if let Some((at, skew)) = at.zip(self.skew) {
            self.lag.observe((self.now + skew - at.as_seconds()).max(0.0));
        }
        if let Some(desk) = &self.context.desk {
            desk.hear(entry);
        }
    }

    fn unlisted(&self, asked: &str) {
        for row in self.hold.rows().iter().filter(|row| row.instrument.asked == asked) {
            if !row.unlisted.swap(true, Ordering::Relaxed) {
                tracing::warn!(symbol = row.symbol, venue_symbol = asked, "the venue does not stream this symbol");
            }
        }
    }

    fn count(&mut self, length: usize) {
        self.frames += 1;
        self.bytes += length as u64;
    }

    fn fault(&self, fault: &Fault) {
        self.context.health.fault(self.source, &self.context.clean(fault.clone()));
    }
}
