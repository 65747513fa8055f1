//! The whole program.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use common::config::Stop;
use common::healthcheck;
use common::log;
use common::run::{Open, UNUSABLE, bind, complain, keep_no_core};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::auth::{News, Tokens};
use crate::catalogue::Catalogue;
use crate::config::{Config, PROGRAM, Task};
use crate::gateway::Gateway;
use crate::state::{Found, StateFile};
use crate::store::Bounds;
use crate::web::{Site, house};

/// Between two looks at what has to leave, at the tokens and at the state.
const ROUND: Duration = Duration::from_millis(500);

/// Runs the gateway until it is told to stop.
pub fn main() -> ExitCode {
    let env = |name: &str| std::env::var(name).ok();
    let config = match Config::read(std::env::args(), &env) {
        Ok(config) => config,
        Err(Stop::Told(text)) => {
            // A closed pipe is the reader's choice.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(Stop::Unusable(line)) => return complain(PROGRAM.name, &line, UNUSABLE),
    };
    if config.task == Task::HealthCheck {
        return healthcheck::run(config.listen, config.web_given);
    }
    let catalogue = match Catalogue::read(config.catalogues.as_deref()) {
        Ok(catalogue) => Arc::new(catalogue),
        Err(lines) => {
            for line in &lines {
                complain(PROGRAM.name, line, UNUSABLE);
            }
            return ExitCode::from(UNUSABLE);
        }
    };
    if config.task == Task::CheckCatalogue {
        let (families, webhooks) = (catalogue.families.len(), catalogue.webhooks.len());
        let told = format!("ok: {families} metrics, {webhooks} webhooks\n");
        let _ = std::io::stdout().write_all(told.as_bytes());
        return ExitCode::SUCCESS;
    }
    keep_no_core();
    match run(config, catalogue) {
        Ok(()) => ExitCode::SUCCESS,
        Err((status, line)) => complain(PROGRAM.name, &line, status),
    }
}

/// The error is an exit status and a line.
fn run(config: Config, catalogue: Arc<Catalogue>) -> Result<(), (u8, String)> {
    let unusable = |line: String| (UNUSABLE, line);
    let bounds = Bounds { series: config.max_series, ids: config.max_ids, stale_after: config.stale_after };
    let gateway = Arc::new(Gateway::new(catalogue, bounds, config.rate));
    let tokens = config.tokens.as_deref().map(Tokens::load).transpose();
    let tokens = tokens.map_err(|line| unusable(format!("--events.token-file: {line}")))?.map(Arc::new);
    let file = config.state.as_deref().map(StateFile::open).transpose().map_err(unusable)?;
    let listener = bind(config.listen).map_err(unusable)?;
    log::start(config.log_level, config.log_format);
    if let (Some(file), Some(path)) = (&file, &config.state) {
        take_up(&gateway, file, path).map_err(unusable)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| (1, format!("cannot start: {error}")))?;
    let site = Site {
        gateway: Arc::clone(&gateway),
        tokens: tokens.clone(),
        allow_anyone: config.allow_anyone,
        max_body: config.max_body,
        telemetry_path: config.telemetry_path.clone(),
    };
    let keeper = Keeper { gateway, tokens, file, interval: config.state_interval, saved: 0 };
    runtime.block_on(serve(config, site, listener, keeper))
}

async fn serve(
    config: Config,
    site: Site,
    listener: std::net::TcpListener,
    mut keeper: Keeper,
) -> Result<(), (u8, String)> {
    let users = !config.web.config().users.is_empty();
    let tokens = keeper.tokens.as_ref().is_some_and(|tokens| tokens.are_there());
    let mut open = Open::new(listener, house(site, Arc::clone(&config.web), config.protect_health))?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), address = %config.listen, "started");
    match (users || tokens, config.allow_anyone) {
        (true, _) => {}
        (false, false) => tracing::info!("no token and no user: only this machine may post"),
        (false, true) => tracing::warn!("no token and no user: anyone who reaches this address may post"),
    }
    if keeper.file.is_none() {
        tracing::info!("no --state.file: counters start at zero after a restart");
    }
    let result = open.until_stopped(keeper.work()).await;
    open.close(std::future::ready(())).await;
    // After the last post was answered: all of them are in it.
    keeper.save();
    result
}

/// Takes up what was saved; the error is one line. It is written once at the start, so that a folder that cannot be written is
/// told now and not when something would be lost.
fn take_up(gateway: &Gateway, file: &StateFile, path: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("--state.file={}: {error}", path.display());
    match file.load(gateway.now().unix).map_err(told)? {
        Found::Nothing => tracing::info!(path = %path.display(), "no state yet: counters start at zero"),
        Found::State(saved) => {
            for line in gateway.restore(saved) {
                tracing::warn!("state: {line}");
            }
            gateway.look(|inner| {
                if !inner.dormant.names().is_empty() {
                    let names = inner.dormant.names().join(" ");
                    tracing::warn!(names, "the catalogue does not have these any more; their state is kept");
                }
            });
        }
        Found::SetAside(why, aside) => {
            gateway.own.state_lost.store(true, Ordering::Relaxed);
            tracing::error!(why, aside = %aside.display(), "the state cannot be used and is set aside; counters start at zero");
        }
    }
    file.save(&gateway.whole_state()).map_err(told)?;
    gateway.own.saved_at.store(gateway.now().unix, Ordering::Relaxed);
    Ok(())
}

/// What goes on beside the posts.
struct Keeper {
    gateway: Arc<Gateway>,
    tokens: Option<Arc<Tokens>>,
    file: Option<StateFile>,
    interval: Duration,
    /// How many changes are in the file.
    saved: u64,
}

impl Keeper {
    async fn work(&mut self) -> Result<(), (u8, String)> {
        let mut round = interval(ROUND.min(self.interval));
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut minute, mut saved_at) = (self.gateway.now().unix / 60, Instant::now());
        loop {
            round.tick().await;
            self.gateway.tick();
            self.look_at_tokens();
            let now = self.gateway.now().unix / 60;
            if now != minute {
                minute = now;
                self.gateway.sample(minute);
            }
            if saved_at.elapsed() >= self.interval {
                saved_at = Instant::now();
                self.save();
            }
        }
    }

    fn look_at_tokens(&self) {
        let Some(tokens) = &self.tokens else { return };
        match tokens.look() {
            News::None => {}
            News::Taken => tracing::info!("the tokens changed and are in use"),
            News::Broken(why) => tracing::error!(why, "the tokens changed and cannot be used; those before go on"),
        }
        self.gateway.own.tokens_broken.store(tokens.broken().is_some(), Ordering::Relaxed);
    }

    /// Writes what changed, if anything did.
    fn save(&mut self) {
        let Some(file) = &self.file else { return };
        let Some((changes, state)) = self.gateway.state(self.saved) else { return };
        self.saved = self.note(file.save(&state), changes);
    }

    /// How many changes are safe now.
    fn note(&self, result: std::io::Result<()>, changes: u64) -> u64 {
        let own = &self.gateway.own;
        let was = own.state_broken.swap(result.is_err(), Ordering::Relaxed);
        match result {
            Ok(()) => {
                if was {
                    tracing::info!("the state file can be written again");
                }
                own.saved_at.store(self.gateway.now().unix, Ordering::Relaxed);
                changes
            }
            Err(error) => {
                if !was {
                    tracing::error!(%error, "the state file cannot be written: a restart would lose counts");
                }
                self.saved
            }
        }
    }
}
