//! The shape of a trading day, and what can go wrong in it.

use std::f64::consts::PI;

use crate::market::Dice;

/// Minutes of a day.
pub(super) const DAY: f64 = 1440.0;
/// Trading begins so many minutes after midnight.
pub(super) const BEGIN: f64 = 360.0;
/// When the market falls.
const FALL: f64 = 870.0;

/// A time of the day: everything about it follows from the minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hour {
    /// How much is going on, 0 to 1.
    pub(super) activity: f64,
    /// How nervous it is, 0 to 1: once a day the market falls.
    pub(super) stress: f64,
    /// What a perpetual costs over the coin.
    pub(super) basis: f64,
    /// How much of the account should be in positions.
    pub(super) exposure: f64,
}

impl Hour {
    pub(super) fn at(minute: f64) -> Self {
        let wave = (2.0 * PI * (minute - BEGIN) / DAY).sin();
        let stress = (-((minute - FALL) / 50.0).powi(2)).exp();
        Self {
            activity: 0.2 + 0.8 * (PI * minute / DAY).sin().powi(2),
            stress,
            basis: 1.0 + 0.02 * wave - 0.03 * stress,
            exposure: 0.35 + 0.2 * wave - 0.15 * stress,
        }
    }
}

/// Something that goes wrong until it is put right, so that alerts can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Trouble {
    /// The trader claims another value, P&L, exposure and number of positions than its exchange has.
    Lie,
    /// No bot says anything.
    Silence,
    /// The services stop everything, again and again.
    EmergencyStop,
    /// The traders' circuit breakers trip.
    CircuitBreaker,
    /// The traders have almost all of the account in positions.
    Exposure,
    /// Perpetuals cost half.
    Crash,
    /// The traders act on old market data.
    StaleData,
    /// The exchange's API fails the traders.
    ApiErrors,
    /// Agents do not answer in time.
    Timeouts,
    /// No fallback is left.
    Fallback,
    /// Tasks fail.
    TaskFailures,
    /// A slot stands still.
    SlotDown,
    /// A slot loses a third.
    SlotDrawdown,
    /// Decisions take a second.
    SlowCore,
    /// An agent is down.
    AgentDown,
    /// Agents are not sure of anything.
    LowConfidence,
    /// Risk control blocks most decisions.
    RiskBlocks,
    /// No money moves from slot to slot.
    CascadeStalled,
    /// It moves all the time.
    CascadeFrequent,
    /// Agents approve of nothing.
    NoApproval,
    /// Messages wait to be consumed.
    QueueLag,
    /// A policy is violated.
    PolicyViolation,
}

/// True so many times of a thousand.
pub(super) fn chance(dice: &mut Dice, of_a_thousand: f64) -> bool {
    (dice.below(1_000_000) as f64) < of_a_thousand * 1000.0
}

/// Any number of this range.
pub(super) fn between(dice: &mut Dice, low: f64, high: f64) -> f64 {
    low + (high - low) * dice.below(1_000_000) as f64 / 1e6
}

/// A time around this one, now and then several times as long, in the same unit.
pub(super) fn around(dice: &mut Dice, usual: f64) -> f64 {
    let long = if chance(dice, 30.0) { 3.0 } else { 1.0 };
    usual * long * between(dice, 0.5, 1.5)
}

/// One of these.
pub(super) fn pick<'a>(dice: &mut Dice, of: &[&'a str]) -> &'a str {
    of.get(dice.below(of.len().max(1) as u64) as usize).copied().unwrap_or_default()
}
