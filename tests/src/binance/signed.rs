//! Binance: REST with a signature, and how signatures are judged.

use serde_json::{Value, json};

use super::weights::{Pool, weigh};
use super::{futures, listen, rest, spot, wallet};
use crate::account::signing::{ed25519_pem, hmac_hex, is_signed_by};
use crate::account::{Account, Key, KeyState};
use crate::fault::Fault;
use crate::http::{Reply, Request, decode};
use crate::market::Market;
use crate::world::World;

/// Sent later than this after its timestamp, a request is not answered, unless it says otherwise.
const WINDOW: f64 = 5_000.0;
const WIDEST: f64 = 60_000.0;
/// A timestamp may be ahead by less than this.
const AHEAD: u64 = 1_000;

/// Why a request is not answered.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) status: u16,
    pub(super) code: i64,
    pub(super) message: String,
    /// No client that knows the documentation gets this.
    pub(super) bug: bool,
}

impl Problem {
    pub(super) fn new(status: u16, code: i64, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), bug: false }
    }

    /// What is wrong with the request itself.
    pub(super) fn bug(code: i64, message: impl Into<String>) -> Self {
        Self { bug: true, ..Self::new(400, code, message) }
    }

    pub(super) fn missing(name: &str) -> Self {
        Self::bug(-1102, format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."))
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, -1002, "You are not authorized to execute this request.")
    }

    /// One code for three causes.
    pub(super) fn refused() -> Self {
        Self::new(401, -2015, "Invalid API-key, IP, or permissions for action.")
    }
}

/// The parameters of a request, decoded: those of the query, then those of the body.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn of(request: &Request) -> Self {
        let body = String::from_utf8_lossy(&request.body);
        let pairs = request.query.split('&').chain(body.split('&')).filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(pairs.map(|(name, value)| (name.to_owned(), decode(&value.replace('+', " ")))).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A number within bounds, or `default`.
    pub(super) fn number(&self, name: &str, default: u64, most: u64) -> Result<u64, Problem> {
        let illegal = || Problem::bug(-1130, format!("Data sent for parameter '{name}' is not valid."));
        let Some(text) = self.get(name) else { return Ok(default) };
        text.parse().ok().filter(|number| (1..=most).contains(number)).ok_or_else(illegal)
    }
}

/// A question about the account, as it is at this moment.
pub(super) struct Asked<'a> {
    pub(super) world: &'a World,
    pub(super) account: &'a Account,
    pub(super) market: &'a Market,
    pub(super) now: u64,
    pub(super) parameters: Parameters,
}

type Body = fn(&Asked<'_>) -> Result<Value, Problem>;

/// What a client must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// The header with the key.
    Key,
    /// That and a signature.
    Signature,
}

/// What a path costs and needs.
struct Endpoint {
    pool: Pool,
    weight: u64,
    needs: Needs,
    /// Further permissions.
    scope: Option<&'static str>,
    body: Body,
}

const fn spot(weight: u64, body: Body) -> Endpoint {
    Endpoint { pool: Pool::Spot, weight, needs: Needs::Signature, scope: None, body }
}

const fn sapi(weight: u64, body: Body) -> Endpoint {
    Endpoint { pool: Pool::Wallet, ..spot(weight, body) }
}

const fn margin(body: Body) -> Endpoint {
    Endpoint { scope: Some("margin"), ..sapi(10, body) }
}

const fn fapi(weight: u64, body: Body) -> Endpoint {
    Endpoint { pool: Pool::Futures, scope: Some("futures"), ..spot(weight, body) }
}

const fn dapi(weight: u64, body: Body) -> Endpoint {
    Endpoint { pool: Pool::Coins, ..fapi(weight, body) }
}

const fn public(endpoint: Endpoint) -> Endpoint {
    Endpoint { needs: Needs::Nothing, ..endpoint }
}

const fn keyed(endpoint: Endpoint) -> Endpoint {
    Endpoint { needs: Needs::Key, ..endpoint }
}

