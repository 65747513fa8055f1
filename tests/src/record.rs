//! What was true when: what each line said and until when it lived, and what the account held. For whoever checks a client while
//! everything moves; where the market stands still, the ledger is enough.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use crate::account::{Books, Category, Money};
use crate::ledger::Entry;

/// No client may show a price for longer after it was replaced.
const PRICES: Duration = Duration::from_secs(90);
/// Nor a balance.
const BALANCES: Duration = Duration::from_secs(600);

/// The figures of an [`Entry`], in the order of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// Last trade.
    Last,
    /// Best bid.
    Bid,
    /// Best ask.
    Ask,
    /// 24 h volume in base currency.
    BaseVolume,
    /// 24 h volume in quote currency.
    QuoteVolume,
    /// 24 h high.
    High,
    /// 24 h low.
    Low,
    /// 24 h change as a ratio.
    Change,
}

/// What a wallet has of an asset: free, locked, or owed with its interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Can be spent.
    Free,
    /// Held by orders.
    Locked,
    /// Owed.
    Owed,
}

/// Values of one thing, each until the next.
#[derive(Clone, Debug, Default)]
pub struct History(VecDeque<(f64, Instant)>);

impl History {
    fn from_nothing(now: Instant) -> Self {
        Self(VecDeque::from([(0.0, now)]))
    }

    fn note(&mut self, value: f64, now: Instant, keep: Duration) {
        if self.0.back().is_some_and(|(last, _)| last.to_bits() == value.to_bits()) {
            return;
        }
        self.0.push_back((value, now));
        while self.0.get(1).is_some_and(|(_, since)| now.duration_since(*since) > keep) {
            self.0.pop_front();
        }
    }

    /// Whether something like this was the value at any time since then.
    pub fn held(&self, since: Instant, like: impl Fn(f64) -> bool) -> bool {
        self.since(since).any(like)
    }

    fn range(&self, since: Instant) -> (f64, f64) {
        let values = || self.since(since);
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
    }

    fn since(&self, since: Instant) -> impl Iterator<Item = f64> {
        let ends = self.0.iter().skip(1).map(|(_, at)| Some(*at)).chain([None]);
        let current = self.0.iter().zip(ends).filter(move |(_, end)| end.is_none_or(|end| end >= since));
        current.map(|((value, _), _)| *value)
    }

    /// The last so many, for people.
    #[must_use]
    pub fn last(&self, count: usize) -> String {
        let shown = |(value, since): &(f64, Instant)| format!("{value} ({:.1} s)", since.elapsed().as_secs_f64());
        let values: Vec<String> = self.0.iter().rev().take(count).map(shown).collect();
        if values.is_empty() { "nothing".to_owned() } else { values.join(", ") }
    }
}

/// One websocket, as far as a client may rely on it.
#[derive(Clone, Debug)]
pub struct Line {
    /// Whether it is about the account.
    pub private: bool,
    /// When it last carried data; at first, when it was opened.
    pub spoke: Instant,
    /// When it ended.
    pub ended: Option<Instant>,
    /// The symbols that it told of or was asked for, in the venue's spelling; other words of subscriptions, too.
    pub carries: BTreeSet<String>,
}

/// All of it, for as long as a client may still show it.
#[derive(Debug, Default)]
pub struct Record {
    said: BTreeMap<(String, Said), [History; 2]>,
    lines: BTreeMap<usize, Line>,
    balances: BTreeMap<(String, String, Part), History>,
    orders: BTreeMap<(Category, String), History>,
}

/// Over which way something was said.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Stream,
    Rest,
}

impl Record {
    pub(crate) fn opened(&mut self, line: usize, private: bool, now: Instant) {
        let lately = |line: &Line| line.ended.is_none_or(|ended| now.duration_since(ended) < PRICES);
        self.lines.retain(|_, line| lately(line));
        self.lines.insert(line, Line { private, spoke: now, ended: None, carries: BTreeSet::new() });
    }

    pub(crate) fn turned_private(&mut self, line: usize) {
        if let Some(line) = self.lines.get_mut(&line) {
            line.private = true;
        }
    }

    /// What the client asked for, in the venue's words.
    pub(crate) fn subscribed(&mut self, line: usize, subscriptions: &[String]) {
        let Some(line) = self.lines.get_mut(&line) else { return };
        let other = |letter: char| !letter.is_alphanumeric() && letter != '-';
        let words = subscriptions.iter().flat_map(|one| one.split(other)).filter(|word| !word.is_empty());
        line.carries.extend(words.map(str::to_uppercase));
    }

