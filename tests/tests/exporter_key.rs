//! The key: refused for every reason there is, while prices go on; wrong clocks, bans, mounted secrets, keys that may do too
//! much; and nothing that the exporter emits shows any part of it.

mod exporter;
#[path = "exporter/keys.rs"]
mod keys;

use std::fs;
use std::time::{Duration, Instant};

use exporter::{Rig, bitcoin, command, everywhere, fake, outcome, unix_now, venues};
use fake_venues::account::{Key, KeyState};
use fake_venues::stack::Scratch;
use fake_venues::{Broken, Fake, Fault, Limited, Venue};
use keys::{keys, use_account};
use tokio::time::sleep;

const FLAGS: [&str; 2] = ["--exchange.symbols=top:5", "--exchange.account-interval=1s"];

/// What is wrong with a key, and what a venue makes of it: the kind, and a word of the cure.
struct Case {
    what: &'static str,
    spoil: fn(&mut Key),
    told: fn(Venue) -> Option<(&'static str, &'static str)>,
}

/// One answer for several causes names them all.
const UNSAID: Option<(&str, &str)> = Some(("auth", "list of addresses"));

const CASES: [Case; 6] = [
    Case {
        what: "a wrong secret",
        spoil: |key| key.secret = other(&key.secret),
        told: |venue| match venue {
            Venue::Coinbase => UNSAID,
            _ => Some(("auth", "check the API secret")),
        },
    },
    Case {
        what: "a wrong passphrase",
        spoil: |key| key.passphrase = "another".into(),
        told: |venue| match venue {
            Venue::Kucoin | Venue::Okx => Some(("auth", "check the API passphrase")),
            _ => None,
        },
    },
    Case {
        what: "a key that the venue does not know",
        spoil: |key| key.state = KeyState::Unknown,
        told: |venue| match venue {
            Venue::Binance | Venue::Coinbase => UNSAID,
            _ => Some(("auth", "check the API key")),
        },
    },
    Case {
        what: "an expired key",
        spoil: |key| key.state = KeyState::Expired,
        told: |venue| match venue {
            Venue::Bybit => Some(("auth", "has expired")),
            Venue::Binance | Venue::Coinbase => UNSAID,
            // Theirs are deleted when their time is over, and then unknown.
            Venue::Kucoin | Venue::Okx => Some(("auth", "check the API key")),
        },
    },
    Case {
        what: "an address that is not on the key's list",
        spoil: |key| key.state = KeyState::AddressRefused,
        told: |venue| match venue {
            Venue::Binance | Venue::Coinbase => UNSAID,
            _ => Some(("permission", "public address to the key")),
        },
    },
    Case {
        what: "a key that may not read",
        spoil: |key| key.read = false,
        told: |venue| match venue {
            Venue::Binance => UNSAID,
            _ => Some(("permission", "give the key permission to read")),
        },
    },
];

/// Another secret of the same form.
fn other(secret: &str) -> String {
    match secret.strip_prefix('k') {
        // The other half of what makes an Ed25519 key.
        Some(rest) if rest.ends_with('=') => format!("l{rest}"),
        _ => secret.chars().rev().collect(),
    }
}

fn has_account(scrape: &exporter::exposition::Exposition) -> bool {
    scrape.all("exchange_balance").next().is_some() || scrape.all("exchange_equity").next().is_some()
}

fn invalid(scrape: &exporter::exposition::Exposition) -> Option<f64> {
    scrape.value("exchange_config_error", &[("reason", "invalid_credentials")])
}

async fn is_refused(venue: Venue, case: &Case) {
    let Some((kind, cure)) = (case.told)(venue) else { return };
    let fake = fake(venue);
    let good = keys(&fake);
    fake.change_key(case.spoil);
    let mut rig = Rig::with_secrets(fake, &FLAGS, &good);
    let what = format!("{} counts as {kind}", case.what);
    let scrape = rig.until_scrape(&what, |now| now.errors(kind, "rest") >= 1.0 && now.connected()).await;
    let kinds: Vec<String> = scrape.errors_by_kind("rest").into_keys().collect();
    rig.check(kinds == [kind], format!("{} counts as {kinds:?}", case.what));
    rig.check(!has_account(&scrape), "nothing is known of the account");
    if kind == "auth" {
        rig.until_scrape("the credentials are said to be invalid", |now| invalid(now) == Some(1.0)).await;
    }
    rig.until("/health tells", async || rig.health().await.1.iter().any(|reason| reason.contains(cure))).await;
    rig.until_logged(&[cure]).await;
    let (status, reasons) = rig.health().await;
    let told = reasons.iter().any(|reason| reason.contains(cure));
    rig.check(status == "degraded" && told, format!("/health says {status}, {reasons:?}"));
    rig.agrees().await;
    rig.lives();
    // Knocking again and again would only annoy.
    let knocks = rig.scrape().await.errors(kind, "rest");
    rig.check(knocks <= 8.0, format!("{knocks} refusals"));
}

