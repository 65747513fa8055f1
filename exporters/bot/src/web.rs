//! The gateway over HTTP.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use common::metrics::encode::Format;
use common::web::config::live::Live;
use common::web::door::{Guest, Host, House};
use common::web::server::{exposed, shown};
use serde_json::json;

use crate::auth::Tokens;
use crate::gateway::Gateway;
use crate::refusal::{Reason, Refusal, quoted};
use crate::store::Applied;
use crate::{page, show};

/// What the handlers share.
pub struct Site {
    /// The running gateway.
    pub gateway: Arc<Gateway>,
    /// Tokens of those who may post.
    pub tokens: Option<Arc<Tokens>>,
    /// Other machines may post without any.
    pub allow_anyone: bool,
    /// The largest body.
    pub max_body: usize,
    /// Where the metrics are.
    pub telemetry_path: String,
}

/// Everything that is served, and to whom.
pub fn house(site: Site, live: Arc<Live>, protect_health: bool) -> House {
    let path = site.telemetry_path.clone();
    let site = Arc::new(site);
    // The names that bots' dashboards asked for before; the second may be the first.
    let old = (path != "/metrics/prometheus").then_some("/metrics/prometheus");
    let metrics = [Some(path.as_str()), old].into_iter().flatten();
    let router = metrics
        .fold(Router::new(), |router, path| router.route(path, get(metrics_text)))
        .route("/", get(status_page))
        .route("/-/healthy", get(|| async { "OK\n" }))
        .route("/-/ready", get(|| async { "OK\n" }))
        .route("/health", get(health))
        .route(
            "/metrics/summary",
            get(|State(site): State<Arc<Site>>| async move { Json(show::summary(&site.gateway)) }),
        )
        .route("/metrics/health", get(|State(site): State<Arc<Site>>| async move { Json(show::health(&site.gateway)) }))
        .route("/events", post(events))
        .route("/events/{name}", post(webhook))
        .with_state(Arc::clone(&site));
    House { router, host: site, live, protect_health }
}

impl Host for Site {
    fn web_config(&self, broken: bool) {
        self.gateway.own.web_broken.store(broken, Ordering::Relaxed);
    }

    fn takes(&self, request: &Parts) -> usize {
        if is_post(request) { self.max_body } else { 0 }
    }

    fn knows(&self, request: &Parts) -> bool {
        is_post(request) && self.has_token(&request.headers)
    }

    fn turned_away(&self, request: &Parts, status: StatusCode) {
        if is_post(request) {
            let (reason, why) = match status {
                StatusCode::UNAUTHORIZED => (Reason::Auth, "no right password and no right token"),
                _ => (Reason::Rate, "the rate limit of the web configuration"),
            };
            self.gateway.refused(&Refusal::new(reason, why));
        }
    }
}

fn is_post(request: &Parts) -> bool {
    request.method == Method::POST && (request.uri.path() == "/events" || request.uri.path().starts_with("/events/"))
}

impl Site {
    fn has_token(&self, headers: &HeaderMap) -> bool {
        self.tokens.as_ref().is_some_and(|tokens| tokens.open(headers))
    }

    /// Whether this sender may post at all, before anything of the body is read.
    fn admit(&self, request: &Request) -> Result<(), Refusal> {
        let guest = request.extensions().get::<Guest>();
        // The door has looked for a user already, and lets nobody else pass where there are users.
        if guest.is_some_and(|guest| guest.user) || self.has_token(request.headers()) {
            return Ok(());
        }
        let refused = |why: &str| Err(Refusal::new(Reason::Auth, why));
        if self.tokens.as_ref().is_some_and(|tokens| tokens.are_there()) {
            return refused("wants a token of --events.token-file, as Authorization: Bearer");
        }
        // Any page that somebody on this machine looks at could send one; bots are no pages.
        if request.headers().contains_key(ORIGIN) {
            return refused("comes from a web page; with a token of --events.token-file it may");
        }
        let here =
            guest.and_then(|guest| guest.address).is_some_and(|address| address.ip().to_canonical().is_loopback());
        if here || self.allow_anyone {
            return Ok(());
        }
        refused("from another machine only with a token (--events.token-file) or as a user (--web.config.file)")
    }

