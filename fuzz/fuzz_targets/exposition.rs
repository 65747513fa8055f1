//! A scrape of rows with any names and any figures. A line is a row, tabs between its fields: base, quote, the venue's name,
//! then figures.
#![no_main]

use std::sync::{Arc, LazyLock};

use common::{Instrument, Market, Micros, Said, Ticker};
use fuzz::venues::subjects;
use fuzz::world::World;
use libfuzzer_sys::fuzz_target;

static WORLD: LazyLock<World> = LazyLock::new(|| World::new(&subjects()[0]));

fn said(field: Option<&str>) -> Said {
    match field {
        None => Said::Silent,
        Some(text) => text.parse().ok().filter(|number: &f64| number.is_finite()).map_or(Said::Nothing, Said::Number),
    }
}

fn instrument(line: &str) -> Option<Instrument> {
    let mut fields = line.split('\t');
    let (base, quote, asked) = (fields.next()?.to_owned(), fields.next()?.to_owned(), fields.next()?.to_owned());
    let market = [Market::Spot, Market::Linear, Market::Inverse, Market::Option][asked.len() % 4];
    Some(Instrument { market, base, quote, heard: asked.clone(), asked, trading: true })
}

fn ticker(line: &str) -> Option<Ticker<'_>> {
    let mut fields = line.split('\t').skip(2);
    let symbol = fields.next()?;
    Some(Ticker {
        symbol,
        last: said(fields.next()),
        bid: said(fields.next()),
        ask: said(fields.next()),
        volume_base: said(fields.next()),
        volume_quote: said(fields.next()),
        high: said(fields.next()),
        low: said(fields.next()),
        change: said(fields.next()),
        at: fields.next().and_then(|at| at.parse().ok()).map(Micros),
    })
}

fuzz_target!(|text: &str| {
    // Where escapes are wanted they are written as such: a name may hold any character but the tab.
    let text = text.replace("\\n", "\r");
    let lines: Vec<&str> = text.split('\n').collect();
    let listed = lines.iter().filter_map(|line| instrument(&line.replace('\r', "\n"))).map(Arc::new).collect();
    let tickers: Vec<Ticker<'_>> = lines.iter().filter_map(|line| ticker(line)).collect();
    WORLD.rows(listed, &tickers.iter().collect::<Vec<_>>());
    WORLD.scrape();
});
