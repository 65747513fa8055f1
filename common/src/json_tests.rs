//! Reading, and what cannot be read.

use super::*;
use crate::keys::{idle, key};

/// Walks an object whose keys nobody wants.
fn pass(reader: &mut Reader<'_>) -> Result<(), Fault> {
    reader.object::<()>(&[], |(), value| value.skip())
}

#[test]
fn reads_what_it_is_asked_for_and_passes_over_the_rest() {
    let text = r#" {"a":[1,{"b":"]}"},"\"x\\"], "s":"BTCUSDT","p":"1.5","n":null,"e":"","z":"0.000","w":17} "#;
    let (mut symbol, mut price, mut none, mut empty, mut zero, mut whole) =
        ("", Said::Silent, Said::Silent, Said::Silent, Said::Silent, None);
    let mut reader = Reader::new(text);
    let keys = ["s", "p", "n", "e", "z", "w"].map(|name| key(name, name));
    reader
        .object(&keys, |name, value| {
            match name {
                "s" => symbol = value.text()?,
                "p" => price = value.price()?,
                "n" => none = value.number()?,
                "e" => empty = value.number()?,
                "z" => zero = value.price()?,
                _ => whole = value.whole()?,
            }
            Ok(())
        })
        .and_then(|()| reader.end())
        .unwrap();
    assert_eq!(
        (symbol, price, none, empty, zero, whole),
        ("BTCUSDT", Said::Number(1.5), Said::Nothing, Said::Nothing, Said::Nothing, Some(17))
    );
}

#[test]
fn every_truncation_is_an_error() {
    let text = r#"{"s":"BTC","d":{"p":"1.5","l":[["1","2"],[]],"t":true,"n":-1.5e3},"e":"é"}"#;
    for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
        assert!(pass(&mut Reader::new(&text[..end])).is_err(), "{}", &text[..end]);
    }
    assert!(pass(&mut Reader::new(text)).is_ok());
}

