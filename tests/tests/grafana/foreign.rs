//! Exporters of others, as texts that were recorded from them: see tests/assets.

use axum::Router;
use axum::routing::get;
use fake_venues::stack::repository;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;

/// The text of one of them.
pub fn recorded(name: &str) -> String {
    fs::read_to_string(repository().join("tests/assets").join(name).with_extension("txt")).unwrap()
}

/// Serves a text on a port of its own, on whatever path, until the test ends.
pub async fn serve(text: String) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback(get(move || async move { text }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}
