//! Log lines on standard error: logfmt or JSON.

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Level, LogFormat};

/// Starts logging. A second call changes nothing.
pub fn start(level: Level, format: LogFormat) {
    let registry = tracing_subscriber::registry().with(LevelFilter::from_level(level));
    let started = match format {
        LogFormat::Logfmt => {
            let layer = tracing_logfmt::builder().with_target(false).layer().with_writer(std::io::stderr);
            registry.with(layer).try_init()
        }
        LogFormat::Json => {
            let layer = tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_target(false)
                .with_writer(std::io::stderr);
            registry.with(layer).try_init()
        }
    };
    // Fails only where logging has started already, as in tests.
    drop(started);
}
