//! Plays the cases: inflicts, waits for what must come, watches that nothing else does, recovers, and waits until all is over.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fake_venues::Venue;
use fake_venues::stack::get;
use tokio::time::sleep;

use crate::hook::Event;
use crate::stage::Stage;

/// For what should happen soon; on a busy machine it may take long, and that proves nothing.
const PATIENCE: Duration = Duration::from_secs(150);
const LOOK: Duration = Duration::from_millis(150);
/// For what must not come, after what must.
const LINGER: Duration = Duration::from_secs(3);

/// Where a fault is, and so whose alerts are its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Everywhere, or nowhere in particular.
    All,
    Venue(Venue),
    Bot(&'static str),
    /// The gateway: its alerts name no bot.
    Gateway,
}

impl Place {
    /// By the labels of an alert.
    fn concerns<'l>(self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        match self {
            Self::All => true,
            Self::Venue(venue) => label("exchange") == Some(venue.name()),
            Self::Bot(bot) => label("bot") == Some(bot),
            Self::Gateway => label("scope") == Some("bot") && label("bot").is_none(),
        }
    }

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Venue(venue) => venue.name(),
            Self::Bot(_) => "bot",
            Self::Gateway => "gateway",
        }
    }

    /// Who may know more when a case goes wrong.
    fn server(self) -> Option<String> {
        match self {
            Self::All => None,
            Self::Venue(venue) => Some(format!("{}-exporter", venue.name())),
            Self::Bot(_) | Self::Gateway => Some("bot-exporter".to_owned()),
        }
    }
}

/// A fault, and what it has to lead to.
pub struct Case {
    /// In the words of docs/alerts.md.
    pub fault: &'static str,
    pub place: Place,
    pub inflict: fn(&Stage),
    pub recover: fn(&Stage),
    /// These arrive, all of them.
    pub fires: &'static [&'static str],
    /// These may come before the one that keeps them back.
    pub may: &'static [&'static str],
    /// These fire and are kept back by others.
    pub kept: &'static [&'static str],
    /// Of what leads to no alert: by what it shows that it happened. Then, how long to watch.
    pub shows: Option<(&'static str, Duration)>,
}

impl Case {
    fn allows(&self, event: &Event) -> bool {
        let name = event.label("alertname");
        self.place.concerns(|label| event.labels.get(label).map(String::as_str))
            && (self.fires.contains(&name) || self.may.contains(&name))
    }
}

/// How a case went, in fast motion.
pub struct Outcome {
    pub case: Case,
    pub fired: Duration,
    pub over: Duration,
}

/// What is played now, and what came that nobody expects.
#[derive(Default)]
pub struct Board {
    now: Mutex<Judge>,
}

type Allows = Box<dyn Fn(&Event) -> bool + Send>;

#[derive(Default)]
struct Judge {
    /// The expectations of the cases that are played, by a number.
    active: BTreeMap<usize, Allows>,
    cases: usize,
    judged: usize,
    strays: Vec<String>,
}

impl Board {
    fn now(&self) -> MutexGuard<'_, Judge> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges what came since the last look, by what is played now.
    pub fn judge(&self, stage: &Stage) {
        let mut now = self.now();
        let events = stage.hook.events();
        for event in &events[now.judged..] {
            let expected = event.label("alertname") == "Watchdog" || now.active.values().any(|allows| allows(event));
            if event.firing && !expected {
                now.strays.push(format!("{:?} {}", event.labels, event.annotations["description"]));
            }
        }
        now.judged = events.len();
    }

    /// What came although nothing that is played leads to it.
    pub fn strays(&self) -> Vec<String> {
        self.now().strays.clone()
    }
}

/// Cases one after the other, at one venue.
pub async fn lane(stage: &Stage, board: &Board, cases: Vec<Case>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for case in cases {
        let (fired, over) = play(stage, board, &case).await;
        eprintln!("{:8} {:60} fired {fired:5.1?} over {over:5.1?} {:?}", case.place.name(), case.fault, case.fires);
        outcomes.push(Outcome { case, fired, over });
    }
    outcomes
}

