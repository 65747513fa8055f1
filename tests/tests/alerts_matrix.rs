#[path = "matrix/compress.rs"]
mod compress;