    /// The body, of one who may send it.
    async fn body(&self, request: Request) -> Result<Vec<u8>, Refusal> {
        self.admit(&request)?;
        let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            let why = format!("wants Content-Type: application/json, not {}", quoted(essence));
            return Err(Refusal::new(Reason::ContentType, why));
        }
        let body = request.into_body();
        let too_large = || {
            Refusal::new(
                Reason::Body,
                format!("the body is larger than {} bytes, the limit of --events.max-body-bytes", self.max_body),
            )
        };
        if body.size_hint().lower() > self.max_body as u64 {
            return Err(too_large());
        }
        // Also where its length was not told, it is read no further.
        let read: Result<_, _> = to_bytes(body, self.max_body).await;
        read.map(|bytes| bytes.to_vec()).map_err(|_| too_large())
    }
}

async fn events(State(site): State<Arc<Site>>, request: Request<Body>) -> Response {
    let told = match site.body(request).await {
        Ok(body) => site.gateway.post(&body),
        Err(refusal) => Err(refusal),
    };
    answer(&site, told)
}

async fn webhook(State(site): State<Arc<Site>>, Path(name): Path<String>, request: Request<Body>) -> Response {
    let told = match (site.body(request).await, site.gateway.catalogue.webhooks.get(&name)) {
        (Ok(body), Some(webhook)) => site.gateway.hook(webhook, &body),
        (Ok(_), None) => {
            let all: Vec<&str> = site.gateway.catalogue.webhooks.keys().map(String::as_str).collect();
            let why = format!("there is no webhook {}; there are {}", quoted(&name), all.join(", "));
            Err(Refusal::new(Reason::Unknown, why))
        }
        (Err(refusal), _) => Err(refusal),
    };
    answer(&site, told)
}

fn answer(site: &Site, told: Result<Applied, Refusal>) -> Response {
    let refusal = match told {
        Ok(Applied { applied, repeated }) => {
            return Json(json!({ "applied": applied, "repeated": repeated })).into_response();
        }
        Err(refusal) => refusal,
    };
    site.gateway.refused(&refusal);
    let status = StatusCode::from_u16(refusal.reason.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let body = Json(json!({ "error": refusal.to_string(), "reason": refusal.reason.as_str() }));
    let mut response = (status, body).into_response();
    if let Some(seconds) = refusal.retry {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if refusal.reason == Reason::Auth {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

async fn metrics_text(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    exposed(&headers, |format: Format| {
        let mut text = Some(show::metrics(&site.gateway, format));
        move |piece: &mut Vec<u8>| text.take().map(|text| piece.extend(text)).is_some()
    })
}

async fn health(State(site): State<Arc<Site>>) -> Response {
    let reasons = site.gateway.complaints();
    let status = if reasons.is_empty() { "ok" } else { "degraded" };
    Json(json!({ "status": status, "reasons": reasons })).into_response()
}

async fn status_page(State(site): State<Arc<Site>>) -> Response {
    shown(page::render(&site.gateway, &site.telemetry_path))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::catalogue::Catalogue;
    use crate::store::Bounds;

    fn site(allow_anyone: bool) -> Site {
        let bounds = Bounds { series: 10, ids: 10, stale_after: Duration::from_secs(300) };
        let gateway = Arc::new(Gateway::new(Arc::new(Catalogue::default()), bounds, 10));
        Site { gateway, tokens: None, allow_anyone, max_body: 10, telemetry_path: "/metrics".into() }
    }

    /// Whether a post from this address, of a user or not, is let in.
    fn is_in(site: &Site, address: Option<&str>, user: bool, origin: bool) -> bool {
        let mut request = Request::new(Body::empty());
        let address = address.map(|address| address.parse().unwrap());
        request.extensions_mut().insert(Guest { address, user });
        if origin {
            request.headers_mut().insert(ORIGIN, HeaderValue::from_static("http://localhost:8005"));
        }
        site.admit(&request).is_ok()
    }

    #[test]
    fn without_token_and_users_only_this_machine_posts() {
        let site = site(false);
        for here in ["127.0.0.1:5", "127.8.9.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5"] {
            assert!(is_in(&site, Some(here), false, false), "{here}");
        }
        for there in ["192.0.2.7:5", "172.17.0.1:5", "[2001:db8::1]:5", "[::ffff:192.0.2.7]:5", "0.0.0.0:5"] {
            assert!(!is_in(&site, Some(there), false, false), "{there}");
            assert!(is_in(&site, Some(there), true, false), "a user may, from {there}");
        }
        assert!(!is_in(&site, None, false, false), "from nobody knows where");
        assert!(!is_in(&site, Some("127.0.0.1:5"), false, true), "a web page is no bot");
    }

    #[test]
    fn anyone_is_any_machine_and_still_no_web_page() {
        let site = self::site(true);
        assert!(is_in(&site, Some("192.0.2.7:5"), false, false));
        assert!(!is_in(&site, Some("192.0.2.7:5"), false, true));
    }
}
