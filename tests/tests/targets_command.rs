//! `make targets`, `make add-target` and `make remove-target` against a real Prometheus.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use axum::Router;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use fake_venues::stack::{Market, Ports, Suite, build, have_prometheus, prometheus, repository, until_ready};
use std::fs;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, spawn_blocking};

const START: Duration = Duration::from_secs(60);

/// What a command said, and its status.
#[derive(Debug)]
struct Answer {
    status: i32,
    text: String,
}

impl Answer {
    fn of(output: &Output) -> Self {
        let text = [output.stdout.as_slice(), &output.stderr].concat();
        Self { status: output.status.code().unwrap(), text: String::from_utf8(text).unwrap() }
    }

    /// Asserts the status, and that each of these is there.
    fn says(&self, status: i32, parts: &[&str]) {
        assert_eq!(self.status, status, "{}", self.text);
        for part in parts {
            assert!(self.text.contains(part), "no {part:?} in:\n{}", self.text);
        }
    }

    /// The lines of one target: its own and those below it.
    fn about(&self, target: &str) -> String {
        let is_it = |line: &&str| !line.starts_with(' ') && line.split_whitespace().nth(1) == Some(target);
        let mut lines = self.text.lines().skip_while(|line| !is_it(line));
        let first = lines.next();
        assert!(first.is_some(), "no {target} in:\n{}", self.text);
        first.into_iter().chain(lines.take_while(|line| line.starts_with("    "))).collect::<Vec<_>>().join("\n")
    }
}

/// The script itself, which knows better statuses than make. The folder of targets it finds out itself.
fn command(port: u16, arguments: &[&str]) -> JoinHandle<Answer> {
    let mut script = Command::new(repository().join("scripts/targets"));
    script.args(arguments).env("PROMETHEUS_URL", format!("http://localhost:{port}")).env_remove("TARGETS_DIR");
    script.env("TARGETS_WAIT", "60");
    spawn_blocking(move || Answer::of(&script.output().unwrap()))
}

async fn run(port: u16, arguments: &[&str]) -> Answer {
    command(port, arguments).await.unwrap()
}

async fn make(port: u16, arguments: &[&str]) -> Answer {
    let mut make = Command::new("make");
    make.arg("--no-print-directory").args(arguments).arg(format!("PROMETHEUS_URL=http://localhost:{port}"));
    make.current_dir(repository()).env_remove("TARGETS_DIR").env_remove("MAKEFLAGS");
    spawn_blocking(move || Answer::of(&make.output().unwrap())).await.unwrap()
}

/// Serves this on a port of its own; returns the address.
async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

fn metrics(text: &'static str) -> Router {
    Router::new().route("/metrics", get(move || async move { text }))
}

/// One start of everything for all of it: the start is what takes the time.
#[tokio::test]
async fn targets_are_shown_added_and_removed() {
    if !have_prometheus().unwrap() {
        return;
    }
    let mut suite = Suite::new(Ports::free().unwrap(), &build().unwrap()).unwrap();
    let port = suite.ports().prometheus();
    run(port, &[]).await.says(2, &["Prometheus does not answer", "refused", "cure: start it", "PROMETHEUS_URL="]);

    let fakes = suite.start_fakes().await.unwrap();
    suite.start_exporters(&Market::Fake(fakes)).unwrap();
    assert!(suite.start_prometheus().unwrap());
    assert_eq!(until_ready(&mut suite, START, |_| ()).await.unwrap(), []);
    all_are_up(&suite).await;

    what_runs_is_shown(&suite).await;
    a_target_is_added_and_removed(&suite).await;
    what_cannot_be_is_refused(&suite).await;
    what_is_broken_is_told_with_its_cure(port).await;
    what_ails_an_exporter_that_is_up_is_told(&suite).await;
    an_exporter_that_is_not_run_is_taken_out(&mut suite).await;
}

