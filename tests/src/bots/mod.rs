//! Bots that trade on the fake venues and tell the bot gateway of it.

mod post;

pub use post::Post;
