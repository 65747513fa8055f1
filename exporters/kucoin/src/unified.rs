//! KuCoin's unified accounts: their signed REST questions and their private stream, which speaks another language and
//! lives on a host of its own.
//!
//! Source: <https://www.kucoin.com/docs-new/rest/ua>.

use std::sync::Arc;
use std::time::Duration;

use common::account::{Balance, Fill, Order, Position, Side, Size, Status};
use common::{
    Amount, Ask, Cause, Decimal, Endpoint, Entry, Fault, Feed, Heartbeat, Keyring, Kind, Market, Micros, Query,
    Request, Rows, Signal, Step, Tell, Topic,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::questions::Data;
use crate::rows::{self, Id, misread, nanos};
use crate::{auth, futures};

/// The account's mode.
pub const MODE: &str = "unified";
/// The limit that all these questions share.
pub const POOL: &str = "unified";
const UNIFIED: &str = "unified";
const FUNDING: &str = "funding";

const HOST: &str = "wss://wsapi-push.kucoin.com";

/// The account's questions. Executions are told by the stream alone.
pub fn asks() -> Vec<Ask> {
    let get = |path: &str, query: &str, weight| Request::get(path).query(query).weight(weight).pool(POOL);
    let balance = get("/api/ua/v2/unified/account/balance", "", 5);
    let funding = get("/api/ua/v2/account/balance", "accountType=FUNDING", 5);
    let positions = get("/api/ua/v2/unified/position/open-list", "", 3);
    let orders = |kind: &str| {
        let request = get("/api/ua/v2/unified/order/open-list", &format!("tradeType={kind}"), 4);
        Ask::may(Topic::Orders, Query::new("unified_orders", request, orders))
    };
    vec![
        Ask::must(Topic::Wallet(UNIFIED), Query::new("unified", balance, unified_wallet)),
        Ask::may(Topic::Wallet(FUNDING), Query::new("funding", funding, funding_wallet)),
        Ask::may(Topic::Positions, Query::new("unified_positions", positions, positions_open)),
        orders("FUTURES"),
        orders("SPOT"),
    ]
}

/// What is traded under a name: spot names have a dash.
fn market(name: &str) -> Market {
    if name.contains('-') { Market::Spot } else { futures::market(name) }
}

/// What a contract pays in.
fn settle(name: &str) -> Option<String> {
    let paid = ["USDTM", "USDCM"].iter().find(|end| name.ends_with(**end)).map(|end| end.trim_end_matches('M'));
    let base = || name.strip_suffix("USDM").map(futures::coin);
    paid.map(str::to_owned).or_else(base)
}

#[derive(Deserialize)]
struct Wallets {
    accounts: Rows<Wallet>,
}

#[derive(Deserialize)]
struct Wallet {
    currencies: Rows<Coin>,
}

#[derive(Deserialize)]
struct Coin {
    currency: String,
    #[serde(default)]
    equity: Amount,
    #[serde(default)]
    balance: Amount,
    available: Amount,
    /// Renamed on the way.
    #[serde(default, alias = "locked")]
    hold: Amount,
    #[serde(default)]
    liability: Amount,
}

fn wallet<'f>(label: &'static str, body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    let answer: Data<Wallets> = serde_json::from_str(body)?;
    let mut balances = Vec::new();
    for wallet in answer.data.accounts.good(tell) {
        let balance = |row: Coin| Balance {
            wallet: label,
            asset: row.currency,
            free: row.available.0,
            locked: Some(row.hold.or_zero()),
            borrowed: Some(row.liability.or_zero()),
            // Profits of contracts are in it. Without it the balance is all there is.
            net: row.equity.0.or(row.balance.0.and_then(|all| all.checked_sub(row.liability.or_zero()))),
            at: None,
        };
        balances.extend(wallet.currencies.good(tell).into_iter().map(balance));
    }
    for balance in rows::sum(balances.into_iter()) {
        tell(Entry::Balance(balance).into());
    }
    Ok(None)
}

fn unified_wallet<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    wallet(UNIFIED, body, tell)
}

fn funding_wallet<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    wallet(FUNDING, body, tell)
}

/// A list, with a page around it or without.
fn list<'f, T: Deserialize<'f>>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Vec<T>, Fault> {
    #[derive(Deserialize)]
    #[serde(bound(deserialize = "T: Deserialize<'de>"))]
    struct Page<T> {
        #[serde(alias = "list")]
        items: Rows<T>,
    }
    let answer: Data<&'f RawValue> = serde_json::from_str(body)?;
    let text = answer.data.get();
    let rows: Rows<T> = match text.starts_with('{') {
        true => serde_json::from_str::<Page<T>>(text)?.items,
        false => serde_json::from_str(text)?,
    };
    Ok(rows.good(tell))
}

