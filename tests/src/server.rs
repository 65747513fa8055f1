//! Accepts connections, and tells websockets, REST and the control of the fake apart.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::control;
use crate::fault::{Broken, Fault};
use crate::http::{Reply, Request, Wire};
use crate::ledger::{Asked, Connection};
use crate::socket::Socket;
use crate::world::{World, true_now};

/// Serves for ever; whoever drops the runtime ends it.
pub(crate) async fn run(listener: TcpListener, world: Arc<World>) {
    tokio::spawn(pass_time(Arc::clone(&world)));
    if let Some(every) = world.options.trader {
        tokio::spawn(trade(Arc::clone(&world), every));
    }
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(attend(stream, Arc::clone(&world)))),
            // Out of file descriptors, most likely: others will close.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn pass_time(world: Arc<World>) {
    let mut ticks = interval(world.options.tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        world.advance();
    }
}

async fn trade(world: Arc<World>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        world.trade();
    }
}

async fn attend(stream: TcpStream, world: Arc<World>) {
    // Frames are small and late ones are wrong ones.
    let _ = stream.set_nodelay(true);
    let mut wire = Wire::new(stream);
    while let Ok(Some(request)) = wire.request().await {
        if request.is_upgrade() {
            return upgrade(wire, &request, world).await;
        }
        let answer = match request.path.starts_with("/fake/") {
            true => Answer::Whole(control::answer(&world, &request)),
            false => rest(&request, &world).await,
        };
        match answer {
            Answer::Whole(reply) if wire.reply(&reply).await.is_ok() && !request.is_last() => {}
            Answer::Whole(_) => return,
            Answer::Half(reply) => return drop(wire.reply_half(&reply).await),
            Answer::Reset => return wire.reset(),
        }
    }
}

enum Answer {
    Whole(Reply),
    Half(Reply),
    Reset,
}

async fn rest(request: &Request, world: &World) -> Answer {
    *world.seen.lock().requests.entry(request.path.clone()).or_default() += 1;
    let at = true_now();
    world.confided.lock().request(request);
    let answer = answer(request, world).await;
    let status = match &answer {
        Answer::Whole(reply) | Answer::Half(reply) => {
            world.sampler.lock().take(&reply.body);
            reply.status
        }
        Answer::Reset => 0,
    };
    let (method, path, query) = (request.method.clone(), request.path.clone(), request.query.clone());
    world.seen.lock().note(Asked { at, method, path, query, status });
    answer
}

async fn answer(request: &Request, world: &World) -> Answer {
    let private = world.protocol.is_private(world, request);
    let faults = world.faults.lock().for_request(private);
    for fault in faults {
        match fault {
            Fault::RestSlow { ms } => sleep(Duration::from_millis(ms)).await,
            Fault::RestLimited { how } => return Answer::Whole(world.protocol.limited(how)),
            Fault::RestPathDown { path } if request.path.contains(&path) => {
                return Answer::Whole(Reply::html(502, "502 Bad Gateway"));
            }
            Fault::RestBroken { how } => {
                return match how {
                    Broken::InternalError => Answer::Whole(Reply::text(500, "")),
                    Broken::BadGateway => Answer::Whole(Reply::html(502, "502 Bad Gateway")),
                    Broken::Html => Answer::Whole(Reply::html(200, "Just a moment...")),
                    Broken::Truncated => Answer::Half(world.protocol.rest(world, request)),
                    Broken::Reset => Answer::Reset,
                };
            }
            _ => {}
        }
    }
    Answer::Whole(world.protocol.rest(world, request))
}

async fn upgrade(mut wire: Wire, request: &Request, world: Arc<World>) {
    world.confided.lock().request(request);
    let private = world.protocol.is_private(&world, request);
    let fate = world.faults.lock().for_socket(private);
    let id = {
        let mut seen = world.seen.lock();
        seen.connections.push(Connection {
            path: request.path.clone(),
            dialled_at: true_now(),
            private,
            ..Connection::default()
        });
        seen.connections.len() - 1
    };
    let refused = |why: &str| {
        let mut seen = world.seen.lock();
        seen.connections[id].closed_at = Some(true_now());
        seen.connections[id].end = Some(why.to_owned());
    };
    if fate.refuses_dial(&world.faults.lock()) {
        refused("refused on demand");
        return wire.reset();
    }
    if world.tallies.lock().of("dials").count(world.protocol.dials(), 1, Instant::now()).is_none() {
        refused("too many connection attempts");
        world.seen.lock().connections[id].violations.push("too many connection attempts".to_owned());
        return drop(wire.reply(&Reply::text(429, "Too Many Requests")).await);
    }
    let Some(key) = request.header("sec-websocket-key") else {
        refused("no key");
        return drop(wire.reply(&Reply::text(400, "Bad Request")).await);
    };
    let session = match world.protocol.connect(&world, request) {
        Ok(session) => session,
        Err(reply) => {
            refused("handshake refused");
            return drop(wire.reply(&reply).await);
        }
    };
    let Ok((stream, early)) = wire.switch_protocols(&derive_accept_key(key.as_bytes())).await else {
        return refused("gone during the handshake");
    };
    let stream = WebSocketStream::from_partially_read(stream, early, Role::Server, None).await;
    world.record.lock().opened(id, private, std::time::Instant::now());
    Socket { stream, session, world, id, fate, faults: Vec::new(), close_at: None, garbage: 0, unheard: None }
        .run()
        .await;
}
