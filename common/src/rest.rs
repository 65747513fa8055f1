//! Asks a venue over HTTP: within the process's share of the venue's limits, and never again before a refusal's time.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::header::HeaderMap;
use rustls::ClientConfig;

use crate::budget::Budget;
use crate::fault::{Fault, Kind, Source, excerpt};
use crate::metrics::health::{Health, lock, unix_now};
use crate::net;
use crate::update::{Fact, Limit, Update};
use crate::venue::{About, Headers, Query, Reply, Request, Venue};

/// How long a whole reply may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The largest reply read; the longest documented list is several MB.
const LARGEST: usize = 32 << 20;
/// No list has more pages.
const PAGES: usize = 500;
/// How long to stay away after a refusal that does not say.
const COOL: Duration = Duration::from_secs(10);
/// The `limit` label of the share that we keep to by ourselves.
const OWN: &str = "rest_own_share";

/// The client of one venue.
pub struct Rest {
    client: reqwest::Client,
    base: String,
    venue: Arc<dyn Venue>,
    health: Arc<Health>,
    budget: Mutex<Budget>,
}

impl Headers for HeaderMap {
    fn get(&self, name: &str) -> Option<&str> {
        HeaderMap::get(self, name).and_then(|value| value.to_str().ok())
    }
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
    sent: f64,
    took: Duration,
}

impl Rest {
    /// A client that takes `share` of what the venue allows.
    pub fn new(
        about: &About,
        base: &str,
        tls: &ClientConfig,
        venue: Arc<dyn Venue>,
        health: Arc<Health>,
        share: f64,
    ) -> Result<Self, Fault> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .user_agent(concat!("exchange-exporter/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry headers to who knows whom.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT / 2)
            .build()
            .map_err(|error| net::fault("cannot set up the HTTP client", &error))?;
        let budget = Mutex::new(Budget::new(Budget::share(about.requests, share)));
        Ok(Self { client, base: base.trim_end_matches('/').to_owned(), venue, health, budget })
    }

    /// Asks a question, all its pages. What the replies say of limits, clock and status is noted; the rest is told.
    pub async fn ask(&self, query: &Query, tell: &mut dyn for<'f> FnMut(Fact<'f>)) -> Result<(), Fault> {
        let mut page: Option<String> = None;
        for _ in 0..PAGES {
            let request = query.page(page.as_deref());
            let answer = self.send(query.name, &request).await?;
            let decoded = self
                .judged(&answer, tell)
                .and_then(|()| (query.decode)(&answer.body, &mut |update| self.note(update, &answer, tell)));
            match self.counted(query.name, &answer, decoded)? {
                Some(next) if page.as_ref() != Some(&next) => page = Some(next),
                _ => return Ok(()),
            }
        }
        Err(Fault::protocol(format!("{} has more than {PAGES} pages", query.name)))
    }

    /// Sends a single request and returns the body of a reply that the venue let pass.
    pub async fn fetch(&self, name: &str, request: &Request) -> Result<String, Fault> {
        let answer = self.send(name, request).await?;
        let judged = self.judged(&answer, &mut |_| {});
        self.counted(name, &answer, judged)?;
        Ok(answer.body)
    }

    fn counted<T>(&self, name: &str, answer: &Answer, result: Result<T, Fault>) -> Result<T, Fault> {
        let outcome = if result.is_ok() { "success" } else { "error" };
        self.health.request(name, outcome, Some(answer.took));
        result.map_err(|fault| self.refused(name, fault))
    }

    /// A refusal closes the budget for as long as the venue says.
    fn refused(&self, name: &str, fault: Fault) -> Fault {
        if fault.kind == Kind::RateLimit {
            let wait = fault.wait.unwrap_or(COOL);
            lock(&self.budget).close(Instant::now() + wait);
            self.health.limited(OWN, wait);
        }
        // Until the venue tells its status again.
        match fault.kind {
            Kind::Maintenance => self.health.learn(|known| known.up = Some(false)),
            Kind::Network | Kind::Timeout | Kind::Tls => self.health.learn(|known| known.up = None),
            _ => {}
        }
        let fault = Fault { detail: format!("{name}: {}", fault.detail), ..fault };
        self.health.fault(Source::Rest, &fault);
        fault
    }

