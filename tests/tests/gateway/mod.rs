//! A real gateway: started, asked over HTTP, stopped, and its log shown where a test failed.
#![allow(dead_code, reason = "every test binary uses its own part")]
#![expect(clippy::panic, reason = "a test fails where its gateway does")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fake_venues::stack::{Process, Scratch, Signal, build, find_tool};

use crate::exporter::exposition::Exposition;
use crate::exporter::web::{Answer, parse};
use crate::exporter::{PATIENCE, free_port};

/// Its kind of content, which every post names.
const JSON: &str = "Content-Type: application/json\r\n";

/// A running gateway. Dropping it ends it.
pub struct Gateway {
    pub port: u16,
    process: Option<Process>,
    flags: Vec<String>,
    scratch: Scratch,
    log: Vec<String>,
}

fn command() -> Command {
    let mut command = Command::new(build().unwrap().join("bot-exporter"));
    command.env_clear();
    command
}

/// Runs to the end, for what does not stay: its status, and what it said.
pub fn outcome(flags: &[String]) -> (Option<i32>, String) {
    let output = command().args(flags).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// What `promtool check metrics` finds, by line.
pub fn check_metrics(metrics: &str) -> Vec<String> {
    let mut promtool = Command::new(find_tool("promtool").unwrap());
    let piped = promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = piped.spawn().unwrap();
    promtool.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).lines().map(str::to_owned).collect()
}

impl Gateway {
    /// With these flags, and no state.
    pub fn new(flags: &[&str]) -> Self {
        Self::prepared(|_| flags.iter().map(ToString::to_string).collect())
    }

    /// With these flags, and a state file.
    pub fn with_state(flags: &[&str]) -> Self {
        Self::prepared(|folder| {
            let state = format!("--state.file={}", folder.join("state").display());
            flags.iter().map(ToString::to_string).chain([state]).collect()
        })
    }

    /// With flags that belong to files in a folder of its own.
    pub fn prepared(prepare: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let scratch = Scratch::new("bot-gateway").unwrap();
        let flags = prepare(scratch.path());
        let mut gateway = Self { port: free_port(), process: None, flags, scratch, log: Vec::new() };
        gateway.start();
        gateway
    }

    /// Starts it, and waits until it answers.
    pub fn start(&mut self) {
        let mut command = command();
        command.arg(format!("--web.listen-address=127.0.0.1:{}", self.port)).args(&self.flags);
        let log = self.scratch.path().join(format!("log-{}", self.log.len()));
        self.process = Some(Process::start("bot-exporter", &mut command, &log).unwrap());
        let deadline = Instant::now() + PATIENCE;
        while self.try_ask("GET", "/-/ready", "", "").is_none_or(|answer| answer.status != 200) {
            assert!(Instant::now() < deadline, "it does not get ready: {}", self.log());
            sleep(Duration::from_millis(10));
        }
    }

    /// Ends it by this signal.
    pub fn stop(&mut self, signal: Signal) {
        let mut process = self.process.take().unwrap();
        process.signal(signal);
        let deadline = Instant::now() + PATIENCE;
        while process.ended().is_none() {
            assert!(Instant::now() < deadline, "{signal:?} does not end it");
            sleep(Duration::from_millis(10));
        }
        let status = process.ended().unwrap();
        assert!(signal == Signal::KILL || status.success(), "{status}: {}", process.log());
        self.log.push(process.log());
    }

    /// Ends it by this signal and starts it again.
    pub fn restart(&mut self, signal: Signal) {
        self.stop(signal);
        self.start();
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Its state file.
    pub fn state(&self) -> PathBuf {
        self.folder().join("state")
    }

    /// All that it said since it was last started.
    pub fn log(&self) -> String {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }

    /// A body of events.
    pub fn post(&self, body: &str) -> Answer {
        self.ask("POST", "/events", "", body)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.plain("GET", path, "", "")
    }

    /// A request whose body is JSON, with further headers.
    pub fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        self.plain(method, path, &format!("{JSON}{headers}"), body)
    }

    /// A request with these headers alone.
    pub fn plain(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        self.try_ask(method, path, headers, body)
            .unwrap_or_else(|| panic!("{method} {path}: no answer; {}", self.log()))
    }

    fn try_ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Option<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        // It may refuse before all of it was sent.
        let _ = write!(stream, "{method} {path} HTTP/1.0\r\nHost: localhost\r\n{headers}{length}\r\n{body}");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        parse(&answer)
    }

    /// A connection.
    pub fn connect(&self) -> TcpStream {
        TcpStream::connect_timeout(&([127, 0, 0, 1], self.port).into(), PATIENCE).unwrap()
    }

    /// What comes back for these bytes.
    pub fn raw(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A scrape as text.
    pub fn scrape(&self) -> Exposition {
        let text = self.get("/metrics").text();
        Exposition::text(&text).unwrap_or_else(|problem| panic!("{problem}\n{text}"))
    }

    /// The same as OpenMetrics.
    pub fn scrape_open_metrics(&self) -> Exposition {
        let accept = "Accept: application/openmetrics-text;version=1.0.0\r\n";
        let text = self.plain("GET", "/metrics", accept, "").text();
        Exposition::open_metrics(&text).unwrap_or_else(|problem| panic!("{problem}\n{text}"))
    }

    /// The same as compressed text.
    pub fn scrape_gzip(&self) -> Exposition {
        let answer = self.plain("GET", "/metrics", "Accept-Encoding: gzip\r\n", "");
        assert_eq!(answer.header("content-encoding"), "gzip");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&answer.body[..]).read_to_string(&mut text).unwrap();
        Exposition::text(&text).unwrap()
    }

    /// Waits until a scrape shows it.
    pub fn until(&self, what: &str, mut done: impl FnMut(&Exposition) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(&self.scrape()) {
            assert!(Instant::now() < deadline, "not in time: {what}\n{}", self.log());
            sleep(Duration::from_millis(30));
        }
    }
}
