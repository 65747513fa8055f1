//! Asks a venue over HTTP: within the process's share of the venue's limits, and never again before a refusal's time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, HeaderValue};
use rustls::ClientConfig;

use crate::account::desk::Desk;
use crate::budget::Budget;
use crate::fault::{Cause, Fault, Kind, Source, excerpt};
use crate::metrics::health::{Health, lock, unix_now};
use crate::net;
use crate::update::{Fact, Limit, Micros, Update};
use crate::venue::{About, Allowance, Headers, Host, Hosts, Query, Reply, Request, Venue};

/// How long a whole reply may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The largest reply read; the longest documented list is several MB.
const LARGEST: usize = 32 << 20;
/// No list has more pages.
const PAGES: usize = 500;
/// How long to stay away after a refusal that does not say.
const COOL: Duration = Duration::from_secs(10);
/// Clocks that are found so many seconds further apart than before explain a refusal.
const JUMP: f64 = 1.0;
/// The pool of requests that name none.
const MAIN: &str = "rest";
/// With so little of a limit left, because others use it too, the rest is theirs.
const RESERVE: f64 = 0.05;

/// The client of one venue.
pub struct Rest {
    client: reqwest::Client,
    base: String,
    base_futures: String,
    base_coin: String,
    venue: Arc<dyn Venue>,
    health: Arc<Health>,
    desk: Option<Arc<Desk>>,
    budgets: Mutex<HashMap<&'static str, Budget>>,
    burst: Option<Mutex<Budget>>,
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
    pool: &'static str,
}

impl Rest {
    /// A client that takes `share` of what the venue allows.
    pub fn new(
        about: &About,
        hosts: &Hosts,
        tls: &ClientConfig,
        venue: Arc<dyn Venue>,
        health: Arc<Health>,
        desk: Option<Arc<Desk>>,
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
        let pools = [(MAIN, about.requests)].into_iter().chain(about.pools.iter().copied());
        let budget = |allowance: Allowance| Budget::new(Budget::share(allowance, share));
        let budgets = Mutex::new(pools.map(|(name, allowance)| (name, budget(allowance))).collect());
        let burst = about.burst.map(|allowance| Mutex::new(Budget::new(allowance)));
        let base = |host: &str| host.trim_end_matches('/').to_owned();
        let base_futures = base(if hosts.rest_futures.is_empty() { &hosts.rest } else { &hosts.rest_futures });
        let base_coin = if hosts.rest_coin.is_empty() { base_futures.clone() } else { base(&hosts.rest_coin) };
        Ok(Self { client, base: base(&hosts.rest), base_futures, base_coin, venue, health, desk, budgets, burst })
    }

