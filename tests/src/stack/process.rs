//! A child process that cannot outlive its guard.

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process_group};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A running child, in a process group of its own so that Ctrl-C in a terminal reaches its owner only, and so that
/// whatever it starts dies with it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts `command`; standard output and error go to the file `log`.
    ///
    /// # Errors
    /// The program or the log cannot be opened.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> io::Result<Self> {
        let output = File::create(log)?;
        command.stdout(output.try_clone()?).stderr(output).process_group(0);
        let child = command.spawn().map_err(|error| {
            io::Error::new(error.kind(), format!("cannot start {}: {error}", command.get_program().display()))
        })?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned(), ended: None })
    }

    /// What it was started as.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// All that it has printed.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// What it printed from this byte on, and where that ends.
    ///
    /// # Errors
    /// The log is gone.
    pub fn log_from(&self, from: usize) -> io::Result<(String, usize)> {
        let mut file = File::open(&self.log)?;
        file.seek(SeekFrom::Start(from as u64))?;
        let mut bytes = Vec::new();
        let read = file.read_to_end(&mut bytes)?;
        Ok((String::from_utf8_lossy(&bytes).into_owned(), from + read))
    }

    /// The last lines of what it printed.
    #[must_use]
    pub fn log_tail(&self, lines: usize) -> String {
        let log = self.log();
        let all: Vec<&str> = log.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Asks all of them at once to end, then kills those that have not within `grace`.
    pub fn stop(processes: &mut [Self], grace: Duration) {
        for process in &mut *processes {
            process.signal(Signal::TERM);
        }
        let deadline = Instant::now() + grace;
        while Instant::now() < deadline && processes.iter_mut().any(|process| process.ended().is_none()) {
            sleep(Duration::from_millis(20));
        }
        processes.iter_mut().for_each(Self::kill);
    }

    /// Ends it and whatever it started, at once.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        if self.ended.is_none() {
            self.ended = self.child.wait().ok();
        }
    }

    /// Signals the whole group, and only while we have not reaped its leader: its id cannot be another's until then.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_none() {
            // The one error that can come, "no such process", is what a signal to end wants.
            let _ = kill_process_group(Pid::from_child(&self.child), signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scratch;
    use super::*;

    fn shell(scratch: &Scratch, script: &str) -> Process {
        Process::start("shell", Command::new("sh").args(["-c", script]), &scratch.path().join("log")).unwrap()
    }

    fn lives(id: &str) -> bool {
        fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }

    #[test]
    fn takes_its_children_along() {
        let scratch = Scratch::new("process-test").unwrap();
        let process = shell(&scratch, "sleep 100 & echo $!; wait");
        while process.log().is_empty() {
            sleep(Duration::from_millis(5));
        }
        let grandchild = process.log().trim().to_owned();
        assert!(lives(&grandchild));
        drop(process);
        let deadline = Instant::now() + Duration::from_secs(5);
        while lives(&grandchild) {
            assert!(Instant::now() < deadline, "the grandchild lives on");
            sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn kills_what_ignores_the_request() {
        let scratch = Scratch::new("process-test").unwrap();
        let mut deaf = [shell(&scratch, "trap '' TERM; echo up; while :; do sleep 0.1; done")];
        while deaf[0].log().is_empty() {
            sleep(Duration::from_millis(5));
        }
        Process::stop(&mut deaf, Duration::from_millis(200));
        assert!(deaf[0].ended().is_some());
    }

    #[test]
    fn tells_how_it_ended() {
        let scratch = Scratch::new("process-test").unwrap();
        let mut process = shell(&scratch, "seq 1 5; exit 3");
        let deadline = Instant::now() + Duration::from_secs(5);
        while process.ended().is_none() && Instant::now() < deadline {
            sleep(Duration::from_millis(5));
        }
        assert_eq!(process.ended().and_then(|status| status.code()), Some(3));
        assert_eq!(process.log_tail(2), "4\n5");
    }
}
