//! Which symbols to stream: the user's spelling, the venue's list, and what lies between them. Pure.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::update::Instrument;

/// What `--exchange.symbols` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Everything that trades.
    All,
    /// Everything that trades against this asset.
    Quote(String),
    /// The most traded by 24 h turnover.
    Top(usize),
    /// These, in any spelling.
    List(Vec<String>),
}

impl FromStr for Selection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names: Vec<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        match names.as_slice() {
            [] => Err("names no symbol; give a comma list, all, quote:USDT or top:20".into()),
            [one] if one.eq_ignore_ascii_case("all") => Ok(Selection::All),
            [one] => match one.split_once(':') {
                Some(("quote", asset)) if !asset.is_empty() => Ok(Selection::Quote(asset.to_uppercase())),
                Some(("top", count)) => match count.parse() {
                    Ok(count) if count > 0 => Ok(Selection::Top(count)),
                    _ => Err(format!("top:{count} wants a number above 0, as in top:20")),
                },
                Some((word, _)) => Err(format!("{word}: is not known; use all, quote:USDT, top:20 or a comma list")),
                None => Ok(Selection::List(vec![(*one).to_owned()])),
            },
            many => match many.iter().find(|name| name.contains(':') || name.eq_ignore_ascii_case("all")) {
                Some(word) => Err(format!("{word} cannot stand in a list; give it alone")),
                None => Ok(Selection::List(many.iter().map(ToString::to_string).collect())),
            },
        }
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selection::All => f.write_str("all"),
            Selection::Quote(asset) => write!(f, "quote:{asset}"),
            Selection::Top(count) => write!(f, "top:{count}"),
            Selection::List(names) => f.write_str(&names.join(",")),
        }
    }
}

/// A name that cannot be streamed, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rejected {
    /// As the user or the venue spells it.
    pub name: String,
    /// One sentence, with the nearest real name where there is one.
    pub why: String,
    /// True where the venue lists no such name; false where it lists it but does not trade it now.
    pub unknown: bool,
}

/// What is to be streamed.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// To export, sorted by symbol.
    pub wanted: Vec<Arc<Instrument>>,
    /// What was asked for and can't be had.
    pub rejected: Vec<Rejected>,
    /// The most traded symbol: on every line, so that no line is ever quiet.
    pub pilot: Option<Arc<Instrument>>,
}

/// A listed instrument with its 24 h turnover, in something like USDT: good for ranking, never exported.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// The instrument.
    pub instrument: Arc<Instrument>,
    /// Its turnover; 0 where unknown.
    pub turnover: f64,
}

/// Brings turnovers in different quote currencies to one, over the venue's own last prices.
///
/// `figures` is by heard name: 24 h quote volume and last price.
pub fn rank(listed: Vec<Arc<Instrument>>, figures: &HashMap<String, (f64, f64)>) -> Vec<Ranked> {
    let last: HashMap<String, f64> = listed
        .iter()
        .filter_map(|one| Some((one.symbol(), figures.get(&one.heard)?.1)))
        .filter(|(_, price)| *price > 0.0)
        .collect();
    let worth = |quote: &str| -> f64 {
        if matches!(quote, "USDT" | "USD" | "USDC" | "FDUSD") {
            return 1.0;
        }
        let dollars = ["USDT", "USDC", "USD"];
        let direct = dollars.iter().find_map(|dollar| last.get(&format!("{quote}{dollar}")).copied());
        let inverse =
            || dollars.iter().find_map(|dollar| last.get(&format!("{dollar}{quote}")).map(|price| 1.0 / price));
        direct.or_else(inverse).unwrap_or(0.0)
    };
    let mut ranked: Vec<Ranked> = listed
        .into_iter()
        .map(|instrument| {
            let volume = figures.get(&instrument.heard).map_or(0.0, |figures| figures.0);
            Ranked { turnover: volume * worth(&instrument.quote.to_uppercase()), instrument }
        })
        .collect();
    ranked.sort_by(|a, b| b.turnover.total_cmp(&a.turnover).then_with(|| a.instrument.asked.cmp(&b.instrument.asked)));
    ranked
}

