//! Flags and environment, read once. Nothing below this module reads either.

pub mod flags;

use std::borrow::Cow;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};

use crate::account::desk::Terms;
use crate::fault::plain;
use crate::net;
use crate::secrets::keyring::{Keyring, Origin};
use crate::symbols::Selection;
use crate::venue::{About, Hosts, Setup};
use crate::web::config::live::Live;
use crate::web::door;
use flags::{Env, FLAGS, Flag, SWITCH};

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Serve.
    Run,
    /// Try everything once and tell.
    Check,
    /// Ask the running exporter.
    HealthCheck,
    /// Print what the decoders make of a file.
    Decode(PathBuf),
}

/// `error`, `warn`, `info` or `debug`.
pub type Level = tracing::Level;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `key=value` pairs.
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// All settings.
#[derive(Clone, Debug)]
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
    /// What to stream.
    pub selection: Selection,
    /// How often the list is read again.
    pub symbols_interval: Duration,
    /// No market data for so long means dead.
    pub data_timeout: Duration,
    /// Hosts and environment.
    pub setup: Setup,
    /// The most of the venue's REST limit to use.
    pub rate_limit_share: f64,
    /// Allow http and ws to other machines.
    pub allow_plaintext: bool,
    /// Export the compatibility names.
    pub compat: bool,
    /// Least important lines to log.
    pub log_level: Level,
    /// How log lines look.
    pub log_format: LogFormat,
    /// The key, if one was given.
    pub credentials: Option<Arc<Keyring>>,
    /// The files for a key that are all empty, so that there is none: each with its variable.
    pub unfilled: Vec<String>,
    /// The account's part.
    pub terms: Terms,
}

/// Why there is no configuration.
#[derive(Debug)]
pub enum Stop {
    /// Help or version was asked for: print this to standard output and end well.
    Told(String),
    /// One line for standard error, exit status 2.
    Unusable(String),
}

/// The environment variables' prefix.
pub fn prefix(about: &About) -> String {
    format!("{}_", about.name.to_uppercase())
}

/// Where settings come from: the command line and a way to look up the environment.
struct Given<'g> {
    matches: ArgMatches,
    env: &'g dyn Fn(&str) -> Option<String>,
    prefix: String,
}

impl Config {
    /// From the arguments, the program's name first, and the environment.
    pub fn read(
        about: &About,
        arguments: impl IntoIterator<Item = String>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Stop> {
        let matches = command(about).try_get_matches_from(arguments).map_err(|error| {
            let text = error.render().to_string();
            if error.use_stderr() { unusable(one_line(&text)) } else { Stop::Told(text) }
        })?;
        let task = match matches.subcommand() {
            Some(("check", _)) => Task::Check,
            Some(("healthcheck", _)) => Task::HealthCheck,
            Some(("decode", sub)) => Task::Decode(sub.get_one("file").cloned().unwrap_or_default()),
            _ => Task::Run,
        };
        let given = Given { matches, env, prefix: prefix(about) };
        given.config(about, task).map_err(unusable)
    }
}

/// One line, whatever the settings hold that it repeats.
fn unusable(line: String) -> Stop {
    Stop::Unusable(line.chars().map(plain).collect())
}

impl Given<'_> {
    fn config(&self, about: &About, task: Task) -> Result<Config, String> {
        let allow_plaintext = self.switch("exchange.allow-plaintext")?;
        let testnet = self.switch("exchange.testnet")?;
        let hosts = match (testnet, &about.test) {
            (false, _) => &about.live,
            (true, Some(hosts)) => hosts,
            // The live venue instead would be the last thing that was wanted.
            (true, None) => {
                return Err(format!("--exchange.testnet: {} has no test environment with market data", about.title));
            }
        };
        let url = |name: &str, default: &str, schemes: [&str; 2]| self.url(name, default, schemes, allow_plaintext);
        let own_rest =
            ["exchange.rest-url", "exchange.rest-futures-url"].map(|name| self.text(name).map(|given| given.0));
        let own_rest = own_rest.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
        let setup = Setup {
            hosts: Hosts {
                rest: url("exchange.rest-url", &hosts.rest, ["https", "http"])?,
                rest_futures: match self.text("exchange.rest-url")?.0.is_empty() {
                    true => url("exchange.rest-futures-url", &hosts.rest_futures, ["https", "http"])?,
                    // Another host for the one and the venue's own for the other would mix two environments.
                    false => url("exchange.rest-futures-url", "", ["https", "http"])?,
                },
                // Without an address of the user's, the venue's own; else it follows the other derivatives.
                rest_coin: if own_rest.is_empty() { hosts.rest_coin.clone() } else { Default::default() },
                ws: url("exchange.ws-url", &hosts.ws, ["wss", "ws"])?,
                ws_private: url("exchange.ws-private-url", &hosts.ws_private, ["wss", "ws"])?,
            },
            ws_given: !self.text("exchange.ws-url")?.0.is_empty(),
            ws_private_given: !self.text("exchange.ws-private-url")?.0.is_empty(),
            testnet,
        };
        let telemetry_path: String = self.parsed("web.telemetry-path")?;
        if !telemetry_path.starts_with('/') || telemetry_path.len() < 2 || telemetry_path.contains(['{', '}', '?', '#'])
        {
            return Err(format!("--web.telemetry-path={telemetry_path}: wants a path such as /metrics"));
        }
        if door::HEALTH.contains(&telemetry_path.as_str()) {
            return Err(format!("--web.telemetry-path={telemetry_path}: health is told there; choose another path"));
        }
        let (credentials, unfilled) = match task {
            Task::Run | Task::Check => self.credentials(about)?,
            // Need no key; and what stands in the files by now says nothing about the exporter that runs.
            Task::HealthCheck | Task::Decode(_) => (None, Vec::new()),
        };
        let web = match task {
            Task::Run | Task::Check => self.web()?,
            Task::HealthCheck | Task::Decode(_) => Live::open(),
        };
        Ok(Config {
            task,
            listen: self.listen(about)?,
            telemetry_path,
            web,
            web_given: !self.text("web.config.file")?.0.is_empty(),
            protect_health: self.switch("web.protect-health")?,
            selection: self.parsed("exchange.symbols")?,
            symbols_interval: self.time("exchange.symbols-interval", Duration::from_secs(1))?,
            data_timeout: self.time("exchange.data-timeout", Duration::from_millis(100))?,
            setup,
            rate_limit_share: self.share("exchange.rate-limit-share")?,
            allow_plaintext,
            compat: self.switch("metrics.compat")?,
            log_level: self.level()?,
            log_format: self.log_format()?,
            credentials,
            unfilled,
            terms: Terms {
                label: self.text("exchange.account")?.0,
                interval: self.time("exchange.account-interval", Duration::from_secs(1))?,
                refuse_withdraw: self.switch("exchange.refuse-withdraw-key")?,
                fiat: self.fiat()?,
                sources: self.parsed("equity.rate-sources")?,
            },
        })
    }

