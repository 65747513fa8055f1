//! What is shown: the table of names, the cells that hold the values, and the text that a scrape gets.

pub mod board;
pub mod cell;
pub mod encode;
pub mod health;
pub mod reference;
pub mod scrape;
pub mod vocabulary;
