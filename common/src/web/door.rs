//! What every request passes before it is answered: no body, the rate limit, user and password.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONNECTION, CONTENT_SECURITY_POLICY, RETRY_AFTER, WWW_AUTHENTICATE};
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
use crate::context::Context;
use crate::metrics::health::lock;

/// Tell whether the exporter lives, and nothing about what it holds.
pub const HEALTH: [&str; 3] = ["/-/healthy", "/-/ready", "/health"];
/// While the new web configuration is broken, `exchange_config_error` has this reason.
pub const BROKEN: &str = "web_config";

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
    pub context: Arc<Context>,
}

impl Door {
    /// The configuration as the files are now.
    pub fn config(&self) -> Arc<WebConfig> {
        match self.live.look() {
            News::None => {}
            News::Taken => {
                tracing::info!("the web configuration changed and is in use");
                self.context.health.learn(|known| {
                    known.config_errors.remove(BROKEN);
                });
                warn(&self.live.config());
            }
            News::Broken(why) => {
                tracing::error!(why, "the web configuration changed and cannot be used; the last good one goes on");
                self.context.health.learn(|known| {
                    known.config_errors.insert(BROKEN);
                });
            }
        }
        self.live.config()
    }

    async fn answer(
        &self,
        request: http::Request<Incoming>,
        entry: Arc<WebConfig>,
        pulse: &Pulse,
        turn: &mut Option<OwnedSemaphorePermit>,
    ) -> Response {
        let config = self.config();
        let has_body = !request.body().is_end_stream();
        let mut response = match self.refusal(&config, &request).await {
            _ if has_body => (StatusCode::PAYLOAD_TOO_LARGE, "nothing here takes a body\n").into_response(),
            Some(refusal) => refusal,
            None => {
                self.crowd.answer(pulse);
                *turn = self.crowd.turn().await;
                match self.router.call(request.map(|_| Body::empty())).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
        };
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
        if has_body || !same {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// Why this request is not answered, if it is not.
    async fn refusal<B>(&self, config: &WebConfig, request: &Request<B>) -> Option<Response> {
        if !self.protect_health && HEALTH.contains(&request.uri().path()) {
            return None;
        }
        if let Some((interval, burst)) = config.rate
            && let Err(wait) = lock(&self.bucket).take(interval, burst, Instant::now())
        {
            let seconds = wait.as_secs_f64().ceil().to_string();
            return Some(
                (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds)], "Too Many Requests\n").into_response(),
            );
        }
        if config.users.is_empty() {
            return None;
        }
        let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if self.users.allow(&config.users, given).await {
            return None;
        }
        Some((StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Basic")], "Unauthorized\n").into_response())
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
    /// The connection's.
    pub pulse: Arc<Pulse>,
}

impl Service<http::Request<Incoming>> for Visit {
    type Response = http::Response<Handed>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: http::Request<Incoming>) -> Self::Future {
        self.pulse.asked();
        let (door, entry, pulse) = (Arc::clone(&self.door), Arc::clone(&self.entry), Arc::clone(&self.pulse));
        Box::pin(async move {
            let mut turn = None;
            let response = door.answer(request, entry, &pulse, &mut turn).await;
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
    fn take(&mut self, interval: Duration, burst: u32, now: Instant) -> Result<(), Duration> {
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
