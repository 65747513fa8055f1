//! What every request passes before it is answered: what it may bring along, the rate limit, user and password.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use axum::http::header::{AUTHORIZATION, CONNECTION, CONTENT_SECURITY_POLICY, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Router, http};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::sync::OwnedSemaphorePermit;

use super::config::WebConfig;
use super::config::live::{Live, News};
use super::crowd::{Crowd, Handed, Pulse};
use super::users::Users;
use crate::metrics::health::lock;

/// Tell whether the exporter lives, and nothing about what it holds.
pub const HEALTH: [&str; 3] = ["/-/healthy", "/-/ready", "/health"];
/// While the new web configuration is broken, `exchange_config_error` has this reason.
pub const BROKEN: &str = "web_config";

/// The program behind the door, as far as the door asks.
pub trait Host: Send + Sync + 'static {
    /// The web configuration changed and cannot be used, or it can again.
    fn web_config(&self, broken: bool);

    /// How large a body this request may bring; nothing takes one unless the program says so.
    fn takes(&self, _request: &Parts) -> usize {
        0
    }

    /// Whether the request opens with a key of the program's own, so that it needs no user.
    fn knows(&self, _request: &Parts) -> bool {
        false
    }

    /// The door answered this request itself, and not well.
    fn turned_away(&self, _request: &Parts, _status: StatusCode) {}
}

/// Who asks, as an extension of a request that passed the door.
#[derive(Clone, Copy, Debug)]
pub struct Guest {
    /// From where; nothing if the connection broke before it could be told.
    pub address: Option<SocketAddr>,
    /// It named one of the users of the web configuration and the password.
    pub user: bool,
}

/// What is served, and to whom.
pub struct House {
    /// The paths.
    pub router: Router,
    /// The program.
    pub host: Arc<dyn Host>,
    /// Who may ask, and whether others can listen.
    pub live: Arc<Live>,
    /// Whether the health paths want a password too.
    pub protect_health: bool,
}

/// One for all connections.
pub struct Door {
    /// Answers who gets through.
    pub router: TowerToHyperService<Router>,
    /// Who that is.
    pub live: Arc<Live>,
    /// Whether the health paths want a password too.
    pub protect_health: bool,
    /// Passwords.
    pub users: Users,
    /// The rate limit.
    pub bucket: Mutex<Bucket>,
    /// Who else is connected.
    pub crowd: Arc<Crowd>,
    /// Where a broken configuration is told.
    pub host: Arc<dyn Host>,
}

impl Door {
    /// Of this house, with nobody there yet.
    pub fn new(house: House) -> Self {
        Self {
            live: house.live,
            protect_health: house.protect_health,
            users: Default::default(),
            bucket: Default::default(),
            crowd: Default::default(),
            host: house.host,
            router: TowerToHyperService::new(house.router),
        }
    }

    /// The configuration as the files are now.
    pub fn config(&self) -> Arc<WebConfig> {
        match self.live.look() {
            News::None => {}
            News::Taken => {
                tracing::info!("the web configuration changed and is in use");
                self.host.web_config(false);
                warn(&self.live.config());
            }
            News::Broken(why) => {
                tracing::error!(why, "the web configuration changed and cannot be used; the last good one goes on");
                self.host.web_config(true);
            }
        }
        self.live.config()
    }

