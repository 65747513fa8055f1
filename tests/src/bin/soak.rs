//! The soak: `make soak`. Hours of a venue's life in minutes: connections cut after a day, tokens that run out, pairs that come and go,
//! clocks that jump, storms of reconnects; five exporters in the middle of it, every scrape looked at, and what must not grow measured.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use fake_venues::ordeal::{Plan, Post, Report, Sizes, Weather};
use fake_venues::stack::binaries;
use fake_venues::{Times, Venue};
use futures_util::future::join_all;

/// Between two standstills, at which everything is compared and measured.
const ROUND: Duration = Duration::from_secs(45);
/// Binance's ban lasts two minutes, and a refused key is left alone for one.
const RECOVERY: Duration = Duration::from_secs(240);
/// By so much memory may grow from the first standstill to the last, in MiB: what the allocator keeps of bursts.
const MEMORY: f64 = 4.0;
/// And so much a simulated day, in MiB, once there is a day to tell it from.
const SLOPE: f64 = 1.0;
/// No token is good for less, and no line lives for less, however short an hour is.
const LISTEN_KEY: Duration = Duration::from_secs(45);
const LIFETIME: Duration = Duration::from_secs(100);
/// Descriptors that are open for a moment: a question under way, somebody who scrapes.
const DESCRIPTORS: usize = 12;

/// Let the five exporters live through hours of trouble in minutes, and look at every scrape.
#[derive(Debug, Parser)]
struct Options {
    /// How long.
    #[arg(long, default_value = "5", value_parser = |text: &str| time(text, 60.0))]
    minutes: Duration,
    /// So many seconds are an hour of the venues' life.
    #[arg(long, default_value = "5", value_parser = |text: &str| time(text, 1.0))]
    hour: Duration,
    /// Of all that happens; a seed of its own each time if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Only these venues.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Where the built programs are, if not beside this one.
    #[arg(long)]
    binaries: Option<PathBuf>,
}

/// What one exporter went through.
struct Course {
    venue: Venue,
    report: Report,
    /// At each standstill, after so much time.
    sizes: Vec<(Duration, Sizes)>,
    connections: usize,
    log: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "soak: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> io::Result<bool> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let seed = options.seed.unwrap_or(now);
    let (time, hour) = (options.minutes, options.hour);
    let binaries = options.binaries.clone().map_or_else(binaries, Ok)?;
    say(&format!("soak: {} s, an hour in {} s, --seed={seed}", time.as_secs_f64(), hour.as_secs_f64()));
    let only = |venue: &Venue| options.only.is_empty() || options.only.iter().any(|name| name == venue.name());
    let plans = Venue::ALL.into_iter().filter(only).map(|venue| Plan {
        venue,
        seed,
        times: Some(faster(venue, hour)),
        binaries: binaries.clone(),
        // The others' last for ten minutes, or look like a country that is not served.
        weather: Weather { restarts: false, bans: venue == Venue::Binance && time > RECOVERY },
    });
    let courses = join_all(plans.map(|plan| live(plan, time))).await.into_iter().collect::<io::Result<Vec<_>>>()?;
    say(&table(&courses, hour));
    let failures = courses.iter().filter(|course| !tell(course, hour)).count();
    Ok(failures == 0)
}

/// A time of the command line, in so many seconds.
fn time(text: &str, unit: f64) -> Result<Duration, &'static str> {
    let number: f64 = text.parse().map_err(|_| "not a number")?;
    let time = Duration::try_from_secs_f64(number * unit).ok().filter(|time| !time.is_zero());
    time.ok_or("must be more than nothing")
}

/// The venue's own times where they are hours: a day's life of a connection, half a day's of a listenKey that nobody prolongs.
fn faster(venue: Venue, hour: Duration) -> Times {
    let documented = Times::documented(venue);
    // The client's own times are not shortened: it prolongs a listenKey after half an hour, and takes a line that lives for less than
    // a minute for a bad one. Those that name no limit cut their clients all the same, now and then.
    Times { listen_key: (hour * 12).max(LISTEN_KEY), lifetime: Some((hour * 24).max(LIFETIME)), ..documented }
}

/// One exporter's time, in rounds.
async fn live(plan: Plan, time: Duration) -> io::Result<Course> {
    let venue = plan.venue;
    let mut post = Post::start(plan).await?;
    let port = post.port();
    let mut sizes = Vec::new();
    let course = async {
        post.recover(RECOVERY).await?;
        // What is allocated only once has been by then.
        post.rough(ROUND.min(time / 4)).await?;
        post.recover(RECOVERY).await?;
        let began = Instant::now();
        loop {
            sizes.push((began.elapsed(), post.sizes()?));
            if began.elapsed() >= time {
                return Ok(());
            }
            post.rough(ROUND.min(time.saturating_sub(began.elapsed()))).await?;
            post.recover(RECOVERY).await?;
            say(&progress(venue, &post.report, began.elapsed()));
        }
    };
    tokio::select! {
        ended = course => ended,
        () = Post::crowd(port) => Ok(()),
    }
    .map_err(|error: io::Error| io::Error::other(format!("{}: {error}", venue.name())))?;
    let connections = post.fake.seen().connections.len();
    let log = post.log_tail();
    Ok(Course { venue, report: post.report, sizes, connections, log })
}

