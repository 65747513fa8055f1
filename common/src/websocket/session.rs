//! A conversation without its line: what to say when, what answers are due, and when it is over. Pure; every deadline
//! lives here and time is an argument.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use crate::fault::{Fault, Kind};
use crate::update::Signal;
use crate::venue::{Endpoint, Heartbeat, Step};

/// How long an answer to something we said may take.
const ANSWER: Duration = Duration::from_secs(10);
/// How long the whole opening may take, the pace of its messages apart.
const SETTLE: Duration = Duration::from_secs(30);

/// What the line has to do next.
#[derive(PartialEq)]
pub enum Next {
    /// Send this text.
    Say(String),
    /// Nothing before then.
    Wait(Instant),
    /// Told once: this line's days are counted, open another one and go on here until it is live. The text is the
    /// `reason` of `exchange_websocket_reconnects_total`: `rotation` before the venue's lifetime for a line is over,
    /// `notice` where the venue announced that it will close.
    Move(&'static str),
    /// Hang up.
    End(End),
}

/// Without what is said: logins carry signatures.
impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Next::Say(_) => f.write_str("Say(..)"),
            Next::Wait(until) => write!(f, "Wait({until:?})"),
            Next::Move(reason) => write!(f, "Move({reason})"),
            Next::End(end) => write!(f, "End({end:?})"),
        }
    }
}

/// Why a conversation is over.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// What went wrong.
    pub fault: Fault,
    /// The line was open and answering, but brought no market data.
    pub stalled: bool,
}

impl End {
    /// The `reason` label of `exchange_websocket_reconnects_total`.
    pub fn reason(&self) -> &'static str {
        if self.stalled { "stalled" } else { self.fault.kind.as_str() }
    }
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        Self { fault, stalled: false }
    }
}

/// Pings of ours and the answer that is due.
#[derive(Debug)]
struct Pulse {
    beat: Heartbeat,
    next: Instant,
    due: Option<Instant>,
}

/// One conversation.
pub struct Session {
    pace: Duration,
    silence: Duration,
    /// `None` where nothing need ever come, as on a private stream.
    data_timeout: Option<Duration>,
    steps: VecDeque<Step>,
    outbox: VecDeque<String>,
    may_speak: Instant,
    awaited: usize,
    accepted: usize,
    refused: Option<Fault>,
    answer_due: Instant,
    pulse: Option<Pulse>,
    heard: Instant,
    data: Instant,
    moves: Option<Instant>,
    leaving: bool,
    ended: Option<Fault>,
    sequence: Option<u64>,
}

impl Session {
    /// At the moment the line is up.
    pub fn open(endpoint: &Endpoint, opening: Vec<Step>, data_timeout: Option<Duration>, now: Instant) -> Self {
        let mut session = Self {
            pace: endpoint.pace,
            silence: endpoint.silence,
            data_timeout,
            steps: opening.into(),
            outbox: VecDeque::new(),
            may_speak: now,
            awaited: 0,
            accepted: 0,
            refused: None,
            answer_due: now + ANSWER,
            pulse: endpoint.heartbeat.clone().map(|beat| Pulse { next: now + beat.every, due: None, beat }),
            heard: now,
            data: now,
            moves: endpoint.lifetime.map(|lifetime| now + lifetime),
            leaving: false,
            ended: None,
            sequence: None,
        };
        session.advance(now);
        session
    }

    /// Anything was heard, protocol pings too.
    pub fn hear(&mut self, now: Instant) {
        self.heard = now;
    }

    /// Market data was heard.
    pub fn data(&mut self, now: Instant) {
        self.data = now;
    }

    /// Takes a signal; returns how many frames were lost before this one, where the venue numbers them.
    pub fn take(&mut self, signal: Signal<'_>, now: Instant) -> u64 {
        match signal {
            Signal::Accepted => self.answer(None, now),
            Signal::Refused(fault) => self.answer(Some(fault), now),
            Signal::Pong => {
                if let Some(pulse) = &mut self.pulse {
                    pulse.due = None;
                }
            }
            Signal::Leaving => self.leaving = true,
            Signal::Over(fault) => self.ended = Some(fault),
            Signal::Sequence(number) => {
                let lost = self.sequence.map_or(0, |last| number.saturating_sub(last.saturating_add(1)));
                self.sequence = Some(self.sequence.map_or(number, |last| last.max(number)));
                return lost;
            }
            Signal::Unlisted(_) => {}
        }
        0
    }

