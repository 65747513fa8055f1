//! What a venue author writes: pure descriptions of a venue's REST questions and websocket conversations. Nothing
//! here touches a socket, a clock, a task, a metric or a log; `common` does that, once, for all venues.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use crate::request::{Headers, Host, Reply, Request};

use crate::account::Account;
use crate::fault::Fault;
use crate::net;
use crate::secrets::keyring::Keyring;
use crate::update::{Instrument, Micros, Tell};

/// Fixed facts about a venue.
#[derive(Clone, Debug)]
pub struct About {
    /// The `exchange` label, the binary's prefix, the compatibility names' prefix: `okx`.
    pub name: &'static str,
    /// For people: `OKX`.
    pub title: &'static str,
    /// Default port.
    pub port: u16,
    /// The venue's own hosts.
    pub live: Hosts,
    /// Its test or demo environment, where it has one with market data.
    pub test: Option<Hosts>,
    /// Which of `API_KEY`, `API_SECRET`, `API_PASSPHRASE` its keys consist of.
    pub credentials: &'static [&'static str],
    /// How many symbols one connection carries, within the venue's limits.
    pub symbols_per_line: usize,
    /// New connections that the venue allows in a window.
    pub dials: Allowance,
    /// REST weight that the venue allows in a window; one request weighs what [`Request::weight`] says.
    pub requests: Allowance,
    /// The most requests together that the venue bears, whatever the share, where that is less than a share of a longer
    /// window would let through at once.
    pub burst: Option<Allowance>,
    /// Limits of their own, by the name that [`Request::pool`] uses.
    pub pools: &'static [(&'static str, Allowance)],
    /// Assets through which others are priced, the most liquid first.
    pub hubs: &'static [&'static str],
    /// Claims that the venue itself redeems one for one: no market prices them.
    pub pars: &'static [(&'static str, &'static str)],
}

/// Base URLs, without the documented paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// REST.
    pub rest: Cow<'static, str>,
    /// REST of the derivatives, where they have a host of their own; else empty.
    pub rest_futures: Cow<'static, str>,
    /// REST of the derivatives margined in coins, where they have yet another one; else empty.
    pub rest_coin: Cow<'static, str>,
    /// Public stream.
    pub ws: Cow<'static, str>,
    /// Private stream.
    pub ws_private: Cow<'static, str>,
}

impl Hosts {
    /// The base URLs: REST, REST of the derivatives (empty where it is the same), public stream, private stream.
    pub const fn new(
        rest: &'static str,
        rest_futures: &'static str,
        ws: &'static str,
        ws_private: &'static str,
    ) -> Self {
        Self {
            rest: Cow::Borrowed(rest),
            rest_futures: Cow::Borrowed(rest_futures),
            rest_coin: Cow::Borrowed(""),
            ws: Cow::Borrowed(ws),
            ws_private: Cow::Borrowed(ws_private),
        }
    }
}

/// So many units in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Units.
    pub units: u32,
    /// The window that they are for.
    pub per: Duration,
}

/// What a venue is built from, after flags and environment were read.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The hosts to use.
    pub hosts: Hosts,
    /// True where the user set the public stream's address, so that it wins over an address the venue hands out.
    pub ws_given: bool,
    /// True where the user set the private stream's address, likewise.
    pub ws_private_given: bool,
    /// The venue's test or demo environment.
    pub testnet: bool,
}

/// One exchange.
pub trait Venue: Send + Sync {
    /// What the venue says with this reply besides its answer: a refusal, how much of a limit is left.
    fn judge<'f>(&self, reply: &Reply<'f>, tell: Tell<'_, 'f>) -> Result<(), Fault>;

    /// What the headers say of the limit of this pool, which the request was charged to: tells
    /// [`Fact::Limit`](crate::Fact::Limit), where [`Venue::judge`] cannot, because pools share their headers' names.
    fn limits<'f>(&self, _pool: &str, _reply: &Reply<'f>, _tell: Tell<'_, 'f>) {}

    /// What it lists: tells [`Fact::Instrument`](crate::Fact::Instrument) rows.
    fn instruments(&self) -> Query;

    /// 24 h figures of everything it lists, to rank symbols by turnover.
    fn tickers(&self) -> Query;

    /// Its clock.
    fn clock(&self) -> Query;

    /// Whether it is up. `None` where it has no such endpoint; then its list tells.
    fn status(&self) -> Option<Query>;

    /// The public conversation about these instruments, at most [`About::symbols_per_line`] of them.
    fn feed(&self, instruments: Vec<Arc<Instrument>>) -> Box<dyn Feed>;

    /// What USDT is worth in dollars and in this fiat by the venue's own word, where no market of its own says so:
    /// tells [`Entry::Rate`](crate::account::Entry::Rate) rows. Asked every minute, without a key.
    fn rates(&self, _fiat: &str) -> Vec<Query> {
        Vec::new()
    }

    /// The account that a key opens. The error, one line, says what is wrong with the key's form; it ends the start.
    fn account(&self, keys: Arc<Keyring>) -> Result<Arc<dyn Account>, String>;
}

