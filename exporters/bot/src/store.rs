//! The series that bots made: changes are applied as a batch, all or none. Time is an argument.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use common::metrics::encode::block;

use crate::catalogue::{Catalogue, Change, Family, Kind, Values};
use crate::event::Operation;
use crate::ids::{Claim, Ids, Known};
use crate::refusal::{Reason, Refusal};

/// Minutes of the past that are kept of each series.
pub const MINUTES: usize = 60;

/// Between two looks for gauges that have to leave.
const EXPIRY: Duration = Duration::from_secs(1);

/// Values of a family's labels, in its order.
pub type Labels = Box<[Box<str>]>;

/// What a series says.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A counter or a gauge.
    Number(f64),
    /// A histogram.
    Sizes {
        /// How many fell into each bucket and none before it; the last is beyond all bounds.
        counts: Vec<u64>,
        /// Of all that was observed.
        sum: f64,
    },
}

impl Value {
    /// Of a series that was never spoken of.
    fn new(family: &Family) -> Self {
        match family.kind {
            Kind::Counter | Kind::Gauge => Value::Number(0.0),
            Kind::Histogram => Value::Sizes { counts: vec![0; family.buckets.len() + 1], sum: 0.0 },
        }
    }

    /// A number that says most: a histogram's count.
    pub fn figure(&self) -> f64 {
        match self {
            Value::Number(value) => *value,
            Value::Sizes { counts, .. } => counts.iter().sum::<u64>() as f64,
        }
    }

    fn apply(&mut self, family: &Family, operation: Operation) {
        match (self, operation) {
            (Value::Number(value), Operation::Add(more)) => *value += more,
            (Value::Number(value), Operation::Set(now)) => *value = now,
            (Value::Sizes { counts, sum }, Operation::Observe(size)) => {
                let bucket = family.buckets.partition_point(|edge| *edge < size);
                if let Some(count) = counts.get_mut(bucket) {
                    *count += 1;
                    *sum += size;
                }
            }
            // The catalogue lets none of these through.
            (Value::Number(_), Operation::Observe(_)) | (Value::Sizes { .. }, _) => {}
        }
    }
}

/// One series.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its labels, rendered once.
    pub block: String,
    /// What it says.
    pub value: Value,
    /// When it was last spoken of, on the store's clock.
    pub spoken: Duration,
    /// Figures of the last hour, each with its minute of the Unix epoch.
    pub past: VecDeque<(u64, f64)>,
}

/// The series of one family.
#[derive(Debug, Default)]
pub struct Shelf {
    /// By their labels.
    pub series: BTreeMap<Labels, Series>,
    /// Of each label, how many series have each value.
    values: Vec<HashMap<Box<str>, usize>>,
}

/// A change, and the id that it came with.
#[derive(Clone, Debug)]
pub struct Staged {
    /// What to do: a webhook's object may be several changes under one id.
    pub changes: Vec<Change>,
    /// What makes a repetition harmless.
    pub claim: Option<Claim>,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Changes that were made.
    pub applied: usize,
    /// Those that had been made before, under the same id.
    pub repeated: usize,
}

/// Now, by two clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Since the start; never set back. Series expire by it.
    pub running: Duration,
    /// Seconds of the Unix epoch. Ids expire by it, since they outlive a restart.
    pub unix: u64,
}

/// How much there may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Series, as Prometheus counts them: a histogram has one a bucket, and three more.
    pub series: usize,
    /// Ids within an hour.
    pub ids: usize,
    /// A gauge that is not set again for so long leaves.
    pub stale_after: Duration,
}

/// All series, and the ids of the last hour.
#[derive(Debug)]
pub struct Store {
    /// What may be said.
    pub catalogue: Arc<Catalogue>,
    /// In the catalogue's order.
    pub shelves: Vec<Shelf>,
    /// What was applied already.
    pub ids: Ids,
    bounds: Bounds,
    weight: usize,
    expired: u64,
    looked: Duration,
}

