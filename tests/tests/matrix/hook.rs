//! Where all of Alertmanager's messages end: a small server that remembers them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use serde::Deserialize;
use tokio::net::TcpListener;

type Texts = BTreeMap<String, String>;

/// One alert in one message.
#[derive(Clone, Debug)]
pub struct Event {
    pub at: Instant,
    /// Alertmanager's receiver.
    pub receiver: String,
    pub firing: bool,
    pub labels: Texts,
    pub annotations: Texts,
}

impl Event {
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

#[derive(Deserialize)]
struct Message {
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
struct Alert {
    status: String,
    labels: Texts,
    annotations: Texts,
}

type Events = Arc<Mutex<Vec<Event>>>;

/// The server.
pub struct Hook {
    pub address: SocketAddr,
    events: Events,
}

impl Hook {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let events = Events::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        // Not `axum::Json`: a message that cannot be read has to fail the test, not only the request.
        let router = Router::new().route("/{receiver}", post(take)).with_state(Arc::clone(&events));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, events }
    }

    /// All that came so far.
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn take(State(events): State<Events>, Path(receiver): Path<String>, body: String) {
    let message: Message = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
    let at = Instant::now();
    let event = |alert: Alert| Event {
        at,
        receiver: receiver.clone(),
        firing: alert.status == "firing",
        labels: alert.labels,
        annotations: alert.annotations,
    };
    events.lock().unwrap_or_else(PoisonError::into_inner).extend(message.alerts.into_iter().map(event));
}
