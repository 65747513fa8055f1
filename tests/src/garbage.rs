//! Nonsense frames.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::fault::Garbage;

/// Nonsense of a kind, made from the good frame about `symbol` that follows it (so that the good one has the last word).
pub(crate) fn nonsense(kind: Garbage, good: &str, symbol: &str) -> Message {
    match kind {
        Garbage::Truncated => Message::text(first_half(good)),
        Garbage::WrongTypes => Message::text(with_numbers(good, &json!({"oops": [true]}))),
        Garbage::Nulls => Message::text(with_numbers(good, &Value::Null)),
        Garbage::UnknownEvent => Message::text(
            r#"{"e":"surprise","event":"surprise","type":"surprise","op":"surprise","channel":"surprise","data":{"x":1}}"#,
        ),
        Garbage::UnknownSymbol => Message::text(about_nobody(good, symbol)),
        Garbage::Huge => Message::text(format!(r#"{{"padding":"{}"}}"#, "x".repeat(2_000_000))),
        Garbage::Binary => Message::binary(vec![0x1f, 0x8b, 0x00, 0xff, 0xfe, 0x7f]),
        // Built frame by frame: a message would refuse to be text.
        Garbage::InvalidUtf8 => {
            Message::Frame(Frame::message(vec![b'{', 0xff, 0xfe, b'}'], OpCode::Data(Data::Text), true))
        }
        Garbage::Empty => Message::text(""),
        Garbage::DeeplyNested => Message::text("[".repeat(10_000) + &"]".repeat(10_000)),
    }
}

fn first_half(good: &str) -> &str {
    let half = (0..=good.len() / 2).rev().find(|&at| good.is_char_boundary(at));
    &good[..half.unwrap_or(0)]
}

/// The frame with every number, as text or not, replaced.
fn with_numbers(good: &str, replacement: &Value) -> String {
    fn replace(value: &mut Value, replacement: &Value) {
        match value {
            Value::Object(members) => members.values_mut().for_each(|member| replace(member, replacement)),
            Value::Array(items) => items.iter_mut().for_each(|item| replace(item, replacement)),
            Value::Number(_) => *value = replacement.clone(),
            Value::String(text) if text.parse::<f64>().is_ok() => *value = replacement.clone(),
            _ => {}
        }
    }
    let mut value = serde_json::from_str(good).unwrap_or_default();
    replace(&mut value, replacement);
    value.to_string()
}

/// The frame about a symbol that does not exist. Where frames are numbered it repeats the number before, to leave no gap.
fn about_nobody(good: &str, symbol: &str) -> String {
    let mut value: Value = serde_json::from_str(&good.replace(symbol, "NOSUCH-COIN")).unwrap_or_default();
    if let Some(number) = value.get_mut("sequence_num") {
        *number = number.as_u64().map_or(0, |number| number.saturating_sub(1)).into();
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_shape_and_spoils_the_numbers() {
        let good = r#"{"s":"BTCUSDT","c":"1.5","n":[2]}"#;
        assert_eq!(nonsense(Garbage::Nulls, good, "BTCUSDT"), Message::text(r#"{"c":null,"n":[null],"s":"BTCUSDT"}"#));
        assert!(nonsense(Garbage::UnknownSymbol, good, "BTCUSDT").to_text().unwrap().contains("NOSUCH"));
        assert_eq!(nonsense(Garbage::Truncated, "{币}", "x"), Message::text("{"));
    }
}