fn endpoint(request: &Request) -> Option<Endpoint> {
    let given = |name: &str, cheap: u64, dear: u64| if request.parameter(name).is_some() { cheap } else { dear };
    Some(match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/api/v3/account") => spot(20, spot::account),
        ("GET", "/api/v3/openOrders") => spot(given("symbol", 6, 80), spot::open_orders),
        ("GET", "/api/v3/myTrades") => spot(given("orderId", 5, 20), spot::my_trades),
        ("GET", "/api/v3/rateLimit/order") => spot(40, spot::order_limits),
        ("GET", "/api/v3/account/commission") => spot(20, spot::commission),
        ("GET", "/sapi/v1/account/apiRestrictions") => sapi(1, wallet::restrictions),
        ("GET", "/sapi/v1/asset/wallet/balance") => sapi(60, wallet::balance),
        ("POST", "/sapi/v1/asset/get-funding-asset") => sapi(1, wallet::funding),
        ("GET", "/sapi/v1/simple-earn/account") => sapi(150, wallet::earn),
        ("GET", "/sapi/v1/simple-earn/flexible/position") => sapi(150, wallet::flexible),
        ("GET", "/sapi/v1/simple-earn/locked/position") => sapi(150, wallet::locked),
        ("GET", "/sapi/v1/margin/account") => margin(wallet::margin),
        ("GET", "/sapi/v1/margin/isolated/account") => margin(wallet::isolated),
        ("GET", "/fapi/v1/time") => public(fapi(1, futures::time)),
        ("GET", "/fapi/v1/assetIndex") => public(fapi(given("symbol", 1, 10), futures::asset_index)),
        ("GET", "/fapi/v3/account") => fapi(5, futures::account),
        ("GET", "/fapi/v3/balance") => fapi(5, futures::balance),
        ("GET", "/fapi/v3/positionRisk") => fapi(5, futures::positions),
        ("GET", "/fapi/v1/openOrders") => fapi(given("symbol", 1, 40), futures::open_orders),
        ("GET", "/fapi/v1/userTrades") => fapi(5, spot::user_trades),
        ("GET", "/fapi/v1/symbolConfig") => fapi(5, futures::symbol_config),
        ("POST", "/fapi/v1/listenKey") => keyed(fapi(1, listen::begin)),
        ("PUT", "/fapi/v1/listenKey") => keyed(fapi(1, listen::extend)),
        ("DELETE", "/fapi/v1/listenKey") => keyed(fapi(1, listen::end)),
        ("GET", "/dapi/v1/time") => public(dapi(1, futures::time)),
        ("GET", "/dapi/v1/exchangeInfo") => public(dapi(1, futures::coin_exchange_info)),
        ("GET", "/dapi/v1/account") => dapi(5, futures::coin_account),
        ("GET", "/dapi/v1/balance") => dapi(1, futures::coin_balance),
        ("GET", "/dapi/v1/userTrades") => dapi(20, spot::coin_user_trades),
        ("GET", "/dapi/v1/positionRisk") => dapi(1, futures::coin_positions),
        ("GET", "/dapi/v1/openOrders") => dapi(given("symbol", 1, 40), futures::coin_open_orders),
        _ => return None,
    })
}

pub(super) fn is_private(request: &Request) -> bool {
    endpoint(request).is_some_and(|endpoint| endpoint.needs != Needs::Nothing)
}

/// The answer, if this is a path of the account or of the futures.
pub(super) fn answer(world: &World, request: &Request) -> Option<Reply> {
    let endpoint = endpoint(request)?;
    let used = match weigh(world, endpoint.pool, &request.path, endpoint.weight) {
        Ok(used) => used,
        Err(refusal) => return Some(refusal),
    };
    if world.suffers(&Fault::Maintenance) {
        return Some(rest::overloaded());
    }
    let parameters = Parameters::of(request);
    let answer = world.deal(|account, market, now| {
        if let Some(problem) = refusal(&endpoint, &account.key, now, request, &parameters) {
            return Err(problem);
        }
        (endpoint.body)(&Asked { world, account, market, now, parameters })
    });
    let mut reply = match answer {
        Ok(body) => Reply::json(200, &body),
        Err(Problem { status, code, mut message, bug }) => {
            if code == -2015 && matches!(endpoint.pool, Pool::Futures | Pool::Coins) {
                message.push_str(", request ip: 203.0.113.7");
            }
            if bug {
                let complaint = format!("{code} {message} {} {}", request.method, request.path);
                world.seen.lock().violations.push(complaint);
            }
            Reply::json(status, &json!({"code": code, "msg": message}))
        }
    };
    reply.headers = used;
    Some(reply)
}

