//! Flag, else environment, else default; and what cannot be used, in one line.

use std::collections::HashMap;

use super::*;
use crate::venue::Allowance;

const ALLOWANCE: Allowance = Allowance { units: 1, per: Duration::from_secs(1) };

const OKX: About = About {
    name: "okx",
    title: "OKX",
    port: 8004,
    live: Hosts::new("https://openapi.okx.com", "", "wss://ws.okx.com", "wss://ws.okx.com"),
    test: Some(Hosts::new("https://openapi.okx.com", "", "wss://wspap.okx.com", "wss://wspap.okx.com")),
    credentials: &["API_KEY", "API_SECRET", "API_PASSPHRASE"],
    symbols_per_line: 100,
    dials: ALLOWANCE,
    requests: ALLOWANCE,
    burst: None,
    pools: &[],
    hubs: &[],
    pars: &[],
};

fn read(arguments: &[&str], env: &[(&str, &str)]) -> Result<Config, String> {
    let env: HashMap<&str, &str> = env.iter().copied().collect();
    let arguments = ["okx-exporter"].iter().chain(arguments).map(ToString::to_string);
    Config::read(&OKX, arguments, &|name| env.get(name).map(ToString::to_string)).map_err(|stop| match stop {
        Stop::Told(text) | Stop::Unusable(text) => text,
    })
}

#[test]
fn a_flag_wins_over_the_environment_and_both_over_the_default() {
    assert_eq!(read(&[], &[]).unwrap().listen, "0.0.0.0:8004".parse().unwrap());
    let env = [("OKX_LISTEN_ADDRESS", "127.0.0.1:1"), ("OKX_SYMBOLS", "")];
    assert_eq!(read(&[], &env).unwrap().listen, "127.0.0.1:1".parse().unwrap());
    assert_eq!(read(&[], &env).unwrap().selection, Selection::Top(20), "an empty variable is unset");
    assert_eq!(read(&["--web.listen-address", ":2"], &env).unwrap().listen, "0.0.0.0:2".parse().unwrap());
    assert_eq!(read(&["check", "--exchange.symbols=all"], &[]).unwrap().selection, Selection::All);
}

#[test]
fn switches_switch() {
    assert!(!read(&[], &[]).unwrap().setup.testnet);
    assert!(read(&["--exchange.testnet"], &[]).unwrap().setup.testnet);
    assert_eq!(read(&[], &[("OKX_TESTNET", "true")]).unwrap().setup.hosts.ws, "wss://wspap.okx.com");
    assert!(!read(&["--metrics.compat=false"], &[]).unwrap().compat);
}