/// A position; the stream calls its figures by other names.
#[derive(Deserialize)]
struct PositionRow {
    #[serde(alias = "s")]
    symbol: String,
    /// Signed lots.
    #[serde(alias = "q")]
    size: Amount,
    #[serde(default, rename = "markPrice", alias = "mP")]
    mark_price: Amount,
    #[serde(default, rename = "positionValue", alias = "pV")]
    value: Amount,
    #[serde(default, rename = "unrealizedPnL", alias = "uPL")]
    pnl: Amount,
    #[serde(default, alias = "l")]
    leverage: Amount,
    #[serde(default, rename = "liquidationPrice", alias = "lP")]
    liquidation: Amount,
}

impl PositionRow {
    fn tell(self, at: Option<Micros>, tell: Tell<'_, '_>) {
        let (lots, settle) = (self.size.or_zero(), settle(&self.symbol));
        let (side, other) = if lots.is_sign_negative() { (Side::Short, Side::Long) } else { (Side::Long, Side::Short) };
        let market = market(&self.symbol);
        let coins = self.mark_price.nonzero().and_then(|price| lots.abs().checked_div(price));
        let size = match (market, coins) {
            (Market::Inverse, Some(coins)) => Size::Base(coins),
            _ => Size::Contracts(lots.abs()),
        };
        let position = Position {
            market,
            name: self.symbol,
            side,
            size,
            value: self.value.0.map(|value| value.abs()).zip(settle.clone()),
            price: None,
            pnl: self.pnl.0.zip(settle),
            leverage: self.leverage.nonzero(),
            liquidation: self.liquidation.nonzero(),
            at,
        };
        if at.is_some() {
            let size = Size::Contracts(Decimal::ZERO);
            tell(Entry::Position(Position { side: other, size, ..position.clone() }).into());
        }
        tell(Entry::Position(position).into());
    }
}

fn positions_open<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    list::<PositionRow>(body, tell)?.into_iter().for_each(|row| row.tell(None, tell));
    Ok(None)
}

#[derive(Deserialize)]
struct OrderRow {
    #[serde(rename = "orderId", alias = "id")]
    id: Id,
    symbol: String,
}

fn orders<'f>(body: &'f str, tell: Tell<'_, 'f>) -> Result<Option<String>, Fault> {
    for row in list::<OrderRow>(body, tell)? {
        let market = market(&row.symbol);
        let order = Order { market, name: row.symbol, id: row.id.0, status: Status::Working, at: None };
        tell(Entry::Order(order).into());
    }
    Ok(None)
}

/// The private stream.
pub struct Events {
    url: String,
    keys: Arc<Keyring>,
}

impl Events {
    pub fn new(base: Option<String>, keys: Arc<Keyring>) -> Self {
        Self { url: base.unwrap_or_else(|| HOST.to_owned()), keys }
    }
}

impl Feed for Events {
    fn endpoint(&self, _ticket: &str) -> Result<Endpoint, Fault> {
        Ok(Endpoint {
            url: self.url.clone(),
            heartbeat: Some(Heartbeat {
                say: r#"{"id":"ping","type":"ping"}"#.into(),
                every: Duration::from_secs(9),
                within: Duration::from_secs(10),
            }),
            silence: Duration::from_secs(28),
            pace: Duration::from_millis(150),
            lifetime: Some(Duration::from_secs(23 * 3600)),
        })
    }

