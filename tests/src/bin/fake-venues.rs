//! Runs fake venues until SIGINT, SIGTERM, or, if asked, the end of its input.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use fake_venues::{Fake, Options, Venue, start};
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};

/// Faithful fakes of five crypto exchanges, for demos and tests.
#[derive(Parser)]
struct Arguments {
    /// Only this venue; may be repeated.
    #[arg(long, value_parser = venue)]
    venue: Vec<Venue>,
    /// How many symbols each venue lists.
    #[arg(long)]
    symbols: Option<usize>,
    /// Milliseconds between two steps of the market.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    tick_ms: u64,
    /// Seed of the market.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Milliseconds between two things that the account does at random; without it the account rests.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    trader_ms: Option<u64>,
    /// Listen on this port and the following ones instead of free ones.
    #[arg(long)]
    port_base: Option<u16>,
    /// Listen on this address instead of loopback, for clients in other containers.
    #[arg(long, default_value_t = Ipv4Addr::LOCALHOST)]
    address: Ipv4Addr,
    /// End when the input ends, so that nothing outlives the one who started it.
    #[arg(long)]
    until_stdin_closes: bool,
}

fn venue(name: &str) -> Result<Venue, String> {
    let names = || Venue::ALL.map(Venue::name).join(", ");
    Venue::ALL.into_iter().find(|venue| venue.name() == name).ok_or_else(|| format!("one of {}", names()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fake-venues: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> io::Result<()> {
    // Before anything is printed: whoever reads `ready` may signal at once.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let fakes = start_all(&arguments)?;
    announce(&fakes)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = end_of_input(), if arguments.until_stdin_closes => {}
    }
    drop(fakes);
    // A read of the input may still be blocked on its thread; returning would wait for it.
    std::process::exit(0)
}

fn start_all(arguments: &Arguments) -> io::Result<Vec<Fake>> {
    let venues = if arguments.venue.is_empty() { Venue::ALL.to_vec() } else { arguments.venue.clone() };
    let start_one = |(place, venue): (u16, Venue)| {
        let port = arguments.port_base.map_or(0, |base| base.saturating_add(place));
        let options = Options {
            address: SocketAddr::from((arguments.address, port)),
            seed: arguments.seed,
            symbols: arguments.symbols,
            tick: Duration::from_millis(arguments.tick_ms),
            trader: arguments.trader_ms.map(Duration::from_millis),
            ..Options::default()
        };
        start(venue, options)
    };
    (0..).zip(venues).map(start_one).collect()
}

fn announce(fakes: &[Fake]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for fake in fakes {
        writeln!(out, "{} {} {}", fake.venue().name(), fake.rest_url(), fake.ws_url())?;
    }
    writeln!(out, "ready")?;
    out.flush()
}

async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut bytes = [0; 1024];
    while matches!(input.read(&mut bytes).await, Ok(1..)) {}
}
