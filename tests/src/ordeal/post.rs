//! One exporter, its fake venue, and the one who looks at both.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::report::{Finding, Report};
use super::{Sizes, Weather};
use crate::account::{Key, KeyState};
use crate::inspect::{Breach, Inspector};
use crate::market::Dice;
use crate::stack::{self, Endpoint, Ports, Process, Scratch, Suite, VENUES, get};
use crate::{Fake, Options, Times, Venue, start};

/// `--exchange.data-timeout`. The market stands still for a good while when it is compared, and must not seem dead then.
const DATA_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two looks.
pub(super) const LOOK: Duration = Duration::from_millis(200);
/// How long a start may take on a busy machine.
const START: Duration = Duration::from_secs(60);

const FLAGS: [&str; 6] = [
    "--exchange.symbols=all",
    "--exchange.account-interval=3s",
    "--exchange.symbols-interval=3s",
    "--exchange.rate-limit-share=0.5",
    "--exchange.data-timeout=10s",
    "--log.level=debug",
];
pub(super) const WEB: &str = "http_server_config:\n  headers:\n    X-Frame-Options: deny\n";
pub(super) const BROKEN_WEB: &str = "tls_server_config:\n  cert_file: nowhere.pem\n  key_file: nowhere.key\n";

/// How an exporter and its venue are set up.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whose.
    pub venue: Venue,
    /// Of all that happens.
    pub seed: u64,
    /// The venue's times; `None` for the documented ones.
    pub times: Option<Times>,
    /// Where the exporters' programs are.
    pub binaries: PathBuf,
    /// What happens.
    pub weather: Weather,
}

/// One exporter, its venue, and what was found.
pub struct Post {
    /// The venue.
    pub fake: Fake,
    /// What was found so far.
    pub report: Report,
    pub(super) begun: Instant,
    pub(super) plan: Plan,
    pub(super) dice: Dice,
    pub(super) suite: Suite,
    pub(super) port: u16,
    pub(super) inspector: Inspector,
    pub(super) during: String,
    rotations: u64,
    pub(super) listed: Vec<String>,
    pub(super) delisted: Vec<String>,
    pub(super) listings: usize,
    pub(super) restarts: usize,
    pub(super) log_read: usize,
    // Fields are dropped in order: the files go last.
    files: Scratch,
}

impl Post {
    /// Starts both, and waits until the exporter answers.
    ///
    /// # Errors
    /// One cannot be started.
    pub async fn start(plan: Plan) -> io::Result<Self> {
        let options = Options {
            seed: plan.seed,
            tick: Duration::from_millis(200),
            trader: Some(Duration::from_millis(900)),
            times: plan.times.clone(),
            ..Options::default()
        };
        let fake = start(plan.venue, options)?;
        let ports = Ports::free()?;
        let place = VENUES.iter().position(|one| one.name == plan.venue.name()).unwrap_or(0);
        let mut post = Self {
            inspector: Inspector::new(&fake, DATA_TIMEOUT),
            fake,
            report: Report::default(),
            begun: Instant::now(),
            dice: Dice(plan.seed ^ (plan.venue as u64 + 1)),
            suite: Suite::new(ports, &plan.binaries)?,
            port: ports.exporter(place),
            during: "the start".to_owned(),
            rotations: 0,
            listed: Vec::new(),
            delisted: Vec::new(),
            listings: 0,
            restarts: 0,
            log_read: 0,
            files: Scratch::new("ordeal")?,
            plan,
        };
        fs::write(post.file("web.yml"), WEB)?;
        post.rotate()?;
        post.launch().await?;
        Ok(post)
    }

    /// Whose exporter it is.
    #[must_use]
    pub fn venue(&self) -> Venue {
        self.plan.venue
    }

    /// How large the exporter is now.
    ///
    /// # Errors
    /// It does not run.
    pub fn sizes(&mut self) -> io::Result<Sizes> {
        Sizes::of(self.process()?.id())
    }

