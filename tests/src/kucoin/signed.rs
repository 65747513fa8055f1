//! Who asks, and what that key may.
//!
//! Of the key's scopes `spot`, `margin`, `futures` and `earn` are permissions of that name, which trade as well as read; a key
//! without any is `General` only. `v2` is a key of the second version (else the third), `strict` one whose version the venue
//! insists on, and `unified` one of an account in Unified mode.

use serde_json::Value;

use super::pools::error;
use super::rest::Needs;
use crate::account::signing::hmac_base64;
use crate::account::{Key, KeyState};
use crate::http::{Reply, Request, decode};
use crate::world::World;

/// A timestamp may be off by this much.
const WINDOW: u64 = 5_000;

/// Status, code and message.
type Refusal = (u16, &'static str, &'static str);

/// What a request says about itself.
struct Claims<'a> {
    id: &'a str,
    signature: &'a str,
    timestamp: &'a str,
    passphrase: &'a str,
    version: &'a str,
    method: &'a str,
    /// The path and the query, both without percent encoding.
    target: &'a str,
    body: &'a str,
}

/// The version that the key was made with.
pub(super) fn version(key: &Key) -> u8 {
    if key.has("v2") { 2 } else { 3 }
}

impl Claims<'_> {
    /// Why it is not believed, if so.
    fn refusal(&self, key: &Key, now: u64) -> Option<Refusal> {
        let at = self.timestamp.parse::<u64>().ok();
        if at.is_none_or(|at| at.abs_diff(now) > WINDOW) {
            return Some((400, "400002", "Invalid KC-API-TIMESTAMP"));
        }
        let state = key.state_at(now);
        let gone = matches!(state, KeyState::Unknown | KeyState::Expired | KeyState::WrongEnvironment);
        if self.id != key.id || gone {
            return Some((401, "400003", "KC-API-KEY not exists"));
        }
        let own = version(key).to_string();
        if !matches!(self.version, "2" | "3") || key.has("strict") && self.version != own {
            return Some((400, "400009", "Invalid KC-API-KEY-VERSION"));
        }
        if self.passphrase != hmac_base64(&key.secret, &[&key.passphrase]) {
            return Some((401, "400004", "Invalid KC-API-PASSPHRASE"));
        }
        if self.signature != hmac_base64(&key.secret, &[self.timestamp, self.method, self.target, self.body]) {
            return Some((401, "400005", "Invalid KC-API-SIGN"));
        }
        match state {
            KeyState::AddressRefused => Some((403, "400006", "The requested ip address is not in the api whitelist")),
            KeyState::Frozen => Some((403, "411100", "User are frozen.")),
            _ => None,
        }
    }
}

/// Why a signed request for `path`, which is without the futures' prefix, is not answered, if so.
pub(super) fn refusal(world: &World, request: &Request, path: &str, needs: Needs) -> Option<Reply> {
    let header = |name: &str| request.header(name).filter(|value| !value.is_empty());
    let names = ["KC-API-KEY", "KC-API-SIGN", "KC-API-TIMESTAMP", "KC-API-PASSPHRASE"];
    let [Some(id), Some(signature), Some(timestamp), Some(passphrase)] = names.map(header) else {
        let message =
            "Please check the header of your request for KC-API-KEY, KC-API-SIGN, KC-API-TIMESTAMP, KC-API-PASSPHRASE";
        return Some(error(400, "400001", message));
    };
    let mark = if request.query.is_empty() { "" } else { "?" };
    let target = format!("{path}{mark}{}", decode(&request.query));
    let body = String::from_utf8_lossy(&request.body);
    let version = header("KC-API-KEY-VERSION").unwrap_or("1");
    let claims =
        Claims { id, signature, timestamp, passphrase, version, method: &request.method, target: &target, body: &body };
    let now = world.now();
    let key = world.account.lock().key.clone();
    claims
        .refusal(&key, now)
        .or_else(|| forbidden(&key, needs))
        .map(|(status, code, message)| error(status, code, message))
}

/// Why a login to the websocket of the Unified mode is not believed, if so.
pub(super) fn login_refusal(world: &World, request: &Value, needs: Needs) -> Option<&'static str> {
    let member = |name: &str| request[name].as_str().unwrap_or_default();
    let now = world.now();
    let key = world.account.lock().key.clone();
    let claims = Claims {
        id: member("kc-api-key"),
        signature: member("kc-api-sign"),
        timestamp: member("kc-api-timestamp"),
        passphrase: member("kc-api-passphrase"),
        version: if version(&key) == 2 { "2" } else { "3" },
        method: "POST",
        target: "/api/websocket/users/verify",
        body: "",
    };
    claims.refusal(&key, now).or_else(|| forbidden(&key, needs)).map(|(_, _, message)| message)
}

