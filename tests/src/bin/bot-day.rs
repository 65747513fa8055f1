//! Plays trading days: bots that trade on fake venues and tell the bot gateway of it, until SIGINT, SIGTERM, or, if asked, the end of the
//! input.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use fake_venues::Venue;
use fake_venues::bots::{Day, Plan, Post, Seat, Trouble};
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

/// Bots that trade on fake venues and tell the bot gateway of it. Troubles let alerts be seen.
#[derive(Parser)]
struct Arguments {
    /// The gateway's port on this machine.
    #[arg(long, default_value_t = 8005)]
    gateway_port: u16,
    /// The gateway's token, where it wants one.
    #[arg(long, env = "BOT_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// An account to trade on: `okx:PORT`, or `okx:PORT:NAME` where its exporter has --exchange.account=NAME; may be repeated.
    #[arg(long, required = true, value_parser = seat)]
    seat: Vec<Seat>,
    /// The exchange whose account the bots `trader` and `services` are about, if it is among the seats; else the first.
    #[arg(long, default_value = "okx", value_parser = venue)]
    main: Venue,
    /// How long a day takes, from midnight to midnight.
    #[arg(long, default_value = "12m", value_parser = humantime::parse_duration)]
    day: Duration,
    /// How often bots speak.
    #[arg(long, default_value = "5s", value_parser = humantime::parse_duration)]
    cycle: Duration,
    /// The same seed plays the same day, as far as the market is the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What goes wrong; may be repeated.
    #[arg(long)]
    trouble: Vec<Trouble>,
    /// End when the input ends, so that nothing outlives the one who started it.
    #[arg(long)]
    until_stdin_closes: bool,
}

fn venue(name: &str) -> Result<Venue, String> {
    let names = || Venue::ALL.map(Venue::name).join(", ");
    Venue::ALL.into_iter().find(|venue| venue.name() == name).ok_or_else(|| format!("one of {}", names()))
}

fn seat(text: &str) -> Result<Seat, String> {
    let mut parts = text.split(':');
    let venue = venue(parts.next().unwrap_or_default())?;
    let port = parts.next().and_then(|port| port.parse().ok()).ok_or("wants the fake's port, as in okx:12345")?;
    let account = parts.next().map(str::to_owned);
    if parts.next().is_some() {
        Err("wants okx:PORT or okx:PORT:NAME".into())
    } else {
        Ok(Seat { venue, account, port })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = end_of_input(), if arguments.until_stdin_closes => {}
        () = play(&arguments) => {}
    }
    // A read of the input may still be blocked on its thread; returning would wait for it.
    std::process::exit(0)
}

/// One day after the other. A gateway or a venue that is away is waited for, as bots have to.
async fn play(arguments: &Arguments) {
    let gateway = Post::new(arguments.gateway_port);
    let cycle = arguments.cycle.max(Duration::from_millis(10));
    let mut day = Day::new(Plan {
        seed: arguments.seed,
        cycles: (arguments.day.as_secs_f64() / cycle.as_secs_f64()).clamp(1.0, 1e6) as u32,
        gateway: arguments.token.iter().fold(gateway, |gateway, token| gateway.with_token(token)),
        seats: arguments.seat.clone(),
        main: arguments.seat.iter().position(|seat| seat.venue == arguments.main).unwrap_or(0),
    });
    day.set_troubles(&arguments.trouble);
    let mut ticks = interval(cycle);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut well = true;
    loop {
        ticks.tick().await;
        match day.cycle().await {
            Ok(()) => well = true,
            // Once, not every few seconds.
            Err(error) if well => {
                well = false;
                complain(&error);
            }
            Err(_) => {}
        }
    }
}

fn complain(error: &io::Error) {
    let _ = writeln!(io::stderr().lock(), "bot-day: {error}");
}

async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut bytes = [0; 1024];
    while matches!(input.read(&mut bytes).await, Ok(1..)) {}
}
