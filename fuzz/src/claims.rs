//! What every decoder owes, whatever it is given.

use std::time::Duration;

use common::fault::{LONGEST_DETAIL, LONGEST_WAIT};
use common::venue::Headers;
use common::{Endpoint, Fact, Fault, Reply, Said, Signal, Tell, Ticker, Update};

/// What a decoder told, and how it ended.
#[derive(Debug, PartialEq)]
pub struct Told<'f> {
    /// In order.
    pub updates: Vec<Update<'f>>,
    /// The fault, where the whole was not understood.
    pub end: Result<(), Fault>,
}

/// Reads a text with a decoder and holds it to its duties.
pub fn told<'f>(text: &'f str, decode: impl Fn(&'f str, Tell<'_, 'f>) -> Result<(), Fault>) -> Told<'f> {
    let told = heard(text, &decode);
    assert!(told.updates.len() <= text.len(), "more is told than was said");
    if told.end.is_ok() {
        let cuts = [text.len() / 2, text.len().saturating_sub(1), text.len() * 7 / 8];
        cuts.iter().for_each(|cut| cut_short(&told, &heard(&text[..text.floor_char_boundary(*cut)], &decode)));
    }
    told
}

/// The same of what is no text of one piece: a reply with its status and headers.
pub fn heard<'f>(text: &'f str, decode: impl Fn(&'f str, Tell<'_, 'f>) -> Result<(), Fault>) -> Told<'f> {
    let read = || {
        let mut updates = Vec::new();
        let end = decode(text, &mut |update| updates.push(update));
        Told { updates, end }
    };
    let told = read();
    assert_eq!(told, read(), "the same text tells two things");
    told.updates.iter().for_each(|update| each(text, update));
    told.end.as_ref().err().into_iter().for_each(fault);
    told
}

/// A frame that was cut short tells the prices of the whole one or fewer, never others.
fn cut_short(whole: &Told<'_>, part: &Told<'_>) {
    let (whole, part) = (tickers(whole), tickers(part));
    assert!(whole.starts_with(&part), "half a text tells {part:?}, the whole of it {whole:?}");
}

/// The prices told.
pub fn tickers<'t, 'f>(told: &'t Told<'f>) -> Vec<&'t Ticker<'f>> {
    let ticker = |update: &'t Update<'f>| match update {
        Update::Fact(Fact::Ticker(ticker) | Fact::Seed(ticker)) => Some(ticker),
        _ => None,
    };
    told.updates.iter().filter_map(ticker).collect()
}

fn each(text: &str, update: &Update<'_>) {
    match update {
        Update::Misread(one) | Update::Signal(Signal::Refused(one) | Signal::Over(one)) => fault(one),
        Update::Fact(Fact::Ticker(one) | Fact::Seed(one)) => ticker(text, one),
        Update::Fact(Fact::Limit(limit)) => {
            assert!([limit.limit, limit.remaining].into_iter().flatten().all(f64::is_finite), "{limit:?}");
            assert!(limit.window <= LONGEST_WAIT, "{limit:?}");
        }
        _ => {}
    }
}

/// Every figure is a number, every price is above zero, and the symbol stands in this very text.
fn ticker(text: &str, ticker: &Ticker<'_>) {
    let within = text.as_bytes().as_ptr_range();
    let symbol = ticker.symbol.as_bytes().as_ptr_range();
    assert!(!ticker.symbol.is_empty() && within.start <= symbol.start && symbol.end <= within.end, "{ticker:?}");
    for price in [ticker.last, ticker.bid, ticker.ask, ticker.high, ticker.low] {
        assert!(price.number().is_none_or(|price| price > 0.0 && price.is_finite()), "{ticker:?}");
    }
    for figure in [ticker.volume_base, ticker.volume_quote, ticker.change] {
        assert!(figure.number().is_none_or(f64::is_finite), "{ticker:?}");
    }
    assert!(ticker.last != Said::Number(0.0));
}

/// One line of bounded length for the log, and a wait that ends.
pub fn fault(fault: &Fault) {
    let length = fault.detail.chars().count();
    assert!(length <= LONGEST_DETAIL, "{length} characters: {}", fault.detail);
    assert!(!fault.detail.contains(char::is_control), "{fault:?}");
    assert!(fault.wait.is_none_or(|wait| wait <= LONGEST_WAIT), "{fault:?}");
}

/// A line that died is found out, whatever a ticket says of its keep-alive.
pub fn endpoint(endpoint: &Endpoint) {
    let longest = Duration::from_secs(600);
    assert!(endpoint.silence <= longest, "{:?}", endpoint.silence);
    if let Some(beat) = &endpoint.heartbeat {
        assert!(beat.every <= longest && beat.within <= longest, "{beat:?}");
    }
}

/// Every header has the text as its value.
pub struct Every<'t>(pub &'t str);

impl Headers for Every<'_> {
    fn get(&self, _: &str) -> Option<&str> {
        (self.0.len() < 64).then_some(self.0)
    }
}

/// A reply of every status that means something, with this text as its body and, where short, as every header.
pub fn replies<'t>(text: &'t str, headers: &'t Every<'t>) -> impl Iterator<Item = Reply<'t>> {
    let statuses = [200, 400, 401, 403, 404, 418, 429, 500, 503];
    statuses.into_iter().map(move |status| Reply { status, headers, body: text })
}
