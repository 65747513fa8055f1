//! A websocket server that sends prebuilt frames as fast as the client reads, or at a given rate: for benchmarks.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::http::Wire;
use crate::thread::Thread;

/// How fast frames are sent.
#[derive(Clone, Copy, Debug)]
pub enum Rate {
    /// So many in total, as fast as the client reads; then the connection stays open and silent.
    Total(u64),
    /// So many in a second, for ever.
    PerSecond(u64),
}

/// What is sent to every client.
#[derive(Clone, Debug)]
pub struct Script {
    /// Sent once, after the client's first words (or at once, if there is nothing to wait for).
    pub answers: Vec<String>,
    /// Whether the client speaks first.
    pub client_first: bool,
    /// Sent over and over, in this order.
    pub frames: Vec<String>,
    /// How fast.
    pub rate: Rate,
}

/// A running flood. Dropping it stops everything.
pub struct Flood {
    address: SocketAddr,
    sent: Arc<AtomicU64>,
    _thread: Thread,
}

impl Flood {
    /// Listens on a free port.
    ///
    /// # Errors
    ///
    /// When there is none, or no thread can be started.
    pub fn start(script: Script) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let sent = Arc::new(AtomicU64::new(0));
        let (script, counter) = (Arc::new(script), Arc::clone(&sent));
        let thread = Thread::serve("flood", listener, move |listener| async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, counter) = (Arc::clone(&script), Arc::clone(&counter));
                // A client that goes away ends its own flood.
                tokio::spawn(async move { drop(pour(stream, &script, &counter).await) });
            }
        })?;
        Ok(Self { address, sent, _thread: thread })
    }

    /// Where to connect; any path will do.
    #[must_use]
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Frames sent so far, answers not counted.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

async fn pour(stream: TcpStream, script: &Script, sent: &AtomicU64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut wire = Wire::new(stream);
    let Some(request) = wire.request().await? else { return Ok(()) };
    let key = request.header("sec-websocket-key").unwrap_or_default();
    let (stream, _) = wire.switch_protocols(&derive_accept_key(key.as_bytes())).await?;
    let (mut reader, mut writer) = stream.into_split();
    let mut heard = [0; 4096];
    if script.client_first && reader.read(&mut heard).await? == 0 {
        return Ok(());
    }
    writer.write_all(&script.answers.iter().flat_map(|text| encode(text)).collect::<Vec<u8>>()).await?;
    // What else the client says has to be taken off the wire, but nobody cares.
    let listening = async {
        while reader.read(&mut heard).await? > 0 {}
        Ok(())
    };
    tokio::select! {
        ended = listening => ended,
        failed = send(&mut writer, script, sent) => failed,
    }
}

async fn send(writer: &mut (impl AsyncWriteExt + Unpin), script: &Script, sent: &AtomicU64) -> io::Result<()> {
    let frames: Vec<Vec<u8>> = script.frames.iter().map(|text| encode(text)).collect();
    let started = Instant::now();
    let mut done = 0;
    while !frames.is_empty() {
        let goal = match script.rate {
            Rate::Total(total) => total,
            Rate::PerSecond(rate) => (started.elapsed().as_secs_f64() * rate as f64) as u64,
        };
        // Many frames a write, as a busy venue's kernel would have it, but never more than a client can be late by.
        let next = goal.min(done + 1_000);
        let batch: Vec<u8> = (done..next).flat_map(|at| &frames[at as usize % frames.len()]).copied().collect();
        writer.write_all(&batch).await?;
        sent.fetch_add(next - done, Ordering::Relaxed);
        done = next;
        if done == goal {
            sleep(Duration::from_millis(2)).await;
        }
    }
    std::future::pending().await
}

/// A text frame as a server sends it: one piece, no mask.
fn encode(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        length @ 0..=125 => frame.push(length as u8),
        length @ 126..=0xffff => {
            frame.push(126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(text.as_bytes());
    frame
}
