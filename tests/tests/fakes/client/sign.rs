//! Signs requests, by code of its own.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fake_venues::account::Key;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

/// The time in Unix milliseconds.
pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis()).expect("before 2262")
}

fn hmac(secret: &str, text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub fn base64(secret: &str, text: &str) -> String {
    STANDARD.encode(hmac(secret, text))
}

pub fn hex(secret: &str, text: &str) -> String {
    hmac(secret, text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The headers of a GET request to OKX.
pub fn okx(key: &Key, target: &str, at: i64) -> Vec<(&'static str, String)> {
    let at = format!("{:.3}", Timestamp::from_millisecond(at).expect("a time"));
    vec![
        ("OK-ACCESS-KEY", key.id.clone()),
        ("OK-ACCESS-SIGN", base64(&key.secret, &format!("{at}GET{target}"))),
        ("OK-ACCESS-TIMESTAMP", at),
        ("OK-ACCESS-PASSPHRASE", key.passphrase.clone()),
    ]
}
