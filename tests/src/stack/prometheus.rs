//! Prometheus on the suite's ports, and what it answers.

use super::{Target, get};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

/// What Prometheus thinks of one target.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScrapeTarget {
    /// Its labels after relabelling.
    pub labels: BTreeMap<String, String>,
    /// `up`, `down` or, before the first scrape, `unknown`.
    pub health: String,
    /// Why the last scrape failed, or nothing.
    pub last_error: String,
    /// How long the last scrape took, in seconds.
    pub last_scrape_duration: f64,
    /// What is asked.
    pub scrape_url: String,
    /// How often, as `5s`.
    pub scrape_interval: String,
    /// For how long, as `5s`.
    pub scrape_timeout: String,
}

impl ScrapeTarget {
    /// Its scrape job.
    #[must_use]
    pub fn job(&self) -> &str {
        self.labels.get("job").map_or("", String::as_str)
    }

    /// Whether it is this server of the suite.
    #[must_use]
    pub fn is(&self, target: &Target) -> bool {
        let port = format!(":{}", target.port);
        self.job() == target.name && self.labels.get("instance").is_some_and(|instance| instance.ends_with(&port))
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

/// As a part of a URL.
#[must_use]
pub fn encode(text: &str) -> String {
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
    fn reads_a_vector() {
        let answer: Answer<Vector> = serde_json::from_str(
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1.5,"20"]}]}}"#,
        )
        .unwrap();
        assert_eq!(answer.data.result[0].value.1, "20");
        assert_eq!(encode("up == 0"), "up%20%3D%3D%200");
    }
}