    /// Asks a question, all its pages. What the replies say of limits, clock and status is noted; the rest is told.
    pub async fn ask(&self, query: &Query, tell: &mut dyn for<'f> FnMut(Fact<'f>)) -> Result<(), Fault> {
        let mut page: Option<String> = None;
        for _ in 0..PAGES {
            let answer = self.judged(query.name, &query.page(page.as_deref()), tell).await?;
            let decoded = (query.decode)(&answer.body, &mut |update| self.note(update, &answer, tell));
            match self.counted(query.name, &answer, decoded)? {
                Some(next) if page.as_ref() != Some(&next) => page = Some(next),
                _ => return Ok(()),
            }
        }
        Err(Fault::protocol(format!("{} has more than {PAGES} pages", query.name)))
    }

    /// Sends a single request and returns the body of a reply that the venue let pass.
    pub async fn fetch(&self, name: &str, request: &Request) -> Result<String, Fault> {
        let answer = self.judged(name, request, &mut |_| {}).await?;
        self.counted(name, &answer, Ok(()))?;
        Ok(answer.body)
    }

    /// Sends it, and once more where another signature may help; what comes back has passed the venue's judgement.
    async fn judged(
        &self,
        name: &str,
        request: &Request,
        tell: &mut dyn for<'f> FnMut(Fact<'f>),
    ) -> Result<Answer, Fault> {
        let answer = self.send(name, request).await?;
        let fault = match self.judge(&answer, tell) {
            Ok(()) => return Ok(answer),
            Err(fault) => fault,
        };
        let again = request.signed && self.desk.as_ref().is_some_and(|desk| desk.account.again(&fault));
        if !again {
            return self.counted(name, &answer, Err(fault)).map(|()| answer);
        }
        let fault = self.blame_clock(fault).await;
        // Counted; what the second try says decides.
        let _ = self.counted::<()>(name, &answer, Err(fault));
        let answer = self.send(name, request).await?;
        let judged = self.judge(&answer, tell);
        match judged {
            Ok(()) => Ok(answer),
            Err(fault) => self.counted(name, &answer, Err(fault)).map(|()| answer),
        }
    }

    /// Compares the clocks anew. A venue that gives one answer for a wrong key and a wrong time meant the time where that
    /// was wrong.
    async fn blame_clock(&self, fault: Fault) -> Fault {
        let before = self.health.skew();
        // Boxed: the clock is a question, too. A clock that cannot be had leaves everything as it was.
        let _ = Box::pin(self.measure_clock()).await;
        let jump = before.zip(self.health.skew()).map_or(0.0, |(before, after)| (after - before).abs());
        if fault.kind == Kind::Auth && jump > JUMP {
            return Fault { kind: Kind::ClockSkew, ..fault }.because(Cause::Clock);
        }
        fault
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
            // All of them: whoever goes on asking elsewhere turns a limit into a ban.
            for budget in lock(&self.budgets).values_mut() {
                budget.close(Instant::now() + wait);
            }
            self.health.limited(&own_share(MAIN), wait);
        }
        // Until the venue tells its status again.
        match fault.kind {
            Kind::Maintenance => self.health.learn(|known| known.up = Some(false)),
            Kind::Network | Kind::Timeout | Kind::Tls => self.health.learn(|known| known.up = None),
            _ => {}
        }
        let fault = self.clean(Fault { detail: format!("{name}: {}", fault.detail), ..fault });
        self.health.fault(Source::Rest, &fault);
        fault
    }

    /// Some venues repeat keys and signed texts in their refusals.
    fn clean(&self, fault: Fault) -> Fault {
        match &self.desk {
            Some(desk) => Fault { detail: desk.keys.redact(&fault.detail), ..fault },
            None => fault,
        }
    }

    fn judge(&self, answer: &Answer, tell: &mut dyn for<'f> FnMut(Fact<'f>)) -> Result<(), Fault> {
        let reply = Reply { status: answer.status, headers: &answer.headers, body: &answer.body };
        self.venue.limits(answer.pool, &reply, &mut |update| self.note(update, answer, tell));
        self.venue.judge(&reply, &mut |update| self.note(update, answer, tell)).map_err(|fault| {
            // Whatever the body says: there is no such thing at this address.
            let gone = matches!(answer.status, 404 | 405 | 410) && fault.kind == Kind::Venue && fault.cause.is_none();
            if gone { fault.because(Cause::Unserved) } else { fault }
        })
    }

    fn note(&self, update: Update<'_>, answer: &Answer, tell: &mut dyn for<'f> FnMut(Fact<'f>)) {
        match update {
            Update::Fact(Fact::Limit(limit)) => self.limit(&limit, answer.pool),
            Update::Fact(Fact::Status { up }) => self.health.learn(|known| known.up = Some(up)),
            Update::Fact(Fact::Clock(at)) if !at.is_plausible() => {
                self.health.fault(Source::Rest, &Fault::decode("the venue's clock shows a time of another age"));
            }
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
            Update::Misread(fault) => self.health.fault(Source::Rest, &self.clean(fault)),
            Update::Signal(_) => {}
        }
    }

    /// What is left of a limit that others use too belongs to them when it becomes little.
    fn limit(&self, told: &Limit<'_>, pool: &'static str) {
        self.health.limit(told);
        if let (Some(limit), Some(remaining)) = (told.limit, told.remaining)
            && limit >= 20.0
            && remaining < limit * RESERVE
            && let Some(budget) = lock(&self.budgets).get_mut(pool)
        {
            budget.close(Instant::now() + told.window);
        }
    }

    async fn send(&self, name: &str, request: &Request) -> Result<Answer, Fault> {
        let pool = if request.pool.is_empty() { MAIN } else { request.pool };
        while let Some(wait) = self.spend(pool, request.weight) {
            tokio::time::sleep(wait).await;
        }
        while let Some(wait) = self.burst.as_ref().and_then(|burst| lock(burst).spend(1, Instant::now()).err()) {
            tokio::time::sleep(wait).await;
        }
        let mut request = request.clone();
        if let (true, Some(desk)) = (request.signed, &self.desk) {
            let now = self.health.skew().unwrap_or(0.0) + unix_now();
            desk.account.sign(&mut request, Micros::of_unix(now)).map_err(|fault| self.refused(name, fault))?;
        }
        let (sent, started) = (unix_now(), Instant::now());
        match self.exchange(&request).await {
            Ok((status, headers, body)) => Ok(Answer { status, headers, body, sent, took: started.elapsed(), pool }),
            Err(fault) => {
                let outcome = if fault.kind == Kind::Timeout { "timeout" } else { "error" };
                self.health.request(name, outcome, None);
                Err(self.refused(name, fault))
            }
        }
    }

    async fn exchange(&self, request: &Request) -> Result<(u16, HeaderMap, String), Fault> {
        let base = match request.host {
            Host::Main => &self.base,
            Host::Futures => &self.base_futures,
            Host::Coin => &self.base_coin,
        };
        let url = format!("{base}{}", request.target());
        let method = if request.post { reqwest::Method::POST } else { reqwest::Method::GET };
        let mut builder = self.client.request(method, &url);
        for (name, value) in &request.headers {
            let mut value = HeaderValue::from_str(value).map_err(|_| {
                Fault::protocol(format!("{name} cannot be sent: it has characters that no header may have"))
            })?;
            value.set_sensitive(true);
            builder = builder.header(*name, value);
        }
        if !request.body.is_empty() {
            builder = builder.body(request.body.clone());
        }
        let name = |error: reqwest::Error| {
            let timeout = error.is_timeout();
            let fault = net::fault(&format!("no answer from {}", net::host(base)), &error.without_url());
            if timeout { Fault { kind: Kind::Timeout, ..fault } } else { fault }
        };
        let mut reply = builder.send().await.map_err(name)?;
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(name)? {
            body.extend_from_slice(&chunk);
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
    fn spend(&self, pool: &'static str, weight: u32) -> Option<Duration> {
        let mut budgets = lock(&self.budgets);
        let now = Instant::now();
        // A pool that is not declared would be a mistake of the adapter; its requests count as the main ones.
        let name = if budgets.contains_key(pool) { pool } else { MAIN };
        let budget = budgets.get_mut(name)?;
        let wait = budget.spend(weight, now).err();
        let (own, left) = (budget.allowance(), budget.left(now));
        drop(budgets);
        let (limit, remaining) = (Some(f64::from(own.units)), Some(f64::from(left)));
        self.health.limit(&Limit { name: own_share(name).into(), limit, remaining, window: own.per });
        wait
    }

    /// How long the venue keeps us out still, if it does.
    pub fn closed(&self) -> Option<Duration> {
        let now = Instant::now();
        lock(&self.budgets).get(MAIN)?.closed_until(now).map(|until| until - now)
    }
}

/// The `limit` label of the share that we keep to by ourselves.
fn own_share(pool: &str) -> String {
    format!("{pool}_own_share")
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
    let fault = Fault::new(kind, detail).after(reply.retry_after());
    Err(if matches!(reply.status, 400 | 404 | 405 | 410) { fault.because(Cause::Unserved) } else { fault })
}

/// An HTML page says nothing that belongs in a log.
fn words(body: &str) -> &str {
    if body.trim_start().starts_with('<') { "an HTML page" } else { body }
}
