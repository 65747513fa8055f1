//! A bot's way to the gateway.

use std::io;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use crate::stack::post;

/// Seconds for which a gateway that was told too much is waited for.
const PATIENCE: u32 = 5;

/// Posts to a gateway of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    port: u16,
    headers: String,
}

impl Post {
    /// To the gateway on this port, as a program of this machine that needs no token.
    #[must_use]
    pub fn new(port: u16) -> Self {
        Self { port, headers: String::new() }
    }

    /// With this token.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        Self { headers: format!("Authorization: Bearer {token}\r\n"), ..self }
    }

    /// One event, or an array of them: all of it counts, or nothing.
    ///
    /// # Errors
    /// The gateway does not answer, or refuses; then the error says what it said.
    pub async fn events(&self, events: &Value) -> io::Result<()> {
        self.send("/events", events).await
    }

    /// The object of a webhook, or an array of them.
    ///
    /// # Errors
    /// The gateway does not answer, or refuses; then the error says what it said.
    pub async fn hook(&self, name: &str, body: &Value) -> io::Result<()> {
        self.send(&format!("/events/{name}"), body).await
    }

    async fn send(&self, path: &str, body: &Value) -> io::Result<()> {
        let body = body.to_string();
        let mut answer = post(self.port, path, &self.headers, &body).await?;
        for _ in 0..PATIENCE {
            // Too many events in this second.
            if answer.status == 429 {
                sleep(Duration::from_secs(1)).await;
                answer = post(self.port, path, &self.headers, &body).await?;
            }
        }
        if answer.status == 200 {
            return Ok(());
        }
        // To wait helps against a full gateway, and against a wrong event it does not.
        let kind = if answer.status == 429 { io::ErrorKind::WouldBlock } else { io::ErrorKind::InvalidData };
        Err(io::Error::new(kind, format!("{path} was refused with {}: {}", answer.status, answer.body.trim())))
    }
}