#[tokio::test]
async fn a_refused_key_is_told_with_its_cure_while_prices_go_on() {
    for case in &CASES {
        everywhere(|venue| is_refused(venue, case)).await;
    }
}

/// `check` in words, and its status.
fn check(fake: &Fake, secrets: &[(String, String)], flags: &[&str]) -> (Option<i32>, String) {
    let mut command = command(fake.venue());
    use_account(fake, &mut command);
    command
        .arg("check")
        .arg(format!("--exchange.rest-url={}", fake.rest_url()))
        .arg(format!("--exchange.ws-url={}", fake.ws_url()))
        .arg("--exchange.symbols=top:5")
        .args(flags)
        .envs(secrets.iter().cloned());
    let output = outcome(&mut command);
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
async fn check_tells_what_was_found_and_what_to_do() {
    for venue in venues() {
        let fake = fake(venue);
        let good = keys(&fake);
        let (status, table) = check(&fake, &good, &[]);
        let rows = ["authenticated", "permissions", "clock", "wallet", "equity", "unpriced", "private stream", "limit"];
        for row in rows {
            assert!(table.contains(row), "{}: no row {row}:\n{table}", venue.name());
        }
        assert!(table.contains("AIRDROP") && table.contains("may read"), "{table}");
        assert_eq!(status, Some(0), "{}:\n{table}", venue.name());
        // Another venue: the first one may have had enough of questions for now.
        let fake = exporter::fake(venue);
        fake.change_key(|key| key.secret = other(&key.secret));
        let (status, table) = check(&fake, &good, &[]);
        let told = table.lines().any(|line| line.starts_with("FAIL  authenticated") && line.contains("check"));
        assert!(status == Some(1) && told, "{}:\n{table}", venue.name());
        no_secret(&fake, &good, "check", &table);
    }
}

fn no_secret(fake: &Fake, secrets: &[(String, String)], what: &str, text: &str) {
    for (name, secret) in secrets {
        assert!(!text.contains(secret.as_str()), "{}: {what} shows {name}:\n{text}", fake.venue().name());
    }
}

/// Everything that the exporter emits, in good times and in bad ones, at the most talkative.
#[tokio::test]
async fn nothing_shows_a_secret() {
    everywhere(async |venue| {
        let fake = fake(venue);
        let good = keys(&fake);
        let rig = Rig::with_secrets(fake, &[FLAGS[0], FLAGS[1], "--log.level=debug"], &good);
        rig.until_scrape("the account is known", has_account).await;
        let everything = async |when: &str| {
            for path in ["/metrics", "/", "/health", "/-/ready", "/?symbol=%3Cb%3E", "/nowhere"] {
                let response = rig.get(path).await;
                no_secret(&rig.fake, &good, &format!("{path} {when}"), &response.body);
            }
            no_secret(&rig.fake, &good, &format!("the log {when}"), &rig.log());
        };
        everything("in good times").await;
        // From here on the venue refuses, and Bybit repeats what was signed, key and all.
        rig.fake.change_key(|key| key.secret = other(&key.secret));
        rig.until_scrape("the key is refused", |now| now.errors("auth", "rest") >= 1.0).await;
        rig.fake.inflict(Fault::Drop);
        rig.until_scrape("the private stream is refused", |now| {
            now.errors("auth", "private") >= 1.0 || now.errors("auth", "rest") >= 3.0
        })
        .await;
        everything("in bad times").await;
        let limits = fs::read_to_string(format!("/proc/{}/limits", rig.process.id())).expect("a process");
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap_or_default();
        rig.check(
            core.split_whitespace().filter(|word| *word == "0").count() == 2,
            format!("a crash writes memory: {core}"),
        );
    })
    .await;
}

#[tokio::test]
async fn a_mounted_secret_is_read_again_when_it_changes() {
    everywhere(async |venue| {
        let (fake, scratch) = (fake(venue), Scratch::new("mounted-secret").expect("a temporary directory"));
        let mut secrets = keys(&fake);
        let (name, good) = secrets.iter().find(|(name, _)| name.ends_with("_SECRET")).cloned().expect("a secret");
        let path = scratch.path().join("secret");
        fs::write(&path, other(&good)).expect("a file");
        secrets.retain(|(other, _)| *other != name);
        secrets.push((format!("{name}_FILE"), path.display().to_string()));
        let rig = Rig::with_secrets(fake, &FLAGS, &secrets);
        rig.until_scrape("the wrong secret is refused", |now| now.errors("auth", "rest") >= 1.0).await;
        fs::write(&path, format!("{good}\n")).expect("a file");
        let began = Instant::now();
        rig.until_scrape("the account is known", has_account).await;
        rig.check(began.elapsed() < Duration::from_secs(30), "a changed secret is used soon");
        rig.until_ready().await;
        rig.until_scrape("the credentials are valid now", |now| invalid(now) == Some(0.0)).await;
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_is_far_off_still_signs() {
    everywhere(async |venue| {
        let fake = fake(venue);
        fake.inflict(Fault::Clock { ms: 45_000 });
        let rig = Rig::with_key(fake, &FLAGS);
        let scrape = rig.until_scrape("the account is known", has_account).await;
        let skew = scrape.value("exchange_clock_skew_seconds", &[]).unwrap_or_default();
        rig.check((skew - 45.0).abs() < 1.0, format!("the skew is {skew}"));
        rig.check(scrape.errors_by_kind("rest").is_empty(), "nothing was refused");
        // The clock jumps: the refusal is met by one look at the clock and another signature.
        rig.fake.clear();
        rig.fake.inflict(Fault::Clock { ms: -90_000 });
        rig.until_scrape("the old time is refused", |now| now.errors("clock_skew", "rest") >= 1.0).await;
        let jumped = |now: &exporter::exposition::Exposition| {
            now.value("exchange_clock_skew_seconds", &[]).is_some_and(|skew| (skew + 90.0).abs() < 1.0)
        };
        rig.until_scrape("the skew is the new one", jumped).await;
        let seen = unix_now();
        rig.until_scrape("the account goes on", |now| {
            now.value("exchange_account_last_success_timestamp_seconds", &[]).is_some_and(|at| at > seen)
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn the_account_leaves_after_three_failures_and_comes_back() {
    everywhere(async |venue| {
        let rig = Rig::with_key(fake(venue), &FLAGS);
        rig.until_scrape("the account is known", has_account).await;
        rig.until_ready().await;
        rig.fake.inflict(Fault::RestBroken { how: Broken::BadGateway }.private());
        let scrape = rig.until_scrape("the account has left", |now| !has_account(now)).await;
        rig.check(scrape.connected(), "prices go on");
        rig.check(scrape.value("exchange_last_price", &[("symbol", bitcoin(venue))]).is_some(), "prices are there");
        let kept = scrape.value("exchange_account_last_success_timestamp_seconds", &[]);
        rig.check(kept.is_some(), "when it was known last stays");
        rig.fake.clear();
        rig.until_scrape("the account is back", has_account).await;
    })
    .await;
}

/// A ban is counted on the venue's side: nothing is asked before its time.
#[tokio::test]
async fn a_limit_stops_every_question_until_its_time() {
    everywhere(async |venue| {
        let rig = Rig::with_key(fake(venue), &FLAGS);
        rig.until_scrape("the account is known", has_account).await;
        let how = if venue == Venue::Binance { Limited::Banned } else { Limited::Plain };
        rig.fake.inflict(Fault::RestLimited { how });
        let (until, before) = rig.kept_out(0.0).await;
        sleep(Duration::from_secs_f64((until - unix_now() - 0.3).clamp(0.0, 10.0))).await;
        let after = rig.asked();
        rig.check(unix_now() > until || after == before, format!("{} requests too early", after - before));
        if venue == Venue::Binance {
            // Long before it is over what is known is too old to be shown.
            let scrape = rig.until_scrape("the account has left", |now| !has_account(now)).await;
            rig.check(scrape.connected() && rig.asked() == before, "prices go on and nothing was asked");
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_that_may_withdraw_is_a_danger() {
    everywhere(async |venue| {
        let fake = fake(venue);
        fake.change_key(|key| {
            key.withdraw = true;
            key.transfer = true;
        });
        let (status, table) = check(&fake, &keys(&fake), &["--exchange.refuse-withdraw-key"]);
        assert!(status == Some(1) && table.contains("WITHDRAW"), "{}: {table}", venue.name());
        let secrets = keys(&fake);
        let mut refusing = command(venue);
        use_account(&fake, &mut refusing);
        refusing
            .arg(format!("--exchange.rest-url={}", fake.rest_url()))
            .arg(format!("--exchange.ws-url={}", fake.ws_url()))
            .arg(format!("--web.listen-address=127.0.0.1:{}", exporter::free_port()))
            .arg("--exchange.refuse-withdraw-key")
            .envs(secrets);
        let output = tokio::task::spawn_blocking(move || outcome(&mut refusing)).await.expect("it ends");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{}: {told}", venue.name());
        assert!(told.contains("may withdraw"), "{}: {told}", venue.name());
        let fake = exporter::fake(venue);
        fake.change_key(|key| key.withdraw = true);
        let rig = Rig::with_key(fake, &FLAGS);
        let may = |now: &exporter::exposition::Exposition| {
            now.value("exchange_api_key_permission", &[("permission", "withdraw")]) == Some(1.0)
        };
        rig.until_scrape("the key may withdraw", may).await;
        rig.until_logged(&["WITHDRAW"]).await;
        let (_, reasons) = rig.health().await;
        rig.check(reasons.iter().any(|reason| reason.contains("withdraw")), format!("/health warns: {reasons:?}"));
    })
    .await;
}

/// A secret that cannot be one ends the start, with its variable's name and without itself.
#[tokio::test]
async fn a_secret_of_the_wrong_form_ends_the_start() {
    let rsa = "-----BEGIN RSA PRIVATE KEY-----\nMIIcanary\n-----END RSA PRIVATE KEY-----";
    for (venue, secret, told) in
        [(Venue::Coinbase, "canary-secret", "neither PEM nor base64"), (Venue::Binance, rsa, "RSA")]
    {
        let prefix = venue.name().to_uppercase();
        let mut command = command(venue);
        command.env(format!("{prefix}_API_KEY"), "canary-key").env(format!("{prefix}_API_SECRET"), secret);
        let output = outcome(&mut command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{}: {said}", venue.name());
        assert!(said.contains(told) && said.contains("_API_SECRET"), "{}: {said}", venue.name());
        assert!(!said.contains("canary") && said.lines().count() == 1, "{}: {said}", venue.name());
    }
}

/// A wallet that the key may not read is unread, not zero, and nothing else suffers.
#[tokio::test]
async fn a_wallet_that_may_not_be_read_is_said_to_be_unread() {
    everywhere(async |venue| {
        let (scope, wallet) = match venue {
            Venue::Bybit => ("wallet", "funding"),
            Venue::Binance | Venue::Kucoin | Venue::Coinbase => ("futures", "futures"),
            // One permission reads everything.
            Venue::Okx => return,
        };
        let fake = fake(venue);
        fake.change_key(|key| {
            key.scopes.remove(scope);
        });
        let rig = Rig::with_key(fake, &FLAGS);
        rig.until_ready().await;
        let scrape = rig.until_scrape("the account is known", has_account).await;
        rig.check(
            scrape.value("exchange_wallet_read_status", &[("wallet", wallet)]) == Some(0.0),
            "it is said to be unread",
        );
        let held =
            scrape.all("exchange_balance").any(|one| one.labels.get("wallet").is_some_and(|name| name == wallet));
        rig.check(!held, "nothing of it is shown");
        sleep(Duration::from_secs(3)).await;
        let refusals = rig.scrape().await.errors_by_kind("rest").values().sum::<f64>();
        rig.check(refusals <= 10.0, format!("it is asked again and again: {refusals} refusals"));
    })
    .await;
}
