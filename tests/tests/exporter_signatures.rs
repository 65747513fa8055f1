//! Every form that a key may have signs: what the venues hand out, and what people make of it in files and variables.

mod exporter;
#[path = "exporter/keys.rs"]
mod keys;

use exporter::{Rig, fake};
use fake_venues::Venue;
use fake_venues::account::Key;

/// RFC 8032, test 1.
const ED25519: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----";
/// The key that the venue's own library is tested with.
const P256: &str = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIKwf3Uox30cRWzRBOPoPOH5p0Gpb0Dt8zUKXUEM5fMkGoAoGCCqGSM49\nAwEHoUQDQgAEbAtpLlSZYVOwYICz+uEyxcS29vRIujiES/gQ1DC7FV4zK4JuYE9v\nqDyGZQYjdXHLM7I6f/QnnOITL+dXYWBHRA==\n-----END EC PRIVATE KEY-----\n";
const SEED: &str = "k0BUni0p0vZG1BdpVjS6ogBJ7kxm630AJ2dN+tuputA=";

async fn signs(venue: Venue, form: &str, change: impl FnOnce(&mut Key), given: impl FnOnce(String) -> String) {
    let fake = fake(venue);
    fake.change_key(change);
    let mut secrets = keys::keys(&fake);
    let secret = secrets.iter_mut().find(|(name, _)| name.ends_with("_SECRET"));
    if let Some((_, secret)) = secret {
        *secret = given(std::mem::take(secret));
    }
    let flags = ["--exchange.symbols=top:5", "--exchange.account-interval=2s"];
    let rig = Rig::with_secrets(fake, &flags, &secrets);
    rig.until_ready().await;
    let known =
        |now: &exporter::exposition::Exposition| now.value("exchange_equity", &[("currency", "USDT")]).is_some();
    let scrape = rig.until_scrape(&format!("the account is known by {form}"), known).await;
    for (kind, source) in [("auth", "rest"), ("auth", "private")] {
        let refused = scrape.errors(kind, source);
        rig.check(refused == 0.0 || form.contains("version"), format!("{form}: {refused} refusals over {source}"));
    }
}

#[tokio::test]
async fn every_form_of_a_key_signs() {
    let escaped = |pem: String| pem.replace('\n', "\\n");
    tokio::join!(
        signs(Venue::Binance, "Ed25519", |key| key.secret = ED25519.to_owned(), |secret| secret),
        signs(Venue::Binance, "Ed25519 out of .env", |key| key.secret = ED25519.to_owned(), escaped),
        signs(Venue::Coinbase, "P-256", |key| key.secret = P256.to_owned(), |secret| secret),
        signs(Venue::Coinbase, "P-256 out of a JSON file", |key| key.secret = P256.to_owned(), escaped),
        signs(Venue::Coinbase, "an Ed25519 seed", |key| key.secret = SEED.to_owned(), |secret| secret),
        // The first question is refused, then the version is known.
        signs(
            Venue::Kucoin,
            "a key of version 2",
            |key| key.scopes.extend(["v2".to_owned(), "strict".to_owned()]),
            |secret| secret
        ),
    );
}
