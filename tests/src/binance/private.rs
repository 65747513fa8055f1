//! The websocket API, as far as the private stream needs it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::events::events;
use super::pings::Pings;
use super::signed::{Claim, Problem};
use super::weights::{Excess, Pool, count, told};
use crate::account::Inbox;
use crate::account::signing::ed25519_pem;
use crate::fault::{Fault, Limited};
use crate::http::{Reply, Request};
use crate::protocol::{Desk, Heard, Protocol as _, Session, object};
use crate::world::{World, true_now};

/// Subscriptions that one connection may ever have.
const MOST_SUBSCRIPTIONS: u64 = 65_535;

/// An answer that is no refusal.
type Answer = Result<Value, Problem>;

pub(super) struct Api {
    connected_at: u64,
    /// Whether answers tell the limits.
    limits: bool,
    pings: Pings,
    /// What happens is told from the moment of a subscription on.
    inbox: Inbox,
    /// The id of the subscription, and the key that it hangs on.
    subscription: Option<(u64, String)>,
    subscriptions: u64,
    /// Whether the subscription came by the login and ends with it.
    by_login: bool,
    /// The key of the login, and when that was.
    login: Option<(String, u64)>,
    /// The state of the key that was last looked at.
    revision: u64,
    /// Ids of those who ended, to be told.
    ended: Vec<u64>,
}

impl Api {
    pub(super) fn dial(world: &World, request: &Request) -> Result<Self, Reply> {
        count(world, Pool::Spot, &request.path, 2).map_err(|_| super::Binance.limited(Limited::Plain))?;
        Ok(Self {
            connected_at: world.now(),
            limits: request.parameter("returnRateLimits").as_deref() != Some("false"),
            pings: Pings::default(),
            inbox: Inbox::new(world),
            subscription: None,
            subscriptions: 0,
            by_login: false,
            login: None,
            revision: 0,
            ended: Vec::new(),
        })
    }

    fn request(&mut self, text: &str, desk: &mut Desk<'_>) {
        let request = object(text).filter(|request| super::is_id(&request["id"]));
        let Some(request) = request else {
            desk.violation(format!("no request: {text}"));
            let error = json!({"code": -1135, "msg": "Invalid JSON Request"});
            return desk.acknowledge(json!({"id": null, "status": 400, "error": error}));
        };
        let (id, method) = (&request["id"], request["method"].as_str().unwrap_or_default());
        let weight = if matches!(method, "ping" | "time") { 1 } else { 2 };
        let used = match count(desk.world, Pool::Spot, "", weight) {
            Ok(used) => used,
            Err(excess) => return self.refuse(id, excess, desk),
        };
        let mut answer = match self.act(method, &request["params"], desk) {
            Ok(result) => json!({"id": id, "status": 200, "result": result}),
            Err(Problem { status, code, message, bug }) => {
                if bug {
                    desk.violation(format!("{code} {message} {method}"));
                }
                json!({"id": id, "status": status, "error": {"code": code, "msg": message}})
            }
        };
        if self.limits {
            answer["rateLimits"] = told(used);
        }
        desk.acknowledge(answer);
        self.tell_ends(desk);
    }

    /// Too much weight; whoever is banned is thrown out.
    fn refuse(&self, id: &Value, excess: Excess, desk: &mut Desk<'_>) {
        let now = true_now();
        let (status, left) = match excess {
            Excess::Wait(left) => (429, left * 1_000),
            Excess::Banned => (418, 120_000),
        };
        let data = json!({"serverTime": now, "retryAfter": now + left});
        let message = format!(
            "Way too much request weight used; IP banned until {}. Please use WebSocket Streams for live updates to avoid bans.",
            now + left
        );
        let error = json!({"code": -1003, "msg": message, "data": data});
        desk.acknowledge(json!({"id": id, "status": status, "error": error, "rateLimits": told(Pool::Spot.most())}));
        if excess == Excess::Banned {
            desk.close(1008, "IP banned");
        }
    }

    fn act(&mut self, method: &str, params: &Value, desk: &Desk<'_>) -> Answer {
        match method {
            "ping" => Ok(json!({})),
            "time" => Ok(json!({"serverTime": desk.world.now()})),
            "session.logon" => self.log_on(params, desk),
            "session.status" => Ok(self.status(desk)),
            "session.logout" => {
                self.login = None;
                if self.by_login {
                    self.end();
                }
                Ok(self.status(desk))
            }
            "session.subscriptions" => {
                Ok(self.subscription.iter().map(|(id, _)| json!({"subscriptionId": id})).collect())
            }
            "userDataStream.subscribe" => {
                // Only a login makes this possible.
                let (key, _) = self.login.clone().ok_or_else(|| Problem { bug: true, ..Problem::unauthorized() })?;
                self.subscribe(key, true, desk)
            }
            "userDataStream.subscribe.signature" => {
                let key = self.authorised(params, desk)?;
                self.subscribe(key, false, desk)
            }
            "userDataStream.unsubscribe" => {
                let meant = |id: u64| params["subscriptionId"].as_u64().is_none_or(|only| only == id);
                if !self.subscription.as_ref().is_some_and(|(id, _)| meant(*id)) {
                    return Err(Problem::bug(-2036, "User Data Stream subscription not active."));
                }
                self.end();
                Ok(json!({}))
            }
            // Gone since 2026-02-20, like its REST twin.
            "userDataStream.start" | "userDataStream.ping" | "userDataStream.stop" => {
                Err(Problem::bug(-1194, "Method was retired."))
            }
            _ => Err(Problem::bug(-1130, "Data sent for parameter 'method' is not valid.")),
        }
    }

