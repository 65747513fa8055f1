//! Looks at all that an exporter shows.

use std::time::Instant;

use tokio::time::sleep;

use super::post::{LOOK, Post};
use crate::Venue;
use crate::inspect::exposition::Exposition;
use crate::inspect::{Breach, Needles, Scraped};
use crate::stack::{get, get_with};

/// Other pages are read at each of so many looks.
const PAGES: usize = 10;

impl Post {
    /// One scrape under the inspector's eyes, and now and then all else that the exporter shows.
    pub(super) async fn look(&mut self) -> Option<Exposition> {
        let open = self.report.scrapes % 2 == 1;
        self.report.scrapes += 1;
        let accept = if open { "Accept: application/openmetrics-text;version=1.0.0\r\n" } else { "" };
        let asked = Instant::now();
        let text = match get_with(self.port, "/metrics", accept).await {
            Ok(response) if response.status == 200 => response.body,
            Ok(response) => return self.silent(format!("/metrics answers {}", response.status)),
            Err(error) => return self.silent(format!("/metrics: {error}")),
        };
        let inspector = &mut self.inspector;
        let (scrape, breaches) =
            self.fake.with_record(|record| inspector.look(Scraped { text: &text, open, asked }, record));
        breaches.into_iter().for_each(|breach| self.found(Some(breach)));
        if self.report.scrapes.is_multiple_of(PAGES) {
            self.look_around(&text).await;
        }
        scrape
    }

    fn silent(&mut self, what: String) -> Option<Exposition> {
        let ended = self.suite.check().err().map(|error| error.to_string());
        self.found(Breach::of("it answers", std::iter::once(what).chain(ended).collect()));
        None
    }

    /// No secret anywhere, and every other page is what it should be.
    async fn look_around(&mut self, metrics: &str) {
        let needles = Needles::new(self.fake.confided());
        let mut shown = needles.found_in(metrics);
        for path in ["/", "/health", "/-/healthy", "/-/ready"] {
            self.report.pages += 1;
            let response = match get(self.port, path).await {
                Ok(response) => response,
                Err(error) => {
                    self.found(Breach::of("it answers", vec![format!("{path}: {error}")]));
                    continue;
                }
            };
            let right = match path {
                "/health" => response.status == 200 && is_health(&response.body, self.plan.venue),
                "/-/ready" => response.status == 200 || (response.status == 503 && !response.body.is_empty()),
                _ => response.status == 200,
            };
            if !right {
                let line = format!("{path} answers {} {}", response.status, response.body);
                self.found(Breach::of("every page is as it should be", vec![line]));
            }
            shown.extend(needles.found_in(&response.body).into_iter().map(|line| format!("{path}: {line}")));
        }
        self.found(Breach::of("no page shows a secret", shown));
        self.read_log(&needles);
    }

    pub(super) fn read_log(&mut self, needles: &Needles) {
        let from = self.log_read;
        let Ok((text, read)) = self.process().and_then(|process| process.log_from(from)) else { return };
        self.log_read = read;
        self.found(Breach::of("the log shows no secret", needles.found_in(&text)));
    }

    /// Others that scrape, each in its own way, for as long as this is polled.
    pub async fn crowd(port: u16) {
        let ways = ["Accept-Encoding: gzip\r\n", "Accept: application/openmetrics-text\r\n", ""];
        loop {
            let [a, b, c] = ways.map(|way| get_with(port, "/metrics", way));
            // What is wrong with an answer, the one who looks will see.
            let _ = tokio::join!(a, b, c);
            sleep(LOOK * 2).await;
        }
    }
}

fn is_health(body: &str, venue: Venue) -> bool {
    let health: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let status = health["status"].as_str().unwrap_or_default();
    health["exchange"] == venue.name()
        && matches!(status, "ok" | "degraded")
        && health["reasons"].as_array().is_some_and(|reasons| reasons.is_empty() == (status == "ok"))
}
