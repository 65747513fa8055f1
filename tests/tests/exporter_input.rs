//! What users get wrong is told in one line, and what is secret is told nowhere.

mod exporter;

use std::fs;
use std::net::TcpListener;

use exporter::exposition::Exposition;
use exporter::{Rig, bitcoin, command, dollar, everywhere, fake};
use fake_venues::Venue;
use fake_venues::stack::Scratch;

/// A slip of the finger in one name costs that name only.
#[tokio::test]
async fn an_unknown_symbol_is_named_and_the_rest_runs() {
    everywhere(async |venue| {
        let slip = format!("ETH{}X", dollar(venue));
        let rig = Rig::with(fake(venue), &[&format!("--exchange.symbols={},{slip}", bitcoin(venue))]);
        rig.until_ready().await;
        let price = |scrape: &Exposition| scrape.value("exchange_last_price", &[("symbol", bitcoin(venue))]).is_some();
        let scrape = rig.until_scrape("bitcoin has a price", price).await;
        rig.check(scrape.value("exchange_config_error", &[("reason", "unknown_symbol")]) == Some(1.0), "config error");
        for (state, count) in [("requested", 2.0), ("streaming", 1.0), ("rejected", 1.0)] {
            let found = scrape.value("exchange_symbols", &[("state", state)]);
            rig.check(found == Some(count), format!("{found:?} symbols {state}"));
        }
        let nearest = venue.spell("ETH", dollar(venue));
        let log = rig.log();
        let told: Vec<&str> = log.lines().filter(|line| line.contains(&slip) && !line.contains("started")).collect();
        let names = told.len() == 1 && told[0].contains(&nearest);
        rig.check(names, format!("one line names {slip} and {nearest}: {told:?}"));
        let (status, reasons) = rig.health().await;
        rig.check(status == "degraded", format!("{reasons:?}"));
        let page = rig.get("/").await.body;
        rig.check(page.contains(&slip) && page.contains(&nearest), "the page names both");
    })
    .await;
}

/// A setting that cannot be used: how it is given, and what the line must name.
struct Slip {
    flags: Vec<String>,
    variables: Vec<(String, String)>,
    named: String,
}

fn slips(venue: Venue, taken: &str) -> Vec<Slip> {
    let prefix = venue.name().to_uppercase();
    let flag =
        |flag: &str, named: &str| Slip { flags: vec![flag.to_owned()], variables: Vec::new(), named: named.to_owned() };
    let variable = |name: &str, value: &str, named: &str| {
        let variables = vec![(format!("{prefix}_{name}"), value.to_owned())];
        Slip { flags: Vec::new(), variables, named: named.to_owned() }
    };
    vec![
        flag("--exchange.symbolz=all", "--exchange.symbolz"),
        flag("--exchange.symbols=all,BTCUSDT", "--exchange.symbols"),
        flag("--exchange.symbols=top:none", "--exchange.symbols"),
        flag("--exchange.data-timeout=soon", "--exchange.data-timeout"),
        flag("--exchange.rate-limit-share=2", "--exchange.rate-limit-share"),
        flag("--exchange.rest-url=nonsense", "--exchange.rest-url"),
        flag("--exchange.ws-url=https://127.0.0.1", "--exchange.ws-url"),
        flag("--exchange.rest-url=http://192.0.2.1", "--exchange.rest-url"),
        flag("--web.listen-address=nowhere", "--web.listen-address"),
        flag(&format!("--web.listen-address={taken}"), taken),
        flag("--log.level=loud", "--log.level"),
        flag("surprise", "surprise"),
        variable("DATA_TIMEOUT", "soon", &format!("{prefix}_DATA_TIMEOUT")),
        variable("SYMBOLS", "quote:", &format!("{prefix}_SYMBOLS")),
        variable("API_KEY", "canary-key", &format!("{prefix}_API_SECRET")),
        variable("API_SECRET", "canary-secret", &format!("{prefix}_API_KEY")),
        variable("API_KEY_FILE", "/nonexistent/key", "/nonexistent/key"),
    ]
}

/// Mounted files that nobody has filled yet are no key, and the log says what to do; one that is filled is half a key.
#[tokio::test]
async fn empty_files_are_no_key_until_one_is_filled() {
    everywhere(async |venue| {
        let scratch = Scratch::new("empty-key").expect("a temporary directory");
        let prefix = venue.name().to_uppercase();
        let parts: &[&str] = match venue {
            Venue::Kucoin | Venue::Okx => &["API_KEY", "API_SECRET", "API_PASSPHRASE"],
            Venue::Binance | Venue::Bybit | Venue::Coinbase => &["API_KEY", "API_SECRET"],
        };
        let named = |part: &&str| {
            let path = scratch.path().join(part);
            fs::write(&path, "").expect("a file");
            (format!("{prefix}_{part}_FILE"), path.display().to_string())
        };
        let variables: Vec<(String, String)> = parts.iter().map(named).collect();
        let rig = Rig::custom(fake(venue), |command| {
            command.arg("--exchange.symbols=top:5").envs(variables.clone());
        });
        rig.until_ready().await;
        let log = rig.log();
        for (variable, path) in &variables {
            rig.check(log.contains(&format!("{variable}={path}")), format!("the log does not name {variable}:\n{log}"));
        }
        rig.check(log.contains("market data only"), format!("the log does not say what follows:\n{log}"));
        let (status, reasons) = rig.health().await;
        rig.check(status == "ok", format!("it is a normal way to run: {reasons:?}"));
        fs::write(scratch.path().join("API_KEY"), "canary").expect("a file");
        let output = command(venue).envs(variables.clone()).output().expect("the exporter starts");
        let err = String::from_utf8_lossy(&output.stderr);
        let told = variables[1..].iter().all(|(variable, path)| err.contains(&format!("{variable}={path}")));
        rig.check(output.status.code() == Some(2) && told, format!("half a key starts: {err}"));
        rig.check(!err.contains("canary") && err.lines().count() == 1, format!("{err}"));
    })
    .await;
}

/// One line on standard error that names it, status 2, nothing on standard output.
#[test]
fn what_cannot_be_used_ends_the_start_with_one_line() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = listener.local_addr().expect("an address").to_string();
    for venue in Venue::ALL {
        for Slip { flags, variables, named } in slips(venue, &taken) {
            let output = command(venue).args(&flags).envs(variables.clone()).output().expect("the exporter starts");
            let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let what = format!("{}: {flags:?} {variables:?} said {err:?}, {out:?}", venue.name());
            assert_eq!(output.status.code(), Some(2), "{what}");
            assert_eq!(err.lines().count(), 1, "{what}");
            assert!(err.ends_with('\n') && err.contains(&named) && out.is_empty(), "{what}");
            assert!(!err.contains("canary"), "{what}");
        }
    }
}
