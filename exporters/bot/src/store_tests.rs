//! The store against a model that knows no tricks: it works on a copy, and throws that away where something is wrong.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::ids::REMEMBERED;
use crate::state::Saved;

const CATALOGUE: &str = r#"
[family.a_total]
type = "counter"
unit = "things"
help = "Things."
labels.kind = 3
optional.venue = 2
[family.b]
type = "gauge"
unit = "things"
help = "Things."
labels.kind = 2
labels.side = ["buy", "sell"]
[family.c_seconds]
type = "histogram"
unit = "seconds"
help = "Seconds."
buckets = [1, 2]
"#;
const BOUNDS: Bounds = Bounds { series: 13, ids: 6, stale_after: Duration::from_secs(300) };

fn catalogue() -> Arc<Catalogue> {
    Arc::new(Catalogue::of(&[("test.toml".to_owned(), CATALOGUE.to_owned())]).unwrap())
}

fn now(seconds: u64) -> Now {
    Now { running: Duration::from_secs(seconds), unix: 1_000_000 + seconds }
}

/// A change to family 0, 1 or 2 of the catalogue above.
fn change(family: usize, labels: &[&str], amount: f64) -> Change {
    let make = [Operation::Add, Operation::Set, Operation::Observe][family];
    Change { family, labels: labels.iter().map(|one| (*one).into()).collect(), operation: make(amount) }
}

fn staged(change: Change, id: Option<u8>) -> Staged {
    let claim = id.map(|id| {
        let text = format!("{change:?}");
        let content = text.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        Claim { key: [id; 16], content }
    });
    Staged { changes: vec![change], claim }
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    values: BTreeMap<(usize, Labels), (Vec<f64>, u64)>,
    ids: BTreeMap<[u8; 16], (u64, u64)>,
}

impl Model {
    fn weight(&self) -> usize {
        self.values.keys().map(|(family, _)| [1, 1, 5][*family]).sum()
    }

    fn expire(&mut self, now: u64) {
        self.values.retain(|(family, _), (_, spoken)| *family != 1 || now - *spoken < 300);
        self.ids.retain(|_, (at, _)| *at + REMEMBERED > now);
    }

    fn values_of(&self, family: usize, label: usize) -> usize {
        let of = self.values.keys().filter(|(at, _)| *at == family).map(|(_, labels)| labels[label].clone());
        of.filter(|value| !value.is_empty()).collect::<BTreeSet<_>>().len()
    }

    /// All or nothing, by copying.
    fn apply(&mut self, batch: &[Staged], now: u64) -> Option<Applied> {
        let mut copy = self.clone();
        let mut told = Applied::default();
        for staged in batch {
            if let Some(claim) = staged.claim {
                match copy.ids.get(&claim.key) {
                    Some((_, content)) if *content != claim.content => return None,
                    Some(_) => {
                        told.repeated += 1;
                        continue;
                    }
                    None => drop(copy.ids.insert(claim.key, (now, claim.content))),
                }
            }
            told.applied += 1;
            let change = &staged.changes[0];
            let (values, spoken) = copy.values.entry((change.family, change.labels.clone())).or_default();
            *spoken = now;
            match change.operation {
                Operation::Add(more) => *values = vec![values.first().unwrap_or(&0.0) + more],
                Operation::Set(value) => *values = vec![value],
                Operation::Observe(size) => values.push(size),
            }
        }
        let bounds = [(0, 1, 3), (0, 2, 2), (1, 1, 2)];
        let fits = copy.weight() <= BOUNDS.series.max(self.weight())
            && copy.ids.len() <= BOUNDS.ids
            && bounds.iter().all(|(family, label, most)| copy.values_of(*family, *label) <= *most);
        if fits {
            *self = copy;
        }
        fits.then_some(told)
    }

    /// As the store would have it: a histogram is counts and a sum.
    fn shown(&self) -> BTreeMap<(usize, Labels), Value> {
        let value = |((family, labels), (values, _)): (&(usize, Labels), &(Vec<f64>, u64))| {
            let value = if *family == 2 {
                let within =
                    |least: f64, most: f64| values.iter().filter(|v| **v > least && **v <= most).count() as u64;
                let counts = vec![within(f64::MIN, 1.0), within(1.0, 2.0), within(2.0, f64::MAX)];
                Value::Sizes { counts, sum: values.iter().fold(0.0, |sum, v| sum + v) }
            } else {
                Value::Number(values[0])
            };
            ((*family, labels.clone()), value)
        };
        self.values.iter().map(value).collect()
    }
}

fn shown(store: &Store) -> BTreeMap<(usize, Labels), Value> {
    let shelves = store.shelves.iter().enumerate();
    let each = shelves.flat_map(|(at, shelf)| shelf.series.iter().map(move |(labels, one)| ((at, labels), &one.value)));
    each.map(|((at, labels), value)| ((at, labels.clone()), value.clone())).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Post(Vec<Staged>),
    Wait(u64),
    Restart,
}

