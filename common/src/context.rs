//! What every part of a running exporter shares.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use crate::account::desk::Desk;
use crate::account::quotes::Quotes;
use crate::budget::Budget;
use crate::config::Config;
use crate::fault::{Fault, Source};
use crate::metrics::board::Board;
use crate::metrics::health::{Health, lock, unix_now};
use crate::net;
use crate::pace::Pace;
use crate::rest::Rest;
use crate::update::{Fact, Micros};
use crate::venue::{About, Hosts, Venue};
use crate::web::door::{BROKEN, Host};

/// Handed down once; below it nothing reads flags or environment.
pub struct Context {
    /// Fixed facts about the venue.
    pub about: &'static About,
    /// The venue.
    pub venue: Arc<dyn Venue>,
    /// Its REST client.
    pub rest: Rest,
    /// The exported rows.
    pub board: Arc<Board>,
    /// How the exporter is doing.
    pub health: Arc<Health>,
    /// For websockets.
    pub tls: Arc<ClientConfig>,
    /// No market data for so long means dead.
    pub data_timeout: Duration,
    /// The user allowed addresses without TLS.
    pub allow_plaintext: bool,
    /// The account, where there is a key.
    pub desk: Option<Arc<Desk>>,
    /// Prices of the whole market, where there is an account to value.
    pub quotes: Quotes,
    /// How fast frames come, for the thread that reads them.
    pub pace: Arc<Pace>,
    hosts: Hosts,
    dials: Mutex<Budget>,
}

impl Host for Context {
    fn web_config(&self, broken: bool) {
        self.health.learn(|known| {
            if broken {
                known.config_errors.insert(BROKEN)
            } else {
                known.config_errors.remove(BROKEN)
            };
        });
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({})", self.about.name)
    }
}

impl Context {
    /// For this venue, configured so.
    pub fn new(
        about: &'static About,
        venue: Arc<dyn Venue>,
        desk: Option<Arc<Desk>>,
        config: &Config,
    ) -> Result<Arc<Self>, Fault> {
        let health =
            Health::new(about.name).map_err(|error| Fault::protocol(format!("the metric table is wrong: {error}")))?;
        let health = Arc::new(health);
        let hosts = &config.setup.hosts;
        let tls = net::tls()?;
        if desk.is_some() {
            health.expect(Source::Private);
        }
        let (judge, share) = (Arc::clone(&venue), config.rate_limit_share);
        let rest = Rest::new(about, hosts, &tls, judge, Arc::clone(&health), desk.clone(), share)?;
        Ok(Arc::new(Self {
            about,
            venue,
            rest,
            board: Arc::new(Board::new(about.name)),
            health,
            tls,
            data_timeout: config.data_timeout,
            allow_plaintext: config.allow_plaintext,
            desk,
            quotes: Quotes::default(),
            pace: Arc::default(),
            hosts: hosts.clone(),
            dials: Mutex::new(Budget::new(about.dials)),
        }))
    }

    /// A stream's host, for people.
    pub fn stream_host(&self, source: Source) -> String {
        net::host(if source == Source::Private { &self.hosts.ws_private } else { &self.hosts.ws })
    }

    /// The venue's clock, as far as it was compared with ours.
    pub fn venue_now(&self) -> Micros {
        Micros::of_unix(unix_now() + self.health.skew().unwrap_or(0.0))
    }

    /// The fault without any part of the key.
    pub fn clean(&self, fault: Fault) -> Fault {
        match &self.desk {
            Some(desk) => Fault { detail: desk.keys.redact(&fault.detail), ..fault },
            None => fault,
        }
    }

    /// Asks the prices of the whole market.
    pub async fn ask_quotes(&self) {
        let mut collection = self.quotes.collect();
        let mut take = |fact: Fact<'_>| {
            if let Fact::Ticker(ticker) | Fact::Seed(ticker) = fact {
                collection.say(&ticker, unix_now());
            }
        };
        // A failure is counted by the client, and the prices had before grow old.
        if self.rest.ask(&self.venue.tickers(), &mut take).await.is_ok() {
            self.quotes.replace(collection);
        }
    }

    /// Waits until the venue allows another connection.
    pub async fn dial_turn(&self) {
        loop {
            let turn = lock(&self.dials).spend(1, Instant::now());
            match turn {
                Ok(()) => return,
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }
}
