//! What is looked at beside the refreshes: mounted secrets, the rest of the market's prices, and what USDT is in money.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Entry;
use super::desk::Desk;
use super::rates::Rates;
use super::valuation::USD;
use crate::context::Context;
use crate::metrics::health::unix_now;
use crate::update::Fact;

/// How often mounted secrets are looked at.
const SECRETS: Duration = Duration::from_secs(5);
/// How often the rest of the market is asked for prices, and others for what the venue does not tell.
const PRICES: Duration = Duration::from_secs(60);

/// Reads mounted secrets again and again; the keyring tells when they changed.
pub async fn secrets(context: Arc<Context>, desk: Arc<Desk>) {
    if !desk.keys.is_mounted() {
        return;
    }
    let mut told = String::new();
    loop {
        sleep(SECRETS).await;
        match desk.keys.reread() {
            Ok(_) => {
                told.clear();
                context.health.learn(|known| {
                    known.config_errors.remove("missing_credentials");
                });
            }
            Err(why) if why == told => {}
            Err(why) => {
                context.health.learn(|known| {
                    known.config_errors.insert("missing_credentials");
                });
                tracing::warn!("credentials cannot be read again, the old ones stay in use: {why}");
                told = why;
            }
        }
    }
}

/// Asks the rest of the market and what USDT is in money, again and again.
pub async fn prices(context: Arc<Context>, desk: Arc<Desk>) {
    let Ok(rates) = Rates::new(desk.terms.sources.clone(), context.about.name, &context.tls) else { return };
    // The list of symbols has just been asked, tickers included.
    let mut fresh = context.quotes.loaded();
    loop {
        if !fresh {
            context.ask_quotes().await;
        }
        fresh = false;
        ask_rates(&context, &desk, &rates).await;
        sleep(PRICES).await;
    }
}

/// What one USDT is in dollars and in the fiat: by the venue's own word, else by another's.
pub async fn ask_rates(context: &Context, desk: &Desk, rates: &Rates) {
    for query in context.venue.rates(&desk.terms.fiat) {
        let mut take = |fact: Fact<'_>| {
            if let Fact::Entry(entry @ Entry::Rate(_)) = fact {
                desk.hear(entry);
            }
        };
        // Counted by the client; without a rate there is no series.
        let _ = context.rest.ask(&query, &mut take).await;
    }
    for currency in [USD, desk.terms.fiat.as_str()] {
        // Where nobody is asked, nothing failed.
        if desk.has_own_rate(context, currency) || !rates.has_source(currency) {
            continue;
        }
        let quoted = rates.ask(currency, unix_now()).await;
        context.health.request("fx", if quoted.is_some() { "success" } else { "error" }, None);
        if let Some(quoted) = quoted {
            desk.quote(currency, quoted);
        }
    }
}
