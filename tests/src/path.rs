//! The path of each coin's worth, the same on all venues: slow waves around where it began.
//!
//! Integers, so that it is the same for ever, and a function of the step alone, so that venues which started together agree.

use crate::fixed::Fixed;
use crate::universe;

/// How far a coin goes from where it began, in millionths.
const HEIGHT: i64 = 10_000;
/// The shortest wave, in steps; each coin has its own, up to twice as long.
const WAVE: u64 = 10_000;

/// What a coin is worth at a step, as a ratio to what it was at first. Only coins move: money and made-up coins are steady.
pub(crate) fn worth(coin: &str, step: u64) -> Fixed {
    if !universe::is_coin(coin) {
        return Fixed::ONE;
    }
    let mark = coin.bytes().fold(7u64, |mark, letter| mark.wrapping_mul(31) + u64::from(letter));
    let quarter = ((WAVE + mark % WAVE) / 4) as i64;
    // Up, down through the beginning, and back to it.
    let place = (step % (4 * quarter as u64)) as i64;
    let rise = if place < quarter {
        place
    } else if place < 3 * quarter {
        2 * quarter - place
    } else {
        place - 4 * quarter
    };
    let way = if mark % 2 == 0 { 1 } else { -1 };
    Fixed::new(i128::from(1_000_000 + way * rise * HEIGHT / quarter), 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begins_at_one_and_stays_within_a_per_cent() {
        assert_eq!(worth("BTC", 0), Fixed::ONE);
        let ever: Vec<f64> = (0..40_000).map(|step| worth("BTC", step).as_f64()).collect();
        let (least, most) = (ever.iter().copied().fold(2.0, f64::min), ever.iter().copied().fold(0.0, f64::max));
        assert!((0.99..0.991).contains(&least) && (1.009..=1.01).contains(&most), "{least} {most}");
        assert!(ever.windows(2).all(|two| (two[1] - two[0]).abs() < 1e-5), "no jumps");
        assert_eq!(worth("USDT", 12_345), Fixed::ONE);
    }
}
