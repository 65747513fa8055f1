//! `--web.config.file`, in exporter-toolkit's format: who may ask, and whether others can listen.

pub mod live;
mod schema;
mod tls;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use rustls::ServerConfig;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// More is no configuration.
const LARGEST: u64 = 1 << 20;

/// A file that could be used, and what it names.
#[derive(Default)]
pub struct WebConfig {
    /// TLS, or none.
    pub tls: Option<Arc<ServerConfig>>,
    /// Go with every answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// bcrypt hashes by user; whoever asks may, where there are none.
    pub users: BTreeMap<String, String>,
    /// One request per interval, and so many at once.
    pub rate: Option<(Duration, u32)>,
    /// What is accepted and does less than it seems to.
    pub warnings: Vec<&'static str>,
}

/// Reads files, and remembers which and how they were.
pub struct Reader {
    folder: PathBuf,
    stamps: Vec<Stamp>,
    digest: Sha256,
}

/// How a file was when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    path: PathBuf,
    /// Inode, length, and when it was last changed; nothing where there was no file.
    state: Option<(u64, u64, i64, i64)>,
}

impl Stamp {
    /// Of the file as it is now.
    pub fn of(path: &Path) -> Self {
        let state = std::fs::metadata(path).ok();
        let state = state.map(|file| (file.ino(), file.len(), file.ctime(), file.ctime_nsec()));
        Self { path: path.to_owned(), state }
    }

    /// Whether it is as it was.
    pub fn holds(&self) -> bool {
        Self::of(&self.path) == *self
    }

    /// Seconds of the Unix epoch at its last change.
    pub fn changed(&self) -> i64 {
        self.state.map_or(0, |state| state.2)
    }
}

impl Reader {
    fn new(path: &Path) -> Self {
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Self { folder, stamps: Vec::new(), digest: Sha256::new() }
    }

    /// Of all that was read.
    fn digest(&self) -> Vec<u8> {
        self.digest.clone().finalize().to_vec()
    }

    /// A file's text; its path is relative to the configuration file.
    fn text(&mut self, path: &Path) -> Result<Zeroizing<String>, String> {
        let path = self.folder.join(path);
        // Before it is read: what changes meanwhile is read again.
        self.stamps.push(Stamp::of(&path));
        let mut text = Zeroizing::new(String::new());
        let read = File::open(&path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text));
        let told = match read {
            Ok(_) if text.len() as u64 > LARGEST => Err("larger than 1 MiB: not what belongs here".to_owned()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        };
        for part in [path.as_os_str().as_encoded_bytes(), told.as_ref().map_or(&[][..], |()| text.as_bytes())] {
            self.digest.update((part.len() as u64).to_le_bytes());
            self.digest.update(part);
        }
        told.map(|()| text).map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// Reads the file and what it names. The error is one line.
fn load(path: &Path) -> (Result<WebConfig, String>, Reader) {
    let mut reader = Reader::new(path);
    let name = path.file_name().map(PathBuf::from).unwrap_or_default();
    let config = reader.text(&name).and_then(|text| {
        let config = schema::read(&text, &mut reader);
        config.map_err(|error| format!("{}: {error}", path.display()))
    });
    (config.map_err(|line| line.replace('\n', " ")), reader)
}

#[cfg(test)]
#[path = "../config_tests.rs"]
mod tests;
