//! The suite as a whole: what runs, on which ports, and that it all ends together.

use super::endpoint::{Endpoint, endpoint, forget_settings, use_fake_account};
use super::will::Will;
use super::{Ports, Process, PrometheusSetup, Scratch, VENUES, find_tool, repository, setup};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a process may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(4);
/// How long the fake venues may take to listen.
const FAKES_START: Duration = Duration::from_secs(10);

/// What the exporters talk to.
#[derive(Debug, Clone)]
pub enum Market {
    /// The venues themselves, with whatever the environment configures.
    Live,
    /// The fake ones.
    Fake(Vec<Endpoint>),
}

/// A server of the suite that says at `/-/ready` whether it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Its process and its scrape job.
    pub name: &'static str,
    /// Its port.
    pub port: u16,
}

/// Everything that was started. The order of the fields matters: processes end, then the will for the case that we die
/// is revoked, then the files go.
#[derive(Debug)]
pub struct Suite {
    processes: Vec<Process>,
    targets: Vec<Target>,
    will: Will,
    scratch: Scratch,
    binaries: PathBuf,
    ports: Ports,
}

impl Suite {
    /// Nothing runs yet.
    ///
    /// # Errors
    /// No temporary directory can be made, or there is no `/bin/sh`.
    pub fn new(ports: Ports, binaries: &Path) -> io::Result<Self> {
        let scratch = Scratch::new("exchange-suite")?;
        Ok(Self {
            processes: Vec::new(),
            targets: Vec::new(),
            will: Will::new(scratch.path())?,
            scratch,
            binaries: binaries.to_owned(),
            ports,
        })
    }

    /// The ports in use.
    #[must_use]
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// The servers started so far.
    #[must_use]
    pub fn targets(&self) -> Vec<Target> {
        self.targets.clone()
    }

    /// Starts the fake venues, on whose accounts something happens at random, and waits until they listen.
    ///
    /// # Errors
    /// They do not start, end at once, or take too long.
    pub async fn start_fakes(&mut self) -> io::Result<Vec<Endpoint>> {
        self.start_fakes_with(&["--trader-ms=2000"]).await
    }

