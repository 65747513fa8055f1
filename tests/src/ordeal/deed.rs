//! What happens next, drawn by lot: the seed says all.

use std::time::Duration;

use crate::fault::{Broken, Fault, Garbage, Limited};
use crate::market::Dice;
use crate::stack::Signal;

/// Something that happens to one exporter or to its venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Nothing.
    Calm,
    /// The venue suffers from these until the time is over.
    Suffer(Vec<Fault>),
    /// Every connection is cut again and again.
    Storm,
    /// A pair is listed.
    List,
    /// One of those pairs is delisted.
    Delist,
    /// The venue gets another key, the exporter a moment later.
    RotateKey,
    /// The venue does not know the key any more.
    RefuseKey,
    /// The web configuration is broken, and mended at the end.
    BreakWebConfig,
    /// The exporter ends, and another one takes its place.
    Restart(Signal),
}

/// How rough it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// Exporters are ended and started again, too.
    pub restarts: bool,
    /// Bans that last for minutes.
    pub bans: bool,
}

impl Weather {
    /// What happens now, and for how long.
    pub(super) fn next(self, dice: &mut Dice) -> (Deed, Duration) {
        let short = Duration::from_millis(300 + dice.below(2_500));
        let long = Duration::from_millis(5_000 + dice.below(11_000));
        match dice.below(100) {
            0..16 => (Deed::Calm, short * 2),
            16..56 => (Deed::Suffer(vec![self.public(dice)]), if dice.below(5) == 0 { long } else { short }),
            56..62 => (Deed::Suffer(vec![self.public(dice), private(dice)]), short * 2),
            62..74 => (Deed::Suffer(vec![private(dice)]), short * 2),
            // Longer than the grace: prices have to leave.
            74..77 => (Deed::Suffer(vec![Fault::RefuseDial, Fault::Drop]), Duration::from_secs(23)),
            77..81 => (Deed::Storm, short),
            81..86 => (Deed::List, short),
            86..90 => (Deed::Delist, short),
            90..93 => (Deed::RotateKey, long),
            93..94 => (Deed::RefuseKey, long),
            94..96 => (Deed::BreakWebConfig, long),
            96..98 if self.restarts => (Deed::Restart(Signal::TERM), short),
            98..100 if self.restarts => (Deed::Restart(Signal::KILL), short),
            _ => (Deed::Calm, long),
        }
    }

    /// Something that strikes all.
    fn public(self, dice: &mut Dice) -> Fault {
        let faults = [
            Fault::Close,
            Fault::Drop,
            Fault::Reset,
            Fault::Shutdown { ms: Some(1_000) },
            Fault::SkipSequence { by: 3 },
            Fault::Silent,
            Fault::Deaf,
            Fault::RefuseDial,
            Fault::Garbage { kind: None },
            Fault::Garbage { kind: Some(Garbage::InvalidUtf8) },
            Fault::SwallowAcks,
            Fault::Reject { symbol: None },
            Fault::Lifetime { ms: 700 },
            Fault::RestLimited { how: Limited::Plain },
            Fault::RestLimited { how: Limited::Other },
            Fault::RestSlow { ms: 400 },
            Fault::RestBroken { how: Broken::Truncated },
            Fault::RestBroken { how: Broken::Html },
            Fault::RestBroken { how: Broken::Reset },
            Fault::Clock { ms: 2_000 },
            Fault::Clock { ms: 45_000 },
            Fault::Clock { ms: -90_000 },
            Fault::Maintenance,
            // The last two last for minutes.
            Fault::Crowded { percent: 97 },
            Fault::RestLimited { how: Limited::Banned },
        ];
        let most = faults.len() - if self.bans { 0 } else { 2 };
        faults[dice.below(most as u64) as usize].clone()
    }
}

/// Something that strikes the account alone.
fn private(dice: &mut Dice) -> Fault {
    let faults = [
        Fault::Close.private(),
        Fault::Drop.private(),
        Fault::Reset.private(),
        Fault::Deaf.private(),
        Fault::SwallowAcks.private(),
        Fault::Lifetime { ms: 900 }.private(),
        Fault::Garbage { kind: None }.private(),
        Fault::RestSlow { ms: 700 }.private(),
        Fault::RestBroken { how: Broken::BadGateway }.private(),
        Fault::RestBroken { how: Broken::Truncated }.private(),
        Fault::RefuseLogins,
        Fault::RepeatEvents,
        Fault::SwapEvents,
    ];
    faults[dice.below(faults.len() as u64) as usize].clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_all() {
        let weather = Weather { restarts: true, bans: true };
        let draw = |seed| {
            let mut dice = Dice(seed);
            (0..200).map(|_| weather.next(&mut dice)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn bans_and_restarts_come_only_where_they_may() {
        let mut dice = Dice(1);
        let mild = Weather { restarts: false, bans: false };
        for _ in 0..5_000 {
            let (deed, _) = mild.next(&mut dice);
            assert!(!matches!(deed, Deed::Restart(_)));
            let Deed::Suffer(faults) = deed else { continue };
            assert!(
                !faults
                    .iter()
                    .any(|fault| matches!(fault, Fault::Crowded { .. } | Fault::RestLimited { how: Limited::Banned }))
            );
        }
    }
}