fn refusal(endpoint: &Endpoint, key: &Key, now: u64, request: &Request, parameters: &Parameters) -> Option<Problem> {
    let id = request.header("X-MBX-APIKEY").filter(|id| !id.is_empty());
    let claim = || Claim {
        id,
        timestamp: parameters.get("timestamp"),
        window: parameters.get("recvWindow"),
        signature: parameters.get("signature"),
        payload: payload(request),
    };
    let scope = || endpoint.scope.filter(|scope| !key.has(scope)).map(|_| Problem::refused());
    match endpoint.needs {
        Needs::Nothing => None,
        Needs::Key => unknown(id, key).or_else(|| barred(key)).or_else(scope),
        Needs::Signature => claim().refusal(key, now).or_else(scope),
    }
}

/// Why a key is not one that works.
fn unknown(id: Option<&str>, key: &Key) -> Option<Problem> {
    let Some(id) = id else { return Some(Problem::unauthorized()) };
    if id.len() != 64 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Some(Problem::new(401, -2014, "API-key format invalid."));
    }
    // The time of a key ends only what it may trade.
    let dead = id != key.id || matches!(key.state, KeyState::Unknown | KeyState::WrongEnvironment | KeyState::Expired);
    dead.then(Problem::refused)
}

/// Why a key that works may not ask.
fn barred(key: &Key) -> Option<Problem> {
    let barred = matches!(key.state, KeyState::AddressRefused | KeyState::Frozen) || !key.read;
    barred.then(Problem::refused)
}

/// What is signed: the query and then the body as they were sent, but for the signature at their end. `None`: it is not there.
fn payload(request: &Request) -> Option<String> {
    let body = String::from_utf8_lossy(&request.body);
    let whole = format!("{}{body}", request.query);
    let cut = |text: &str| {
        let (before, signature) =
            text.rsplit_once("&signature=").or_else(|| Some(("", text.strip_prefix("signature=")?)))?;
        (!signature.contains('&')).then(|| before.to_owned())
    };
    if body.contains("signature=") { cut(&whole) } else { cut(&request.query).map(|before| before + &body) }
}

/// What a client says to show that it may ask.
pub(super) struct Claim<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) timestamp: Option<&'a str>,
    pub(super) window: Option<&'a str>,
    pub(super) signature: Option<&'a str>,
    pub(super) payload: Option<String>,
}

impl Claim<'_> {
    /// Why it may not, if so.
    pub(super) fn refusal(&self, key: &Key, now: u64) -> Option<Problem> {
        if let Some(problem) = unknown(self.id, key) {
            return Some(problem);
        }
        let Some(timestamp) = self.timestamp else { return Some(Problem::missing("timestamp")) };
        let Some(signature) = self.signature else { return Some(Problem::missing("signature")) };
        if let Some(problem) = self.untimely(timestamp, now) {
            return Some(problem);
        }
        let Some(payload) = &self.payload else {
            return Some(Problem::bug(-1022, "Signature for this request is not valid."));
        };
        if !is_signature(&key.secret, payload, signature) {
            return Some(Problem::new(400, -1022, "Signature for this request is not valid."));
        }
        barred(key)
    }

    fn untimely(&self, timestamp: &str, now: u64) -> Option<Problem> {
        let illegal = || {
            Problem::bug(-1100, "Illegal characters found in parameter 'timestamp'; legal range is '^[0-9]{1,20}$'.")
        };
        let Ok(at) = timestamp.parse::<u64>() else { return Some(illegal()) };
        // Microseconds are welcome, too.
        let at = if timestamp.len() >= 16 { at / 1_000 } else { at };
        let window = match self.window.map(str::parse::<f64>) {
            None => WINDOW,
            Some(Ok(window)) if window > 0.0 && window <= WIDEST => window,
            Some(_) => return Some(Problem::bug(-1131, "recvWindow must be less than 60000")),
        };
        if at >= now + AHEAD {
            return Some(Problem::new(400, -1021, "Timestamp for this request was 1000ms ahead of the server's time."));
        }
        let late = now.saturating_sub(at) as f64 > window;
        late.then(|| Problem::new(400, -1021, "Timestamp for this request is outside of the recvWindow."))
    }
}

