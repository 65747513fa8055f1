//! Files that are whole, cut, turned over or from elsewhere; and a machine that stops at any moment.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::catalogue::Catalogue;
use crate::gateway::Gateway;
use crate::store::Bounds;

const BOUNDS: Bounds = Bounds { series: 1000, ids: 1000, stale_after: Duration::from_secs(300) };

/// A folder, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Self(std::env::temp_dir().join(format!("bot-state-{name}-{}", std::process::id())));
        let _ = fs::remove_dir_all(&folder.0);
        fs::create_dir_all(&folder.0).unwrap();
        folder
    }

    fn file(&self) -> PathBuf {
        self.0.join("state")
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(&self.0).unwrap().map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn gateway(more: &str) -> Gateway {
    let files = [
        ("services.toml".to_owned(), include_str!("../catalogue/services.toml").to_owned()),
        ("more.toml".to_owned(), more.to_owned()),
    ];
    Gateway::new(Arc::new(Catalogue::of(&files).unwrap()), BOUNDS, 1_000_000)
}

const TRADE: &str =
    r#"{"metric":"trades_executed_total","labels":{"symbol":"BTC","side":"buy","status":"ok"},"add":0.1,"id":"1"}"#;
const TIME: &str = r#"{"metric":"trade_execution_duration_seconds","observe":0.3}"#;
const VALUE: &str = r#"{"metric":"portfolio_value_usd","set":5}"#;

fn filled() -> Gateway {
    let gateway = gateway("");
    gateway.post(format!("[{TRADE},{TIME},{VALUE}]").as_bytes()).unwrap();
    gateway
}

fn text(gateway: &Gateway) -> String {
    let text = String::from_utf8(crate::show::metrics(gateway, common::metrics::encode::Format::Text)).unwrap();
    text.lines().filter(|line| line.contains("trade")).collect::<Vec<_>>().join("\n")
}

fn load(file: &StateFile) -> Saved {
    match file.load(0).unwrap() {
        Found::State(saved) => saved,
        other => panic!("{other:?}"),
    }
}

#[test]
fn counters_histograms_and_ids_come_back_and_gauges_do_not() {
    let folder = Folder::new("back");
    let file = StateFile::open(&folder.file()).unwrap();
    assert!(matches!(file.load(0).unwrap(), Found::Nothing));
    let before = filled();
    file.save(&before.whole_state()).unwrap();
    assert_eq!(folder.names(), ["state", "state.lock"], "no draft stays");
    let after = gateway("");
    assert!(after.restore(load(&file)).is_empty());
    assert_eq!(text(&after), text(&before));
    assert!(
        !text(&after).is_empty()
            && !String::from_utf8(crate::show::metrics(&after, common::metrics::encode::Format::Text))
                .unwrap()
                .contains("portfolio")
    );
    assert_eq!(after.post(TRADE.as_bytes()).unwrap().repeated, 1, "the id is remembered");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(folder.file()).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_cut_anywhere_or_with_one_byte_changed_is_set_aside_and_kept() {
    let folder = Folder::new("cut");
    let file = StateFile::open(&folder.file()).unwrap();
    file.save(&filled().whole_state()).unwrap();
    let whole = fs::read(folder.file()).unwrap();
    let cut = (0..whole.len()).step_by(7).map(|length| whole[..length].to_vec());
    let turned = (0..whole.len()).step_by(11).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    });
    for (number, damaged) in cut.chain(turned).enumerate() {
        fs::write(folder.file(), &damaged).unwrap();
        let Found::SetAside(why, aside) = file.load(number as u64 * 10).unwrap() else {
            panic!("{:?} is taken", String::from_utf8_lossy(&damaged));
        };
        assert_eq!(fs::read(&aside).unwrap(), damaged, "{why}");
        assert!(!folder.file().exists());
        assert!(aside.to_str().unwrap().contains("state.damaged-"), "{aside:?}");
    }
}

#[test]
fn a_newer_version_is_not_guessed_at_and_none_is_written_over() {
    let folder = Folder::new("newer");
    let file = StateFile::open(&folder.file()).unwrap();
    let mut names = Vec::new();
    for _ in 0..3 {
        fs::write(folder.file(), format!("{FORMAT} 2 0\n{{}}")).unwrap();
        let Found::SetAside(why, aside) = file.load(5).unwrap() else { panic!("taken") };
        assert!(why.contains("newer than this program's 1"), "{why}");
        names.push(aside);
    }
    assert!(names.iter().all(|name| name.exists()) && names[0] != names[1] && names[1] != names[2]);
}