    fn web(&self) -> Result<Arc<Live>, String> {
        let (path, origin) = self.text("web.config.file")?;
        if path.is_empty() {
            return Ok(Live::open());
        }
        Live::load(Path::new(&path)).map_err(|line| format!("{}: {line}", origin.split('=').next().unwrap_or_default()))
    }

    fn fiat(&self) -> Result<String, String> {
        let (text, origin) = self.text("equity.fiat")?;
        let code = text.to_uppercase();
        if code.len() == 3 && code.chars().all(|c| c.is_ascii_uppercase()) {
            Ok(code)
        } else {
            Err(format!("{origin}: wants a currency's code of three letters, such as BRL or EUR"))
        }
    }

    /// A setting's text and where it came from.
    fn text(&self, name: &str) -> Result<(String, String), String> {
        let flag = FLAGS
            .iter()
            .find(|flag| flag.name == name)
            .ok_or_else(|| format!("--{name} is not in the table of flags"))?;
        if let Some(text) = self.matches.get_one::<String>(flag.name) {
            return Ok((text.clone(), format!("--{name}={text}")));
        }
        if let Some(variable) = flag.env.name(&self.prefix)
            && let Some(text) = (self.env)(&variable).filter(|text| !text.is_empty())
        {
            let origin = format!("{variable}={text}");
            return Ok((text, origin));
        }
        Ok((flag.default.to_owned(), format!("--{name}")))
    }

    fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, String> {
        let (text, origin) = self.text(name)?;
        text.parse().map_err(|error| format!("{origin}: {error}"))
    }

