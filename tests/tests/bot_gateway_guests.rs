//! Who may post to the bot gateway, and what strangers who may not, never finish or send too much come to.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod exporter;
mod gateway;

use std::fs;
use std::io::{Read, Write};

use exporter::exposition::Exposition;
use exporter::web::Answer;
use gateway::Gateway;

const TRADE: &str =
    r#"{"metric":"trades_executed_total","labels":{"symbol":"BTCUSDT","side":"buy","status":"filled"},"add":1}"#;

fn trades(scrape: &Exposition) -> f64 {
    scrape.all("trades_executed_total").map(|sample| sample.value).sum()
}

fn refused(scrape: &Exposition, reason: &str) -> f64 {
    scrape.value("bot_gateway_refused_total", &[("reason", reason)]).unwrap()
}

const FIRST: &str = "first-token-0123456789";
const SECOND: &str = "second-token-0123456789";

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

#[test]
fn with_a_token_file_only_its_tokens_post_and_they_change_while_it_runs() {
    let gateway = Gateway::prepared(|folder| {
        fs::write(folder.join("tokens"), FIRST).unwrap();
        vec![format!("--events.token-file={}", folder.join("tokens").display())]
    });
    let post = |headers: &str| gateway.ask("POST", "/events", headers, TRADE);
    let none = post("");
    assert_eq!((none.status, none.header("www-authenticate")), (401, "Bearer"));
    assert_eq!(post(&bearer(SECOND)).status, 401);
    assert_eq!(post(&bearer(FIRST)).status, 200);
    assert_eq!(gateway.ask("POST", "/events/task_split", "", r#"{"chunks":1}"#).status, 401);
    assert_eq!(gateway.get("/metrics").status, 200, "a token is for posting");
    fs::write(gateway.folder().join("tokens"), format!("{FIRST}\n{SECOND}\n")).unwrap();
    gateway.until("the second opens", |_| post(&bearer(SECOND)).status == 200);
    assert_eq!(post(&bearer(FIRST)).status, 200);
    // A file that went wrong opens nothing and shuts nobody out.
    fs::write(gateway.folder().join("tokens"), "").unwrap();
    let broken = [("reason", "token_file")];
    gateway.until("it is told", |scrape| scrape.value("bot_gateway_config_error", &broken) == Some(1.0));
    assert_eq!((post("").status, post(&bearer(SECOND)).status), (401, 200));
    assert!(!gateway.log().contains("token-0123456789"), "no token in the log");
}

#[test]
fn users_of_the_web_configuration_post_with_their_password_or_a_token() {
    // htpasswd -nbB -C 4 bot right
    let hash = "$2y$04$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";
    let gateway = Gateway::prepared(|folder| {
        fs::write(folder.join("tokens"), FIRST).unwrap();
        fs::write(folder.join("web.yml"), format!("basic_auth_users:\n  bot: {hash}\n")).unwrap();
        let flag = |name: &str, file: &str| format!("--{name}={}", folder.join(file).display());
        vec![flag("events.token-file", "tokens"), flag("web.config.file", "web.yml")]
    });
    let post = |headers: &str| gateway.ask("POST", "/events", headers, TRADE).status;
    // Neither the token nor a wrong password is a key to the metrics; who has the token posts.
    assert_eq!((post(""), post("Authorization: Basic Ym90Ondyb25n\r\n"), post(&bearer(FIRST))), (401, 401, 200));
    let metrics = |headers: &str| gateway.ask("GET", "/metrics", headers, "").status;
    assert_eq!((metrics(""), metrics(&bearer(FIRST))), (401, 401));
    assert_eq!(gateway.get("/-/ready").status, 200);
}

#[test]
fn bodies_that_are_too_large_of_another_kind_or_from_a_page_are_not_read() {
    let gateway = Gateway::new(&["--events.max-body-bytes=1000"]);
    let large = format!("[{}]", vec![TRADE; 20].join(","));
    let answer = gateway.post(&large);
    assert!(answer.status == 413 && answer.text().contains("1000 bytes"), "{}", answer.text());
    // Its length is not told: it is read no further than the limit.
    let chunked = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let head = "POST /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert!(gateway.raw(&format!("{head}{chunked}")).starts_with("HTTP/1.1 413"));
    let form = gateway.plain("POST", "/events", "Content-Type: text/plain\r\n", TRADE);
    assert!(form.status == 415 && form.text().contains("application/json"), "{}", form.text());
    let page = gateway.ask("POST", "/events", "Origin: http://evil.example\r\n", TRADE);
    assert!(page.status == 401 && page.text().contains("web page"), "{}", page.text());
    assert_eq!(gateway.ask("POST", "/metrics", "", TRADE).status, 413, "nothing else takes a body");
    assert_eq!(gateway.ask("GET", "/events", "", "").status, 405);
    assert_eq!(gateway.post(TRADE).status, 200);
    let scrape = gateway.scrape();
    assert_eq!(["body", "content_type", "auth"].map(|reason| refused(&scrape, reason)), [2.0, 1.0, 1.0]);
}

#[test]
fn more_events_than_the_rate_limit_wait() {
    let gateway = Gateway::new(&["--events.rate-limit=5"]);
    let many = format!("[{}]", vec![TRADE; 40].join(","));
    assert_eq!(gateway.post(&many).status, 200, "any size fits once");
    let answer = gateway.post(TRADE);
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(trades(&gateway.scrape()), 40.0);
}

/// Who sends slowly, nothing, or garbage: others are answered meanwhile.
#[test]
fn strangers_who_never_finish_hold_nobody_up() {
    let gateway = Gateway::new(&[]);
    let head = "POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500000\r\n\r\n[";
    let mut slow: Vec<_> = (0..300)
        .map(|_| {
            let mut stream = gateway.connect();
            let _ = stream.write_all(head.as_bytes());
            stream
        })
        .collect();
    assert_eq!(gateway.post(TRADE).status, 200);
    assert_eq!(trades(&gateway.scrape()), 1.0);
    for garbage in
        ["\0\0\0\0\r\n\r\n", "POST /events HTTP/1.1\r\nContent-Length: -5\r\n\r\n", "POST /events HTTP/9.9\r\n\r\n"]
    {
        let mut stream = gateway.connect();
        let _ = stream.write_all(garbage.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    }
    for stream in &mut slow {
        let _ = stream.write_all(b"{}");
    }
    assert_eq!(gateway.post(TRADE).status, 200);
}

#[test]
fn an_answer_is_json_and_names_nothing_of_the_program() {
    let gateway = Gateway::new(&[]);
    let answer: Answer = gateway.post("{");
    assert_eq!((answer.status, answer.header("content-type")), (400, "application/json"));
    assert!(!answer.text().contains(".rs") && answer.text().len() < 300, "{}", answer.text());
}
