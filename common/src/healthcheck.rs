//! `healthcheck`: asks the exporter that runs on this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};

use crate::check::{Mark, Report};
use crate::fault::Fault;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks the running exporter whether it is ready, for images without a shell. What stands in the web configuration by now
/// says nothing about the exporter that runs: where there is one TLS is tried first, then plain HTTP.
pub fn run(listen: SocketAddr, web_given: bool) -> ExitCode {
    let mut address = listen;
    // What listens everywhere is asked here.
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            IpAddr::V6(Ipv6Addr::LOCALHOST)
        });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let answer = match runtime {
        Ok(runtime) => runtime.block_on(ask(address, web_given)),
        Err(error) => Err(error.to_string()),
    };
    // Where it may not ask, it says so and tells no more than it knows: somebody answers, and keeps the door.
    let lives = |why: &str| (Mark::Warning, format!("it answers; whether it is ready cannot be asked: {why}"));
    let (mark, told) = match answer {
        Ok(Reply::Status(200, _)) => return ExitCode::SUCCESS,
        Ok(Reply::Status(401, _)) => lives("--web.protect-health wants a password"),
        Ok(Reply::Status(429, _)) => lives("the rate limit of the web configuration is used up"),
        Ok(Reply::Certificate) => lives("client_auth_type wants a certificate"),
        Ok(Reply::Status(status, body)) => (Mark::Bad, format!("not ready ({status}): {}", body.trim())),
        Err(error) => (Mark::Bad, format!("no answer from {address}: {error}")),
    };
    let mut report = Report::default();
    report.row("healthcheck", mark, told);
    report.print()
}

/// What the running exporter said.
enum Reply {
    /// Status and body.
    Status(u16, String),
    /// The handshake asked for a certificate, and nothing came without one.
    Certificate,
}

async fn ask(address: SocketAddr, tls: bool) -> Result<Reply, String> {
    let stranger = Arc::new(Stranger::default());
    if tls {
        let begun = Instant::now();
        match get(&format!("https://{address}/-/ready"), &stranger).await {
            Ok(reply) => return Ok(reply),
            // Silence after the handshake is no answer.
            Err(_) if stranger.asked.load(Ordering::Relaxed) && begun.elapsed() < PATIENCE => {
                return Ok(Reply::Certificate);
            }
            // It may be no TLS that answers.
            Err(fault) => {
                let plain = get(&format!("http://{address}/-/ready"), &stranger).await;
                return plain.map_err(|_| fault.detail);
            }
        }
    }
    get(&format!("http://{address}/-/ready"), &stranger).await.map_err(|fault| fault.detail)
}

async fn get(url: &str, stranger: &Arc<Stranger>) -> Result<Reply, Fault> {
    let provider = Arc::new(ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Fault::protocol(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(stranger) as _)
        .with_client_cert_resolver(Arc::clone(stranger) as _);
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().timeout(PATIENCE);
    let client = client.build().map_err(|error| Fault::protocol(error.to_string()))?;
    let reply = client.get(url).send().await;
    let reply = reply.map_err(|error| crate::net::fault("request failed", &error.without_url()))?;
    let status = reply.status().as_u16();
    Ok(Reply::Status(status, reply.text().await.unwrap_or_default()))
}

/// Asks this very machine, sends no secret and gets one word: any certificate will do, also one that was just renewed. It has
/// none of its own.
#[derive(Debug, Default)]
struct Stranger {
    asked: AtomicBool,
}

impl ResolvesClientCert for Stranger {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        // Else it would not be told that one is wanted.
        true
    }
}

impl ServerCertVerifier for Stranger {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signed, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