/// Applies a selection to the venue's list, most traded first. `before` is what was streamed so far: with `top:N` a
/// symbol on the edge stays, rather than coming and going with every count.
pub fn choose(selection: &Selection, ranked: &[Ranked], before: &BTreeSet<String>) -> Chosen {
    let trading = || ranked.iter().map(|one| &one.instrument).filter(|one| one.trading);
    let (mut wanted, mut rejected): (Vec<Arc<Instrument>>, Vec<Rejected>) = match selection {
        Selection::All => (trading().cloned().collect(), Vec::new()),
        Selection::Quote(asset) => {
            let found: Vec<_> = trading().filter(|one| one.quote.eq_ignore_ascii_case(asset)).cloned().collect();
            let none = || Rejected {
                name: format!("quote:{asset}"),
                why: "nothing trades against it here".into(),
                unknown: true,
            };
            let rejected = if found.is_empty() { vec![none()] } else { Vec::new() };
            (found, rejected)
        }
        Selection::Top(count) => {
            let edge = count + (count / 4).max(2);
            let stays =
                |rank: usize, one: &Instrument| rank < *count || (rank < edge && before.contains(&one.symbol()));
            (
                trading().enumerate().filter(|(rank, one)| stays(*rank, one)).map(|(_, one)| one.clone()).collect(),
                Vec::new(),
            )
        }
        Selection::List(names) => resolve(names, ranked),
    };
    wanted.sort_by_key(|one| one.symbol());
    wanted.dedup_by(|later, first| {
        let same = later.symbol() == first.symbol();
        if same && later.asked != first.asked {
            let why = format!("its label would be that of {}", first.asked);
            rejected.push(Rejected { name: later.asked.clone(), why, unknown: false });
        }
        same
    });
    Chosen { wanted, rejected, pilot: trading().next().cloned() }
}

/// Finds each name in the venue's list.
fn resolve(names: &[String], ranked: &[Ranked]) -> (Vec<Arc<Instrument>>, Vec<Rejected>) {
    let by_name: HashMap<String, &Arc<Instrument>> = ranked
        .iter()
        .rev()
        .flat_map(|one| {
            [(plain(&one.instrument.asked), &one.instrument), (plain(&one.instrument.symbol()), &one.instrument)]
        })
        .collect();
    let mut wanted = Vec::new();
    let mut rejected = Vec::new();
    for name in names {
        match by_name.get(&plain(name)) {
            Some(one) if one.trading => wanted.push(Arc::clone(one)),
            Some(_) => rejected.push(Rejected {
                name: name.clone(),
                why: "listed, but not trading now".into(),
                unknown: false,
            }),
            None => rejected.push(Rejected { name: name.clone(), why: nearest(name, ranked), unknown: true }),
        }
    }
    (wanted, rejected)
}

/// `BTC-USDT`, `btc/usdt`, `BTC_USDT` and `BTCUSDT` are one name.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '/' | '_' | ' ')).collect::<String>().to_uppercase()
}

/// Of equally near names the most traded: `ranked` is in that order.
fn nearest(name: &str, ranked: &[Ranked]) -> String {
    let name = plain(name);
    let distance = |one: &&Ranked| {
        let symbol = plain(&one.instrument.symbol());
        strsim::damerau_levenshtein(&name, &symbol)
    };
    let found = ranked.iter().filter(|one| one.instrument.trading).min_by_key(distance);
    match found {
        Some(one) => format!("unknown here; the nearest is {}", one.instrument.asked),
        None => "unknown here; the venue lists nothing".into(),
    }
}

/// Splits what is wanted over lines that carry at most `room` symbols each, the pilot included. Symbols stay on the
/// line they are on (`lines` as it was before), so that a listing does not touch lines that it does not concern.
pub fn spread(
    wanted: &[Arc<Instrument>],
    pilot: Option<&Arc<Instrument>>,
    room: usize,
    lines: &[Vec<Arc<Instrument>>],
) -> Vec<Vec<Arc<Instrument>>> {
    // One place on every line is the pilot's, asked for or not: it takes no other one.
    let room = room.saturating_sub(1).max(1);
    let is_pilot = |one: &Instrument| pilot.is_some_and(|pilot| pilot.asked == one.asked);
    let others = || wanted.iter().filter(|one| !is_pilot(one));
    let mut left: HashMap<String, Arc<Instrument>> = others().map(|one| (one.asked.clone(), one.clone())).collect();
    let mut next: Vec<Vec<Arc<Instrument>>> =
        lines.iter().map(|line| line.iter().filter_map(|one| left.remove(&one.asked)).collect()).collect();
    let mut rest = others().filter(|one| left.contains_key(&one.asked)).cloned().peekable();
    for line in &mut next {
        while line.len() < room
            && let Some(one) = rest.next()
        {
            line.push(one);
        }
    }
    while rest.peek().is_some() {
        next.push(rest.by_ref().take(room).collect());
    }
    next.retain(|line| !line.is_empty());
    if next.is_empty() && pilot.is_some() {
        next.push(Vec::new());
    }
    next.iter_mut().for_each(|line| line.extend(pilot.cloned()));
    next
}

#[cfg(test)]
#[path = "symbols_tests.rs"]
mod tests;
