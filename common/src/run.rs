//! The whole program: the same `main` for every venue.

use std::io::Write;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::account::clerk;
use crate::account::desk::Desk;
use crate::config::{Config, Stop, Task};
use crate::context::Context;
use crate::metrics::scrape::Exposition;
use crate::venue::{About, Setup, Venue};
use crate::web::server::{Site, serve};
use crate::{check, decode, healthcheck, log, upkeep};

/// Exit status for a configuration that cannot be used.
const UNUSABLE: u8 = 2;
/// How long connections get to say farewell; all of the shutdown must fit in 2 s.
const FAREWELL: Duration = Duration::from_millis(1200);

/// Runs an exporter until it is told to stop.
pub fn main(about: &'static About, build: fn(&Setup) -> Arc<dyn Venue>) -> ExitCode {
    let env = |name: &str| std::env::var(name).ok();
    let config = match Config::read(about, std::env::args(), &env) {
        Ok(config) => config,
        Err(Stop::Told(text)) => {
            // A closed pipe is the reader's choice.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(Stop::Unusable(line)) => return complain(about, &line, UNUSABLE),
    };
    let venue = build(&config.setup);
    match &config.task {
        Task::Decode(path) => return decode::run(&*venue, path),
        Task::HealthCheck => return healthcheck::run(&config),
        Task::Run | Task::Check => {}
    }
    keep_no_core();
    let desk = match &config.credentials {
        None => None,
        Some(keys) => match venue.account(Arc::clone(keys)) {
            Ok(account) => Some(Arc::new(Desk::new(account, Arc::clone(keys), config.terms.clone()))),
            Err(line) => return complain(about, &line, UNUSABLE),
        },
    };
    let context = match Context::new(about, venue, desk, &config) {
        Ok(context) => context,
        Err(fault) => return complain(about, &fault.detail, 1),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(about, &format!("cannot start: {error}"), 1),
    };
    let local = LocalSet::new();
    if config.task == Task::Check {
        return runtime.block_on(local.run_until(check::run(context, &config)));
    }
    let listener = match TcpListener::bind(config.listen) {
        Ok(listener) => listener,
        Err(error) => {
            let line = format!("cannot listen on {}: {error}; --web.listen-address chooses another", config.listen);
            return complain(about, &line, UNUSABLE);
        }
    };
    log::start(config.log_level, config.log_format);
    match runtime.block_on(run(local, context, config, listener)) {
        Ok(()) => ExitCode::SUCCESS,
        Err((status, line)) => complain(about, &line, status),
    }
}

/// A crash must not write the key to a disk. Where the limit cannot be set the system's own stays.
fn keep_no_core() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

fn complain(about: &About, line: &str, status: u8) -> ExitCode {
    // Nothing is left to tell it to if standard error is closed.
    let _ = writeln!(std::io::stderr(), "{}-exporter: {line}", about.name);
    ExitCode::from(status)
}

async fn run(
    local: LocalSet,
    context: Arc<Context>,
    config: Config,
    listener: TcpListener,
) -> Result<(), (u8, String)> {
    let broken = |what: &str| (1, what.to_owned());
    let mut terminate = signal(SignalKind::terminate()).map_err(|_| broken("cannot hear SIGTERM"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|_| broken("cannot hear SIGINT"))?;
    let (stop, stopped) = watch::channel(false);
    let about = context.about;
    let exposition =
        Exposition::new(about.name, Arc::clone(&context.board), Arc::clone(&context.health), config.compat)
            .with_account(&context);
    let site = Site {
        context: Arc::clone(&context),
        exposition: Arc::new(exposition),
        telemetry_path: config.telemetry_path,
        live: Arc::clone(&config.web),
        protect_health: config.protect_health,
    };
    let address = config.listen.to_string();
    // The web thread's end is told on a channel: it should not end, and if it does nobody scrapes any more.
    let (ended, mut web) = watch::channel(None);
    let thread = std::thread::Builder::new().name("web".into()).spawn(move || {
        let result = serve(listener, site, stopped);
        let _ = ended.send(Some(result.err().map(|error| error.to_string())));
    });
    thread.map_err(|_| broken("cannot start the web server's thread"))?;
    tracing::info!(exchange = about.name, version = env!("CARGO_PKG_VERSION"), address, symbols = %config.selection, "started");
    if !config.unfilled.is_empty() {
        let files = config.unfilled.join(" ");
        tracing::info!(
            files,
            "no credentials, their files are empty: market data only until they are filled and this is restarted"
        );
    }
    let market = upkeep::run(Arc::clone(&context), config.selection, config.symbols_interval);
    let account = async {
        match &context.desk {
            Some(desk) => clerk::run(Arc::clone(&context), Arc::clone(desk)).await,
            None => std::future::pending().await,
        }
    };
    let work = local.run_until(async {
        tokio::select! {
            () = market => Ok(()),
            why = account => Err((UNUSABLE, why)),
        }
    });
    let result = tokio::select! {
        done = work => done,
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        _ = web.changed() => Err(broken("the web server ended")),
    };
    tracing::info!("stopping");
    // The work is dropped by now and its lines hang up; give them, and scrapes under way, their moment.
    let _ = stop.send(true);
    let served = async {
        let _ = web.wait_for(Option::is_some).await;
    };
    let _ = timeout(FAREWELL, async { tokio::join!(local, served) }).await;
    result
}
