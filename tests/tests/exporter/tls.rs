//! Certificates made on the spot, and a client that shows one or none.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fake_venues::stack::Scratch;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

use super::Rig;
use super::web::{Answer, parse};

/// A certificate authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
pub struct Identity {
    pub certificate: CertificateDer<'static>,
    pub pem: String,
    key: KeyPair,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// For names and addresses, as server or client.
    pub fn issue(&self, names: &[&str]) -> Identity {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let key = KeyPair::generate().expect("a key");
        let made = CertificateParams::new(names).expect("names").signed_by(&key, &self.0).expect("a certificate");
        Identity { certificate: made.der().clone(), pem: made.pem(), key }
    }

    /// A client that trusts it.
    pub fn client(&self) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("an authority");
        Client { roots, identity: None, version: &TLS13 }
    }
}

/// What a client trusts and shows.
#[derive(Clone)]
pub struct Client {
    roots: RootCertStore,
    identity: Option<(CertificateDer<'static>, Vec<u8>)>,
    version: &'static SupportedProtocolVersion,
}

impl Client {
    pub fn with(&self, identity: &Identity) -> Self {
        let shown = (identity.certificate.clone(), identity.key.serialize_der());
        Self { identity: Some(shown), ..self.clone() }
    }

    /// The same by TLS 1.2.
    pub fn old(&self) -> Self {
        Self { version: &TLS12, ..self.clone() }
    }

    /// A connection whose handshake is done as far as the client is concerned.
    pub fn connect(&self, port: u16) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[self.version])
            .map_err(io::Error::other)?
            .with_root_certificates(self.roots.clone());
        let config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.clone()));
                builder.with_client_auth_cert(vec![certificate.clone()], key).map_err(io::Error::other)?
            }
        };
        let name = "localhost".try_into().map_err(io::Error::other)?;
        let mut connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        let mut socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        Ok(StreamOwned::new(connection, socket))
    }

    /// One question on a connection of its own.
    pub fn ask(&self, port: u16, path: &str, headers: &str) -> io::Result<Answer> {
        let mut stream = self.connect(port)?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n{headers}\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        parse(&answer).ok_or_else(|| io::Error::other("no HTTP"))
    }

    /// Which certificate the server shows.
    pub fn shown(&self, port: u16) -> io::Result<CertificateDer<'static>> {
        let stream = self.connect(port)?;
        let chain = stream.conn.peer_certificates().unwrap_or_default();
        chain.first().map(|first| first.clone().into_owned()).ok_or_else(|| io::Error::other("no certificate"))
    }
}

/// A folder with a web configuration and what it names.
pub struct WebFiles {
    scratch: Scratch,
    pub authority: Authority,
}

/// `right` by bcrypt at its cheapest.
pub const USERS: &str =
    "basic_auth_users:\n  prometheus: $2y$04$8g9y9Fq3Yb8Ee3ipX0sVJOTZ2xC/nW5r9MB6WemSHZAoIS4bjsBN6\n";
pub const RIGHT: &str = "Authorization: Basic cHJvbWV0aGV1czpyaWdodA==\r\n";
pub const WRONG: &str = "Authorization: Basic cHJvbWV0aGV1czp3cm9uZw==\r\n";
pub const UNKNOWN: &str = "Authorization: Basic bm9ib2R5OnJpZ2h0\r\n";
/// The section that names what [`WebFiles`] holds.
pub const TLS: &str = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";

impl WebFiles {
    /// With a certificate for `localhost`, and this configuration.
    pub fn new(text: &str) -> Self {
        let files = Self { scratch: Scratch::new("web-config").expect("a folder"), authority: Authority::new() };
        files.write("ca.pem", &files.authority.pem());
        files.renew();
        files.write("web.yml", text);
        files
    }

    /// Puts another certificate in the place of the server's.
    pub fn renew(&self) -> CertificateDer<'static> {
        let next = self.authority.issue(&["localhost", "127.0.0.1"]);
        self.write("server.key", &next.key.serialize_pem());
        self.write("server.pem", &next.pem);
        next.certificate
    }

    pub fn path(&self) -> PathBuf {
        self.folder().join("web.yml")
    }

    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// The flag.
    pub fn flag(&self) -> String {
        format!("--web.config.file={}", self.path().display())
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.folder().join(name), text).expect("a file");
    }

    pub fn write_key(&self, name: &str, identity: &Identity) {
        self.write(&format!("{name}.key"), &identity.key.serialize_pem());
        self.write(&format!("{name}.pem"), &identity.pem);
    }
}

impl Rig {
    /// `/metrics` over TLS.
    pub fn secure(&self, client: &Client, path: &str, headers: &str) -> Answer {
        client.ask(self.port, path, headers).unwrap_or_else(|error| self.fail(format!("{path}: {error}")))
    }
}
