//! The day: what happens in each of its cycles, at the venues and at the gateway.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::Post;
use super::desk::{Desk, Seat};
use super::hour::{BEGIN, DAY, Hour, Trouble};
use super::services::Services;
use super::slots::Slots;
use super::speech::Speech;
use super::tasks::Tasks;
use super::trader::Trader;

/// Of what waits to be posted again, the oldest beyond so many are given up.
const MOST_WAITING: usize = 5000;

/// What a day needs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Everything that is left to chance follows from it.
    pub seed: u64,
    /// Cycles from midnight to midnight.
    pub cycles: u32,
    /// Where bots post.
    pub gateway: Post,
    /// The accounts that are traded on, at fake venues; all of the suite's, for the figures over all to be true.
    pub seats: Vec<Seat>,
    /// The place among them of the account that `trader` and the services tell of.
    pub main: usize,
}

/// A trading day in minutes, and another one after it.
///
/// Five bots speak: `maveretta` of slots and agents, `tasks` of distributed tasks, by the webhooks too, `services` of microservices,
/// `trader` of its account at one exchange, and `treasurer` of all accounts together.
#[derive(Debug)]
pub struct Day {
    plan: Plan,
    run: u64,
    cycle: u64,
    took: Duration,
    troubles: Vec<Trouble>,
    desks: Vec<Desk>,
    slots: Slots,
    tasks: Tasks,
    services: Services,
    trader: Trader,
    treasurer: Trader,
    waiting: VecDeque<Value>,
}

impl Day {
    /// Before its first cycle.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let seed = plan.seed;
        Self {
            // No id of an earlier run is used again.
            run: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64),
            cycle: 0,
            took: Duration::ZERO,
            troubles: Vec::new(),
            desks: plan.seats.iter().map(|seat| Desk::new(seat.clone(), seed)).collect(),
            slots: Slots::new(seed ^ 1),
            tasks: Tasks::new(seed ^ 2),
            services: Services::new(seed ^ 3),
            trader: Trader::new("trader", seed ^ 4),
            treasurer: Trader::new("treasurer", seed ^ 5),
            waiting: VecDeque::new(),
            plan,
        }
    }

    /// From the next cycle on this goes wrong, and nothing else.
    pub fn set_troubles(&mut self, troubles: &[Trouble]) {
        self.troubles = troubles.to_vec();
    }

    /// One cycle: the desks trade, and all bots tell of it.
    ///
    /// # Errors
    /// A venue or the gateway does not answer, or the gateway refuses. What can be repeated is posted again in the next cycle.
    pub async fn cycle(&mut self) -> io::Result<()> {
        let began = Instant::now();
        let minutes = DAY / f64::from(self.plan.cycles.max(1));
        let hour = Hour::at((BEGIN + self.cycle as f64 * minutes) % DAY);
        self.cycle += 1;
        for desk in &mut self.desks {
            desk.trade(&hour, &self.troubles).await?;
        }
        let speeches = self.speeches(&hour).ok_or_else(|| io::Error::other("there is no account to trade on"))?;
        let told = if self.troubles.contains(&Trouble::Silence) { Ok(()) } else { self.tell(speeches).await };
        self.took = began.elapsed();
        told
    }

    fn speeches(&mut self, hour: &Hour) -> Option<[Speech; 5]> {
        let (troubles, took) = (&self.troubles, self.took);
        let id = |bot: &str| (format!("{bot}-{}-{}", self.run, self.cycle), took);
        let main = self.desks.get(self.plan.main)?;
        let all: Vec<&Desk> = self.desks.iter().collect();
        Some([
            self.trader.speak(&[main], id("trader"), troubles),
            self.treasurer.speak(&all, id("treasurer"), troubles),
            self.slots.speak(hour, troubles),
            self.tasks.speak(hour, troubles),
            self.services.speak(hour, troubles, main),
        ])
    }

    /// What the traders say may be said twice, and is, until it is answered. The others' is lost where nobody answers.
    async fn tell(&mut self, speeches: [Speech; 5]) -> io::Result<()> {
        let [trader, treasurer, others @ ..] = speeches;
        self.waiting.extend(trader.events.into_iter().chain(treasurer.events));
        while self.waiting.len() > MOST_WAITING {
            self.waiting.pop_front();
        }
        let batch = Value::from(self.waiting.iter().cloned().collect::<Vec<_>>());
        let gateway = &self.plan.gateway;
        match gateway.events(&batch).await {
            Ok(()) => self.waiting.clear(),
            // It would be refused again.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                self.waiting.clear();
                return Err(error);
            }
            Err(error) => return Err(error),
        }
        for speech in others {
            gateway.events(&speech.events.into()).await?;
            for (name, object) in speech.hooks {
                gateway.hook(name, &object).await?;
            }
        }
        Ok(())
    }
}
