//! Flags and environment, read once. Nothing below this module reads either.

pub mod flags;
pub mod given;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, Command};

use crate::account::desk::Terms;
use crate::fault::plain;
use crate::net;
use crate::secrets::keyring::{Keyring, Origin};
use crate::symbols::Selection;
use crate::venue::{About, Hosts, Setup};
use crate::web::config::live::Live;
use flags::FLAGS;
use given::{Given, Program};

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

impl Stop {
    /// One line, whatever the settings hold that it repeats.
    pub fn unusable(line: String) -> Self {
        Self::Unusable(line.chars().map(plain).collect())
    }
}

impl Config {
    /// From the arguments, the program's name first, and the environment.
    pub fn read(
        about: &About,
        arguments: impl IntoIterator<Item = String>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Stop> {
        let program = program(about);
        let given = program.given(command(&program), arguments, env)?;
        let task = match given.matches.subcommand() {
            Some(("check", _)) => Task::Check,
            Some(("healthcheck", _)) => Task::HealthCheck,
            Some(("decode", sub)) => Task::Decode(sub.get_one("file").cloned().unwrap_or_default()),
            _ => Task::Run,
        };
        given.config(about, task).map_err(Stop::unusable)
    }
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
        let telemetry_path = self.telemetry_path(&[])?;
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
            listen: self.listen()?,
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

    fn fiat(&self) -> Result<String, String> {
        let (text, origin) = self.text("equity.fiat")?;
        let code = text.to_uppercase();
        if code.len() == 3 && code.chars().all(|c| c.is_ascii_uppercase()) {
            Ok(code)
        } else {
            Err(format!("{origin}: wants a currency's code of three letters, such as BRL or EUR"))
        }
    }

    fn share(&self, name: &str) -> Result<f64, String> {
        let (text, origin) = self.text(name)?;
        text.parse()
            .ok()
            .filter(|share| *share > 0.0 && *share <= 1.0)
            .ok_or_else(|| format!("{origin}: wants a number above 0 and at most 1"))
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

/// A venue's exporter, as far as its settings are concerned.
fn program(about: &About) -> Program {
    Program { name: about.name, title: about.title, port: about.port, flags: FLAGS }
}

fn command(program: &Program) -> Command {
    let file = Arg::new("file")
        .value_name("FILE")
        .required(true)
        .value_parser(clap::value_parser!(PathBuf))
        .help("One JSON text a line");
    program
        .command()
        .subcommand(Command::new("check").about("Validate the configuration, reach the venue, and show what was found"))
        .subcommand(Command::new("healthcheck").about("Ask the running exporter whether it is ready"))
        .subcommand(Command::new("decode").about("Print what the decoders make of a file of frames").arg(file))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
