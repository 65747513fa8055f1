//! One dial: opening the socket, talking on it, and asking over REST what the stream does not say.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use super::ear::{Ear, Map};
use super::session::{End, Next, Session};
use crate::context::Context;
use crate::fault::{Fault, Kind, Source, excerpt};
use crate::metrics::board::{Hold, Row};
use crate::metrics::cell::Word;
use crate::metrics::health::unix_now;
use crate::net;
use crate::rest::status_fault;
use crate::update::{Fact, Instrument};
use crate::venue::{Endpoint, Feed, Query, Reply};

/// Connecting, and sending one message, may take so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest message taken whole; beyond it the connection is not this venue's feed any more.
const LARGEST: usize = 4 << 20;
/// What is read at once. The library fills all of it with zeros before each reading, which for the 128 KiB it would take costs more than
/// the frame that comes.
const READ: usize = 16 << 10;
/// An open connection.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What one connection carries: a conversation and where its words go.
#[derive(Clone)]
pub struct Cargo {
    /// The conversation.
    pub feed: Arc<dyn Feed>,
    /// Its instruments, the pilot included.
    pub instruments: Vec<Arc<Instrument>>,
    /// The exported ones among them.
    pub rows: Vec<Arc<Row>>,
    /// Public or private: what is counted under, and whether silence means death.
    pub source: Source,
}

impl Cargo {
    /// A private stream: about the account, not about instruments.
    pub fn private(feed: Arc<dyn Feed>) -> Self {
        Self { feed, instruments: Vec::new(), rows: Vec::new(), source: Source::Private }
    }
}

/// What a line tells its keeper.
#[derive(Debug)]
pub enum News {
    /// The socket is open.
    Open,
    /// Subscribed, answered and carrying data.
    Live,
    /// Open another one; this one goes on meanwhile.
    Move(&'static str),
    /// Over.
    End(End),
}

/// A conversation under way. Dropping it hangs up, politely.
pub struct Line {
    /// What it tells.
    pub news: mpsc::UnboundedReceiver<News>,
    /// Its grip on the rows.
    pub hold: Arc<Hold>,
    _hang_up: oneshot::Sender<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.hold.end();
    }
}

impl Line {
    /// Dials and talks until hung up or over.
    pub fn start(context: &Arc<Context>, cargo: Cargo) -> Self {
        let (told, news) = mpsc::unbounded_channel();
        let (hang_up, hung_up) = oneshot::channel();
        let hold = Arc::new(context.board.hold(cargo.rows.clone()));
        let (context, grip) = (Arc::clone(context), Arc::clone(&hold));
        tokio::task::spawn_local(async move {
            let result = match dial(&context, &*cargo.feed).await {
                Ok((socket, endpoint)) => {
                    let _ = told.send(News::Open);
                    let ear = Ear::new(&context, &cargo, grip);
                    talk(&context, socket, &endpoint, cargo, ear, &told, hung_up).await
                }
                Err(fault) => Some(fault.into()),
            };
            // Nobody listens once it was hung up.
            if let Some(end) = result {
                let end = End { fault: context.clean(end.fault), ..end };
                let _ = told.send(News::End(end));
            }
        });
        Self { news, hold, _hang_up: hang_up }
    }
}

/// Opens the socket, within the venue's limit on new connections.
async fn dial(context: &Context, feed: &dyn Feed) -> Result<(Socket, Endpoint), Fault> {
    context.dial_turn().await;
    let ticket = match feed.ticket() {
        Some(request) => context.rest.fetch("ticket", &request).await?,
        None => String::new(),
    };
    let endpoint = feed.endpoint(&ticket)?;
    if !context.allow_plaintext && net::is_plaintext(&endpoint.url) {
        let host = net::host(&endpoint.url);
        return Err(Fault::protocol(format!(
            "the venue sent us to {host} without TLS, which --exchange.allow-plaintext forbids"
        )));
    }
    let config =
        WebSocketConfig::default().read_buffer_size(READ).max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
    let tls = Connector::Rustls(Arc::clone(&context.tls));
    let connecting = connect_async_tls_with_config(&endpoint.url, Some(config), true, Some(tls));
    match timeout(PATIENCE, connecting).await {
        Ok(Ok((socket, _))) => Ok((socket, endpoint)),
        Ok(Err(error)) => Err(socket_fault(&format!("cannot connect to {}", net::host(&endpoint.url)), error)),
        Err(_) => {
            let host = net::host(&endpoint.url);
            Err(Fault::new(Kind::Timeout, format!("no connection to {host} within {} s", PATIENCE.as_secs())))
        }
    }
}

