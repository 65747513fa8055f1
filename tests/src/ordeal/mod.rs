//! Exporters under everything that a venue can do to them, with an [`Inspector`](crate::inspect::Inspector) at every scrape: for the chaos
//! test, in which it all comes at once, and for the soak, in which it comes for long.

mod deed;
mod look;
mod post;
mod recovery;
mod report;
mod rough;
mod sizes;

pub use deed::Weather;
pub use post::{Plan, Post};
pub use report::{Finding, Report};
pub use sizes::Sizes;
