//! Flags, environment and mounted keys. A line that begins with `-` is an argument, `NAME=value` a variable; the value of a
//! variable that ends with `_FILE` is what stands in the file. The first venue whose variables are named is the one that reads.
#![no_main]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use common::config::{Config, Stop};
use fuzz::venues::{Subject, subjects};
use libfuzzer_sys::fuzz_target;

/// Stands in every part of a key and may be shown nowhere.
const CANARY: &str = "canary-5EcReT";

static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(subjects);
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("fuzz-settings-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
});

fn variable(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let value = match name {
        _ if !name.contains("_API_") => value.to_owned(),
        _ if value.is_empty() => String::new(),
        _ => format!("{CANARY}{value}"),
    };
    if !name.ends_with("_FILE") {
        return Some((name.to_owned(), value));
    }
    let suffix: String = name.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let path = FOLDER.join(suffix);
    std::fs::write(&path, value).expect("a file");
    // The web configuration has a target of its own.
    name.contains("_API_").then(|| (name.to_owned(), path.display().to_string()))
}

fuzz_target!(|text: &str| {
    let (flags, variables): (Vec<&str>, Vec<&str>) =
        text.lines().filter(|line| !line.starts_with("--web.config.file")).partition(|line| line.starts_with('-'));
    let variables: BTreeMap<String, String> = variables.into_iter().filter_map(variable).collect();
    let arguments = || ["exporter"].into_iter().chain(flags.iter().copied()).map(str::to_owned);
    let named = |subject: &&Subject| text.contains(&format!("{}_", subject.about.name.to_uppercase()));
    let about = SUBJECTS.iter().find(named).unwrap_or(&SUBJECTS[0]).about;
    let read = || Config::read(about, arguments(), &|name| variables.get(name).cloned());
    match (read(), read()) {
        (Ok(config), Ok(again)) => {
            let shown = format!("{config:?}");
            assert_eq!(shown, format!("{again:?}"));
            assert!(!shown.contains(CANARY), "a secret is shown");
            usable(&config);
        }
        (Err(Stop::Unusable(line)), Err(Stop::Unusable(again))) => {
            assert_eq!(line, again);
            assert!(!line.is_empty() && !line.contains(char::is_control), "not one line: {line:?}");
            assert!(!line.contains(CANARY), "a secret is told: {line}");
        }
        (Err(Stop::Told(text)), Err(Stop::Told(again))) => assert_eq!(text, again),
        (first, second) => panic!("the same settings, two ends: {first:?} {second:?}"),
    }
});

fn usable(config: &Config) {
    let second = Duration::from_secs(1);
    let times = [
        (config.data_timeout, Duration::from_millis(100)),
        (config.symbols_interval, second),
        (config.terms.interval, second),
    ];
    assert!(times.into_iter().all(|(time, least)| time >= least && time <= second * 86_400), "{config:?}");
    assert!(config.rate_limit_share > 0.0 && config.rate_limit_share <= 1.0, "{config:?}");
    assert!(config.telemetry_path.starts_with('/') && config.telemetry_path.len() > 1, "{config:?}");
    assert!(config.terms.fiat.len() == 3, "{config:?}");
    assert_eq!(config.selection.to_string().parse(), Ok(config.selection.clone()));
    let hosts = &config.setup.hosts;
    // Where a key would travel in the clear, by the text alone: the exporter goes by what a URL parser makes of it.
    let elsewhere = ["http://192.0.2.1", "ws://192.0.2.1", "http://example.com", "ws://example.com"];
    for host in [&hosts.rest, &hosts.rest_futures, &hosts.rest_coin, &hosts.ws, &hosts.ws_private] {
        let open = elsewhere.iter().any(|open| host.starts_with(open));
        assert!(config.allow_plaintext || !open, "{host} in the clear");
    }
}
