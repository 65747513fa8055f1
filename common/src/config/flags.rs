//! Every flag, once: help, environment and the reference page come from this table.

/// One setting: flag, else environment, else default.
#[derive(Debug)]
pub struct Flag {
    /// The long flag, without dashes.
    pub name: &'static str,
    /// The environment variable.
    pub env: Env,
    /// The default; empty where it depends on the venue or is unset.
    pub default: &'static str,
    /// What stands for the value in help texts.
    pub value: &'static str,
    /// One or two sentences.
    pub help: &'static str,
}

/// How a setting is called in the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Env {
    /// Flag only.
    None,
    /// Behind the venue's prefix: `OKX_SYMBOLS`.
    Venue(&'static str),
    /// The same for all venues: `LOG_LEVEL`.
    Whole(&'static str),
}

impl Env {
    /// The variable's full name for a prefix such as `OKX_`.
    pub fn name(self, prefix: &str) -> Option<String> {
        match self {
            Env::None => None,
            Env::Venue(suffix) => Some(format!("{prefix}{suffix}")),
            Env::Whole(name) => Some(name.to_owned()),
        }
    }
}

/// A switch takes `true` or `false`, and means `true` where no value follows.
pub const SWITCH: &str = "true|false";

/// All flags of a venue's exporter.
pub const FLAGS: &[&[Flag]] = &[WEB, EXCHANGE, LOG];

/// How it is served.
pub const WEB: &[Flag] = &[
    Flag {
        name: "web.listen-address",
        env: Env::Venue("LISTEN_ADDRESS"),
        default: "",
        value: "ADDRESS",
        help: "Where to serve; default 0.0.0.0 and the venue's port. `:8004` and `[::1]:8004` work too.",
    },
    Flag {
        name: "web.telemetry-path",
        env: Env::None,
        default: "/metrics",
        value: "PATH",
        help: "Where the metrics are.",
    },
    Flag {
        name: "web.config.file",
        env: Env::Venue("WEB_CONFIG_FILE"),
        default: "",
        value: "FILE",
        help: "TLS, client certificates, users, headers and a rate limit, in exporter-toolkit's format; see docs/web-config.md.",
    },
    Flag {
        name: "web.protect-health",
        env: Env::Venue("WEB_PROTECT_HEALTH"),
        default: "false",
        value: SWITCH,
        help: "Ask for a password on `/-/healthy`, `/-/ready` and `/health` too, and count them for the rate limit.",
    },
];

/// The venue, the account, the metrics.
pub const EXCHANGE: &[Flag] = &[
    Flag {
        name: "exchange.symbols",
        env: Env::Venue("SYMBOLS"),
        default: "top:20",
        value: "SYMBOLS",
        help: "A comma list (`BTCUSDT`, `BTC-USDT` and `BTC/USDT` are one), `all`, `quote:USDT`, or `top:50` by 24 h turnover.",
    },
    Flag {
        name: "exchange.symbols-interval",
        env: Env::Venue("SYMBOLS_INTERVAL"),
        default: "15m",
        value: "TIME",
        help: "How often the venue's list is read again, to pick up listings and delistings.",
    },
    Flag {
        name: "exchange.data-timeout",
        env: Env::Venue("DATA_TIMEOUT"),
        default: "15s",
        value: "TIME",
        help: "A connection that brings no market data for so long is dead, whatever pings say.",
    },
    Flag {
        name: "exchange.rest-url",
        env: Env::Venue("REST_URL"),
        default: "",
        value: "URL",
        help: "Base URL of the REST API; the documented path is appended.",
    },
    Flag {
        name: "exchange.rest-futures-url",
        env: Env::Venue("REST_FUTURES_URL"),
        default: "",
        value: "URL",
        help: "Base URL of the derivatives' REST API, where that has a host of its own (Binance, KuCoin); the same as --exchange.rest-url where only that is set.",
    },
    Flag {
        name: "exchange.ws-url",
        env: Env::Venue("WS_URL"),
        default: "",
        value: "URL",
        help: "Base URL of the public stream; the documented path is appended.",
    },
    Flag {
        name: "exchange.ws-private-url",
        env: Env::Venue("WS_PRIVATE_URL"),
        default: "",
        value: "URL",
        help: "Base URL of the private stream; the documented path is appended.",
    },
    Flag {
        name: "exchange.testnet",
        env: Env::Venue("TESTNET"),
        default: "false",
        value: SWITCH,
        help: "Use the venue's test or demo environment.",
    },
    Flag {
        name: "exchange.rate-limit-share",
        env: Env::Venue("RATE_LIMIT_SHARE"),
        default: "0.1",
        value: "SHARE",
        help: "The most of each of the venue's REST limits that this process may use, above 0 and at most 1.",
    },
    Flag {
        name: "exchange.account",
        env: Env::Venue("ACCOUNT"),
        default: "",
        value: "NAME",
        help: "Adds the label `account` with this value to every series about the account.",
    },
    Flag {
        name: "exchange.account-interval",
        env: Env::Venue("ACCOUNT_INTERVAL"),
        default: "30s",
        value: "TIME",
        help: "Between two full refreshes of the account over REST; private streams tell changes in between.",
    },
    Flag {
        name: "exchange.refuse-withdraw-key",
        env: Env::Venue("REFUSE_WITHDRAW_KEY"),
        default: "false",
        value: SWITCH,
        help: "Do not run with a key that may withdraw: end with status 2. Without it such a key is warned of.",
    },
    Flag {
        name: "equity.fiat",
        env: Env::Whole("QUOTE_FIAT"),
        default: "BRL",
        value: "CODE",
        help: "The fiat in which equity is shown besides USDT and USD.",
    },
    Flag {
        name: "equity.rate-sources",
        env: Env::Whole("QUOTE_SOURCES"),
        default: "binance,okx,bybit,coinbase,kucoin",
        value: "VENUES",
        help: "Whose public ticker tells what USDT is in dollars and in the fiat where the venue itself does not: tried in this order, each as `name` or `name=URL`, or `none`.",
    },
    Flag {
        name: "exchange.allow-plaintext",
        env: Env::Venue("ALLOW_PLAINTEXT"),
        default: "false",
        value: SWITCH,
        help: "Allow http and ws to other machines: what is sent can be read on the way.",
    },
    Flag {
        name: "metrics.compat",
        env: Env::Venue("METRICS_COMPAT"),
        default: "true",
        value: SWITCH,
        help: "Also export the compatibility names.",
    },
];

/// What is told while it runs.
pub const LOG: &[Flag] = &[
    Flag {
        name: "log.level",
        env: Env::Whole("LOG_LEVEL"),
        default: "info",
        value: "LEVEL",
        help: "error, warn, info or debug.",
    },
    Flag {
        name: "log.format",
        env: Env::Whole("LOG_FORMAT"),
        default: "logfmt",
        value: "FORMAT",
        help: "logfmt or json.",
    },
];

/// The rows of a reference page's table.
pub fn rows(flags: &[&[Flag]], prefix: &str) -> String {
    use std::fmt::Write;
    let mut rows = String::new();
    for flag in flags.iter().copied().flatten() {
        let env = flag.env.name(prefix).map_or(String::new(), |name| format!("`{name}`"));
        let default = if flag.default.is_empty() { String::new() } else { format!("`{}`", flag.default) };
        // Writing to a String cannot fail.
        let _ = writeln!(rows, "| `--{}` | {env} | {default} | {} |", flag.name, flag.help);
    }
    rows
}

/// `docs/configuration.md`.
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         Made from `common/src/config/flags.rs` by `make docs`; a test keeps it current.\n\n\
         Every setting is a flag, else an environment variable, else its default; an empty variable counts as unset.\n\
         `X_` stands for the venue's prefix: `BINANCE_`, `KUCOIN_`, `BYBIT_`, `COINBASE_`, `OKX_`. Times are written\n\
         `500ms`, `15s`, `5m`. Anything that cannot be used ends the start with one line and exit status 2.\n\n\
         | flag | environment | default | meaning |\n|---|---|---|---|\n",
    );
    page.push_str(&rows(FLAGS, "X_"));
    page.push_str(
        "\n## Credentials\n\n\
         `X_API_KEY`, `X_API_SECRET` and, on KuCoin and OKX, `X_API_PASSPHRASE`; each may be given as `X_API_KEY_FILE` and so\n\
         on instead, the path of a mounted secret. Never flags: flags show in `ps`. None at all is a normal way to run:\n\
         market data only. Some but not all is an error that names what is missing. An empty file counts as not given, as an\n\
         empty variable does, so that files can be mounted before there is a key; the log says so. A file that is not there is an\n\
         error. The files of a key are read again when they change, without a restart; the first key needs one. A key that may\n\
         read and no more is all that is needed.\n\n\
         ## Subcommands\n\n\
         | command | what it does | exit status |\n|---|---|---|\n\
         | (none) | run | 0 after SIGTERM or SIGINT, 2 for a configuration that cannot be used |\n\
         | `check` | validate the configuration, reach the venue, and show symbols, clock, key, wallets and streams in a table | 0, 1 if anything failed, 2 for the configuration |\n\
         | `healthcheck` | ask the running exporter whether it is ready, for container health checks | 0 or 1 |\n\
         | `decode FILE` | print what the venue's decoders make of a file of frames, one JSON text a line | 0, 1 if a frame was not understood |\n",
    );
    page
}