/// What a batch would add, until it is known that all of it may be.
#[derive(Default)]
struct Plan<'c> {
    series: HashSet<(usize, &'c Labels)>,
    values: HashMap<(usize, usize), BTreeSet<&'c str>>,
    weight: usize,
    claims: HashMap<crate::ids::Key, u64>,
}

impl Store {
    /// Without series.
    pub fn new(catalogue: Arc<Catalogue>, bounds: Bounds) -> Self {
        let shelf = |family: &Family| Shelf {
            series: BTreeMap::new(),
            values: family.labels.iter().map(|_| HashMap::new()).collect(),
        };
        let shelves = catalogue.families.iter().map(shelf).collect();
        Self { catalogue, shelves, ids: Ids::new(bounds.ids), bounds, weight: 0, expired: 0, looked: Duration::ZERO }
    }

    /// Applies all, or nothing: then the place in the batch, and why. What was applied under its id already counts as applied.
    pub fn apply(&mut self, batch: &[Staged], now: Now) -> Result<Applied, (usize, Refusal)> {
        // What has left makes room first. Looking for it takes a while, so that it is not done for every batch.
        if now.running.saturating_sub(self.looked) >= EXPIRY {
            self.expire(now);
        }
        let mut plan = Plan::default();
        let mut fresh = Vec::with_capacity(batch.len());
        for (at, staged) in batch.iter().enumerate() {
            let new = self.is_new(staged, &mut plan).map_err(|refusal| (at, refusal))?;
            if new {
                staged.changes.iter().try_for_each(|change| self.plan(change, &mut plan)).map_err(|why| (at, why))?;
            }
            fresh.push(new);
        }
        if let Err(wait) = self.ids.room(plan.claims.len(), now.unix) {
            let why = format!("{} ids came within an hour; --events.max-ids bounds them", self.ids.count());
            return Err((0, Refusal { retry: Some(wait), ..Refusal::at(Reason::Ids, "id", why) }));
        }
        let mut told = Applied::default();
        for (staged, new) in batch.iter().zip(fresh) {
            if !new {
                told.repeated += staged.changes.len();
                continue;
            }
            told.applied += staged.changes.len();
            staged.changes.iter().for_each(|change| self.make(change, now));
            if let Some(claim) = staged.claim {
                self.ids.remember(claim, now.unix);
            }
        }
        Ok(told)
    }

    /// Whether this was not applied yet, here or earlier in the batch.
    fn is_new(&self, staged: &Staged, plan: &mut Plan<'_>) -> Result<bool, Refusal> {
        let Some(claim) = staged.claim else { return Ok(true) };
        let known = match plan.claims.get(&claim.key) {
            Some(content) if *content == claim.content => Known::Same,
            Some(_) => Known::Other,
            None => self.ids.look(claim),
        };
        match known {
            Known::Same => Ok(false),
            Known::Other => Err(Refusal::at(Reason::Id, "id", "came within the hour already, with another event")),
            Known::New => {
                plan.claims.insert(claim.key, claim.content);
                Ok(true)
            }
        }
    }

