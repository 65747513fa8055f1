//! `make bench-bot`: the bot gateway beside a Pushgateway, in the same run. What is measured and how is told in `docs/bot-gateway.md`.

#[path = "bench/child.rs"]
#[expect(dead_code, reason = "the other benchmark uses more of it")]
mod child;
#[path = "bench/report.rs"]
#[expect(dead_code, reason = "the other benchmark uses more of it")]
mod report;

use std::fs;
use std::io::{self, Write};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use clap::Parser;
use fake_venues::stack::{Scratch, binaries, find_tool, repository};

use child::{Child, Client, free_port, value};
use report::{Report, Table};

/// Measure the bot gateway beside a Pushgateway.
#[derive(Debug, Parser)]
struct Options {
    /// Too short to mean anything: shows that everything works.
    #[arg(long)]
    quick: bool,
    /// Put the figures into docs/bot-gateway.md too.
    #[arg(long)]
    write: bool,
}

/// Different series that events are about.
const SYMBOLS: usize = 100;
/// Events in one body.
const BATCH: usize = 100;

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "bench-bot: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    let (load, requests) = (load_average(), if options.quick { 500 } else { 10_000 });
    let mut report = Report::new();
    let outcome = measure(requests, if options.quick { 1 } else { 5 }, &mut report);
    let text = report.render(if options.quick { "make bench-bot BENCH=--quick" } else { "make bench-bot" });
    let text = format!("{text}\nThe machine's load was {load} before the run.\n");
    io::stdout().lock().write_all(text.as_bytes())?;
    outcome?;
    if options.write {
        report::write(&repository().join("docs/bot-gateway.md"), &text)?;
    }
    Ok(())
}

fn load_average() -> String {
    fs::read_to_string("/proc/loadavg")
        .ok()
        .and_then(|text| Some(text.split(' ').next()?.to_owned()))
        .unwrap_or_default()
}

/// A program that takes events, and how it is told of them.
struct Subject {
    title: &'static str,
    child: Child,
    /// The requests for events from this one on, so many at once.
    request: fn(first: usize, count: usize) -> Vec<u8>,
}

fn gateway(title: &'static str, request: fn(usize, usize) -> Vec<u8>, scratch: &Scratch) -> io::Result<Subject> {
    let port = free_port()?;
    let mut command = Command::new(binaries()?.join("bot-exporter"));
    let state = scratch.path().join(format!("state-{port}"));
    command.env_clear().args([
        format!("--web.listen-address=127.0.0.1:{port}"),
        format!("--state.file={}", state.display()),
        "--events.rate-limit=1000000".to_owned(),
        "--events.max-ids=10000000".to_owned(),
    ]);
    ready(Subject { title, child: Child::start(title, &mut command, port)?, request })
}

fn pushgateway() -> io::Result<Subject> {
    let program =
        find_tool("pushgateway").ok_or_else(|| io::Error::other("no Pushgateway; see scripts/fetch-tools"))?;
    let port = free_port()?;
    let mut command = Command::new(program);
    // Go would use both cores, and its collector would work on the other one.
    command.env_clear().env("GOMAXPROCS", "1").arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let child = Child::start("pushgateway", &mut command, port)?;
    ready(Subject { title: "Pushgateway", child, request: push })
}

fn ready(mut subject: Subject) -> io::Result<Subject> {
    subject.child.wait("web server", Child::ready)?;
    Ok(subject)
}

