//! A venue's stream under the benchmark's control: it takes subscriptions like the venue, and sends when told.
//!
//! All of it runs in the benchmark's own process, on threads that block, so that none of it counts as the client's.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use serde_json::Value;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::deck::{Deck, Stream, encode};
use crate::venues::Case;
use crate::wire::{Wire, lock};

/// Longer than any burst takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// A probe pings after so many frames: a prime, so that every connection gets its share.
const PROBE: usize = 5;

/// A running flood.
pub struct Flood {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    case: &'static Case,
    deck: Arc<Deck>,
    tls: Option<Arc<ServerConfig>>,
    lines: Mutex<Vec<Arc<Line>>>,
    /// When the first market data was sent.
    first: OnceLock<Instant>,
    over: AtomicBool,
}

/// One connection.
struct Line {
    wire: Wire,
    symbols: Mutex<BTreeSet<usize>>,
    /// What pings count from: each carries the nanoseconds since then.
    epoch: Instant,
    pongs: Mutex<Pongs>,
    ponged: Condvar,
}

#[derive(Default)]
struct Pongs {
    /// The pings without an answer so far, by what they carry.
    awaited: VecDeque<u64>,
    /// How long each answer took.
    delays: Vec<Duration>,
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
    pub fn start(case: &'static Case, deck: Arc<Deck>, tls: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (lines, first, over) = (Mutex::default(), OnceLock::new(), AtomicBool::new(false));
        let shared = Arc::new(Shared { case, deck, tls, lines, first, over });
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
        let scheme = if self.shared.tls.is_some() { "wss" } else { "ws" };
        format!("{scheme}://{}", self.address)
    }

    /// How many symbols were subscribed to.
    pub fn subscribed(&self) -> usize {
        self.lines().iter().map(|line| lock(&line.symbols).len()).sum()
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        lock(&self.shared.lines).len()
    }

    /// When the first market data was sent.
    pub fn first_data(&self) -> Option<Instant> {
        self.shared.first.get().copied()
    }

    fn lines(&self) -> Vec<Arc<Line>> {
        lock(&self.shared.lines).clone()
    }

    /// Sends so many frames in total, as fast as they are read, and returns when the last one has been.
    pub fn burst(&self, total: usize) -> io::Result<()> {
        let lines = self.lines();
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
        self.trickle_and(per_second, time, |_, _| Ok(()))
    }

    /// The same, with pings amid the frames; returns how long each took to be answered.
    pub fn probe(&self, per_second: u32, time: Duration) -> io::Result<Vec<Duration>> {
        let lines = self.lines();
        lines.iter().for_each(|line| lock(&line.pongs).delays.clear());
        let ping = |line: &Line, at: usize| if at.is_multiple_of(PROBE) { line.ping() } else { Ok(()) };
        self.trickle_and(per_second, time, ping)?;
        lines.iter().try_for_each(|line| line.await_pongs())?;
        Ok(lines.iter().flat_map(|line| std::mem::take(&mut lock(&line.pongs).delays)).collect())
    }

    fn trickle_and(
        &self,
        per_second: u32,
        time: Duration,
        mut and: impl FnMut(&Line, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut lines: Vec<_> = self.lines().into_iter().map(|line| (self.shared.stream(&line), line)).collect();
        let count = lines.len().max(1);
        paced(per_second, time, |at| match lines.get_mut(at % count) {
            Some((stream, line)) => line.wire.send(stream.take(1).0).and_then(|()| and(line, at)),
            None => Err(io::Error::other("nobody is connected")),
        })
    }

    /// Sends so many frames a second, one symbol after the other, each made when it is due for the symbol's place.
    pub fn tell(&self, per_second: u32, time: Duration, make: impl Fn(usize) -> Vec<u8>) -> io::Result<()> {
        let lines = self.lines();
        let pairs: Vec<_> =
            lines.iter().flat_map(|line| lock(&line.symbols).clone().into_iter().map(move |one| (line, one))).collect();
        let count = pairs.len().max(1);
        paced(per_second, time, |at| match pairs.get(at % count) {
            Some((line, place)) => line.wire.send(&make(*place)),
            None => Err(io::Error::other("nothing was subscribed to")),
        })
    }
}

/// Calls so many times a second, evenly spaced, with the number of the call.
fn paced(per_second: u32, time: Duration, mut call: impl FnMut(usize) -> io::Result<()>) -> io::Result<()> {
    let (start, step) = (Instant::now(), Duration::from_secs(1) / per_second);
    for (at, number) in (0..).zip(0..) {
        let due = step * number;
        if due >= time {
            break;
        }
        thread::sleep(due.saturating_sub(start.elapsed()));
        call(at)?;
    }
    Ok(())
}

impl Shared {
    fn stream(&self, line: &Line) -> Stream {
        self.deck.shuffle(&lock(&line.symbols).iter().copied().collect::<Vec<_>>())
    }

    fn converse(&self, stream: TcpStream) -> Result<(), tungstenite::Error> {
        let wire = Wire::new(stream, self.tls.as_ref())?;
        let (symbols, pongs, ponged) = (Mutex::default(), Mutex::default(), Condvar::new());
        let line = Arc::new(Line { wire, symbols, epoch: Instant::now(), pongs, ponged });
        let mut socket = tungstenite::accept(&line.wire).map_err(|_| io::Error::other("no websocket handshake"))?;
        if !self.case.hello.is_empty() {
            line.wire.send(&encode(self.case.hello))?;
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
                line.wire.send(&encode(&answer.as_str().map_or_else(|| answer.to_string(), str::to_owned)))?;
            }
        }
        let mut places = Vec::new();
        names(&said, &mut |name| places.extend(self.deck.places.get(&name.to_uppercase()).copied()));
        for place in places {
            if lock(&line.symbols).insert(place) {
                let _ = self.first.set(Instant::now());
                line.wire.send(&self.deck.first(place))?;
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
    /// The ping at the end is answered by the client's websocket library once everything before it was read.
    fn pour(&self, stream: &mut Stream, total: usize) -> io::Result<()> {
        let mut left = total;
        while left > 0 {
            let (bytes, count) = stream.take(left);
            if count == 0 {
                return Err(io::Error::other("nothing was subscribed to"));
            }
            self.wire.send(bytes)?;
            left -= count;
        }
        self.ping()?;
        self.await_pongs()
    }

    fn ping(&self) -> io::Result<()> {
        let number = u64::try_from(self.epoch.elapsed().as_nanos()).map_err(io::Error::other)?;
        lock(&self.pongs).awaited.push_back(number);
        let payload = number.to_be_bytes();
        self.wire.send(&[&[0x89, payload.len() as u8], &payload[..]].concat())
    }

    fn await_pongs(&self) -> io::Result<()> {
        let unheard = |pongs: &mut Pongs| !pongs.awaited.is_empty();
        let waiting = self.ponged.wait_timeout_while(lock(&self.pongs), PATIENCE, unheard);
        let late = waiting.is_ok_and(|(_, result)| result.timed_out());
        if late { Err(io::Error::other("the client does not read any more")) } else { Ok(()) }
    }

    /// An answer is also that of the pings before it: who reads several at once may answer the last one only.
    fn hear_pong(&self, payload: &[u8]) {
        let heard = self.epoch.elapsed();
        let number = payload.try_into().map_or(0, u64::from_be_bytes);
        let mut pongs = lock(&self.pongs);
        while let Some(answered) = pongs.awaited.pop_front_if(|one| *one <= number) {
            pongs.delays.push(heard.saturating_sub(Duration::from_nanos(answered)));
        }
        self.ponged.notify_all();
    }
}
