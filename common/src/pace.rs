//! Fewer wake-ups for many frames.
//!
//! Where thousands of frames a second come one by one, what costs is not to read a frame but to wake up for it. A network
//! card has the same trouble and moderates its interrupts; so does the thread that reads the sockets: while frames come
//! that fast, it sleeps for a moment before it waits for the next, and reads together what came meanwhile. A scrape does not
//! wait for that: it has what came fetched first, so that a price is as new as if nobody had slept.

use std::fmt;
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::timeout;

/// How long a frame waits at most for others.
const NAP: Duration = Duration::from_millis(2);
/// Over how long the rate is counted.
const WINDOW: Duration = Duration::from_millis(4);
/// Frames in a window, from which on a nap gathers enough of them.
const MANY: u64 = 12;
/// A scrape waits for the reader no longer than this: it then shows what was read.
const PATIENCE: Duration = Duration::from_millis(100);

/// How fast frames come, and what follows from it: for the one thread that reads, and for those that want to know.
pub struct Pace {
    epoch: Instant,
    /// Where the window began, in microseconds since the epoch.
    since: AtomicU64,
    frames: AtomicU64,
    fast: AtomicBool,
    reader: OnceLock<Thread>,
    asked: Notify,
    answered: Notify,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            epoch: Instant::now(),
            since: AtomicU64::new(0),
            frames: AtomicU64::new(0),
            fast: AtomicBool::new(false),
            reader: OnceLock::new(),
            asked: Notify::new(),
            answered: Notify::new(),
        }
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pace(fast: {:?})", self.fast)
    }
}

impl Pace {
    /// So many frames were read.
    pub fn heard(&self, frames: u64) {
        self.frames.fetch_add(frames, Ordering::Relaxed);
    }

    /// For the moment before the reader waits for its sockets and timers: sleeps, if that is worth it.
    pub fn rest(&self) {
        if self.fast_at(self.epoch.elapsed()) {
            self.reader.get_or_init(thread::current);
            thread::park_timeout(NAP);
        }
    }

    /// Whether frames come fast, that long after the epoch.
    fn fast_at(&self, now: Duration) -> bool {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let (now, window) = (micros(now), micros(WINDOW));
        let passed = now.saturating_sub(self.since.load(Ordering::Relaxed));
        if passed >= window {
            self.since.store(now, Ordering::Relaxed);
            let frames = self.frames.swap(0, Ordering::Relaxed);
            self.fast.store(frames.saturating_mul(window) >= MANY * passed, Ordering::Relaxed);
        }
        self.fast.load(Ordering::Relaxed)
    }

    /// Returns once what had come to the sockets by now was read. Who asks while another is being answered may return with that one,
    /// a part of a nap too early.
    pub async fn fetch(&self) {
        if !self.fast.load(Ordering::Relaxed) {
            return;
        }
        let mut answered = pin!(self.answered.notified());
        answered.as_mut().enable();
        self.asked.notify_one();
        if let Some(reader) = self.reader.get() {
            reader.unpark();
        }
        // A reader that is so late has more to do than can be waited for.
        let _ = timeout(PATIENCE, answered).await;
    }

    /// The reader's side of [`Self::fetch`]: a local task, as those that read are, since these take turns in the order of their waking.
    pub async fn answer(&self) {
        loop {
            self.asked.notified().await;
            // The runtime looks at the sockets before it goes on here, and whoever reads them comes first.
            yield_now().await;
            self.answered.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;
    use std::sync::Arc;

    use tokio::io::AsyncReadExt;
    use tokio::net::TcpStream;
    use tokio::runtime::Builder;
    use tokio::task::LocalSet;

    use super::*;

    /// Frames every so many microseconds from a moment on, each awaited; how many of the awaitings were naps.
    fn naps(pace: &Pace, from: u64, every: u64, frames: u64) -> usize {
        let nap = |at: &u64| {
            pace.heard(1);
            pace.fast_at(Duration::from_micros(from + every * at))
        };
        (0..frames).filter(nap).count()
    }

    #[test]
    fn it_naps_only_while_frames_come_fast() {
        let pace = Pace::default();
        assert_eq!(naps(&pace, 0, 1_000, 1_000), 0);
        let fast = naps(&pace, 1_000_000, 200, 5_000);
        assert!(fast > 4_900, "{fast} naps in a second of 5,000 frames");
        // What comes a moment later comes alone.
        pace.heard(1);
        assert!(!pace.fast_at(Duration::from_millis(2_050)));
        assert_eq!(naps(&pace, 2_100_000, 500, 1_000), 0);
    }

    #[test]
    fn what_came_before_a_fetch_was_read_after_it() {
        let pace = Arc::new(Pace::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        server.set_nodelay(true).unwrap();
        let read = Arc::new(AtomicU64::new(0));
        let (hook, heard, asked, count) = (Arc::clone(&pace), Arc::clone(&pace), Arc::clone(&pace), Arc::clone(&read));
        thread::spawn(move || {
            let runtime =
                Builder::new_current_thread().enable_all().on_thread_park(move || hook.rest()).build().unwrap();
            let local = LocalSet::new();
            local.spawn_local(async move {
                client.set_nonblocking(true).unwrap();
                let mut client = TcpStream::from_std(client).unwrap();
                let mut bytes = [0; 64];
                // Each byte passes for many frames, so that it naps whenever it may.
                while let Ok(1..) = client.read(&mut bytes).await.inspect(|&some| {
                    count.fetch_add(some as u64, Ordering::SeqCst);
                    heard.heard(1_000_000);
                }) {}
            });
            local.spawn_local(async move { asked.answer().await });
            runtime.block_on(local);
        });
        let web = Builder::new_current_thread().enable_time().build().unwrap();
        let unread = |sent: u64| read.load(Ordering::SeqCst) < sent;
        let (mut sent, mut naps, mut unfetched, mut late) = (0, 0, 0, 0);
        while naps < 300 {
            server.write_all(&[0]).unwrap();
            sent += 1;
            // Before the reader is up, and after a while in which this thread did not run, nobody naps.
            if pace.fast.load(Ordering::Relaxed) {
                unfetched += u32::from(unread(sent));
                web.block_on(pace.fetch());
                late += u32::from(unread(sent));
                naps += 1;
            } else {
                thread::sleep(WINDOW);
            }
        }
        assert!(unfetched > 150, "only {unfetched} of {naps} were waiting to be read");
        assert!(late < 15, "{late} of {naps} were not read");
    }
}