    async fn answer(
        &self,
        request: http::Request<Incoming>,
        visit: (Arc<WebConfig>, Option<SocketAddr>),
        pulse: &Pulse,
        turn: &mut Option<OwnedSemaphorePermit>,
    ) -> Response {
        let ((entry, address), config) = (visit, self.config());
        let (mut parts, body) = request.into_parts();
        let has_body = !body.is_end_stream();
        let takes = if has_body { self.host.takes(&parts) } else { 0 };
        let length = body.size_hint().lower();
        let mut response = match self.admit(&config, &parts).await {
            _ if has_body && takes == 0 => {
                (StatusCode::PAYLOAD_TOO_LARGE, "nothing here takes a body\n").into_response()
            }
            Err(refusal) => {
                self.host.turned_away(&parts, refusal.status());
                refusal
            }
            Ok(user) => {
                self.crowd.answer(pulse);
                *turn = self.crowd.turn().await;
                parts.extensions.insert(Guest { address, user });
                let body = if has_body { Body::new(body) } else { Body::empty() };
                match self.router.call(http::Request::from_parts(parts, body)).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
        };
        // What was refused unread need not be sent to its end.
        let unread = has_body && (takes == 0 || length > takes as u64 || !response.status().is_success());
        let headers = response.headers_mut();
        for (name, value) in &config.headers {
            // The page has a policy of its own: of two, browsers follow both.
            if name == CONTENT_SECURITY_POLICY {
                headers.append(name, value.clone());
            } else {
                headers.insert(name, value.clone());
            }
        }
        // Who came in by another certificate comes in anew.
        let same = match (&entry.tls, &config.tls) {
            (Some(then), Some(now)) => Arc::ptr_eq(then, now),
            _ => true,
        };
        if unread || !same {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// Whether one of the users asks; else why this request is not answered.
    async fn admit(&self, config: &WebConfig, request: &Parts) -> Result<bool, Response> {
        if !self.protect_health && HEALTH.contains(&request.uri.path()) {
            return Ok(false);
        }
        if let Some((interval, burst)) = config.rate
            && let Err(wait) = lock(&self.bucket).take(interval, burst, Instant::now())
        {
            let seconds = wait.as_secs_f64().ceil().to_string();
            return Err(
                (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds)], "Too Many Requests\n").into_response()
            );
        }
        if config.users.is_empty() || self.host.knows(request) {
            return Ok(false);
        }
        let given = request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if self.users.allow(&config.users, given).await {
            return Ok(true);
        }
        Err((StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Basic")], "Unauthorized\n").into_response())
    }
}

/// Tells what is accepted and does less than it seems to.
pub fn warn(config: &WebConfig) {
    for warning in &config.warnings {
        tracing::warn!("web configuration: {warning}");
    }
}

/// The door for one connection.
pub struct Visit {
    /// The door.
    pub door: Arc<Door>,
    /// The configuration by which the connection came in.
    pub entry: Arc<WebConfig>,
    /// Who is at its other end.
    pub address: Option<SocketAddr>,
    /// The connection's.
    pub pulse: Arc<Pulse>,
}

impl Service<http::Request<Incoming>> for Visit {
    type Response = http::Response<Handed>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: http::Request<Incoming>) -> Self::Future {
        self.pulse.asked();
        let (door, pulse) = (Arc::clone(&self.door), Arc::clone(&self.pulse));
        let visit = (Arc::clone(&self.entry), self.address);
        Box::pin(async move {
            let mut turn = None;
            let response = door.answer(request, visit, &pulse, &mut turn).await;
            Ok(response.map(|inner| Handed { inner, pulse, turn }))
        })
    }
}

/// So many requests at once, and one more per interval.
#[derive(Debug, Default)]
pub struct Bucket {
    used: f64,
    since: Option<Instant>,
}

impl Bucket {
    /// One request; else how long until the next one.
    pub fn take(&mut self, interval: Duration, burst: u32, now: Instant) -> Result<(), Duration> {
        let passed = self.since.map_or(Duration::ZERO, |since| now.duration_since(since));
        self.used = (self.used - passed.as_secs_f64() / interval.as_secs_f64()).max(0.0);
        self.since = Some(now);
        if self.used + 1.0 > f64::from(burst) {
            return Err(interval.mul_f64((self.used + 1.0 - f64::from(burst)).min(1e6)));
        }
        self.used += 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_refills_by_one_an_interval() {
        let (mut bucket, start, second) = (Bucket::default(), Instant::now(), Duration::from_secs(1));
        assert!((0..3).all(|_| bucket.take(second, 3, start).is_ok()));
        assert!(bucket.take(second, 3, start).is_err_and(|wait| wait == second));
        assert!(bucket.take(second, 3, start + second).is_ok());
        assert!(bucket.take(second, 3, start + second).is_err());
        assert!((0..3).all(|_| bucket.take(second, 3, start + second * 60).is_ok()));
        assert!(bucket.take(second, 3, start + second * 60).is_err());
    }
}
