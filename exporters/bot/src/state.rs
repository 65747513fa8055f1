//! What outlives a restart: counters, histograms and the ids of the last hour, in one file, so that they are always of one moment.
//!
//! The first line names the format, its version and the sum of the rest, which is JSON. A file that is not whole is not guessed at:
//! it is set aside. It is replaced as a whole or not at all.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::catalogue::{Family, Kind, Label};
use crate::ids::Claim;
use crate::store::{Labels, Store, Value};

/// The first line begins so.
const FORMAT: &str = "bot-exporter-state";
/// What this program writes and reads.
const VERSION: u32 = 1;
/// A file is no larger; it would be no state of ours.
const LARGEST: u64 = 1 << 30;

/// What is in the file.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    families: Vec<SavedFamily>,
    /// The second, the id's sum, what came under it; oldest first.
    ids: Vec<(u64, String, String)>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SavedFamily {
    name: String,
    kind: String,
    labels: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    buckets: Vec<String>,
    series: Vec<SavedSeries>,
}

/// Numbers are texts: those come back to the last bit.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SavedSeries {
    labels: Labels,
    value: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    counts: Vec<u64>,
}

/// What the start found.
#[derive(Debug)]
pub enum Found {
    /// No file.
    Nothing,
    /// A whole one.
    State(Saved),
    /// One that cannot be used, for this reason; it is here now.
    SetAside(String, PathBuf),
}

/// Families that the catalogue of today does not have: kept as they were, so that a start without some catalogue loses nothing.
#[derive(Debug, Default)]
pub struct Dormant(Vec<SavedFamily>);

impl Dormant {
    /// Their names.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|family| family.name.as_str()).collect()
    }
}

impl Saved {
    /// Of the store as it is, and what sleeps.
    pub fn of(store: &Store, dormant: &Dormant) -> Self {
        let lasting = store.families().filter(|(family, shelf)| family.kind != Kind::Gauge && !shelf.series.is_empty());
        let families = lasting.map(|(family, shelf)| {
            let series = shelf.series.iter().map(|(labels, series)| match &series.value {
                Value::Number(value) => {
                    SavedSeries { labels: labels.clone(), value: value.to_string(), counts: Vec::new() }
                }
                Value::Sizes { counts, sum } => {
                    SavedSeries { labels: labels.clone(), value: sum.to_string(), counts: counts.clone() }
                }
            });
            SavedFamily { series: series.collect(), ..shape(family) }
        });
        let ids = store.ids.all().map(|(at, claim)| (at, hex(&claim.key), hex(&claim.content.to_le_bytes())));
        Self { families: families.chain(dormant.0.iter().cloned()).collect(), ids: ids.collect() }
    }

    /// Puts it into the store, which is new. What was declared otherwise when it was saved is given up, and told, one line each.
    pub fn restore(self, store: &mut Store, unix: u64) -> (Dormant, Vec<String>) {
        let (mut dormant, mut lost) = (Dormant::default(), Vec::new());
        for saved in self.families {
            let Some((at, family)) = store.catalogue.clone().find(&saved.name).map(|(at, one)| (at, one.clone()))
            else {
                dormant.0.push(saved);
                continue;
            };
            let SavedFamily { kind, buckets, .. } = shape(&family);
            let places = places(&family, &saved.labels);
            let (true, Some(places)) = ((&kind, &buckets) == (&saved.kind, &saved.buckets), places) else {
                lost.push(format!("{}: its type, labels or buckets are others now: it starts at zero", saved.name));
                continue;
            };
            for one in saved.series {
                let value = value(&family, &one);
                let label =
                    |place: &Option<usize>| place.and_then(|at| one.labels.get(at)).cloned().unwrap_or_default();
                let labels: Labels = places.iter().map(label).collect();
                let series = store.series(at, &labels, Duration::ZERO);
                if let (Some(value), Some(series)) = (value, series) {
                    series.value = value;
                }
            }
        }
        for (at, key, content) in self.ids {
            if let (Some(key), Some(content)) = (bytes(&key), bytes(&content)) {
                // A clock that was ahead when this was saved must not keep an id for ever.
                store.ids.remember(Claim { key, content: u64::from_le_bytes(content) }, at.min(unix));
            }
        }
        store.ids.expire(unix);
        (dormant, lost)
    }

    /// Whether every part is what it has to be.
    fn check(&self) -> Result<(), String> {
        for family in &self.families {
            for series in &family.series {
                let number = series.value.parse::<f64>().is_ok_and(f64::is_finite);
                let sizes = if family.buckets.is_empty() { 0 } else { family.buckets.len() + 1 };
                if !number || series.labels.len() != family.labels.len() || series.counts.len() != sizes {
                    return Err(format!("a series of {} is not whole", family.name));
                }
            }
        }
        let whole =
            |(_, key, content): &(u64, String, String)| bytes::<16>(key).is_some() && bytes::<8>(content).is_some();
        if self.ids.iter().all(whole) { Ok(()) } else { Err("an id is not whole".into()) }
    }
}

