//! A bot of slots and agents: slots trade, agents decide together, profits cascade from slot to slot, arbitrage has two legs.

use super::hour::{Hour, Trouble, around, between, chance, pick};
use super::speech::Speech;
use crate::market::Dice;

const STATES: [&str; 4] = ["active", "cooldown", "paused", "error"];
const AGENTS: [&str; 4] = ["trend", "momentum", "sentiment", "risk"];
const MODELS: [&str; 2] = ["gpt", "claude"];
const DECISIONS: [&str; 3] = ["buy", "sell", "hold"];
const BLOCKS: [&str; 3] = ["exposure", "correlation", "volatility"];
const ARBITRAGE: [&str; 2] = ["binance", "okx"];
const PAIRS: [&str; 2] = ["BTCUSDT", "ETHUSDT"];
/// Profit beyond this goes to the next slot, in dollars.
const CASCADE: f64 = 60.0;

#[derive(Debug)]
struct Slot {
    name: &'static str,
    exchange: &'static str,
    strategy: &'static str,
    state: &'static str,
    given: f64,
    profit: f64,
    peak: f64,
    wins: u32,
    trades: u32,
}

/// What the bot remembers.
#[derive(Debug)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    drawdowns: [f64; AGENTS.len()],
    arbitrage: [f64; PAIRS.len()],
    dice: Dice,
}

impl Slots {
    pub(super) fn new(seed: u64) -> Self {
        let slot = |(name, exchange, strategy)| Slot {
            name,
            exchange,
            strategy,
            state: STATES[0],
            given: 2500.0,
            profit: 0.0,
            peak: 2500.0,
            wins: 0,
            trades: 0,
        };
        let slots = [
            ("slot_1", "binance", "grid"),
            ("slot_2", "okx", "momentum"),
            ("slot_3", "bybit", "scalping"),
            ("slot_4", "kucoin", "mean_reversion"),
            ("slot_5", "coinbase", "grid"),
        ];
        let slots = slots.into_iter().map(slot).collect();
        Self { slots, drawdowns: [0.0; AGENTS.len()], arbitrage: [0.0; PAIRS.len()], dice: Dice(seed) }
    }

    pub(super) fn speak(&mut self, hour: &Hour, troubles: &[Trouble]) -> Speech {
        let mut speech = Speech::of("maveretta");
        self.slots(&mut speech, hour, troubles);
        self.cascade(&mut speech, troubles);
        self.agents(&mut speech, hour, troubles);
        self.models(&mut speech, hour, troubles);
        self.arbitrage(&mut speech, hour);
        speech.add("bot_cycles_completed_total", &[], 1.0);
        speech
    }

    fn slots(&mut self, speech: &mut Speech, hour: &Hour, troubles: &[Trouble]) {
        let dice = &mut self.dice;
        for (at, slot) in self.slots.iter_mut().enumerate() {
            let before = slot.state;
            slot.state = match before {
                _ if at == 1 && troubles.contains(&Trouble::SlotDown) => "error",
                "error" => "active",
                "active" if chance(dice, 10.0) => "cooldown",
                "cooldown" if chance(dice, 400.0) => "active",
                same => same,
            };
            let mut trades = 0.0;
            if slot.state == "active" && chance(dice, 600.0 * hour.activity) {
                let gain = between(dice, -0.002, 0.0028 - 0.003 * hour.stress) * slot.given;
                slot.profit += gain;
                slot.trades += 1;
                slot.wins += u32::from(gain > 0.0);
                trades = 1.0;
            }
            if at == 2 && troubles.contains(&Trouble::SlotDrawdown) {
                slot.profit = slot.profit.min(slot.peak * 0.66 - slot.given);
            }
            let value = slot.given + slot.profit;
            slot.peak = slot.peak.max(value);
            let labels = [("slot", slot.name), ("exchange", slot.exchange), ("strategy", slot.strategy)];
            speech.flag("bot_slot_status", &labels, slot.state == "active");
            speech.set("bot_slot_pnl_usd", &labels, slot.profit);
            speech.set("bot_slot_allocation_usd", &labels, slot.given);
            speech.set("bot_slot_drawdown_pct", &labels, (100.0 * (1.0 - value / slot.peak)).clamp(0.0, 100.0));
            speech.set("bot_slot_win_rate", &labels, f64::from(slot.wins) / f64::from(slot.trades.max(1)));
            speech.add("bot_slot_trades_total", &labels, trades);
            for state in STATES {
                let labels = [("slot", slot.name), ("state", state)];
                speech.flag("slot_state", &labels, slot.state == state);
                let came = state == slot.state && state != before;
                speech.add("slot_state_changes_total", &labels, if came { 1.0 } else { 0.0 });
            }
        }
        let active = self.slots.iter().filter(|slot| slot.state == "active").count();
        speech.set("bot_slots_active", &[], active as f64);
    }

