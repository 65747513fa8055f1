//! A runner of tasks that are split and spread over agents. What happens to chunks and containers it tells by the webhooks.

use serde_json::json;

use super::hour::{Hour, Trouble, around, between, chance};
use super::speech::Speech;
use crate::market::Dice;

const AGENTS: [&str; 3] = ["worker_1", "worker_2", "worker_3"];
const STAGES: [&str; 3] = ["plan", "execute", "merge"];
const MIB: f64 = 1_048_576.0;

/// What the runner remembers.
#[derive(Debug)]
pub(super) struct Tasks {
    task: u64,
    cores: [f64; AGENTS.len()],
    dice: Dice,
}

impl Tasks {
    pub(super) fn new(seed: u64) -> Self {
        Self { task: 0, cores: [500.0; AGENTS.len()], dice: Dice(seed) }
    }

    pub(super) fn speak(&mut self, hour: &Hour, troubles: &[Trouble]) -> Speech {
        let mut speech = Speech::of("tasks");
        let dice = &mut self.dice;
        let first = self.task == 0;
        self.task += 1;
        let task = format!("task-{}", self.task);
        let chunks = 2 + dice.below(4);
        speech.hook("task_split", json!({"chunks": chunks, "task_id": task}));
        let late = troubles.contains(&Trouble::Timeouts);
        for chunk in 0..chunks {
            let agent = AGENTS[chunk as usize % AGENTS.len()];
            let seconds = around(dice, 1.5 + 2.0 * hour.stress);
            speech.hook("chunk_executed", json!({"agent": agent, "seconds": seconds, "task_id": task}));
        }
        for agent in AGENTS {
            let beyond = i32::from(agent == AGENTS[0] && troubles.contains(&Trouble::Fallback));
            if late || first || beyond > 0 || chance(dice, 8.0) {
                let timeout = json!({"agent": agent, "reason": "no_answer", "fallback_depth_exceeded": beyond});
                speech.hook("timeout", timeout);
            }
            let active = (1.0 + 5.0 * hour.activity * between(dice, 0.3, 1.0)).floor();
            speech.set("agent_active_tasks", &[("agent", agent)], active);
        }
        self.containers(&mut speech, hour);
        self.stages(&mut speech, hour, troubles, chunks);
        speech
    }

    /// Containers are given more when there is more to do. A limit leaves the metrics when nobody repeats it.
    fn containers(&mut self, speech: &mut Speech, hour: &Hour) {
        for (agent, cores) in AGENTS.iter().zip(&mut self.cores) {
            let wanted = if hour.activity > 0.6 { 1500.0 } else { 500.0 };
            let memory = 512.0 * MIB * if hour.activity > 0.6 { 2.0 } else { 1.0 };
            if (wanted - *cores).abs() > 1.0 || self.task == 1 {
                *cores = wanted;
                let limits = json!({"container": agent, "cpu_millicores": wanted, "memory_bytes": memory});
                speech.hook("docker_allocated", limits);
            }
            speech.set("docker_container_cpu_limit", &[("container", agent)], *cores);
            speech.set("docker_container_memory_limit_bytes", &[("container", agent)], memory);
        }
    }

    fn stages(&mut self, speech: &mut Speech, hour: &Hour, troubles: &[Trouble], chunks: u64) {
        let dice = &mut self.dice;
        let failing = troubles.contains(&Trouble::TaskFailures);
        let failed = failing && chance(dice, 700.0) || chance(dice, 10.0);
        speech.add("task_failure_total", &[("reason", "agent_error")], if failed { 1.0 } else { 0.0 });
        speech.add("task_failure_total", &[("reason", "merge_conflict")], 0.0);
        for stage in STAGES {
            // What failed got as far as being executed.
            let got_through = !failed || stage == STAGES[0];
            speech.add("task_success_total", &[("stage", stage)], if got_through { 1.0 } else { 0.0 });
            let usual = if stage == "execute" { 6.0 + 6.0 * hour.stress } else { 0.6 };
            speech.observe("task_execution_seconds", &[("stage", stage)], around(dice, usual));
        }
        let doubles = dice.below(2);
        speech.add("merge_deduplication_total", &[], doubles as f64);
        speech.add("merge_chunks_combined_total", &[], (chunks - doubles) as f64);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;
    use crate::stack::repository;

    #[test]
    fn every_webhook_of_the_catalogue_is_used_from_the_first_cycle_on() {
        let catalogue = fs::read_to_string(repository().join("exporters/bot/catalogue/tasks.toml")).unwrap();
        let declared: BTreeSet<&str> = catalogue
            .lines()
            .filter_map(|line| line.strip_prefix("[webhook.")?.strip_suffix(']'))
            .filter(|name| !name.contains('.'))
            .collect();
        let said = Tasks::new(7).speak(&Hour::at(600.0), &[]);
        let used: BTreeSet<&str> = said.hooks.iter().map(|(name, _)| *name).collect();
        assert!(!declared.is_empty() && used == declared, "{used:?}, {declared:?}");
    }
}
