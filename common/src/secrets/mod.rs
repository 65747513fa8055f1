//! Keys: where they come from, and what is signed with them. Nothing here prints a secret.

pub mod keyring;
pub mod signing;