async fn all_are_up(suite: &Suite) {
    let deadline = Instant::now() + START;
    loop {
        let known = prometheus::targets(suite.ports().prometheus()).await.unwrap();
        if suite.targets().iter().all(|target| known.iter().any(|known| known.is(target) && known.health == "up")) {
            return;
        }
        assert!(Instant::now() < deadline, "{known:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn what_runs_is_shown(suite: &Suite) {
    let shown = run(suite.ports().prometheus(), &[]).await;
    shown.says(
        0,
        &[
            "LAST SCRAPE",
            "6 of 6 targets are up.",
            "Jobs without a target: alertmanager, blackbox-exporter, bot-exporter, bots",
        ],
    );
    for target in suite.targets() {
        let line = shown.about(&format!("localhost:{}", target.port));
        assert!(line.contains(target.name) && line.contains("  UP  "), "{line}");
        assert!(line.contains(" s ago, took ") && line.lines().count() == 1, "{line}");
    }
}

async fn a_target_is_added_and_removed(suite: &Suite) {
    let port = suite.ports().prometheus();
    let bot = serve(metrics("slots 3\n")).await;
    let target = format!("TARGET={bot}");
    let added = make(port, &["add-target", "JOB=bots", &target, "LABELS=bot=one,kind=it's", "NAME=my-bot"]).await;
    // An apostrophe is what the shell would stumble over.
    assert_ne!(added.status, 0, "{}", added.text);
    let added = make(port, &["add-target", "JOB=bots", &target, "LABELS=bot=one,kind=two words", "NAME=my-bot"]).await;
    added.says(0, &["my-bot.yml", "bots", &bot, "  UP  "]);
    let file = suite.prometheus_folder().join("targets/bots/my-bot.yml");
    let text = fs::read_to_string(&file).unwrap();
    let line = format!("[{{\"targets\": [\"{bot}\"], \"labels\": {{\"bot\": \"one\", \"kind\": \"two words\"}}}}]\n");
    assert_eq!(text, line);
    let slots = prometheus::query(port, "slots{job=\"bots\",bot=\"one\",kind=\"two words\"}").await.unwrap();
    assert_eq!(slots[0].value, 3.0);
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "a draft was left");

    // Twice is once; something else under that name is not written over.
    run(port, &["add", "bots", &bot, "--labels=bot=one,kind=two words", "--name=my-bot"]).await.says(0, &["  UP  "]);
    run(port, &["add", "bots", "other:1", "--name=my-bot"]).await.says(2, &["exists and says something else"]);
    run(port, &["add", "bots", &bot, "--name=again"]).await.says(2, &["is in", "my-bot.yml already"]);

    make(port, &["remove-target", "JOB=bots", &target]).await.says(0, &["Removed", "scrapes it no more"]);
    assert!(!file.exists());
    run(port, &["remove", "bots", &bot]).await.says(2, &["is no target of the job bots, which has: none"]);
    // Of a file with several, none is lost with the other.
    let both = "- targets:\n    - one:1 # the first\n    - two:2\n- targets: ['[::1]:3']\n";
    fs::write(&file, both).unwrap();
    run(port, &["remove", "bots", "two:2"]).await.says(2, &["has other targets, too"]);
    run(port, &["remove", "bots", "four:4"]).await.says(2, &["which has: [::1]:3, one:1, two:2"]);
    fs::remove_file(&file).unwrap();
}

async fn what_cannot_be_is_refused(suite: &Suite) {
    let port = suite.ports().prometheus();
    for (arguments, reason) in [
        (["add", "okx", "okx-exporter:8004", "--labels="], "there is no job 'okx'; JOB is one of alertmanager, "),
        (["add", "../targets", "okx-exporter:8004", "--labels="], "there is no job"),
        (["add", "okx-exporter", "http://okx-exporter:8004", "--labels="], "with no scheme and no path"),
        (["add", "okx-exporter", "okx-exporter", "--labels="], "TARGET is host:port"),
        (["add", "okx-exporter", "okx-exporter:80040", "--labels="], "TARGET is host:port"),
        (["add", "okx-exporter", "elsewhere:8004", "--labels=account"], "LABELS is name=value"),
        (["add", "okx-exporter", "elsewhere:8004", "--labels=__address__=x"], "LABELS is name=value"),
        (["add", "okx-exporter", "elsewhere:8004", "--labels=exchange=kucoin"], "is 'okx', not 'kucoin'"),
        (["add", "okx-exporter", "elsewhere:8004", "--name=../x"], "NAME is the name of a file"),
    ] {
        run(port, &arguments).await.says(2, &[reason]);
    }
    let files = fs::read_dir(suite.prometheus_folder().join("targets/okx-exporter")).unwrap();
    assert_eq!(files.count(), 1);
}

async fn what_is_broken_is_told_with_its_cure(port: u16) {
    let status = |status: StatusCode| Router::new().fallback(move || async move { status });
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = (format!("localhost:{}", silent.local_addr().unwrap().port()), silent);
    let html = Router::new().fallback(|| async { Html("<!DOCTYPE html><title>Shop</title>") });
    let (plain, plain_label) = (serve(metrics("slots 3\n")).await, "--labels=__scheme__=https");
    let cases = [
        ("localhost:1".to_owned(), "--labels=", "connection refused", "nothing listens on that port"),
        ("no-such-host.invalid:80".to_owned(), "--labels=", "no such host", "has no address where Prometheus runs"),
        (serve(status(StatusCode::NOT_FOUND)).await, "--labels=", "404", "it has no such page"),
        (serve(status(StatusCode::UNAUTHORIZED)).await, "--labels=", "401", "wants a password or a token"),
        (serve(status(StatusCode::FORBIDDEN)).await, "--labels=", "403", "wants a password or a token"),
        (serve(status(StatusCode::SERVICE_UNAVAILABLE)).await, "--labels=", "503", "not available now"),
        (serve(html).await, "--labels=", "", "what it answers are no metrics"),
        (serve(metrics("{\"slots\": 3}")).await, "--labels=", "", "what it answers are no metrics"),
        (silent.0.clone(), "--labels=", "deadline exceeded", "no answer in time"),
        (plain, plain_label, "HTTP response to HTTPS client", "it speaks http"),
    ];
    let adding: Vec<_> = cases.iter().map(|(at, labels, ..)| command(port, &["add", "bots", at, labels])).collect();
    for (adding, (address, _, error, cause)) in adding.into_iter().zip(&cases) {
        let answer = adding.await.unwrap();
        answer.says(1, &["Wrote "]);
        let about = answer.about(address);
        for part in ["  DOWN  ", "error: ", error, "cause: ", cause, "cure: "] {
            assert!(about.contains(part), "no {part:?} in:\n{about}");
        }
    }
    let shown = run(port, &[]).await;
    shown.says(1, &["6 of 16 targets are up; not up: bots "]);
    for (address, _, _, cause) in &cases {
        assert!(shown.about(address).contains(cause), "{}", shown.text);
    }
    let removing: Vec<_> = cases.iter().map(|(address, ..)| command(port, &["remove", "bots", address])).collect();
    for removing in removing {
        removing.await.unwrap().says(0, &["scrapes it no more"]);
    }
}

/// What an exporter tells of itself, in a text as the contract has it; and what is none, or the wrong one.
async fn what_ails_an_exporter_that_is_up_is_told(suite: &Suite) {
    let port = suite.ports().prometheus();
    let soon = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + 600;
    let refusals = Arc::new(AtomicU64::new(0));
    let sick = move || {
        let refused = refusals.fetch_add(1, Ordering::Relaxed);
        async move {
            format!(
                "exchange_exporter_build_info{{exchange=\"okx\"}} 1\n\
                 exchange_connection_status{{exchange=\"okx\",stream=\"public\"}} 0\n\
                 exchange_connection_status{{exchange=\"okx\",stream=\"private\"}} 0\n\
                 exchange_config_error{{exchange=\"okx\",reason=\"unknown_symbol\"}} 1\n\
                 exchange_system_status{{exchange=\"okx\"}} 0\n\
                 exchange_errors_total{{exchange=\"okx\",kind=\"auth\",source=\"rest\"}} {refused}\n\
                 exchange_rate_limit_reset_timestamp_seconds{{exchange=\"okx\",limit=\"weight\"}} {soon}\n"
            )
        }
    };
    let sick = serve(Router::new().route("/metrics", get(sick))).await;
    let other = serve(metrics("slots 3\n")).await;
    let kucoin = format!("localhost:{}", suite.ports().exporter(1));
    let addresses = [&sick, &other, &kucoin];
    let adding: Vec<_> = addresses.iter().map(|at| command(port, &["add", "okx-exporter", at])).collect();
    for adding in adding {
        adding.await.unwrap().says(0, &["  UP  "]);
    }
    let deadline = Instant::now() + START;
    // A rate needs two scrapes.
    let shown = loop {
        let shown = run(port, &[]).await;
        if shown.text.contains("auth errors") {
            break shown;
        }
        assert!(Instant::now() < deadline, "{}", shown.text);
    };
    shown.says(0, &["9 of 9 targets are up."]);
    let about = shown.about(&sick);
    for part in [
        "the public stream is not live",
        "the private stream is not live",
        "the configuration is wrong: unknown_symbol",
        "`okx-exporter check` names the nearest",
        "the venue says that it is not up",
        "the venue refuses the key (auth errors",
        "the venue limits or bans this address until ",
        "(weight)",
    ] {
        assert!(about.contains(part), "no {part:?} in:\n{about}");
    }
    assert!(shown.about(&other).contains("it is no exporter of this suite"), "{}", shown.text);
    let wrong = shown.text.lines().skip_while(|line| !(line.starts_with("okx-exporter") && line.contains(&kucoin)));
    assert!(
        wrong.take(2).last().unwrap().contains("it is the exporter of kucoin, in the job of another"),
        "{}",
        shown.text
    );
    for address in addresses {
        run(port, &["remove", "okx-exporter", address]).await.says(0, &["scrapes it no more"]);
    }
}

/// The cure of a venue that is not wanted works as it is printed.
async fn an_exporter_that_is_not_run_is_taken_out(suite: &mut Suite) {
    let port = suite.ports().prometheus();
    suite.process("okx-exporter").unwrap().kill();
    let address = format!("localhost:{}", suite.ports().exporter(4));
    let cure = format!("make remove-target JOB=okx-exporter TARGET={address}");
    let deadline = Instant::now() + START;
    let shown = loop {
        let shown = run(port, &[]).await;
        if shown.status != 0 {
            break shown;
        }
        assert!(Instant::now() < deadline, "{}", shown.text);
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    shown.says(1, &[&format!("5 of 6 targets are up; not up: okx-exporter {address}.")]);
    let about = shown.about(&address);
    for part in ["connection refused", "--profile okx up -d", &cure] {
        assert!(about.contains(part), "no {part:?} in:\n{about}");
    }
    let words: Vec<&str> = cure.split(' ').skip(1).collect();
    make(port, &words).await.says(0, &["scrapes it no more"]);
    run(port, &[]).await.says(0, &["5 of 5 targets are up."]);
}
