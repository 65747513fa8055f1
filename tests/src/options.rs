//! What a fake can be told before it starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::Venue;

/// How a fake venue starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 finds a free one.
    pub address: SocketAddr,
    /// Seed of the market.
    pub seed: u64,
    /// How many symbols in total; `None` for the venue's default ones.
    pub symbols: Option<usize>,
    /// Time between two steps of the market.
    pub tick: Duration,
    /// Start with a market that stands still.
    pub frozen: bool,
    /// The venue's time constants; `None` for the documented ones.
    pub times: Option<Times>,
    /// The websocket that tickets lead to, if not this server (KuCoin).
    pub ticket_endpoint: Option<String>,
    /// At this rhythm the account does something at random, from the seed; `None` for an account that rests.
    pub trader: Option<Duration>,
    /// Pages hold at most so many rows, whatever the client asks: where an answer itself says whether there is more. OKX: the
    /// pages of a snapshot.
    pub page_size: Option<usize>,
    /// Write some texts of every shape that is sent, frames and answers, into this folder.
    pub samples: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            symbols: None,
            tick: Duration::from_millis(100),
            frozen: false,
            times: None,
            ticket_endpoint: None,
            trader: None,
            page_size: None,
            samples: None,
        }
    }
}

/// The time constants of a venue. Those it does not know stay unused.
#[derive(Clone, Debug)]
pub struct Times {
    /// The server pings this often (Binance).
    pub server_ping: Duration,
    /// A ping unanswered for this long ends the connection (Binance).
    pub pong_within: Duration,
    /// A connection idle for this long is cut. Who must not be idle differs: OKX and Coinbase count
    /// what the server sent, Bybit and KuCoin what the client sent.
    pub idle: Duration,
    /// A connection must subscribe within this (Coinbase).
    pub first_subscribe: Duration,
    /// Time to the welcome (KuCoin).
    pub welcome: Duration,
    /// The ping interval and timeout named in the ticket (KuCoin).
    pub ticket_ping: (Duration, Duration),
    /// Heartbeats on the channel of that name (Coinbase).
    pub heartbeat: Duration,
    /// Between two pushes of one symbol's ticker: Binance `@ticker`, KuCoin `snapshot`, Bybit and OKX `tickers`, Coinbase
    /// `ticker_batch`. Faster streams of the venue keep their proportion to it.
    pub ticker: Duration,
    /// An unchanged book is sent again after this (Bybit).
    pub book_repeat: Duration,
    /// A listenKey is good for this long after it was last asked for (Binance).
    pub listen_key: Duration,
    /// From the notice of a shutdown to the close.
    pub notice: Duration,
    /// Every connection is cut at this age.
    pub lifetime: Option<Duration>,
}

impl Times {
    /// What the venue documents.
    #[must_use]
    pub const fn documented(venue: Venue) -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        let (idle, ticker, lifetime) = match venue {
            Venue::Binance => (DAY, 1_000, Some(DAY)),
            Venue::Kucoin => (Duration::from_millis(60_500), 2_000, Some(DAY)),
            Venue::Bybit => (Duration::from_secs(600), 50, None),
            Venue::Coinbase => (Duration::from_secs(90), 5_000, None),
            Venue::Okx => (Duration::from_secs(30), 100, None),
        };
        Self {
            server_ping: Duration::from_secs(20),
            pong_within: Duration::from_secs(60),
            idle,
            first_subscribe: Duration::from_secs(5),
            welcome: Duration::from_millis(30),
            ticket_ping: (Duration::from_millis(18_000), Duration::from_millis(10_000)),
            heartbeat: Duration::from_secs(1),
            ticker: Duration::from_millis(ticker),
            book_repeat: Duration::from_secs(3),
            listen_key: Duration::from_secs(60 * 60),
            notice: Duration::from_secs(60),
            lifetime,
        }
    }
}