    /// The same with these flags instead; without any, nothing happens on the accounts by itself.
    ///
    /// # Errors
    /// They do not start, end at once, or take too long.
    pub async fn start_fakes_with(&mut self, flags: &[&str]) -> io::Result<Vec<Endpoint>> {
        let mut command = self.own_program("fake-venues")?;
        // They end with us even if we are killed outright: our end of the pipe closes then.
        command.arg("--until-stdin-closes").args(flags).stdin(Stdio::piped());
        self.start("fake-venues", &mut command)?;
        let deadline = Instant::now() + FAKES_START;
        loop {
            self.check()?;
            let log = self.process("fake-venues")?.log();
            if log.lines().any(|line| line == "ready") {
                return Ok(log.lines().filter_map(endpoint).collect());
            }
            if Instant::now() > deadline {
                let message = format!("the fake venues do not listen after {} s", FAKES_START.as_secs());
                return Err(io::Error::other(message));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Starts the five exporters.
    ///
    /// # Errors
    /// One does not start, or a fake venue is missing.
    pub fn start_exporters(&mut self, market: &Market) -> io::Result<()> {
        for venue in VENUES {
            let endpoint = match market {
                Market::Live => None,
                Market::Fake(endpoints) => {
                    let missing = || io::Error::other(format!("there is no fake {}", venue.name));
                    Some(endpoints.iter().find(|endpoint| endpoint.venue == venue.name).ok_or_else(missing)?)
                }
            };
            self.start_exporter(venue, endpoint, |_| ())?;
        }
        Ok(())
    }

    /// Starts one exporter, against a fake venue if one is given, with whatever is done to its command. It may have run before.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_exporter(
        &mut self,
        venue: super::Venue,
        endpoint: Option<&Endpoint>,
        change: impl FnOnce(&mut Command),
    ) -> io::Result<()> {
        let place = VENUES.iter().position(|one| *one == venue).unwrap_or(0);
        let port = self.ports.exporter(place);
        let mut command = self.own_program(venue.exporter)?;
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        if let Some(endpoint) = endpoint {
            command.arg(format!("--exchange.rest-url={}", endpoint.rest));
            command.arg(format!("--exchange.ws-url={}", endpoint.ws));
            forget_settings(&mut command, venue.env_prefix);
            use_fake_account(&mut command, &venue, endpoint);
        }
        change(&mut command);
        self.processes.retain_mut(|process| process.name() != venue.exporter || process.ended().is_none());
        self.start(venue.exporter, &mut command)?;
        self.is_target(venue.exporter, port)
    }

    /// Starts the bot gateway, whose counts outlive a restart. It may have run before.
    ///
    /// # Errors
    /// It does not start, or its target cannot be written.
    pub fn start_gateway(&mut self) -> io::Result<()> {
        self.start_gateway_with(|_| ())
    }

    /// The same, with whatever is done to its command.
    ///
    /// # Errors
    /// It does not start, or its target cannot be written.
    pub fn start_gateway_with(&mut self, change: impl FnOnce(&mut Command)) -> io::Result<()> {
        let (name, port) = ("bot-exporter", self.ports.gateway());
        let mut command = self.own_program(name)?;
        forget_settings(&mut command, "BOT_");
        command
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!("--state.file={}", self.scratch.path().join("bot-state").display()));
        change(&mut command);
        self.processes.retain_mut(|process| process.name() != name || process.ended().is_none());
        self.start(name, &mut command)?;
        let target = Target { name, port };
        if !self.targets.contains(&target) {
            self.targets.push(target);
        }
        self.add_target(name, &format!("localhost:{port}"), &[])
    }

    /// Starts the bots, which trade on these fake venues and tell the gateway of it.
    ///
    /// # Errors
    /// They do not start.
    pub fn start_bots(&mut self, fakes: &[Endpoint], change: impl FnOnce(&mut Command)) -> io::Result<()> {
        let mut command = self.own_program("bot-day")?;
        forget_settings(&mut command, "BOT_");
        // They end with us even if we are killed outright.
        command.arg("--until-stdin-closes").stdin(Stdio::piped());
        command.arg(format!("--gateway-port={}", self.ports.gateway()));
        for fake in fakes {
            let port = fake.rest.rsplit(':').next().unwrap_or_default();
            command.arg(format!("--seat={}:{port}", fake.venue));
        }
        change(&mut command);
        self.start("bot-day", &mut command)
    }

    /// Starts Prometheus as the repository configures it, with the targets of this suite; false where there is none.
    ///
    /// # Errors
    /// It does not start, or its configuration cannot be written.
    pub fn start_prometheus(&mut self) -> io::Result<bool> {
        self.start_prometheus_with(&PrometheusSetup::default())
    }

    /// The same, with changes.
    ///
    /// # Errors
    /// It does not start, or its configuration cannot be written.
    pub fn start_prometheus_with(&mut self, changes: &PrometheusSetup) -> io::Result<bool> {
        let Some(program) = find_tool("prometheus") else { return Ok(false) };
        let config = setup::configure(&self.prometheus_folder(), changes)?;
        let port = self.ports.prometheus();
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!("--web.external-url=http://localhost:{port}/"))
            .arg(format!("--web.user-assets={}", repository().join("docs/runbooks").display()));
        // An agent has another storage, and refuses the flags of this one.
        if !changes.flags.iter().any(|flag| flag.starts_with("--storage.")) {
            command.arg(format!("--storage.tsdb.path={}", self.scratch.path().join("prometheus-data").display()));
        }
        self.start("prometheus", command.args(&changes.flags))?;
        self.is_target("prometheus", port)?;
        Ok(true)
    }

