//! What was told, all the way to a scrape: rows, the account's book, its value, and both formats read back.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use common::account::book::{Asked, Book};
use common::account::desk::Desk;
use common::account::{Entry, Topic};
use common::config::Config;
use common::context::Context;
use common::metrics::cell::Word;
use common::metrics::encode::Format;
use common::metrics::scrape::Exposition as Scrape;
use common::symbols::{Selection, choose, rank};
use common::{Fact, Instrument, Market, Micros, Ticker, Update};

use crate::exposition::Exposition;
use crate::venues::Subject;

/// Unix seconds; the book and its floor go by them.
const NOW: f64 = 1_795_000_000.0;

/// An exporter without sockets.
pub struct World {
    context: Arc<Context>,
    scrape: Arc<Scrape>,
}

impl World {
    /// With an account.
    pub fn new(subject: &Subject) -> Self {
        let arguments = ["fuzz".to_owned(), "--exchange.account=ma\"in".to_owned()];
        let config = Config::read(subject.about, arguments, &|_| None).expect("a configuration");
        let desk = Desk::new(Arc::clone(&subject.account), Arc::clone(&subject.keys), config.terms.clone());
        let venue = Arc::clone(&subject.venues[0]);
        let context = Context::new(subject.about, venue, Some(Arc::new(desk)), &config).expect("a context");
        let (board, health) = (Arc::clone(&context.board), Arc::clone(&context.health));
        let scrape = Scrape::new(subject.about.name, board, health, true).with_account(&context);
        Self { context, scrape: Arc::new(scrape) }
    }

    /// Takes what a text told, by whichever decoder, as answers about a topic or as events, and shows it. Nothing of it
    /// stays for the next text.
    pub fn show(&self, told: &[(Option<Topic>, Vec<Update<'_>>)]) {
        let updates = || told.iter().flat_map(|(_, updates)| updates);
        let tickers: Vec<&Ticker<'_>> = updates().filter_map(ticker).collect();
        let mut listed: Vec<Arc<Instrument>> = updates().filter_map(listing).collect();
        let mut entries: Vec<(Option<Topic>, Vec<Entry>)> =
            told.iter().map(|(topic, updates)| (*topic, updates.iter().filter_map(entry).collect())).collect();
        entries.retain(|(_, some)| !some.is_empty());
        if tickers.is_empty() && listed.is_empty() && entries.is_empty() {
            return;
        }
        listed.extend(tickers.iter().map(|ticker| Arc::new(spot(ticker.symbol))));
        self.rows(listed, &tickers);
        self.account(entries);
        self.scrape();
    }

    /// These rows, and what is said of them.
    pub fn rows(&self, listed: Vec<Arc<Instrument>>, tickers: &[&Ticker<'_>]) {
        let chosen = choose(&Selection::All, &rank(listed, &HashMap::new()), &BTreeSet::new());
        let board = &self.context.board;
        board.set(&Default::default());
        let hold = board.hold(board.set(&chosen).rows.clone());
        for ticker in tickers {
            for row in hold.rows().iter().filter(|row| row.instrument.heard == ticker.symbol) {
                hold.say(row, Word { ticker, now: NOW, lag: ticker.at.map(|at| NOW - at.as_seconds()) });
            }
        }
    }

    fn account(&self, told: Vec<(Option<Topic>, Vec<Entry>)>) {
        let Some(desk) = &self.context.desk else { return };
        let asked = Asked { instant: Instant::now(), venue: Micros::of_unix(NOW) };
        desk.read(|book| {
            *book = Book::new(Micros(0));
            let mut sections: BTreeSet<String> = ["positions".to_owned(), "orders".to_owned()].into();
            book.answer("positions", Topic::Positions, asked, NOW, Vec::new());
            book.answer("orders", Topic::Orders, asked, NOW, Vec::new());
            for (number, (topic, entries)) in told.into_iter().enumerate() {
                match topic {
                    Some(topic) => {
                        book.answer(&number.to_string(), topic, asked, NOW, entries);
                        sections.insert(number.to_string());
                    }
                    None => entries.into_iter().for_each(|entry| book.event(entry, asked.instant, NOW)),
                }
            }
            book.refreshed(&sections, asked, NOW);
        });
    }

    /// Both formats, read back by a reader of its own, say the same.
    pub fn scrape(&self) {
        let text = |format| String::from_utf8(self.scrape.text(format)).expect("UTF-8");
        let (plain, open) = (text(Format::Text), text(Format::OpenMetrics));
        let plain = Exposition::text(&plain).unwrap_or_else(|problem| panic!("{problem}"));
        let open = Exposition::open_metrics(&open).unwrap_or_else(|problem| panic!("{problem}"));
        let steady = |exposition: &Exposition| {
            let own = exposition.samples().filter(|sample| !sample.name.starts_with("process_"));
            own.map(|sample| (sample.name.clone(), sample.labels.clone(), sample.value.to_bits())).collect::<Vec<_>>()
        };
        assert_eq!(steady(&plain), steady(&open), "the formats differ");
    }
}

fn ticker<'t, 'f>(update: &'t Update<'f>) -> Option<&'t Ticker<'f>> {
    match update {
        Update::Fact(Fact::Ticker(ticker) | Fact::Seed(ticker)) => Some(ticker),
        _ => None,
    }
}

fn entry(update: &Update<'_>) -> Option<Entry> {
    match update {
        Update::Fact(Fact::Entry(entry)) => Some(entry.clone()),
        _ => None,
    }
}

fn listing(update: &Update<'_>) -> Option<Arc<Instrument>> {
    match update {
        Update::Fact(Fact::Instrument(instrument)) => Some(Arc::new(instrument.clone())),
        _ => None,
    }
}

/// A market of this name against USDT, so that holdings of that name are worth something.
pub fn spot(name: &str) -> Instrument {
    Instrument {
        market: Market::Spot,
        base: name.into(),
        quote: "USDT".into(),
        asked: name.into(),
        heard: name.into(),
        trading: true,
    }
}
