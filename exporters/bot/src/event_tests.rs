//! Strict JSON, and bodies that mean harm.

use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Result<Event<'_>, Refusal> {
    let raw: &RawValue = serde_json::from_str(text).unwrap();
    Event::read(raw)
}

#[test]
fn an_event_is_read_as_it_stands() {
    let event = read(r#"{"metric":"x_total","labels":{"side":"b\u0075y"},"add":0.1,"id":"7"}"#).unwrap();
    assert_eq!((&*event.metric, event.operation, event.id.as_deref()), ("x_total", Operation::Add(0.1), Some("7")));
    assert_eq!(event.labels, [("side".into(), "buy".into())]);
    // The nearest number to what is written.
    assert_eq!(read(r#"{"metric":"x","set":123456789.12345679}"#).unwrap().operation.value(), 123_456_789.123_456_79);
}

#[test]
fn what_is_not_an_event_is_refused_by_its_field() {
    for (text, names) in [
        (r#"{"add":1}"#, "metric: is missing"),
        (r#"{"metric":"x"}"#, "exactly one of add, set and observe"),
        (r#"{"metric":"x","add":1,"set":2}"#, "set: wants exactly one"),
        (r#"{"metric":"x","add":1,"add":2}"#, "\"add\" is given twice"),
        (r#"{"metric":"x","metric":"y","add":1}"#, "\"metric\" is given twice"),
        (r#"{"metric":"x","labels":{"a":"1","a":"2"},"add":1}"#, "labels: \"a\" is given twice"),
        (r#"{"metric":"x","labels":{"a":1},"add":1}"#, "labels.a: wants a text, not \"1\""),
        (r#"{"metric":"x","labels":{"a":null},"add":1}"#, "labels.a: wants a text"),
        (r#"{"metric":"x","labels":["a"],"add":1}"#, "labels: wants an object"),
        (r#"{"metric":"x","labels":null,"add":1}"#, "labels: wants an object"),
        (r#"{"metric":"x","add":"1"}"#, "add: wants a number"),
        (r#"{"metric":"x","add":null}"#, "add: wants a number"),
        (r#"{"metric":"x","add":true}"#, "add: wants a number"),
        (r#"{"metric":"x","value":1}"#, "\"value\" is no member of an event"),
        (r#"{"metric":["x"],"add":1}"#, "metric: wants a text"),
        (r#"{"metric":"x","add":1,"id":""}"#, "id: wants 1 to 128 bytes"),
        (r#"{"metric":"x","add":1,"id":5}"#, "id: wants a text"),
        (r#"{"metric":"\ud800","add":1}"#, "metric: wants a text"),
        ("3", "wants an object, not \"3\""),
        ("[]", "wants an object"),
    ] {
        let refusal = read(text).unwrap_err();
        assert!(refusal.to_string().contains(names), "{text}: {refusal}");
    }
}

#[test]
fn a_body_is_one_event_or_an_array_of_them() {
    let one = Body::read(b" {\"a\": 1}\n").unwrap();
    assert_eq!((one.events.len(), one.place(0).as_str()), (1, "event"));
    let two = Body::read(b"\n[{}, {}]").unwrap();
    assert_eq!((two.events.len(), two.place(1).as_str()), (2, "events[1]"));
    assert!(Body::read(b"[]").unwrap().events.is_empty());
    for body in [&b""[..], b"[", b"[{}", b"{} {}", b"[{},]", b"{'a':1}", b"NaN", b"\xff\xfe", b"{}\0", b"[1]]"] {
        assert_eq!(Body::read(body).unwrap_err().reason, Reason::Syntax, "{body:?}");
    }
}

#[test]
fn hostile_bodies_cost_no_stack_and_say_little() {
    let deep = "[".repeat(500_000);
    assert!(Body::read(deep.as_bytes()).is_err());
    let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
    if let Ok(body) = Body::read(deep.as_bytes()) {
        assert!(body.events.iter().all(|raw| Event::read(raw).is_err()));
    }
    let many: String = (0..100_000).map(|n| format!("\"k{n}\":1,")).collect();
    let text = format!("{{{many}\"metric\":\"x\"}}");
    let refusal = read(&text).unwrap_err();
    assert!(refusal.to_string().contains("more than 64 members"), "{refusal}");
    let long = format!(r#"{{"metric":"x","labels":{{"{}":1}},"add":1}}"#, "n".repeat(100_000));
    assert!(read(&long).unwrap_err().to_string().len() < 300);
}

proptest! {
    /// Whatever comes: an answer, and no panic.
    #[test]
    fn anything_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(body) = Body::read(&bytes) {
            for raw in body.events {
                let _ = Event::read(raw);
            }
        }
    }

    /// The same for what looks like an event.
    #[test]
    fn nearly_anything_is_answered(text in r#"\[?\{("metric"|"labels"|"add"|"set"|"id"|:|,|\{|\}|"x"|-?[0-9]{1,3}|null){0,12}\}\]?"#) {
        if let Ok(body) = Body::read(text.as_bytes()) {
            for raw in body.events {
                let _ = Event::read(raw);
            }
        }
    }

    /// What is a number in JSON comes out as the standard library reads it.
    #[test]
    fn numbers_come_out_to_the_last_bit(value in any::<f64>().prop_filter("JSON has no other", |value| value.is_finite())) {
        let text = format!(r#"{{"metric":"x","set":{value:?}}}"#);
        prop_assert_eq!(read(&text).unwrap().operation.value().to_bits(), value.to_bits());
    }
}
