//! `--web.config.file`: TLS, client certificates, users, headers and the rate limit, as a client and as a real Prometheus
//! meet them.

mod exporter;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use exporter::tls::{RIGHT, TLS, UNKNOWN, USERS, WRONG, WebFiles};
use exporter::web::{Answer, ask};
use exporter::{PATIENCE, Rig, command, fake, free_port, outcome, suffering, venues};
use fake_venues::stack::{Process, find_tool, have_tools, prometheus};
use fake_venues::{Fault, Venue};

const HEALTH: [&str; 3] = ["/-/healthy", "/-/ready", "/health"];

/// What is tried here is the same for all venues.
fn venue() -> Venue {
    venues()[0]
}

fn rig(files: &WebFiles, more: &[&str]) -> Rig {
    Rig::custom(fake(venue()), |command| {
        command.arg(files.flag()).args(more);
    })
}

fn healthcheck(rig: &Rig, files: &WebFiles) -> (Option<i32>, String) {
    let listen = format!("--web.listen-address=127.0.0.1:{}", rig.port);
    let output = outcome(command(venue()).args([&listen, &files.flag(), "healthcheck"]));
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
async fn prometheus_scrapes_over_tls_with_a_password() {
    if !have_tools(&["prometheus"]).unwrap() {
        return;
    }
    let files = WebFiles::new(&format!("{TLS}{USERS}"));
    let rig = rig(&files, &[]);
    let job = |name: &str, scheme: &str, password: &str| {
        format!(
            "  - job_name: {name}\n    scheme: {scheme}\n    tls_config: {{ ca_file: {}/ca.pem }}\n    basic_auth: {{ username: \
             prometheus, password: {password} }}\n    static_configs: [{{ targets: ['localhost:{}'] }}]\n",
            files.folder().display(),
            rig.port
        )
    };
    let jobs = [job("good", "https", "right"), job("wrong", "https", "wrong"), job("plain", "http", "right")].concat();
    files.write("prometheus.yml", &format!("global: {{ scrape_interval: 1s }}\nscrape_configs:\n{jobs}"));
    let port = free_port();
    let log = files.folder().join("prometheus.log");
    let flag = |name: &str, value: &str| format!("--{name}={value}");
    let path = |name: &str| files.folder().join(name).display().to_string();
    let mut prometheus = Command::new(find_tool("prometheus").unwrap());
    prometheus.args([
        flag("config.file", &path("prometheus.yml")),
        flag("storage.tsdb.path", &path("data")),
        flag("web.listen-address", &format!("127.0.0.1:{port}")),
    ]);
    let _prometheus = Process::start("prometheus", &mut prometheus, &log).unwrap();
    let holds = async |expression: &str| prometheus::query(port, expression).await.is_ok_and(|found| !found.is_empty());
    rig.until("prices come over TLS", async || holds("exchange_last_price{job=\"good\"} > 0").await).await;
    for refused in ["wrong", "plain"] {
        rig.until("it is refused", async || holds(&format!("up{{job=\"{refused}\"}} == 0")).await).await;
    }
    // Another certificate, and the very next scrapes succeed.
    let next = files.renew();
    let client = files.authority.client();
    rig.check(client.shown(rig.port).unwrap() == next, "the new certificate is shown at once");
    rig.until("three scrapes since then", async || holds("count_over_time(up{job=\"good\"}[3s]) >= 3").await).await;
    rig.check(holds("min_over_time(up{job=\"good\"}[1m]) == 1").await, "no scrape failed for it");
}

#[tokio::test]
async fn only_users_with_their_password_get_the_metrics() {
    let files = WebFiles::new(&format!("{TLS}{USERS}"));
    let rig = rig(&files, &[]);
    let client = files.authority.client();
    for path in ["/metrics", "/", "/nothing"] {
        for header in ["", WRONG, UNKNOWN, "Authorization: Bearer x\r\n"] {
            let answer = rig.secure(&client, path, header);
            let challenge = answer.header("www-authenticate");
            rig.check((answer.status, challenge) == (401, "Basic"), format!("{path} {header}: {answer:?}"));
            rig.check(!answer.text().contains("exchange_"), "nothing is told");
        }
    }
    for path in HEALTH {
        rig.check(rig.secure(&client, path, "").status != 401, format!("{path} is open"));
    }
    for client in [&client, &client.old()] {
        let answer = rig.secure(client, "/metrics", RIGHT);
        rig.check(answer.status == 200 && answer.text().contains("exchange_connection_status"), format!("{answer:?}"));
    }
    rig.check(!rig.log().contains("right"), "no password is logged");
    // Plain HTTP gets nothing.
    let plain = std::net::TcpStream::connect(("127.0.0.1", rig.port)).and_then(|mut stream| {
        use std::io::{Read, Write};
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    });
    rig.check(!plain.unwrap_or_default().starts_with(b"HTTP"), "no HTTP without TLS");
}

#[tokio::test]
async fn users_and_certificates_change_without_a_restart_and_broken_files_change_nothing() {
    let files = WebFiles::new(&format!("{TLS}{USERS}"));
    let rig = rig(&files, &[]);
    let client = files.authority.client();
    let error = async || {
        let answer = rig.secure(&client, "/metrics", RIGHT.replace("prometheus", "").as_str());
        exporter::exposition::Exposition::text(&answer.text())
            .unwrap()
            .value("exchange_config_error", &[("reason", "web_config")])
    };
    rig.check(error().await == Some(0.0), "all is well");
    let good = format!("{TLS}{USERS}");
    for broken in ["tls_server_config:\n  cert_", "", TLS, USERS, "basic_auth_users:\n  prometheus: right\n"] {
        files.write("web.yml", broken);
        rig.check(error().await == Some(1.0), format!("{broken:?} is told of, and the old user goes on"));
        rig.check(rig.secure(&client, "/metrics", "").status == 401, format!("{broken:?} opens nothing"));
    }
    rig.until_logged(&["the last good one goes on", "web.yml"]).await;
    let health = rig.secure(&client, "/health", "").text();
    rig.check(health.contains("web configuration"), health);
    files.write("web.yml", &good);
    rig.check(error().await == Some(0.0), "it is well again");
    // A key that does not belong to the certificate, as between the two halves of a renewal.
    let old = client.shown(rig.port).unwrap();
    files.write_key("other", &files.authority.issue(&["localhost"]));
    fs::copy(files.folder().join("other.key"), files.folder().join("server.key")).unwrap();
    rig.check(client.shown(rig.port).unwrap() == old, "the old certificate goes on");
    let new = files.renew();
    rig.check(client.shown(rig.port).unwrap() == new, "the new one is taken");
    files.write("web.yml", &good.replace("prometheus:", "alice:"));
    rig.check(rig.secure(&client, "/metrics", RIGHT).status == 401, "who was a user is none any more");
}

#[tokio::test]
async fn client_certificates_open_and_their_lack_does_not() {
    let text = format!("{TLS}  client_ca_file: ca.pem\n  client_auth_type: RequireAndVerifyClientCert\n");
    let files = WebFiles::new(&text);
    let rig = rig(&files, &[]);
    let client = files.authority.client();
    let [known, other] = ["prometheus.example", "other.example"].map(|name| files.authority.issue(&[name]));
    let stranger = exporter::tls::Authority::new().issue(&["prometheus.example"]);
    for client in [client.clone(), client.old()] {
        let opens =
            |identity| client.with(identity).ask(rig.port, "/metrics", "").is_ok_and(|answer| answer.status == 200);
        let nobody = || client.ask(rig.port, "/-/healthy", "");
        files.write("web.yml", &text);
        rig.check(opens(&known) && opens(&other), "whom the authority knows");
        rig.check(!opens(&stranger) && nobody().is_err(), "nobody else");
        files.write("web.yml", &format!("{text}  client_allowed_sans: [prometheus.example]\n"));
        rig.check(opens(&known) && !opens(&other) && !opens(&stranger) && nobody().is_err(), "one name only");
        files.write("web.yml", &text.replace("RequireAnd", "").replace("ClientCert", "ClientCertIfGiven"));
        rig.check(opens(&known) && nobody().is_ok() && !opens(&stranger), "if given");
        files.write("web.yml", &text.replace("RequireAndVerifyClientCert", "RequireAnyClientCert"));
        rig.check(opens(&stranger) && nobody().is_err(), "any");
        files.write("web.yml", &text.replace("RequireAndVerifyClientCert", "RequestClientCert"));
        rig.check(opens(&stranger) && nobody().is_ok(), "asked for");
    }
}

#[tokio::test]
async fn headers_go_with_every_answer() {
    let files = WebFiles::new(
        "http_server_config:\n  headers:\n    X-Frame-Options: sameorigin\n    Strict-Transport-Security: max-age=60\n    \
         Content-Security-Policy: frame-ancestors 'self'\n",
    );
    let rig = rig(&files, &[]);
    for path in ["/metrics", "/-/healthy", "/", "/nothing"] {
        let answer = ask(&rig, "GET", path, "");
        rig.check(answer.header("x-frame-options") == "sameorigin", format!("{path}: {answer:?}"));
        rig.check(answer.header("strict-transport-security") == "max-age=60", path);
    }
    let policies =
        |answer: &Answer| answer.headers.iter().filter(|(name, _)| name == "content-security-policy").count();
    rig.check(policies(&ask(&rig, "GET", "/", "")) == 2, "the page keeps its own policy");
}

#[tokio::test]
async fn the_rate_limit_comes_before_the_password() {
    let files = WebFiles::new(&format!("rate_limit:\n  interval: 1h\n  burst: 3\n{USERS}"));
    let rig = rig(&files, &[]);
    let statuses: Vec<u16> =
        [RIGHT, WRONG, RIGHT, RIGHT, WRONG].map(|header| ask(&rig, "GET", "/metrics", header).status).into();
    rig.check(statuses == [200, 401, 200, 429, 429], format!("{statuses:?}"));
    rig.check(!ask(&rig, "GET", "/metrics", "").header("retry-after").is_empty(), "it says when");
    for path in HEALTH {
        rig.check(ask(&rig, "GET", path, "").status != 429, format!("{path} is not counted"));
    }
}

#[tokio::test]
async fn health_is_protected_where_that_is_asked_for() {
    let files = WebFiles::new(USERS);
    let rig = rig(&files, &["--web.protect-health"]);
    for path in HEALTH {
        rig.check(ask(&rig, "GET", path, "").status == 401, path);
        rig.check(ask(&rig, "GET", path, RIGHT).status != 401, path);
    }
    let (status, told) = healthcheck(&rig, &files);
    rig.check(status == Some(0) && told.contains("--web.protect-health"), told);
}

#[tokio::test]
async fn healthcheck_asks_over_tls() {
    let files = WebFiles::new(&format!("{TLS}{USERS}"));
    let mut rig = rig(&files, &[]);
    rig.until("it is ready", async || healthcheck(&rig, &files).0 == Some(0)).await;
    rig.check(healthcheck(&rig, &files).1.is_empty(), "it has nothing to say");
    // Whatever stands in the file by now.
    files.write("web.yml", "nonsense");
    rig.check(healthcheck(&rig, &files).0 == Some(0), "a broken file is no broken exporter");
    let asks = "  client_ca_file: ca.pem\n  client_auth_type: RequireAndVerifyClientCert\n";
    files.write("web.yml", &format!("{TLS}{asks}{USERS}"));
    let (status, told) = healthcheck(&rig, &files);
    rig.check(status == Some(0) && told.contains("client_auth_type"), told);
    rig.process.kill();
    rig.check(healthcheck(&rig, &files).0 == Some(1), "nobody answers");

    let plain = WebFiles::new(USERS);
    let rig = Rig::custom(suffering(venue(), Fault::RefuseDial), |command| {
        command.arg(plain.flag());
    });
    let (status, told) = healthcheck(&rig, &plain);
    rig.check(status == Some(1) && told.contains("not ready (503)"), told);
}

#[test]
fn what_cannot_be_used_ends_the_start() {
    let files = WebFiles::new("");
    for (text, names) in [
        ("basic_auth_user: {}", ["line 1", "basic_auth_user"]),
        ("tls_server_config:\n  cert_file: absent.pem\n  key_file: server.key\n", ["absent.pem", "No such file"]),
        ("tls_server_config:\n  min_version: TLS10\n", ["tls_server_config", "cert_file"]),
        ("a: [b", ["line 1", "web.yml"]),
    ] {
        files.write("web.yml", text);
        for task in [&["check"][..], &[]] {
            let output = outcome(command(venue()).arg(files.flag()).args(task));
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{text}: {told}");
            assert!(told.lines().count() == 1 && names.iter().all(|name| told.contains(name)), "{text}: {told}");
        }
    }
}

/// What differs from exporter-toolkit, and why.
const STRICTER: [(&str, &str); 10] = [
    ("TLS  cert: text\n", "one of the two would be ignored"),
    ("tls_server_config: {}\n", "asks for TLS and names none: it would serve plain HTTP"),
    ("tls_server_config:\n  min_version: TLS13\n", "likewise"),
    ("TLS  min_version: TLS10\n", "rustls has no TLS 1.0"),
    ("TLS  min_version: TLS13\n  max_version: TLS12\n", "no version is left"),
    ("TLS  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]\n", "rustls has no CBC"),
    ("TLS  curve_preferences: [CurveP521]\n", "not in ring"),
    (
        "TLS  client_auth_type: RequireAndVerifyClientCert\n",
        "would let in everybody whom the system's authorities know",
    ),
    ("TLS  client_allowed_sans: [a]\n", "without client_auth_type nobody is checked"),
    (
        "basic_auth_users:\n  a: $2y$31$8g9y9Fq3Yb8Ee3ipX0sVJOTZ2xC/nW5r9MB6WemSHZAoIS4bjsBN6\n",
        "a day for each wrong password",
    ),
];
/// Newer than Debian's promtool.
const NEWER: [&str; 1] = ["rate_limit:\n  interval: 1s\n  burst: 5\n"];
const BOTH_TAKE: [&str; 12] = [
    "",
    "# nothing\n",
    "TLS",
    "TLS  client_auth_type: NoClientCert\n",
    "TLS  client_auth_type: RequireClientCert\n",
    "TLS  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n",
    "TLS  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  client_allowed_sans: [a, 192.0.2.1]\n",
    "TLS  min_version: TLS12\n  max_version: TLS13\n  prefer_server_cipher_suites: false\n",
    "TLS  cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n",
    "TLS  curve_preferences: [CurveP256, CurveP384, X25519]\n",
    "USERShttp_server_config:\n  http2: true\n",
    "http_server_config:\n  headers:\n    X-Frame-Options: deny\n    X-Content-Type-Options: nosniff\n",
];
const BOTH_REFUSE: [&str; 18] = [
    "tls_config: {}\n",
    "TLS  certfile: a\n",
    "TLS  client_auth_type: Sometimes\n",
    "TLS  client_ca_file: ca.pem\n",
    "TLS  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: absent.pem\n",
    "TLS  min_version: SSL3\n",
    "TLS  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]\n",
    "TLS  curve_preferences: [Curve25519]\n",
    "tls_server_config:\n  cert_file: server.pem\n",
    "tls_server_config:\n  key_file: server.key\n",
    "tls_server_config:\n  cert_file: absent.pem\n  key_file: server.key\n",
    "tls_server_config:\n  cert_file: server.pem\n  key_file: ca.pem\n",
    "basic_auth_users:\n  a: password\n",
    "basic_auth_users: [a]\n",
    "http_server_config:\n  headers:\n    X-Frame-Options: DENY\n",
    "http_server_config:\n  headers:\n    x-frame-options: deny\n",
    "http_server_config:\n  http3: true\n",
    "a: [b\n",
];

#[test]
fn the_verdicts_are_promtools_but_for_a_list() {
    if !have_tools(&["promtool"]).unwrap() {
        return;
    }
    let files = WebFiles::new("");
    let write =
        |text: &str| files.write("web.yml", &text.replace("TLS  ", &format!("{TLS}  ")).replace("USERS", USERS));
    let promtool = || {
        let check = ["check", "web-config"];
        Command::new(find_tool("promtool").unwrap()).args(check).arg(files.path()).output().unwrap().status.success()
    };
    let ours = || common::web::config::live::Live::load(&files.path()).map(|_| ());
    let judge = |text: &str, theirs: bool, expected: bool| {
        write(if text == "TLS" { TLS } else { text });
        assert_eq!(promtool(), theirs, "promtool: {text}");
        assert_eq!(ours().is_ok(), expected, "{text}: {:?}", ours());
    };
    STRICTER.iter().for_each(|(text, _)| judge(text, true, false));
    NEWER.iter().for_each(|text| judge(text, false, true));
    BOTH_TAKE.iter().for_each(|text| judge(text, true, true));
    BOTH_REFUSE.iter().for_each(|text| judge(text, false, false));
}

#[tokio::test]
async fn it_stops_at_once_with_connections_open() {
    let files = WebFiles::new(TLS);
    let mut rig = rig(&files, &[]);
    let client = files.authority.client();
    let _open: Vec<_> = (0..5).map(|_| client.connect(rig.port).unwrap()).collect();
    rig.signal(fake_venues::stack::Signal::TERM);
    let asked = Instant::now();
    while rig.process.ended().is_none() {
        rig.check(asked.elapsed() < PATIENCE, "it ends");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let well = rig.process.ended().is_some_and(|status| status.success());
    rig.check(well, "with status 0");
}