    fn judged(&self, answer: &Answer, tell: &mut dyn for<'f> FnMut(Fact<'f>)) -> Result<(), Fault> {
        let reply = Reply { status: answer.status, headers: &answer.headers, body: &answer.body };
        self.venue.judge(&reply, &mut |update| self.note(update, answer, tell))
    }

    fn note(&self, update: Update<'_>, answer: &Answer, tell: &mut dyn for<'f> FnMut(Fact<'f>)) {
        match update {
            Update::Fact(Fact::Limit(limit)) => self.health.limit(&limit),
            Update::Fact(Fact::Status { up }) => self.health.learn(|known| known.up = Some(up)),
            Update::Fact(Fact::Clock(at)) => {
                // The venue read its clock somewhere between our question and its answer: in the middle, as far as we know.
                let skew = at.as_seconds() - (answer.sent + answer.took.as_secs_f64() / 2.0);
                self.health.learn(|known| {
                    // Of several readings the fastest round trip is the least uncertain.
                    if known.skew_error.is_none_or(|error| answer.took <= error) {
                        known.skew = Some(skew);
                        known.skew_error = Some(answer.took);
                    }
                });
            }
            Update::Fact(fact) => tell(fact),
            Update::Misread(fault) => self.health.fault(Source::Rest, &fault),
            Update::Signal(_) => {}
        }
    }

    async fn send(&self, name: &str, request: &Request) -> Result<Answer, Fault> {
        while let Some(wait) = self.spend(request.weight) {
            tokio::time::sleep(wait).await;
        }
        let (sent, started) = (unix_now(), Instant::now());
        match self.exchange(request).await {
            Ok((status, headers, body)) => Ok(Answer { status, headers, body, sent, took: started.elapsed() }),
            Err(fault) => {
                let outcome = if fault.kind == Kind::Timeout { "timeout" } else { "error" };
                self.health.request(name, outcome, None);
                Err(self.refused(name, fault))
            }
        }
    }

    async fn exchange(&self, request: &Request) -> Result<(u16, HeaderMap, String), Fault> {
        let mark = if request.query.is_empty() { "" } else { "?" };
        let url = format!("{}{}{mark}{}", self.base, request.path, request.query);
        let method = if request.post { reqwest::Method::POST } else { reqwest::Method::GET };
        let mut builder = self.client.request(method, &url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let name = |error: reqwest::Error| {
            let timeout = error.is_timeout();
            let fault = net::fault(&format!("no answer from {}", net::host(&self.base)), &error.without_url());
            if timeout { Fault { kind: Kind::Timeout, ..fault } } else { fault }
        };
        let reply = builder.send().await.map_err(name)?;
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        let mut body = Vec::new();
        let mut chunks = reply.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            body.extend_from_slice(&chunk.map_err(name)?);
            if body.len() > LARGEST {
                return Err(Fault::protocol(format!("a reply of more than {} MiB", LARGEST >> 20)));
            }
        }
        let body = String::from_utf8(body).map_err(|_| Fault::decode("a reply that is not UTF-8"))?;
        Ok((status, headers, body))
    }

    /// Measures the venue's clock by the fastest of three round trips.
    pub async fn measure_clock(&self) -> Result<(), Fault> {
        let query = self.venue.clock();
        self.health.learn(|known| known.skew_error = None);
        for _ in 0..3 {
            self.ask(&query, &mut |_| {}).await?;
        }
        Ok(())
    }

    /// Spends from the process's own share of the venue's allowance, or tells how long to wait.
    fn spend(&self, weight: u32) -> Option<Duration> {
        let mut budget = lock(&self.budget);
        let now = Instant::now();
        let wait = budget.spend(weight, now).err();
        let (own, left) = (budget.allowance(), budget.left(now));
        drop(budget);
        let (limit, remaining) = (Some(f64::from(own.units)), Some(f64::from(left)));
        self.health.limit(&Limit { name: OWN.into(), limit, remaining, window: own.per });
        wait
    }
}

/// What an HTTP status says where the body says nothing: the same on every venue.
pub fn status_fault(reply: &Reply<'_>) -> Result<(), Fault> {
    let kind = match reply.status {
        200..=299 => return Ok(()),
        401 => Kind::Auth,
        403 | 451 => Kind::Permission,
        418 | 429 => Kind::RateLimit,
        408 | 504 => Kind::Timeout,
        503 => Kind::Maintenance,
        _ => Kind::Venue,
    };
    let detail = format!("HTTP {}: {}", reply.status, excerpt(words(reply.body)));
    Err(Fault::new(kind, detail).after(reply.retry_after()))
}

/// An HTML page says nothing that belongs in a log.
fn words(body: &str) -> &str {
    if body.trim_start().starts_with('<') { "an HTML page" } else { body }
}
