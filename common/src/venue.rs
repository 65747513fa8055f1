//! What a venue author writes: pure descriptions of a venue's REST questions and websocket conversations. Nothing
//! here touches a socket, a clock, a task, a metric or a log; `common` does that, once, for all venues.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::fault::Fault;
use crate::update::{Instrument, Tell};

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
}

/// Base URLs, without the documented paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// REST.
    pub rest: Cow<'static, str>,
    /// Public stream.
    pub ws: Cow<'static, str>,
    /// Private stream.
    pub ws_private: Cow<'static, str>,
}

impl Hosts {
    /// The three base URLs.
    pub const fn new(rest: &'static str, ws: &'static str, ws_private: &'static str) -> Self {
        Self { rest: Cow::Borrowed(rest), ws: Cow::Borrowed(ws), ws_private: Cow::Borrowed(ws_private) }
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
    /// The venue's test or demo environment.
    pub testnet: bool,
}

/// One exchange.
pub trait Venue: Send + Sync {
    /// What the venue says with this reply besides its answer: a refusal, how much of a limit is left.
    fn judge<'f>(&self, reply: &Reply<'f>, tell: Tell<'_, 'f>) -> Result<(), Fault>;

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
}

/// One websocket conversation.
pub trait Feed: Send + Sync {
    /// A request whose reply is needed before every dial, such as a token.
    fn ticket(&self) -> Option<Request> {
        None
    }

    /// Where to dial and what the line demands; `ticket` is the reply's body, empty where none is asked for.
    fn endpoint(&self, ticket: &str) -> Result<Endpoint, Fault>;

    /// What to say after the dial, one step after the other.
    fn opening(&self) -> Vec<Step>;

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
            let and = if request.query.is_empty() { "" } else { "&" };
            request.query = format!("{}{and}{}={page}", request.query, self.page_as);
        }
        request
    }
}

/// A REST request, without host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// POST instead of GET.
    pub post: bool,
    /// Path from the host, such as `/api/v5/public/time`.
    pub path: String,
    /// What follows the `?`, encoded as it is to be sent.
    pub query: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// What the venue charges for it.
    pub weight: u32,
}

impl Request {
    /// A GET that weighs one unit.
    pub fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), weight: 1, ..Self::default() }
    }

    /// A POST without a body that weighs one unit.
    pub fn post(path: impl Into<String>) -> Self {
        Self { post: true, ..Self::get(path) }
    }

    /// With this query.
    pub fn query(mut self, query: impl Into<String>) -> Self {
        self.query = query.into();
        self
    }

    /// Of this weight.
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// With this header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A REST reply, whatever its status.
#[derive(Clone, Copy)]
pub struct Reply<'f> {
    /// HTTP status.
    pub status: u16,
    /// A header's value by its lower-case name.
    pub headers: &'f dyn Headers,
    /// The body, at most what the client reads.
    pub body: &'f str,
}

/// Looks up headers.
pub trait Headers: Sync {
    /// The first value of the header of this lower-case name, if it is text.
    fn get(&self, name: &str) -> Option<&str>;
}

/// No headers, for tests and tools.
impl Headers for () {
    fn get(&self, _: &str) -> Option<&str> {
        None
    }
}

impl Reply<'_> {
    /// A header as a number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.headers.get(name)?.trim().parse().ok().filter(|value: &f64| value.is_finite())
    }

    /// `Retry-After` in seconds, the form that venues use.
    pub fn retry_after(&self) -> Option<Duration> {
        self.headers.get("retry-after")?.trim().parse().ok().map(Duration::from_secs)
    }
}

/// Where a conversation happens and what it demands of us.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Messages, in order.
    pub say: Vec<String>,
    /// Answers to await: accepted or refused.
    pub answers: usize,
}
