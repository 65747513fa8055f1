//! HTTP with headers, for what a plain GET cannot ask.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::Rig;

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Asks with any method and headers, over HTTP 1.0 so that the end of the connection is the end of the answer.
pub fn ask(rig: &Rig, method: &str, path: &str, headers: &str) -> Answer {
    let exchange = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(("127.0.0.1", rig.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "{method} {path} HTTP/1.0\r\nHost: localhost\r\n{headers}\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    let answer = exchange().unwrap_or_else(|error| rig.fail(format!("{method} {path}: {error}")));
    parse(&answer).unwrap_or_else(|| rig.fail(format!("{method} {path}: the answer is no HTTP")))
}

pub fn parse(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers = lines.map(header).collect::<Option<_>>()?;
    Some(Answer { status, headers, body: answer[end + 4..].to_vec() })
}