fn any_change() -> impl Strategy<Value = Change> {
    let kind = prop::sample::select(vec!["x", "y", "z", "w"]);
    let side = prop::sample::select(vec!["buy", "sell"]);
    let venue = prop::sample::select(vec!["", "u", "v", "w"]);
    let bot = prop::sample::select(vec!["", "alpha"]);
    (0_usize..3, bot, kind, side, venue, 0_i32..12).prop_map(|(family, bot, kind, side, venue, amount)| {
        let amount = f64::from(amount) / 4.0;
        match family {
            0 => change(0, &[bot, kind, venue], amount),
            1 => change(1, &[bot, kind, side], amount),
            _ => change(2, &[bot], amount),
        }
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let one = (any_change(), prop::option::of(0_u8..9)).prop_map(|(change, id)| staged(change, id));
    prop_oneof![
        6 => prop::collection::vec(one, 0..6).prop_map(Step::Post),
        2 => prop::sample::select(vec![1_u64, 100, 299, 300, 3599, 3600]).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Batches are all or nothing, ids count once, bounds hold, gauges leave, and a restart changes nothing but that gauges are gone.
    #[test]
    fn the_store_does_what_the_model_does(steps in prop::collection::vec(any_step(), 0..40)) {
        let (mut store, mut model, mut clock) = (Store::new(catalogue(), BOUNDS), Model::default(), 0);
        for step in steps {
            match step {
                Step::Post(batch) => {
                    store.expire(now(clock));
                    let before = shown(&store);
                    let told = store.apply(&batch, now(clock));
                    let expected = model.apply(&batch, clock);
                    prop_assert_eq!(told.as_ref().ok(), expected.as_ref(), "{:?} {:?}", batch, told);
                    if told.is_err() {
                        prop_assert_eq!(shown(&store), before, "nothing of a refused batch is applied");
                    } else {
                        // The same once more: what has an id changes nothing.
                        let named: Vec<Staged> = batch.iter().filter(|one| one.claim.is_some()).cloned().collect();
                        let before = shown(&store);
                        let again = store.apply(&named, now(clock)).unwrap();
                        prop_assert_eq!((again.applied, again.repeated), (0, named.len()));
                        prop_assert_eq!(shown(&store), before);
                    }
                }
                Step::Wait(seconds) => clock += seconds,
                Step::Restart => {
                    let saved = serde_json::to_vec(&Saved::of(&store, &Default::default())).unwrap();
                    let saved: Saved = serde_json::from_slice(&saved).unwrap();
                    store = Store::new(catalogue(), BOUNDS);
                    let (dormant, lost) = saved.restore(&mut store, now(clock).unix);
                    prop_assert!(dormant.names().is_empty() && lost.is_empty());
                    model.values.retain(|(family, _), _| *family != 1);
                }
            }
            store.expire(now(clock));
            model.expire(clock);
            prop_assert_eq!(shown(&store), model.shown());
            prop_assert_eq!(store.weight(), model.weight());
            prop_assert_eq!(store.ids.count(), model.ids.len());
        }
    }
}

#[test]
fn a_refusal_names_the_event_and_what_it_would_exceed() {
    let mut store = Store::new(catalogue(), BOUNDS);
    let batch: Vec<Staged> =
        ["x", "y", "z", "x", "w"].iter().map(|kind| staged(change(0, &["", kind, ""], 1.0), None)).collect();
    let (at, refusal) = store.apply(&batch, now(0)).unwrap_err();
    assert_eq!((at, refusal.reason), (4, Reason::Series));
    assert_eq!(refusal.to_string(), "labels.kind: would be one of more than 3 values of a_total");
    assert!(shown(&store).is_empty() && store.weight() == 0);
    let (at, refusal) = store
        .apply(
            &[staged(change(0, &["", "x", ""], 1.0), Some(1)), staged(change(0, &["", "x", ""], 2.0), Some(1))],
            now(0),
        )
        .unwrap_err();
    assert_eq!((at, refusal.reason), (1, Reason::Id));
}

#[test]
fn ids_beyond_the_bound_are_refused_and_none_is_forgotten() {
    let mut store = Store::new(catalogue(), BOUNDS);
    let post = |store: &mut Store, id, at| store.apply(&[staged(change(0, &["", "x", ""], 1.0), Some(id))], now(at));
    for id in 0..6 {
        post(&mut store, id, u64::from(id)).unwrap();
    }
    let (_, refusal) = post(&mut store, 6, 10).unwrap_err();
    assert_eq!((refusal.reason, refusal.retry), (Reason::Ids, Some(REMEMBERED - 10)));
    assert_eq!(post(&mut store, 0, 10).unwrap().repeated, 1, "the first is still known");
    assert_eq!(post(&mut store, 6, REMEMBERED).unwrap().applied, 1, "there is room once it is an hour old");
}

#[test]
fn a_label_value_that_left_makes_room_for_another() {
    let mut store = Store::new(catalogue(), BOUNDS);
    let post =
        |store: &mut Store, kind: &str, at| store.apply(&[staged(change(1, &["", kind, "buy"], 1.0), None)], now(at));
    post(&mut store, "x", 0).unwrap();
    post(&mut store, "y", 200).unwrap();
    assert!(post(&mut store, "z", 299).is_err());
    assert!(post(&mut store, "z", 300).is_ok(), "x was not set for five minutes");
    assert_eq!(store.expired(), 1);
}

#[test]
fn an_hour_of_minutes_is_kept_and_no_more() {
    let mut store = Store::new(catalogue(), BOUNDS);
    for minute in 0..200 {
        store.apply(&[staged(change(0, &["", "x", ""], 1.0), None)], now(minute * 60)).unwrap();
        store.sample(minute);
    }
    let series = store.shelves[0].series.values().next().unwrap();
    assert_eq!(series.past.len(), MINUTES);
    assert_eq!((series.past.front(), series.past.back()), (Some(&(140, 141.0)), Some(&(199, 200.0))));
}
