//! Who is connected: what each is doing and for how long already. However many come, and however slow they are, there is
//! room for one more.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

use crate::metrics::health::lock;

/// Connections at once; one more costs the one that has been idle for longest its place.
pub const ROOM: usize = 256;
/// Answers under way at once; one more costs the one that takes longest its connection.
const ANSWERS: usize = 16;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A TLS handshake or the head of a request is on its way.
    Asking,
    /// A request is complete, and perhaps its password is being checked.
    Waiting,
    /// An answer is on its way.
    Answering,
    /// The answer is handed over, and not all of it sent.
    Sending,
    /// Open for another request.
    Idle,
}

impl Phase {
    /// For how long it may do that.
    const fn limit(self) -> Duration {
        Duration::from_secs(match self {
            Phase::Asking => 10,
            Phase::Waiting | Phase::Answering | Phase::Sending => 30,
            // Longer than anybody waits between two scrapes.
            Phase::Idle => 300,
        })
    }

    const fn is_busy(self) -> bool {
        matches!(self, Phase::Answering | Phase::Sending)
    }
}

/// A connection's phase, and since when.
#[derive(Debug)]
pub struct Pulse(Mutex<(Phase, Instant)>);

impl Pulse {
    fn get(&self) -> (Phase, Instant) {
        *lock(&self.0)
    }

    /// A request is complete.
    pub fn asked(&self) {
        self.pass(|_| true, Phase::Waiting);
    }

    fn pass(&self, from: impl Fn(Phase) -> bool, to: Phase) {
        let mut now = lock(&self.0);
        if from(now.0) {
            // The time of an answer is that of all of it.
            let since = if to == Phase::Sending { now.1 } else { Instant::now() };
            *now = (to, since);
        }
    }
}

/// Everybody who is connected.
#[derive(Debug)]
pub struct Crowd {
    members: Mutex<HashMap<u64, Member>>,
    turns: Arc<Semaphore>,
}

impl Default for Crowd {
    fn default() -> Self {
        Self { members: Mutex::default(), turns: Arc::new(Semaphore::new(ANSWERS)) }
    }
}

#[derive(Debug)]
struct Member {
    pulse: Arc<Pulse>,
    /// Once it runs.
    task: Option<AbortHandle>,
}

/// A place in the crowd, given back when dropped.
#[derive(Debug)]
pub struct Place {
    crowd: Arc<Crowd>,
    number: u64,
    /// The connection's.
    pub pulse: Arc<Pulse>,
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.crowd.members).remove(&self.number);
    }
}

impl Crowd {
    /// A place for a new connection; at somebody's cost where there is none.
    pub fn join(self: &Arc<Self>, number: u64) -> Place {
        let mut members = lock(&self.members);
        if members.len() >= ROOM {
            // Whoever has an answer on its way goes last.
            cut(&mut members, |_| true);
        }
        let pulse = Arc::new(Pulse(Mutex::new((Phase::Asking, Instant::now()))));
        members.insert(number, Member { pulse: Arc::clone(&pulse), task: None });
        Place { crowd: Arc::clone(self), number, pulse }
    }

    /// How to end a member's connection.
    pub fn started(&self, number: u64, task: AbortHandle) {
        if let Some(member) = lock(&self.members).get_mut(&number) {
            member.task = Some(task);
        }
    }

    /// A request gets its answer.
    pub fn answer(&self, pulse: &Pulse) {
        let mut members = lock(&self.members);
        if members.values().filter(|member| member.pulse.get().0.is_busy()).count() >= ANSWERS {
            cut(&mut members, Phase::is_busy);
        }
        pulse.pass(|_| true, Phase::Answering);
    }

    /// A turn to answer: one whose connection was ended holds its memory until it is dropped, a moment later.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }

    /// Ends connections that take too long.
    pub fn sweep(&self) {
        let now = Instant::now();
        let mut members = lock(&self.members);
        members.retain(|_, member| {
            let (phase, since) = member.pulse.get();
            let stays = now.duration_since(since) < phase.limit();
            if let (false, Some(task)) = (stays, &member.task) {
                task.abort();
            }
            stays
        });
    }
}

/// Ends the connection that has been doing the same for longest, those that wait for an answer last.
fn cut(members: &mut HashMap<u64, Member>, among: impl Fn(Phase) -> bool) {
    let oldest = members
        .iter()
        .map(|(number, member)| (member.pulse.get(), *number))
        .filter(|((phase, _), _)| among(*phase))
        .min_by_key(|((phase, since), _)| (phase.is_busy(), *since));
    if let Some((_, number)) = oldest
        && let Some(member) = members.remove(&number)
        && let Some(task) = member.task
    {
        task.abort();
    }
}

/// A socket that tells the pulse what happens on it.
#[derive(Debug)]
pub struct Felt<S> {
    /// The socket, or TLS on it.
    pub inner: S,
    /// What it tells.
    pub pulse: Arc<Pulse>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Felt<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.pulse.pass(|phase| phase == Phase::Idle, Phase::Asking);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Felt<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_flush(cx);
        if polled.is_ready() {
            self.pulse.pass(|phase| phase == Phase::Sending, Phase::Idle);
        }
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// An answer's body that tells the pulse when the last of it was handed over.
#[derive(Debug)]
pub struct Handed {
    /// The body.
    pub inner: Body,
    /// What it tells.
    pub pulse: Arc<Pulse>,
    /// Given back with it.
    pub turn: Option<OwnedSemaphorePermit>,
}

impl Drop for Handed {
    fn drop(&mut self) {
        self.pulse.pass(|phase| matches!(phase, Phase::Waiting | Phase::Answering), Phase::Sending);
    }
}

impl HttpBody for Handed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd_of(count: usize) -> (Arc<Crowd>, Vec<Place>) {
        let crowd = Arc::new(Crowd::default());
        let places = (0..count as u64).map(|number| crowd.join(number)).collect();
        (crowd, places)
    }

    fn is_in(crowd: &Crowd, place: &Place) -> bool {
        lock(&crowd.members).contains_key(&place.number)
    }

    #[test]
    fn the_longest_idle_makes_room_and_those_with_an_answer_stay() {
        let (crowd, places) = crowd_of(ROOM);
        crowd.answer(&places[0].pulse);
        let newcomer = crowd.join(9999);
        assert!(is_in(&crowd, &places[0]) && !is_in(&crowd, &places[1]) && is_in(&crowd, &newcomer));
        assert_eq!(lock(&crowd.members).len(), ROOM);
    }

    #[test]
    fn the_slowest_of_many_answers_makes_room() {
        let (crowd, places) = crowd_of(ANSWERS + 2);
        for place in &places[1..] {
            crowd.answer(&place.pulse);
        }
        assert!(is_in(&crowd, &places[0]) && !is_in(&crowd, &places[1]) && is_in(&crowd, &places[2]));
    }

    #[test]
    fn an_answer_ends_when_it_is_sent() {
        let (crowd, places) = crowd_of(1);
        let pulse = &places[0].pulse;
        crowd.answer(pulse);
        let asked = pulse.get().1;
        drop(Handed { inner: Body::empty(), pulse: Arc::clone(pulse), turn: None });
        assert_eq!(pulse.get(), (Phase::Sending, asked));
        pulse.pass(|phase| phase == Phase::Sending, Phase::Idle);
        assert_eq!(pulse.get().0, Phase::Idle);
    }
}
