//! What every program of the suite makes of its command line and environment, whatever its flags are.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};

use super::flags::{Env, Flag, SWITCH};
use super::{Level, LogFormat, Stop};
use crate::web::config::live::Live;
use crate::web::door;

/// The longest time that a setting may have.
const DAY: Duration = Duration::from_secs(86_400);

/// A program, as far as its settings are concerned.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Its binary is `<name>-exporter`, its variables start with the name in upper case.
    pub name: &'static str,
    /// What it is for, behind "Prometheus exporter for".
    pub title: &'static str,
    /// Where it serves by default.
    pub port: u16,
    /// Its flags, in groups.
    pub flags: &'static [&'static [Flag]],
}

impl Program {
    /// The environment variables' prefix.
    pub fn prefix(&self) -> String {
        format!("{}_", self.name.to_uppercase())
    }

    /// Its command line, without subcommands.
    pub fn command(&self) -> Command {
        let prefix = self.prefix();
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
        Command::new(format!("{}-exporter", self.name))
            .about(format!("Prometheus exporter for {}", self.title))
            .version(concat!(
                env!("CARGO_PKG_VERSION"),
                " (revision ",
                env!("BUILD_REVISION"),
                ", rustc ",
                env!("BUILD_RUSTC"),
                ")"
            ))
            .args(self.flags.iter().copied().flatten().map(argument))
            .disable_help_subcommand(true)
    }

    /// Reads these arguments, the program's name first, by a command line made of [`Program::command`].
    pub fn given<'g>(
        self,
        command: Command,
        arguments: impl IntoIterator<Item = String>,
        env: &'g dyn Fn(&str) -> Option<String>,
    ) -> Result<Given<'g>, Stop> {
        let matches = command.try_get_matches_from(arguments).map_err(|error| {
            let text = error.render().to_string();
            if error.use_stderr() { Stop::unusable(one_line(&text)) } else { Stop::Told(text) }
        })?;
        Ok(Given { program: self, matches, env, prefix: self.prefix() })
    }
}

/// Where settings come from: the command line and a way to look up the environment.
pub struct Given<'g> {
    program: Program,
    /// The command line.
    pub matches: ArgMatches,
    pub(super) env: &'g dyn Fn(&str) -> Option<String>,
    pub(super) prefix: String,
}

impl Given<'_> {
    /// A setting's text and where it came from.
    pub fn text(&self, name: &str) -> Result<(String, String), String> {
        let flag = (self.program.flags.iter().copied().flatten())
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

    /// A setting of any type that can be read from text.
    pub fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, String> {
        let (text, origin) = self.text(name)?;
        text.parse().map_err(|error| format!("{origin}: {error}"))
    }

    /// True or false.
    pub fn switch(&self, name: &str) -> Result<bool, String> {
        let (text, origin) = self.text(name)?;
        match text.to_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(format!("{origin}: wants true or false")),
        }
    }

    /// A length of time, `least` to a day.
    pub fn time(&self, name: &str, least: Duration) -> Result<Duration, String> {
        let (text, origin) = self.text(name)?;
        match humantime::parse_duration(&text) {
            Ok(time) if time >= least && time <= DAY => Ok(time),
            Ok(_) => Err(format!("{origin}: wants a time from {} to 24h", humantime::format_duration(least))),
            Err(_) => Err(format!("{origin}: wants a time such as 500ms, 15s or 5m")),
        }
    }

    /// Where to serve.
    pub fn listen(&self) -> Result<SocketAddr, String> {
        let (text, origin) = self.text("web.listen-address")?;
        let port = self.program.port;
        let address = match text.as_str() {
            "" => format!("0.0.0.0:{}", port),
            alone if alone.starts_with(':') => format!("0.0.0.0{alone}"),
            address => address.replace("localhost:", "127.0.0.1:"),
        };
        address
            .parse()
            .map_err(|_| format!("{origin}: wants an address and port such as 0.0.0.0:{port} or [::]:{port}"))
    }

    /// Who may ask, and whether others can listen.
    pub fn web(&self) -> Result<Arc<Live>, String> {
        let (path, origin) = self.text("web.config.file")?;
        if path.is_empty() {
            return Ok(Live::open());
        }
        Live::load(Path::new(&path)).map_err(|line| format!("{}: {line}", origin.split('=').next().unwrap_or_default()))
    }

    /// Where the metrics are; not where something else is.
    pub fn telemetry_path(&self, taken: &[&str]) -> Result<String, String> {
        let path: String = self.parsed("web.telemetry-path")?;
        if !path.starts_with('/') || path.len() < 2 || path.contains(['{', '}', '?', '#']) {
            return Err(format!("--web.telemetry-path={path}: wants a path such as /metrics"));
        }
        if door::HEALTH.contains(&path.as_str()) {
            return Err(format!("--web.telemetry-path={path}: health is told there; choose another path"));
        }
        if taken.contains(&path.as_str()) {
            return Err(format!("--web.telemetry-path={path}: something else is served there; choose another path"));
        }
        Ok(path)
    }

    /// Least important lines to log.
    pub fn level(&self) -> Result<Level, String> {
        let (text, origin) = self.text("log.level")?;
        match text.to_lowercase().as_str() {
            "error" => Ok(Level::ERROR),
            "warn" | "warning" => Ok(Level::WARN),
            "info" => Ok(Level::INFO),
            "debug" => Ok(Level::DEBUG),
            _ => Err(format!("{origin}: wants error, warn, info or debug")),
        }
    }

    /// How log lines look.
    pub fn log_format(&self) -> Result<LogFormat, String> {
        let (text, origin) = self.text("log.format")?;
        match text.as_str() {
            "logfmt" => Ok(LogFormat::Logfmt),
            "json" => Ok(LogFormat::Json),
            _ => Err(format!("{origin}: wants logfmt or json")),
        }
    }
}

/// What clap says over several lines, as one.
fn one_line(text: &str) -> String {
    let paragraphs = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let line = paragraphs.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    format!("{}; see --help", line.trim_start_matches("error: "))
}