    /// Whether everything that we said was answered.
    pub fn live(&self) -> bool {
        self.steps.is_empty() && self.outbox.is_empty() && self.awaited == 0
    }

    /// What is to be done at `now`.
    pub fn next(&mut self, now: Instant) -> Next {
        if let Some(end) = self.over(now) {
            return Next::End(end);
        }
        if let Some(reason) = self.moving(now) {
            return Next::Move(reason);
        }
        if now >= self.may_speak
            && let Some(text) = self.speech(now)
        {
            self.may_speak = now + self.pace;
            return Next::Say(text);
        }
        Next::Wait(self.wake())
    }

    /// A ping goes before what waits in the outbox: a long opening must not cost the line.
    fn speech(&mut self, now: Instant) -> Option<String> {
        if let Some(pulse) = &mut self.pulse
            && now >= pulse.next
        {
            pulse.next = now + pulse.beat.every;
            pulse.due.get_or_insert(now + pulse.beat.within);
            return Some(pulse.beat.say.clone().into_owned());
        }
        let text = self.outbox.pop_front()?;
        self.answer_due = now + ANSWER.max(self.pace * 2);
        Some(text)
    }

    fn over(&self, now: Instant) -> Option<End> {
        let timeout = |what: String| End::from(Fault::new(Kind::Timeout, what));
        if let Some(fault) = self.refusal() {
            return Some(fault.into());
        }
        if now >= self.heard + self.silence {
            return Some(timeout(format!("nothing heard for {} s", self.silence.as_secs())));
        }
        if let Some(pulse) = &self.pulse
            && pulse.due.is_some_and(|due| now >= due)
        {
            return Some(timeout(format!("keep-alive not answered within {} s", pulse.beat.within.as_secs())));
        }
        if !self.live() && self.outbox.is_empty() && now >= self.answer_due {
            return Some(timeout(format!("{} answers outstanding after {} s", self.awaited, ANSWER.as_secs())));
        }
        if let (Some(timeout_after), Some(due)) = (self.data_timeout, self.data_due())
            && now >= due
        {
            let seconds = timeout_after.as_secs_f64();
            return Some(End { stalled: true, ..timeout(format!("no market data for {seconds} s on an open line")) });
        }
        None
    }

    /// Why the venue wants no more of this conversation, where it said so: also the reason of a close that follows.
    pub fn refusal(&self) -> Option<Fault> {
        let refused = self.refused.as_ref().filter(|_| self.awaited == 0 && self.accepted == 0);
        self.ended.as_ref().or(refused).cloned()
    }

    fn moving(&mut self, now: Instant) -> Option<&'static str> {
        if std::mem::take(&mut self.leaving) {
            self.moves = None;
            return Some("notice");
        }
        self.moves.take_if(|moves| now >= *moves).map(|_| "rotation")
    }

    /// Data may take longer at first: a paced opening asks for the last symbols late.
    fn data_due(&self) -> Option<Instant> {
        let timeout = self.data_timeout?;
        Some(self.data + if self.live() { timeout } else { timeout.max(SETTLE) })
    }

    fn wake(&self) -> Instant {
        let answer = (!self.live() && self.outbox.is_empty()).then_some(self.answer_due);
        let speak = (!self.outbox.is_empty()).then_some(self.may_speak);
        let ping = self.pulse.as_ref().map(|pulse| pulse.next.max(self.may_speak));
        let pong = self.pulse.as_ref().and_then(|pulse| pulse.due);
        let silent = self.heard + self.silence;
        let always = self.data_due().map_or(silent, |due| due.min(silent));
        [answer, speak, ping, pong, self.moves].into_iter().flatten().fold(always, Instant::min)
    }

    fn answer(&mut self, refusal: Option<Fault>, now: Instant) {
        // An answer that nobody awaits: a repeated ack, or a refusal out of the blue.
        if self.awaited == 0 {
            return;
        }
        self.awaited -= 1;
        match refusal {
            None => self.accepted += 1,
            Some(fault) => self.refused = Some(fault),
        }
        self.answer_due = now + ANSWER;
        // A step of which nothing was accepted ends the conversation, see `over`.
        if self.awaited == 0 && self.accepted > 0 {
            self.advance(now);
        }
    }

    fn advance(&mut self, now: Instant) {
        if let Some(step) = self.steps.pop_front() {
            self.awaited = step.answers;
            self.accepted = 0;
            self.refused = None;
            self.outbox.extend(step.say);
            self.answer_due = now + ANSWER;
        }
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
