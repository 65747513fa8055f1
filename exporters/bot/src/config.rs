//! Flags and environment, as every program of the suite has them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Command;
use common::config::flags::{Env, Flag, LOG, SWITCH, WEB};
use common::config::given::{Given, Program};
use common::config::{Level, LogFormat, Stop};
use common::web::config::live::Live;

/// Served besides the metrics.
const PATHS: [&str; 5] = ["/", "/events", "/metrics/prometheus", "/metrics/summary", "/metrics/health"];

/// All flags.
pub const FLAGS: &[&[Flag]] = &[WEB, EVENTS, LOG];

/// The gateway's own.
const EVENTS: &[Flag] = &[
    Flag {
        name: "catalogue.dir",
        env: Env::Venue("CATALOGUE_DIR"),
        default: "",
        value: "FOLDER",
        help: "More of what bots may say: all `*.toml` of this folder, read at the start.",
    },
    Flag {
        name: "events.token-file",
        env: Env::Venue("EVENTS_TOKEN_FILE"),
        default: "",
        value: "FILE",
        help: "Who posts names a token of this file, as `Authorization: Bearer …`. A token a line, 16 or more characters; taken up when it changes.",
    },
    Flag {
        name: "events.allow-anyone",
        env: Env::Venue("EVENTS_ALLOW_ANYONE"),
        default: "false",
        value: SWITCH,
        help: "Where there is neither a token nor a user, let other machines post too. Without it only this machine may.",
    },
    Flag {
        name: "events.stale-after",
        env: Env::Venue("EVENTS_STALE_AFTER"),
        default: "5m",
        value: "TIME",
        help: "A gauge that is not set again for so long leaves.",
    },
    Flag {
        name: "events.rate-limit",
        env: Env::Venue("EVENTS_RATE_LIMIT"),
        default: "10000",
        value: "COUNT",
        help: "Events a second, of all bots together.",
    },
    Flag {
        name: "events.max-series",
        env: Env::Venue("EVENTS_MAX_SERIES"),
        default: "10000",
        value: "COUNT",
        help: "Series of all bots together; a histogram has one a bucket and three more.",
    },
    Flag {
        name: "events.max-ids",
        env: Env::Venue("EVENTS_MAX_IDS"),
        default: "100000",
        value: "COUNT",
        help: "Ids that are remembered at once, each for an hour. Beyond it events with new ids are refused, not forgotten.",
    },
    Flag {
        name: "events.max-body-bytes",
        env: Env::Venue("EVENTS_MAX_BODY_BYTES"),
        default: "1048576",
        value: "BYTES",
        help: "The largest body of a post.",
    },
    Flag {
        name: "state.file",
        env: Env::Venue("STATE_FILE"),
        default: "",
        value: "FILE",
        help: "Where counters, histograms and ids outlive a restart. Without it they start at zero.",
    },
    Flag {
        name: "state.interval",
        env: Env::Venue("STATE_INTERVAL"),
        default: "5s",
        value: "TIME",
        help: "A change is written to the state file after at most so long, and at the end.",
    },
];

/// The program.
pub const PROGRAM: Program =
    Program { name: "bot", title: "trading bots: a gateway for their events", port: 8005, flags: FLAGS };

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Serve.
    Run,
    /// Ask the running one.
    HealthCheck,
    /// Read the catalogues and tell.
    CheckCatalogue,
}

/// All settings.
#[derive(Debug)]
pub struct Config {
    /// What to do.
    pub task: Task,
    /// Where to serve.
    pub listen: SocketAddr,
    /// Where the metrics are.
    pub telemetry_path: String,
    /// Who may ask, and whether others can listen.
    pub web: Arc<Live>,
    /// There is a file that says so.
    pub web_given: bool,
    /// The health paths want a password too.
    pub protect_health: bool,
    /// Least important lines to log.
    pub log_level: Level,
    /// How log lines look.
    pub log_format: LogFormat,
    /// More catalogues.
    pub catalogues: Option<PathBuf>,
    /// Tokens of those who may post.
    pub tokens: Option<PathBuf>,
    /// Other machines may post without any.
    pub allow_anyone: bool,
    /// When a gauge leaves.
    pub stale_after: Duration,
    /// Events a second.
    pub rate: u32,
    /// Series of all bots.
    pub max_series: usize,
    /// Ids within an hour.
    pub max_ids: usize,
    /// Of a body.
    pub max_body: usize,
    /// Where counters outlive a restart.
    pub state: Option<PathBuf>,
    /// How long a change may wait to be written there.
    pub state_interval: Duration,
}