fn http(path: &str, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn event(number: usize, id: &str) -> String {
    let symbol = number % SYMBOLS;
    format!(
        r#"{{"metric":"trades_executed_total","labels":{{"symbol":"COIN{symbol}","side":"buy","status":"filled"}},"add":1{id}}}"#
    )
}

fn events(first: usize, count: usize) -> Vec<u8> {
    let all: Vec<String> = (first..first + count).map(|number| event(number, "")).collect();
    http("/events", "application/json", &format!("[{}]", all.join(",")))
}

fn named_events(first: usize, count: usize) -> Vec<u8> {
    let all: Vec<String> =
        (first..first + count).map(|number| event(number, &format!(r#","id":"order-{number}""#))).collect();
    http("/events", "application/json", &format!("[{}]", all.join(",")))
}

/// The same for a Pushgateway, which holds the last value that it was told: the sender has counted by itself.
fn push(first: usize, count: usize) -> Vec<u8> {
    if count == 1 {
        // A push replaces the metric in its group, so that single series want groups of their own.
        let path = format!("/metrics/job/bot/symbol/COIN{}", first % SYMBOLS);
        let body = format!(
            "# TYPE trades_executed_total counter\ntrades_executed_total{{side=\"buy\",status=\"filled\"}} {first}\n"
        );
        return http(&path, "text/plain", &body);
    }
    let mut body = "# TYPE trades_executed_total counter\n".to_owned();
    for number in first..first + count {
        let symbol = number % SYMBOLS;
        // Other series than those of the single pushes: the same from two groups would be refused.
        body.push_str(&format!(
            "trades_executed_total{{symbol=\"COIN{symbol}\",side=\"sell\",status=\"filled\"}} {first}\n"
        ));
    }
    http("/metrics/job/bot", "text/plain", &body)
}

/// Events a CPU-second, and a second with one client that waits for each answer.
struct Speed {
    cpu: f64,
    wall: f64,
}

impl Subject {
    /// Sends so many requests, all on one connection; each must be answered with 200.
    fn speed(&self, first: usize, requests: usize, batch: usize) -> io::Result<Speed> {
        let bodies: Vec<Vec<u8>> = (0..requests).map(|number| (self.request)(first + number * batch, batch)).collect();
        let mut client: Client = self.child.client()?;
        let start = Instant::now();
        let cpu = self.child.cpu_of(|| {
            for body in &bodies {
                let status = client.send(body)?.status;
                if status != 200 {
                    return Err(io::Error::other(format!("{} answers {status}", self.title)));
                }
            }
            Ok(())
        })?;
        let events = (requests * batch) as f64;
        Ok(Speed { cpu: events / seconds(cpu), wall: events / seconds(start.elapsed()) })
    }
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64().max(1e-9)
}

fn measure(requests: usize, rounds: usize, report: &mut Report) -> io::Result<()> {
    let scratch = Scratch::new("bench-bot")?;
    let subjects = [
        gateway("this gateway", events, &scratch)?,
        gateway("this gateway, an id an event", named_events, &scratch)?,
        pushgateway()?,
    ];
    let header = [
        "",
        "events a post",
        "events a CPU-second",
        "× Pushgateway",
        "events a second, one client",
        "RSS before",
        "RSS after",
    ];
    let mut table = Table::new(&format!("Events of {SYMBOLS} series, on one core"), &header);
    let mut sent = 0;
    for (batch, requests) in [(1, requests), (BATCH, requests.div_ceil(20))] {
        let before = subjects.iter().map(|subject| Ok(subject.child.memory()?.0)).collect::<io::Result<Vec<_>>>()?;
        let mut speeds: Vec<Vec<Speed>> = subjects.iter().map(|_| Vec::new()).collect();
        // They take turns, so that what disturbs one disturbs all.
        for round in 0..rounds {
            report.say(&format!("{batch} events a post, round {} of {rounds}", round + 1));
            for (subject, speeds) in subjects.iter().zip(&mut speeds) {
                speeds.push(subject.speed(sent, requests, batch)?);
            }
            sent += requests * batch;
        }
        let median = |speeds: &[Speed], of: fn(&Speed) -> f64| {
            let mut all: Vec<f64> = speeds.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
        };
        let cpu: Vec<f64> = speeds.iter().map(|speeds| median(speeds, |speed| speed.cpu)).collect();
        let other = cpu.last().copied().unwrap_or(f64::NAN);
        for (at, subject) in subjects.iter().enumerate() {
            let (Some(cpu), Some(speeds), Some(before)) = (cpu.get(at), speeds.get(at), before.get(at)) else {
                continue;
            };
            let wall = median(speeds, |speed| speed.wall);
            let mut row =
                vec![subject.title.to_owned(), batch.to_string(), format!("{cpu:.0}"), format!("{:.1}", cpu / other)];
            row.push(format!("{wall:.0}"));
            row.extend([*before, subject.child.memory()?.0].map(|mib| format!("{mib:.1} MiB")));
            table.row(row);
        }
    }
    report.table(table);
    // Nothing was lost on the way.
    for subject in subjects.iter().take(2) {
        let counted = value(&subject.child.metrics()?, "trades_executed_total");
        if counted != sent as f64 {
            return Err(io::Error::other(format!("{}: {counted} of {sent} events were counted", subject.title)));
        }
    }
    memory(&subjects[0], sent, requests, report)
}

/// Whether memory is flat: the same series for ever.
fn memory(subject: &Subject, mut sent: usize, requests: usize, report: &mut Report) -> io::Result<()> {
    report.say("memory");
    let mut table = Table::new("Memory of the gateway while the same series go on", &["events so far", "RSS", "peak"]);
    for _ in 0..5 {
        subject.speed(sent, requests.div_ceil(10), BATCH)?;
        sent += requests.div_ceil(10) * BATCH;
        subject.child.metrics()?;
        let (now, peak) = subject.child.memory()?;
        table.row(vec![sent.to_string(), format!("{now:.1} MiB"), format!("{peak:.1} MiB")]);
    }
    report.table(table);
    Ok(())
}
