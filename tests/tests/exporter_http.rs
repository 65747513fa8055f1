//! What an exporter serves, and what its subcommands say.

mod exporter;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::process::Output;

use common::metrics::vocabulary::{ALL, COLUMNS, COMPAT, Type};
use exporter::exposition::Exposition;
use exporter::web::ask;
use exporter::{Rig, bitcoin, command, everywhere, fake, free_port, outcome, suffering};
use fake_venues::stack::Scratch;
use fake_venues::{Fault, Venue};
use flate2::read::GzDecoder;

const OPEN_METRICS: &str = "Accept: application/openmetrics-text;version=1.0.0\r\n";

/// Text, OpenMetrics and gzip have the same series, and each is what it claims to be.
#[tokio::test]
async fn every_format_is_whole() {
    everywhere(async |venue| {
        let rig = Rig::with(fake(venue), &["--exchange.symbols=all"]);
        rig.until_ready().await;
        // A series may come between two scrapes; no format may lack it for long.
        rig.until("all formats have the same series", async || {
            let (plain, open, packed) = (plain(&rig), open(&rig), packed(&rig));
            plain == open && plain == packed
        })
        .await;
    })
    .await;
}

type Series = BTreeSet<(String, BTreeMap<String, String>)>;

fn series(rig: &Rig, scrape: Result<Exposition, String>) -> Series {
    let scrape = scrape.unwrap_or_else(|problem| rig.fail(problem));
    scrape.samples().map(|one| (one.name.clone(), one.labels.clone())).collect()
}

fn plain(rig: &Rig) -> Series {
    let answer = ask(rig, "GET", "/metrics", "");
    rig.check(answer.header("content-type").starts_with("text/plain; version=0.0.4"), format!("{:?}", answer.headers));
    rig.check(answer.header("content-encoding").is_empty(), "nobody asked for compression");
    series(rig, Exposition::text(&answer.text()))
}

fn open(rig: &Rig) -> Series {
    let answer = ask(rig, "GET", "/metrics", OPEN_METRICS);
    let kind = answer.header("content-type");
    rig.check(kind.starts_with("application/openmetrics-text; version=1.0.0"), kind);
    series(rig, Exposition::open_metrics(&answer.text()))
}

fn packed(rig: &Rig) -> Series {
    let answer = ask(rig, "GET", "/metrics", "Accept-Encoding: gzip\r\n");
    rig.check(answer.header("content-encoding") == "gzip", format!("{:?}", answer.headers));
    let mut text = String::new();
    let size = GzDecoder::new(&answer.body[..]).read_to_string(&mut text);
    rig.check(size.is_ok_and(|size| size > answer.body.len()), "gzip makes it smaller");
    series(rig, Exposition::text(&text))
}

/// Every name is in the reference, with the type and the labels that it says there; help texts too.
#[tokio::test]
async fn only_what_the_reference_names_is_served() {
    everywhere(async |venue| {
        let rig = Rig::new(fake(venue));
        rig.until_ready().await;
        let scrape = rig.until_scrape("the clock was compared", |scrape| {
            scrape.value("exchange_clock_skew_seconds", &[]).is_some()
        });
        let scrape = scrape.await;
        let reference = reference(venue);
        for family in &scrape.families {
            if family.name.starts_with("process_") {
                continue;
            }
            let Some((_, kind, labels, help)) = reference.iter().find(|one| one.0 == family.name) else {
                rig.fail(format!("{} is not in the reference", family.name));
            };
            rig.check(family.kind == *kind && family.help == *help, format!("{family:?}"));
            for sample in &family.samples {
                let found = sample.labels.keys().map(String::as_str).filter(|label| *label != "le");
                rig.check(found.eq(labels.iter().copied()), format!("{sample:?} should have {labels:?}"));
                let exchange = sample.labels.get("exchange");
                rig.check(exchange.is_none_or(|named| named == venue.name()), format!("{sample:?}"));
            }
        }
        rig.check(scrape.families.iter().any(|family| family.name == "process_resident_memory_bytes"), "process_*");
        without_compatibility_names(venue).await;
    })
    .await;
}

