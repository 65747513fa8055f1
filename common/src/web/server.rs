//! The HTTP server, on a thread of its own so that a scrape never holds up a frame.

use std::io::{self, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Json, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_rustls::TlsAcceptor;

use super::config::live::Live;
use super::crowd::{Felt, Place};
use super::door::{self, Door, House, Visit};
use super::page;
use super::users::HASHERS;
use crate::context::Context;
use crate::metrics::encode::Format;
use crate::metrics::scrape::Exposition;

/// What the handlers share.
pub struct Site {
    /// The running exporter.
    pub context: Arc<Context>,
    /// Its metrics.
    pub exposition: Arc<Exposition>,
    /// Where the metrics are.
    pub telemetry_path: String,
}

/// What hyper reads of a request before it is refused; all that a connection holds besides an answer's piece.
const HEAD: usize = 16 * 1024;
/// What the system keeps of an answer that a client does not read; left alone it grows to some megabytes, and each of them has to
/// be written first.
const UNREAD: usize = 512 * 1024;
/// What it keeps of a question that nobody reads.
const UNHEARD: usize = 64 * 1024;
/// Between two looks at who takes too long, and at the files.
const ROUND: Duration = Duration::from_millis(500);
/// The system refuses sockets: wait for some to be closed.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` turns true; what is under way is finished.
pub fn serve(listener: TcpListener, house: House, stop: watch::Receiver<bool>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(HASHERS).build()?;
    let result = runtime.block_on(async move {
        listener.set_nonblocking(true)?;
        // Every connection has these from its listener.
        set_socket_send_buffer_size(&listener, UNREAD)?;
        set_socket_recv_buffer_size(&listener, UNHEARD)?;
        accept(tokio::net::TcpListener::from_std(listener)?, Arc::new(Door::new(house)), stop).await
    });
    // A password that is still being checked does not hold up the end.
    runtime.shutdown_background();
    result
}

async fn accept(listener: tokio::net::TcpListener, door: Arc<Door>, mut stop: watch::Receiver<bool>) -> io::Result<()> {
    let mut tasks = JoinSet::new();
    let mut round = tokio::time::interval(ROUND);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    door::warn(&door.config());
    for number in 0.. {
        let stream = loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => break stream,
                    Err(_) => tokio::time::sleep(PAUSE).await,
                },
                _ = round.tick() => {
                    door.crowd.sweep();
                    door.config();
                }
                Some(_) = tasks.join_next() => {}
                () = told(&mut stop) => {
                    drop(listener);
                    while tasks.join_next().await.is_some() {}
                    return Ok(());
                }
            }
        };
        let place = door.crowd.join(number);
        let task = tasks.spawn(admit(stream, place, Arc::clone(&door), stop.clone()));
        door.crowd.started(number, task);
    }
    Ok(())
}