    /// The key that a signed request came with.
    fn authorised(&self, params: &Value, desk: &Desk<'_>) -> Result<String, Problem> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let members = params.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        let sorted: BTreeMap<&str, String> = members.map(|(name, value)| (name.as_str(), text(value))).collect();
        let signed = sorted.iter().filter(|(name, _)| **name != "signature");
        let payload: Vec<String> = signed.map(|(name, value)| format!("{name}={value}")).collect();
        let given = |name: &str| sorted.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let claim = Claim {
            id: given("apiKey"),
            timestamp: given("timestamp"),
            window: given("recvWindow"),
            signature: given("signature"),
            payload: Some(payload.join("&")),
        };
        let now = desk.world.now();
        let key = desk.world.account.lock().key.clone();
        match claim.refusal(&key, now) {
            Some(problem) => Err(problem),
            None if desk.suffers(&Fault::RefuseLogins) => Err(Problem::refused()),
            None => Ok(key.id),
        }
    }

    fn log_on(&mut self, params: &Value, desk: &Desk<'_>) -> Answer {
        let key = self.authorised(params, desk)?;
        if ed25519_pem(&desk.world.account.lock().key.secret).is_none() {
            return Err(Problem::bug(-4056, "HMAC_SHA256 API key is not supported."));
        }
        self.login = Some((key, desk.world.now()));
        Ok(self.status(desk))
    }

    fn status(&self, desk: &Desk<'_>) -> Value {
        let (key, since) = self.login.clone().unzip();
        json!({
            "apiKey": key, "authorizedSince": since, "connectedSince": self.connected_at, "returnRateLimits": self.limits,
            "serverTime": desk.world.now(), "userDataStream": self.subscription.is_some(),
        })
    }

    fn subscribe(&mut self, key: String, by_login: bool, desk: &Desk<'_>) -> Answer {
        if self.subscription.is_some() {
            return Err(Problem::bug(-2035, "User Data Stream subscription already active."));
        }
        if self.subscriptions >= MOST_SUBSCRIPTIONS {
            return Err(Problem::bug(-2042, "User Data Stream subscription limit reached."));
        }
        let id = self.subscriptions;
        self.subscriptions += 1;
        (self.subscription, self.by_login) = (Some((id, key)), by_login);
        self.inbox = Inbox::new(desk.world);
        Ok(json!({"subscriptionId": id}))
    }

    fn end(&mut self) {
        self.ended.extend(self.subscription.take().map(|(id, _)| id));
    }

    fn tell_ends(&mut self, desk: &mut Desk<'_>) {
        for id in self.ended.drain(..) {
            let event = json!({"e": "eventStreamTerminated", "E": desk.world.now()});
            desk.say(json!({"subscriptionId": id, "event": event}));
        }
    }

    /// A key that is gone takes the login and the subscription with it.
    fn look_at_key(&mut self, desk: &mut Desk<'_>) {
        let (key, revision) = {
            let account = desk.world.account.lock();
            (account.key.clone(), account.revision)
        };
        if std::mem::replace(&mut self.revision, revision) == revision {
            return;
        }
        let lost = |id: &String| *id != key.id || !key.read || key.state != crate::account::KeyState::Good;
        let login = self.login.take_if(|(id, _)| lost(id)).is_some();
        let subscription = self.subscription.as_ref().is_some_and(|(_, id)| lost(id));
        if login || subscription {
            let Problem { status, code, message, .. } = Problem::refused();
            desk.say(json!({"id": null, "status": status, "error": {"code": code, "msg": message}}));
        }
        if subscription {
            self.end();
            self.tell_ends(desk);
        }
    }
}

impl Session for Api {
    fn heard(&mut self, frame: Heard<'_>, desk: &mut Desk<'_>) {
        match frame {
            Heard::Text(text) => self.request(text, desk),
            Heard::Binary => self.request("", desk),
            Heard::Pong(payload) => self.pings.pong(payload),
            Heard::Ping => {}
        }
    }

    fn turn(&mut self, desk: &mut Desk<'_>) {
        self.pings.turn(desk);
        self.look_at_key(desk);
        let happened = self.inbox.take(desk);
        let Some((id, _)) = self.subscription else { return };
        for event in happened.iter().flat_map(|event| events(event)) {
            desk.event(json!({"subscriptionId": id, "event": event}));
        }
    }

    fn announce(&mut self, desk: &mut Desk<'_>) {
        desk.say(json!({"event": {"e": "serverShutdown", "E": desk.world.now()}}));
    }

    fn subscriptions(&self) -> Vec<String> {
        self.subscription.iter().map(|(id, _)| format!("userData:{id}")).collect()
    }
}