/// Where each label of a family is among the saved ones. Those that were not there must be optional: then the saved events did not
/// say. None where the saved series are of another family.
fn places(family: &Family, saved: &[String]) -> Option<Vec<Option<usize>>> {
    let known = |name: &String| family.labels.iter().any(|label| label.name == *name);
    saved.iter().all(known).then_some(())?;
    let place = |label: &Label| match saved.iter().position(|name| *name == label.name) {
        None if !label.optional => None,
        place => Some(place),
    };
    family.labels.iter().map(place).collect()
}

fn value(family: &Family, saved: &SavedSeries) -> Option<Value> {
    let number = saved.value.parse().ok()?;
    Some(match family.kind {
        Kind::Histogram => Value::Sizes { counts: saved.counts.clone(), sum: number },
        Kind::Counter | Kind::Gauge => Value::Number(number),
    })
}

/// A family without its series.
fn shape(family: &Family) -> SavedFamily {
    SavedFamily {
        name: family.name.clone(),
        kind: family.shown_as().as_str().to_owned(),
        labels: family.labels.iter().map(|label| label.name.clone()).collect(),
        buckets: family.buckets.iter().map(f64::to_string).collect(),
        series: Vec::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if hex.len() != 2 * N {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// The file, ours alone while this lives.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    _lock: File,
}

impl StateFile {
    /// Takes it. The error is one line.
    pub fn open(path: &Path) -> Result<Self, String> {
        let told = |error: &dyn std::fmt::Display| format!("--state.file={}: {error}", path.display());
        if path.file_name().is_none() || path.is_dir() {
            return Err(told(&"wants a file's path"));
        }
        // A file of its own: the other is replaced while it is held.
        let lock = beside(path, ".lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(lock);
        let lock = lock.map_err(|error| told(&error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(told(&"another bot-exporter has it")),
            Err(TryLockError::Error(error)) => Err(told(&error)),
        }
    }

    /// What is in it. One that cannot be used is set aside under another name; the error means that not even that is possible.
    pub fn load(&self, unix: u64) -> io::Result<Found> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(error),
        };
        let mut text = Vec::new();
        file.take(LARGEST).read_to_end(&mut text)?;
        match read(&text) {
            Ok(saved) => Ok(Found::State(saved)),
            Err(why) => {
                // Whoever restarts it over and over loses none of them.
                let aside = (0..).map(|n| beside(&self.path, &format!(".damaged-{}", unix + n)));
                let aside = aside.take(1000).find(|aside| !aside.exists());
                let aside = aside.ok_or_else(|| io::Error::other("no free name to set it aside under"))?;
                fs::rename(&self.path, &aside)?;
                Ok(Found::SetAside(why, aside))
            }
        }
    }

    /// Replaces it as a whole: after a crash or a power failure at any moment it is the old one or the new one.
    pub fn save(&self, saved: &Saved) -> io::Result<()> {
        let draft = beside(&self.path, ".new");
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
        file.write_all(&written(saved)?)?;
        file.sync_all()?;
        fs::rename(&draft, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn written(saved: &Saved) -> io::Result<Vec<u8>> {
    let rest = serde_json::to_vec(saved)?;
    let mut text = format!("{FORMAT} {VERSION} {}\n", hex(&Sha256::digest(&rest))).into_bytes();
    text.extend(rest);
    Ok(text)
}

fn read(text: &[u8]) -> Result<Saved, String> {
    let cut = text.iter().position(|byte| *byte == b'\n').ok_or("it has no first line")?;
    let (head, rest) = text.split_at(cut);
    let rest = rest.get(1..).unwrap_or_default();
    let head = std::str::from_utf8(head).map_err(|_| "its first line is no text")?;
    let mut words = head.split(' ');
    if words.next() != Some(FORMAT) {
        return Err("it is no state of a bot-exporter".into());
    }
    match words.next().and_then(|version| version.parse::<u32>().ok()) {
        Some(VERSION) => {}
        Some(version) if version > VERSION => {
            return Err(format!("it is of version {version}, newer than this program's {VERSION}"));
        }
        _ => return Err("its version is unknown".into()),
    }
    if words.next() != Some(&hex(&Sha256::digest(rest))) {
        return Err("its sum is not that of its content".into());
    }
    let saved: Saved = serde_json::from_slice(rest).map_err(|error| error.to_string())?;
    saved.check()?;
    Ok(saved)
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