    /// Adds what a change needs to the plan, if there is room for it.
    fn plan<'c>(&self, change: &'c Change, plan: &mut Plan<'c>) -> Result<(), Refusal> {
        let (Some(family), Some(shelf)) = (self.catalogue.families.get(change.family), self.shelves.get(change.family))
        else {
            return Err(Refusal::at(Reason::Unknown, "metric", "is not in the catalogue"));
        };
        if shelf.series.contains_key(&change.labels) || !plan.series.insert((change.family, &change.labels)) {
            return Ok(());
        }
        plan.weight += family.weight();
        if self.weight + plan.weight > self.bounds.series {
            let why = format!("a new series of {} would be one of more than {}", family.name, self.bounds.series);
            return Err(Refusal::at(Reason::Series, "labels", format!("{why}, the limit of --events.max-series")));
        }
        for (at, label) in family.labels.iter().enumerate() {
            let (Values::AtMost(most), Some(value), Some(known)) =
                (&label.values, change.labels.get(at), shelf.values.get(at))
            else {
                continue;
            };
            // What was left out is no value.
            if value.is_empty() || known.contains_key(value) {
                continue;
            }
            let new = plan.values.entry((change.family, at)).or_default();
            new.insert(value);
            if known.len() + new.len() > *most {
                let why = format!("would be one of more than {most} values of {}", family.name);
                return Err(Refusal::at(Reason::Series, format!("labels.{}", label.name), why));
            }
        }
        Ok(())
    }

    fn make(&mut self, change: &Change, now: Now) {
        if let Some(family) = self.catalogue.clone().families.get(change.family)
            && let Some(series) = self.series(change.family, &change.labels, now.running)
        {
            series.value.apply(family, change.operation);
            series.spoken = now.running;
        }
    }

    /// The series of these labels; a new one where there is none.
    pub fn series(&mut self, family: usize, labels: &Labels, now: Duration) -> Option<&mut Series> {
        let catalogue = Arc::clone(&self.catalogue);
        let (declared, shelf) = (catalogue.families.get(family)?, self.shelves.get_mut(family)?);
        if !shelf.series.contains_key(labels) {
            self.weight += declared.weight();
            for (values, value) in shelf.values.iter_mut().zip(labels).filter(|(_, value)| !value.is_empty()) {
                *values.entry(value.clone()).or_default() += 1;
            }
            let named =
                declared.labels.iter().map(|label| label.name.as_str()).zip(labels.iter().map(|value| &**value));
            let block = block(named.filter(|(_, value)| !value.is_empty()));
            let (value, past) = (Value::new(declared), VecDeque::new());
            shelf.series.insert(labels.clone(), Series { block, value, spoken: now, past });
        }
        shelf.series.get_mut(labels)
    }

    /// Lets go of ids of more than an hour ago, and of gauges that nobody sets any more.
    pub fn expire(&mut self, now: Now) {
        self.looked = now.running;
        self.ids.expire(now.unix);
        for (family, shelf) in self.catalogue.families.iter().zip(&mut self.shelves) {
            if family.kind != Kind::Gauge {
                continue;
            }
            let stays = |series: &Series| now.running.saturating_sub(series.spoken) < self.bounds.stale_after;
            let gone: Vec<Labels> =
                shelf.series.iter().filter(|(_, one)| !stays(one)).map(|(labels, _)| labels.clone()).collect();
            for labels in gone {
                shelf.remove(&labels);
                self.weight -= family.weight();
                self.expired += 1;
            }
        }
    }

    /// Notes every series' figure for this minute of the Unix epoch.
    pub fn sample(&mut self, minute: u64) {
        for series in self.shelves.iter_mut().flat_map(|shelf| shelf.series.values_mut()) {
            series.past.push_back((minute, series.value.figure()));
            while series.past.front().is_some_and(|(at, _)| at + (MINUTES as u64) <= minute) {
                series.past.pop_front();
            }
        }
    }

    /// How many series there are, as Prometheus counts them.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// How many there may be.
    pub fn most(&self) -> usize {
        self.bounds.series
    }

    /// How many gauges left so far.
    pub fn expired(&self) -> u64 {
        self.expired
    }

    /// Families with what they have, in the order of their names.
    pub fn families(&self) -> impl Iterator<Item = (&Family, &Shelf)> {
        self.catalogue.families.iter().zip(&self.shelves)
    }
}

impl Shelf {
    fn remove(&mut self, labels: &Labels) {
        self.series.remove(labels);
        for (values, value) in self.values.iter_mut().zip(labels) {
            if let Some(count) = values.get_mut(value) {
                *count -= 1;
                if *count == 0 {
                    values.remove(value);
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