/// What the key may not.
fn forbidden(key: &Key, needs: Needs) -> Option<Refusal> {
    const DENIED: Refusal = (403, "400007", "Access denied, require more permission.");
    let unified = key.has("unified");
    let may = match needs {
        Needs::Nothing | Needs::General | Needs::Classic => true,
        Needs::Spot => key.has("spot") || key.trade,
        Needs::Futures => key.has("futures"),
        Needs::Unified if unified && key.has("v2") => {
            return Some((400, "400008", "The version of the API key is not supported by this API"));
        }
        Needs::Unified => unified,
    };
    match needs {
        _ if !key.read || !may => Some(DENIED),
        Needs::Classic | Needs::Spot | Needs::Futures if unified => {
            Some((200, "400100", "The account is in Unified mode"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Claims;
    use crate::Venue;
    use crate::account::Key;

    const AT: u64 = 1_767_225_600_000;
    const PASSPHRASE: &str = "jTcnrny+hYOBxIPOlIYJmaAHVW+1QM/OdYlDMEVmZV4=";
    /// Method, target and signature, as documented.
    const VECTORS: [(&str, &str, &str); 6] = [
        ("GET", "/api/v1/accounts?currency=USDT&type=trade", "s0WjfExrgzo47gJ8bOYeSzyViWqbD2RpCfo9GEQGSLM="),
        ("POST", "/api/v1/bullet-private", "I4fkBXk6O37ayWmU2viiVhKlvpZEzrYYkfrGS82q+Kg="),
        ("GET", "/api/v1/account-overview?currency=USDT", "4Fr43uNapL27+3uLo+W+oeNVgn+4zmEPT7xe91mITVI="),
        ("POST", "/api/websocket/users/verify", "Ek4IwYUwX8qWyXgoMhl9oBlaO4c5uUEkztr1wjp9ps4="),
        ("GET", "/api/v1/trade-fees?symbols=BTC-USDT,ETH-USDT", "Q+K9U3ab6Wsd9tWHg14FbMkpyxPZK2Tj2rDgj217O5o="),
        ("GET", "/api/v1/user/api-key", "5Lar/N65U/xKcq5G0UHZuZBwUZNz84WmAD2WuRTug/k="),
    ];

    fn claims<'a>((method, target, signature): (&'a str, &'a str, &'a str)) -> Claims<'a> {
        Claims {
            id: "6560c0ffee0000000000abcd",
            signature,
            timestamp: "1767225600000",
            passphrase: PASSPHRASE,
            version: "3",
            method,
            target,
            body: "",
        }
    }

    #[test]
    fn the_documented_signatures_are_believed() {
        let key = Key::documented(Venue::Kucoin);
        for vector in VECTORS {
            assert_eq!(claims(vector).refusal(&key, AT + 5_000), None, "{vector:?}");
            assert_eq!(Claims { version: "2", ..claims(vector) }.refusal(&key, AT - 5_000), None);
        }
    }

    #[test]
    fn nothing_else_is() {
        let key = Key::documented(Venue::Kucoin);
        let good = || claims(VECTORS[0]);
        let code = |claims: Claims<'_>, key: &Key, now| claims.refusal(key, now).map(|(_, code, _)| code);
        assert_eq!(code(good(), &key, AT + 5_001), Some("400002"));
        assert_eq!(code(Claims { timestamp: "now", ..good() }, &key, AT), Some("400002"));
        assert_eq!(code(Claims { id: "nobody", ..good() }, &key, AT), Some("400003"));
        assert_eq!(code(Claims { passphrase: "Passw0rd-example", ..good() }, &key, AT), Some("400004"));
        assert_eq!(code(Claims { method: "POST", ..good() }, &key, AT), Some("400005"));
        assert_eq!(code(Claims { body: "{}", ..good() }, &key, AT), Some("400005"));
        assert_eq!(code(Claims { version: "1", ..good() }, &key, AT), Some("400009"));
        let mut strict = key;
        strict.scopes.insert("strict".to_owned());
        assert_eq!(code(good(), &strict, AT), None);
        assert_eq!(code(Claims { version: "2", ..good() }, &strict, AT), Some("400009"));
        strict.scopes.insert("v2".to_owned());
        assert_eq!(code(Claims { version: "2", ..good() }, &strict, AT), None);
    }
}
