//! Weights: every request costs some, of a pool that is full again at the next minute of the clock.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::fault::{Fault, Limited};
use crate::http::Reply;
use crate::limiter::Limit;
use crate::protocol::Protocol as _;
use crate::world::{World, true_now};

/// Refusals that a client may collect in one minute before it is banned.
const REFUSALS: u64 = 5;

/// What requests are counted against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pool {
    /// `/api`, and the websocket API.
    Spot,
    /// `/sapi`: every path has a pool of its own.
    Wallet,
    /// `/fapi`.
    Futures,
    /// `/dapi`.
    Coins,
}

impl Pool {
    pub(super) const fn most(self) -> u64 {
        match self {
            Self::Spot => 6_000,
            Self::Wallet => 12_000,
            Self::Futures | Self::Coins => 2_400,
        }
    }

    /// The headers that tell what is used.
    pub(super) fn headers(self, used: u64) -> Vec<(&'static str, String)> {
        match self {
            Self::Spot => vec![("x-mbx-used-weight", used.to_string()), ("x-mbx-used-weight-1m", used.to_string())],
            Self::Wallet => vec![("x-sapi-used-ip-weight-1m", used.to_string())],
            Self::Futures | Self::Coins => vec![("x-mbx-used-weight-1m", used.to_string())],
        }
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    /// Seconds until the minute turns.
    Wait(u64),
    Banned,
}

/// Counts weight in the present minute of the clock; whoever goes on after refusals is banned. What is used now.
pub(super) fn count(world: &World, pool: Pool, path: &str, weight: u64) -> Result<u64, Excess> {
    let now = true_now();
    let (minute, left) = (now / 60_000, 60 - now / 1_000 % 60);
    let own = if pool == Pool::Wallet { path } else { "" };
    let mut tallies = world.tallies.lock();
    let limit = |most| Limit::per_millis(most, 120_000);
    let name = format!("{pool:?} {own} {minute}");
    if let Some(used) = tallies.of(&name).count(limit(pool.most()), weight, Instant::now()) {
        let crowd = |fault: &Fault| if let Fault::Crowded { percent } = fault { Some(*percent) } else { None };
        let percent = world.faults.lock().lasting.iter().find_map(crowd).unwrap_or(0);
        return Ok(used + pool.most() * percent / 100);
    }
    let patient = tallies.of(&format!("refusals {minute}")).count(limit(REFUSALS), 1, Instant::now()).is_some();
    world.seen.lock().violations.push(format!("too much weight: {}", if patient { 429 } else { 418 }));
    Err(if patient { Excess::Wait(left) } else { Excess::Banned })
}

/// The same for a REST request.
pub(super) fn weigh(world: &World, pool: Pool, path: &str, weight: u64) -> Result<Vec<(&'static str, String)>, Reply> {
    match count(world, pool, path, weight) {
        Ok(used) => Ok(pool.headers(used)),
        Err(Excess::Banned) => Err(super::Binance.limited(Limited::Banned)),
        Err(Excess::Wait(left)) => {
            let mut reply = super::Binance.limited(Limited::Plain);
            reply.headers = pool.headers(pool.most());
            Err(reply.with("Retry-After", left))
        }
    }
}

/// What the websocket API says of its limits.
pub(super) fn told(used: u64) -> Value {
    json!([{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": Pool::Spot.most(), "count": used}])
}
