//! What is measured: each a process of its own, this program started again with a word in the environment.

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use common::About;
use futures_util::{SinkExt, StreamExt};
use rustix::process::{Signal, set_parent_process_death_signal};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{Connector, connect_async_tls_with_config};

use crate::child::{Child, free_port};
use crate::deck::Deck;
use crate::flood::Flood;
use crate::plain::Gauges;
use crate::venues::{self, Case};
use crate::wire::Tls;

/// A client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Reads frames with the exporter's websocket library and drops them: what no exporter can beat.
    ReadOnly,
    /// The plain exporter.
    Plain,
    /// The exporter.
    Exporter,
}

/// How many connections a client opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// So many, or a few less where symbols do not divide so, whatever the venue allows. The exporter is then this program with
    /// another number in its `About`.
    Split(usize),
    /// As many as the venue's symbols per connection make it. The exporter is its own binary.
    Venue,
}

impl Kind {
    /// For people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::ReadOnly => "reading only",
            Self::Plain => "plain exporter",
            Self::Exporter => "this exporter",
        }
    }
}

/// `<kind> <venue>`: set for children only.
const ROLE: &str = "BENCH_ROLE";
const SYMBOLS: &str = "BENCH_SYMBOLS";
const URL: &str = "BENCH_URL";
const PORT: &str = "BENCH_PORT";
const PER_LINE: &str = "BENCH_PER_LINE";
/// Where the authority's certificate is, as the exporter knows it.
const AUTHORITY: &str = "SSL_CERT_FILE";
/// The program to become.
const BINARY: &str = "BENCH_BINARY";

/// A client and the stream that it alone is connected to.
pub struct Rig {
    /// The process.
    pub child: Child,
    /// Its stream.
    pub flood: Flood,
}

impl Rig {
    /// Starts a client of this kind on all symbols of a deck. It may not be up yet.
    pub fn start(
        (kind, lines): (Kind, Lines),
        case: &'static Case,
        deck: &Arc<Deck>,
        (rest, tls): (&str, Option<&Tls>),
        flags: &[&str],
    ) -> io::Result<Self> {
        let flood = Flood::start(case, Arc::clone(deck), tls.map(Tls::server))?;
        let port = free_port()?;
        let own = std::env::current_exe()?;
        let mut command = Command::new(&own);
        command.env_clear().env(ROLE, format!("{kind:?} {}", case.name()));
        command.envs(tls.map(|tls| (AUTHORITY, tls.authority())));
        let symbols = deck.places.keys().map(String::as_str).collect::<Vec<_>>().join(",");
        let per_line = match lines {
            Lines::Venue => case.about.symbols_per_line,
            // One place on each of the exporter's lines is its pilot's.
            Lines::Split(lines) => deck.places.len().div_ceil(lines) + usize::from(kind == Kind::Exporter),
        };
        command.env(PER_LINE, per_line.to_string());
        if kind == Kind::Exporter {
            if lines == Lines::Venue {
                command.env(BINARY, own.with_file_name(format!("{}-exporter", case.name())));
            }
            command
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .arg(format!("--exchange.symbols={symbols}"))
                // It rests while the others take their turns.
                .args(["--exchange.data-timeout=10m", "--exchange.rate-limit-share=1"])
                .arg(format!("--exchange.rest-url={rest}"))
                .arg(format!("--exchange.ws-url={}", flood.url()))
                .args(flags);
        } else {
            command.env(SYMBOLS, symbols).env(URL, flood.url()).env(PORT, port.to_string());
        }
        let child = Child::start(kind.title(), &mut command, port)?;
        Ok(Self { child, flood })
    }

    /// Waits until it is up and has nothing to do.
    pub fn ready(mut self, symbols: usize) -> io::Result<Self> {
        let Self { child, flood } = &mut self;
        child.wait("complete subscription", |_| flood.subscribed() >= symbols)?;
        child.wait("readiness", Child::ready)?;
        child.settle()?;
        Ok(self)
    }
}

/// Runs the role that the environment names; `None` where it names none.
pub fn role() -> Option<ExitCode> {
    let role = std::env::var(ROLE).ok()?;
    let (kind, venue) = role.split_once(' ')?;
    let case = venues::find(venue)?;
    // However the benchmark ends, so does this.
    set_parent_process_death_signal(Some(Signal::KILL)).ok()?;
    if let Some(binary) = std::env::var_os(BINARY) {
        let authority = std::env::var_os(AUTHORITY).map(|path| (AUTHORITY, path));
        let error = Command::new(binary).args(std::env::args_os().skip(1)).env_clear().envs(authority).exec();
        let _ = writeln!(io::stderr(), "cannot become the exporter: {error}");
        return Some(ExitCode::FAILURE);
    }
    if kind == "Exporter" {
        let symbols_per_line = std::env::var(PER_LINE).ok()?.parse().ok()?;
        // Lives as long as the process.
        let about: &'static About = Box::leak(Box::new(About { symbols_per_line, ..case.about.clone() }));
        return Some(common::main(about, case.build));
    }
    let gauges = if kind == "Plain" { Some(Arc::new(Gauges::new(venue).ok()?)) } else { None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    Some(match runtime.block_on(client(case, gauges)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

/// One thread for all of it, as is best for a process that does little else.
async fn client(case: &'static Case, gauges: Option<Arc<Gauges>>) -> Result<(), Error> {
    let set = |name| std::env::var(name).map_err(|_| io::Error::other(name));
    let (symbols, url, port) = (set(SYMBOLS)?, set(URL)?, set(PORT)?);
    let per_line = set(PER_LINE)?.parse().unwrap_or(1);
    let symbols: Vec<&str> = symbols.split(',').collect();
    let tls = common::net::tls().map_err(|fault| io::Error::other(fault.detail))?;
    for batch in symbols.chunks(per_line) {
        if let Some(gauges) = &gauges {
            batch.iter().for_each(|symbol| gauges.list(&symbol.replace('-', "")));
        }
        let say = serde_json::json!(batch).to_string();
        let connector = Connector::Rustls(Arc::clone(&tls));
        tokio::spawn(listen(case, url.clone(), connector, say, gauges.clone()));
    }
    let text = move || async move { gauges.map_or_else(Vec::new, |gauges| gauges.text()) };
    let routes = Router::new().route("/metrics", get(text)).route("/-/ready", get(|| async { "OK\n" }));
    let port: u16 = port.parse().map_err(io::Error::other)?;
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    axum::serve(listener, routes).await?;
    Ok(())
}

/// One connection, with the exporter's TLS and limits on messages.
async fn listen(
    case: &Case,
    url: String,
    tls: Connector,
    say: String,
    gauges: Option<Arc<Gauges>>,
) -> Result<(), Error> {
    let config = WebSocketConfig::default().max_message_size(Some(4 << 20)).max_frame_size(Some(4 << 20));
    // Who only reads does it as the exporter does; the plain one has the library's own buffer.
    let config = if gauges.is_none() { config.read_buffer_size(16 << 10) } else { config };
    let (mut socket, _) = connect_async_tls_with_config(url, Some(config), true, Some(tls)).await?;
    socket.send(Message::text(say)).await?;
    while let Some(message) = socket.next().await {
        if let (Message::Text(text), Some(gauges)) = (message?, &gauges) {
            gauges.count(&text);
            // What it does not understand it passes over; a test sees to it that there is nothing.
            let _ = (case.plain)(&text, gauges);
        }
    }
    Ok(())
}