#[test]
fn wrong_types_are_errors() {
    let number = |text| Reader::new(text).number();
    for text in ["{}", "[1]", "true", "nul", "\"x\"", "\"1,5\"", ""] {
        assert!(number(text).is_err(), "{text}");
    }
    assert!(pass(&mut Reader::new("[]")).is_err());
    assert!(pass(&mut Reader::new(r#"{"a" 1}"#)).is_err());
    let text = Reader::new(r#"{"a":"b\"c"}"#).object(&[key("a", ())], |(), value| value.text().map(|_| ()));
    assert!(text.is_err());
}

#[test]
fn the_top_of_a_book_side() {
    assert_eq!(Reader::new(r#"[["91234.0","0.52"],["1","2"]]"#).top().ok(), Some(Said::Number(91234.0)));
    assert_eq!(Reader::new("[]").top().ok(), Some(Said::Nothing));
    assert!(Reader::new(r#"["91234.0"]"#).top().is_err());
}

#[test]
fn white_space_may_stand_anywhere() {
    let text = " {\n\"a\" : [ 1 , \"2\" ,\t{ } ] ,\r\n \"p\" : \"1.5\" , \"q\" : 2.5 , \"w\" : 17 , \"s\" : \"x\" } ";
    let mut seen = Vec::new();
    let mut reader = Reader::new(text);
    let keys = ["p", "q", "w", "s"].map(|name| key(name, name));
    let walked = reader.object(&keys, |name, value| {
        seen.push(match name {
            "w" => format!("{:?}", value.whole()?),
            "s" => value.text()?.to_owned(),
            _ => format!("{:?}", value.number()?),
        });
        Ok(())
    });
    assert_eq!(walked.and_then(|()| reader.end()), Ok(()));
    assert_eq!(seen, ["Number(1.5)", "Number(2.5)", "Some(17)", "x"]);
}

#[test]
fn strings_end_where_they_end_whatever_their_length() {
    for length in 0..40 {
        for at in 0..=length {
            let mut inside = "é".repeat(20).into_bytes();
            inside.resize(40, b'.');
            let mut inside = String::from_utf8(inside).unwrap().chars().take(length).collect::<String>();
            let text = format!("\"{inside}\",\"\\");
            assert_eq!(Reader::new(&text).text().ok(), Some(&*inside));
            let place = inside.char_indices().nth(at).map_or(inside.len(), |(place, _)| place);
            inside.insert_str(place, r#"\""#);
            let text = format!("\"{inside}\"");
            let mut reader = Reader::new(&text);
            assert_eq!(reader.skip().and_then(|()| reader.end()), Ok(()), "{text}");
            assert!(Reader::new(&text).text().is_err(), "{text}");
        }
    }
}

#[test]
fn between_elements_stands_one_comma() {
    for text in
        [r#"{"a":1"b":2}"#, r#"{"a":1,}"#, r#"{"a":1,,"b":2}"#, r#"{"a":"1""b":2}"#, r#"{"a":1]"#, r#"{,"a":1}"#]
    {
        assert!(pass(&mut Reader::new(text)).is_err(), "{text}");
    }
    for text in ["[1 2]", "[1,,2]", "[1,]", "[1}"] {
        assert!(Reader::new(text).array(|value| value.number().map(|_| ())).is_err(), "{text}");
    }
}

#[test]
fn deep_nesting_costs_no_stack() {
    let text = "[".repeat(1_000_000);
    assert!(Reader::new(&text).skip().is_err());
    let closed = format!("{text}{}", "]".repeat(1_000_000));
    assert!(Reader::new(&closed).skip().is_ok());
}

#[test]
fn behind_the_last_one_the_rest_is_passed_over_and_must_still_end() {
    let keys =
        [key("a", ()).first(), idle("x"), key("b", ()).last(), key("c", ()), key("d", ()).first(), key("b", ()).last()];
    let read = |text: &str| {
        let mut seen = Vec::new();
        let mut reader = Reader::new(text);
        let walked = reader.object(&keys, |(), value| value.number().map(|said| seen.push(said.number())));
        walked.and_then(|()| reader.end()).ok().map(|()| seen.into_iter().flatten().collect::<Vec<_>>())
    };
    let rest = r#""c":3,"z":{"a":"}"},"y":[2,"\"]"]} "#;
    // In their order from a first one to a last one: what is behind it is not looked at.
    for (text, expected) in [
        (format!(r#"{{"a":1,"x":0,"b":2,{rest}"#), vec![1.0, 2.0]),
        (format!(r#"{{"d":1,"b":2,{rest}"#), vec![1.0, 2.0]),
        // One is missing, or another one came between, or it did not begin with a first one.
        (format!(r#"{{"a":1,"b":2,{rest}"#), vec![1.0, 2.0, 3.0]),
        (format!(r#"{{"a":1,"x":0,"y":0,"b":2,{rest}"#), vec![1.0, 2.0, 3.0]),
        (format!(r#"{{"b":2,{rest}"#), vec![2.0, 3.0]),
        (format!(r#"{{"y":0,"a":1,"x":0,"b":2,{rest}"#), vec![1.0, 2.0, 3.0]),
    ] {
        assert_eq!(read(&text), Some(expected), "{text}");
        for end in 0..text.trim_end().len() {
            assert_eq!(read(&text[..end]), None, "{}", &text[..end]);
        }
    }
}

#[test]
fn keys_are_found_in_whatever_order_they_come() {
    let names = ["a", "b", "best_bid_quantity", "c", "price_percent_chg_24_h", "d"];
    let keys = names.map(|name| if name == "c" { idle(name) } else { key(name, name) });
    let values = [r#""1.5""#, "2", "-3.25", "null", "\"4\"", "0"];
    let mut order: Vec<usize> = (0..names.len()).collect();
    // Every order of six, one swap after the other (Heap), with and without a stranger between them.
    let mut swaps = vec![0; order.len()];
    let mut level = 0;
    while level < order.len() {
        if swaps[level] < level {
            let other = if level % 2 == 0 { 0 } else { swaps[level] };
            order.swap(other, level);
            swaps[level] += 1;
            level = 0;
        } else {
            swaps[level] = 0;
            level += 1;
            continue;
        }
        for stranger in [None, Some(0), Some(3)] {
            let mut parts: Vec<String> =
                order.iter().map(|&place| format!("\"{}\":{}", names[place], values[place])).collect();
            if let Some(place) = stranger {
                parts.insert(place, r#""stranger":{"a":"7"}"#.to_owned());
            }
            let text = format!("{{{}}}", parts.join(","));
            let mut seen = Vec::new();
            let mut reader = Reader::new(&text);
            let walked = reader.object(&keys, |name, value| {
                seen.push((name, value.number()?.number()));
                Ok(())
            });
            assert_eq!(walked.and_then(|()| reader.end()), Ok(()), "{text}");
            let wanted = order.iter().filter(|place| names[**place] != "c");
            let expected: Vec<_> =
                wanted.map(|&place| (names[place], values[place].trim_matches('"').parse().ok())).collect();
            assert_eq!(seen, expected, "{text}");
        }
    }
}

#[test]
fn a_number_ends_where_its_value_ends() {
    for (text, expected) in [
        (r#"["1.5"]"#, Ok(1.5)),
        ("[1.5]", Ok(1.5)),
        ("[1.5 ]", Ok(1.5)),
        ("[-17]", Ok(-17.0)),
        ("[1.5e3]", Ok(1500.0)),
        (r#"["-0.000000000000000000000000000001"]"#, Ok(-1e-30)),
        (r#"["1.5]"#, Err(())),
        (r#"["1.5,"]"#, Err(())),
        (r#"[1.5"]"#, Err(())),
        ("[1.5.]", Err(())),
        ("[1-5]", Err(())),
    ] {
        // Once in the middle of a long text, once at its very end.
        for padding in ["", "                                        "] {
            let text = format!("{text}{padding}");
            let mut number = Said::Silent;
            let mut reader = Reader::new(&text);
            let read = reader.array(|value| value.number().map(|said| number = said)).and_then(|()| reader.end());
            assert_eq!(read.map(|()| number).map_err(|_| ()), expected.map(Said::Number), "{text}");
        }
    }
}
