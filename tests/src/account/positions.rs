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
        let wallet = self.wallet(fill.category);
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
