//! TLS and the naming of network errors, the same for REST and websockets.

use std::error::Error;
use std::io;
use std::sync::Arc;

use rustls::ClientConfig;

use crate::fault::{Fault, Kind, excerpt};

/// TLS with the system's certificate authorities; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
pub fn tls() -> Result<Arc<ClientConfig>, Fault> {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for certificate in found.certs {
        // One that rustls cannot read is not missed unless a venue uses it; then the handshake says so.
        let _ = roots.add(certificate);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Fault::new(Kind::Tls, error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Names an error by the first cause that tells its kind, and tells the innermost cause, which is the helpful one.
pub fn fault(what: &str, error: &(dyn Error + 'static)) -> Fault {
    let mut kind = Kind::Network;
    let mut innermost = error.to_string();
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.is::<rustls::Error>() {
            kind = Kind::Tls;
        } else if let Some(io) = cause.downcast_ref::<io::Error>() {
            if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
                kind = Kind::Tls;
            } else if io.kind() == io::ErrorKind::TimedOut {
                kind = Kind::Timeout;
            }
        }
        innermost = cause.to_string();
        next = cause.source();
    }
    Fault::new(kind, format!("{what}: {}", excerpt(&innermost)))
}

/// The host and port of an address, for people and logs: never the path or the query, which may carry a token.
pub fn host(address: &str) -> String {
    let host =
        |url: url::Url| url.host_str().map(|host| url.port().map_or(host.to_owned(), |port| format!("{host}:{port}")));
    url::Url::parse(address).ok().and_then(host).unwrap_or_else(|| "an unreadable address".into())
}

/// Whether what is sent to this address can be read on the way: not TLS, and not this very machine.
pub fn is_plaintext(address: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else { return true };
    let loopback = match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    !matches!(url.scheme(), "https" | "wss") && !loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plaintext_is_for_this_machine_only() {
        for safe in
            ["https://api.okx.com", "wss://ws.okx.com/ws", "http://127.0.0.1:1", "ws://[::1]:1/x", "ws://localhost"]
        {
            assert!(!is_plaintext(safe), "{safe}");
        }
        for unsafe_ in [
            "http://api.okx.com",
            "ws://10.0.0.1",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "nonsense",
        ] {
            assert!(is_plaintext(unsafe_), "{unsafe_}");
        }
    }

    #[test]
    fn only_the_host_is_told() {
        assert_eq!(host("wss://user:pw@ws.example.com:8443/path?token=secret"), "ws.example.com:8443");
    }
}
