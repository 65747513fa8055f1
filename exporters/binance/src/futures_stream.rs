//! The private stream of the USD-M futures: orders and executions as they happen. What they do to wallet and positions
//! is asked over REST: an event tells no liquidation price and no leverage, and a balance without its unrealised profit.
//!
//! Source: <https://developers.binance.com/docs/derivatives/usds-margined-futures/user-data-streams>.

use std::sync::Arc;
use std::time::Duration;

use common::{Endpoint, Entry, Fault, Feed, Keyring, Kind, Market, Micros, Request, Signal, Step, Tell, Topic};
use serde::Deserialize;

use crate::auth::escaped;
use crate::futures::WALLET;
use crate::rows::Report;

/// Where the stream is, unlike the spot account's.
pub const HOST: &str = "wss://fstream.binance.com";

pub struct Events {
    base: String,
    keys: Arc<Keyring>,
}

impl Events {
    pub fn new(base: &str, keys: Arc<Keyring>) -> Self {
        Self { base: base.to_owned(), keys }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ticket {
    listen_key: String,
}

impl Feed for Events {
    fn name(&self) -> &'static str {
        WALLET
    }

    /// Asked for again, it is the same one for another hour. Not signed: the key alone suffices.
    fn ticket(&self) -> Option<Request> {
        let key = self.keys.keys().key().to_owned();
        Some(Request::post("/fapi/v1/listenKey").futures().pool("fapi").header("X-MBX-APIKEY", key))
    }

    fn endpoint(&self, ticket: &str) -> Result<Endpoint, Fault> {
        let ticket: Ticket = serde_json::from_str(ticket)?;
        Ok(Endpoint {
            url: format!("{}/private/ws?listenKey={}", self.base, escaped(&ticket.listen_key)),
            heartbeat: None,
            // The server pings every 3 minutes here; two are missed.
            silence: Duration::from_secs(400),
            pace: Duration::from_millis(250),
            // The ticket is good for an hour: before it is over, the next line's ticket makes it another hour.
            lifetime: Some(Duration::from_secs(50 * 60)),
        })
    }

    /// The address says it all.
    fn opening(&self, _now: Micros) -> Result<Vec<Step>, Fault> {
        Ok(Vec::new())
    }

    fn decode<'f>(&self, frame: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
        let named: Named<'f> = serde_json::from_str(frame)?;
        match named.e {
            "ORDER_TRADE_UPDATE" => order(frame, tell)?,
            "ACCOUNT_UPDATE" | "MARGIN_CALL" | "ACCOUNT_CONFIG_UPDATE" => {
                tell(Entry::Stir(Topic::Wallet(WALLET)).into());
                tell(Entry::Stir(Topic::Positions).into());
            }
            // The first one tells executions a second time, the others of what will become orders.
            "TRADE_LITE" | "ALGO_UPDATE" | "STRATEGY_UPDATE" | "GRID_UPDATE" | "CONDITIONAL_ORDER_TRIGGER_REJECT" => {}
            "serverShutdown" => tell(Signal::Leaving.into()),
            "listenKeyExpired" => {
                let why = "the stream's listen key has expired";
                tell(Signal::Over(Fault::new(Kind::Venue, why)).into());
            }
            other => return Err(Fault::protocol(format!("unknown event {}", common::excerpt(other)))),
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Named<'f> {
    e: &'f str,
}

#[derive(Deserialize)]
struct Update<'f> {
    #[serde(borrow)]
    o: Report<'f>,
}

fn order<'f>(text: &'f str, tell: Tell<'_, 'f>) -> Result<(), Fault> {
    let Update { o: report }: Update<'f> = serde_json::from_str(text)?;
    report.tell(Market::Linear, tell);
    // An order holds margin for as long as it is open, which no other event tells.
    tell(Entry::Stir(Topic::Wallet(WALLET)).into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::account::{Fill, Order, Role, Side, Status};
    use common::{Fact, Host};

    fn feed() -> Events {
        Events::new(HOST, Keyring::fixed(["the-key", "the-secret"]))
    }

    fn told(frame: &str) -> Result<Vec<common::Update<'_>>, Fault> {
        let mut told = Vec::new();
        feed().decode(frame, &mut |update| told.push(update)).map(|()| told)
    }

    fn entries(frame: &str) -> Vec<Entry> {
        let entry = |update| match update {
            common::Update::Fact(Fact::Entry(entry)) => entry,
            other => panic!("{other:?}"),
        };
        told(frame).unwrap().into_iter().map(entry).collect()
    }

    #[test]
    fn the_key_alone_buys_a_ticket_that_is_renewed_before_it_is_over() {
        let request = feed().ticket().unwrap();
        assert_eq!((request.method(), request.target()), ("POST", "/fapi/v1/listenKey".into()));
        assert_eq!((request.host, request.pool, request.signed), (Host::Futures, "fapi", false));
        assert!(matches!(&request.headers[..], [("X-MBX-APIKEY", key)] if key.as_str() == "the-key"));
        let endpoint =
            feed().endpoint(r#"{"listenKey":"pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65"}"#).unwrap();
        assert_eq!(
            endpoint.url,
            "wss://fstream.binance.com/private/ws?listenKey=pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65"
        );
        assert!(endpoint.lifetime.is_some_and(|lifetime| lifetime < Duration::from_secs(3600)));
        assert_eq!(feed().opening(Micros(0)), Ok(Vec::new()));
        assert_eq!(feed().endpoint("{}").unwrap_err().kind, Kind::Decode);
    }

    const FILLED: &str = r#"{"e":"ORDER_TRADE_UPDATE","E":1795168801001,"T":1795168800998,"o":{"s":"BTCUSDT","c":"x-a1","S":"SELL","o":"LIMIT","f":"GTC","q":"0.010","p":"90780.00","ap":"90787.70","sp":"0","x":"TRADE","X":"FILLED","i":8886774,"l":"0.010","z":"0.010","L":"90787.70","n":"0.36315080","N":"USDT","T":1795168800998,"t":5414400200,"b":"0","a":"0","m":false,"R":false,"wt":"CONTRACT_PRICE","ot":"LIMIT","ps":"BOTH","cp":false,"rp":"1.25","pP":false,"si":0,"ss":0,"V":"EXPIRE_MAKER","pm":"NONE","gtd":0}}"#;

    #[test]
    fn an_execution_is_an_order_and_a_fill_and_moves_the_wallet() {
        let at = Some(Micros::from_millis(1_795_168_800_998));
        let (market, name) = (Market::Linear, "BTCUSDT".to_owned());
        let order = Order { market, name: name.clone(), id: "8886774".into(), status: Status::Filled, at };
        let fill = Fill {
            market,
            name,
            id: "5414400200".into(),
            side: Side::Sell,
            role: Some(Role::Taker),
            quote_volume: "907.877".parse().ok(),
            fee: "0.3631508".parse().ok().zip(Some("USDT".into())),
            at,
        };
        let stir = Entry::Stir(Topic::Wallet("futures"));
        assert_eq!(entries(FILLED), [Entry::Order(order), Entry::Fill(fill), stir]);
    }

    #[test]
    fn what_becomes_of_an_order() {
        let status = |what: &str, status: &str| {
            let frame = FILLED
                .replace("TRADE\",", &format!("{what}\","))
                .replace("FILLED", status)
                .replace(r#""n":"0.36315080","N":"USDT","#, "")
                .replace("5414400200", "0");
            match &entries(&frame)[..] {
                [Entry::Order(order), Entry::Stir(_)] => order.status,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(status("NEW", "NEW"), Status::New);
        assert_eq!(status("AMENDMENT", "NEW"), Status::Working);
        assert_eq!(status("CANCELED", "CANCELED"), Status::Canceled);
        assert_eq!(status("REJECTED", "REJECTED"), Status::Rejected);
        assert_eq!(status("EXPIRED", "EXPIRED"), Status::Expired);
        assert_eq!(status("EXPIRED", "EXPIRED_IN_MATCH"), Status::Expired);
        let partly = FILLED.replace("FILLED", "PARTIALLY_FILLED");
        assert!(
            matches!(&entries(&partly)[..], [Entry::Order(one), Entry::Fill(_), _] if one.status == Status::Working)
        );
        let unnumbered = FILLED.replace(r#""t":5414400200,"#, "");
        assert!(matches!(told(&unnumbered).unwrap()[1], common::Update::Misread(_)), "it could count twice");
        let odd = FILLED.replace("FILLED", "SURPRISE");
        assert!(matches!(told(&odd).unwrap()[..], [common::Update::Misread(_), common::Update::Fact(_), _]));
    }

    #[test]
    fn wallet_and_positions_are_asked_for() {
        let moved = r#"{"e":"ACCOUNT_UPDATE","E":1795168801001,"T":1795168800998,"a":{"m":"ORDER","B":[{"a":"USDT","wb":"250.40","cw":"250.40","bc":"0"}],"P":[{"s":"BTCUSDT","pa":"-0.010","ep":"91000.0","bep":"90954.5","cr":"0","up":"2.09","mt":"cross","iw":"0","ps":"BOTH"}]}}"#;
        let stirs = [Entry::Stir(Topic::Wallet("futures")), Entry::Stir(Topic::Positions)];
        assert_eq!(entries(moved), stirs);
        let leverage = r#"{"e":"ACCOUNT_CONFIG_UPDATE","E":1,"T":1,"ac":{"s":"BTCUSDT","l":25}}"#;
        assert_eq!(entries(leverage), stirs);
        let call = r#"{"e":"MARGIN_CALL","E":1,"cw":"3.16","p":[{"s":"ETHUSDT","ps":"LONG","pa":"1.327","mt":"CROSSED","iw":"0","mp":"187.17","up":"-1.16","mm":"1.61"}]}"#;
        assert_eq!(entries(call), stirs);
    }

    #[test]
    fn repetitions_farewells_and_what_is_not_understood() {
        let lite = r#"{"e":"TRADE_LITE","E":1,"T":1,"s":"BTCUSDT","q":"0.01","p":"0","m":false,"c":"x","S":"BUY","L":"90787.70","l":"0.01","t":5414400200,"i":8886774}"#;
        assert_eq!(told(lite), Ok(Vec::new()), "it would count twice");
        let expired = r#"{"e":"listenKeyExpired","E":1,"listenKey":"OfYGbUzi3PraNagEkdKuFwUHn48brFsItTdsuiIXrucvkD0rhRXZ7I6URWfE8YE8"}"#;
        assert!(matches!(told(expired).unwrap()[..], [common::Update::Signal(Signal::Over(_))]));
        assert_eq!(told(r#"{"e":"serverShutdown","E":1}"#), Ok(vec![Signal::Leaving.into()]));
        assert_eq!(told(r#"{"e":"surprise"}"#).unwrap_err().kind, Kind::Protocol);
        assert_eq!(told(r#"{"e":"ORDER_TRADE_UPDATE"}"#).unwrap_err().kind, Kind::Decode);
        assert_eq!(told("{}").unwrap_err().kind, Kind::Decode);
    }
}
