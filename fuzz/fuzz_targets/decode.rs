//! Every decoder of a venue (`VENUE`), on every text: streams, answers, refusals, tickets.
#![no_main]

use std::sync::LazyLock;

use fuzz::claims::{self, Every};
use fuzz::venues::{Subject, subjects};
use fuzz::world::World;
use libfuzzer_sys::fuzz_target;

/// `scripts/fuzz` allows a stack of one MiB.
const DEPTH: usize = 20_000;

static SUBJECTS: LazyLock<Vec<(Subject, World)>> = LazyLock::new(|| {
    let with_world = |subject: Subject| {
        let world = World::new(&subject);
        (subject, world)
    };
    subjects().into_iter().map(with_world).collect()
});

/// The opening of something nested, so deep that whoever follows it with his stack falls off its end.
fn nested(text: &str) -> Option<String> {
    (text.len() <= 24 && text.starts_with(['{', '['])).then(|| text.repeat(DEPTH))
}

fuzz_target!(|text: &str| {
    if let Some(deep) = nested(text) {
        // Who falls off the stack cannot tell of it any more.
        eprintln!("nested: {text:?}");
        for (subject, _) in &*SUBJECTS {
            for feed in &subject.feeds {
                claims::heard(&deep, |text, tell| feed.decode(text, tell));
            }
            for question in &subject.questions {
                claims::heard(&deep, |text, tell| (question.decode)(text, tell).map(|_| ()));
            }
        }
    }
    for (subject, world) in &*SUBJECTS {
        let mut all = Vec::new();
        for feed in &subject.feeds {
            let told = claims::told(text, |text, tell| feed.decode(text, tell));
            all.push((None, told.updates));
            match feed.endpoint(text) {
                Ok(endpoint) => claims::endpoint(&endpoint),
                Err(fault) => claims::fault(&fault),
            }
        }
        for question in &subject.questions {
            let told = claims::told(text, |text, tell| (question.decode)(text, tell).map(|_| ()));
            all.push((question.topic, told.updates));
        }
        world.show(&all);
        let headers = Every(text);
        for (venue, reply) in
            subject.venues.iter().flat_map(|venue| claims::replies(text, &headers).map(move |reply| (venue, reply)))
        {
            claims::heard(text, |_, tell| venue.judge(&reply, tell));
            for pool in [""].into_iter().chain(subject.about.pools.iter().map(|(name, _)| *name)) {
                claims::heard(text, |_, tell| {
                    venue.limits(pool, &reply, tell);
                    Ok(())
                });
            }
        }
    }
});
