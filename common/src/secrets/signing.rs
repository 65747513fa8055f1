//! Signatures: HMAC-SHA256 (Binance, KuCoin, Bybit, OKX), Ed25519 (Binance), JWT with ES256 or EdDSA (Coinbase). Pure;
//! what is secret is wiped when dropped. The tests are the vectors that the venues and their libraries publish.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{SECRET_KEY_LENGTH, Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::{Signature, SigningKey as EcKey};
use sha2::Sha256;
use zeroize::Zeroizing;

fn hmac(secret: &str, text: &str) -> [u8; 32] {
    // A key of any length will do for HMAC; longer than a block it is hashed first.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return [0; 32] };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA256 in lower-case hexadecimal.
pub fn hmac_hex(secret: &str, text: &str) -> String {
    hmac(secret, text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// HMAC-SHA256 in standard base64, padded.
pub fn hmac_base64(secret: &str, text: &str) -> String {
    STANDARD.encode(hmac(secret, text))
}

/// Random hexadecimal text of 32 bytes, new at every call.
pub fn nonce() -> String {
    rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A private key, wiped when dropped.
pub enum PrivateKey {
    /// Ed25519.
    Ed25519(Box<SigningKey>),
    /// ECDSA over P-256.
    P256(Box<EcKey>),
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

/// Whether a secret is a private key in PEM rather than a shared secret. Line ends written as `\n` count too.
pub fn is_pem(secret: &str) -> bool {
    secret.contains("-----BEGIN")
}

impl PrivateKey {
    /// From PEM (PKCS#8 of either kind, or the older `EC PRIVATE KEY`), or from base64 of an Ed25519 key's 32 or 64 bytes.
    /// The error says what was found, without showing it.
    pub fn read(secret: &str) -> Result<Self, &'static str> {
        if !is_pem(secret) {
            return Self::bare(secret);
        }
        // Out of .env and JSON files line ends come as two characters.
        let pem = Zeroizing::new(secret.replace("\\n", "\n").replace('\r', "").trim().to_owned() + "\n");
        if pem.contains("BEGIN EC PRIVATE KEY") {
            let key = p256::SecretKey::from_sec1_pem(&pem).map_err(|_| "an EC private key that is not of P-256")?;
            return Ok(Self::P256(Box::new(key.into())));
        }
        if pem.contains("BEGIN RSA PRIVATE KEY") {
            return Err("an RSA private key, which is not supported; make an Ed25519 one");
        }
        if let Ok(key) = SigningKey::from_pkcs8_pem(&pem) {
            return Ok(Self::Ed25519(Box::new(key)));
        }
        let key = EcKey::from_pkcs8_pem(&pem)
            .map_err(|_| "a private key that is neither Ed25519 nor P-256, or a damaged one")?;
        Ok(Self::P256(Box::new(key)))
    }

    fn bare(secret: &str) -> Result<Self, &'static str> {
        let text: Zeroizing<String> = Zeroizing::new(secret.split_whitespace().collect());
        let bytes = Zeroizing::new(STANDARD.decode(text.as_bytes()).map_err(|_| "neither PEM nor base64")?);
        // 32 bytes are the seed; 64 are the seed and the public key.
        match (bytes.len(), bytes.first_chunk::<SECRET_KEY_LENGTH>()) {
            (32 | 64, Some(seed)) => Ok(Self::Ed25519(Box::new(SigningKey::from_bytes(seed)))),
            _ => Err("base64, but not of an Ed25519 key's 32 or 64 bytes"),
        }
    }

    /// The signature in standard base64, padded.
    pub fn base64(&self, text: &str) -> String {
        STANDARD.encode(self.raw(text))
    }

    fn raw(&self, text: &str) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => key.sign(text.as_bytes()).to_bytes().to_vec(),
            // The number that ECDSA needs once comes from the message (RFC 6979), not from dice that may fail. JWT wants r and s
            // side by side, not DER.
            Self::P256(key) => {
                let signature: Signature = key.sign(text.as_bytes());
                signature.to_bytes().to_vec()
            }
        }
    }

    /// A compact JWT of these claims, a JSON object. `kid` is the key's name, `nonce` must differ from token to token.
    pub fn jwt(&self, kid: &str, nonce: &str, claims: &str) -> String {
        let alg = match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
        };
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let header = format!(r#"{{"alg":"{alg}","kid":{},"nonce":{},"typ":"JWT"}}"#, text(kid), text(nonce));
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.raw(&input));
        format!("{input}.{signature}")
    }
}

#[cfg(test)]
#[path = "signing_tests.rs"]
mod tests;
