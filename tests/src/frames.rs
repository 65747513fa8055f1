//! Writes what the fake venues send to an exporter, a folder a venue and a file a text: frames and answers of every shape, public
//! and of the account, good ones and refusals. Beside each folder a dictionary of the words in it. For fuzzing.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use common::account::{clerk, desk::Desk};
use common::config::{Config, Stop};
use common::context::Context;
use common::{About, Setup, upkeep};
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

use crate::{Fake, Fault, Limited, Options, Venue, start};

/// What goes wrong in the bad times, one after the other.
fn troubles() -> [Fault; 6] {
    [
        Fault::Reject { symbol: None },
        Fault::RefuseLogins,
        Fault::Garbage { kind: None },
        Fault::Clock { ms: -600_000 },
        Fault::RestLimited { how: Limited::Plain },
        Fault::Maintenance,
    ]
}

type Build = fn(&Setup) -> Arc<dyn common::Venue>;

fn exporter(venue: Venue) -> (&'static About, Build) {
    match venue {
        Venue::Binance => (&binance::ABOUT, binance::build),
        Venue::Bybit => (&bybit::ABOUT, bybit::build),
        Venue::Coinbase => (&coinbase::ABOUT, coinbase::build),
        Venue::Kucoin => (&kucoin::ABOUT, kucoin::build),
        Venue::Okx => (&okx::ABOUT, okx::build),
    }
}

/// Writes into this folder, listening for so long to each of good and bad times, all venues at once.
///
/// # Errors
///
/// When the folder cannot be written, or no fake can be started.
pub fn write(folder: &Path, span: Duration) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    let recordings = Venue::ALL.map(|venue| local.spawn_local(record(venue, folder.to_owned(), span)));
    runtime.block_on(local.run_until(async {
        for recording in recordings {
            recording.await.map_err(io::Error::other)??;
        }
        Ok(())
    }))
}

async fn record(venue: Venue, folder: PathBuf, span: Duration) -> io::Result<()> {
    let own = folder.join(venue.name());
    fs::create_dir_all(&own)?;
    let options = Options {
        symbols: Some(12),
        trader: Some(Duration::from_millis(50)),
        samples: Some(own.clone()),
        ..Options::default()
    };
    let fake = start(venue, options)?;
    // What it is told of bad times ends some conversations, so that they begin anew.
    let _ = timeout(span, run(venue, &fake)).await;
    for trouble in troubles() {
        fake.inflict(trouble);
        let _ = timeout(span / 4, run(venue, &fake)).await;
        fake.clear();
    }
    fs::write(folder.join(venue.name()).with_extension("dict"), dictionary(&own)?)
}

/// An exporter with the fake's key, but for its web server.
async fn run(venue: Venue, fake: &Fake) -> io::Result<()> {
    let (about, build) = exporter(venue);
    let (rest, stream, key) = (fake.rest_url(), fake.ws_url(), fake.key());
    let futures = if venue == Venue::Kucoin { "/futures" } else { "" };
    let arguments = [
        "exporter".to_owned(),
        "--exchange.symbols=top:3".to_owned(),
        "--exchange.rate-limit-share=1".to_owned(),
        "--exchange.account-interval=1s".to_owned(),
        "--equity.rate-sources=none".to_owned(),
        format!("--exchange.rest-url={rest}"),
        format!("--exchange.rest-futures-url={rest}{futures}"),
        format!("--exchange.ws-url={stream}"),
        format!("--exchange.ws-private-url={stream}"),
    ];
    let parts = [("_API_KEY", key.id), ("_API_SECRET", key.secret), ("_API_PASSPHRASE", key.passphrase)];
    let env = |name: &str| parts.iter().find(|(suffix, _)| name.ends_with(suffix)).map(|(_, part)| part.clone());
    let config = Config::read(about, arguments, &env).map_err(|stop| match stop {
        Stop::Told(line) | Stop::Unusable(line) => io::Error::other(line),
    })?;
    let venue = build(&config.setup);
    let keys = config.credentials.clone().ok_or_else(|| io::Error::other("no key"))?;
    let account = venue.account(Arc::clone(&keys)).map_err(io::Error::other)?;
    let desk = Arc::new(Desk::new(account, keys, config.terms.clone()));
    let context = Context::new(about, venue, Some(Arc::clone(&desk)), &config).map_err(io::Error::other)?;
    let market = upkeep::run(Arc::clone(&context), config.selection, config.symbols_interval);
    let account = async {
        loop {
            clerk::run(Arc::clone(&context), Arc::clone(&desk)).await;
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::join!(market, account);
    Ok(())
}

/// The words between quotes, as libFuzzer reads them.
fn dictionary(folder: &Path) -> io::Result<String> {
    let mut words = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let text = fs::read_to_string(entry?.path())?;
        let quoted = text.split('"').skip(1).step_by(2).filter(|word| (1..=40).contains(&word.len()));
        words.extend(quoted.filter(|word| !word.contains(['\\', '"'])).map(str::to_owned));
    }
    let mut lines = String::new();
    for word in words.iter().filter(|word| word.bytes().all(|byte| byte.is_ascii_graphic())) {
        // With quotes and colon a key, without them a value; writing to a String cannot fail.
        let numeric = word.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'-');
        let _ = if numeric { Ok(()) } else { writeln!(lines, "\"\\\"{word}\\\":\"\n\"{word}\"") };
    }
    Ok(lines)
}
