//! A trader: tells what its desks did, and what they are worth.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::desk::Desk;
use super::hour::{Trouble, chance};
use super::speech::Speech;
use crate::market::Dice;

const SECONDS_A_DAY: u64 = 86_400;
const OUTCOMES: [&str; 3] = ["win", "loss", "breakeven"];
const REASONS: [&str; 3] = ["exposure", "spread", "cooldown"];

/// What a trader remembers.
#[derive(Debug)]
pub(super) struct Trader {
    name: &'static str,
    /// The value at the start, at the last midnight UTC or the start after it, and the highest.
    start: Option<f64>,
    midnight: (u64, f64),
    peak: f64,
    drawdown: f64,
    placed: u32,
    filled: u32,
    symbols: Vec<String>,
    dice: Dice,
}

/// What a trader says of its accounts.
struct Claims {
    value: f64,
    profit_today: f64,
    exposure: f64,
    open: f64,
}

impl Trader {
    pub(super) fn new(name: &'static str, seed: u64) -> Self {
        Self {
            name,
            start: None,
            midnight: (0, 0.0),
            peak: 0.0,
            drawdown: 0.0,
            placed: 0,
            filled: 0,
            symbols: Vec::new(),
            dice: Dice(seed),
        }
    }

    /// What there is to say of these desks: of one, or of all there are.
    pub(super) fn speak(&mut self, desks: &[&Desk], cycle: (String, Duration), troubles: &[Trouble]) -> Speech {
        let mut speech = match desks {
            [one] => {
                let speech = Speech::of(self.name).about("exchange", one.seat.venue.name());
                match &one.seat.account {
                    Some(account) => speech.about("account", account),
                    None => speech,
                }
            }
            _ => Speech::of(self.name).about("exchange", "all"),
        }
        .repeatable(cycle.0);
        self.account(&mut speech, desks, troubles.contains(&Trouble::Lie) && desks.len() == 1);
        self.orders(&mut speech, desks);
        self.risk(&mut speech, troubles);
        calls(&mut speech, desks, troubles);
        speech.observe("trader_cycle_duration_seconds", &[], cycle.1.as_secs_f64());
        speech
    }

    fn account(&mut self, speech: &mut Speech, desks: &[&Desk], lie: bool) {
        let mut positions: BTreeMap<&str, f64> = self.symbols.iter().map(|symbol| (symbol.as_str(), 0.0)).collect();
        let (mut value, mut held, mut open) = (0.0, 0.0, 0);
        for desk in desks {
            value += desk.look.value;
            for (symbol, dollars) in &desk.look.positions {
                *positions.entry(symbol).or_default() += dollars;
                held += dollars;
                open += 1;
            }
        }
        // A position that was closed is worth nothing; unsaid, it would be worth what it was for five more minutes.
        positions.iter().for_each(|(symbol, dollars)| {
            speech.set("trader_position_value_usd", &[("symbol", symbol)], *dollars);
        });
        self.symbols = positions.keys().map(|symbol| (*symbol).to_owned()).collect();
        let today = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / SECONDS_A_DAY);
        if self.midnight.0 != today {
            self.midnight = (today, value);
        }
        let start = *self.start.get_or_insert(value);
        self.peak = self.peak.max(value);
        self.drawdown = self.drawdown.max(1.0 - value / self.peak);
        let mut claims = Claims {
            value,
            profit_today: value - self.midnight.1,
            exposure: 100.0 * held / value,
            open: f64::from(open),
        };
        if lie {
            claims = Claims {
                value: value * 1.2,
                profit_today: claims.profit_today + value * 0.2,
                exposure: claims.exposure + 25.0,
                open: claims.open + 2.0,
            };
        }
        speech.set("trader_account_value_usd", &[], claims.value);
        speech.set("trader_daily_pnl_usd", &[], claims.profit_today);
        speech.set("trader_exposure_pct", &[], claims.exposure);
        speech.set("trader_open_positions", &[], claims.open);
        speech.set("trader_pnl_pct", &[], 100.0 * (value / start - 1.0));
        speech.set("trader_max_drawdown_pct", &[], 100.0 * self.drawdown);
    }

    fn orders(&mut self, speech: &mut Speech, desks: &[&Desk]) {
        let (mut placed, mut filled, mut canceled, mut outcomes) = (0, 0, 0, [0.0; 3]);
        for done in desks.iter().map(|desk| &desk.done) {
            placed += done.placed;
            filled += done.filled;
            canceled += done.canceled;
            for gain in &done.gains {
                outcomes[if gain.abs() < 0.01 { 2 } else { usize::from(*gain < 0.0) }] += 1.0;
            }
        }
        for (outcome, count) in OUTCOMES.iter().zip(outcomes) {
            speech.add("trader_trades_total", &[("outcome", outcome)], count);
        }
        speech.add("trader_orders_placed_total", &[], f64::from(placed));
        speech.add("trader_orders_filled_total", &[], f64::from(filled));
        speech.add("trader_orders_canceled_total", &[], f64::from(canceled));
        self.placed += placed;
        self.filled += filled;
        if self.placed > 0 {
            speech.set("trader_order_fill_ratio", &[], f64::from(self.filled) / f64::from(self.placed));
        }
    }

    fn risk(&mut self, speech: &mut Speech, troubles: &[Trouble]) {
        for reason in REASONS {
            let rejected = chance(&mut self.dice, 20.0);
            speech.add("trader_risk_rejections_total", &[("reason", reason)], if rejected { 1.0 } else { 0.0 });
        }
        for reason in ["daily_loss", "volatility"] {
            let trips = troubles.contains(&Trouble::CircuitBreaker) && reason == "daily_loss";
            speech.add("trader_circuit_breaker_trips_total", &[("reason", reason)], if trips { 1.0 } else { 0.0 });
        }
    }
}

/// The exchange's API as the desks met it.
fn calls(speech: &mut Speech, desks: &[&Desk], troubles: &[Trouble]) {
    for (endpoint, took) in desks.iter().flat_map(|desk| &desk.done.calls) {
        speech.observe("trader_api_latency_seconds", &[("endpoint", endpoint)], took.as_secs_f64());
    }
    for endpoint in ["account", "order", "cancel"] {
        let met = desks.iter().flat_map(|desk| &desk.done.errors).filter(|error| **error == endpoint).count();
        let more = if troubles.contains(&Trouble::ApiErrors) && endpoint == "order" { 3 } else { 0 };
        speech.add("trader_api_errors_total", &[("endpoint", endpoint)], (met + more) as f64);
    }
    let oldest = desks.iter().map(|desk| desk.seen).min().unwrap_or_else(Instant::now).elapsed();
    let more = if troubles.contains(&Trouble::StaleData) { 400.0 } else { 0.0 };
    speech.set("trader_data_staleness_seconds", &[], oldest.as_secs_f64() + more);
}
