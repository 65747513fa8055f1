//! A request to a process of this machine, in a few lines.

use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Loopback answers at once or not at all, but a busy machine may keep it waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body, as text.
    pub body: String,
}

/// GET `path` from `port` of this machine.
///
/// # Errors
/// Nobody listens, the answer takes over ten seconds, or it is no HTTP.
pub async fn get(port: u16, path: &str) -> io::Result<Response> {
    get_with(port, path, "").await
}

/// The same with these header lines, each ended by CR LF. The answer must be text.
///
/// # Errors
/// Nobody listens, the answer takes over ten seconds, or it is no HTTP.
pub async fn get_with(port: u16, path: &str, headers: &str) -> io::Result<Response> {
    ask(port, &format!("GET {path}"), headers, "").await
}

/// POST a body of JSON, with these header lines besides.
///
/// # Errors
/// Nobody listens, the answer takes over ten seconds, or it is no HTTP.
pub async fn post(port: u16, path: &str, headers: &str, body: &str) -> io::Result<Response> {
    let headers = format!("Content-Type: application/json\r\nContent-Length: {}\r\n{headers}", body.len());
    ask(port, &format!("POST {path}"), &headers, body).await
}

async fn ask(port: u16, what: &str, headers: &str, body: &str) -> io::Result<Response> {
    // HTTP 1.0, so that the answer comes in one piece and its end is the end of the connection.
    let request = format!("{what} HTTP/1.0\r\nHost: localhost:{port}\r\n{headers}\r\n{body}");
    timeout(PATIENCE, exchange(port, &request)).await.map_err(|_| io::Error::other("no answer within 10 s"))?
}

async fn exchange(port: u16, request: &str) -> io::Result<Response> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| io::Error::other("the answer is no HTTP"))
}

fn parse(answer: &str) -> Option<Response> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split_whitespace().nth(1)?.parse().ok()?;
    Some(Response { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_status_and_body() {
        let response = parse("HTTP/1.1 503 Service Unavailable\r\nA: b\r\n\r\nnot yet\n").unwrap();
        assert_eq!(response, Response { status: 503, body: "not yet\n".into() });
        assert_eq!(parse("220 mail.example ESMTP\r\n\r\n"), None);
    }
}
