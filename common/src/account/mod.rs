//! The account behind a key: what a venue's answers and events say of it, and what a venue author writes to ask.
//!
//! REST answers *state*: what an answer no longer names is gone. Private streams tell *changes*. Both are [`Entry`]s for
//! the [`book::Book`]; the [`clerk`] asks, listens and writes them down.

pub mod amount;
pub mod book;
pub mod check;
pub mod clerk;
pub mod desk;
pub mod entry;
pub mod ledger;
pub mod listen;
pub mod quotes;
pub mod rates;
pub mod show;
pub mod valuation;
pub mod watch;

use std::time::Duration;

pub use entry::{Balance, Contract, Entry, Fill, Order, Position, Rate, Rights, Role, Side, Size, Status};

use crate::fault::{Fault, Kind};
use crate::update::{Fact, Micros, Update};
use crate::venue::{Decoder, Feed, Query, Request};

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// What the key may do.
    Key,
    /// The account's mode, contracts, prices, the venue's own figures: what other questions and figures need.
    Facts,
    /// A wallet, by the name that `exchange_wallet_read_status` shows.
    Wallet(&'static str),
    /// Positions.
    Positions,
    /// Open orders.
    Orders,
    /// Executions.
    Fills,
}

/// What to do when a question is refused for good: the key may not, or the venue does not serve it here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Without it there is no refresh.
    Must,
    /// Then this part is unread, is said to be so, and the rest goes on.
    May,
}

/// A question about the account.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The question; with [`Query::every`] it is asked no more often than that, else at every refresh.
    pub query: Query,
    /// What it is about.
    pub topic: Topic,
    /// How much depends on it.
    pub need: Need,
}

impl Ask {
    /// A question without which there is no refresh. Its request is signed.
    pub fn must(topic: Topic, query: Query) -> Self {
        let request = query.request.clone().signed();
        Self { query: Query { request, ..query }, topic, need: Need::Must }
    }

    /// A question that may be refused. Its request is signed.
    pub fn may(topic: Topic, query: Query) -> Self {
        Self { need: Need::May, ..Self::must(topic, query) }
    }

    /// The same, without a signature: a public question.
    pub fn unsigned(mut self) -> Self {
        self.query.request.signed = false;
        self
    }

    /// What distinguishes its statement from those of other questions.
    pub fn section(&self) -> String {
        format!("{}?{}", self.query.name, self.query.request.query)
    }
}

/// What is known when the questions of a refresh are chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The last [`Entry::Mode`].
    pub mode: Option<&'static str>,
    /// Symbols, by the venue's names, that orders, executions or [`Entry::Touched`] have named.
    pub touched: Vec<String>,
    /// Contracts margined in the quote currency that orders, executions or positions have named, likewise.
    pub touched_linear: Vec<String>,
    /// The same of contracts margined in coins.
    pub touched_inverse: Vec<String>,
    /// Symbols, by the venue's names, that are exported.
    pub streamed: Vec<String>,
    /// Wallets that could be read when they were last asked for.
    pub read: Vec<&'static str>,
    /// How many refreshes were complete: where there is too much to ask for at once, it is asked for in turns.
    pub turn: usize,
    /// The venue's clock: where executions are asked for in windows, the last one ends here.
    pub now: Micros,
}

/// The account side of a venue, with a key.
pub trait Account: Send + Sync {
    /// Signs a request. `now` is the venue's clock as far as it is known; called again for every retry.
    fn sign(&self, request: &mut Request, now: Micros) -> Result<(), Fault>;

    /// Asked before all else: what the key may do, the account's mode, contracts.
    fn survey(&self) -> Vec<Ask>;

    /// Asked at every refresh: wallets, positions, open orders.
    fn asks(&self, view: &View) -> Vec<Ask>;

    /// Executions since then, for what a stream could not tell while it was away.
    fn fills(&self, since: Micros, view: &View) -> Vec<Ask>;

    /// The private conversations, told apart by [`Feed::name`]. Asked again after every refresh: those that are told
    /// no more are hung up, those that are new are dialled, the others go on. Every one of them must be able to live:
    /// the account is only ready when they all do.
    fn feeds(&self, view: &View) -> Vec<Box<dyn Feed>>;

    /// Whether the private streams tell executions as they happen. Where they do not, executions are asked for at every
    /// refresh: REST may know of one later than the stream of the order that it fills.
    fn tells_fills(&self) -> bool {
        true
    }

    /// Whether to sign and ask once more after this refusal. The clock is measured before.
    fn again(&self, fault: &Fault) -> bool {
        fault.kind == Kind::ClockSkew
    }
}

/// The time since then in windows of at most this length, for venues that tell executions for so long at a time. The
/// last window has no end: venues take what follows within its length.
pub fn windows(since: Micros, now: Micros, span: Duration) -> Vec<(Micros, Option<Micros>)> {
    let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX).max(1);
    let mut windows = Vec::new();
    let mut start = since;
    while now.0.saturating_sub(start.0) > span {
        let end = Micros(start.0 + span);
        windows.push((start, Some(end)));
        start = end;
    }
    windows.push((start, None));
    windows
}

/// What a reply says of the account, and the name of the next page: all of it or nothing. The first row that cannot be
/// read, or statement of another kind, is the fault.
pub fn read(decode: Decoder, body: &str) -> Result<(Vec<Entry>, Option<String>), Fault> {
    let (mut entries, mut odd) = (Vec::new(), None);
    let next = decode(body, &mut |update| match update {
        Update::Fact(Fact::Entry(entry)) => entries.push(entry),
        Update::Misread(fault) => odd = odd.take().or(Some(fault)),
        other => odd = odd.take().or_else(|| Some(Fault::protocol(format!("not of the account: {other:?}")))),
    })?;
    odd.map_or(Ok((entries, next)), Err)
}

/// A spot symbol's label from the venue's name: upper case, without separators.
pub fn label(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read_whole_or_not_at_all() {
        let good: Decoder = |body, tell| {
            tell(Entry::Touched(body.to_owned()).into());
            Ok(Some("2".into()))
        };
        assert_eq!(read(good, "BTCUSDT"), Ok((vec![Entry::Touched("BTCUSDT".into())], Some("2".into()))));
        let partly: Decoder = |body, tell| {
            tell(Entry::Touched(body.to_owned()).into());
            tell(Update::Misread(Fault::decode("a row")));
            tell(Fact::Status { up: true }.into());
            Ok(None)
        };
        assert_eq!(read(partly, "BTCUSDT"), Err(Fault::decode("a row")));
        let other: Decoder = |_, tell| {
            tell(Fact::Status { up: true }.into());
            Ok(None)
        };
        assert_eq!(read(other, "").map_err(|fault| fault.kind), Err(Kind::Protocol));
        assert_eq!(read(|_, _| Err(Fault::decode("all of it")), ""), Err(Fault::decode("all of it")));
    }
}
