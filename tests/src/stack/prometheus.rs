//! Prometheus on the suite's ports, and what it answers.

use super::{Ports, get, repository};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Writes into `folder` what Prometheus runs with: the repository's `prometheus.yml` with its ports moved, beside links
/// to everything else there, so that relative paths in it hold. Returns the path of the file.
///
/// # Errors
/// A file cannot be read or written.
pub fn configure(folder: &Path, ports: Ports) -> io::Result<PathBuf> {
    const CONFIG: &str = "prometheus.yml";
    let source = repository().join("prometheus");
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(&source)? {
        let entry = entry?;
        if entry.file_name() != CONFIG {
            symlink(entry.path(), folder.join(entry.file_name()))?;
        }
    }
    let target = folder.join(CONFIG);
    fs::write(&target, move_ports(&fs::read_to_string(source.join(CONFIG))?, ports))?;
    Ok(target)
}

/// Replaces every `localhost:<usual port>` by the port that this suite has instead, in one pass, so that a replaced
/// port is never taken for a usual one.
fn move_ports(config: &str, ports: Ports) -> String {
    const HOST: &str = "localhost:";
    let usual = Ports::from_base(Ports::DEFAULT_BASE).named();
    let moved = |port: u16| usual.iter().zip(ports.named()).find(|(usual, _)| usual.1 == port).map(|(_, new)| new.1);
    let mut pieces = config.split(HOST);
    let mut result = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
        let (port, rest) = piece.split_at(digits);
        let new = port.parse().ok().and_then(moved).map_or_else(|| port.to_owned(), |new| new.to_string());
        result.extend([HOST, &new, rest]);
    }
    result
}

/// What Prometheus thinks of one target.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScrapeTarget {
    labels: BTreeMap<String, String>,
    /// `up`, `down` or, before the first scrape, `unknown`.
    pub health: String,
    /// Why the last scrape failed, or nothing.
    pub last_error: String,
    /// How long the last scrape took, in seconds.
    pub last_scrape_duration: f64,
}

impl ScrapeTarget {
    /// Its scrape job.
    #[must_use]
    pub fn job(&self) -> &str {
        self.labels.get("job").map_or("", String::as_str)
    }
}

/// One series of an answer, with its value now.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Targets {
    active_targets: Vec<ScrapeTarget>,
}

#[derive(Deserialize)]
struct Vector {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

/// All targets of the Prometheus at `port`.
///
/// # Errors
/// It does not answer as expected.
pub async fn targets(port: u16) -> io::Result<Vec<ScrapeTarget>> {
    let answer: Answer<Targets> = ask(port, "/api/v1/targets?state=active").await?;
    Ok(answer.data.active_targets)
}

/// The series that an expression gives now. It must give a vector.
///
/// # Errors
/// Prometheus does not answer, or rejects the expression.
pub async fn query(port: u16, expression: &str) -> io::Result<Vec<Sample>> {
    let answer: Answer<Vector> = ask(port, &format!("/api/v1/query?query={}", encode(expression))).await?;
    let sample = |series: Series| {
        let value = series.value.1.parse().map_err(io::Error::other)?;
        Ok(Sample { labels: series.metric, value })
    };
    answer.data.result.into_iter().map(sample).collect()
}

async fn ask<T: for<'de> Deserialize<'de>>(port: u16, path: &str) -> io::Result<T> {
    let response = get(port, path).await?;
    if response.status != 200 {
        return Err(io::Error::other(format!("Prometheus answers {}: {}", response.status, response.body)));
    }
    serde_json::from_str(&response.body).map_err(io::Error::other)
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(byte.into());
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_each_port_once() {
        let config = "a: [localhost:8000, 'localhost:8001']\nb: localhost:9093\nc: localhost:9100\nd: elsewhere:8000\n";
        let moved = move_ports(config, Ports::from_base(8001));
        assert_eq!(
            moved,
            "a: [localhost:8001, 'localhost:8002']\nb: localhost:9094\nc: localhost:9100\nd: elsewhere:8000\n"
        );
    }

    #[test]
    fn the_configuration_names_every_port() {
        let config = fs::read_to_string(repository().join("prometheus/prometheus.yml")).unwrap();
        for (name, port) in Ports::from_base(Ports::DEFAULT_BASE).named() {
            assert!(config.contains(&format!("[localhost:{port}]")), "{name}");
        }
    }

    #[test]
    fn reads_a_vector() {
        let answer: Answer<Vector> = serde_json::from_str(
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1.5,"20"]}]}}"#,
        )
        .unwrap();
        assert_eq!(answer.data.result[0].value.1, "20");
        assert_eq!(encode("up == 0"), "up%20%3D%3D%200");
    }
}
