//! Reading, and what cannot be read.

use super::*;

#[test]
fn reads_what_it_is_asked_for_and_passes_over_the_rest() {
    let text = r#" {"a":[1,{"b":"]}"},"\"x\\"], "s":"BTCUSDT","p":"1.5","n":null,"e":"","z":"0.000","w":17} "#;
    let (mut symbol, mut price, mut none, mut empty, mut zero, mut whole) =
        ("", Said::Silent, Said::Silent, Said::Silent, Said::Silent, None);
    let mut reader = Reader::new(text);
    reader
        .object(|key, value| {
            match key {
                b"s" => symbol = value.text()?,
                b"p" => price = value.price()?,
                b"n" => none = value.number()?,
                b"e" => empty = value.number()?,
                b"z" => zero = value.price()?,
                b"w" => whole = value.whole()?,
                _ => value.skip()?,
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
        let mut reader = Reader::new(&text[..end]);
        assert!(reader.object(|_, value| value.skip()).is_err(), "{}", &text[..end]);
    }
    assert!(Reader::new(text).object(|_, value| value.skip()).is_ok());
}

#[test]
fn wrong_types_are_errors() {
    let number = |text| Reader::new(text).number();
    for text in ["{}", "[1]", "true", "nul", "\"x\"", "\"1,5\"", ""] {
        assert!(number(text).is_err(), "{text}");
    }
    assert!(Reader::new("[]").object(|_, value| value.skip()).is_err());
    assert!(Reader::new(r#"{"a" 1}"#).object(|_, value| value.skip()).is_err());
    assert!(Reader::new(r#"{"a":"b\"c"}"#).object(|_, value| value.text().map(|_| ())).is_err());
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
    let walked = reader.object(|key, value| {
        seen.push(match key {
            b"p" | b"q" => format!("{:?}", value.number()?),
            b"w" => format!("{:?}", value.whole()?),
            b"s" => value.text()?.to_owned(),
            _ => value.skip().map(|()| "skipped".to_owned())?,
        });
        Ok(())
    });
    assert_eq!(walked.and_then(|()| reader.end()), Ok(()));
    assert_eq!(seen, ["skipped", "Number(1.5)", "Number(2.5)", "Some(17)", "x"]);
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
        assert!(Reader::new(text).object(|_, value| value.skip()).is_err(), "{text}");
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
fn who_has_seen_enough_passes_over_the_rest_and_still_wants_its_end() {
    let text = r#"{"a":1,"b":{"a":"}"},"c":[2,"\"]"]} "#;
    let first = |text| {
        let mut seen = Said::Silent;
        let mut reader = Reader::new(text);
        let walked = reader.object_until(|_, value| {
            seen = value.number()?;
            Ok(true)
        });
        walked.and_then(|()| reader.end()).map(|()| seen)
    };
    assert_eq!(first(text).ok(), Some(Said::Number(1.0)));
    for end in 0..text.trim_end().len() {
        assert!(first(&text[..end]).is_err(), "{}", &text[..end]);
    }
}
