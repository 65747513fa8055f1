//! What can go wrong, named by the contract's kinds: the kind decides what happens next, the detail is for people.

use std::fmt;
use std::time::Duration;

/// The most characters that are told of one thing: what is wrong, and an excerpt of what came.
pub const LONGEST_DETAIL: usize = 400;
/// No venue shuts anybody out for longer; Binance's longest ban is of three days.
pub const LONGEST_WAIT: Duration = Duration::from_secs(7 * 86_400);

/// The `kind` label of `exchange_errors_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// No connection, or it broke.
    Network,
    /// Nothing came in time: an answer, a keep-alive, market data.
    Timeout,
    /// The TLS handshake failed.
    Tls,
    /// The key, its passphrase or its signature was refused.
    Auth,
    /// The key may not do this, or may not do it from here.
    Permission,
    /// The venue found our timestamp outside its window.
    ClockSkew,
    /// Asked too often; wait as long as told.
    RateLimit,
    /// The venue says that it is down for work.
    Maintenance,
    /// The venue answered with an error of its own.
    Venue,
    /// Text that is not what the venue documents: truncated, of the wrong type, not JSON.
    Decode,
    /// Well-formed, but not what the conversation allows here: an unknown event, a binary frame, a bad upgrade.
    Protocol,
}

impl Kind {
    /// Every kind, in the order of the contract.
    pub const ALL: [Kind; 11] = [
        Kind::Network,
        Kind::Timeout,
        Kind::Tls,
        Kind::Auth,
        Kind::Permission,
        Kind::ClockSkew,
        Kind::RateLimit,
        Kind::Maintenance,
        Kind::Venue,
        Kind::Decode,
        Kind::Protocol,
    ];

    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Network => "network",
            Kind::Timeout => "timeout",
            Kind::Tls => "tls",
            Kind::Auth => "auth",
            Kind::Permission => "permission",
            Kind::ClockSkew => "clock_skew",
            Kind::RateLimit => "rate_limit",
            Kind::Maintenance => "maintenance",
            Kind::Venue => "venue",
            Kind::Decode => "decode",
            Kind::Protocol => "protocol",
        }
    }
}

/// The `source` label of `exchange_errors_total`: where the fault was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// A REST request.
    Rest,
    /// The public stream.
    Public,
    /// The private stream.
    Private,
}

impl Source {
    /// Every source, in the order of the contract.
    pub const ALL: [Source; 3] = [Source::Rest, Source::Public, Source::Private];

    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Source::Rest => "rest",
            Source::Public => "public",
            Source::Private => "private",
        }
    }
}

/// Why a venue refused a key, as far as its answer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// It does not know the key.
    Key,
    /// The signature does not fit.
    Secret,
    /// The passphrase does not fit.
    Passphrase,
    /// Secret or passphrase: where the passphrase is signed with the secret, either may be wrong.
    SecretOrPassphrase,
    /// The key is over.
    Expired,
    /// The key may not be used from this address.
    Address,
    /// The key lacks a permission.
    Scope,
    /// The key belongs to the live venue and this is its test environment, or the other way round.
    Environment,
    /// Our clock, or the time that we signed with.
    Clock,
    /// The venue gives one answer for several of these.
    Unsaid,
    /// The account, not the key: frozen, under review, not served in this country.
    Account,
    /// The venue does not serve this, here or to this account.
    Unserved,
}

impl Cause {
    /// What to do about it.
    pub const fn cure(self) -> &'static str {
        match self {
            Cause::Key => "check the API key: a typo, a deleted key, or a key of another region or site of the venue",
            Cause::Secret => "check the API secret: it does not belong to this key",
            Cause::Passphrase => {
                "check the API passphrase: it is the one chosen when the key was made, not the password"
            }
            Cause::SecretOrPassphrase => {
                "check the API secret, and check the API passphrase: one of them does not belong to this key"
            }
            Cause::Expired => "the key has expired: make a new one",
            Cause::Address => "add this machine's public address to the key's list of addresses",
            Cause::Scope => "give the key permission to read this",
            Cause::Environment => "the key is of the other environment: see --exchange.testnet",
            Cause::Clock => "set this machine's clock, for example by chrony or systemd-timesyncd",
            Cause::Unsaid => {
                "check key and secret, the key's list of addresses, its permission to read, its expiry, and that it is of this environment"
            }
            Cause::Account => "ask the venue: it is about the account, not the key",
            Cause::Unserved => {
                "check that the address is the venue's own API; otherwise the venue does not serve this here"
            }
        }
    }
}

/// One thing that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it counts as.
    pub kind: Kind,
    /// One sentence for the log. Never a secret, a signed URL or a raw body.
    pub detail: String,
    /// How long the venue told us to stay away.
    pub wait: Option<Duration>,
    /// Why the key was refused, where it was.
    pub cause: Option<Cause>,
}

impl Fault {
    /// A fault of this kind, told in one sentence. It is fit for a log whatever it quotes: parsers quote what they read.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let fit = detail.len() <= LONGEST_DETAIL && !detail.contains(char::is_control);
        Self { kind, detail: if fit { detail } else { shortened(&detail, LONGEST_DETAIL) }, wait: None, cause: None }
    }

    /// The same, with the time that the venue told us to stay away; no longer than any venue means.
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        self.wait = wait.map(|wait| wait.min(LONGEST_WAIT));
        self
    }

    /// The same, with the reason for which a key was refused.
    pub fn because(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    /// A frame or reply that is not what the venue documents.
    pub fn decode(detail: impl Into<String>) -> Self {
        Self::new(Kind::Decode, detail)
    }

    /// A message that has no place in this conversation.
    pub fn protocol(detail: impl Into<String>) -> Self {
        Self::new(Kind::Protocol, detail)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.detail)?;
        self.cause.map_or(Ok(()), |cause| write!(f, "; {}", cause.cure()))
    }
}

impl std::error::Error for Fault {}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::decode(error.to_string())
    }
}

/// Text of a venue made fit for a log line: one line, at most 200 characters.
pub fn excerpt(text: &str) -> String {
    shortened(text, 201)
}

/// One line of at most so many characters, the last of which says that there was more.
fn shortened(text: &str, most: usize) -> String {
    let more = text.chars().nth(most).is_some();
    let taken = text.chars().take(if more { most - 1 } else { most });
    taken.map(plain).chain(more.then_some('…')).collect()
}

/// A space instead of a line break or another control character.
pub fn plain(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_fault_quotes_is_one_short_line() {
        let quoting = serde_json::from_str::<Option<bool>>(&format!("\"{}\"", "\\u001b".repeat(5000))).unwrap_err();
        let told = Fault::from(quoting).detail;
        assert!(told.chars().count() == LONGEST_DETAIL && told.ends_with('…'), "{told}");
        let told = Fault::decode("unknown variant `a\nlevel=error msg=lies`").detail;
        assert_eq!(told, "unknown variant `a level=error msg=lies`");
        assert_eq!(Fault::decode("é".repeat(LONGEST_DETAIL)).detail.chars().count(), LONGEST_DETAIL);
        assert_eq!(excerpt(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(excerpt(&"x".repeat(300)), format!("{}…", "x".repeat(200)));
    }

    #[test]
    fn nobody_is_shut_out_for_ever() {
        let fault = Fault::new(Kind::RateLimit, "").after(Some(Duration::from_secs(u64::MAX)));
        assert_eq!(fault.wait, Some(LONGEST_WAIT));
    }
}