/// Name, type in the text format, sorted labels and help of everything that a venue's exporter may serve.
fn reference(venue: Venue) -> Vec<(String, &'static str, Vec<&'static str>, &'static str)> {
    let kind = |kind: Type| if kind == Type::Info { "gauge" } else { kind.as_str() };
    let sorted = |labels: &[&'static str]| {
        let mut labels = labels.to_vec();
        labels.sort_unstable();
        labels
    };
    let canonical = ALL.iter().map(|metric| {
        let labels = sorted(&[&["exchange"], metric.labels].concat());
        (metric.name.to_owned(), kind(metric.kind), labels, metric.help)
    });
    let compat = COLUMNS.iter().filter_map(|column| column.compat.as_ref()).chain(COMPAT.iter().copied());
    let compat = compat.map(|old| (old.name(venue.name()), kind(old.kind), sorted(old.labels), old.help));
    canonical.chain(compat).collect()
}

async fn without_compatibility_names(venue: Venue) {
    let rig = Rig::with(fake(venue), &["--metrics.compat=false"]);
    rig.until_ready().await;
    let scrape = rig.scrape().await;
    let old = scrape.families.iter().find(|family| {
        let canonical = ALL.iter().any(|metric| metric.name == family.name);
        !canonical && !family.name.starts_with("process_")
    });
    rig.check(old.is_none(), format!("{old:?}"));
}

/// The old names say what the new ones say.
#[tokio::test]
async fn compatibility_names_agree_with_the_canonical_ones() {
    everywhere(async |venue| {
        let rig = Rig::new(fake(venue));
        rig.until_ready().await;
        let same = |scrape: &Exposition| {
            let value = |name: &str| scrape.value(&format!("{}_{name}", venue.name()), &[]);
            let exchange = [("exchange", venue.name())];
            let calls: f64 = scrape.all(&format!("{}_api_calls_total", venue.name())).map(|one| one.value).sum();
            let asked: f64 = scrape.all("exchange_requests_total").map(|one| one.value).sum();
            let skew = scrape.value("exchange_clock_skew_seconds", &[]).map(|skew| skew * 1e3);
            let old_skew = scrape.value("exchange_skew_ms", &exchange);
            value("connection_status") == Some(1.0)
                && scrape.connected()
                && value("websocket_messages_total") == scrape.value("exchange_websocket_messages_total", &[])
                && value("exporter_up") == Some(1.0)
                && scrape.value("exchange_state", &exchange) == Some(1.0)
                && scrape.value("exchange_latency_ms", &exchange).is_some_and(|latency| latency > 0.0)
                && scrape.value("exchange_rate_limit_used", &exchange).is_some()
                && skew.zip(old_skew).is_some_and(|(new, old)| (new - old).abs() < 1e-6)
                && (calls, calls > 0.0) == (asked, true)
        };
        // Counters of a stream that runs can move between two lines of one scrape.
        rig.until_scrape("both names say the same", same).await;
    })
    .await;
}

/// The paths, and nothing else.
#[tokio::test]
async fn pages_answer_as_documented() {
    everywhere(async |venue| {
        let rig = Rig::new(fake(venue));
        rig.until_ready().await;
        for path in ["/", "/metrics", "/-/healthy", "/-/ready", "/health"] {
            let (get, head) = (ask(&rig, "GET", path, ""), ask(&rig, "HEAD", path, ""));
            rig.check(get.status == 200 && !get.body.is_empty(), format!("GET {path} answers {}", get.status));
            rig.check(head.status == 200 && head.body.is_empty(), format!("HEAD {path} answers {}", head.status));
            let post = ask(&rig, "POST", path, "Content-Length: 0\r\n").status;
            rig.check(post == 405, format!("POST {path} answers {post}"));
        }
        for path in ["/nothing", "/metrics/", "/-/reload", "/../etc/passwd", "/favicon.ico"] {
            let status = ask(&rig, "GET", path, "").status;
            rig.check(status == 404, format!("GET {path} answers {status}"));
        }
        let (status, reasons) = rig.health().await;
        rig.check(status == "ok" && reasons.is_empty(), format!("/health says {status}, {reasons:?}"));
        page_is_for_people(&rig).await;
    })
    .await;
}

