//! Files as people write them, and files as they are while somebody writes them.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::live::{Live, News};
use super::*;

const HASH: &str = "$2y$04$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";
const TLS: &str = "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n";

/// A folder with a certificate, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Self(std::env::temp_dir().join(format!("web-config-{name}-{}", std::process::id())));
        fs::create_dir_all(&folder.0).unwrap();
        folder.certify("localhost");
        folder
    }

    fn certify(&self, name: &str) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        self.write("cert.pem", &made.cert.pem());
        self.write("key.pem", &made.signing_key.serialize_pem());
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn load(&self, text: &str) -> Result<WebConfig, String> {
        load(&self.write("web.yml", text)).0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn nothing_asked_for_is_nothing_set() {
    let folder = Folder::new("nothing");
    for text in ["", "# nothing yet\n", "---\n", "{}", "basic_auth_users:\n", "rate_limit: {}", "http_server_config:\n"]
    {
        let config = folder.load(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert!(config.tls.is_none() && config.users.is_empty() && config.rate.is_none() && config.headers.is_empty());
    }
}

#[test]
fn everything_can_be_asked_for() {
    let folder = Folder::new("everything");
    let text = format!(
        "{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: cert.pem\n  client_allowed_sans: [prometheus]\n  \
         min_version: TLS12\n  max_version: TLS13\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, \
         TLS_AES_128_GCM_SHA256]\n  prefer_server_cipher_suites: false\n  curve_preferences: [CurveP256, X25519]\n\
         http_server_config:\n  http2: false\n  headers:\n    X-Frame-Options: deny\n    X-Content-Type-Options: nosniff\n    \
         Strict-Transport-Security: max-age=31536000\n    X-XSS-Protection: '0'\n    Content-Security-Policy: sandbox\n\
         basic_auth_users:\n  prometheus: {HASH}\n  alice: {HASH}\nrate_limit:\n  interval: 100ms\n  burst: 20\n"
    );
    let config = folder.load(&text).unwrap();
    assert!(config.tls.is_some() && config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!((config.users.len(), config.headers.len()), (2, 5));
    assert_eq!(config.rate, Some((Duration::from_millis(100), 20)));
}

#[test]
fn what_cannot_be_used_is_told_in_one_line_with_its_cure() {
    let folder = Folder::new("refused");
    let other = rcgen::generate_simple_self_signed(["other".to_owned()]).unwrap();
    folder.write("other.pem", &other.signing_key.serialize_pem());
    let tls = |more: &str| format!("{TLS}  {more}\n");
    let cases = [
        ("tls_config: {}".to_owned(), "line 1: unknown field"),
        (format!("{TLS}\nbasic_auth_user:\n  a: b\n"), "basic_auth_user"),
        (tls("certfile: x"), "line 4: unknown field"),
        ("http_server_config:\n  header: {}\n".into(), "line 2"),
        ("basic_auth_users: [a]".into(), "line 1"),
        ("a: b: c".into(), "line 1"),
        ("basic_auth_users:\n  a: x\n  a: y\n".into(), "line 3"),
        ("basic_auth_users:\n  bob: my-password\n".into(), "htpasswd -nBC 10 bob"),
        (format!("basic_auth_users:\n  bob: {}\n", HASH.replace("$04$", "$31$")), "cost 31"),
        ("tls_server_config: {}".into(), "cert_file"),
        ("tls_server_config:\n  cert_file: cert.pem\n".into(), "key_file"),
        ("tls_server_config:\n  cert_file: no.pem\n  key_file: key.pem\n".into(), "no.pem: No such file"),
        ("tls_server_config:\n  cert_file: cert.pem\n  key_file: other.pem\n".into(), "cannot be used together"),
        ("tls_server_config:\n  cert_file: key.pem\n  key_file: key.pem\n".into(), "no certificate in PEM"),
        (tls("cert: x"), "both set"),
        (tls("min_version: TLS10"), "use TLS12"),
        (tls("max_version: TLS11"), "use TLS12"),
        (tls("min_version: TLS13\n  max_version: TLS12"), "above max_version"),
        (tls("cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]"), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        (tls("cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256]"), "is not served"),
        (tls("curve_preferences: [CurveP521]"), "CurveP384"),
        (tls("client_auth_type: Always"), "RequireAndVerifyClientCert"),
        (tls("client_ca_file: cert.pem"), "client_auth_type"),
        (tls("client_allowed_sans: [a]"), "client_auth_type"),
        (tls("client_auth_type: RequireAndVerifyClientCert"), "client_ca_file"),
        ("http_server_config:\n  headers:\n    X-Frame-Options: DENY\n".into(), "deny or sameorigin"),
        ("http_server_config:\n  headers:\n    Server: me\n".into(), "X-Frame-Options"),
        ("rate_limit:\n  interval: fast\n  burst: 1\n".into(), "500ms"),
        ("rate_limit:\n  interval: 1s\n".into(), "burst"),
        ("rate_limit:\n  burst: 3\n".into(), "interval"),
    ];
    for (text, names) in cases {
        let Err(line) = folder.load(&text) else { panic!("{text} is taken") };
        let path = folder.0.join("web.yml").display().to_string();
        assert!(line.contains(names) && line.contains(&path) && !line.contains('\n'), "{text}\n{line}");
        assert!(!line.contains("my-password"), "{line}");
    }
    assert!(load(&folder.0.join("absent.yml")).0.is_err_and(|line| line.contains("absent.yml")));
}

#[test]
fn what_does_less_than_it_seems_to_is_told() {
    let folder = Folder::new("warned");
    let open = folder.load(&format!("basic_auth_users:\n  a: {HASH}\n")).unwrap();
    let anybody = folder.load(&format!("{TLS}  client_auth_type: RequireClientCert\n")).unwrap();
    assert_eq!((open.warnings.len(), anybody.warnings.len()), (1, 1));
}

#[test]
fn changes_are_taken_up_and_broken_files_change_nothing() {
    let folder = Folder::new("live");
    let text = format!("{TLS}basic_auth_users:\n  a: {HASH}\n");
    let path = folder.write("web.yml", &text);
    let live = Live::load(&path).unwrap();
    assert_eq!(live.look(), News::None);
    let tls = |live: &Live| live.config().tls.clone().unwrap();
    let first = tls(&live);
    folder.certify("renewed");
    assert_eq!(live.look(), News::Taken);
    assert!(!Arc::ptr_eq(&first, &tls(&live)));
    // A change within the same tick and of the same length.
    folder.write("web.yml", &text.replace("  a:", "  b:"));
    assert_eq!(live.look(), News::Taken);
    assert!(live.config().users.contains_key("b"));
    // Half a file, no file, no key: the last good one goes on, and what is wrong is told once.
    for broken in ["tls_server_config:\n  cert_", "", TLS, "basic_auth_users: {}\n"] {
        folder.write("web.yml", broken);
        assert!(matches!(live.look(), News::Broken(_)), "{broken}");
        assert_eq!(live.look(), News::None);
        assert!(live.broken().is_some() && live.config().users.contains_key("b") && live.config().tls.is_some());
    }
    folder.write("web.yml", &text);
    assert_eq!(live.look(), News::Taken);
    assert_eq!(live.broken(), None);
    fs::remove_file(folder.0.join("key.pem")).unwrap();
    assert!(matches!(live.look(), News::Broken(line) if line.contains("key.pem")));
    folder.certify("again");
    assert_eq!(live.look(), News::Taken);
}

#[test]
fn a_certificates_names_are_those_of_the_file() {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["prometheus.example".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.subject_alt_names.push(SanType::IpAddress("192.0.2.7".parse().unwrap()));
    params.subject_alt_names.push(SanType::IpAddress("2001:db8::1".parse().unwrap()));
    params.subject_alt_names.push(SanType::Rfc822Name("a@example.com".try_into().unwrap()));
    params.subject_alt_names.push(SanType::URI("spiffe://example/prometheus".try_into().unwrap()));
    let made = CertifiedIssuer::self_signed(params, key).unwrap();
    let named = tls::names(&CertificateDer::from(made.der().to_vec()));
    let expected = ["prometheus.example", "192.0.2.7", "2001:db8::1", "a@example.com", "spiffe://example/prometheus"];
    assert_eq!(named, expected);
    assert!(tls::names(&CertificateDer::from(vec![1, 2, 3])).is_empty());
    assert!(RootCertStore::empty().add(made.der().to_vec().into()).is_ok());
}
