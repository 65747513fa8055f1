//! Positions: how fills open and close them.

use super::Account;
use super::books::{Category, Fill, Position, Role, Side};
use super::contracts::Instrument;
use super::deals::{Changes, Refusal, Wish};
use super::journal::Cause;
use super::setup;
use crate::fixed::Fixed;
use crate::market::Market;

impl Account {
    /// What a fill does to the position: its gains and fees go to the wallet. The position as it is then.
    pub(super) fn reposition(&mut self, changes: &mut Changes, instrument: &Instrument, fill: &Fill) -> Position {
        let same = |position: &Position| position.symbol == fill.symbol && position.category == fill.category;
        let held = self.books.positions.iter().position(same).map(|place| self.books.positions.remove(place));
        let (mut position, gain) = match held {
            None => (opened(instrument, fill, setup::position_id(self.venue, fill.number)), Fixed::ZERO),
            Some(position) if position.side == fill.side => (increased(position, fill), Fixed::ZERO),
            Some(position) => self.reduced(position, instrument, fill),
        };
        position.updated_at = fill.at;
        position.revalue();
        let (wallet, gain) = (self.wallet(fill.category), self.cut(gain));
        self.change(changes, wallet, &instrument.settle, |money| money.free += gain - fill.fee);
        if !position.size.is_zero() {
            self.books.positions.push(position.clone());
        }
        position
    }

    fn reduced(&self, mut position: Position, instrument: &Instrument, fill: &Fill) -> (Position, Fixed) {
        let closed = position.size.min(fill.quantity);
        let gain = Position { size: closed, mark: fill.price, ..position.clone() };
        let gain = {
            let mut gain = gain;
            gain.revalue();
            gain.unrealised
        };
        let beyond = fill.quantity - closed;
        if beyond.is_zero() {
            position.size -= closed;
            return (position, gain);
        }
        let rest = Fill { quantity: beyond, ..fill.clone() };
        (opened(instrument, &rest, setup::position_id(self.venue, fill.number)), gain)
    }

    /// Opens or increases a position by an order that is filled at once; the position's id.
    pub(crate) fn open_position(
        &mut self,
        market: &Market,
        now: u64,
        wish: &Wish<'_>,
        leverage: Fixed,
    ) -> Result<String, Refusal> {
        let order = self.place(market, now, wish)?;
        self.fill(market, now, &order, wish.quantity, Role::Taker)?;
        let filled = self.books.fills.last().map(|fill| (fill.category, fill.symbol.clone()));
        let (category, symbol) = filled.ok_or(Refusal::UnknownPosition)?;
        let position = self.position_mut(category, &symbol).ok_or(Refusal::UnknownPosition)?;
        position.leverage = leverage;
        Ok(position.id.clone())
    }

    fn position_mut(&mut self, category: Category, symbol: &str) -> Option<&mut Position> {
        self.books.positions.iter_mut().find(|position| position.category == category && position.symbol == symbol)
    }

    /// Moves the price by which a position is judged.
    pub(crate) fn move_mark(&mut self, now: u64, category: Category, symbol: &str, mark: Fixed) -> Result<(), Refusal> {
        let mut event = self.event(now, Cause::Marked);
        let position = self.position_mut(category, symbol).ok_or(Refusal::UnknownPosition)?;
        position.mark = mark;
        position.updated_at = event.at;
        position.revalue();
        event.position = Some(position.clone());
        self.tell(event, Changes::at(now));
        Ok(())
    }

    /// Closes a position at its mark, by an order that is filled at once.
    pub(crate) fn close_position(
        &mut self,
        market: &Market,
        now: u64,
        category: Category,
        symbol: &str,
    ) -> Result<(), Refusal> {
        let position = self.books.position(category, symbol).ok_or(Refusal::UnknownPosition)?.clone();
        let wish = Wish {
            category: Some(category),
            symbol,
            side: position.side.opposite(),
            price: position.mark,
            quantity: position.size,
        };
        let order = self.place(market, now, &wish)?;
        self.fill(market, now, &order, position.size, Role::Taker).map(drop)
    }
}

fn opened(instrument: &Instrument, fill: &Fill, id: String) -> Position {
    // Half the price away: far enough for any leverage that is used here.
    let half = fill.price.over(Fixed::from(2));
    Position {
        id,
        symbol: fill.symbol.clone(),
        category: fill.category,
        side: fill.side,
        size: fill.quantity,
        contract_size: instrument.contract_size,
        entry: fill.price,
        mark: fill.price,
        unrealised: Fixed::ZERO,
        currency: instrument.settle.clone(),
        leverage: Fixed::from(10),
        // The longs' is told, the shorts have none: both occur.
        liquidation: (fill.side == Side::Buy).then_some(half),
        opened_at: fill.at,
        updated_at: fill.at,
    }
}

fn increased(mut position: Position, fill: &Fill) -> Position {
    let size = position.size + fill.quantity;
    position.entry = if position.category == Category::Inverse {
        size.over(position.size.over(position.entry) + fill.quantity.over(fill.price))
    } else {
        (position.size.times(position.entry) + fill.quantity.times(fill.price)).over(size)
    };
    position.size = size;
    position
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Venue;

    /// A wish for so many contracts of the third perpetual, which is inverse, at this price.
    fn wish(side: Side, price: i64, contracts: i64) -> Wish<'static> {
        let category = Some(Category::Inverse);
        Wish { category, symbol: "BTC-USD-SWAP", side, price: Fixed::from(price), quantity: Fixed::from(contracts) }
    }

    #[test]
    fn positions_grow_shrink_and_turn() {
        let market = Market::new(Venue::Okx, 1, None, 0);
        let mut account = Account::new(Venue::Okx, &market, 1, 0);
        account.books.positions.clear();
        account.books.fees.taker = Fixed::ZERO;
        let ten = Fixed::from(10);
        account.open_position(&market, 0, &wish(Side::Buy, 50_000, 10), ten).unwrap();
        account.open_position(&market, 0, &wish(Side::Buy, 100_000, 20), ten).unwrap();
        let held = account.books.positions[0].clone();
        // 1 000 dollars at 50 000 and 2 000 at 100 000 are 0.04 bitcoin.
        assert_eq!((held.size, held.entry), (Fixed::from(30), Fixed::from(75_000)));
        let before = account.books.money("trading", "BTC").free;
        account.open_position(&market, 0, &wish(Side::Sell, 150_000, 45), ten).unwrap();
        // 3 000 dollars were 0.04 bitcoin and are 0.02.
        assert_eq!(account.books.money("trading", "BTC").free - before, Fixed::new(2, 2));
        let turned = &account.books.positions[0];
        assert_eq!((turned.side, turned.size, turned.entry), (Side::Sell, Fixed::from(15), Fixed::from(150_000)));
    }
}
