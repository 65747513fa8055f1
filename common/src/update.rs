//! What a message says: signals steer the conversation, facts go to the board.

use std::borrow::Cow;
use std::time::Duration;

use crate::account::Entry;
use crate::fault::Fault;
use crate::json::Reader;
use crate::number::Said;

/// Microseconds since the Unix epoch, by whichever clock the context names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micros(pub i64);

impl Micros {
    /// From the milliseconds that most venues send.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// From Unix seconds.
    pub fn of_unix(seconds: f64) -> Self {
        Self((seconds * 1e6) as i64)
    }

    /// Whether a venue's clock may show it: between the first of these venues and the end of the century. Anything else is a
    /// misreading, in other units for example.
    pub fn is_plausible(self) -> bool {
        (1_325_376_000.0..4_102_444_800.0).contains(&self.as_seconds())
    }

    /// Milliseconds, as most venues want them.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// `2026-11-20T10:00:00.123Z`: UTC with exactly three decimals, as signatures want it.
    pub fn rfc3339(self) -> String {
        let time = jiff::Timestamp::from_microsecond(self.0).unwrap_or_default();
        time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// From `2026-11-20T10:00:00Z`, with an offset and decimals or without.
    pub fn of_rfc3339(text: &str) -> Option<Self> {
        text.parse().ok().map(|time: jiff::Timestamp| Self(time.as_microsecond()))
    }

    /// As the seconds of Prometheus.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

/// What a venue trades under one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Market {
    /// Coins against coins or money, delivered at once.
    Spot,
    /// Contracts margined in the quote currency.
    Linear,
    /// Contracts margined in the base currency.
    Inverse,
    /// Options.
    Option,
}

impl Market {
    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Market::Spot => "spot",
            Market::Linear => "linear",
            Market::Inverse => "inverse",
            Market::Option => "option",
        }
    }
}

/// One thing that a venue lists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instrument {
    /// Which of the venue's markets.
    pub market: Market,
    /// Base asset, by the venue's code.
    pub base: String,
    /// Quote asset, by the venue's code.
    pub quote: String,
    /// The venue's own spelling: what subscriptions ask for.
    pub asked: String,
    /// The name under which its data arrives, where that differs (Coinbase answers `BTC-USDC` as `BTC-USD`).
    pub heard: String,
    /// Whether it trades now.
    pub trading: bool,
}

impl Instrument {
    /// Base and quote with no separator, upper case: the `symbol` label, the same on every venue.
    pub fn symbol(&self) -> String {
        format!("{}{}", self.base, self.quote).to_uppercase()
    }
}

/// Prices and 24 h figures of one symbol, as far as one message tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ticker<'f> {
    /// The venue's name for it, as heard.
    pub symbol: &'f str,
    /// Last trade.
    pub last: Said,
    /// Best bid.
    pub bid: Said,
    /// Best ask.
    pub ask: Said,
    /// 24 h volume in base currency.
    pub volume_base: Said,
    /// 24 h volume in quote currency.
    pub volume_quote: Said,
    /// 24 h high.
    pub high: Said,
    /// 24 h low.
    pub low: Said,
    /// 24 h change, signed, 0.01 = +1 %.
    pub change: Said,
    /// When the venue made this event, only where it dates this very event.
    pub at: Option<Micros>,
}

/// What a value of a row of prices is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// The venue's name for what the row is about.
    Symbol,
    /// Milliseconds since the Unix epoch.
    At,
    /// Last trade.
    Last,
    /// Best bid.
    Bid,
    /// Best ask.
    Ask,
    /// 24 h volume in base currency.
    VolumeBase,
    /// 24 h volume in quote currency.
    VolumeQuote,
    /// 24 h high.
    High,
    /// 24 h low.
    Low,
    /// 24 h change, 0.01 is +1 %.
    Change,
    /// The same, 1 is +1 %.
    ChangePercent,
}

