//! What signatures ought to be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

fn hmac(secret: &str, parts: &[&str]) -> Vec<u8> {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return Vec::new() };
    parts.iter().for_each(|part| mac.update(part.as_bytes()));
    mac.finalize().into_bytes().to_vec()
}

/// HMAC-SHA256 of the parts, one after the other, in hexadecimal.
pub(crate) fn hmac_hex(secret: &str, parts: &[&str]) -> String {
    hmac(secret, parts).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// HMAC-SHA256 of the parts, one after the other, in base64 with padding.
pub(crate) fn hmac_base64(secret: &str, parts: &[&str]) -> String {
    STANDARD.encode(hmac(secret, parts))
}

/// The public half of an Ed25519 key in PKCS#8 armour; `None` for any other secret.
pub(crate) fn ed25519_pem(secret: &str) -> Option<VerifyingKey> {
    SigningKey::from_pkcs8_pem(secret).ok().map(|key| key.verifying_key())
}

/// Whether the holder of the key signed the text.
pub(crate) fn is_signed_by(key: &VerifyingKey, text: &str, signature: &[u8]) -> bool {
    Signature::from_slice(signature).is_ok_and(|signature| key.verify_strict(text.as_bytes(), &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::{hmac_base64, hmac_hex};

    #[test]
    fn signs_as_okx_does() {
        let guide = "22582BD0CFF14C41EDBF1AB98506286D";
        for (secret, text, signature) in [
            (
                "chNOOS4KvNXR_Xq4k4c9qsfoKWvnDecLATCRlcBwyKDYnWgO",
                "2020-12-08T09:08:57.715ZGET/api/v5/account/balance",
                "PJ61e1nb2F2Qd7D8SPiaIcx2gjdELc+o0ygzre9z33k=",
            ),
            (
                guide,
                "2020-12-08T09:08:57.715ZGET/api/v5/account/balance?ccy=BTC",
                "HiZhvSfMtWJA3uUIVXV3a/bSXNPCWvYFXoGCVS8V4zY=",
            ),
            (
                guide,
                "2020-12-08T09:08:57.715ZGET/api/v5/account/config",
                "Kr/8IrbDYujS4cg2KkmB+tO2HMUXxyayG6ZwNb4H/yA=",
            ),
            (
                guide,
                r#"2020-12-08T09:08:57.715ZPOST/api/v5/trade/order{"instId":"BTC-USDT","lever":"5","externalOidPrefix":"test"}"#,
                "kRifwAtry1b1zpLT5TSZ+RzQWhcovZyoFh3M4o0eVqw=",
            ),
            (guide, "1704876947GET/users/self/verify", "5/36BgGV6m/6pmdc20zdqk0mzF5ZalmzzPD2fo3wavU="),
        ] {
            assert_eq!(hmac_base64(secret, &[text]), signature);
        }
    }

    #[test]
    fn signs_as_bybit_does() {
        for (payload, signature) in [
            ("category=linear&symbol=BTCUSDT", "fd4f31228a46109dc6673062328693696df9a96c7ff04e6491a45e7f63a0fdd7"),
            (
                r#"{"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "test-order-1"}"#,
                "2df4a0603d69c08d5dea29ba85b46eb7db64ce9e9ebd34a7802a3d69700cb2a1",
            ),
            ("accountType=UNIFIED", "79f4e0d1d51812c554fdb1c0dfdb83dc9c9e0be0c62bf52e83a7340456548595"),
            ("", "cfffd774219bfa1d400476f699f830daaedcd3c41faa1dbdda95a8f4dd8170cc"),
        ] {
            assert_eq!(hmac_hex("test_secret", &["1700000000000", "test_api_key", "5000", payload]), signature);
        }
        assert_eq!(
            hmac_hex("test_secret", &["GET/realtime", "1700000000000"]),
            "bacffe7500499eb829bb58c45d36d1b3e5ac67c14eaeba91df5e99ccee013925"
        );
    }
}
