//! Microservices around an event bus: they serve, trade, check risks, and depend on stores. Of what they hold they tell what their
//! exchange tells.

use super::desk::Desk;
use super::hour::{Hour, Trouble, around, chance, pick};
use super::speech::Speech;
use crate::market::Dice;

const ENDPOINTS: [(&str, &str); 3] = [("GET", "/portfolio"), ("POST", "/orders"), ("GET", "/signals")];
const TOPICS: [&str; 3] = ["market.ticks", "signals", "orders"];
const SERVICES: [&str; 4] = ["gateway", "execution", "risk", "portfolio"];
const STORES: [&str; 3] = ["redis", "postgres", "exchange"];
const MODELS: [&str; 2] = ["lstm", "xgboost"];
const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// What the services remember.
#[derive(Debug)]
pub(super) struct Services {
    /// Orders that wait.
    lag: f64,
    symbols: Vec<String>,
    dice: Dice,
}

impl Services {
    pub(super) fn new(seed: u64) -> Self {
        Self { lag: 0.0, symbols: Vec::new(), dice: Dice(seed) }
    }

    pub(super) fn speak(&mut self, hour: &Hour, troubles: &[Trouble], desk: &Desk) -> Speech {
        let mut speech = Speech::of("services");
        self.http(&mut speech, hour);
        self.bus(&mut speech, hour, troubles);
        self.trading(&mut speech, hour, desk);
        self.safety(&mut speech, troubles);
        self.stores(&mut speech, hour);
        speech
    }

    fn http(&mut self, speech: &mut Speech, hour: &Hour) {
        let dice = &mut self.dice;
        for (method, endpoint) in ENDPOINTS {
            let requests = 1 + dice.below(1 + (8.0 * hour.activity) as u64);
            let mut failed = 0.0;
            for _ in 0..requests {
                let labels = [("method", method), ("endpoint", endpoint)];
                speech.observe("http_request_duration_seconds", &labels, around(dice, 0.02 + 0.05 * hour.stress));
                failed += if chance(dice, 4.0) { 1.0 } else { 0.0 };
            }
            for (status, count) in [("200", requests as f64 - failed), ("500", failed)] {
                let labels = [("method", method), ("endpoint", endpoint), ("status", status)];
                speech.add("http_requests_total", &labels, count);
            }
        }
        speech.set("http_requests_in_progress", &[], dice.below(1 + (6.0 * hour.activity) as u64) as f64);
    }

    fn bus(&mut self, speech: &mut Speech, hour: &Hour, troubles: &[Trouble]) {
        let dice = &mut self.dice;
        for topic in TOPICS {
            let labels = [("topic", topic)];
            let published = 5.0 + (40.0 * hour.activity).floor();
            let stuck = topic == "orders" && troubles.contains(&Trouble::QueueLag);
            let consumed = if stuck { 0.0 } else { published };
            speech.add("eventbus_messages_published_total", &labels, published);
            speech.add("eventbus_messages_consumed_total", &labels, consumed);
            speech.observe("eventbus_message_processing_duration_seconds", &labels, around(dice, 0.004));
            let usual = (12.0 * hour.stress * hour.activity).floor();
            let lag = if stuck { self.lag + 1000.0 } else { usual };
            speech.set("eventbus_queue_lag", &labels, lag);
            if topic == "orders" {
                self.lag = lag;
            }
        }
    }

    /// What was traded at the desk, and what is there.
    fn trading(&mut self, speech: &mut Speech, hour: &Hour, desk: &Desk) {
        let dice = &mut self.dice;
        let (filled, refused) = (f64::from(desk.done.filled), desk.done.errors.len() as f64);
        for side in ["buy", "sell"] {
            for (status, count) in [("filled", (filled / 2.0).floor()), ("rejected", (refused / 2.0).floor())] {
                let labels = [("symbol", "BTCUSDT"), ("side", side), ("status", status)];
                // The odd one was a purchase.
                let odd = if status == "filled" { filled % 2.0 } else { refused % 2.0 };
                speech.add("trades_executed_total", &labels, count + if side == "buy" { odd } else { 0.0 });
            }
        }
        for (_, took) in desk.done.calls.iter().filter(|(endpoint, _)| *endpoint == "order") {
            speech.observe("trade_execution_duration_seconds", &[], took.as_secs_f64());
        }
        let signal = pick(dice, &["long", "short", "flat"]);
        for (kind, model) in ["long", "short", "flat"].into_iter().flat_map(|kind| MODELS.map(|model| (kind, model))) {
            let came = kind == signal && chance(dice, 500.0 * hour.activity);
            let labels = [("type", kind), ("model", model)];
            speech.add("signals_generated_total", &labels, if came { 1.0 } else { 0.0 });
        }
        let mut about = Speech::of("services").about("exchange", desk.seat.venue.name());
        if let Some(account) = &desk.seat.account {
            about = about.about("account", account);
        }
        about.set("portfolio_value_usd", &[], desk.look.value);
        for (symbol, _) in &desk.look.positions {
            if !self.symbols.contains(symbol) {
                self.symbols.push(symbol.clone());
            }
        }
        for symbol in &self.symbols {
            let open = desk.look.positions.iter().filter(|(held, _)| held == symbol).count();
            about.set("positions_open", &[("symbol", symbol)], open as f64);
        }
        speech.events.append(&mut about.events);
    }

    fn safety(&mut self, speech: &mut Speech, troubles: &[Trouble]) {
        let dice = &mut self.dice;
        for kind in ["exposure", "drawdown", "order_size"] {
            let rejected = chance(dice, 15.0);
            for (result, is_so) in [("passed", !rejected), ("rejected", rejected)] {
                let labels = [("type", kind), ("result", result)];
                speech.add("risk_checks_total", &labels, if is_so { 1.0 } else { 0.0 });
            }
        }
        let stop = troubles.contains(&Trouble::EmergencyStop);
        speech.add("emergency_stop_triggered_total", &[], if stop { 1.0 } else { 0.0 });
        for severity in SEVERITIES {
            let violated = severity == "critical" && troubles.contains(&Trouble::PolicyViolation);
            speech.add("policy_violations_total", &[("severity", severity)], if violated { 1.0 } else { 0.0 });
        }
    }

    fn stores(&mut self, speech: &mut Speech, hour: &Hour) {
        let dice = &mut self.dice;
        for operation in ["get", "set", "publish"] {
            let labels = [("operation", operation), ("status", "ok")];
            speech.add("redis_operations_total", &labels, 10.0 + (90.0 * hour.activity).floor());
            speech.add("redis_operations_total", &[("operation", operation), ("status", "error")], 0.0);
            let labels = [("operation", operation)];
            speech.observe("redis_operation_duration_seconds", &labels, around(dice, 0.0008));
        }
        for operation in ["select", "insert"] {
            let labels = [("operation", operation), ("status", "ok")];
            speech.add("database_operations_total", &labels, 1.0 + (10.0 * hour.activity).floor());
            speech.add("database_operations_total", &[("operation", operation), ("status", "error")], 0.0);
        }
        SERVICES.iter().for_each(|service| speech.flag("service_health_status", &[("service", service)], true));
        STORES.iter().for_each(|store| speech.flag("dependency_health_status", &[("dependency", store)], true));
    }
}