    /// Profit moves on, and what a slot is given grows.
    fn cascade(&mut self, speech: &mut Speech, troubles: &[Trouble]) {
        let names: Vec<&str> = self.slots.iter().map(|slot| slot.name).collect();
        for (at, to) in names.iter().enumerate().skip(1) {
            let from = &mut self.slots[at - 1];
            let often = troubles.contains(&Trouble::CascadeFrequent);
            let moves = (from.profit > CASCADE || often) && !troubles.contains(&Trouble::CascadeStalled);
            let labels = [("from_slot", from.name), ("to_slot", *to)];
            speech.add("bot_cascade_transfers_total", &labels, if moves { 1.0 } else { 0.0 });
            if moves {
                let amount = if from.profit > CASCADE { from.profit / 2.0 } else { 1.0 };
                from.profit -= amount;
                from.peak -= amount;
                self.slots[at].given += amount;
                self.slots[at].peak += amount;
                speech.observe("bot_cascade_transfer_amount_usd", &[], amount);
            }
        }
    }

    fn agents(&mut self, speech: &mut Speech, hour: &Hour, troubles: &[Trouble]) {
        let dice = &mut self.dice;
        let unsure = troubles.contains(&Trouble::LowConfidence);
        let usual = if troubles.contains(&Trouble::SlowCore) { 1000.0 } else { 40.0 + 40.0 * hour.stress };
        let (mut asked, mut agreed) = (0, 0.0);
        for (agent, drawdown) in AGENTS.iter().zip(&mut self.drawdowns) {
            let down = *agent == "sentiment" && troubles.contains(&Trouble::AgentDown);
            let labels = [("agent", *agent)];
            speech.flag("agent_running", &labels, !down);
            *drawdown = (*drawdown + between(dice, -0.4, 0.3 + 0.4 * hour.stress)).clamp(0.0, 9.0);
            speech.set("agent_drawdown_pct", &labels, *drawdown);
            let decided = if down { "" } else { pick(dice, &DECISIONS) };
            for decision in DECISIONS {
                let labels = [("agent", *agent), ("decision", decision)];
                speech.add("agent_decisions_total", &labels, if decision == decided { 1.0 } else { 0.0 });
            }
            let block = troubles.contains(&Trouble::RiskBlocks) || chance(dice, 15.0);
            let blocked = if block && !down { pick(dice, &BLOCKS) } else { "" };
            for reason in BLOCKS {
                let labels = [("agent", *agent), ("reason", reason)];
                speech.add("agent_risk_blocked_total", &labels, if reason == blocked { 1.0 } else { 0.0 });
            }
            if !down {
                asked += 1;
                speech.observe("agent_decision_latency_ms", &labels, around(dice, usual));
            }
        }
        for _ in 0..asked {
            agreed += if !troubles.contains(&Trouble::NoApproval) && chance(dice, 800.0) { 1.0 } else { 0.0 };
        }
        speech.add("agent_consensus_approved_total", &[], agreed);
        let confidence = if unsure { 0.2 } else { between(dice, 0.75, 0.9) - 0.08 * hour.stress };
        speech.set("agent_consensus_confidence_avg", &[], confidence);
    }

    fn models(&mut self, speech: &mut Speech, hour: &Hour, troubles: &[Trouble]) {
        let dice = &mut self.dice;
        let unsure = troubles.contains(&Trouble::LowConfidence);
        for model in MODELS {
            let down = model == "gpt" && troubles.contains(&Trouble::AgentDown);
            let labels = [("agent", model)];
            speech.flag("ia_agent_status", &labels, !down);
            let confidence = if unsure { 0.2 } else { between(dice, 0.7, 0.95) - 0.1 * hour.stress };
            speech.set("ia_agent_confidence", &labels, confidence);
            let failed = down || chance(dice, 10.0);
            speech.add("ia_agent_errors_total", &labels, if failed { 1.0 } else { 0.0 });
            let decided = if failed { "" } else { pick(dice, &DECISIONS) };
            for decision in DECISIONS {
                let labels = [("agent", model), ("decision", decision)];
                speech.add("ia_agent_decisions_total", &labels, if decision == decided { 1.0 } else { 0.0 });
            }
            if !failed {
                speech.observe("ia_agent_decision_latency_seconds", &labels, around(dice, 0.8 + hour.stress));
            }
        }
    }

    fn arbitrage(&mut self, speech: &mut Speech, hour: &Hour) {
        let dice = &mut self.dice;
        let tries = chance(dice, 500.0 * hour.activity);
        for exchange in ARBITRAGE {
            let failed = tries && chance(dice, 60.0 + 100.0 * hour.stress);
            let labels = [("exchange", exchange)];
            let count = |is_so: bool| if is_so { 1.0 } else { 0.0 };
            speech.add("arb_legs_success_total", &labels, count(tries && !failed));
            speech.add("arb_legs_fail_total", &labels, count(failed));
            // The leg that was left over is hedged at the same exchange, nearly always.
            speech.add("arb_legs_hedge_total", &labels, count(failed && chance(dice, 900.0)));
        }
        for (pair, realized) in PAIRS.iter().zip(&mut self.arbitrage) {
            *realized += if tries { between(dice, -0.4, 1.2) } else { 0.0 };
            speech.set("arb_pnl_realized", &[("symbol", pair)], *realized);
            speech.set("arb_pnl_unrealized", &[("symbol", pair)], between(dice, -2.0, 2.0) * hour.activity);
        }
    }
}
