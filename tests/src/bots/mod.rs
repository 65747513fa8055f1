//! Bots that trade on the fake venues and tell the bot gateway of it.

mod day;
mod desk;
mod hour;
mod post;
mod services;
mod slots;
mod speech;
mod tasks;
mod trader;

pub use day::{Day, Plan};
pub use desk::Seat;
pub use hour::Trouble;
pub use post::Post;