/// By an Ed25519 key in base64, by any other secret in hexadecimal.
fn is_signature(secret: &str, payload: &str, signature: &str) -> bool {
    use base64::Engine as _;
    match ed25519_pem(secret) {
        Some(key) => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(signature);
            bytes.is_ok_and(|bytes| is_signed_by(&key, payload, &bytes))
        }
        None => signature.eq_ignore_ascii_case(&hmac_hex(secret, &[payload])),
    }
}

#[cfg(test)]
mod tests {
    use super::is_signature;

    const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
    const KEY: &str = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";

    #[test]
    fn judges_as_binance_does() {
        let order = "&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
        let wide = "%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96";
        for (payload, signature) in [
            (format!("symbol=LTCBTC{order}"), "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
            (format!("symbol={wide}{order}"), "E1353EC6B14D888F1164AE9AF8228A3DBD508BC82EB867DB8AB6046442F33EF3"),
            (
                format!(
                    "apiKey={KEY}&price=52000.00&quantity=0.01000000&recvWindow=100&side=SELL&symbol=BTCUSDT&timeInForce=GTC&timestamp=1645423376532&type=LIMIT"
                ),
                "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24",
            ),
            (
                "omitZeroBalances=true&recvWindow=5000&timestamp=1700000000000".to_owned(),
                "821af6641542547413c6f4364e0c62f100d8d746e0ed17277e290acd6214876f",
            ),
            ("timestamp=1700000000000".to_owned(), "11ce6b18ed8a095f39e30a856dfee442c52b2a29d2b28dd45ef0efd52e7b383a"),
            (
                format!("apiKey={KEY}&timestamp=1700000000000"),
                "00c94588a012feaade12a8cbf80b3c3de219102ed19552e0a3645dd022cf84e8",
            ),
            (
                format!("apiKey={KEY}&recvWindow=5000&timestamp=1700000000000"),
                "be706daf71f9ef8eaeecc8a5a91895c48c3d6a830b5e8e247fe2448cb8b2da6b",
            ),
        ] {
            assert!(is_signature(SECRET, &payload, signature), "{payload}");
            assert!(!is_signature(SECRET, &(payload + " "), signature));
        }
    }

    #[test]
    fn judges_ed25519() {
        let body = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
        let secret = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        for (payload, signature) in [
            (
                "omitZeroBalances=true&recvWindow=5000&timestamp=1700000000000",
                "+q2/KEEwEEFQfr5cFY8/9IMzzGZ/wIxK/FRNidgZ/FMv6M+NeqvnHoRznobUsOp/ocFnoG4mX0JBfph2X+wgAg==",
            ),
            (
                "timestamp=1700000000000",
                "eILlxhgvRt5udvWNsEy5mCzV7paA7Qxr2V0YiMR4K1AQd9IxdtyJ98DEHBgLDVV0UKAkxYMpExL6Zh5RyBCiBA==",
            ),
            (
                "apiKey=4yNzx3yWC5bS6YTwEkSRaC0nRmSQIIStAUOh1b6kqaBrTLIhjCpI5lJH8q8R8WNO&timestamp=1700000000000",
                "Jkmt699NkwIGUIRaQfG1Vnc/mhOu6A0RJHifPV2/2Xe8NWHDgrNHkfMxt9QENJuWHPuq9ptTx/VJb9MKQDGyDQ==",
            ),
        ] {
            assert!(is_signature(&secret, payload, signature), "{payload}");
            assert!(!is_signature(&secret, payload, &signature.replacen('J', "K", 1)));
        }
    }
}
