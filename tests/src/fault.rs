//! What can go wrong with a venue, on demand.

use serde::{Deserialize, Serialize};

/// One way for a venue to misbehave. As JSON: `{"fault":"rest_slow","ms":500}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// Closes open websockets properly, now.
    Close,
    /// Ends their TCP connections without a close frame, now.
    Drop,
    /// Resets their TCP connections, now.
    Reset,
    /// Says goodbye as the venue does (where it does), then closes after `ms`, or after the documented notice.
    Shutdown {
        /// From the notice to the close.
        ms: Option<u64>,
    },
    /// Skips sequence numbers, now (Coinbase).
    SkipSequence {
        /// How many.
        by: u64,
    },
    /// No market data; pings, heartbeats and subscriptions are answered.
    Silent,
    /// Nothing more of one symbol is streamed, while the connection lives and the others move.
    FrozenSymbol {
        /// Which, in the venue's spelling.
        symbol: String,
    },
    /// Half-open: nothing is read and nothing is sent.
    Deaf,
    /// New websockets are reset before the handshake.
    RefuseDial,
    /// Nonsense between the good frames: of one kind, or of all in turn.
    Garbage {
        /// Which.
        kind: Option<Garbage>,
    },
    /// Subscriptions work, but no answer says so.
    SwallowAcks,
    /// Subscriptions are refused as the venue refuses them: of one symbol, or all.
    Reject {
        /// Which, in the venue's spelling.
        symbol: Option<String>,
    },
    /// Websockets are cut at this age.
    Lifetime {
        /// The age.
        ms: u64,
    },
    /// REST answers that there were too many requests.
    RestLimited {
        /// In which of the venue's ways.
        how: Limited,
    },
    /// REST answers late.
    RestSlow {
        /// By how much.
        ms: u64,
    },
    /// REST answers wrongly.
    RestBroken {
        /// In which way.
        how: Broken,
    },
    /// REST answers 502 wherever the path has this in it.
    RestPathDown {
        /// A part of the path.
        path: String,
    },
    /// Others at our address use so much of the venue's limit of requests (Binance).
    Crowded {
        /// Of each limit, in per cent.
        percent: u64,
    },
    /// The venue's clock is off: server time and event times.
    Clock {
        /// By how much; ahead when positive.
        ms: i64,
    },
    /// The venue is down for maintenance and says so.
    Maintenance,
    /// Private websockets tell every event twice.
    RepeatEvents,
    /// Private websockets tell neighbouring events in the wrong order.
    SwapEvents,
    /// Logins and private subscriptions are refused, however right they are.
    RefuseLogins,
    /// Something goes wrong for private websockets and signed requests alone; as JSON
    /// `{"fault":"private","what":{"fault":"close"}}`.
    Private {
        /// What.
        what: Box<Fault>,
    },
}

/// Kinds of nonsense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Garbage {
    /// Half of a good frame.
    Truncated,
    /// A good frame with every value of another type.
    WrongTypes,
    /// A good frame with every value null.
    Nulls,
    /// A well-formed event that nobody knows.
    UnknownEvent,
    /// A good frame about a symbol that nobody asked for.
    UnknownSymbol,
    /// A text frame of 2 MB.
    Huge,
    /// A binary frame.
    Binary,
    /// A text frame that is not UTF-8.
    InvalidUtf8,
    /// An empty text frame.
    Empty,
    /// Ten thousand opening brackets, and as many closing ones.
    DeeplyNested,
}

impl Garbage {
    /// All kinds that a client can survive. `InvalidUtf8` is not one of them: RFC 6455 has the client fail the connection.
    pub const SURVIVABLE: [Self; 9] = [
        Self::Truncated,
        Self::WrongTypes,
        Self::Nulls,
        Self::UnknownEvent,
        Self::UnknownSymbol,
        Self::Huge,
        Self::Binary,
        Self::Empty,
        Self::DeeplyNested,
    ];
}

/// The ways to be told of too many requests. A venue that lacks a way uses `Plain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limited {
    /// The usual one: 429 with the venue's body and headers; Bybit: 200 with retCode 10006.
    Plain,
    /// The rarer one: KuCoin without headers, OKX 200 with code 50011, Coinbase as JSON, Bybit 429.
    Other,
    /// Locked out for long: Binance 418, Bybit 403, KuCoin and OKX 403 from the CDN.
    Banned,
}

