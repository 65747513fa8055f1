//! Bybit V5: REST with a signature. Refusals, limits and pages; the answers are in `answers`.

use tokio::time::Instant;

use super::answers;
use super::rest::error;
use crate::account::signing::hmac_hex;
use crate::account::{Key, KeyState};
use crate::fault::Fault;
use crate::http::{Reply, Request};
use crate::limiter::Limit;
use crate::world::World;

type Answer = fn(&World, &Request, u64) -> Reply;

/// Requests in a second, and who answers.
fn endpoint(path: &str) -> Option<(u64, Answer)> {
    Some(match path {
        "/v5/account/wallet-balance" => (50, answers::wallet_balance),
        "/v5/account/info" => (50, answers::info),
        "/v5/account/fee-rate" => (5, answers::fee_rate),
        "/v5/asset/transfer/query-account-coins-balance" => (5, answers::coins_balance),
        "/v5/asset/asset-overview" => (50, answers::asset_overview),
        "/v5/position/list" => (50, answers::positions),
        "/v5/order/realtime" => (50, answers::orders),
        "/v5/execution/list" => (50, answers::executions),
        "/v5/user/query-api" => (10, answers::query_api),
        _ => return None,
    })
}

/// Whether a path needs a signature.
pub(super) fn is_signed(path: &str) -> bool {
    ["account", "asset", "position", "order", "execution", "user"]
        .iter()
        .any(|group| path.starts_with(&format!("/v5/{group}/")))
}

pub(super) fn answer(world: &World, request: &Request, now: u64) -> Reply {
    let Some((most, body)) = endpoint(&request.path) else {
        world.seen.lock().violations.push(format!("unknown path {}", request.path));
        return Reply::text(404, "404 page not found");
    };
    if request.method != "GET" {
        world.seen.lock().violations.push(format!("{} {}", request.method, request.path));
        return Reply::text(404, "404 page not found");
    }
    if !request.body.is_empty() {
        world.seen.lock().violations.push(format!("GET {} with a body", request.path));
        return Reply::html(403, "403 ERROR");
    }
    if world.suffers(&Fault::Maintenance) {
        return error(10_016, "Internal system error. Please try again later.", now);
    }
    let limit = Limit::per_millis(most, 1_000);
    let (used, wait) = {
        let mut tallies = world.tallies.lock();
        let tally = tallies.of(&request.path);
        (tally.count(limit, 1, Instant::now()), tally.wait(limit, Instant::now()))
    };
    let reply = match used {
        None => {
            world.seen.lock().violations.push(format!("10006 {}", request.path));
            error(10_006, "Too many visits. Exceeded the API Rate Limit.", now)
        }
        Some(_) => refusal(world, request, now).unwrap_or_else(|| body(world, request, now)),
    };
    // The reset is now, unless there is something to wait for.
    let reset = if used.is_none() { now + wait.as_millis() as u64 } else { now };
    reply
        .with("X-Bapi-Limit", most)
        .with("X-Bapi-Limit-Status", most - used.unwrap_or(most))
        .with("X-Bapi-Limit-Reset-Timestamp", reset)
}

/// Why a request is not answered, if so.
fn refusal(world: &World, request: &Request, now: u64) -> Option<Reply> {
    let header = |name: &str| request.header(name).filter(|value| !value.is_empty());
    let (Some(id), Some(timestamp), Some(signature)) =
        (header("X-BAPI-API-KEY"), header("X-BAPI-TIMESTAMP"), header("X-BAPI-SIGN"))
    else {
        return Some(Reply::text(401, ""));
    };
    let refused = |code, message: &str| Some(error(code, message, now));
    let key = world.account.lock().key.clone();
    let state = key.state_at(now);
    if id != key.id || matches!(state, KeyState::Unknown | KeyState::WrongEnvironment) {
        return refused(10_003, "API key is invalid.");
    }
    if state == KeyState::Expired {
        return refused(33_004, "Your api key has expired");
    }
    let window = header("X-BAPI-RECV-WINDOW").unwrap_or("5000");
    let (Ok(at), Ok(width)) = (timestamp.parse::<u64>(), window.parse::<u64>()) else {
        return refused(10_001, "params error");
    };
    // A clock that is a second fast is refused, whatever the window.
    if now > at + width || at >= now + 1_000 {
        let message = format!(
            "invalid request, please check your server timestamp or recv_window param. req_timestamp[{at}],server_timestamp[{now}],recv_window[{width}]"
        );
        return refused(10_002, &message);
    }
    let sent = header("X-BAPI-RECV-WINDOW").unwrap_or_default();
    if signature != hmac_hex(&key.secret, &[timestamp, id, sent, &request.query]) {
        return refused(10_004, &format!("error sign! origin_string[{timestamp}{id}{sent}{}]", request.query));
    }
    match state {
        KeyState::AddressRefused => refused(10_010, "Unmatched IP, please check your API key's bound IP addresses."),
        KeyState::Frozen => refused(10_008, "User has been banned."),
        _ if !permitted(&key, &request.path) => {
            refused(10_005, "Permission denied, please check your API key permissions.")
        }
        _ => None,
    }
}

fn permitted(key: &Key, path: &str) -> bool {
    match path {
        "/v5/user/query-api" => true,
        "/v5/asset/transfer/query-account-coins-balance" => key.read && key.has("wallet"),
        _ => key.read,
    }
}
