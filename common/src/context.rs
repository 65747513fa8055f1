//! What every part of a running exporter shares.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use crate::budget::Budget;
use crate::config::Config;
use crate::fault::Fault;
use crate::metrics::board::Board;
use crate::metrics::health::{Health, lock};
use crate::net;
use crate::rest::Rest;
use crate::venue::{About, Venue};

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
    /// The public stream's host, for people.
    pub stream_host: String,
    dials: Mutex<Budget>,
}

impl Context {
    /// For this venue, configured so.
    pub fn new(about: &'static About, venue: Arc<dyn Venue>, config: &Config) -> Result<Arc<Self>, Fault> {
        let health =
            Health::new(about.name).map_err(|error| Fault::protocol(format!("the metric table is wrong: {error}")))?;
        let health = Arc::new(health);
        let hosts = &config.setup.hosts;
        let tls = net::tls()?;
        let rest =
            Rest::new(about, &hosts.rest, &tls, Arc::clone(&venue), Arc::clone(&health), config.rate_limit_share)?;
        Ok(Arc::new(Self {
            about,
            venue,
            rest,
            board: Arc::new(Board::new(about.name)),
            health,
            tls,
            data_timeout: config.data_timeout,
            allow_plaintext: config.allow_plaintext,
            stream_host: net::host(&hosts.ws),
            dials: Mutex::new(Budget::new(about.dials)),
        }))
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