#[test]
fn what_cannot_be_used_is_told_in_one_line_that_names_it() {
    type Case<'c> = (&'c [&'c str], &'c [(&'c str, &'c str)], &'c str);
    let cases: &[Case<'_>] = &[
        (&["--exchange.symbol=x"], &[], "--exchange.symbol"),
        (&["--exchange.symbols=top:0"], &[], "top:0"),
        (&["--web.listen-address=nowhere"], &[], "nowhere"),
        (&["--exchange.data-timeout=15"], &[], "15"),
        (&["--exchange.data-timeout=1ms"], &[], "1ms"),
        (&["--exchange.rest-url=okx.com"], &[], "okx.com"),
        (&["--exchange.rest-url=http://api.okx.com"], &[], "--exchange.allow-plaintext"),
        (&["--exchange.ws-url=https://ws.okx.com"], &[], "wss://ws.okx.com"),
        (&["--exchange.rest-url=https://user@okx.com"], &[], "without query or user"),
        (&["--exchange.rest-url=https://:password@okx.com"], &[], "without query or user"),
        (&["--exchange.symbols=top:x\nlevel=info"], &[], "top:x level=info"),
        (&["--exchange.rate-limit-share=1.5"], &[], "1.5"),
        (&["--web.telemetry-path=metrics"], &[], "metrics"),
        (&["--web.telemetry-path=/health"], &[], "/health"),
        (&[], &[("OKX_TESTNET", "perhaps")], "OKX_TESTNET=perhaps"),
        (&[], &[("LOG_LEVEL", "loud")], "LOG_LEVEL=loud"),
        (&[], &[("OKX_API_KEY", "k")], "OKX_API_SECRET and OKX_API_PASSPHRASE"),
        (&[], &[("OKX_API_KEY_FILE", "/nonexistent/key")], "OKX_API_KEY_FILE"),
        (&[], &[("OKX_API_KEY", "k"), ("OKX_API_KEY_FILE", "f")], "both set"),
        (&[], &[("OKX_WEB_CONFIG_FILE", "web.yml")], "OKX_WEB_CONFIG_FILE: web.yml"),
        (&["decode"], &[], "FILE"),
        (&["frobnicate"], &[], "frobnicate"),
    ];
    for (arguments, env, names) in cases {
        let line = read(arguments, env).unwrap_err();
        assert!(line.contains(names) && !line.contains('\n'), "{arguments:?} {env:?}: {line}");
    }
}

#[test]
fn the_live_venue_is_no_test_environment() {
    let about = About { test: None, ..OKX };
    let arguments = ["okx-exporter", "--exchange.testnet"].map(str::to_owned);
    let Err(Stop::Unusable(line)) = Config::read(&about, arguments, &|_| None) else { panic!("must not start") };
    assert!(line.contains("no test environment"), "{line}");
}

#[test]
fn secrets_show_nowhere() {
    let env =
        [("OKX_API_KEY", "canary-key"), ("OKX_API_SECRET", "canary-secret"), ("OKX_API_PASSPHRASE", "canary-pass")];
    let config = read(&[], &env).unwrap();
    assert!(config.credentials.is_some());
    assert!(!format!("{config:?}").contains("canary"));
    let partial = read(&[], &env[..2]).unwrap_err();
    assert!(!partial.contains("canary"), "{partial}");
}

/// An empty file is a part that was not given, like an empty variable: a mount that nobody has filled is no key.
#[test]
fn empty_files_are_no_key_and_some_empty_ones_half_a_key() {
    let folder = std::env::temp_dir().join(format!("empty-keys-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (empty, blank, filled) = (file("empty", ""), file("blank", " \n"), file("filled", "canary\n"));
    let env = |key: &str, secret: &str, phrase: &str, arguments: &[&str]| {
        let named = [("OKX_API_KEY_FILE", key), ("OKX_API_SECRET_FILE", secret), ("OKX_API_PASSPHRASE_FILE", phrase)];
        read(arguments, &named)
    };
    let none = env(&empty, &blank, &empty, &[]).unwrap();
    assert!(none.credentials.is_none());
    assert_eq!(none.unfilled.len(), 3, "{:?}", none.unfilled);
    assert!(none.unfilled[0].contains(&format!("OKX_API_KEY_FILE={empty}")), "{:?}", none.unfilled);
    let all = env(&filled, &filled, &filled, &[]).unwrap();
    assert!(all.credentials.is_some() && all.unfilled.is_empty());
    let half = env(&filled, &empty, &blank, &[]).unwrap_err();
    assert!(half.contains("incomplete") && !half.contains("canary") && !half.contains('\n'), "{half}");
    for missing in [format!("OKX_API_SECRET_FILE={empty}"), format!("OKX_API_PASSPHRASE_FILE={blank}")] {
        assert!(half.contains(&missing), "{half}");
    }
    assert!(!half.contains("OKX_API_KEY"), "what is there is not missing: {half}");
    // A path that leads nowhere is a slip, whatever the others are.
    let nowhere = env(&empty, "/nonexistent/secret", &empty, &[]).unwrap_err();
    assert!(nowhere.contains("OKX_API_SECRET_FILE=/nonexistent/secret"), "{nowhere}");
    // Whether the running exporter is ready has nothing to do with what stands in the files by now.
    assert!(env(&filled, &empty, "/nonexistent", &["healthcheck"]).is_ok());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn loopback_may_be_plain() {
    let config =
        read(&["--exchange.rest-url", "http://127.0.0.1:9/", "--exchange.ws-url", "ws://localhost:9"], &[]).unwrap();
    assert_eq!(config.setup.hosts.rest, "http://127.0.0.1:9");
    assert!(config.setup.ws_given);
}