    pub(crate) fn ended(&mut self, line: usize, now: Instant) {
        if let Some(line) = self.lines.get_mut(&line) {
            line.ended.get_or_insert(now);
        }
    }

    /// A line says something, of a symbol or of the account.
    pub(crate) fn spoke(&mut self, line: usize, symbol: Option<&str>, now: Instant) {
        let Some(line) = self.lines.get_mut(&line) else { return };
        line.spoke = now;
        if let Some(symbol) = symbol.filter(|symbol| !line.carries.contains(*symbol)) {
            line.carries.insert(symbol.to_owned());
        }
    }

    pub(crate) fn said(&mut self, way: Way, symbol: &str, entry: &Entry, now: Instant) {
        let texts = [
            (Said::Last, &entry.last),
            (Said::Bid, &entry.bid),
            (Said::Ask, &entry.ask),
            (Said::BaseVolume, &entry.base_volume),
            (Said::QuoteVolume, &entry.quote_volume),
            (Said::High, &entry.high),
            (Said::Low, &entry.low),
        ];
        let numbers =
            texts.into_iter().filter_map(|(what, text)| Some((what, text.as_ref()?.parse().unwrap_or(f64::NAN))));
        for (what, value) in numbers.chain(entry.change_ratio.map(|ratio| (Said::Change, ratio))) {
            let histories = self.said.entry((symbol.to_owned(), what)).or_default();
            histories[way as usize].note(value, now, PRICES);
        }
    }

    pub(crate) fn booked(&mut self, books: &Books, now: Instant) {
        let parts = |money: &Money| {
            [(Part::Free, money.free), (Part::Locked, money.locked), (Part::Owed, money.borrowed + money.interest)]
        };
        for (wallet, assets) in &books.wallets {
            for (asset, money) in assets {
                for (part, amount) in parts(money) {
                    let key = (wallet.clone(), asset.clone(), part);
                    // Nothing was there before.
                    let nothing = || History::from_nothing(now);
                    self.balances.entry(key).or_insert_with(nothing).note(amount.as_f64(), now, BALANCES);
                }
            }
        }
        let mut open: BTreeMap<(Category, &str), u32> = BTreeMap::new();
        for order in books.open_orders() {
            *open.entry((order.category, &order.symbol)).or_default() += 1;
        }
        for ((category, symbol), count) in &open {
            let history = self.orders.entry((*category, (*symbol).to_owned()));
            history.or_insert_with(|| History::from_nothing(now)).note(f64::from(*count), now, BALANCES);
        }
        for ((category, symbol), history) in &mut self.orders {
            if !open.contains_key(&(*category, symbol.as_str())) {
                history.note(0.0, now, BALANCES);
            }
        }
    }

    /// What was said of a symbol: over the stream, and over REST.
    #[must_use]
    pub fn of(&self, symbol: &str, what: Said) -> Option<&[History; 2]> {
        self.said.get(&(symbol.to_owned(), what))
    }

    /// Every line of late.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.values()
    }

    /// What was in each wallet: wallet, asset, part, amounts.
    pub fn balances(&self) -> impl Iterator<Item = (&str, &str, Part, &History)> {
        self.balances.iter().map(|((wallet, asset, part), history)| (wallet.as_str(), asset.as_str(), *part, history))
    }

    /// The fewest and the most open orders on a kind of market that whoever asked symbol by symbol since then may have counted.
    #[must_use]
    pub fn orders(&self, category: Category, since: Instant) -> (f64, f64) {
        let ranges = self.orders.iter().filter(|((on, _), _)| *on == category).map(|(_, history)| history.range(since));
        ranges.fold((0.0, 0.0), |sum, range| (sum.0 + range.0, sum.1 + range.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_holds_until_the_next() {
        let (mut history, begin) = (History::default(), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        history.note(1.0, at(0), PRICES);
        history.note(2.0, at(10), PRICES);
        history.note(2.0, at(20), PRICES);
        let held = |value: f64, since| history.held(at(since), |one| one == value);
        assert!(held(1.0, 10) && !held(1.0, 11) && held(2.0, 1_000) && !held(3.0, 0));
    }

    #[test]
    fn what_nobody_may_show_any_more_is_forgotten() {
        let (mut history, begin) = (History::default(), Instant::now());
        for second in 0..1_000 {
            history.note(second as f64, begin + Duration::from_secs(second), Duration::from_secs(10));
        }
        assert!(history.0.len() < 13, "{}", history.0.len());
    }
}
