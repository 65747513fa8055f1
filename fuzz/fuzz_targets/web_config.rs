//! The file of `--web.config.file`, in a folder where it is alone: files that it names are itself or missing.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use common::web::config::live::Live;
use libfuzzer_sys::fuzz_target;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("fuzz-web-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder.join("web.yml")
});

fuzz_target!(|text: &str| {
    std::fs::write(&*FILE, text).expect("a file");
    match (Live::load(&FILE), Live::load(&FILE)) {
        (Ok(live), Ok(_)) => {
            let config = live.config();
            assert!(config.rate.is_none_or(|(interval, burst)| !interval.is_zero() && burst > 0), "nobody may ask");
            let cheap = |hash: &String| {
                hash.split('$').nth(2).and_then(|cost| cost.parse().ok()).is_some_and(|cost: u32| cost <= 15)
            };
            assert!(config.users.values().all(cheap), "a password that takes minutes to check");
        }
        (Err(line), Err(again)) => {
            assert_eq!(line, again);
            assert!(!line.contains(char::is_control), "not one line: {line:?}");
        }
        (first, second) => panic!("one file, two ends: {first:?} {second:?}"),
    }
});
