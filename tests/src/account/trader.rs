//! Does something now and then, so that there is something to see.

use super::Account;
use super::books::{Category, Role, Side, Status};
use super::deals::Wish;
use crate::fixed::Fixed;
use crate::market::{Market, Product, State};

/// More orders than this are not left in the book.
const MOST_ORDERS: usize = 150;

/// Does one thing at random, from the seed: most of the time it fills, places or cancels an order.
pub(crate) fn trade(account: &mut Account, market: &Market, now: u64) {
    let open: Vec<(String, Fixed)> =
        account.books.open_orders().map(|order| (order.id.clone(), order.remaining())).collect();
    let roll = account.dice.below(100);
    let chosen = match open.len() as u64 {
        0 => None,
        orders => open.get(account.dice.below(orders) as usize),
    };
    match chosen {
        Some((id, _)) if open.len() > MOST_ORDERS || roll < 15 => drop(account.end(now, id, Status::Canceled)),
        Some((id, remaining)) if roll < 55 => {
            let quantity = if account.dice.below(3) == 0 { remaining.over(Fixed::from(2)) } else { *remaining };
            let role = if account.dice.below(2) == 0 { Role::Maker } else { Role::Taker };
            // Half of the smallest amount is nothing, and is refused.
            let _ = account.fill(market, now, id, quantity.floor_to(Fixed::new(1, 8)), role);
        }
        _ if roll < 65 => {
            let amount = Fixed::new(i128::from(account.dice.below(5_000) + 1), 2);
            account.deposit(now, account.wallet(Category::Spot), "USDT", amount);
        }
        _ if roll < 75 => nudge(account, now),
        _ => place(account, market, now),
    }
}

/// Moves the mark of a position by up to one per mille.
fn nudge(account: &mut Account, now: u64) {
    let positions = account.books.positions.len() as u64;
    if positions == 0 {
        return;
    }
    let position = account.books.positions[account.dice.below(positions) as usize].clone();
    let shift = position.mark.times(Fixed::new(i128::from(account.dice.below(21)) - 10, 4));
    let mark = (position.mark + shift).floor_to(Fixed::new(1, 2));
    let _ = account.move_mark(now, position.category, &position.symbol, mark);
}

fn place(account: &mut Account, market: &Market, now: u64) {
    let traded = |listing: &&crate::market::Listing| {
        listing.product == Product::Spot && listing.state == State::Trading && listing.quote.last.is_some()
    };
    let listings: Vec<_> = market.listings().iter().filter(traded).take(6).collect();
    if listings.is_empty() {
        return;
    }
    let listing = listings[account.dice.below(listings.len() as u64) as usize];
    let Some(price) = listing.quote.last else { return };
    let side = if account.dice.below(2) == 0 { Side::Buy } else { Side::Sell };
    // Up to a hundred dollars.
    let quantity = Fixed::from(account.dice.below(100) as i64 + 1).over(price).floor_to(Fixed::new(1, 6));
    if !quantity.is_zero() {
        let symbol = &listing.quote.symbol;
        let _ = account.place(market, now, &Wish { category: Some(Category::Spot), symbol, side, price, quantity });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::Venue;

    #[test]
    fn whatever_happens_the_books_balance() {
        for venue in Venue::ALL {
            let mut market = Market::new(venue, 7, None, 0);
            let mut account = Account::new(venue, &market, 7, 1_800_000_000_000);
            for step in 0..3_000 {
                market.advance(step);
                trade(&mut account, &market, 1_800_000_000_000 + step);
            }
            let books = &account.books;
            let mut locked: BTreeMap<&str, Fixed> = BTreeMap::new();
            for order in books.open_orders().filter(|order| order.category == Category::Spot) {
                *locked.entry(&order.locked_asset).or_default() += order.locked;
            }
            for (asset, money) in books.assets(account.wallet(Category::Spot)) {
                assert_eq!(money.locked, locked.get(asset).copied().unwrap_or_default(), "{venue:?} {asset}");
            }
            for order in &books.orders {
                let fills = books.fills.iter().filter(|fill| fill.order_id == order.id);
                assert_eq!(order.filled, fills.map(|fill| fill.quantity).sum::<Fixed>());
                assert!(order.status.is_open() || order.locked.is_zero());
            }
            let ids: BTreeSet<&str> = books.fills.iter().map(|fill| fill.id.as_str()).collect();
            assert!(ids.len() == books.fills.len() && ids.len() > 500, "{venue:?} {}", ids.len());
        }
    }
}
