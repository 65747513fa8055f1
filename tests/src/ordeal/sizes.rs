//! How large a process is, by the kernel.

use std::fs;
use std::io;

/// What must not grow with time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizes {
    /// Resident memory, in MiB.
    pub memory: f64,
    /// Open file descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
}

impl Sizes {
    /// Of a process that runs.
    ///
    /// # Errors
    /// It does not run, or belongs to somebody else.
    pub fn of(process: u32) -> io::Result<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u32>().ok()
        };
        let memory = number("VmRSS:").ok_or_else(|| io::Error::other("no memory in /proc"))?;
        Ok(Self {
            memory: f64::from(memory) / 1024.0,
            descriptors: fs::read_dir(format!("/proc/{process}/fd"))?.count(),
            threads: number("Threads:").unwrap_or(0) as usize,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_what_is_opened() {
        let before = Sizes::of(std::process::id()).unwrap();
        let files: Vec<_> = (0..100).map(|_| fs::File::open("/proc/self/status").unwrap()).collect();
        let after = Sizes::of(std::process::id()).unwrap();
        assert!(after.memory > 1.0 && after.threads >= 1);
        assert!(after.descriptors + 50 > before.descriptors + files.len(), "{before:?} {after:?}");
    }
}
