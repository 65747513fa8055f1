//! Every decoder of every venue. A new venue is one line of the table.

use std::sync::Arc;

use common::account::{Ask, Topic};
use common::venue::Decoder;
use common::{About, Account, Feed, Instrument, Keyring, Market, Micros, Query, Setup, Venue, View};

type Build = fn(&Setup) -> Arc<dyn Venue>;

/// The table.
const VENUES: [(&About, Build); 5] = [
    (&binance::ABOUT, binance::build),
    (&bybit::ABOUT, bybit::build),
    (&coinbase::ABOUT, coinbase::build),
    (&kucoin::ABOUT, kucoin::build),
    (&okx::ABOUT, okx::build),
];

/// An Ed25519 key in base64: of the kinds that some venue wants it is the one that all others take for a secret.
const SECRET: &str = "k0BUni0p0vZG1BdpVjS6ogBJ7kxm630AJ2dN+tuputA=";

/// One REST question's decoder.
#[derive(Clone, Copy)]
pub struct Question {
    /// Its `endpoint` label.
    pub name: &'static str,
    /// What of the account it is about, if it is.
    pub topic: Option<Topic>,
    /// The decoder.
    pub decode: Decoder,
}

/// One venue with all that reads its words.
pub struct Subject {
    /// Fixed facts.
    pub about: &'static About,
    /// The venue, and its test environment where it has one.
    pub venues: Vec<Arc<dyn Venue>>,
    /// The account behind a key.
    pub account: Arc<dyn Account>,
    /// The key.
    pub keys: Arc<Keyring>,
    /// Public and private conversations.
    pub feeds: Vec<Box<dyn Feed>>,
    /// The decoders of all questions, each once.
    pub questions: Vec<Question>,
}

/// The venue that the environment variable `VENUE` names, else all of them.
pub fn subjects() -> Vec<Subject> {
    let wanted = std::env::var("VENUE").ok();
    let chosen: Vec<Subject> = VENUES
        .iter()
        .filter(|(about, _)| wanted.as_deref().is_none_or(|name| name == about.name))
        .map(|(about, build)| Subject::new(about, *build))
        .collect();
    assert!(!chosen.is_empty(), "VENUE names no venue");
    chosen
}

impl Subject {
    fn new(about: &'static About, build: Build) -> Self {
        let environments = [(false, Some(&about.live)), (true, about.test.as_ref())];
        let venues: Vec<_> = environments
            .into_iter()
            .filter_map(|(testnet, hosts)| {
                let hosts = hosts?.clone();
                Some(build(&Setup { hosts, ws_given: false, ws_private_given: false, testnet }))
            })
            .collect();
        let keys = Keyring::fixed(["organizations/o/apiKeys/k", SECRET, "phrase"]);
        let mut subject = Self {
            about,
            account: venues[0].account(Arc::clone(&keys)).expect("a key of the right form"),
            venues,
            keys,
            feeds: Vec::new(),
            questions: Vec::new(),
        };
        subject.public();
        subject.private();
        subject
    }

    fn public(&mut self) {
        for venue in self.venues.clone() {
            let feed = venue.feed(instruments());
            let asked = [Some(venue.instruments()), Some(venue.tickers()), Some(venue.clock()), venue.status()];
            let more = venue.rates("BRL").into_iter().chain(venue.rates("EUR")).chain(feed.seeds());
            asked.into_iter().flatten().chain(more).for_each(|query| self.add(&query, None));
            self.feeds.push(feed);
        }
    }

    /// Some questions are asked only in a mode, of wallets that could be read, or about symbols that were touched.
    fn private(&mut self) {
        let account = Arc::clone(&self.account);
        let names = vec!["BTCUSDT".to_owned()];
        let mut view = View {
            touched: names.clone(),
            touched_linear: names.clone(),
            touched_inverse: names.clone(),
            streamed: names,
            now: NOW,
            ..View::default()
        };
        for mode in [None, Some("classic"), Some("unified")] {
            view.mode = mode;
            let wallets = account.survey().into_iter().chain(account.asks(&view)).filter_map(|ask| match ask.topic {
                Topic::Wallet(wallet) => Some(wallet),
                _ => None,
            });
            view.read.extend(wallets);
            let asks = [account.survey(), account.asks(&view), account.fills(Micros(NOW.0 - 1_000_000), &view)];
            for Ask { query, topic, .. } in asks.into_iter().flatten() {
                self.add(&query, Some(topic));
            }
            for feed in account.feeds(&view) {
                feed.seeds().iter().for_each(|query| self.add(query, None));
                self.feeds.push(feed);
            }
        }
    }

    fn add(&mut self, query: &Query, topic: Option<Topic>) {
        if !self.questions.iter().any(|known| std::ptr::fn_addr_eq(known.decode, query.decode)) {
            self.questions.push(Question { name: query.name, topic, decode: query.decode });
        }
    }
}

/// November 2026.
const NOW: Micros = Micros::from_millis(1_795_000_000_000);

/// What the streams are subscribed to, in both ways that venues spell it.
fn instruments() -> Vec<Arc<Instrument>> {
    let one = |asked: &str| Instrument {
        market: Market::Spot,
        base: "BTC".into(),
        quote: "USDT".into(),
        asked: asked.into(),
        heard: asked.into(),
        trading: true,
    };
    ["BTCUSDT", "BTC-USDT"].map(|asked| Arc::new(one(asked))).into()
}
