//! `decode FILE`: what a venue's decoders make of recorded frames. For whoever debugs a venue.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fault::{Fault, excerpt};
use crate::update::Update;
use crate::venue::{Reply, Venue};

/// A line may be the frame itself, or hold it beside notes: `{"class":"captured","payload":{…}}`.
#[derive(Deserialize)]
struct Recorded<'f> {
    #[serde(borrow)]
    payload: &'f RawValue,
}

/// Prints what each line says; status 1 if one was not understood, 2 if the file cannot be read.
pub fn run(venue: &dyn Venue, path: &Path) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{}: {error}", path.display());
            return ExitCode::from(2);
        }
    };
    let mut failed = false;
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let told = match line {
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) => explain(venue, payload(&line)),
            Err(error) => Err(Fault::decode(error.to_string())),
        };
        let text = match told {
            Ok(lines) => lines.join("\n    "),
            Err(fault) => {
                failed = true;
                format!("not understood: {fault}")
            }
        };
        if writeln!(out, "{}: {text}", number + 1).is_err() {
            // The reader has seen enough.
            break;
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The frame of a line. A payload that is a JSON string stands for a text frame that is not JSON, such as `pong`.
fn payload(line: &str) -> String {
    let inner = serde_json::from_str::<Recorded<'_>>(line).map_or(line, |recorded| recorded.payload.get());
    serde_json::from_str::<String>(inner).unwrap_or_else(|_| inner.to_owned())
}

/// A frame of the stream, else a reply to one of the REST questions, else a refusal.
fn explain(venue: &dyn Venue, text: String) -> Result<Vec<String>, Fault> {
    let feed = venue.feed(Vec::new());
    let (streamed, from_stream) = gather(|tell| feed.decode(&text, tell));
    if streamed.is_ok() {
        return Ok(from_stream);
    }
    let reply = Reply { status: 200, headers: &(), body: &text };
    let (judged, _) = gather(|tell| venue.judge(&reply, tell));
    if let Err(refusal) = judged {
        return Ok(vec![format!("refusal {refusal}")]);
    }
    let questions = [Some(venue.clock()), venue.status(), Some(venue.instruments()), Some(venue.tickers())];
    let asked = questions.into_iter().flatten().chain(feed.seeds());
    for query in asked {
        let (answered, from_reply) = gather(|tell| (query.decode)(&text, tell).map(|_| ()));
        if answered.is_ok() && !from_reply.is_empty() {
            return Ok(from_reply.into_iter().map(|line| format!("{}: {line}", query.name)).collect());
        }
    }
    streamed
        .map(|()| from_stream)
        .map_err(|fault| Fault { detail: format!("{}; {}", fault.detail, excerpt(&text)), ..fault })
}

fn gather<'f>(
    decode: impl FnOnce(&mut dyn FnMut(Update<'f>)) -> Result<(), Fault>,
) -> (Result<(), Fault>, Vec<String>) {
    let mut told = Vec::new();
    let result = decode(&mut |update| {
        told.push(match update {
            Update::Fact(fact) => format!("{fact:?}"),
            Update::Signal(signal) => format!("{signal:?}"),
            Update::Misread(fault) => format!("misread: {fault}"),
        });
    });
    if told.is_empty() {
        told.push("understood, and says nothing that is used".into());
    }
    (result, told)
}