    /// The last lines of the exporter's log.
    pub fn log_tail(&mut self) -> String {
        const SHOWN: usize = 15;
        let log = self.process().map(|process| process.log()).unwrap_or_default();
        let told: Vec<&str> = log.lines().filter(|line| !line.contains("level=debug")).collect();
        told[told.len().saturating_sub(SHOWN)..].join("\n")
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    fn about(&self) -> stack::Venue {
        let own = |one: &&stack::Venue| one.name == self.plan.venue.name();
        VENUES.iter().find(own).copied().unwrap_or(VENUES[0])
    }

    pub(super) fn process(&mut self) -> io::Result<&mut Process> {
        let name = self.about().exporter;
        self.suite.process(name)
    }

    pub(super) async fn launch(&mut self) -> io::Result<()> {
        let venue = self.about();
        let endpoint = Endpoint { venue: venue.name.to_owned(), rest: self.fake.rest_url(), ws: self.fake.ws_url() };
        let (id, secret, passphrase) = (self.file("id"), self.file("secret"), self.file("passphrase"));
        let web = format!("--web.config.file={}", self.file("web.yml").display());
        let has_passphrase = !self.fake.key().passphrase.is_empty();
        self.suite.start_exporter(venue, Some(&endpoint), |command| {
            let mounted = |name: &str, path: &Path| (format!("{}{name}_FILE", venue.env_prefix), path.to_owned());
            for name in ["API_KEY", "API_SECRET", "API_PASSPHRASE"] {
                command.env_remove(format!("{}{name}", venue.env_prefix));
            }
            command.envs([mounted("API_KEY", &id), mounted("API_SECRET", &secret)]);
            if has_passphrase {
                command.envs([mounted("API_PASSPHRASE", &passphrase)]);
            }
            command.args(FLAGS).arg(web);
        })?;
        self.log_read = 0;
        self.inspector.restarted();
        let deadline = Instant::now() + START;
        while get(self.port, "/-/healthy").await.is_err() {
            self.suite.check()?;
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("{} does not answer", venue.exporter)));
            }
            sleep(LOOK / 4).await;
        }
        Ok(())
    }

    /// Another key, at the venue and in the exporter's files.
    pub(super) fn rotate(&mut self) -> io::Result<()> {
        self.rotations += 1;
        let next = key(self.plan.venue, self.rotations);
        self.fake.change_key(|key| {
            (key.id, key.secret, key.passphrase) = (next.id.clone(), next.secret.clone(), next.passphrase.clone());
            key.state = KeyState::Good;
        });
        fs::write(self.file("passphrase"), next.passphrase)?;
        fs::write(self.file("secret"), next.secret)?;
        fs::write(self.file("id"), next.id)
    }

    pub(super) fn found(&mut self, breach: Option<Breach>) {
        if let Some(breach) = breach {
            let (venue, during) = (self.plan.venue, self.during.clone());
            self.report.note(Finding { venue, after: self.begun.elapsed(), during, breach });
        }
    }

    pub(super) fn now(&mut self, during: &str) {
        during.clone_into(&mut self.during);
    }

    /// The exporter's port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

/// A key of the venue's form that says what it is wherever it turns up.
fn key(venue: Venue, number: u64) -> Key {
    let canary =
        |what: &str| format!("canary{what}{number}{}", crate::account::signing::hmac_hex(what, &[&number.to_string()]));
    let documented = Key::documented(venue);
    let passphrase = if documented.passphrase.is_empty() { String::new() } else { canary("passphrase") };
    match venue {
        // Its secrets are keys of a curve.
        Venue::Coinbase => {
            let mut seed = [7; 32];
            seed[..8].copy_from_slice(&number.to_le_bytes());
            let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, seed);
            Key { id: format!("organizations/test-organization/apiKeys/{}", canary("key")), secret: text, ..documented }
        }
        // All of them letters and digits, 64.
        Venue::Binance => Key { id: canary("key")[..64].to_owned(), secret: canary("secret"), ..documented },
        _ => Key { id: canary("key"), secret: canary("secret"), passphrase, ..documented },
    }
}
