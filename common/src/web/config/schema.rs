//! The keys of the file, and what is wrong with their values.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use bcrypt::HashParts;
use serde::Deserialize;

use super::tls::{self, Tls};
use super::{Reader, WebConfig};

/// A hash that takes longer than some seconds is a way to keep this machine busy.
const DEAREST: u32 = 15;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Text {
    tls_server_config: Option<Tls>,
    http_server_config: Option<Http>,
    basic_auth_users: Option<BTreeMap<String, String>>,
    rate_limit: Option<Rate>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Http {
    /// Allows what is never done here, HTTP/1.1 being all that is served: either value is kept.
    #[serde(rename = "http2")]
    _http2: Option<bool>,
    headers: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rate {
    interval: Option<String>,
    burst: Option<u32>,
}

/// The headers that may be set, and to what.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

/// What the file says, with what it names.
pub fn read(text: &str, reader: &mut Reader) -> Result<WebConfig, String> {
    let text = parse(text)?;
    let mut config = WebConfig::default();
    if let Some(tls) = &text.tls_server_config {
        let (server, warnings) = tls::server(tls, reader).map_err(|error| format!("tls_server_config: {error}"))?;
        config.tls = Some(server);
        config.warnings = warnings;
    }
    config.headers = headers(text.http_server_config.and_then(|http| http.headers).unwrap_or_default())?;
    config.users = users(text.basic_auth_users.unwrap_or_default())?;
    config.rate = text.rate_limit.map(rate).transpose()?.flatten();
    if !config.users.is_empty() && config.tls.is_none() {
        config.warnings.push("users without tls_server_config: passwords can be read on the way");
    }
    Ok(config)
}

fn parse(text: &str) -> Result<Text, String> {
    // A file of nothing but comments asks for nothing, as with exporter-toolkit.
    let said = text.lines().map(str::trim).any(|line| !line.is_empty() && !line.starts_with('#') && line != "---");
    if !said {
        return Ok(Text::default());
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map_or(String::new(), |place| format!("line {}: ", place.line()));
        // The first line says what is wrong; a picture of the place could show a key.
        let told = error.without_snippet().to_string();
        let told = told.lines().next().unwrap_or_default();
        let told = told.split(", set DuplicateKeyPolicy").next().unwrap_or_default();
        let told = told.rsplit_once(" at line ").map_or(told, |(what, _)| what);
        format!("{line}{told}; docs/web-config.md has every key")
    })
}

fn headers(given: BTreeMap<String, String>) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let one = |(name, value): (String, String)| {
        let Some((_, allowed)) = HEADERS.iter().find(|(known, _)| *known == name) else {
            let known = HEADERS.map(|(known, _)| known).join(", ");
            return Err(format!("headers: {name} cannot be set; these can: {known}"));
        };
        if !allowed.is_empty() && !allowed.contains(&value.as_str()) {
            return Err(format!("headers: {name}: {value}: wants {}", allowed.join(" or ")));
        }
        let header = name.parse().ok().zip(value.parse().ok());
        header.ok_or_else(|| format!("headers: {name}: {value:?} is no value of a header"))
    };
    given.into_iter().map(one).collect::<Result<_, _>>().map_err(|error| format!("http_server_config: {error}"))
}

fn users(given: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, String> {
    for (user, hash) in &given {
        // Neither what was given instead of a hash nor the hash: the first may be the password.
        let parts: HashParts = hash.parse().map_err(|_| {
            format!("basic_auth_users: {user}: not a bcrypt hash; make one with `htpasswd -nBC 10 {user}`")
        })?;
        if parts.get_cost() > DEAREST {
            return Err(format!(
                "basic_auth_users: {user}: cost {} takes this machine too long at every wrong password; use 10 to {DEAREST}",
                parts.get_cost()
            ));
        }
    }
    Ok(given)
}

fn rate(given: Rate) -> Result<Option<(Duration, u32)>, String> {
    let wrong = |told: &str| Err(format!("rate_limit: {told}"));
    let interval = match &given.interval {
        None => Duration::ZERO,
        Some(text) => match duration(text) {
            Some(interval) => interval,
            None => return wrong(&format!("interval: {text}: wants a time such as 500ms, 1s or 1m30s")),
        },
    };
    match (interval.is_zero(), given.burst.unwrap_or(0)) {
        (true, 0) => Ok(None),
        (true, _) => wrong("burst without an interval limits nothing; set interval, or drop both"),
        (false, 0) => wrong("burst is 0 or not set, so that nobody could ever ask; set it to 1 or more"),
        (false, burst) => Ok(Some((interval, burst))),
    }
}

/// A time as Go writes it, never negative.
fn duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 7] =
        [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let value: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        seconds += value * UNITS.iter().find(|(name, _)| *name == &rest[..unit])?.1;
        rest = &rest[unit..];
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_go_writes_them() {
        for (text, millis) in [("1s", 1000), ("500ms", 500), ("1m30s", 90_000), ("1.5h", 5_400_000), ("0", 0)] {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "1", "-1s", "s", "1 s", "1day", "1s2"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
