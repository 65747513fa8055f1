//! Binance pings, and cuts whoever does not answer.

use tokio::time::Instant;

use crate::protocol::{Action, Desk};
use crate::world::true_now;

/// The pings of one connection.
#[derive(Debug, Default)]
pub(super) struct Pings {
    next: Option<Instant>,
    /// The payload of the last ping and when the first unanswered one was sent.
    unanswered: Option<(Vec<u8>, Instant)>,
}

impl Pings {
    pub(super) fn turn(&mut self, desk: &mut Desk<'_>) {
        let times = &desk.world.times;
        if self.unanswered.as_ref().is_some_and(|(_, since)| desk.now - *since >= times.pong_within) {
            desk.violation("a ping was not answered in time");
            return desk.close(1008, "Pong timeout");
        }
        let next = *self.next.get_or_insert(desk.now + times.server_ping);
        if next <= desk.now {
            self.next = Some(next + times.server_ping);
            let payload = true_now().to_string().into_bytes();
            let since = self.unanswered.as_ref().map_or(desk.now, |(_, since)| *since);
            self.unanswered = Some((payload.clone(), since));
            desk.actions.push(Action::Ping(payload));
        }
    }

    /// Only the payload of the ping makes it an answer.
    pub(super) fn pong(&mut self, payload: &[u8]) {
        if self.unanswered.as_ref().is_some_and(|(sent, _)| sent == payload) {
            self.unanswered = None;
        }
    }
}
