//! The account's key: read from environment or mounted files, read again when a file changes, wiped when dropped.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use zeroize::Zeroizing;

/// The parts of a key, in the order of [`About::credentials`](crate::venue::About::credentials).
#[derive(Debug)]
pub struct Keys {
    parts: Vec<SecretString>,
}

impl Keys {
    /// Of these parts.
    pub fn new(parts: Vec<SecretString>) -> Self {
        Self { parts }
    }

    /// The key's name, which travels in the clear to the venue and is shown nowhere else.
    pub fn key(&self) -> &str {
        self.part(0)
    }

    /// What signs.
    pub fn secret(&self) -> &str {
        self.part(1)
    }

    /// The passphrase, empty on venues without one.
    pub fn passphrase(&self) -> &str {
        self.part(2)
    }

    fn part(&self, number: usize) -> &str {
        self.parts.get(number).map_or("", |part| part.expose_secret())
    }

    fn same(&self, other: &Keys) -> bool {
        let texts = |keys: &Keys| {
            keys.parts.iter().map(|part| part.expose_secret().to_owned()).map(Zeroizing::new).collect::<Vec<_>>()
        };
        texts(self) == texts(other)
    }
}

/// Where one part of a key comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// An environment variable's value, fixed for the life of the process.
    Given(SecretString),
    /// The file that a `…_FILE` variable names.
    File {
        /// The variable.
        variable: String,
        /// The path.
        path: PathBuf,
    },
}

impl Origin {
    /// The secret as it is now; nothing where the file is empty. The error names the variable and the path, never what
    /// stands in the file.
    pub fn read(&self) -> Result<Option<SecretString>, String> {
        let path = match self {
            Origin::Given(secret) => return Ok(Some(secret.clone())),
            Origin::File { path, .. } => path,
        };
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|error| format!("{self}: {error}"))?);
        Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(|text| text.to_owned().into()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Given(_) => f.write_str("a variable"),
            Origin::File { variable, path } => write!(f, "{variable}={}", path.display()),
        }
    }
}

/// The key in use, and its successors.
pub struct Keyring {
    origins: Vec<Origin>,
    current: ArcSwap<Keys>,
    changes: watch::Sender<u64>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(..)")
    }
}

impl Keyring {
    /// Reads every part. The error is one line.
    pub fn load(origins: Vec<Origin>) -> Result<Arc<Self>, String> {
        let keys = read(&origins)?;
        Ok(Arc::new(Self { origins, current: ArcSwap::from_pointee(keys), changes: watch::Sender::new(0) }))
    }

    /// A key that stays what it is.
    pub fn fixed<const N: usize>(parts: [&str; N]) -> Arc<Self> {
        let origins = parts.iter().map(|part| Origin::Given((*part).into())).collect();
        let parts = parts.into_iter().map(SecretString::from).collect();
        Arc::new(Self { origins, current: ArcSwap::from_pointee(Keys { parts }), changes: watch::Sender::new(0) })
    }

    /// The key as it is now.
    pub fn keys(&self) -> Arc<Keys> {
        self.current.load_full()
    }

    /// Whether any part can change.
    pub fn is_mounted(&self) -> bool {
        self.origins.iter().any(|origin| matches!(origin, Origin::File { .. }))
    }

    /// Reads the files again: true where the key changed. Where a file cannot be read the old key stays.
    pub fn reread(&self) -> Result<bool, String> {
        let keys = read(&self.origins)?;
        if keys.same(&self.current.load()) {
            return Ok(false);
        }
        self.current.store(Arc::new(keys));
        self.changes.send_modify(|version| *version += 1);
        Ok(true)
    }

    /// Tells of every change.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The text without any part of the key: some venues repeat it in their refusals.
    pub fn redact(&self, text: &str) -> String {
        let keys = self.keys();
        let mut clean = text.to_owned();
        for part in keys.parts.iter().map(|part| part.expose_secret()).filter(|part| part.len() > 3) {
            if clean.contains(part) {
                clean = clean.replace(part, "<redacted>");
            }
        }
        clean
    }
}

fn read(origins: &[Origin]) -> Result<Keys, String> {
    let part = |origin: &Origin| origin.read()?.ok_or_else(|| format!("{origin}: the file is empty"));
    Ok(Keys { parts: origins.iter().map(part).collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_read_again_and_a_missing_one_keeps_the_old_key() {
        let path = std::env::temp_dir().join(format!("keyring-test-{}", std::process::id()));
        std::fs::write(&path, "old-secret\n").unwrap();
        let file = Origin::File { variable: "OKX_API_SECRET_FILE".into(), path: path.clone() };
        let ring = Keyring::load(vec![Origin::Given("a-key".into()), file]).unwrap();
        let watch = ring.watch();
        assert_eq!((ring.keys().key(), ring.keys().secret()), ("a-key", "old-secret"));
        assert_eq!(ring.reread(), Ok(false));
        std::fs::write(&path, "new-secret").unwrap();
        assert_eq!(ring.reread(), Ok(true));
        assert!(watch.has_changed().unwrap());
        assert_eq!(ring.keys().secret(), "new-secret");
        std::fs::write(&path, "").unwrap();
        assert!(ring.reread().unwrap_err().ends_with("the file is empty"));
        std::fs::remove_file(&path).unwrap();
        let told = ring.reread().unwrap_err();
        assert!(told.starts_with("OKX_API_SECRET_FILE=") && !told.contains("secret\n"), "{told}");
        assert_eq!(ring.keys().secret(), "new-secret");
    }

    #[test]
    fn nothing_shows_a_secret() {
        let ring = Keyring::fixed(["the-key-1", "the-secret-2", "the-phrase-3"]);
        let shown = format!("{ring:?} {:?} {:?}", ring.keys(), ring.origins);
        assert!(!shown.contains("-1") && !shown.contains("-2") && !shown.contains("-3"), "{shown}");
        let told = ring.redact("error sign! origin_string[1763600000000the-key-15000category=linear]");
        assert_eq!(told, "error sign! origin_string[1763600000000<redacted>5000category=linear]");
    }
}