/// Wrong REST answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Broken {
    /// 500 with an empty body.
    InternalError,
    /// 502 with an HTML page.
    BadGateway,
    /// 200 with an HTML page.
    Html,
    /// 200, but half of the body is missing.
    Truncated,
    /// The connection is reset instead of an answer.
    Reset,
}

impl Fault {
    /// The same for private websockets and signed requests alone.
    #[must_use]
    pub fn private(self) -> Self {
        Self::Private { what: Box::new(self) }
    }

    /// What it means for a conversation that is private or not; `None`: nothing.
    fn strikes(&self, private: bool) -> Option<&Self> {
        match self {
            Self::Private { what } => private.then_some(&**what),
            fault => Some(fault),
        }
    }

    /// Happens once, rather than lasting until cleared.
    #[must_use]
    pub const fn is_event(&self) -> bool {
        match self {
            Self::Private { what } => what.is_event(),
            fault => {
                matches!(
                    fault,
                    Self::Close | Self::Drop | Self::Reset | Self::Shutdown { .. } | Self::SkipSequence { .. }
                )
            }
        }
    }

    /// Concerns REST requests rather than websockets.
    #[must_use]
    pub const fn is_rest(&self) -> bool {
        match self {
            Self::Private { what } => what.is_rest(),
            fault => matches!(
                fault,
                Self::RestLimited { .. } | Self::RestSlow { .. } | Self::RestBroken { .. } | Self::RestPathDown { .. }
            ),
        }
    }
}

/// The faults of one venue: those that last, those that wait for the next connection, and all events so far.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) lasting: Vec<Fault>,
    next: Vec<Fault>,
    events: Vec<Fault>,
    clearings: usize,
}

impl Faults {
    pub(crate) fn inflict(&mut self, fault: Fault) {
        if fault.is_event() { self.events.push(fault) } else { self.lasting.push(fault) }
    }

    pub(crate) fn inflict_next(&mut self, fault: Fault) {
        self.next.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.lasting.clear();
        self.next.clear();
        self.clearings += 1;
    }

    pub(crate) fn clear_one(&mut self, fault: &Fault) {
        self.lasting.retain(|lasting| lasting != fault);
        self.next.retain(|next| next != fault);
    }

    /// What the next REST request suffers: what lasts, and what waited for it.
    pub(crate) fn for_request(&mut self, private: bool) -> Vec<Fault> {
        let meant = |fault: &Fault| fault.is_rest() && fault.strikes(private).is_some();
        let waiting: Vec<Fault> = self.next.extract_if(.., |fault| meant(fault)).collect();
        let faults = self.lasting.iter().filter(|fault| meant(fault)).chain(&waiting);
        faults.filter_map(|fault| fault.strikes(private)).cloned().collect()
    }

    /// What a new websocket suffers besides what lasts.
    pub(crate) fn for_socket(&mut self, private: bool) -> Fate {
        let meant = |fault: &mut Fault| !fault.is_rest() && fault.strikes(private).is_some();
        let (events, own) = self.next.extract_if(.., meant).partition(Fault::is_event);
        Fate { private, own, events, heard: self.events.len(), clearings: self.clearings }
    }
}

/// The faults of one websocket.
#[derive(Debug)]
pub(crate) struct Fate {
    private: bool,
    own: Vec<Fault>,
    events: Vec<Fault>,
    heard: usize,
    clearings: usize,
}

impl Fate {
    /// The faults in force now, and the events since the last call.
    pub(crate) fn now(&mut self, faults: &Faults) -> (Vec<Fault>, Vec<Fault>) {
        if self.clearings != faults.clearings {
            self.clearings = faults.clearings;
            self.own.clear();
        }
        let mut events = std::mem::take(&mut self.events);
        events.extend_from_slice(&faults.events[self.heard..]);
        self.heard = faults.events.len();
        (self.meant(self.own.iter().chain(&faults.lasting)), self.meant(events.iter()))
    }

    /// The conversation turns out to be private: it suffers what waited for the next such one.
    pub(crate) fn turn_private(&mut self, faults: &mut Faults) {
        if !std::mem::replace(&mut self.private, true) {
            let found = faults.for_socket(true);
            self.own.extend(found.own);
            self.events.extend(found.events);
        }
    }

    fn meant<'a>(&self, faults: impl Iterator<Item = &'a Fault>) -> Vec<Fault> {
        faults.filter_map(|fault| fault.strikes(self.private)).cloned().collect()
    }

    pub(crate) fn refuses_dial(&self, faults: &Faults) -> bool {
        self.meant(self.own.iter().chain(&faults.lasting)).contains(&Fault::RefuseDial)
    }
}
