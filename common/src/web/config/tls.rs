//! `tls_server_config`: what rustls can honour; the rest is refused.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, SupportedKxGroup, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig};
use rustls::{SignatureScheme, SupportedCipherSuite, SupportedProtocolVersion};
use serde::Deserialize;
use x509_cert::der::Decode;
use x509_cert::der::asn1::OctetString;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use zeroize::Zeroizing;

use super::Reader;

/// The keys.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    cert: Option<String>,
    cert_file: Option<String>,
    key: Option<String>,
    key_file: Option<String>,
    client_ca: Option<String>,
    client_ca_file: Option<String>,
    client_auth_type: Option<String>,
    client_allowed_sans: Option<Vec<String>>,
    min_version: Option<String>,
    max_version: Option<String>,
    cipher_suites: Option<Vec<String>>,
    prefer_server_cipher_suites: Option<bool>,
    curve_preferences: Option<Vec<String>>,
}

/// Go's names of what rustls has for TLS 1.2.
const SUITES: [(&str, CipherSuite); 8] = [
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
];
/// Those of TLS 1.3: all are on whatever is listed, as with Go.
const SUITES_13: [&str; 3] = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];
const CURVES: [(&str, &dyn SupportedKxGroup); 3] = [
    ("X25519", ring::kx_group::X25519),
    ("CurveP256", ring::kx_group::SECP256R1),
    ("CurveP384", ring::kx_group::SECP384R1),
];

/// How rustls serves what the section asks for, and what is accepted although it does little.
pub fn server(tls: &Tls, reader: &mut Reader) -> Result<(Arc<ServerConfig>, Vec<&'static str>), String> {
    let chain = text(("cert", &tls.cert), ("cert_file", &tls.cert_file), reader)?
        .ok_or("no certificate: set cert_file, or cert with its text; to serve without TLS drop the section")?;
    let key = text(("key", &tls.key), ("key_file", &tls.key_file), reader)?
        .ok_or("no key: set key_file, or key with its text")?;
    let chain = certificates(&chain).map_err(|error| format!("cert: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| "key: no private key in PEM".to_owned())?;
    let provider = Arc::new(CryptoProvider {
        cipher_suites: suites(tls.cipher_suites.as_deref().unwrap_or_default())?,
        kx_groups: curves(tls.curve_preferences.as_deref().unwrap_or_default())?,
        ..ring::default_provider()
    });
    let mut warnings = Vec::new();
    let verifier = clients(tls, &provider, reader, &mut warnings)?;
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(tls)?)
        .map_err(|error| format!("no suite is left for these versions: {error}"))?;
    let builder = match verifier {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
    };
    let mut server = builder
        .with_single_cert(chain, key)
        .map_err(|error| format!("certificate and key cannot be used together: {error}"))?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    server.ignore_client_order = tls.prefer_server_cipher_suites.unwrap_or(true);
    // Nothing is resumed: whether a client may in is asked anew each time, and nothing is kept for those who left.
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    Ok((Arc::new(server), warnings))
}

type Given<'g> = (&'g str, &'g Option<String>);

/// Of a text and the file that may stand for it, the one that is set.
fn text(inline: Given<'_>, file: Given<'_>, reader: &mut Reader) -> Result<Option<Zeroizing<String>>, String> {
    let set = |given: Given<'_>| given.1.clone().filter(|text| !text.is_empty());
    match (set(inline), set(file)) {
        (Some(_), Some(_)) => Err(format!("{} and {} are both set; use one", inline.0, file.0)),
        (Some(text), None) => Ok(Some(Zeroizing::new(text))),
        (None, Some(path)) => reader.text(Path::new(&path)).map(Some).map_err(|error| format!("{}: {error}", file.0)),
        (None, None) => Ok(None),
    }
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|error| format!("not PEM: {error}"))?;
    if found.is_empty() { Err("no certificate in PEM".into()) } else { Ok(found) }
}

fn versions(tls: &Tls) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let number = |key: &str, given: &Option<String>, default: u8| match given.as_deref() {
        None | Some("") => Ok(default),
        Some("TLS12") => Ok(2),
        Some("TLS13") => Ok(3),
        Some(old @ ("TLS10" | "TLS11")) => Err(format!("{key}: {old} is broken and not served; use TLS12 or TLS13")),
        Some(other) => Err(format!("{key}: {other}: wants TLS12 or TLS13")),
    };
    let (least, most) = (number("min_version", &tls.min_version, 2)?, number("max_version", &tls.max_version, 3)?);
    if least > most {
        return Err("min_version is above max_version".into());
    }
    Ok([(3, &TLS13), (2, &TLS12)].into_iter().filter(|one| (least..=most).contains(&one.0)).map(|one| one.1).collect())
}

