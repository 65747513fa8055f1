//! That the inspector can fail: a scrape that is good, and forgeries of it, each of which breaks one promise.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Breach, Inspector, Needles, Scraped, unix_now};
use crate::Venue;
use crate::account::{Books, Money};
use crate::ledger::Entry;
use crate::record::{Record, Way};

const TIMEOUT: Duration = Duration::from_secs(10);

/// A family of one gauge.
fn gauge(name: &str, samples: &[(&str, f64)]) -> String {
    let lines: String = samples.iter().map(|(labels, value)| format!("{name}{{{labels}}} {value}\n")).collect();
    format!("# HELP {name} A.\n# TYPE {name} gauge\n{lines}")
}

/// What OKX's exporter shows of one pair and one wallet, refreshed just now.
fn page() -> String {
    const BITCOIN: &str = r#"exchange="okx",market="spot",symbol="BTCUSDT""#;
    [
        gauge("exchange_last_price", &[(BITCOIN, 100.5)]),
        gauge("exchange_ticker_last_update_timestamp_seconds", &[(BITCOIN, unix_now())]),
        gauge("exchange_symbol_info", &[(&format!(r#"{BITCOIN},base="BTC",quote="USDT",venue_symbol="BTC-USDT""#), 1.0)]),
        gauge("okx_last_price", &[(r#"symbol="BTCUSDT""#, 100.5)]),
        gauge("exchange_connection_status", &[(r#"stream="public""#, 1.0), (r#"stream="private""#, 1.0)]),
        gauge(
            "exchange_connections",
            &[
                (r#"stream="public",state="wanted""#, 1.0),
                (r#"stream="public",state="live""#, 1.0),
                (r#"stream="private",state="wanted""#, 1.0),
                (r#"stream="private",state="live""#, 1.0),
            ],
        ),
        gauge("exchange_balance", &[(r#"asset="SOL",wallet="trading",state="free""#, 3.5)]),
        gauge("exchange_wallet_read_status", &[(r#"wallet="trading""#, 1.0)]),
        gauge("exchange_open_orders", &[(r#"market="spot""#, 0.0)]),
        gauge("exchange_account_last_success_timestamp_seconds", &[(r#"exchange="okx""#, unix_now())]),
        gauge("exchange_asset_value_usdt", &[(r#"asset="SOL""#, 350.0)]),
        gauge("exchange_equity", &[(r#"currency="USDT""#, 350.0)]),
        "# HELP exchange_requests_total A.\n# TYPE exchange_requests_total counter\nexchange_requests_total 7\n".to_owned(),
        "# HELP lag A.\n# TYPE lag histogram\nlag_bucket{le=\"1\"} 2\nlag_bucket{le=\"+Inf\"} 3\nlag_sum 4\nlag_count 3\n"
            .to_owned(),
    ]
    .concat()
}

fn entry(last: &str) -> Entry {
    Entry { last: Some(last.to_owned()), ..Entry::default() }
}

fn books(sol: i64) -> Books {
    let money = Money { free: crate::Fixed::new(i128::from(sol), 1), ..Money::default() };
    let wallets = BTreeMap::from([("trading".to_owned(), BTreeMap::from([("SOL".to_owned(), money)]))]);
    let mut books = crate::account::Account::new(Venue::Okx, &market(), 1, 0).books;
    books.orders.clear();
    Books { wallets, ..books }
}

fn market() -> crate::market::Market {
    crate::market::Market::new(Venue::Okx, 1, None, 0)
}

/// A venue that said 99 and then 100.5, on a line that lives, to an account that holds 3.5 SOL; all of it `ago`.
fn record(ago: Duration) -> (Record, Instant) {
    let now = Instant::now();
    let then = now.checked_sub(ago).unwrap();
    let mut record = Record::default();
    record.opened(0, false, then);
    record.opened(1, true, then);
    record.said(Way::Stream, "BTC-USDT", &entry("99"), then);
    record.said(Way::Stream, "BTC-USDT", &entry("100.5"), then);
    record.spoke(0, Some("BTC-USDT"), now);
    record.booked(&books(35), then);
    (record, now)
}

fn inspector() -> Inspector {
    Inspector::with_aliases(Venue::Okx, TIMEOUT, BTreeMap::new())
}

fn look(inspector: &mut Inspector, page: &str, record: &Record, asked: Instant) -> Vec<Breach> {
    inspector.look(Scraped { text: page, open: false, asked }, record).1
}

/// The promises that a page breaks, at a venue where all is well.
fn broken(page: &str) -> Vec<&'static str> {
    let (record, now) = record(Duration::from_secs(60));
    look(&mut inspector(), page, &record, now).into_iter().map(|breach| breach.promise).collect()
}

/// The good page with one thing changed, which has to be there.
fn forged(from: &str, to: &str) -> String {
    let page = page();
    assert!(page.contains(from), "{from} is not in it:\n{page}");
    page.replacen(from, to, 1)
}

#[test]
fn a_good_page_breaks_nothing() {
    let (record, now) = record(Duration::from_secs(60));
    assert_eq!(look(&mut inspector(), &page(), &record, now), []);
}

#[test]
fn the_exposition_is_read_strictly() {
    const VALID: [&str; 1] = ["the exposition is valid"];
    let last = "exchange_last_price{exchange=\"okx\",market=\"spot\",symbol=\"BTCUSDT\"} 100.5\n";
    let head = "# HELP exchange_last_price A.\n# TYPE exchange_last_price gauge\n";
    for (what, page) in [
        ("a series twice", forged(last, &format!("{last}{last}"))),
        ("a family twice", page() + head + last),
        ("no type", forged("# TYPE exchange_last_price gauge\n", "")),
        ("no help", forged("# HELP exchange_last_price A.\n", "")),
        (
            "a type after its samples",
            forged(
                &format!("{head}{last}"),
                &format!("# HELP exchange_last_price A.\n{last}# TYPE exchange_last_price gauge\n"),
            ),
        ),
        ("a sample of another family", forged(last, &format!("{last}other 1\n"))),
        ("a label that is not escaped", forged("market=\"spot\"", "market=\"sp\"ot\"")),
        ("an unknown escape", forged("market=\"spot\"", "market=\"sp\\ot\"")),
        ("not a number", forged("100.5", "NaN")),
        ("a half line", page().trim_end().to_owned()),
        ("an empty line", forged(last, &format!("{last}\n"))),
        ("buckets that fall", forged("le=\"+Inf\"} 3", "le=\"+Inf\"} 1")),
        ("a count of its own", forged("lag_count 3", "lag_count 4")),
        ("buckets without an end", forged("lag_bucket{le=\"+Inf\"} 3\n", "")),
    ] {
        assert_eq!(broken(&page), VALID, "{what}");
    }
}

#[test]
fn open_metrics_end() {
    let (record, now) = record(Duration::ZERO);
    let page = "# HELP a A.\n# TYPE a counter\na_total 1\n# EOF\n";
    for (text, good) in [
        (page.to_owned(), true),
        (page.replace("# EOF\n", ""), false),
        (page.replace("a_total", "a"), false),
        (format!("{page}# EOF\n"), false),
    ] {
        let scraped = Scraped { text: &text, open: true, asked: now };
        assert_eq!(inspector().look(scraped, &record).1.is_empty(), good, "{text}");
    }
}

#[test]
fn counters_neither_fall_nor_go() {
    let (record, now) = record(Duration::from_secs(60));
    for (from, to) in [("exchange_requests_total 7", "exchange_requests_total 6"), ("exchange_requests_total 7\n", "")]
    {
        let mut inspector = inspector();
        assert_eq!(look(&mut inspector, &page(), &record, now), []);
        let breaches = look(&mut inspector, &forged(from, to), &record, now);
        assert_eq!(breaches.iter().map(|one| one.promise).collect::<Vec<_>>(), ["counters never fall, and stay"]);
        inspector.restarted();
        assert_eq!(
            look(&mut inspector, &forged("exchange_requests_total 7", "exchange_requests_total 0"), &record, now),
            []
        );
    }
}

#[test]
fn no_value_but_the_last_one() {
    const LAST: &str = "a figure is the venue's last word";
    // Never said; said, but replaced a minute ago; of a symbol without a name.
    for wrong in ["100.6", "99"] {
        let page = page().replace("} 100.5", &format!("}} {wrong}"));
        assert_eq!(broken(&page), [LAST], "{wrong}");
    }
    let stranger = page().replace(
        "exchange_symbol_info{exchange=\"okx\",market=\"spot\",symbol=\"BTCUSDT\"",
        "exchange_symbol_info{symbol=\"ETHUSDT\"",
    );
    assert_eq!(broken(&stranger), [LAST]);
    // What was replaced just now may still be on its way.
    let (record, now) = record(Duration::from_secs(2));
    assert_eq!(look(&mut inspector(), &page().replace("} 100.5", "} 99"), &record, now), []);
}

#[test]
fn compatibility_names_do_not_differ() {
    let page = forged("okx_last_price{symbol=\"BTCUSDT\"} 100.5", "okx_last_price{symbol=\"BTCUSDT\"} 99");
    let (record, now) = record(Duration::from_secs(2));
    let breaches = look(&mut inspector(), &page, &record, now);
    assert_eq!(breaches.iter().map(|one| one.promise).collect::<Vec<_>>(), ["a compatibility name tells the same"]);
}

#[test]
fn no_figure_outlives_its_line() {
    const OUTLIVED: &str = "no figure outlives its connection by more than the grace";
    let down = page().replace("stream=\"public\"} 1", "stream=\"public\"} 0");
    for (ago, good) in [(10, true), (19, true), (22, false), (60, false)] {
        let (mut record, now) = record(Duration::from_secs(80));
        record.ended(0, now.checked_sub(Duration::from_secs(ago)).unwrap());
        let breaches = look(&mut inspector(), &down, &record, now);
        let expected: &[&str] = if good { &[] } else { &[OUTLIVED] };
        assert_eq!(breaches.iter().map(|one| one.promise).collect::<Vec<_>>(), expected, "{ago} s");
    }
    // A line that is open but silent is dead as well.
    let (record, now) = record(Duration::from_secs(60));
    let later = now + TIMEOUT + Duration::from_secs(22);
    assert!(look(&mut inspector(), &down, &record, later).iter().any(|one| one.promise == OUTLIVED));
}

#[test]
fn the_exporters_own_word_holds() {
    let (mut record, now) = record(Duration::from_secs(60));
    record.ended(0, now);
    let mut inspector = inspector();
    let down = page().replace("stream=\"public\"} 1", "stream=\"public\"} 0");
    let old = down.lines().map(|line| match line.strip_prefix("exchange_ticker_last_update") {
        Some(_) if !line.starts_with('#') => format!("{} 1000000000\n", line.rsplit_once(' ').unwrap().0),
        _ => format!("{line}\n"),
    });
    let old: String = old.collect();
    assert_eq!(inspector.look(Scraped { text: &old, open: false, asked: now }, &record).1, []);
    inspector.down_since = now.checked_sub(Duration::from_secs(16));
    let breaches = look(&mut inspector, &old, &record, now);
    assert_eq!(
        breaches.iter().map(|one| one.promise).collect::<Vec<_>>(),
        ["the exporter's own word on its connections holds"]
    );
    // The same with a word of a moment ago: a line that is up and not yet answered.
    inspector.down_since = now.checked_sub(Duration::from_secs(16));
    assert_eq!(look(&mut inspector, &down, &record, now), []);
}

#[test]
fn the_status_is_one_only_while_every_line_lives() {
    const STATUS: &str = "the status is 1 only while every line lives";
    for line in [0, 1] {
        let (mut record, now) = record(Duration::from_secs(60));
        record.ended(line, now.checked_sub(Duration::from_secs(6)).unwrap());
        let breaches = look(&mut inspector(), &page(), &record, now);
        assert_eq!(breaches.iter().map(|one| one.promise).collect::<Vec<_>>(), [STATUS], "line {line}");
    }
    let page = forged("stream=\"public\",state=\"wanted\"} 1", "stream=\"public\",state=\"wanted\"} 2");
    assert_eq!(broken(&page), [STATUS]);
    assert_eq!(broken(&forged("stream=\"public\"} 1", "stream=\"public\"} 0.5")), [STATUS]);
}

#[test]
fn balances_are_the_books() {
    const BALANCES: &str = "balances are the books', or absent";
    let sol = "exchange_balance{asset=\"SOL\",wallet=\"trading\",state=\"free\"} 3.5\n";
    for page in [
        forged(sol, &sol.replace("3.5", "3.6")),
        forged(sol, &sol.replace("SOL", "ETH")),
        forged("exchange_equity{currency=\"USDT\"} 350", "exchange_equity{currency=\"USDT\"} 700"),
        forged("exchange_open_orders{market=\"spot\"} 0", "exchange_open_orders{market=\"spot\"} 1"),
        // Balances that nobody says the age of.
        page()
            .lines()
            .filter(|line| !line.contains("last_success"))
            .fold(String::new(), |page, line| page + line + "\n"),
    ] {
        assert_eq!(broken(&page), [BALANCES], "{page}");
    }
    // Something is held, all wallets could be read, and it is not shown.
    let eth = "exchange_balance{asset=\"ETH\",wallet=\"trading\",state=\"free\"} 0\n";
    assert_eq!(broken(&forged(sol, eth)), [BALANCES]);
    let unread = forged(sol, eth).replace(
        "exchange_wallet_read_status{wallet=\"trading\"} 1",
        "exchange_wallet_read_status{wallet=\"trading\"} 0",
    );
    assert_eq!(broken(&unread), [] as [&str; 0]);
    // What was so before the refresh that the exporter names is too old.
    let (mut record, now) = record(Duration::from_secs(120));
    record.booked(&books(50), now.checked_sub(Duration::from_secs(60)).unwrap());
    assert_eq!(look(&mut inspector(), &page(), &record, now)[0].promise, BALANCES);
}

#[test]
fn secrets_are_found_wherever_they_are() {
    let signature = "PJ61e1nb2F2Qd7D8SPiaIcx2gjdELc+o0ygzre9z33k=";
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ0ZXN0In0.MEUCIQDaVzjbJv1rRkDs2yLr2cNQ";
    let needles = Needles::new([signature, token, "canarypassphrase1", "short"].map(str::to_owned));
    for bad in [
        format!("a{{b=\"{signature}\"}} 1"),
        format!("level=warn message=\"refused: {token}\""),
        "<td>canarypassphrase1</td>".to_owned(),
        format!("/ws?token={token}&x=1"),
    ] {
        assert_eq!(needles.found_in(&format!("good\n{bad}\ngood")), [bad]);
    }
    assert!(needles.found_in("short eyJhbGciOiJFUzI1NiJ9 exchange_last_price 1\n").is_empty());
}
