//! REST requests and replies, as pure descriptions: what is asked of which host, and what came back.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

/// Which of the venue's hosts a request goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Host {
    /// [`Hosts::rest`](crate::venue::Hosts::rest).
    #[default]
    Main,
    /// [`Hosts::rest_futures`](crate::venue::Hosts::rest_futures).
    Futures,
    /// [`Hosts::rest_coin`](crate::venue::Hosts::rest_coin).
    Coin,
}

/// A REST request, without host. Its `Debug` shows neither query nor headers: signatures stand there.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// POST instead of GET.
    pub post: bool,
    /// To which host.
    pub host: Host,
    /// Path from the host, such as `/api/v5/public/time`.
    pub path: String,
    /// What follows the `?`, encoded as it is to be sent.
    pub query: String,
    /// What a POST carries.
    pub body: String,
    /// Further headers.
    pub headers: Vec<(&'static str, Zeroizing<String>)>,
    /// What the venue charges for it.
    pub weight: u32,
    /// The limit that it is charged to: empty for [`About::requests`](crate::venue::About::requests), else a name of [`About::pools`](crate::venue::About::pools).
    pub pool: &'static str,
    /// Signed with the account's key, at the last moment before it is sent.
    pub signed: bool,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.post { "POST" } else { "GET" };
        write!(f, "{verb} {}{}", self.path, if self.signed { " (signed)" } else { "" })
    }
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

    /// With this body, of JSON.
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }

    /// Of this weight.
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// Charged to this limit.
    pub fn pool(mut self, pool: &'static str) -> Self {
        self.pool = pool;
        self
    }

    /// To the host of the derivatives.
    pub fn futures(mut self) -> Self {
        self.host = Host::Futures;
        self
    }

    /// To the host of the derivatives margined in coins.
    pub fn coin(mut self) -> Self {
        self.host = Host::Coin;
        self
    }

    /// With the account's signature.
    pub fn signed(mut self) -> Self {
        self.signed = true;
        self
    }

    /// With this header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, Zeroizing::new(value.into())));
        self
    }

    /// `GET` or `POST`, as signatures spell it.
    pub fn method(&self) -> &'static str {
        if self.post { "POST" } else { "GET" }
    }

    /// Path and query as they go over the wire.
    pub fn target(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", self.path, self.query)
    }

    /// Adds to the query.
    pub fn append(&mut self, more: &str) {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.push_str(more);
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
