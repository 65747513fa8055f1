//! The file while the exporter runs: taken up when it, or a file that it names, changes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;

use super::{Stamp, WebConfig, load};
use crate::metrics::health::{lock, unix_now};

/// Two changes within one tick of a file system's clock look like one; after so many seconds they are told apart.
const SETTLED: f64 = 2.0;

/// The configuration in use.
pub struct Live {
    path: Option<PathBuf>,
    current: ArcSwap<WebConfig>,
    seen: Mutex<Seen>,
}

struct Seen {
    stamps: Vec<Stamp>,
    digest: Vec<u8>,
    /// No file changed shortly before it was read.
    settled: bool,
    broken: Option<String>,
}

impl Seen {
    fn new(stamps: Vec<Stamp>, digest: Vec<u8>, broken: Option<String>) -> Self {
        let last = stamps.iter().map(Stamp::changed).max().unwrap_or_default();
        Self { stamps, digest, settled: unix_now() - last as f64 > SETTLED, broken }
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Live({:?})", self.path)
    }
}

/// What a look at the files found.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing new.
    None,
    /// A new configuration is in use.
    Taken,
    /// They cannot be used, for this reason; the last good ones are in use.
    Broken(String),
}

impl Live {
    /// Plain HTTP for everybody.
    pub fn open() -> Arc<Self> {
        let seen = Seen { stamps: Vec::new(), digest: Vec::new(), settled: true, broken: None };
        Arc::new(Self { path: None, current: ArcSwap::from_pointee(WebConfig::default()), seen: Mutex::new(seen) })
    }

    /// From a file. The error is one line.
    pub fn load(path: &Path) -> Result<Arc<Self>, String> {
        let (config, reader) = load(path);
        let digest = reader.digest();
        let seen = Seen::new(reader.stamps, digest, None);
        Ok(Arc::new(Self {
            path: Some(path.to_owned()),
            current: ArcSwap::from_pointee(config?),
            seen: Mutex::new(seen),
        }))
    }

    /// As it is now.
    pub fn config(&self) -> Arc<WebConfig> {
        self.current.load_full()
    }

    /// Whether there is a file.
    pub fn is_file(&self) -> bool {
        self.path.is_some()
    }

    /// Looks whether the files changed: some calls to the system where they did not.
    pub fn look(&self) -> News {
        let Some(path) = &self.path else { return News::None };
        let mut seen = lock(&self.seen);
        if seen.settled && seen.stamps.iter().all(Stamp::holds) {
            return News::None;
        }
        let (config, reader) = load(path);
        let digest = reader.digest();
        if digest == seen.digest {
            *seen = Seen::new(reader.stamps, digest, seen.broken.take());
            return News::None;
        }
        let config = config.and_then(|config| match self.current.load().loses(&config) {
            None => Ok(config),
            Some(what) => Err(format!("{}: {what}; that takes a restart", path.display())),
        });
        let broken = config.as_ref().err().cloned();
        *seen = Seen::new(reader.stamps, digest, broken);
        match config {
            Ok(config) => {
                self.current.store(Arc::new(config));
                News::Taken
            }
            Err(line) => News::Broken(line),
        }
    }

    /// Why the files cannot be used as they are now.
    pub fn broken(&self) -> Option<String> {
        lock(&self.seen).broken.clone()
    }
}

impl WebConfig {
    /// What would not be protected any more: half a file, as an editor may leave it for a moment, must open nothing.
    fn loses(&self, next: &WebConfig) -> Option<&'static str> {
        match (self, next) {
            (now, next) if now.tls.is_some() && next.tls.is_none() => Some("there is no tls_server_config any more"),
            (now, next) if now.tls.is_none() && next.tls.is_some() => Some("tls_server_config is new"),
            (now, next) if !now.users.is_empty() && next.users.is_empty() => Some("there are no users any more"),
            _ => None,
        }
    }
}
