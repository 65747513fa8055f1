//! The account's rows of `check`: whether the key works, what it may do, which wallets it opens, what they are worth.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::channel;
use tokio::time::{Instant, sleep};

use super::clerk::{Tried, try_once};
use super::desk::Desk;
use super::rates::Rates;
use super::show::{Picture, picture};
use super::valuation::USDT;
use super::watch::ask_rates;
use super::{Need, Rights, Topic};
use crate::check::{Mark, Report, told};
use crate::context::Context;
use crate::fault::{Fault, Kind, Source};
use crate::metrics::health::{Standing, unix_now};
use crate::websocket::keeper::keep;
use crate::websocket::line::Cargo;

/// How long the private stream may take to become live.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks everything once and tells.
pub async fn run(context: &Arc<Context>, desk: &Arc<Desk>, report: &mut Report) {
    let tried = try_once(context, desk).await;
    if !authenticated(&tried, report) {
        return;
    }
    if let Ok(rates) = Rates::new(desk.terms.sources.clone(), context.about.name, &context.tls) {
        ask_rates(context, desk, &rates).await;
    }
    let Some(picture) = picture(context) else { return };
    permissions(picture.rights, desk.terms.refuse_withdraw, report);
    parts(&tried, &picture, report);
    worth(&picture, report);
    stream(context, desk, report).await;
}

/// A refused key is one row, not ten.
fn authenticated(tried: &[Tried], report: &mut Report) -> bool {
    let refused =
        |one: &&Tried| matches!(&one.result, Err(fault) if matches!(fault.kind, Kind::Auth | Kind::ClockSkew));
    let worked = tried.iter().any(|one| one.result.is_ok() && !matches!(one.topic, Topic::Facts));
    if worked {
        report.row("authenticated", true, "the venue accepts the key");
        return true;
    }
    // The question that matters most tells why.
    let musts = tried.iter().filter(|one| one.need == Need::Must);
    let faults = musts.chain(tried.iter().filter(refused)).filter_map(|one| one.result.as_ref().err());
    let why = faults.map(told).next().unwrap_or_else(|| "nothing could be asked".into());
    report.row("authenticated", false, why);
    false
}

fn permissions(rights: Option<Rights>, refuse: bool, report: &mut Report) {
    let Some(rights) = rights else {
        return report.row("permissions", Mark::Warning, "the venue does not tell what this key may do");
    };
    let names =
        [("read", rights.read), ("trade", rights.trade), ("transfer", rights.transfer), ("withdraw", rights.withdraw)];
    let may: Vec<&str> = names.iter().filter(|(_, may)| *may == Some(true)).map(|(name, _)| *name).collect();
    let mut told = format!("may {}", if may.is_empty() { "do nothing".to_owned() } else { may.join(", ") });
    match rights.ip_restricted {
        Some(true) => told.push_str("; only from listed addresses"),
        Some(false) => told.push_str("; from any address"),
        None => {}
    }
    if let Some(expires) = rights.expires {
        told.push_str(&format!("; expires in {:.0} days", (expires.as_seconds() - unix_now()) / 86_400.0));
    }
    let mark = match (rights.withdraw, may.len() > 1) {
        (Some(true), _) => {
            told.push_str(". It may WITHDRAW: make a key that may only read, and delete this one");
            if refuse { Mark::Bad } else { Mark::Warning }
        }
        (_, true) => {
            told.push_str("; a monitoring key should read and no more");
            Mark::Warning
        }
        _ => Mark::Good,
    };
    report.row("permissions", mark, told);
}

/// Each wallet, positions and orders: what was found, once however many questions it took, or why nothing was.
fn parts(tried: &[Tried], picture: &Picture, report: &mut Report) {
    let mut found_already = BTreeSet::new();
    for one in tried {
        let (what, found) = match one.topic {
            Topic::Wallet(wallet) => ("wallet", format!("{wallet}{}", assets(picture, wallet))),
            Topic::Positions => ("positions", format!("{} open", picture.positions.as_ref().map_or(0, Vec::len))),
            Topic::Orders => {
                ("orders", format!("{} open", picture.orders.as_ref().map_or(0, |orders| orders.values().sum())))
            }
            Topic::Key | Topic::Facts | Topic::Fills => continue,
        };
        match &one.result {
            Ok(()) if found_already.insert(one.topic) => report.row(what, true, found),
            Ok(()) => {}
            Err(fault) => report.row(what, mark(one, fault), format!("{} not read: {}", name(one), told(fault))),
        }
    }
}

fn name(one: &Tried) -> &'static str {
    match one.topic {
        Topic::Wallet(wallet) => wallet,
        _ => one.name,
    }
}

/// What may be refused is no failure where it is refused for good.
fn mark(one: &Tried, fault: &Fault) -> Mark {
    let refused = matches!(fault.kind, Kind::Permission | Kind::Auth) || fault.cause.is_some();
    if one.need == Need::May && refused { Mark::Warning } else { Mark::Bad }
}

fn assets(picture: &Picture, wallet: &str) -> String {
    let held = picture.balances.iter().filter(|balance| balance.wallet == wallet);
    let names: Vec<&str> = held.map(|balance| balance.asset.as_str()).collect();
    match names.len() {
        0 => ": read".into(),
        1..=8 => format!(": {}", names.join(", ")),
        more => format!(": {} and {} more", names[..8].join(", "), more - 8),
    }
}

fn worth(picture: &Picture, report: &mut Report) {
    let Some(worth) = &picture.worth else {
        return report.row("equity", false, "not known: a wallet that matters or the prices could not be read");
    };
    let mut all = format!("{} {USDT}", worth.usdt.round_dp(2));
    for fx in &picture.fx {
        match fx.rate.and_then(|(rate, source)| Some((worth.usdt.checked_mul(rate)?, source))) {
            Some((amount, source)) => all.push_str(&format!(", {} {} by {source}", amount.round_dp(2), fx.currency)),
            None => all.push_str(&format!(", {} unknown: nobody tells its price", fx.currency)),
        }
    }
    report.row("equity", true, all);
    if !worth.unpriced.is_empty() {
        let names: Vec<String> = worth.unpriced.iter().map(|(asset, amount)| format!("{asset} {amount}")).collect();
        report.row("unpriced", Mark::Warning, format!("no market prices them: {}", names.join(", ")));
    }
}

async fn stream(context: &Arc<Context>, desk: &Arc<Desk>, report: &mut Report) {
    let feeds = desk.account.feeds(&desk.read(|book| book.view(Vec::new(), context.venue_now())));
    let keepers: Vec<_> = feeds
        .into_iter()
        .enumerate()
        .map(|(number, feed)| {
            let (cargo, receiver) = channel(Cargo::private(feed.into()));
            (cargo, tokio::task::spawn_local(keep(Arc::clone(context), number, receiver)))
        })
        .collect();
    let deadline = Instant::now() + PATIENCE;
    let refused =
        || context.health.lines(Source::Private).iter().any(|line| matches!(line.standing, Standing::Waiting(_)));
    while Instant::now() < deadline && !context.health.connected(Source::Private) && !refused() {
        sleep(Duration::from_millis(20)).await;
    }
    for line in context.health.lines(Source::Private) {
        match &line.standing {
            Standing::Live => report.row("private stream", true, format!("{}: live", line.host)),
            Standing::Waiting(why) => report.row("private stream", false, format!("{}: {why}", line.host)),
            _ => report.row("private stream", false, format!("{}: no answer in time", line.host)),
        }
    }
    keepers.iter().for_each(|(_, task)| task.abort());
}
