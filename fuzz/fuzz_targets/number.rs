//! Numbers, amounts and times against the standard library.
#![no_main]

use common::account::amount::{self, Amount};
use common::number::decimal;
use common::{Decimal, Micros, Reply, Said};
use fuzz::claims::Every;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'));
    let expected = text.parse().ok().filter(|number: &f64| plain && number.is_finite());
    assert_eq!(decimal(text).map(f64::to_bits), expected.map(f64::to_bits));
    assert_eq!(Said::parse(text), if text.is_empty() { Some(Said::Nothing) } else { expected.map(Said::Number) });

    let amount = amount::parse(text);
    if let Some(amount) = amount {
        assert_eq!(amount.to_string().parse::<Decimal>(), Ok(amount), "what is shown is what was read");
        // Digits beyond the 28th are rounded, before the exponent moves the point.
        if let Some(near) = expected.filter(|_| text.len() <= 28) {
            let shown: f64 = amount.to_string().parse().expect("a number");
            assert!((shown - near).abs() <= near.abs() * 1e-15 + 1e-28, "{text}: {shown} for {near}");
        }
    }
    if let Ok(Amount(Some(read))) = serde_json::from_str::<Amount>(&format!("\"{}\"", text.trim())) {
        assert_eq!(Some(read), amount, "in JSON and bare");
    }

    if let Some(time) = Micros::of_rfc3339(text).filter(|time| time.is_plausible()) {
        let shown = Micros::of_rfc3339(&time.rfc3339()).expect("what is shown can be read");
        assert!((time.0 - shown.0).abs() < 1000, "{text}: {shown:?} for {time:?}");
    }
    let reply = Reply { status: 429, headers: &Every(text), body: "" };
    assert!(reply.number("any").is_none_or(f64::is_finite));
    let fault = common::status_fault(&reply).expect_err("a refusal");
    fuzz::claims::fault(&fault);
});
