//! One accepted connection, plain or by TLS, that one thread reads while others write.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{array, fs};

use fake_venues::stack::Scratch;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};

/// A server's certificate, and the authority that signed it in a file, as clients are told of one.
pub struct Tls {
    server: Arc<ServerConfig>,
    folder: Scratch,
}

impl Tls {
    /// Made for this run alone.
    pub fn new() -> io::Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let [own, key] = array::from_fn(|_| KeyPair::generate().map_err(io::Error::other));
        let (own, key) = (own?, key?);
        let authority = CertifiedIssuer::self_signed(params, own).map_err(io::Error::other)?;
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).map_err(io::Error::other)?;
        let made = params.signed_by(&key, &authority).map_err(io::Error::other)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![made.der().clone()], key))
            .map_err(io::Error::other)?;
        let tls = Self { server: Arc::new(server), folder: Scratch::new("bench-tls")? };
        fs::write(tls.authority(), authority.pem())?;
        Ok(tls)
    }

    /// What a server needs.
    pub fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }

    /// The authority's certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }
}

/// An accepted connection.
pub struct Wire {
    socket: TcpStream,
    secure: bool,
    /// Whoever writes holds it, so that frames do not mix. With TLS the reader does too, but never while it waits.
    tls: Mutex<Option<ServerConnection>>,
}

/// The lock, whatever became of a thread that held it.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wire {
    /// By TLS where there is a configuration for it; the handshake is done by the first reading.
    pub fn new(socket: TcpStream, tls: Option<&Arc<ServerConfig>>) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        let tls = tls.map(|config| ServerConnection::new(Arc::clone(config))).transpose().map_err(io::Error::other)?;
        Ok(Self { socket, secure: tls.is_some(), tls: Mutex::new(tls) })
    }

    /// Sends all of it, unmixed with what other threads send.
    pub fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        let mut guard = lock(&self.tls);
        let Some(tls) = &mut *guard else { return (&self.socket).write_all(bytes) };
        while !bytes.is_empty() {
            let taken = tls.writer().write(bytes)?;
            bytes = bytes.get(taken..).unwrap_or_default();
            self.flush(tls)?;
        }
        Ok(())
    }

    fn flush(&self, tls: &mut ServerConnection) -> io::Result<()> {
        while tls.wants_write() {
            tls.write_tls(&mut &self.socket)?;
        }
        Ok(())
    }

    /// What was deciphered already; `None` where the socket has to be asked.
    fn deciphered(&self, buffer: &mut [u8]) -> Option<io::Result<usize>> {
        let read = lock(&self.tls).as_mut()?.reader().read(buffer);
        (!matches!(&read, Err(error) if error.kind() == io::ErrorKind::WouldBlock)).then_some(read)
    }

    fn decipher(&self, mut raw: &[u8]) -> io::Result<()> {
        let mut guard = lock(&self.tls);
        let Some(tls) = &mut *guard else { return Ok(()) };
        while !raw.is_empty() {
            tls.read_tls(&mut raw)?;
            tls.process_new_packets().map_err(io::Error::other)?;
        }
        self.flush(tls)
    }
}

impl Read for &Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.secure {
            return (&self.socket).read(buffer);
        }
        loop {
            if let Some(read) = self.deciphered(buffer) {
                return read;
            }
            let mut raw = [0; 4096];
            let count = (&self.socket).read(&mut raw)?;
            if count == 0 {
                return Ok(0);
            }
            self.decipher(raw.get(..count).unwrap_or_default())?;
        }
    }
}

impl Write for &Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
