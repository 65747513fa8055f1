//! No target, but what the targets begin with: writes what the fake venues send into the folder `SEEDS`. Here, because nothing with
//! counters in it can be linked but to libFuzzer, and a build without them would take as long again.
#![no_main]

use std::path::Path;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: {
        let folder = std::env::var("SEEDS").expect("SEEDS names a folder");
        fake_venues::frames::write(Path::new(&folder), Duration::from_secs(3)).expect("frames of the fake venues");
    },
    |_text: &[u8]| {}
);