    fn opening(&self, now: Micros) -> Result<Vec<Step>, Fault> {
        let channel = |text: &str| format!(r#"{{"id":"topics","action":"SUBSCRIBE","channel":{text}}}"#);
        let say = [
            r#""balance","accountType":"UNIFIED""#,
            r#""balance","accountType":"FUNDING""#,
            r#""orderAll","tradeType":"UNIFIED""#,
            r#""execution","tradeType":"UNIFIED""#,
            r#""positionAll","tradeType":"UNIFIED""#,
        ];
        let login = auth::login(&self.keys.keys(), now);
        Ok(vec![
            Step { say: Vec::new(), answers: 1 },
            Step { say: vec![login], answers: 1 },
            Step { say: say.map(channel).to_vec(), answers: say.len() },
        ])
    }

    fn decode<'f>(&self, frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        let message: Message<'f> = serde_json::from_str(frame)?;
        if let (Some(topic), Some(data)) = (&message.topic, message.data) {
            return event(topic, message.pushed, data.get(), tell);
        }
        match message.result {
            _ if message.kind == "pong" => tell(Signal::Pong.into()),
            _ if message.message == "welcome" || message.greeting == "welcome" => tell(Signal::Accepted.into()),
            Some(result) if result.get().trim_matches('"') == "true" => tell(Signal::Accepted.into()),
            Some(_) => {
                let why = [message.reason, message.message].concat();
                let (kind, cause) =
                    if message.id == "auth" { (Kind::Auth, Some(Cause::Unsaid)) } else { (Kind::Venue, None) };
                let fault = Fault::new(kind, format!("{} refused: {}", message.id, common::excerpt(&why)));
                tell(Signal::Refused(Fault { cause, ..fault }).into());
            }
            None => return Err(Fault::protocol("neither data nor an answer")),
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Message<'f> {
    #[serde(default)]
    id: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
    #[serde(default, rename = "data")]
    greeting: String,
    #[serde(default)]
    reason: String,
    /// A boolean, or one as text.
    #[serde(borrow)]
    result: Option<&'f RawValue>,
    #[serde(rename = "T")]
    topic: Option<String>,
    #[serde(default, rename = "P")]
    pushed: Amount,
    #[serde(borrow, rename = "d")]
    data: Option<&'f RawValue>,
}

#[derive(Deserialize)]
struct CoinEvent {
    #[serde(rename = "c")]
    coin: String,
    #[serde(default, rename = "e")]
    equity: Amount,
    #[serde(rename = "a")]
    available: Amount,
    #[serde(default, rename = "h")]
    hold: Amount,
    #[serde(default, rename = "l")]
    liability: Amount,
}

#[derive(Deserialize)]
struct OrderEvent {
    #[serde(rename = "oi")]
    id: Id,
    #[serde(rename = "s")]
    symbol: String,
    #[serde(rename = "os")]
    state: Id,
}

#[derive(Deserialize)]
struct Execution {
    #[serde(rename = "s")]
    symbol: String,
    #[serde(rename = "S")]
    side: String,
    #[serde(rename = "p")]
    price: Amount,
    #[serde(rename = "q")]
    size: Amount,
    #[serde(rename = "ti")]
    id: Id,
    #[serde(default, rename = "lR")]
    liquidity: String,
    #[serde(default, rename = "f")]
    fee: Amount,
    #[serde(default, rename = "fC")]
    fee_currency: String,
    #[serde(default, rename = "E")]
    at: Amount,
}

fn event<'f>(topic: &str, pushed: Amount, data: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    let at = nanos(pushed);
    match topic.split('.').next().unwrap_or(topic) {
        "balance" => {
            let one: CoinEvent = serde_json::from_str(data)?;
            let wallet = match topic.split('.').nth(1) {
                Some("FUNDING") => FUNDING,
                Some("UNIFIED") => UNIFIED,
                _ => return Ok(()),
            };
            let (free, locked, borrowed) = (one.available.0, Some(one.hold.or_zero()), Some(one.liability.or_zero()));
            let balance = Balance { wallet, asset: one.coin, free, locked, borrowed, net: one.equity.0, at };
            tell(Entry::Balance(balance).into());
        }
        "order" | "orderAll" => {
            let one: OrderEvent = serde_json::from_str(data)?;
            let status = match one.state.0.as_str() {
                "0" | "2" => Status::New,
                "1" | "4" => Status::Working,
                "3" => Status::Filled,
                "5" | "6" => Status::Canceled,
                other => {
                    misread("order status", other, tell);
                    return Ok(());
                }
            };
            let market = market(&one.symbol);
            tell(Entry::Order(Order { market, name: one.symbol, id: one.id.0, status, at }).into());
        }
        "execution" => serde_json::from_str::<Execution>(data)?.tell(tell),
        "position" | "positionAll" => serde_json::from_str::<PositionRow>(data)?.tell(at, tell),
        other => return Err(Fault::protocol(format!("unknown topic {:?}", common::excerpt(other)))),
    }
    Ok(())
}

impl Execution {
    fn tell(self, tell: Tell<'_, '_>) {
        let fill = Fill {
            market: market(&self.symbol),
            name: self.symbol,
            id: self.id.0,
            side: rows::side(&self.side),
            role: rows::role(&self.liquidity.to_lowercase()),
            quote_volume: None,
            fee: self.fee.0.filter(|_| !self.fee_currency.is_empty()).map(|fee| (fee, self.fee_currency)),
            at: nanos(self.at),
        };
        tell(rows::execution(fill, self.size.or_zero(), self.price.or_zero()).into());
    }
}

#[cfg(test)]
#[path = "unified_tests.rs"]
mod tests;