impl<'f> Ticker<'f> {
    /// Takes the value that comes next in a frame.
    #[inline(always)]
    pub fn take(&mut self, figure: Figure, value: &mut Reader<'f>) -> Result<(), Fault> {
        let (place, price) = match figure {
            Figure::Symbol => {
                self.symbol = value.text()?;
                return Ok(());
            }
            Figure::At => {
                self.at = value.whole()?.map(Micros::from_millis);
                return Ok(());
            }
            Figure::Last => (&mut self.last, true),
            Figure::Bid => (&mut self.bid, true),
            Figure::Ask => (&mut self.ask, true),
            Figure::High => (&mut self.high, true),
            Figure::Low => (&mut self.low, true),
            Figure::VolumeBase => (&mut self.volume_base, false),
            Figure::VolumeQuote => (&mut self.volume_quote, false),
            Figure::Change | Figure::ChangePercent => (&mut self.change, false),
        };
        let said = value.number()?;
        *place = match figure {
            Figure::ChangePercent => said.divided(100.0),
            _ if price => said.as_price(),
            _ => said,
        };
        Ok(())
    }
}

/// One limiter, as a reply reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit<'f> {
    /// A short fixed name, the `limit` label.
    pub name: Cow<'f, str>,
    /// How many units a window holds.
    pub limit: Option<f64>,
    /// How many are left in this window.
    pub remaining: Option<f64>,
    /// How long what is said here holds: after it the window has turned.
    pub window: Duration,
}

/// What steers a conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Signal<'f> {
    /// One thing that we said was accepted.
    Accepted,
    /// One thing that we said was refused.
    Refused(Fault),
    /// The venue does not serve this symbol.
    Unlisted(Cow<'f, str>),
    /// Our keep-alive was answered.
    Pong,
    /// The venue will close this line soon: open another.
    Leaving,
    /// The conversation is over for this reason, though the line is open: a login revoked, a subscription ended.
    Over(Fault),
    /// The number of this frame on this line, where the venue counts them by one.
    Sequence(u64),
}

/// What is so.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact<'f> {
    /// Prices: what they name is replaced, what they don't name stays.
    Ticker(Ticker<'f>),
    /// Prices asked over REST: they fill only what the stream has not said.
    Seed(Ticker<'f>),
    /// A row of the venue's list.
    Instrument(Instrument),
    /// The venue's clock, read while the request was under way.
    Clock(Micros),
    /// Whether the venue says that it is up.
    Status {
        /// Up.
        up: bool,
    },
    /// A limiter's state.
    Limit(Limit<'f>),
    /// Something for the account's book.
    Entry(Entry),
}

/// One statement of a frame or reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Update<'f> {
    /// For the conversation.
    Signal(Signal<'f>),
    /// For the board.
    Fact(Fact<'f>),
    /// A part of the message that could not be read; the rest of it goes on.
    Misread(Fault),
}

impl<'f> From<Signal<'f>> for Update<'f> {
    fn from(signal: Signal<'f>) -> Self {
        Update::Signal(signal)
    }
}

impl<'f> From<Fact<'f>> for Update<'f> {
    fn from(fact: Fact<'f>) -> Self {
        Update::Fact(fact)
    }
}

impl From<Entry> for Update<'_> {
    fn from(entry: Entry) -> Self {
        Update::Fact(Fact::Entry(entry))
    }
}

impl<'f> From<Ticker<'f>> for Update<'f> {
    fn from(ticker: Ticker<'f>) -> Self {
        Update::Fact(Fact::Ticker(ticker))
    }
}

/// Takes the updates of one message, any number of them, with no list in between.
pub type Tell<'t, 'f> = &'t mut dyn FnMut(Update<'f>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_in_other_units_is_none() {
        let now = 1_795_168_800_017;
        assert!(Micros::from_millis(now).is_plausible());
        for wrong in [Micros(now), Micros::from_millis(now * 1000), Micros(i64::MAX), Micros(0), Micros(i64::MIN)] {
            assert!(!wrong.is_plausible(), "{wrong:?}");
        }
    }
}
