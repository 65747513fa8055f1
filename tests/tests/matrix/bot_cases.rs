//! What goes wrong with bots and their gateway: a bot a lane, and all lanes at once.

use fake_venues::{Fixed, Venue};

use crate::bots::{Bots, Labels, SCRAPED, TRADER};
use crate::play::{Case, Place};
use crate::stage::Stage;

const SLOT: Labels = &[("slot", "s1"), ("exchange", "binance"), ("strategy", "grid")];
const OTHER_SLOT: Labels = &[("slot", "s2"), ("exchange", "binance"), ("strategy", "trend")];
const TRANSFER: Labels = &[("from_slot", "s1"), ("to_slot", "s2")];
const BUY: Labels = &[("agent", "a1"), ("decision", "buy")];
const BLOCKED: Labels = &[("agent", "a1"), ("reason", "size")];
const LATE: Labels = &[("agent", "a1"), ("reason", "slow")];
const HIGH: Labels = &[("severity", "high")];
const LOSS: Labels = &[("reason", "daily_loss")];
const COINBASE: Labels = &[("exchange", "coinbase"), ("account", "main")];
const FAILURES: &str = "trader_api_errors_total";
const BREAKER: &str = "trader_circuit_breaker_trips_total";

const fn alerts(
    fault: &'static str,
    place: Place,
    fires: &'static [&'static str],
    inflict: fn(&Stage),
    recover: fn(&Stage),
) -> Case {
    Case { fault, place, inflict, recover, fires, may: &[], kept: &[], shows: None }
}

/// What every bot says while nothing is wrong with it. Counters that a case looks at over a long time are there from the start.
pub fn all_is_well(bots: &Bots) {
    let set = |bot, metric, labels, value| bots.always(bot, metric, labels, "set", value);
    set("slots", "bot_slots_active", &[], 2.0);
    for slot in [SLOT, OTHER_SLOT] {
        set("slots", "bot_slot_status", slot, 1.0);
        set("slots", "bot_slot_drawdown_pct", slot, 3.0);
    }
    bots.always("slots", "bot_cascade_transfers_total", TRANSFER, "add", 0.2);
    set("agents", "agent_running", &[("agent", "a1")], 1.0);
    set("agents", "agent_running", &[("agent", "a2")], 1.0);
    set("agents", "ia_agent_status", &[("agent", "ai")], 1.0);
    set("agents", "agent_consensus_confidence_avg", &[], 0.9);
    bots.add("agents", "agent_decisions_total", BUY, 0.0);
    bots.add("agents", "agent_consensus_approved_total", &[], 0.0);
    bots.always("core", "agent_decision_latency_ms", &[("agent", "a1")], "observe", 40.0);
    bots.always("tasks", "task_success_total", &[("stage", "run")], "add", 1.0);
    set("tasks", "eventbus_queue_lag", &[("topic", "orders")], 3.0);
    set("pilot", "trader_exposure_pct", &[], 50.0);
    set("pilot", "trader_max_drawdown_pct", &[], 4.0);
    set("pilot", "trader_data_staleness_seconds", &[], 1.0);
    set("stopper", "bot_slot_status", SLOT, 1.0);
    set("mute", "agent_running", &[("agent", "a1")], 1.0);
    set(TRADER, "trader_open_positions", COINBASE, 0.0);
    bots.show("trader_exposure_pct", 50.0);
    bots.show("agent_running{agent=\"a1\"}", 1.0);
}

/// A bot a lane; then the gateway goes, and all that post with it.
pub fn bots() -> Vec<Vec<Vec<Case>>> {
    let lanes = vec![slots(), agents(), core(), tasks(), pilot(), stopper(), mute(), trader(), scraped(), gateway()];
    vec![
        lanes,
        vec![vec![alerts(
            "The gateway is stopped",
            Place::All,
            &["BotSilent", "PrometheusTargetDown"],
            Stage::stop_gateway,
            Stage::start_gateway,
        )]],
    ]
}