/// One websocket conversation.
pub trait Feed: Send + Sync {
    /// What tells it from the account's other conversations, where an account has some of them only at times.
    fn name(&self) -> &'static str {
        ""
    }

    /// A request whose reply is needed before every dial, such as a token.
    fn ticket(&self) -> Option<Request> {
        None
    }

    /// Where to dial and what the line demands; `ticket` is the reply's body, empty where none is asked for.
    fn endpoint(&self, ticket: &str) -> Result<Endpoint, Fault>;

    /// What to say after the dial, one step after the other; `now` is the venue's clock, for logins.
    fn opening(&self, now: Micros) -> Result<Vec<Step>, Fault>;

    /// Reads one text frame.
    fn decode<'f>(&self, frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault>;

    /// Questions asked over REST once this line is live: what the stream does not say by itself.
    fn seeds(&self) -> Vec<Query> {
        Vec::new()
    }
}

/// Reads the body of a reply that the venue's `judge` let pass; `Some` asks for the page so named.
pub type Decoder = for<'t, 'f> fn(&'f str, Tell<'t, 'f>) -> Result<Option<String>, Fault>;

/// One REST question.
#[derive(Clone, Debug)]
pub struct Query {
    /// The `endpoint` label: short and fixed.
    pub name: &'static str,
    /// The request.
    pub request: Request,
    /// How often to ask again; `None` asks once.
    pub every: Option<Duration>,
    /// The parameter that names the next page; empty where there is one page only.
    pub page_as: &'static str,
    /// Reads the reply.
    pub decode: Decoder,
}

impl Query {
    /// A question asked once, with a reply of one page.
    pub fn new(name: &'static str, request: Request, decode: Decoder) -> Self {
        Self { name, request, every: None, page_as: "", decode }
    }

    /// Asked again and again.
    pub fn every(mut self, every: Duration) -> Self {
        self.every = Some(every);
        self
    }

    /// With pages, the next one named by this parameter.
    pub fn paged(mut self, page_as: &'static str) -> Self {
        self.page_as = page_as;
        self
    }

    /// The request for a page, the first one without a name. Names are sent as the venue gave them.
    pub fn page(&self, page: Option<&str>) -> Request {
        let mut request = self.request.clone();
        if let Some(page) = page {
            request.append(&format!("{}={page}", self.page_as));
        }
        request
    }
}

/// Where a conversation happens and what it demands of us.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The whole address.
    pub url: String,
    /// A text to send again and again, where the venue wants one from the client.
    pub heartbeat: Option<Heartbeat>,
    /// With nothing heard for so long, not even a protocol ping, the line is dead.
    pub silence: Duration,
    /// Least time between two messages of ours.
    pub pace: Duration,
    /// How long the venue keeps a line open at most; we move to another one before.
    pub lifetime: Option<Duration>,
}

/// Without the address: some carry a token.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", net::host(&self.url))
    }
}

/// The keep-alive that the client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The text.
    pub say: Cow<'static, str>,
    /// How often.
    pub every: Duration,
    /// How long its answer may take.
    pub within: Duration,
}

/// Things to say together, and how many answers to await before going on.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// Messages, in order.
    pub say: Vec<String>,
    /// Answers to await: accepted or refused.
    pub answers: usize,
}

/// Without the messages: logins carry signatures, on OKX the passphrase itself.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Step({} messages, {} answers)", self.say.len(), self.answers)
    }
}
