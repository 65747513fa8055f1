//! A client under measurement: a process of its own, looked at from outside.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use fake_venues::stack::{Process, Scratch};

/// How long a child may take to be up; a paced subscription of 3,000 symbols on one line takes 15 s.
const START: Duration = Duration::from_secs(60);

/// A running child. Dropping it ends it.
pub struct Child {
    process: Process,
    port: u16,
    _scratch: Scratch,
}

/// A port that was free a moment ago.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

impl Child {
    /// Starts it, with no environment but what `command` sets; `port` is where it will serve.
    pub fn start(name: &str, command: &mut Command, port: u16) -> io::Result<Self> {
        let scratch = Scratch::new("bench")?;
        let process = Process::start(name, command, &scratch.path().join("log"))?;
        Ok(Self { process, port, _scratch: scratch })
    }

    /// Waits for something, with the child's own words if it never comes.
    pub fn wait(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) -> io::Result<()> {
        let start = Instant::now();
        while !done(self) {
            if start.elapsed() > START || self.process.ended().is_some() {
                let (name, log) = (self.process.name(), self.process.log_tail(5));
                return Err(io::Error::other(format!("{name}: no {what}; it says:\n{log}")));
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Waits until it has nothing to do any more.
    pub fn settle(&mut self) -> io::Result<()> {
        let mut last = self.cpu()?;
        self.wait("rest", |child| {
            sleep(Duration::from_millis(500));
            let now = child.cpu().unwrap_or_default();
            let quiet = now.saturating_sub(last) < Duration::from_millis(2);
            last = now;
            quiet
        })
    }

    /// CPU time of all its threads so far. The scheduler counts it in nanoseconds; `stat` only in ticks of 10 ms.
    pub fn cpu(&self) -> io::Result<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            // A thread may end between the listing and the reading.
            let Ok(line) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            nanoseconds += line.split(' ').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// CPU time that `work` costs the child.
    pub fn cpu_of(&self, work: impl FnOnce() -> io::Result<()>) -> io::Result<Duration> {
        let before = self.cpu()?;
        work()?;
        Ok(self.cpu()?.saturating_sub(before))
    }

    /// Resident memory in MiB: now, and at most so far.
    pub fn memory(&self) -> io::Result<(f64, f64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib / 1024.0)
        };
        field("VmRSS:").zip(field("VmHWM:")).ok_or_else(|| io::Error::other("no memory in /proc"))
    }

    /// From here on "at most so far" means from here on.
    pub fn forget_peak(&self) -> io::Result<()> {
        fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5")
    }

    /// A connection to its HTTP server.
    pub fn client(&self) -> io::Result<Client> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_nodelay(true)?;
        Ok(Client { stream: BufReader::with_capacity(256 * 1024, stream) })
    }

    /// Whether it calls itself ready.
    pub fn ready(&self) -> bool {
        self.client().and_then(|mut client| client.get("/-/ready", "")).is_ok_and(|reply| reply.status == 200)
    }

    /// One scrape as text.
    pub fn metrics(&self) -> io::Result<String> {
        let reply = self.client()?.get("/metrics", "")?;
        String::from_utf8(reply.body).map_err(io::Error::other)
    }
}

/// The sum of a metric's samples in a scrape.
pub fn value(text: &str, metric: &str) -> f64 {
    let of = |line: &str| {
        let rest = line.strip_prefix(metric)?;
        rest.starts_with(['{', ' ']).then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())?
    };
    text.lines().filter_map(of).sum()
}

/// How many samples a scrape has.
pub fn series(text: &str) -> usize {
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count()
}

/// HTTP/1.1 on one connection that stays open, as Prometheus has it.
pub struct Client {
    stream: BufReader<TcpStream>,
}

/// What came back.
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// As it came, compressed if it was.
    pub body: Vec<u8>,
}

impl Client {
    /// GET with these header lines, each ended by CR LF.
    pub fn get(&mut self, path: &str, headers: &str) -> io::Result<Reply> {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").as_bytes())
    }

    /// A whole request, as it stands.
    pub fn send(&mut self, request: &[u8]) -> io::Result<Reply> {
        self.stream.get_mut().write_all(request)?;
        let first = self.line()?;
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let mut head = BTreeMap::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            head.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let mut body = Vec::new();
        match head.get("content-length").and_then(|length| length.parse::<u64>().ok()) {
            Some(length) => self.read(length, &mut body)?,
            None => while self.chunk(&mut body)? {},
        }
        Ok(Reply { status, body })
    }

    fn chunk(&mut self, body: &mut Vec<u8>) -> io::Result<bool> {
        let length = u64::from_str_radix(&self.line()?, 16).map_err(io::Error::other)?;
        self.read(length, body)?;
        self.line()?;
        Ok(length > 0)
    }

    fn read(&mut self, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
        let got = self.stream.by_ref().take(length).read_to_end(body)?;
        if got as u64 == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_counted_and_summed() {
        let text = "# HELP a A.\na{x=\"1\"} 2\na{x=\"2\"} 3\nab 7\n";
        assert_eq!((value(text, "a"), value(text, "ab"), series(text)), (5.0, 7.0, 3));
    }
}
