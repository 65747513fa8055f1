//! What may be asked: pools of weights, each in fixed windows, told in the headers.

use tokio::time::Instant;

use crate::http::Reply;
use crate::limiter::Limit;
use crate::world::World;

/// Endpoints that share a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pool {
    Public,
    Spot,
    Futures,
    Management,
    Earn,
    /// That of accounts in Unified mode.
    Unified,
}

impl Pool {
    const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Spot => "spot",
            Self::Futures => "futures",
            Self::Management => "management",
            Self::Earn => "earn",
            Self::Unified => "unified",
        }
    }

    const fn quota(self) -> Limit {
        match self {
            Self::Spot => Limit::per_millis(4_000, 30_000),
            Self::Unified => Limit::per_millis(300, 1_000),
            Self::Public | Self::Futures | Self::Management | Self::Earn => Limit::per_millis(2_000, 30_000),
        }
    }

    /// Takes a weight out; how it stands then, and whether there was enough.
    pub(super) fn take(self, world: &World, weight: u64) -> (Standing, bool) {
        let (now, quota) = (Instant::now(), self.quota());
        let mut tallies = world.tallies.lock();
        let tally = tallies.of(self.name());
        let used = tally.count_fixed(quota, weight, now);
        let reset = tally.wait(quota, now).as_millis() as u64;
        let remaining = used.map_or(0, |used| quota.most - used);
        (Standing { quota: quota.most, remaining, reset }, used.is_some())
    }
}

/// How a pool stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    quota: u64,
    remaining: u64,
    /// Milliseconds until it is full again.
    reset: u64,
}

impl Standing {
    /// The public pool, exhausted.
    pub(super) const EXHAUSTED: Self = Self { quota: 2_000, remaining: 0, reset: 12_000 };

    /// Tells it in the headers.
    pub(super) fn tell(self, reply: Reply) -> Reply {
        let reply = reply.with("gw-ratelimit-limit", self.quota).with("gw-ratelimit-remaining", self.remaining);
        reply.with("gw-ratelimit-reset", self.reset)
    }
}

/// There were too many requests.
pub(super) fn too_many() -> Reply {
    error(429, "429000", "Too many requests")
}

pub(super) fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, &serde_json::json!({"code": code, "msg": message}))
}
