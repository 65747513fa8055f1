//! An account that lives, and a book that hears of it late, twice, out of order, or not at all.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::account::{Fill, Role, Side, Size, Status};

const WALLET: &str = "spot";
const SECTIONS: [(&str, Topic); 2] = [("balances?", Topic::Wallet(WALLET)), ("orders?", Topic::Orders)];
/// Between two things that happen.
const STEP: i64 = 10_000;

/// Something that the account does.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Set(u8, i64),
    Place(u8),
    Fill(u8),
    Cancel(u8),
}

/// What becomes of the event that tells of it.
#[derive(Clone, Copy, Debug)]
struct Fate {
    /// Steps that it takes.
    delay: u8,
    twice: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Truth {
    balances: BTreeMap<String, Decimal>,
    orders: BTreeSet<String>,
    fills: u64,
    /// Placed ever, so that no id comes twice.
    placed: BTreeMap<u8, u32>,
}

impl Truth {
    /// Does it; returns what the venue's stream says.
    fn act(&mut self, deed: Deed, at: Micros, step: usize) -> Vec<Entry> {
        let order = |id: &str, status| {
            Entry::Order(Order { market: Market::Spot, name: "BTC-USDT".into(), id: id.into(), status, at: Some(at) })
        };
        match deed {
            Deed::Set(asset, units) => {
                let (asset, amount) = (format!("A{asset}"), Decimal::new(units, 2));
                self.balances.insert(asset.clone(), amount);
                self.balances.retain(|_, amount| !amount.is_zero());
                vec![Entry::Balance(Balance {
                    wallet: WALLET,
                    asset,
                    free: Some(amount),
                    at: Some(at),
                    ..Balance::default()
                })]
            }
            Deed::Place(slot) => {
                let number = self.placed.entry(slot).or_default();
                *number += 1;
                let id = format!("{slot}-{number}");
                self.orders.insert(id.clone());
                vec![order(&id, Status::New)]
            }
            Deed::Fill(slot) | Deed::Cancel(slot) => {
                let Some(id) = self.orders.iter().find(|id| id.starts_with(&format!("{slot}-"))).cloned() else {
                    return Vec::new();
                };
                self.orders.remove(&id);
                if matches!(deed, Deed::Cancel(_)) {
                    return vec![order(&id, Status::Canceled)];
                }
                self.fills += 1;
                vec![order(&id, Status::Filled), Entry::Fill(fill(step, at))]
            }
        }
    }

    fn answer(&self, topic: Topic) -> Vec<Entry> {
        match topic {
            Topic::Wallet(_) => {
                let rows = self.balances.iter().map(|(asset, amount)| Balance {
                    wallet: WALLET,
                    asset: asset.clone(),
                    free: Some(*amount),
                    ..Balance::default()
                });
                rows.map(Entry::Balance).collect()
            }
            _ => {
                let rows = self.orders.iter().map(|id| Order {
                    market: Market::Spot,
                    name: "BTC-USDT".into(),
                    id: id.clone(),
                    status: Status::New,
                    at: None,
                });
                rows.map(Entry::Order).collect()
            }
        }
    }
}

fn fill(step: usize, at: Micros) -> Fill {
    Fill {
        market: Market::Spot,
        name: "BTC-USDT".into(),
        id: step.to_string(),
        side: Side::Buy,
        role: Some(Role::Taker),
        quote_volume: Some(Decimal::ONE),
        fee: Some((Decimal::ONE, "USDT".into())),
        at: Some(at),
    }
}

/// A refresh: asked at one step, its parts answered from the state of later ones, all there at the last.
#[derive(Clone, Copy, Debug)]
struct Refresh {
    asked: usize,
    /// Steps until the first part is read, and the second, and until the answers are here.
    lags: [usize; 3],
}

fn deeds() -> impl Strategy<Value = Vec<(Deed, Fate)>> {
    let deed = prop_oneof![
        (0..4u8, 0..500i64).prop_map(|(asset, units)| Deed::Set(asset, units)),
        (0..3u8).prop_map(Deed::Place),
        (0..3u8).prop_map(Deed::Fill),
        (0..3u8).prop_map(Deed::Cancel),
    ];
    let fate = (0..6u8, any::<bool>()).prop_map(|(delay, twice)| Fate { delay, twice });
    prop::collection::vec((deed, fate), 1..60)
}

struct World {
    book: Book,
    truths: Vec<Truth>,
    began: Instant,
}

impl World {
    fn asked(&self, step: usize) -> Asked {
        let passed = Duration::from_micros(step as u64 * STEP as u64);
        Asked { instant: self.began + passed, venue: Micros(step as i64 * STEP) }
    }

