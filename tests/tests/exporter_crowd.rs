//! Thousands who connect and do nothing, ask slowly, read slowly or send without end: `/metrics` goes on answering, and neither
//! memory nor descriptors grow with them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod exporter;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use exporter::tls::{RIGHT, TLS, UNKNOWN, USERS, WRONG, WebFiles};
use exporter::web::ask;
use exporter::{PATIENCE, Rig, fake, venues};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Each holds a socket of this process, and none that it is let go.
const MANY: usize = 3000;
/// The most that the exporter keeps open: connections, files, and its own to the venue.
const DESCRIPTORS: usize = 300;
/// What it may take for all of them, in kB.
const MEMORY: u64 = 48 * 1024;

fn rig(flags: &[&str]) -> Rig {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX).min(65_536);
    assert!(most as usize > MANY + 500, "the test itself needs {MANY} descriptors");
    setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: limit.maximum }).unwrap();
    Rig::with(fake(venues()[0]), &[&["--exchange.symbols=all"], flags].concat())
}

fn connect(rig: &Rig) -> TcpStream {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match TcpStream::connect_timeout(&([127, 0, 0, 1], rig.port).into(), PATIENCE) {
            Ok(stream) => return stream,
            Err(error) => rig.check(Instant::now() < deadline, error),
        }
    }
}

fn memory(rig: &Rig) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", rig.process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn descriptors(rig: &Rig) -> usize {
    fs::read_dir(format!("/proc/{}/fd", rig.process.id())).unwrap().count()
}

/// Everybody comes, and is there while it is scraped; then all is as before.
async fn endures(rig: &Rig, what: &str, mut come: impl FnMut(usize) -> Option<TcpStream>) {
    let before = memory(rig);
    let mut crowd = Vec::new();
    for number in 0..MANY {
        crowd.extend(come(number));
        if number % 500 == 250 {
            rig.scrape().await;
        }
    }
    for _ in 0..5 {
        rig.scrape().await;
        rig.check(descriptors(rig) < DESCRIPTORS, format!("{what}: {} descriptors", descriptors(rig)));
        let more = memory(rig).saturating_sub(before);
        rig.check(more < MEMORY, format!("{what}: {more} kB more"));
    }
    drop(crowd);
    rig.scrape().await;
    rig.until("they are let go", async || descriptors(rig) < 60).await;
}

#[tokio::test]
async fn who_says_nothing() {
    let rig = rig(&[]);
    rig.until_ready().await;
    endures(&rig, "silent", |_| Some(connect(&rig))).await;
}

#[tokio::test]
async fn who_asks_slowly_or_too_much() {
    let rig = rig(&[]);
    rig.until_ready().await;
    endures(&rig, "slow heads", |number| {
        let mut stream = connect(&rig);
        let head = match number % 3 {
            0 => "GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_owned(),
            1 => format!("GET /metrics HTTP/1.1\r\nHost: x\r\nX-Long: {}", "x".repeat(15_000)),
            _ => "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nxxx".to_owned(),
        };
        let _ = stream.write_all(head.as_bytes());
        Some(stream)
    })
    .await;
}

#[tokio::test]
async fn who_asks_and_does_not_read() {
    let rig = rig(&[]);
    rig.until_ready().await;
    endures(&rig, "slow readers", |_| {
        let mut stream = connect(&rig);
        let _ = stream.write_all("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(50).as_bytes());
        Some(stream)
    })
    .await;
}

#[tokio::test]
async fn who_begins_a_handshake() {
    let files = WebFiles::new(TLS);
    let rig = rig(&[&files.flag()]);
    let client = files.authority.client();
    let before = memory(&rig);
    let mut crowd = Vec::new();
    for number in 0..MANY {
        let mut stream = connect(&rig);
        // A record that announces more than ever comes.
        let _ = stream.write_all(&[0x16, 3, 1, 0x3f, 0xff, 1, 0, 0x3f, 0xfb]);
        crowd.push(stream);
        if number % 500 == 250 {
            rig.check(rig.secure(&client, "/metrics", "").status == 200, "it answers");
        }
    }
    rig.check(rig.secure(&client, "/metrics", "").status == 200, "it answers");
    rig.check(descriptors(&rig) < DESCRIPTORS, descriptors(&rig));
    let more = memory(&rig).saturating_sub(before);
    rig.check(more < MEMORY, format!("{more} kB more"));
}

/// Ends the guessing, also where the test fails meanwhile.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Guesses cost the exporter time, and whoever has the password does not wait for it.
#[tokio::test]
async fn who_guesses_passwords() {
    let files = WebFiles::new(USERS);
    let rig = rig(&[&files.flag()]);
    rig.check(ask(&rig, "GET", "/metrics", RIGHT).status == 200, "the password opens");
    let (before, over) = (memory(&rig), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for number in 0..100 {
            let (rig, over) = (&rig, &over);
            let header = if number % 2 == 0 { WRONG } else { UNKNOWN };
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let mut stream = connect(rig);
                    let _ = write!(stream, "GET /metrics HTTP/1.0\r\n{header}\r\n");
                    let mut answer = Vec::new();
                    // It may be cut off, or told that this is not it.
                    let _ = stream.read_to_end(&mut answer);
                    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.0 401"));
                }
            });
        }
        let _ends = Ends(&over);
        let statuses: Vec<u16> = (0..50)
            .map(|_| {
                std::thread::sleep(Duration::from_millis(50));
                ask(&rig, "GET", "/metrics", RIGHT).status
            })
            .collect();
        rig.check(statuses.iter().all(|status| *status == 200), format!("{statuses:?}"));
    });
    let more = memory(&rig).saturating_sub(before);
    rig.check(more < MEMORY, format!("{more} kB more"));
}

/// What the connection says until it ends; fails if it does not.
fn rest(rig: &Rig, mut stream: &TcpStream) -> Vec<u8> {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return all,
            Ok(length) => all.extend(&piece[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return all,
            Err(error) => rig.fail(error),
        }
    }
}

#[tokio::test]
async fn each_is_refused_or_cut_in_time() {
    let rig = rig(&[]);
    let say = |text: &str| {
        let mut stream = connect(&rig);
        stream.write_all(text.as_bytes()).unwrap();
        stream
    };
    let status = |answer: &[u8]| String::from_utf8_lossy(answer).split(' ').nth(1).map(str::to_owned);
    // Refused at once.
    for (text, expected) in [
        (format!("GET /metrics HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(40_000)), "431"),
        ("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n".into(), "413"),
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".into(), "413"),
        ("nonsense\r\n\r\n".into(), "400"),
    ] {
        let answer = rest(&rig, &say(&text));
        rig.check(
            status(&answer).as_deref() == Some(expected),
            format!("{expected}: {}", String::from_utf8_lossy(&answer)),
        );
    }
    // Cut after a while: who says nothing, who stops in the middle of a head, and who sends it drop by drop.
    let silent = connect(&rig);
    let half = say("GET /metrics HT");
    let mut drops = say("GET /metrics HTTP/1.1\r\nX: ");
    let begun = Instant::now();
    while drops.write_all(b"x").is_ok() {
        rig.check(begun.elapsed() < PATIENCE, "drops are cut");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    rest(&rig, &silent);
    rest(&rig, &half);
    // A connection that is used now and then is kept.
    let mut kept = say("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    tokio::time::sleep(Duration::from_secs(12)).await;
    kept.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let answers = String::from_utf8_lossy(&rest(&rig, &kept)).matches("200 OK").count();
    rig.check(answers == 2, "it is kept between two requests");
}