async fn page_is_for_people(rig: &Rig) {
    let answer = ask(rig, "GET", "/", "");
    let page = answer.text();
    rig.check(answer.header("content-type").starts_with("text/html"), "it is HTML");
    let pair = format!("BTC</b>/{}", exporter::dollar(rig.venue()));
    let pair = page.contains(&pair) || page.contains(&pair.replace("</b>", "")) || page.contains(bitcoin(rig.venue()));
    rig.check(pair, "it shows bitcoin");
    rig.check(page.contains("live") && page.contains(&rig.fake.address().to_string()), "it shows the connection");
    for forbidden in ["<script", "http://", "https://", "src=", "@import", "url("] {
        rig.check(!page.contains(forbidden), format!("the page contains {forbidden}"));
    }
    rig.fake.freeze(true);
    let price = |scrape: &Exposition| scrape.value("exchange_last_price", &[("symbol", bitcoin(rig.venue()))]);
    rig.until("the page shows the price of the scrape", async || {
        price(&rig.scrape().await).is_some_and(|price| ask(rig, "GET", "/", "").text().contains(&price.to_string()))
    })
    .await;
    let hostile = ask(rig, "GET", "/?symbol=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "");
    rig.check(hostile.status == 200 && !hostile.text().contains("<script"), "what is searched is text");
}

fn run(venue: Venue, arguments: &[String]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = outcome(command(venue).args(arguments));
    (status.code(), [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat())
}

/// `healthcheck` asks the running exporter.
#[tokio::test]
async fn healthcheck_tells_by_its_status() {
    everywhere(async |venue| {
        let ask = |port: u16| run(venue, &["healthcheck".into(), format!("--web.listen-address=127.0.0.1:{port}")]);
        let rig = Rig::new(fake(venue));
        rig.until_ready().await;
        let (status, said) = ask(rig.port);
        rig.check(status == Some(0), format!("ready: {status:?}, {said}"));
        let (status, said) = ask(free_port());
        rig.check(status == Some(1) && said.contains("no answer"), format!("nobody: {status:?}, {said}"));
        let rig = Rig::new(suffering(venue, Fault::RefuseDial));
        let failed = |now: &Exposition| now.errors("network", "public") >= 1.0;
        rig.until_scrape("a dial fails", failed).await;
        let (status, said) = ask(rig.port);
        rig.check(status == Some(1) && said.contains("not ready (503)"), format!("not ready: {status:?}, {said}"));
    })
    .await;
}

/// `check` tries everything once and says what does not work.
#[test]
fn check_tells_in_words() {
    for venue in Venue::ALL {
        let at = |url: &str| {
            let (rest, ws) = (format!("--exchange.rest-url=http://{url}"), format!("--exchange.ws-url=ws://{url}"));
            run(venue, &["check".into(), rest, ws])
        };
        let good = fake(venue);
        let (status, said) = at(&good.address().to_string());
        assert_eq!(status, Some(0), "{}: {said}", venue.name());
        for what in ["REST", "clock", "symbols", "stream", "live", "credentials"] {
            assert!(said.contains(what), "{}: {what} is missing in {said}", venue.name());
        }
        assert!(!said.contains("FAIL"), "{}: {said}", venue.name());
        let (status, said) = at(&format!("127.0.0.1:{}", free_port()));
        assert!(status == Some(1) && said.contains("FAIL") && said.contains("refused"), "{}: {said}", venue.name());
        let down = suffering(venue, Fault::Maintenance);
        let (status, said) = at(&down.address().to_string());
        assert!(status == Some(1) && said.contains("FAIL"), "{}: {said}", venue.name());
    }
}

/// `decode` explains recorded frames line by line.
#[test]
fn decode_explains_frames() {
    let scratch = Scratch::new("decode-test").expect("a temporary directory");
    for venue in Venue::ALL {
        let market = fake(venue).market();
        let quote = &market.listings()[0].quote;
        let frame = match venue {
            Venue::Binance => fake_venues::binance::ticker_frame(quote),
            Venue::Kucoin => fake_venues::kucoin::ticker_frame(quote),
            Venue::Bybit => fake_venues::bybit::ticker_frame(quote, 1),
            Venue::Coinbase => fake_venues::coinbase::ticker_frame(quote, fake_venues::coinbase::Kind::Update, 1, 1),
            Venue::Okx => fake_venues::okx::ticker_frame(quote),
        };
        let file = scratch.path().join(venue.name());
        let decode = |text: String| {
            fs::write(&file, text).expect("a file");
            run(venue, &["decode".into(), file.display().to_string()])
        };
        let (status, said) = decode(format!("{frame}\n\n{{\"payload\":{frame}}}\n"));
        assert_eq!(status, Some(0), "{}: {said}", venue.name());
        let price = quote.last.map(|last| last.to_string()).unwrap_or_default();
        assert!(said.matches(&price).count() >= 2, "{}: {price} is missing in {said}", venue.name());
        let (status, said) = decode(format!("{frame}\n{}\n", &frame[..frame.len() / 2]));
        assert!(status == Some(1) && said.contains("2: not understood"), "{}: {said}", venue.name());
    }
    assert_eq!(run(Venue::Okx, &["decode".into(), "/nonexistent".into()]).0, Some(2));
}