    fn refresh(&mut self, refresh: Refresh) {
        let asked = self.asked(refresh.asked);
        let last = self.truths.len() - 1;
        for ((section, topic), lag) in SECTIONS.into_iter().zip(refresh.lags) {
            let entries = self.truths[(refresh.asked + lag).min(last)].answer(topic);
            self.book.answer(section, topic, asked, 0.0, entries);
        }
        let sections = SECTIONS.iter().map(|(section, _)| (*section).to_owned()).collect();
        self.book.refreshed(&sections, asked, 0.0);
    }

    fn state(&self) -> (BTreeMap<String, Decimal>, BTreeSet<String>) {
        let balances = self.book.balances().into_iter().map(|one| (one.asset.clone(), one.net())).collect();
        let orders = self.book.orders.keys().map(|(_, id)| id.clone()).collect();
        (balances, orders)
    }
}

/// Lives through it. `down` are the steps at which the stream is away: what happens then is never told.
fn live(deeds: &[(Deed, Fate)], refreshes: &[Refresh], down: std::ops::Range<usize>) -> World {
    let mut world = World { book: Book::new(Micros(0)), truths: vec![Truth::default()], began: Instant::now() };
    let mut under_way: Vec<(usize, Entry)> = Vec::new();
    let mut truth = Truth::default();
    for (index, (deed, fate)) in deeds.iter().enumerate() {
        let step = index + 1;
        let events = truth.act(*deed, Micros(step as i64 * STEP), step);
        world.truths.push(truth.clone());
        if !down.contains(&step) {
            for entry in events {
                under_way.push((step + usize::from(fate.delay), entry.clone()));
                if fate.twice {
                    under_way.push((step + usize::from(fate.delay) + 2, entry));
                }
            }
        }
    }
    let end = deeds.len() + 10;
    for step in 1..=end {
        let due: Vec<Entry> = under_way.iter().filter(|(at, _)| *at == step).map(|(_, entry)| entry.clone()).collect();
        let heard = world.asked(step).instant;
        due.into_iter().for_each(|entry| world.book.event(entry, heard, 0.0));
        for refresh in refreshes.iter().filter(|refresh| refresh.asked + refresh.lags.iter().max().unwrap() == step) {
            world.refresh(*refresh);
        }
    }
    world
}

proptest! {
    #[test]
    fn late_repeated_and_disordered_events_lead_to_the_truth(
        deeds in deeds(),
        refreshes in prop::collection::vec((0..60usize, [0..4usize, 0..4, 4..8]), 0..4),
    ) {
        let refreshes: Vec<Refresh> = refreshes.into_iter().map(|(asked, lags)| Refresh { asked, lags }).collect();
        let mut world = live(&deeds, &refreshes, 0..0);
        // The book needs one complete refresh to count at all.
        let began = world.asked(0);
        let sections = SECTIONS.iter().map(|(section, _)| (*section).to_owned()).collect();
        world.book.refreshed(&sections, began, 0.0);
        let truth = world.truths.last().unwrap().clone();
        prop_assert_eq!(world.state(), (truth.balances, truth.orders));
        let count: u64 = world.book.ledger.fills.values().map(|traded| traded.count).sum();
        prop_assert_eq!(count, truth.fills);
    }

    #[test]
    fn what_happened_while_the_stream_was_away_is_made_up_for(deeds in deeds(), from in 1..60usize, length in 0..40usize) {
        let mut world = live(&deeds, &[], from..from + length);
        let end = deeds.len() + 10;
        world.refresh(Refresh { asked: end, lags: [0; 3] });
        let truth = world.truths.last().unwrap().clone();
        prop_assert_eq!(world.state(), (truth.balances, truth.orders));
        // Executions are asked from before the gap: those that were told come again.
        let mut replay = Truth::default();
        for (index, (deed, _)) in deeds.iter().enumerate() {
            let step = index + 1;
            for entry in replay.act(*deed, Micros(step as i64 * STEP), step) {
                if matches!(entry, Entry::Fill(_)) {
                    prop_assert!(world.book.fill(entry).is_none());
                }
            }
        }
        let count: u64 = world.book.ledger.fills.values().map(|traded| traded.count).sum();
        prop_assert_eq!(count, truth.fills);
        prop_assert_eq!(world.book.ledger.fees.get("USDT").copied().unwrap_or_default(), Decimal::from(truth.fills));
    }
}

#[test]
fn what_is_known_counts_no_more_after_three_failures_and_again_after_a_success() {
    let mut world = live(&[(Deed::Set(1, 5), Fate { delay: 0, twice: false })], &[], 0..0);
    assert!(!world.book.counts(), "nothing was complete yet");
    world.refresh(Refresh { asked: 5, lags: [0; 3] });
    let failures: Vec<bool> = (0..4).map(|_| world.book.failed()).collect();
    assert_eq!(failures, [false, false, true, false], "told once");
    assert!(!world.book.counts());
    world.refresh(Refresh { asked: 6, lags: [0; 3] });
    assert!(world.book.counts());
}

#[test]
fn a_wallet_that_may_not_be_read_is_not_zero_but_unknown() {
    let mut world = live(&[(Deed::Set(1, 500), Fate { delay: 0, twice: false })], &[], 0..0);
    world.refresh(Refresh { asked: 5, lags: [0; 3] });
    assert_eq!(world.book.balances().len(), 1);
    world.book.unread("balances?", Topic::Wallet(WALLET));
    assert!(world.book.balances().is_empty() && !world.book.wallets[WALLET]);
}

#[test]
fn several_accounts_of_one_wallet_are_what_it_holds() {
    let mut book = Book::new(Micros(0));
    let row = |free: i64| {
        let free = Some(Decimal::new(free, 0));
        Entry::Balance(Balance { wallet: WALLET, asset: "BTC".into(), free, ..Balance::default() })
    };
    let asked = Asked { instant: Instant::now(), venue: Micros(0) };
    book.answer("balances?", Topic::Wallet(WALLET), asked, 0.0, vec![row(1), row(2)]);
    assert_eq!(book.balances()[0].free, Some(Decimal::new(3, 0)));
    // The next answer replaces, it does not add.
    book.answer("balances?", Topic::Wallet(WALLET), asked, 0.0, vec![row(1)]);
    assert_eq!(book.balances()[0].net(), Decimal::ONE);
}

#[test]
fn what_only_an_unread_part_has_said_is_not_known_any_more() {
    let mut book = Book::new(Micros(0));
    let asked = Asked { instant: Instant::now(), venue: Micros(0) };
    book.answer("overview?", Topic::Facts, asked, 0.0, vec![Entry::Reported("account", Decimal::ONE, "USD")]);
    book.answer("key?", Topic::Key, asked, 0.0, vec![Entry::Rights(Rights { read: Some(true), ..Rights::default() })]);
    assert!(book.reported().contains_key("account") && book.rights.is_some());
    book.unread("overview?", Topic::Facts);
    book.unread("key?", Topic::Key);
    assert!(book.reported().is_empty() && book.rights.is_none());
}

#[test]
fn no_orders_is_not_the_same_as_orders_that_may_not_be_read() {
    let mut book = Book::new(Micros(0));
    assert!(!book.knows(Topic::Orders));
    let asked = Asked { instant: Instant::now(), venue: Micros(0) };
    book.answer("orders?spot", Topic::Orders, asked, 0.0, Vec::new());
    book.unread("orders?futures", Topic::Orders);
    assert!(book.knows(Topic::Orders));
    book.unread("orders?spot", Topic::Orders);
    assert!(!book.knows(Topic::Orders));
}

#[test]
fn a_price_and_the_size_of_the_contract_are_a_value() {
    let mut book = Book::new(Micros(0));
    let number = |text: &str| text.parse::<Decimal>().unwrap();
    let position = Position {
        market: Market::Linear,
        name: "BIP".into(),
        side: Side::Short,
        size: Size::Contracts(number("2")),
        value: None,
        price: Some((number("90790"), "USD".into())),
        pnl: None,
        leverage: None,
        liquidation: None,
        at: None,
    };
    let asked = Asked { instant: Instant::now(), venue: Micros(0) };
    book.answer("positions?", Topic::Positions, asked, 0.0, vec![Entry::Position(position)]);
    let value = |book: &Book| book.positions().pop().and_then(|shown| shown.position.value);
    assert_eq!(value(&book), None, "of a contract of which nothing is known");
    let contract =
        Contract { name: "BIP".into(), market: Market::Linear, symbol: "BTCUSD".into(), size: Some(number("0.01")) };
    book.answer("contracts?", Topic::Facts, asked, 0.0, vec![Entry::Contract(contract)]);
    assert_eq!(value(&book), Some((number("1815.80"), "USD".into())));
}
