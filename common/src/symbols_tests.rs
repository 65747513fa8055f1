//! Spellings, selections and the spread over lines.

use super::*;
use crate::update::Market;

fn listed(base: &str, quote: &str) -> Arc<Instrument> {
    let asked = format!("{base}-{quote}");
    Arc::new(Instrument {
        market: Market::Spot,
        base: base.into(),
        quote: quote.into(),
        heard: asked.clone(),
        asked,
        trading: base != "HALTED",
    })
}

fn market() -> Vec<Ranked> {
    let rows = [
        ("BTC", "USDT", 500.0, 100.0),
        ("ETH", "USDT", 400.0, 10.0),
        ("ETH", "BTC", 30.0, 0.1),
        ("USDT", "BRL", 900.0, 5.0),
        ("HALTED", "USDT", 0.0, 0.0),
    ];
    let figures =
        rows.iter().map(|(base, quote, volume, last)| (format!("{base}-{quote}"), (*volume, *last))).collect();
    rank(rows.iter().map(|(base, quote, ..)| listed(base, quote)).collect(), &figures)
}

fn names(chosen: &Chosen) -> Vec<String> {
    chosen.wanted.iter().map(|one| one.symbol()).collect()
}

#[test]
fn turnovers_are_compared_in_one_currency() {
    let order: Vec<String> = market().iter().map(|one| one.instrument.symbol()).collect();
    // 30 BTC are 3000 USDT, 900 BRL are 180.
    assert_eq!(order, ["ETHBTC", "BTCUSDT", "ETHUSDT", "USDTBRL", "HALTEDUSDT"]);
}

#[test]
fn every_spelling_is_understood() {
    for spelling in ["BTCUSDT", "BTC-USDT", "BTC/USDT", "btc_usdt", "btcusdt"] {
        let chosen = choose(&spelling.parse().unwrap(), &market(), &BTreeSet::new());
        assert_eq!(names(&chosen), ["BTCUSDT"], "{spelling}");
    }
}

#[test]
fn an_unknown_name_is_told_with_its_nearest_and_the_rest_goes_on() {
    let chosen = choose(&"BTCUSTD,ETHUSDT,HALTEDUSDT".parse().unwrap(), &market(), &BTreeSet::new());
    assert_eq!(names(&chosen), ["ETHUSDT"]);
    assert_eq!(chosen.rejected[0].why, "unknown here; the nearest is BTC-USDT");
    assert_eq!((chosen.rejected[0].unknown, chosen.rejected[1].unknown), (true, false));
}

#[test]
fn selections_select() {
    let choose = |text: &str, before: &[&str]| {
        names(&choose(&text.parse().unwrap(), &market(), &before.iter().map(ToString::to_string).collect()))
    };
    assert_eq!(choose("all", &[]), ["BTCUSDT", "ETHBTC", "ETHUSDT", "USDTBRL"]);
    assert_eq!(choose("quote:usdt", &[]), ["BTCUSDT", "ETHUSDT"]);
    assert_eq!(choose("top:1", &[]), ["ETHBTC"]);
    assert_eq!(choose("top:1", &["BTCUSDT"]), ["BTCUSDT", "ETHBTC"], "on the edge it stays");
}

#[test]
fn of_two_names_with_one_label_one_is_told_as_left_out() {
    let two = rank(vec![listed("AB", "CUSDT"), listed("ABC", "USDT")], &HashMap::new());
    let chosen = choose(&Selection::All, &two, &BTreeSet::new());
    assert_eq!((names(&chosen), chosen.rejected[0].name.as_str()), (vec!["ABCUSDT".to_owned()], "ABC-USDT"));
    let twice = choose(&"BTCUSDT,BTC-USDT".parse().unwrap(), &market(), &BTreeSet::new());
    assert!(twice.rejected.is_empty(), "one name in two spellings is no collision");
}

#[test]
fn what_is_no_selection_is_refused_with_a_cure() {
    for text in ["", " , ", "top:0", "top:x", "size:5", "BTCUSDT,all", "BTCUSDT,top:5"] {
        assert!(text.parse::<Selection>().is_err(), "{text:?}");
    }
}

#[test]
fn lines_have_room_for_the_pilot_and_symbols_stay_where_they_are() {
    let wanted: Vec<_> = ["A", "B", "C", "D", "E"].iter().map(|base| listed(base, "USDT")).collect();
    let pilot = listed("BTC", "USDT");
    let spelled = |lines: &[Vec<Arc<Instrument>>]| {
        lines.iter().map(|line| line.iter().map(|one| one.base.as_str()).collect::<String>()).collect::<Vec<_>>()
    };
    let first = spread(&wanted, Some(&pilot), 3, &[]);
    assert_eq!(spelled(&first), ["ABBTC", "CDBTC", "EBTC"]);
    let without_a: Vec<_> =
        wanted[1..].iter().cloned().chain([listed("F", "USDT"), listed("G", "USDT"), listed("H", "USDT")]).collect();
    assert_eq!(spelled(&spread(&without_a, Some(&pilot), 3, &first)), ["BFBTC", "CDBTC", "EGBTC", "HBTC"]);
    assert_eq!(
        spelled(&spread(&[], Some(&pilot), 3, &[])),
        ["BTC"],
        "a lonely pilot still tells whether the venue lives"
    );
    assert!(spread(&[], None, 3, &first).is_empty(), "nothing trades: nothing to connect for");
    assert_eq!(spelled(&spread(&wanted[4..], Some(&pilot), 3, &first)), ["EBTC"], "an empty line closes");
    let many = vec![pilot.clone(), wanted[0].clone()];
    assert_eq!(spelled(&spread(&many, Some(&pilot), 3, &[])), ["ABTC"]);
    let asked_for: Vec<_> = wanted.iter().cloned().chain([pilot.clone()]).collect();
    let lines = spread(&asked_for, Some(&pilot), 3, &[]);
    assert_eq!(spelled(&lines), ["ABBTC", "CDBTC", "EBTC"]);
    assert_eq!(spread(&asked_for, Some(&pilot), 3, &lines), lines, "no line is dialled again without a cause");
}