fn suites(named: &[String]) -> Result<Vec<SupportedCipherSuite>, String> {
    let all = ring::default_provider().cipher_suites;
    if named.is_empty() {
        return Ok(all);
    }
    let mut chosen: Vec<_> = all.iter().filter(|suite| suite.tls13().is_some()).copied().collect();
    for name in named {
        if SUITES_13.contains(&name.as_str()) {
            continue;
        }
        let known = SUITES.iter().find(|(known, _)| known == name).map(|(_, suite)| *suite);
        match all.iter().find(|suite| Some(suite.suite()) == known) {
            Some(suite) => chosen.push(*suite),
            None => {
                let served = SUITES.map(|(known, _)| known).join(", ");
                return Err(format!(
                    "cipher_suites: {name} is not served; these are, besides all of TLS 1.3: {served}"
                ));
            }
        }
    }
    Ok(chosen)
}

fn curves(named: &[String]) -> Result<Vec<&'static dyn SupportedKxGroup>, String> {
    if named.is_empty() {
        return Ok(ring::default_provider().kx_groups);
    }
    let one = |name: &String| {
        let known = CURVES.iter().find(|(known, _)| known == name);
        let served = || CURVES.map(|(known, _)| known).join(", ");
        known
            .map(|(_, curve)| *curve)
            .ok_or_else(|| format!("curve_preferences: {name} is not served; these are: {}", served()))
    };
    named.iter().map(one).collect()
}

/// Whom the handshake lets in; nothing where clients are not asked for a certificate.
fn clients(
    tls: &Tls,
    provider: &Arc<CryptoProvider>,
    reader: &mut Reader,
    warnings: &mut Vec<&'static str>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    let authority = text(("client_ca", &tls.client_ca), ("client_ca_file", &tls.client_ca_file), reader)?;
    let sans = tls.client_allowed_sans.clone().unwrap_or_default();
    let (mandatory, verified) = match tls.client_auth_type.as_deref() {
        None | Some("" | "NoClientCert") => {
            if authority.is_some() {
                return Err("client_ca without client_auth_type checks nobody; set RequireAndVerifyClientCert".into());
            }
            if !sans.is_empty() {
                return Err(
                    "client_allowed_sans without client_auth_type checks nobody; set RequireAndVerifyClientCert".into(),
                );
            }
            return Ok(None);
        }
        Some("RequestClientCert") => (false, false),
        Some("RequireAnyClientCert" | "RequireClientCert") => (true, false),
        Some("VerifyClientCertIfGiven") => (false, true),
        Some("RequireAndVerifyClientCert") => (true, true),
        Some(other) => {
            return Err(format!(
                "client_auth_type: {other}: wants NoClientCert, RequestClientCert, RequireAnyClientCert, \
                 VerifyClientCertIfGiven or RequireAndVerifyClientCert"
            ));
        }
    };
    let verifier: Arc<dyn ClientCertVerifier> = match (verified, authority) {
        (false, _) => {
            warnings.push("client certificates are asked for and not verified: anybody can make one");
            Arc::new(Anybody { mandatory, algorithms: provider.signature_verification_algorithms })
        }
        // Those of the system would let in whoever has a certificate of any of them.
        (true, None) => return Err("client_auth_type verifies, and client_ca_file names nobody to verify by".into()),
        (true, Some(pem)) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(&pem).map_err(|error| format!("client_ca: {error}"))? {
                roots.add(certificate).map_err(|error| format!("client_ca: {error}"))?;
            }
            let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            let builder = if mandatory { builder } else { builder.allow_unauthenticated() };
            builder.build().map_err(|error| format!("client_ca: {error}"))?
        }
    };
    Ok(Some(if sans.is_empty() { verifier } else { Arc::new(Named { inner: verifier, sans }) }))
}

/// Takes any certificate whose key the client has.
#[derive(Debug)]
struct Anybody {
    mandatory: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for Anybody {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Takes, of those that the other one takes, certificates with one of these names.
#[derive(Debug)]
struct Named {
    inner: Arc<dyn ClientCertVerifier>,
    sans: Vec<String>,
}

impl ClientCertVerifier for Named {
    fn offer_client_auth(&self) -> bool {
        self.inner.offer_client_auth()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn verify_client_cert(
        &self,
        cert: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verified = self.inner.verify_client_cert(cert, intermediates, now)?;
        if names(cert).iter().any(|name| self.sans.contains(name)) {
            Ok(verified)
        } else {
            Err(rustls::CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The certificate's alternative names, as the file spells them; none of what cannot be read.
pub(super) fn names(cert: &CertificateDer<'_>) -> Vec<String> {
    let Ok(cert) = x509_cert::Certificate::from_der(cert) else { return Vec::new() };
    let Ok(Some((_, names))) = cert.tbs_certificate().get_extension::<SubjectAltName>() else { return Vec::new() };
    let address = |bytes: &OctetString| match bytes.as_bytes().len() {
        4 => <[u8; 4]>::try_from(bytes.as_bytes()).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(bytes.as_bytes()).ok().map(IpAddr::from),
    };
    let text = |name: &GeneralName| match name {
        GeneralName::DnsName(name) | GeneralName::Rfc822Name(name) | GeneralName::UniformResourceIdentifier(name) => {
            Some(name.as_str().to_owned())
        }
        GeneralName::IpAddress(bytes) => address(bytes).map(|ip| ip.to_canonical().to_string()),
        _ => None,
    };
    names.0.iter().filter_map(text).collect()
}
