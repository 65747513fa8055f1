//! A bot's way to the gateway.

use std::io;

use serde_json::Value;

use crate::stack::post;

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
        let answer = post(self.port, path, &self.headers, &body.to_string()).await?;
        if answer.status == 200 {
            return Ok(());
        }
        Err(io::Error::other(format!("{path} was refused with {}: {}", answer.status, answer.body.trim())))
    }
}