fn slots() -> Vec<Case> {
    const B: Place = Place::Bot("slots");
    vec![
        alerts(
            "A slot stops trading, another one loses",
            B,
            &["BotSlotInactive", "BotSlotDrawdownHigh"],
            |stage| {
                stage.bots.always("slots", "bot_slot_status", SLOT, "set", 0.0);
                stage.bots.always("slots", "bot_slot_drawdown_pct", OTHER_SLOT, "set", 22.0);
            },
            |stage| {
                stage.bots.always("slots", "bot_slot_status", SLOT, "set", 1.0);
                stage.bots.always("slots", "bot_slot_drawdown_pct", OTHER_SLOT, "set", 3.0);
            },
        ),
        alerts(
            "A cascade moves money all the time",
            B,
            &["BotCascadeTooFrequent"],
            |stage| stage.bots.add("slots", "bot_cascade_transfers_total", TRANSFER, 20.0),
            |_| (),
        ),
        alerts(
            "A cascade moves nothing any more",
            B,
            &["BotCascadeStalled"],
            |stage| stage.bots.never("slots", "bot_cascade_transfers_total", TRANSFER),
            |stage| stage.bots.always("slots", "bot_cascade_transfers_total", TRANSFER, "add", 0.2),
        ),
    ]
}

fn agents() -> Vec<Case> {
    vec![alerts(
        "An agent is gone, the others are unsure, agree on nothing, and are blocked",
        Place::Bot("agents"),
        &["BotAgentDown", "BotConfidenceLow", "BotApprovalRateLow", "BotRiskBlocksHigh"],
        |stage| {
            stage.bots.never("agents", "agent_running", &[("agent", "a2")]);
            stage.bots.always("agents", "agent_consensus_confidence_avg", &[], "set", 0.2);
            stage.bots.add("agents", "agent_decisions_total", BUY, 40.0);
            stage.bots.add("agents", "agent_risk_blocked_total", BLOCKED, 15.0);
        },
        |stage| {
            stage.bots.always("agents", "agent_running", &[("agent", "a2")], "set", 1.0);
            stage.bots.always("agents", "agent_consensus_confidence_avg", &[], "set", 0.9);
            stage.bots.add("agents", "agent_consensus_approved_total", &[], 20.0);
        },
    )]
}

fn core() -> Vec<Case> {
    const B: Place = Place::Bot("core");
    fn takes(stage: &Stage, millis: f64) {
        stage.bots.always("core", "agent_decision_latency_ms", &[("agent", "a1")], "observe", millis);
    }
    vec![
        alerts(
            "Decisions take 400 ms",
            B,
            &["BotCoreLatencyHigh"],
            |stage| takes(stage, 400.0),
            |stage| takes(stage, 40.0),
        ),
        alerts(
            "Decisions take 900 ms",
            B,
            &["BotCoreLatencyCritical"],
            |stage| takes(stage, 900.0),
            |stage| takes(stage, 40.0),
        )
        .keeps(&["BotCoreLatencyHigh"]),
    ]
}

fn tasks() -> Vec<Case> {
    vec![alerts(
        "Agents do not answer in time, tasks fail and are given up, messages wait",
        Place::Bot("tasks"),
        &["BotTaskTimeoutsHigh", "BotTaskFallbackExceeded", "BotTaskFailureRatioHigh", "BotQueueLagHigh"],
        |stage| {
            stage.bots.add("tasks", "timeout_events_total", LATE, 12.0);
            stage.bots.add("tasks", "fallback_depth_exceeded_total", &[], 1.0);
            stage.bots.add("tasks", "task_failure_total", &[("reason", "oom")], 20.0);
            stage.bots.always("tasks", "eventbus_queue_lag", &[("topic", "orders")], "set", 5_000.0);
        },
        |stage| stage.bots.always("tasks", "eventbus_queue_lag", &[("topic", "orders")], "set", 3.0),
    )]
}