fn progress(venue: Venue, report: &Report, after: Duration) -> String {
    let (name, seconds) = (venue.name(), after.as_secs());
    format!(
        "  {name:8} {seconds:5} s: {} scrapes, {} deeds, {} broken promises",
        report.scrapes, report.deeds, report.found
    )
}

impl Course {
    /// First, last, and most.
    fn memory(&self) -> (f64, f64, f64) {
        let all = || self.sizes.iter().map(|(_, sizes)| sizes.memory);
        let (first, last) = (all().next().unwrap_or(0.0), all().next_back().unwrap_or(0.0));
        (first, last, all().fold(0.0, f64::max))
    }

    /// MiB a day of the venue's life, by least squares; `None` where that says nothing.
    fn slope(&self, hour: Duration) -> Option<f64> {
        let day = (hour * 24).as_secs_f64();
        let points: Vec<(f64, f64)> =
            self.sizes.iter().map(|(at, sizes)| (at.as_secs_f64() / day, sizes.memory)).collect();
        let long = points.last().is_some_and(|(days, _)| *days >= 2.0) && points.len() >= 5;
        long.then(|| slope(&points))
    }

    /// What grew.
    fn growth(&self, hour: Duration) -> Vec<String> {
        let mut grown = Vec::new();
        let (first, last, _) = self.memory();
        if last - first > MEMORY {
            grown.push(format!("memory grew from {first:.1} to {last:.1} MiB"));
        }
        if let Some(slope) = self.slope(hour).filter(|slope| *slope > SLOPE) {
            grown.push(format!("memory grows by {slope:.2} MiB a day"));
        }
        if let (Some((_, first)), Some((_, last))) = (self.sizes.first(), self.sizes.last()) {
            if last.descriptors > first.descriptors + DESCRIPTORS {
                grown.push(format!("descriptors grew from {} to {}", first.descriptors, last.descriptors));
            }
            if last.threads > first.threads {
                grown.push(format!("threads grew from {} to {}", first.threads, last.threads));
            }
        }
        grown
    }
}

fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let both: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    both / points.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>()
}

const HEADER: [&str; 12] = [
    "venue",
    "hours",
    "deeds",
    "scrapes",
    "pages",
    "dials",
    "compared",
    "true after",
    "MiB first, last, most",
    "MiB a day",
    "descriptors",
    "threads",
];

/// A row an exporter, as Markdown.
fn table(courses: &[Course], hour: Duration) -> String {
    let mut text = format!("\n| {} |\n|{}\n", HEADER.join(" | "), "---|".repeat(HEADER.len()));
    for course in courses {
        let report = &course.report;
        let (first, last, most) = course.memory();
        let ends = [course.sizes.first(), course.sizes.last()].map(|one| one.map(|(_, sizes)| *sizes));
        let change =
            |of: fn(Sizes) -> usize| ends.map(|one| one.map(of).unwrap_or_default()).map(|n| n.to_string()).join(" → ");
        let lived = course.sizes.last().map_or(0.0, |(at, _)| at.as_secs_f64() / hour.as_secs_f64());
        let slope = course.slope(hour).map_or_else(String::new, |slope| format!("{slope:+.2}"));
        let _ = writeln!(
            text,
            "| {} | {lived:.0} | {} | {} | {} | {} | {} | {:.0} s | {first:.1}, {last:.1}, {most:.1} | {slope} | {} | {} |",
            course.venue.name(),
            report.deeds,
            report.scrapes,
            report.pages,
            course.connections,
            report.comparisons,
            report.slowest.as_secs_f64(),
            change(|sizes| sizes.descriptors),
            change(|sizes| sizes.threads),
        );
    }
    text
}

/// Says what is wrong with one of them; whether nothing is.
fn tell(course: &Course, hour: Duration) -> bool {
    let name = course.venue.name();
    let findings = course.report.findings.iter().map(ToString::to_string);
    let all: Vec<String> =
        findings.chain(course.growth(hour).into_iter().map(|what| format!("{name}-exporter: {what}"))).collect();
    all.iter().for_each(|one| say(one));
    if !all.is_empty() {
        say(&format!("{name}-exporter's last lines:\n{}", course.log));
    }
    all.is_empty()
}

/// One line for the user. Nobody listening is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(memory: &[f64], descriptors: usize) -> Course {
        let size = |memory: &f64| Sizes { memory: *memory, descriptors: 20, threads: 2 };
        let at = |place: usize| Duration::from_secs(60 * place as u64);
        let mut sizes: Vec<_> = memory.iter().enumerate().map(|(place, memory)| (at(place), size(memory))).collect();
        if let Some((_, last)) = sizes.last_mut() {
            last.descriptors = descriptors;
        }
        Course { venue: Venue::Okx, report: Report::default(), sizes, connections: 0, log: String::new() }
    }

    #[test]
    fn what_grows_is_told() {
        let hour = Duration::from_secs(5);
        let flat = [10.0, 10.3, 10.1, 10.4, 10.2, 10.3];
        assert_eq!(course(&flat, 22).growth(hour), [] as [&str; 0]);
        assert_eq!(course(&flat, 60).growth(hour), ["descriptors grew from 20 to 60"]);
        let leak: Vec<f64> = (0..6).map(|minute| 10.0 + 0.6 * f64::from(minute)).collect();
        assert_eq!(course(&leak, 20).growth(hour), ["memory grows by 1.20 MiB a day"]);
        assert_eq!(course(&[10.0, 15.0], 20).growth(hour), ["memory grew from 10.0 to 15.0 MiB"]);
    }
}