    /// Starts Alertmanager with the repository's configuration; false where there is none.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_alertmanager(&mut self) -> io::Result<bool> {
        self.start_alertmanager_with(&repository().join("alertmanager/alertmanager.yml"))
    }

    /// Starts Alertmanager with this configuration; false where there is none. Prometheus sends its alerts there.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_alertmanager_with(&mut self, config: &Path) -> io::Result<bool> {
        let Some(program) = find_tool("alertmanager") else { return Ok(false) };
        let port = self.ports.alertmanager();
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", self.scratch.path().join("alertmanager-data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!("--web.external-url=http://localhost:{port}/"))
            // No gossip with others: one more port that nobody needs.
            .arg("--cluster.listen-address=");
        self.start("alertmanager", &mut command)?;
        self.is_target("alertmanager", port)?;
        Ok(true)
    }

    /// Lets Prometheus scrape something that the suite did not start, with these labels; also while it runs.
    ///
    /// # Errors
    /// The file of the target cannot be written.
    pub fn add_target(&self, job: &str, address: &str, labels: &[(&str, &str)]) -> io::Result<()> {
        let labels: BTreeMap<&str, &str> = labels.iter().copied().collect();
        // JSON is YAML.
        let group = serde_json::json!([{ "targets": [address], "labels": labels }]);
        let name: String = address.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        setup::write_target(&self.prometheus_folder(), job, &name, &group.to_string())
    }

    /// What Prometheus reads: `prometheus.yml`, and the folders `rules`, `alerts` and `targets`.
    #[must_use]
    pub fn prometheus_folder(&self) -> PathBuf {
        self.scratch.path().join("prometheus")
    }

    /// A server that was started is waited for, shown and scraped.
    fn is_target(&mut self, name: &'static str, port: u16) -> io::Result<()> {
        let target = Target { name, port };
        if !self.targets.contains(&target) {
            self.targets.push(target);
        }
        setup::add_suite_target(&self.prometheus_folder(), target)
    }

    /// An error that names the first process that has ended, and shows what it said last.
    ///
    /// # Errors
    /// A process has ended.
    pub fn check(&mut self) -> io::Result<()> {
        for process in &mut self.processes {
            if let Some(status) = process.ended() {
                let (name, tail) = (process.name(), process.log_tail(15));
                let tail = if tail.is_empty() { "(it printed nothing)" } else { &tail };
                return Err(io::Error::other(format!("{name} ended by itself ({status}). Its last lines:\n{tail}")));
            }
        }
        Ok(())
    }

    /// The running process of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn process(&mut self, name: &str) -> io::Result<&mut Process> {
        let found = self.processes.iter_mut().find(|process| process.name() == name);
        found.ok_or_else(|| io::Error::other(format!("{name} was not started")))
    }

    /// Ends everything, politely first.
    pub fn stop(&mut self) {
        Process::stop(&mut self.processes, GRACE);
        self.processes.clear();
    }

    fn start(&mut self, name: &str, command: &mut Command) -> io::Result<()> {
        let log = self.scratch.path().join(format!("{name}.log"));
        let process = Process::start(name, command, &log)?;
        self.will.add(process.id())?;
        self.processes.push(process);
        Ok(())
    }

    fn own_program(&self, name: &str) -> io::Result<Command> {
        let program = self.binaries.join(name);
        if program.is_file() {
            return Ok(Command::new(program));
        }
        Err(io::Error::other(format!("{} is missing: `make build` makes it", program.display())))
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn leaves_no_files() {
        let mut suite = Suite::new(Ports::from_base(1), Path::new("/nonexistent")).unwrap();
        let path = suite.scratch.path().to_owned();
        suite.start("echo", Command::new("echo").arg("hello")).unwrap();
        assert!(path.is_dir() && fs::read_dir(&path).unwrap().count() == 1);
        drop(suite);
        assert!(!path.exists());
    }

    #[test]
    fn tells_which_process_ended() {
        let mut suite = Suite::new(Ports::from_base(1), Path::new("/nonexistent")).unwrap();
        suite.start("brief", Command::new("sh").args(["-c", "echo no such flag; exit 2"])).unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        let error = loop {
            match suite.check() {
                Err(error) => break error.to_string(),
                Ok(()) => assert!(Instant::now() < deadline),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(error, "brief ended by itself (exit status: 2). Its last lines:\nno such flag");
    }
}
