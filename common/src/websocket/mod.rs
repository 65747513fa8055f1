//! Websocket conversations: what is said and when (pure), the socket, and keeping one open for ever.

pub mod backoff;
pub mod ear;
pub mod keeper;
pub mod line;
pub mod session;