    fn switch(&self, name: &str) -> Result<bool, String> {
        let (text, origin) = self.text(name)?;
        match text.to_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(format!("{origin}: wants true or false")),
        }
    }

    fn time(&self, name: &str, least: Duration) -> Result<Duration, String> {
        let (text, origin) = self.text(name)?;
        match humantime::parse_duration(&text) {
            Ok(time) if time >= least && time <= Duration::from_secs(86_400) => Ok(time),
            Ok(_) => Err(format!("{origin}: wants a time from {} to 24h", humantime::format_duration(least))),
            Err(_) => Err(format!("{origin}: wants a time such as 500ms, 15s or 5m")),
        }
    }

    fn share(&self, name: &str) -> Result<f64, String> {
        let (text, origin) = self.text(name)?;
        text.parse()
            .ok()
            .filter(|share| *share > 0.0 && *share <= 1.0)
            .ok_or_else(|| format!("{origin}: wants a number above 0 and at most 1"))
    }

    fn listen(&self, about: &About) -> Result<SocketAddr, String> {
        let (text, origin) = self.text("web.listen-address")?;
        let address = match text.as_str() {
            "" => format!("0.0.0.0:{}", about.port),
            port if port.starts_with(':') => format!("0.0.0.0{port}"),
            address => address.replace("localhost:", "127.0.0.1:"),
        };
        address.parse().map_err(|_| {
            format!("{origin}: wants an address and port such as 0.0.0.0:{} or [::]:{}", about.port, about.port)
        })
    }

    fn url(&self, name: &str, default: &str, schemes: [&str; 2], plaintext: bool) -> Result<Cow<'static, str>, String> {
        let (text, origin) = self.text(name)?;
        if text.is_empty() {
            return Ok(default.to_owned().into());
        }
        let url = url::Url::parse(&text).map_err(|error| format!("{origin}: not a URL: {error}"))?;
        if !schemes.contains(&url.scheme()) || url.host_str().is_none() {
            return Err(format!("{origin}: wants a URL such as {default}"));
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(format!("{origin}: wants a bare base URL, without query or user, such as {default}"));
        }
        if !plaintext && net::is_plaintext(&text) {
            let (secure, open) = (schemes[0], schemes[1]);
            return Err(format!(
                "{origin}: {open} to another machine can be read on the way; use {secure} or set --exchange.allow-plaintext"
            ));
        }
        Ok(text.trim_end_matches('/').to_owned().into())
    }

    fn level(&self) -> Result<Level, String> {
        let (text, origin) = self.text("log.level")?;
        match text.to_lowercase().as_str() {
            "error" => Ok(Level::ERROR),
            "warn" | "warning" => Ok(Level::WARN),
            "info" => Ok(Level::INFO),
            "debug" => Ok(Level::DEBUG),
            _ => Err(format!("{origin}: wants error, warn, info or debug")),
        }
    }

    fn log_format(&self) -> Result<LogFormat, String> {
        let (text, origin) = self.text("log.format")?;
        match text.as_str() {
            "logfmt" => Ok(LogFormat::Logfmt),
            "json" => Ok(LogFormat::Json),
            _ => Err(format!("{origin}: wants logfmt or json")),
        }
    }

    /// All credentials or none; each from its variable or from the file that its `_FILE` variable names. An empty file is like
    /// an empty variable: not given. Those come second, where there is nothing else.
    fn credentials(&self, about: &About) -> Result<(Option<Arc<Keyring>>, Vec<String>), String> {
        let mut origins = Vec::new();
        let mut missing = Vec::new();
        let mut unfilled = Vec::new();
        for suffix in about.credentials {
            let variable = format!("{}{suffix}", self.prefix);
            match self.origin(&variable)? {
                // A file that cannot be read is told of before what else may be missing.
                Some(origin) => match origin.read()? {
                    Some(_) => origins.push(origin),
                    None => {
                        missing.push(format!("{origin} (an empty file)"));
                        unfilled.push(origin.to_string());
                    }
                },
                None => missing.push(variable),
            }
        }
        match (origins.is_empty(), missing.is_empty()) {
            (true, _) => Ok((None, unfilled)),
            (false, true) => Ok((Some(Keyring::load(origins)?), Vec::new())),
            (false, false) => {
                Err(format!("credentials are incomplete: set {} too, or none of them", missing.join(" and ")))
            }
        }
    }

    fn origin(&self, variable: &str) -> Result<Option<Origin>, String> {
        let get = |name: &str| (self.env)(name).filter(|text| !text.is_empty());
        let file = format!("{variable}_FILE");
        match (get(variable), get(&file)) {
            (Some(_), Some(_)) => Err(format!("{variable} and {file} are both set; use one")),
            (Some(secret), None) => Ok(Some(Origin::Given(secret.trim().to_owned().into()))),
            (None, Some(path)) => Ok(Some(Origin::File { variable: file, path: path.into() })),
            (None, None) => Ok(None),
        }
    }
}

fn command(about: &About) -> Command {
    let prefix = prefix(about);
    let argument = |flag: &'static Flag| {
        let env = match flag.env {
            Env::None => String::new(),
            named => format!(" [env: {}]", named.name(&prefix).unwrap_or_default()),
        };
        let default = if flag.default.is_empty() { String::new() } else { format!(" [default: {}]", flag.default) };
        let base = Arg::new(flag.name)
            .long(flag.name)
            .value_name(flag.value)
            .global(true)
            .help(format!("{}{env}{default}", flag.help));
        if flag.value == SWITCH {
            base.num_args(0..=1).require_equals(true).default_missing_value("true")
        } else {
            base
        }
    };
    let file = Arg::new("file")
        .value_name("FILE")
        .required(true)
        .value_parser(clap::value_parser!(PathBuf))
        .help("One JSON text a line");
    Command::new(format!("{}-exporter", about.name))
        .about(format!("Prometheus exporter for {}", about.title))
        .version(concat!(
            env!("CARGO_PKG_VERSION"),
            " (revision ",
            env!("BUILD_REVISION"),
            ", rustc ",
            env!("BUILD_RUSTC"),
            ")"
        ))
        .args(FLAGS.iter().map(argument))
        .subcommand(Command::new("check").about("Validate the configuration, reach the venue, and show what was found"))
        .subcommand(Command::new("healthcheck").about("Ask the running exporter whether it is ready"))
        .subcommand(Command::new("decode").about("Print what the decoders make of a file of frames").arg(file))
        .disable_help_subcommand(true)
}

/// What clap says over several lines, as one.
fn one_line(text: &str) -> String {
    let paragraphs = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let line = paragraphs.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    format!("{}; see --help", line.trim_start_matches("error: "))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