impl Config {
    /// From the arguments, the program's name first, and the environment.
    pub fn read(
        arguments: impl IntoIterator<Item = String>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Stop> {
        let command = PROGRAM
            .command()
            .subcommand(Command::new("check-catalogue").about("Read the catalogues and tell what is wrong with them"))
            .subcommand(Command::new("healthcheck").about("Ask the running exporter whether it is ready"));
        let given = PROGRAM.given(command, arguments, env)?;
        let task = match given.matches.subcommand_name() {
            Some("check-catalogue") => Task::CheckCatalogue,
            Some("healthcheck") => Task::HealthCheck,
            _ => Task::Run,
        };
        config(&given, task).map_err(Stop::unusable)
    }
}

fn config(given: &Given<'_>, task: Task) -> Result<Config, String> {
    let path = |name: &str| given.text(name).map(|(text, _)| (!text.is_empty()).then(|| PathBuf::from(text)));
    Ok(Config {
        task,
        listen: given.listen()?,
        telemetry_path: given.telemetry_path(&PATHS)?,
        web: if task == Task::Run { given.web()? } else { Live::open() },
        web_given: !given.text("web.config.file")?.0.is_empty(),
        protect_health: given.switch("web.protect-health")?,
        log_level: given.level()?,
        log_format: given.log_format()?,
        catalogues: path("catalogue.dir")?,
        tokens: path("events.token-file")?,
        allow_anyone: given.switch("events.allow-anyone")?,
        stale_after: given.time("events.stale-after", Duration::from_secs(1))?,
        rate: count(given, "events.rate-limit", 1_000_000)?,
        max_series: count(given, "events.max-series", 1_000_000)? as usize,
        max_ids: count(given, "events.max-ids", 10_000_000)? as usize,
        max_body: count(given, "events.max-body-bytes", 64 << 20)? as usize,
        state: path("state.file")?,
        state_interval: given.time("state.interval", Duration::from_millis(100))?,
    })
}

fn count(given: &Given<'_>, name: &str, most: u32) -> Result<u32, String> {
    let (text, origin) = given.text(name)?;
    let count = text.parse().ok().filter(|count| (1..=most).contains(count));
    count.ok_or_else(|| format!("{origin}: wants a whole number from 1 to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str], env: &[(&str, &str)]) -> Result<Config, String> {
        let env: std::collections::HashMap<&str, &str> = env.iter().copied().collect();
        let arguments = ["bot-exporter"].iter().chain(arguments).map(ToString::to_string);
        Config::read(arguments, &|name| env.get(name).map(ToString::to_string)).map_err(|stop| match stop {
            Stop::Told(text) | Stop::Unusable(text) => text,
        })
    }

    #[test]
    fn settings_are_read_as_the_siblings_read_them() {
        let plain = read(&[], &[]).unwrap();
        assert_eq!((plain.listen, plain.stale_after), ("0.0.0.0:8005".parse().unwrap(), Duration::from_secs(300)));
        assert!(plain.state.is_none() && !plain.allow_anyone && plain.task == Task::Run);
        let set = read(
            &["check-catalogue", "--events.max-series=5"],
            &[("BOT_STATE_FILE", "s"), ("BOT_EVENTS_MAX_SERIES", "9")],
        );
        let set = set.unwrap();
        assert_eq!((set.task, set.max_series, set.state), (Task::CheckCatalogue, 5, Some("s".into())));
        for (arguments, names) in [
            (&["--events.rate-limit=0"][..], "--events.rate-limit=0"),
            (&["--events.max-body-bytes=1MB"], "1MB"),
            (&["--web.telemetry-path=/events"], "/events"),
            (&["--exchange.symbols=x"], "--exchange.symbols"),
            (&["--state.interval=1ms"], "1ms"),
        ] {
            let line = read(arguments, &[]).unwrap_err();
            assert!(line.contains(names) && !line.contains('\n'), "{line}");
        }
    }
}
