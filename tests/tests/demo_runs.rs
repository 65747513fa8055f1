//! The demo comes up, and whatever way it ends, it leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use fake_venues::stack::{Ports, Process, Scratch, Signal, VENUES, build, have_prometheus};
use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// For what should happen soon; under load it may take long, and that proves nothing.
const PATIENCE: Duration = Duration::from_secs(120);
/// In the environment of the demo, and so of everything that it starts: by this they are found.
const MARK: &str = "DEMO_TEST_MARK";

/// A demo on ports of its own, with a temporary directory of its own to leave things in.
struct Demo {
    process: Process,
    mark: String,
    files: Scratch,
    _log: Scratch,
}

impl Demo {
    fn start(ports: Ports) -> Self {
        let binaries = build().unwrap();
        let (files, log) = (Scratch::new("demo-files").unwrap(), Scratch::new("demo-log").unwrap());
        let mark = format!("{MARK}={}", files.path().display());
        let mut command = Command::new(binaries.join("demo"));
        command.arg(format!("--port-base={}", ports.base())).env("TMPDIR", files.path()).env(MARK, files.path());
        let process = Process::start("demo", &mut command, &log.path().join("log")).unwrap();
        Self { process, mark, files, _log: log }
    }

    /// Waits until the demo has printed this.
    fn says(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.process.log().contains(text) {
            assert!(self.process.ended().is_none(), "it ended:\n{}", self.process.log());
            assert!(Instant::now() < deadline, "no {text:?}:\n{}", self.process.log());
            sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a process of this name is in its family.
    fn runs(&self, name: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.family().iter().any(|(_, member)| member == name) {
            assert!(Instant::now() < deadline, "no {name}: {:?}", self.family());
            sleep(Duration::from_millis(20));
        }
    }

    /// Waits for its end and returns its exit status; none means that a signal killed it.
    fn ends(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        while self.process.ended().is_none() {
            assert!(Instant::now() < deadline, "it does not end:\n{}", self.process.log());
            sleep(Duration::from_millis(20));
        }
        self.process.ended().unwrap().code()
    }

    /// Processes that it started, by id and name; itself, too, while it lives.
    fn family(&self) -> Vec<(i32, String)> {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let member = |process: fs::DirEntry| {
            let environment = fs::read(process.path().join("environ")).ok()?;
            environment.split(|&byte| byte == 0).any(|entry| entry == self.mark.as_bytes()).then_some(())?;
            let name = fs::read_to_string(process.path().join("comm")).ok()?;
            Some((process.file_name().to_str()?.parse().ok()?, name.trim_end().to_owned()))
        };
        processes.filter_map(member).collect()
    }

    /// Nothing of it is left: no process, no file. What dies with it may take a moment.
    fn left_nothing(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (processes, files) = (self.family(), fs::read_dir(self.files.path()).unwrap().count());
            if processes.is_empty() && files == 0 {
                return;
            }
            assert!(Instant::now() < deadline, "left behind: {processes:?}, {files} files");
            sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn shows_the_table_and_ends_when_interrupted() {
    let monitored = have_prometheus().unwrap();
    let mut demo = Demo::start(Ports::free().unwrap());
    demo.says("Running;");
    let log = demo.process.log();
    for venue in VENUES {
        let row = log.lines().find(|line| line.contains(venue.exporter) && line.contains(venue.bitcoin));
        let row = row.unwrap_or_else(|| panic!("no row for {}:\n{log}", venue.name));
        assert!(row.contains(if monitored { " up " } else { " ready " }) && row.ends_with(" ms"), "{row}");
    }
    let gateway = log.lines().find(|line| line.trim_start().starts_with("bot-exporter") && line.contains(" ms"));
    assert!(gateway.is_some_and(|row| row.contains(if monitored { " up " } else { " ready " })), "{log}");
    let bots = ["maveretta", "services", "tasks", "trader", "treasurer"];
    let told = log.lines().find(|line| line.contains("bots: ")).unwrap_or_else(|| panic!("no bots:\n{log}"));
    assert!(bots.iter().all(|bot| told.contains(bot)), "{told}");
    assert!(demo.family().len() > VENUES.len(), "{:?}", demo.family());
    demo.process.signal(Signal::INT);
    assert_eq!(demo.ends(), Some(0), "{}", demo.process.log());
    demo.left_nothing();
}

#[test]
fn names_who_has_a_port_and_starts_nothing() {
    let ports = Ports::free().unwrap();
    let port = ports.exporter(2);
    let _listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let mut demo = Demo::start(ports);
    assert_eq!(demo.ends(), Some(2));
    let log = demo.process.log();
    assert!(log.contains(&format!("port {port} (bybit-exporter) is taken by ")), "{log}");
    assert!(log.contains(&format!("(pid {})", std::process::id())), "{log}");
    assert!(!log.contains("Starting"), "{log}");
    demo.left_nothing();
}

#[test]
fn an_interruption_of_the_start_is_one() {
    let mut demo = Demo::start(Ports::free().unwrap());
    demo.says("Starting");
    demo.process.signal(Signal::TERM);
    assert_eq!(demo.ends(), Some(128 + 15), "{}", demo.process.log());
    demo.left_nothing();
}

#[test]
fn ends_with_a_child_that_dies_and_says_which() {
    let mut demo = Demo::start(Ports::free().unwrap());
    demo.says("okx-exporter       ready");
    let family = demo.family();
    let (id, _) = family.iter().find(|(_, name)| name == "okx-exporter").unwrap();
    assert!(Command::new("sh").args(["-c", &format!("kill -s KILL {id}")]).status().unwrap().success());
    assert_eq!(demo.ends(), Some(1));
    let log = demo.process.log();
    assert!(log.contains("okx-exporter ended by itself (signal: 9") && log.contains("Its last lines:"), "{log}");
    demo.left_nothing();
}

#[test]
fn leaves_nothing_even_when_killed_outright() {
    let mut demo = Demo::start(Ports::free().unwrap());
    // By then as much runs as ever will.
    demo.says("Starting the bots");
    demo.runs("bot-day");
    demo.process.kill();
    assert_eq!(demo.ends(), None);
    demo.left_nothing();
}
