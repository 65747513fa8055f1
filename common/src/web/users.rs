//! Who asks: user and password against bcrypt hashes, which are slow on purpose.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use sha2::Sha256;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::metrics::health::lock;

/// Hashes at once, on threads of their own; the one that serves never computes any.
pub const HASHERS: usize = 2;
/// Passwords that were right, remembered.
const REMEMBERED: usize = 100;
/// Of a hash that nothing has: salt and sum.
const NOBODY: &str = "QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

/// Checks passwords, and remembers those that were right, as sums that are worth nothing outside of this process.
pub struct Users {
    key: [u8; 32],
    right: Mutex<HashSet<[u8; 32]>>,
    hashers: Arc<Semaphore>,
}

impl Default for Users {
    /// Knows nobody yet.
    fn default() -> Self {
        let mut key = [0; 32];
        rand::rng().fill_bytes(&mut key);
        Self { key, right: Mutex::default(), hashers: Arc::new(Semaphore::new(HASHERS)) }
    }
}

impl Users {
    /// Whether the `Authorization` header names one of the users and their password. A user that is not there costs as much
    /// time as a wrong password.
    pub async fn allow(&self, users: &BTreeMap<String, String>, header: &str) -> bool {
        let Some((user, password)) = credentials(header) else { return false };
        let known = users.get(&user).cloned();
        let hash = known.clone().unwrap_or_else(|| nobody(users));
        let sum = self.sum(&[user.as_bytes(), hash.as_bytes(), password.as_bytes()]);
        if lock(&self.right).contains(&sum) {
            return true;
        }
        let Ok(turn) = Arc::clone(&self.hashers).acquire_owned().await else { return false };
        let checked = tokio::task::spawn_blocking(move || {
            // Kept until the work is done, also where nobody waits for it any more.
            let _turn = turn;
            bcrypt::verify(password.as_bytes(), &hash).unwrap_or(false)
        });
        let good = checked.await.unwrap_or(false) && known.is_some();
        if good {
            let mut right = lock(&self.right);
            if right.len() >= REMEMBERED {
                right.clear();
            }
            right.insert(sum);
        }
        good
    }

    fn sum(&self, parts: &[&[u8]]) -> [u8; 32] {
        // Any length of key will do for an HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return [0; 32] };
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// A hash as dear as the dearest of the users'.
fn nobody(users: &BTreeMap<String, String>) -> String {
    let cost = users.values().filter_map(|hash| hash.split('$').nth(2)).max().unwrap_or("10");
    format!("$2b${cost}${NOBODY}")
}

fn credentials(header: &str) -> Option<(String, Zeroizing<String>)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((user.to_owned(), Zeroizing::new(password.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_users_own_password_opens() {
        let hash = bcrypt::hash("right", 4).unwrap();
        let users = BTreeMap::from([("prometheus".to_owned(), hash)]);
        let all = Users::default();
        let header = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        for _ in 0..2 {
            assert!(all.allow(&users, &header("prometheus:right")).await);
            for wrong in ["prometheus:wrong", "nobody:right", "prometheus", ":", "prometheus:right "] {
                assert!(!all.allow(&users, &header(wrong)).await, "{wrong}");
            }
        }
        assert!(all.allow(&users, &header("prometheus:right").replace("Basic", "basic")).await);
        for wrong in ["", "Basic", "Basic ???", "Bearer cHJvbWV0aGV1czpyaWdodA=="] {
            assert!(!all.allow(&users, wrong).await, "{wrong}");
        }
        // What was remembered belongs to the hash.
        let changed = BTreeMap::from([("prometheus".to_owned(), bcrypt::hash("new", 4).unwrap())]);
        assert!(!all.allow(&changed, &header("prometheus:right")).await);
        assert!(!all.allow(&BTreeMap::new(), &header("prometheus:right")).await);
    }

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        let hash = |cost| bcrypt::hash("x", cost).unwrap();
        let users = BTreeMap::from([("a".to_owned(), hash(4)), ("b".to_owned(), hash(5))]);
        let parts: bcrypt::HashParts = nobody(&users).parse().unwrap();
        assert_eq!(parts.get_cost(), 5);
    }
}