/// Names a websocket error.
pub(super) fn socket_fault(what: &str, error: Error) -> Fault {
    match error {
        Error::Http(reply) => {
            let body = String::from_utf8_lossy(reply.body().as_deref().unwrap_or_default()).into_owned();
            let refusal =
                status_fault(&Reply { status: reply.status().as_u16(), headers: reply.headers(), body: &body });
            let fault = refusal.err().unwrap_or_else(|| Fault::protocol("no upgrade"));
            Fault { detail: format!("{what}: {}", fault.detail), ..fault }
        }
        Error::ConnectionClosed | Error::AlreadyClosed => Fault::new(Kind::Network, format!("{what}: closed")),
        // The library sees a breach of the protocol in what is a connection that broke.
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake | ProtocolError::HandshakeIncomplete) => {
            Fault::new(Kind::Network, format!("{what}: ended without a farewell"))
        }
        Error::Io(_) | Error::Tls(_) => net::fault(what, &error),
        other => Fault::protocol(format!("{what}: {}", excerpt(&other.to_string()))),
    }
}

/// The conversation. `None` when it was hung up by us.
async fn talk(
    context: &Arc<Context>,
    mut socket: Socket,
    endpoint: &Endpoint,
    cargo: Cargo,
    mut ear: Ear,
    told: &mpsc::UnboundedSender<News>,
    mut hung_up: oneshot::Receiver<()>,
) -> Option<End> {
    let opening = match cargo.feed.opening(context.venue_now()) {
        Ok(opening) => opening,
        Err(fault) => return Some(fault.into()),
    };
    let private = cargo.source == Source::Private;
    let data_timeout = (!private).then_some(context.data_timeout);
    // Lines that were dialled together must not change together.
    let lifetime = endpoint.lifetime.map(|lifetime| lifetime.mul_f64(0.95 + 0.05 * rand::random::<f64>()));
    let endpoint = Endpoint { lifetime, ..endpoint.clone() };
    let mut session = Session::open(&endpoint, opening, data_timeout, Instant::now());
    let timer = sleep_until(Instant::now().into());
    tokio::pin!(timer);
    // Aborted with the line: a late reply has no say on a dead one.
    let mut seeds = JoinSet::new();
    let mut live = false;
    loop {
        match session.next(Instant::now()) {
            Next::Say(text) => {
                if let Err(fault) = say(&mut socket, text).await {
                    return Some(fault.into());
                }
                continue;
            }
            Next::Move(reason) => {
                let _ = told.send(News::Move(reason));
                continue;
            }
            Next::End(end) => return Some(end),
            // A timer that rings early does no harm; setting it anew for every frame would.
            Next::Wait(until) if timer.is_elapsed() || timer.deadline() > until.into() => {
                timer.as_mut().reset(until.into())
            }
            Next::Wait(_) => {}
        }
        if !live && session.live() && (private || ear.has_data()) {
            live = true;
            let _ = told.send(News::Live);
            for query in cargo.feed.seeds() {
                seeds.spawn_local(seed(Arc::clone(context), query, ear.map(), ear.hold()));
            }
        }
        tokio::select! {
            biased;
            _ = &mut hung_up => {
                // The venue need not answer our farewell.
                let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
                return None;
            }
            frame = socket.next() => {
                if let Some(fault) = ear.listen(&mut socket, frame, &mut session) {
                    return Some(session.refusal().unwrap_or(fault).into());
                }
            }
            () = &mut timer => {}
        }
    }
}

async fn say(socket: &mut Socket, text: String) -> Result<(), Fault> {
    match timeout(PATIENCE, socket.send(Message::text(text))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(socket_fault("cannot send", error)),
        Err(_) => Err(Fault::new(Kind::Timeout, "the venue takes nothing any more")),
    }
}

/// Asks over REST what the stream does not say, once or again and again, for as long as the line lives.
async fn seed(context: Arc<Context>, query: Query, map: Map, hold: Arc<Hold>) {
    loop {
        let mut take = |fact: Fact<'_>| {
            let (ticker, fills) = match &fact {
                Fact::Seed(ticker) => (ticker, true),
                Fact::Ticker(ticker) => (ticker, false),
                _ => return,
            };
            let word = Word { ticker, now: unix_now(), lag: None };
            for row in map.get(ticker.symbol).into_iter().flatten() {
                if fills { hold.seed(row, word) } else { hold.say(row, word) }
            }
        };
        let failed = context.rest.ask(&query, &mut take).await.is_err();
        match (query.every, failed) {
            (Some(every), _) => tokio::time::sleep(every).await,
            (None, true) => tokio::time::sleep(Duration::from_secs(10)).await,
            (None, false) => return,
        }
    }
}
