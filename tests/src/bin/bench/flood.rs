//! A venue's stream under the benchmark's control: it takes subscriptions like the venue, and sends when told.
//!
//! All of it runs in the benchmark's own process, on threads that block, so that none of it counts as the client's.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::deck::{Deck, Stream, encode};
use crate::venues::Case;

/// Longer than any burst takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running flood.
pub struct Flood {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    case: &'static Case,
    deck: Arc<Deck>,
    lines: Mutex<Vec<Arc<Line>>>,
    /// When the first market data was sent.
    first: OnceLock<Instant>,
    over: AtomicBool,
}

/// One connection.
struct Line {
    writer: Mutex<TcpStream>,
    symbols: Mutex<BTreeSet<usize>>,
    pings: AtomicU64,
    pong: Mutex<u64>,
    ponged: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts; if that fails there is nobody to wake.
        drop(TcpStream::connect(self.address));
    }
}

impl Flood {
    /// Listens on a free port.
    pub fn start(case: &'static Case, deck: Arc<Deck>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (lines, first, over) = (Mutex::default(), OnceLock::new(), AtomicBool::new(false));
        let shared = Arc::new(Shared { case, deck, lines, first, over });
        let owned = Arc::clone(&shared);
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if owned.over.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&owned);
                // A client that goes away ends its own conversation.
                thread::spawn(move || drop(shared.converse(stream)));
            }
        });
        Ok(Self { address, shared })
    }

    /// Where to connect.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// How many symbols were subscribed to.
    pub fn subscribed(&self) -> usize {
        lock(&self.shared.lines).iter().map(|line| lock(&line.symbols).len()).sum()
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        lock(&self.shared.lines).len()
    }

    /// When the first market data was sent.
    pub fn first_data(&self) -> Option<Instant> {
        self.shared.first.get().copied()
    }

    /// Sends so many frames in total, as fast as they are read, and returns when the last one has been.
    pub fn burst(&self, total: usize) -> io::Result<()> {
        let lines = lock(&self.shared.lines).clone();
        let share = |at| total / lines.len() + usize::from(at < total % lines.len());
        thread::scope(|scope| {
            let senders: Vec<_> = lines
                .iter()
                .enumerate()
                .map(|(at, line)| {
                    let mut stream = self.shared.stream(line);
                    scope.spawn(move || line.pour(&mut stream, share(at)))
                })
                .collect();
            // A sender that panicked has said so.
            senders.into_iter().try_for_each(|one| one.join().unwrap_or(Ok(())))
        })
    }

    /// Sends so many frames a second, each by itself and all of them evenly spaced: nothing is spared by batching.
    pub fn trickle(&self, per_second: u32, time: Duration) -> io::Result<()> {
        let lines = lock(&self.shared.lines).clone();
        let mut streams: Vec<Stream> = lines.iter().map(|line| self.shared.stream(line)).collect();
        let (start, step) = (Instant::now(), Duration::from_secs(1) / per_second);
        for (sent, at) in (0..).zip((0..lines.len()).cycle()) {
            let due = step * sent;
            if due >= time {
                return Ok(());
            }
            thread::sleep(due.saturating_sub(start.elapsed()));
            if let (Some(line), Some(stream)) = (lines.get(at), streams.get_mut(at)) {
                line.write(stream.take(1).0)?;
            }
        }
        Ok(())
    }
}

impl Shared {
    fn stream(&self, line: &Line) -> Stream {
        self.deck.shuffle(&lock(&line.symbols).iter().copied().collect::<Vec<_>>())
    }

    fn converse(&self, stream: TcpStream) -> Result<(), tungstenite::Error> {
        stream.set_nodelay(true)?;
        let writer = Mutex::new(stream.try_clone()?);
        let mut socket = tungstenite::accept(stream).map_err(|_| io::Error::other("no websocket handshake"))?;
        let (symbols, pong, ponged) = (Mutex::default(), Mutex::new(0), Condvar::new());
        let line = Arc::new(Line { writer, symbols, pings: AtomicU64::new(0), pong, ponged });
        if !self.case.hello.is_empty() {
            line.write(&encode(self.case.hello))?;
        }
        lock(&self.lines).push(Arc::clone(&line));
        let ended = loop {
            match socket.read() {
                Ok(Message::Text(text)) => self.answer(&line, &text)?,
                Ok(Message::Pong(number)) => line.hear_pong(&number),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        lock(&self.lines).retain(|one| !Arc::ptr_eq(one, &line));
        Err(ended)
    }

    /// Answers, and sends the first frames of what was newly subscribed to.
    fn answer(&self, line: &Line, text: &str) -> io::Result<()> {
        let said: Value = serde_json::from_str(text).unwrap_or_default();
        if !said.is_array() {
            for answer in (self.case.answers)(&said) {
                line.write(&encode(&answer.as_str().map_or_else(|| answer.to_string(), str::to_owned)))?;
            }
        }
        let mut places = Vec::new();
        names(&said, &mut |name| places.extend(self.deck.places.get(&name.to_uppercase()).copied()));
        for place in places {
            if lock(&line.symbols).insert(place) {
                let _ = self.first.set(Instant::now());
                line.write(&self.deck.first(place))?;
            }
        }
        Ok(())
    }
}

/// Whatever may be a symbol in a message: venues write `btcusdt@ticker`, `/market/ticker:A,B` and `tickers.A`.
fn names(said: &Value, tell: &mut impl FnMut(&str)) {
    match said {
        Value::String(text) => text.split(['@', ':', ',', '.', '/']).for_each(tell),
        Value::Array(items) => items.iter().for_each(|item| names(item, tell)),
        Value::Object(members) => members.values().for_each(|item| names(item, tell)),
        _ => {}
    }
}

impl Line {
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        lock(&self.writer).write_all(bytes)
    }

    /// The ping at the end is answered by the client's websocket library once everything before it was read.
    fn pour(&self, stream: &mut Stream, total: usize) -> io::Result<()> {
        let mut left = total;
        while left > 0 {
            let (bytes, count) = stream.take(left);
            if count == 0 {
                return Err(io::Error::other("nothing was subscribed to"));
            }
            self.write(bytes)?;
            left -= count;
        }
        let number = self.pings.fetch_add(1, Ordering::Relaxed) + 1;
        let payload = number.to_be_bytes();
        self.write(&[&[0x89, payload.len() as u8], &payload[..]].concat())?;
        let waiting = self.ponged.wait_timeout_while(lock(&self.pong), PATIENCE, |heard| *heard < number);
        let late = waiting.is_ok_and(|(_, result)| result.timed_out());
        if late { Err(io::Error::other("the client does not read any more")) } else { Ok(()) }
    }

    fn hear_pong(&self, payload: &[u8]) {
        let number = payload.try_into().map_or(0, u64::from_be_bytes);
        *lock(&self.pong) = number;
        self.ponged.notify_all();
    }
}