fn pilot() -> Vec<Case> {
    fn says(stage: &Stage, exposure: f64, drawdown: f64, age: f64) {
        stage.bots.always("pilot", "trader_exposure_pct", &[], "set", exposure);
        stage.bots.always("pilot", "trader_max_drawdown_pct", &[], "set", drawdown);
        stage.bots.always("pilot", "trader_data_staleness_seconds", &[], "set", age);
    }
    vec![alerts(
        "A trader is invested too far, has lost, trades on old data, fails, and trips its breaker",
        Place::Bot("pilot"),
        &[
            "TraderExposureHigh",
            "TraderDrawdownHigh",
            "TraderDataStale",
            "TraderApiErrorsHigh",
            "TraderCircuitBreakerTripped",
        ],
        |stage| {
            says(stage, 96.0, 21.0, 400.0);
            stage.bots.add("pilot", FAILURES, &[("endpoint", "orders")], 8.0);
            stage.bots.add("pilot", BREAKER, LOSS, 1.0);
        },
        |stage| says(stage, 50.0, 4.0, 1.0),
    )]
}

fn stopper() -> Vec<Case> {
    vec![
        alerts(
            "A bot breaks its policy, stops itself, and its slot with it",
            Place::Bot("stopper"),
            &["BotEmergencyStop", "BotPolicyViolation"],
            |stage| {
                stage.bots.add("stopper", "policy_violations_total", HIGH, 1.0);
                stage.bots.add("stopper", "emergency_stop_triggered_total", &[], 1.0);
                stage.bots.always("stopper", "bot_slot_status", SLOT, "set", 0.0);
            },
            |stage| stage.bots.always("stopper", "bot_slot_status", SLOT, "set", 1.0),
        )
        .keeps(&["BotSlotInactive"]),
    ]
}

fn mute() -> Vec<Case> {
    vec![alerts(
        "A bot says nothing any more",
        Place::Bot("mute"),
        &["BotSilent"],
        |stage| stage.bots.mute("mute", true),
        |stage| stage.bots.mute("mute", false),
    )]
}

fn trader() -> Vec<Case> {
    const B: Place = Place::Bot(TRADER);
    vec![
        alerts(
            "A bot claims half as much again as its account holds, and positions that are not there",
            B,
            &["BotDisagreesWithExchange"],
            |stage| {
                stage.bots.believe(Some(1.5));
                stage.bots.always(TRADER, "trader_open_positions", COINBASE, "set", 3.0);
            },
            |stage| {
                stage.bots.believe(Some(1.0));
                stage.bots.always(TRADER, "trader_open_positions", COINBASE, "set", 0.0);
            },
        ),
        alerts(
            "Money comes to the account, and its bot does not notice",
            B,
            &["BotDisagreesWithExchange"],
            |stage| {
                stage.bots.believe(None);
                let fake = stage.fake(Venue::Coinbase);
                let held = fake.books().wallets["spot"]["BTC"].free;
                fake.deposit("spot", "BTC", held.times("0.05".parse::<Fixed>().unwrap()));
            },
            |stage| stage.bots.believe(Some(1.0)),
        ),
    ]
}

fn scraped() -> Vec<Case> {
    const B: Place = Place::Bot(SCRAPED);
    vec![
        alerts(
            "A bot that is scraped itself is invested too far, and stops itself",
            B,
            &["TraderExposureHigh", "BotEmergencyStop"],
            |stage| {
                stage.bots.show("trader_exposure_pct", 97.0);
                stage.bots.show("emergency_stop_triggered_total", 1.0);
            },
            |stage| stage.bots.show("trader_exposure_pct", 50.0),
        ),
        alerts(
            "A bot that is scraped itself does not answer",
            B,
            &["BotSilent"],
            |stage| stage.bots.mute(SCRAPED, true),
            |stage| stage.bots.mute(SCRAPED, false),
        )
        .keeps(&["PrometheusTargetDown"]),
    ]
}

fn gateway() -> Vec<Case> {
    vec![
        alerts(
            "A bot posts what the catalogue does not declare, and the state file cannot be written",
            Place::Gateway,
            &["BotEventsRefused", "BotGatewayStateUnwritten"],
            |stage| {
                (0..5).for_each(|_| stage.bots.nonsense());
                stage.bar_state_file(true);
            },
            |stage| stage.bar_state_file(false),
        ),
        alerts(
            "The file of the bots' tokens is empty",
            Place::Gateway,
            &["BotGatewayConfigBroken"],
            |stage| stage.write_token(""),
            |stage| stage.write_token(crate::bots::TOKEN),
        ),
    ]
}
