//! The choice of symbols. The first line is what the user asks for, every other one a listed market, tabs between its fields:
//! base, quote, the venue's name, its turnover; `-` before the turnover says that it does not trade.
#![no_main]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use common::symbols::{Selection, choose, rank, spread};
use common::{Instrument, Market};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let asked = lines.next().unwrap_or_default();
    let selection: Selection = match asked.parse() {
        Ok(selection) => selection,
        Err(told) => return assert!(!told.is_empty()),
    };
    assert_eq!(selection.to_string().parse(), Ok(selection.clone()), "what is shown means the same");
    let mut figures = HashMap::new();
    let mut listed: Vec<Arc<Instrument>> = lines.filter_map(|line| listing(line, &mut figures)).collect();
    // A venue spells no two of its markets alike.
    let mut spelled = BTreeSet::new();
    listed.retain(|one| spelled.insert(one.asked.clone()));
    let ranked = rank(listed.clone(), &figures);
    assert_eq!(ranked.len(), listed.len());
    let chosen = choose(&selection, &ranked, &BTreeSet::new());
    let symbols: BTreeSet<String> = chosen.wanted.iter().map(|one| one.symbol()).collect();
    assert_eq!(symbols.len(), chosen.wanted.len(), "two rows with one label");
    assert!(chosen.wanted.iter().all(|one| one.trading && listed.contains(one)), "not listed, or not trading");
    assert_eq!(chosen.pilot.is_some(), listed.iter().any(|one| one.trading));
    if let Selection::Top(count) = selection {
        assert!(chosen.wanted.len() <= count, "more than were asked for");
    }
    if let Selection::List(names) = &selection {
        assert!(chosen.wanted.len() <= names.len(), "more than were asked for");
        assert!(!chosen.wanted.is_empty() || !chosen.rejected.is_empty(), "nothing, without a word");
    }
    for room in [1, 2, 3] {
        let lines = spread(&chosen.wanted, chosen.pilot.as_ref(), room, &[]);
        let mut carried: BTreeMap<&str, usize> = BTreeMap::new();
        for one in lines.iter().flatten() {
            *carried.entry(&one.asked).or_default() += 1;
        }
        let pilot = chosen.pilot.as_ref().map(|one| one.asked.as_str());
        for one in &chosen.wanted {
            let times = carried.get(one.asked.as_str()).copied().unwrap_or(0);
            assert!(times == 1 || (pilot == Some(&one.asked) && times > 0), "{} on {times} lines", one.asked);
        }
        assert!(lines.iter().all(|line| line.len() <= room.max(2)), "a line carries too much");
        assert_eq!(spread(&chosen.wanted, chosen.pilot.as_ref(), room, &lines), lines, "lines change without a cause");
    }
});

fn listing(line: &str, figures: &mut HashMap<String, (f64, f64)>) -> Option<Arc<Instrument>> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [base, quote, asked, turnover] = fields.as_slice() else { return None };
    let trading = !turnover.starts_with('-');
    if let Ok(turnover) = turnover.parse::<f64>() {
        figures.insert((*asked).to_owned(), (turnover, turnover));
    }
    let [base, quote, asked] = [base, quote, asked].map(|field| (*field).to_owned());
    Some(Arc::new(Instrument { market: Market::Spot, base, quote, heard: asked.clone(), asked, trading }))
}
