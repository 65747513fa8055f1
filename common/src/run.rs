//! The whole program: the same `main` for every venue, and the parts of it that a program without a venue has too.

use std::future::Future;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::account::clerk;
use crate::account::desk::Desk;
use crate::config::{Config, Stop, Task};
use crate::context::Context;
use crate::metrics::scrape::Exposition;
use crate::venue::{About, Setup, Venue};
use crate::web::door::House;
use crate::web::server::{Site, house, serve};
use crate::{check, decode, healthcheck, log, upkeep};

/// Exit status for a configuration that cannot be used.
pub const UNUSABLE: u8 = 2;
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
        Err(Stop::Unusable(line)) => return complain(about.name, &line, UNUSABLE),
    };
    let venue = build(&config.setup);
    match &config.task {
        Task::Decode(path) => return decode::run(&*venue, path),
        Task::HealthCheck => return healthcheck::run(config.listen, config.web_given),
        Task::Run | Task::Check => {}
    }
    keep_no_core();
    let desk = match &config.credentials {
        None => None,
        Some(keys) => match venue.account(Arc::clone(keys)) {
            Ok(account) => Some(Arc::new(Desk::new(account, Arc::clone(keys), config.terms.clone()))),
            Err(line) => return complain(about.name, &line, UNUSABLE),
        },
    };
    let context = match Context::new(about, venue, desk, &config) {
        Ok(context) => context,
        Err(fault) => return complain(about.name, &fault.detail, 1),
    };
    let pace = Arc::clone(&context.pace);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().on_thread_park(move || pace.rest()).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return complain(about.name, &format!("cannot start: {error}"), 1),
    };
    let local = LocalSet::new();
    if config.task == Task::Check {
        return runtime.block_on(local.run_until(check::run(context, &config)));
    }
    let listener = match bind(config.listen) {
        Ok(listener) => listener,
        Err(line) => return complain(about.name, &line, UNUSABLE),
    };
    log::start(config.log_level, config.log_format);
    match runtime.block_on(run(local, context, config, listener)) {
        Ok(()) => ExitCode::SUCCESS,
        Err((status, line)) => complain(about.name, &line, status),
    }
}

/// A crash must not write the key to a disk. Where the limit cannot be set the system's own stays.
pub fn keep_no_core() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// Where to serve, taken before anything else is begun. The error is one line.
pub fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address)
        .map_err(|error| format!("cannot listen on {address}: {error}; --web.listen-address chooses another"))
}

/// Tells on standard error why the program ends.
pub fn complain(name: &str, line: &str, status: u8) -> ExitCode {
    // Nothing is left to tell it to if standard error is closed.
    let _ = writeln!(std::io::stderr(), "{name}-exporter: {line}");
    ExitCode::from(status)
}

/// A house that is open: its server runs on a thread of its own.
#[derive(Debug)]
pub struct Open {
    terminate: Signal,
    interrupt: Signal,
    stop: watch::Sender<bool>,
    /// The web thread's end is told on a channel: it should not end, and if it does nobody scrapes any more.
    ended: watch::Receiver<bool>,
}

impl Open {
    /// Opens the house. An error is an exit status and a line, here and below.
    pub fn new(listener: TcpListener, house: House) -> Result<Self, (u8, String)> {
        let broken = |what: &str| (1, what.to_owned());
        let terminate = signal(SignalKind::terminate()).map_err(|_| broken("cannot hear SIGTERM"))?;
        let interrupt = signal(SignalKind::interrupt()).map_err(|_| broken("cannot hear SIGINT"))?;
        let (stop, stopped) = watch::channel(false);
        let (end, ended) = watch::channel(false);
        let thread = std::thread::Builder::new().name("web".into()).spawn(move || {
            if let Err(error) = serve(listener, house, stopped) {
                tracing::error!(%error, "the web server failed");
            }
            let _ = end.send(true);
        });
        thread.map_err(|_| broken("cannot start the web server's thread"))?;
        Ok(Self { terminate, interrupt, stop, ended })
    }

    /// Does the work until it ends, or until the program is told to stop.
    pub async fn until_stopped(
        &mut self,
        work: impl Future<Output = Result<(), (u8, String)>>,
    ) -> Result<(), (u8, String)> {
        let result = tokio::select! {
            done = work => done,
            _ = self.terminate.recv() => Ok(()),
            _ = self.interrupt.recv() => Ok(()),
            _ = self.ended.changed() => Err((1, "the web server ended".to_owned())),
        };
        tracing::info!("stopping");
        result
    }

    /// Gives requests under way, and what else there is to say farewell to, their moment.
    pub async fn close(mut self, farewell: impl Future<Output = ()>) {
        let _ = self.stop.send(true);
        let served = async {
            let _ = self.ended.wait_for(|ended| *ended).await;
        };
        let _ = timeout(FAREWELL, async { tokio::join!(farewell, served) }).await;
    }
}

async fn run(
    local: LocalSet,
    context: Arc<Context>,
    config: Config,
    listener: TcpListener,
) -> Result<(), (u8, String)> {
    let about = context.about;
    let exposition =
        Exposition::new(about.name, Arc::clone(&context.board), Arc::clone(&context.health), config.compat)
            .with_account(&context);
    let site =
        Site { context: Arc::clone(&context), exposition: Arc::new(exposition), telemetry_path: config.telemetry_path };
    let mut open = Open::new(listener, house(site, Arc::clone(&config.web), config.protect_health))?;
    let address = config.listen.to_string();
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
    let pace = Arc::clone(&context.pace);
    let answering = local.spawn_local(async move { pace.answer().await });
    let work = local.run_until(async {
        tokio::select! {
            () = market => Ok(()),
            why = account => Err((UNUSABLE, why)),
        }
    });
    let result = open.until_stopped(work).await;
    // The work is dropped by now and its lines hang up; this would go on for ever.
    answering.abort();
    open.close(local).await;
    result
}