async fn play(stage: &Stage, board: &Board, case: &Case) -> (Duration, Duration) {
    let (fires, may, place) = (case.fires, case.may, case.place);
    let number = {
        let mut now = board.now();
        let copy = Case { fault: "", place, inflict: |_| (), recover: |_| (), fires, may, kept: &[], shows: None };
        now.cases += 1;
        let number = now.cases;
        now.active.insert(number, Box::new(move |event| copy.allows(event)));
        number
    };
    let expected = |name: &str| case.fires.contains(&name) || case.kept.contains(&name);
    let named = |name: &str| expected(name) || case.may.contains(&name);
    // Also what is pending, and what never arrived.
    let active = async |wanted: &dyn Fn(&str) -> bool| {
        let active = stage.active().await;
        let mine = active.iter().map(|alert| &alert["labels"]);
        let mine = mine.filter(|labels| place.concerns(|label| labels[label].as_str()));
        mine.filter_map(|labels| labels["alertname"].as_str()).filter(|name| wanted(name)).count()
    };
    // What comes has to come of this fault.
    until(stage, board, case, || "what went before to be over".to_owned(), async || active(&expected).await == 0).await;
    let since = stage.hook.events().len();
    let began = Instant::now();
    (case.inflict)(stage);
    let come = |name: &str| {
        let events = stage.hook.events();
        let mine =
            events[since..].iter().find(|event| event.firing && event.label("alertname") == name && case.allows(event));
        mine.cloned()
    };
    let what = || format!("{:?} to arrive", case.fires.iter().filter(|name| come(name).is_none()).collect::<Vec<_>>());
    until(stage, board, case, what, async || case.fires.iter().all(|name| come(name).is_some())).await;
    let arrived: Vec<Event> = case.fires.iter().filter_map(|name| come(name)).collect();
    for event in &arrived {
        is_complete(stage, event).await;
    }
    let fired = arrived.iter().map(|event| event.at - began).max().unwrap_or_default();
    let kept = async |name: &&str| {
        let mine = |labels: &serde_json::Value| {
            labels["alertname"] == **name && place.concerns(|label| labels[label].as_str())
        };
        stage.inhibited().await.iter().any(mine)
    };
    for name in case.kept {
        until(stage, board, case, || format!("{name} to be kept back"), async || kept(name).await).await;
    }
    if let Some((expression, watch)) = case.shows {
        let shown = async || stage.number(expression).await.is_some_and(|value| value > 0.0);
        until(stage, board, case, || format!("{expression} > 0"), shown).await;
        watch_for(stage, board, watch).await;
    }
    watch_for(stage, board, LINGER).await;

    let recovered = Instant::now();
    (case.recover)(stage);
    let open = || {
        let events = stage.hook.events();
        let mut last = BTreeMap::new();
        for event in
            events[since..].iter().filter(|event| case.allows(event) && case.fires.contains(&event.label("alertname")))
        {
            last.insert(event.labels.clone(), event.clone());
        }
        last.into_values()
            .filter(|event| event.firing)
            .map(|event| event.label("alertname").to_owned())
            .collect::<Vec<_>>()
    };
    until(stage, board, case, || format!("{:?} to be resolved", open()), async || open().is_empty()).await;
    let events = stage.hook.events();
    let last = events[since..].iter().rev().find(|event| !event.firing && case.allows(event));
    let over = last.map_or(Duration::ZERO, |event| event.at.saturating_duration_since(recovered));
    until(stage, board, case, || "the rest to be over".to_owned(), async || active(&named).await == 0).await;
    watch_for(stage, board, LINGER).await;
    board.now().active.remove(&number);
    (fired, if case.fires.is_empty() { Duration::ZERO } else { over })
}

/// Waits, and judges meanwhile.
async fn until(
    stage: &Stage,
    board: &Board,
    case: &Case,
    what: impl Fn() -> String,
    mut holds: impl AsyncFnMut() -> bool,
) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        board.judge(stage);
        if Instant::now() > deadline {
            let known: Vec<_> =
                stage.active().await.iter().map(|alert| format!("{} {}", alert["state"], alert["labels"])).collect();
            let logs = case.place.server().map(|server| stage.logs(&server)).unwrap_or_default();
            panic!(
                "{} at {}: waited {} s for {}\nactive: {known:#?}\nstrays: {:#?}\n{logs}",
                case.fault,
                case.place.name(),
                PATIENCE.as_secs(),
                what(),
                board.strays()
            );
        }
        sleep(LOOK).await;
    }
    board.judge(stage);
}

async fn watch_for(stage: &Stage, board: &Board, time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        board.judge(stage);
        sleep(LOOK).await;
    }
}

/// Nothing fires, and there is enough of the past: the state to begin with, and to end with.
pub async fn calm(stage: &Stage, board: &Board) {
    const PAST: &str = "count(account:exchange_equity_change:ratio_10m) > 4 and count(venue:exchange_public_stream_up:avg_15m > 0.99) > 4";
    let deadline = Instant::now() + PATIENCE;
    let mut quiet = 0;
    // Pending alerts count: they may fire.
    while quiet < 20 {
        board.judge(stage);
        let active = stage.active().await;
        let others: Vec<_> = active.iter().filter(|alert| alert["labels"]["alertname"] != "Watchdog").collect();
        let calm = others.is_empty() && active.len() == 1 && stage.number(PAST).await.is_some();
        quiet = if calm { quiet + 1 } else { 0 };
        assert!(Instant::now() < deadline, "no calm: {others:#?}");
        sleep(LOOK).await;
    }
}

/// An alert as it arrives has a severity, words, and a link that leads to its runbook.
async fn is_complete(stage: &Stage, event: &Event) {
    let name = event.label("alertname");
    let severity = event.label("severity");
    assert_eq!(event.receiver, severity, "{name} goes to the receiver of its severity");
    assert!(event.annotations["summary"].ends_with('.') && event.annotations["description"].len() > 20, "{event:?}");
    let url = &event.annotations["runbook_url"];
    let path = url.strip_prefix(&format!("http://localhost:{}", stage.ports.prometheus()));
    let path = path.unwrap_or_else(|| panic!("{name} links to {url}, which is not this Prometheus"));
    let mut answer = get(stage.ports.prometheus(), path).await;
    for _ in 0..20 {
        // A machine that is busy may not answer in time.
        if answer.is_err() {
            sleep(LOOK).await;
            answer = get(stage.ports.prometheus(), path).await;
        }
    }
    let answer = answer.unwrap();
    assert!(answer.status == 200 && answer.body.contains(name), "{url} answers {} {}", answer.status, answer.body);
}