/// The machine stops between writing the draft and naming it, or amid the draft.
#[test]
fn a_draft_that_was_never_named_changes_nothing() {
    let folder = Folder::new("draft");
    let file = StateFile::open(&folder.file()).unwrap();
    file.save(&filled().whole_state()).unwrap();
    for draft in [&b"bot-exporter-state 1 "[..], b"", b"\xff"] {
        fs::write(folder.0.join("state.new"), draft).unwrap();
        let after = gateway("");
        after.restore(load(&file));
        assert_eq!(text(&after), text(&filled()));
    }
    file.save(&gateway("").whole_state()).unwrap();
    assert_eq!(folder.names(), ["state", "state.lock"]);
}

#[test]
fn what_the_catalogue_does_not_have_today_is_kept_for_tomorrow() {
    const MORE: &str = "[family.extra_total]\ntype = \"counter\"\nunit = \"x\"\nhelp = \"Extra.\"\n";
    let full = gateway(MORE);
    full.post(br#"{"metric":"extra_total","add":3}"#).unwrap();
    let without = gateway("");
    assert!(without.restore(full.whole_state()).is_empty());
    without.post(TIME.as_bytes()).unwrap();
    let again = gateway(MORE);
    assert!(again.restore(without.whole_state()).is_empty());
    let shown = String::from_utf8(crate::show::metrics(&again, common::metrics::encode::Format::Text)).unwrap();
    assert!(shown.contains("\nextra_total 3\n"), "{shown}");
    // Declared otherwise: it cannot go on, and that is told.
    let other = gateway(&format!("{MORE}labels.kind = 3\n"));
    let lost = other.restore(full.whole_state());
    assert!(lost.len() == 1 && lost[0].starts_with("extra_total:"), "{lost:?}");
}

/// What was counted goes on when a label that may be left out comes or stays; where one goes, it cannot.
#[test]
fn a_new_optional_label_loses_nothing() {
    const BEFORE: &str = "[family.extra_total]\ntype = \"counter\"\nunit = \"x\"\nhelp = \"Extra.\"\nlabels.kind = 3\n";
    let shown = |gateway: &Gateway| {
        let text = crate::show::metrics(gateway, common::metrics::encode::Format::Text);
        let text = String::from_utf8(text).unwrap();
        text.lines().filter(|line| line.starts_with("extra_total")).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = gateway(BEFORE);
    before.post(br#"{"metric":"extra_total","labels":{"kind":"x"},"add":3}"#).unwrap();
    // In the order of names it stands before the one that was there.
    let declared = format!("{BEFORE}optional.account = 3\n");
    let after = gateway(&declared);
    assert!(after.restore(before.whole_state()).is_empty());
    after.post(br#"[{"metric":"extra_total","labels":{"kind":"x"},"add":1},{"metric":"extra_total","labels":{"kind":"x","account":"main"},"add":1}]"#).unwrap();
    let expected = [r#"extra_total{kind="x"} 4"#, r#"extra_total{account="main",kind="x"} 1"#];
    assert_eq!(shown(&after), expected);
    let again = gateway(&declared);
    assert!(again.restore(after.whole_state()).is_empty());
    assert_eq!(shown(&again), expected);
    assert_eq!(gateway(BEFORE).restore(after.whole_state()).len(), 1);
}

#[test]
fn two_cannot_have_one_file() {
    let folder = Folder::new("two");
    let first = StateFile::open(&folder.file()).unwrap();
    let line = StateFile::open(&folder.file()).map(|_| ()).unwrap_err();
    assert!(line.contains("another bot-exporter has it"), "{line}");
    drop(first);
    assert!(StateFile::open(&folder.file()).is_ok());
    assert!(StateFile::open(&folder.0).is_err(), "a folder is no file");
    assert!(StateFile::open(&folder.0.join("absent/state")).is_err());
}

proptest! {
    /// Whatever was counted comes back to the last bit.
    #[test]
    fn sums_come_back_to_the_last_bit(amounts in prop::collection::vec(0.0_f64..1e12, 1..20)) {
        let before = gateway("");
        for amount in &amounts {
            let add = TRADE.replace("0.1", &format!("{amount:?}")).replace(r#","id":"1""#, "");
            let observe = TIME.replace("0.3", &format!("{amount:?}"));
            before.post(format!("[{add},{observe}]").as_bytes()).unwrap();
        }
        let after = gateway("");
        after.restore(read(&written(&before.whole_state()).unwrap()).unwrap());
        prop_assert_eq!(text(&after), text(&before));
    }

    /// Whatever stands in the file: no panic, and nothing of it is taken.
    #[test]
    fn anything_else_is_no_state(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read(&bytes).is_err());
    }
}