/// Waits until it is time to stop.
async fn told(stop: &mut watch::Receiver<bool>) {
    // An error means that the other side is gone: stop then too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// One connection, from its first byte to its last.
async fn admit(stream: TcpStream, place: Place, door: Arc<Door>, mut stop: watch::Receiver<bool>) {
    // Without it the last bytes of an answer may wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let entry = door.config();
    let address = stream.peer_addr().ok();
    let visit = Visit { door, entry: Arc::clone(&entry), address, pulse: Arc::clone(&place.pulse) };
    match &entry.tls {
        None => talk(stream, visit, stop).await,
        Some(tls) => {
            let goes_on = stop.clone();
            let handshake = TlsAcceptor::from(Arc::clone(tls)).accept(stream);
            tokio::select! {
                done = handshake => match done {
                    Ok(stream) => talk(stream, visit, goes_on).await,
                    // Anybody can fill the log with these, so only where somebody asked for it.
                    Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
                },
                () = told(&mut stop) => {}
            }
        }
    }
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(stream: S, visit: Visit, mut stop: watch::Receiver<bool>) {
    let stream = TokioIo::new(Felt { inner: stream, pulse: Arc::clone(&visit.pulse) });
    let connection = http1::Builder::new().max_buf_size(HEAD).serve_connection(stream, visit);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // How a client's connection ends is the client's affair.
        _ = connection.as_mut() => {}
        () = told(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// What a venue's exporter serves.
pub fn house(site: Site, live: Arc<Live>, protect_health: bool) -> House {
    let (path, host) = (site.telemetry_path.clone(), Arc::clone(&site.context) as _);
    let router = Router::new()
        .route("/", get(status_page))
        .route("/-/healthy", get(|| async { "OK\n" }))
        .route("/-/ready", get(ready))
        .route("/health", get(health))
        .route(&path, get(metrics))
        .with_state(Arc::new(site));
    House { router, host, live, protect_health }
}

async fn ready(State(site): State<Arc<Site>>) -> Response {
    let reasons = site.context.health.reasons();
    if reasons.is_empty() {
        return (StatusCode::OK, "OK\n").into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", reasons.join("\n"))).into_response()
}

#[derive(Serialize)]
struct Verdict {
    status: &'static str,
    exchange: &'static str,
    reasons: Vec<String>,
}

async fn health(State(site): State<Arc<Site>>) -> Response {
    let reasons = site.context.health.complaints();
    let status = if reasons.is_empty() { "ok" } else { "degraded" };
    Json(Verdict { status, exchange: site.context.about.name, reasons }).into_response()
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    symbol: String,
}

async fn status_page(State(site): State<Arc<Site>>, Query(search): Query<Search>) -> Response {
    shown(page::render(&site.context, &site.telemetry_path, &search.symbol))
}

/// A page as an answer.
pub fn shown(page: String) -> Response {
    // The page shows text that others sent: nothing in it may run or load.
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; frame-ancestors 'none'";
    ([("content-security-policy", policy), ("cache-control", "no-store")], Html(page)).into_response()
}

async fn metrics(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    site.context.pace.fetch().await;
    exposed(&headers, |format| {
        let mut scrape = site.exposition.scrape(format);
        move |piece: &mut Vec<u8>| scrape.piece(piece)
    })
}

/// A scrape in the format and the coding that the headers ask for. It appends piece after piece, and tells whether there was one.
pub fn exposed<S>(headers: &HeaderMap, scrape: impl FnOnce(Format) -> S) -> Response
where
    S: FnMut(&mut Vec<u8>) -> bool + Send + 'static,
{
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = Format::from_accept(text(ACCEPT));
    let scrape = scrape(format);
    let head = [(CONTENT_TYPE, format.content_type()), (CACHE_CONTROL, "no-store"), (VARY, "Accept, Accept-Encoding")];
    if accepts_gzip(text(ACCEPT_ENCODING)) {
        (head, [(CONTENT_ENCODING, "gzip")], Body::from_stream(stream::iter(compressed(scrape)))).into_response()
    } else {
        (head, Body::from_stream(stream::iter(plain(scrape)))).into_response()
    }
}

fn accepts_gzip(header: &str) -> bool {
    header.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = matches!(parts.next(), Some("gzip" | "*"));
        let refused = |part: &str| part.strip_prefix("q=").and_then(|q| q.parse().ok()).is_some_and(|q: f64| q <= 0.0);
        named && !parts.any(refused)
    })
}

type Piece = io::Result<Vec<u8>>;

/// A frame that waits for this processor goes before the next piece: else it would wait for as long as the system lets a thread run, some
/// milliseconds.
fn after_you() {
    thread::yield_now();
}

fn plain(mut scrape: impl FnMut(&mut Vec<u8>) -> bool) -> impl Iterator<Item = Piece> {
    std::iter::from_fn(move || {
        after_you();
        let mut piece = Vec::new();
        scrape(&mut piece).then_some(Ok(piece))
    })
}

/// Level 1: it costs a sixth of level 6 and sends a quarter more.
fn compressed(mut scrape: impl FnMut(&mut Vec<u8>) -> bool) -> impl Iterator<Item = Piece> {
    let mut encoder = Some(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut piece = Vec::new();
    std::iter::from_fn(move || {
        let mut gzip = encoder.take()?;
        after_you();
        piece.clear();
        if !scrape(&mut piece) {
            return Some(gzip.finish());
        }
        if let Err(error) = gzip.write_all(&piece) {
            return Some(Err(error));
        }
        let ready = std::mem::take(gzip.get_mut());
        encoder = Some(gzip);
        Some(Ok(ready))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_those_who_ask() {
        for yes in ["gzip", "deflate, gzip;q=0.5", "*", "gzip;q=1.0, identity"] {
            assert!(accepts_gzip(yes), "{yes}");
        }
        for no in ["", "identity", "gzip;q=0", "gzipped"] {
            assert!(!accepts_gzip(no), "{no}");
        }
    }
}
