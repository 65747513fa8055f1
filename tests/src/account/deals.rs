//! What can happen to the account: every deal changes the books and is told.

use std::fmt;

use super::books::{Category, Fill, Money, Order, Role, Side, Status};
use super::contracts::{Instrument, wallets};
use super::journal::{Cause, Change, Event};
use super::{Account, setup};
use crate::Venue;
use crate::fixed::Fixed;
use crate::market::Market;

/// Why the fake did not do as it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such symbol.
    UnknownSymbol,
    /// There is no such order.
    UnknownOrder,
    /// The order is not in the book any more.
    NotOpen,
    /// There is not so much left of it.
    TooMuch,
    /// The wallet does not hold so much.
    InsufficientFunds,
    /// There is no such position.
    UnknownPosition,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownSymbol => "no such symbol",
            Self::UnknownOrder => "no such order",
            Self::NotOpen => "the order is not open",
            Self::TooMuch => "not so much of the order is left",
            Self::InsufficientFunds => "insufficient funds",
            Self::UnknownPosition => "no such position",
        })
    }
}

impl std::error::Error for Refusal {}

/// An order that is to be placed.
pub(crate) struct Wish<'a> {
    pub(crate) category: Option<Category>,
    pub(crate) symbol: &'a str,
    pub(crate) side: Side,
    pub(crate) price: Fixed,
    pub(crate) quantity: Fixed,
}

/// What changed at once, before it is told.
pub(super) struct Changes {
    at: u64,
    list: Vec<Change>,
}

impl Changes {
    pub(super) const fn at(at: u64) -> Self {
        Self { at, list: Vec::new() }
    }
}

impl Account {
    pub(super) fn change(&mut self, changes: &mut Changes, wallet: &str, asset: &str, how: impl FnOnce(&mut Money)) {
        let assets = self.books.wallets.entry(wallet.to_owned()).or_default();
        let money = assets.entry(asset.to_owned()).or_default();
        let before = *money;
        how(money);
        money.updated_at = changes.at;
        let after = *money;
        match changes.list.iter_mut().find(|change| change.wallet == wallet && change.asset == asset) {
            Some(change) => change.after = after,
            None => changes.list.push(Change { wallet: wallet.to_owned(), asset: asset.to_owned(), before, after }),
        }
    }

    pub(super) fn event(&self, now: u64, cause: Cause) -> Event {
        let at = self.journal.next_at(now);
        Event { at, cause, changes: Vec::new(), order: None, fill: None, position: None }
    }

    pub(super) fn tell(&mut self, event: Event, changes: Changes) {
        self.journal.add(Event { changes: changes.list, ..event });
    }

    pub(crate) fn deposit(&mut self, now: u64, wallet: &str, asset: &str, amount: Fixed) {
        let mut changes = Changes::at(self.journal.next_at(now));
        self.change(&mut changes, wallet, asset, |money| money.free += amount);
        self.tell(self.event(now, Cause::Deposited), changes);
    }

    pub(crate) fn withdraw(&mut self, now: u64, wallet: &str, asset: &str, amount: Fixed) -> Result<(), Refusal> {
        self.afford(wallet, asset, amount)?;
        let mut changes = Changes::at(self.journal.next_at(now));
        self.change(&mut changes, wallet, asset, |money| money.free -= amount);
        self.tell(self.event(now, Cause::Withdrawn), changes);
        Ok(())
    }

    pub(crate) fn transfer(
        &mut self,
        now: u64,
        (from, to): (&str, &str),
        asset: &str,
        amount: Fixed,
    ) -> Result<(), Refusal> {
        self.afford(from, asset, amount)?;
        let mut changes = Changes::at(self.journal.next_at(now));
        self.change(&mut changes, from, asset, |money| money.free -= amount);
        self.change(&mut changes, to, asset, |money| money.free += amount);
        self.tell(self.event(now, Cause::Transferred), changes);
        Ok(())
    }

    /// Holds a part of an asset back from spending; a negative amount is given back.
    pub(crate) fn hold(&mut self, now: u64, wallet: &str, asset: &str, amount: Fixed) -> Result<(), Refusal> {
        self.afford(wallet, asset, amount)?;
        if self.books.money(wallet, asset).locked + amount < Fixed::ZERO {
            return Err(Refusal::InsufficientFunds);
        }
        let mut changes = Changes::at(self.journal.next_at(now));
        self.change(&mut changes, wallet, asset, |money| {
            money.free -= amount;
            money.locked += amount;
        });
        self.tell(self.event(now, Cause::Held), changes);
        Ok(())
    }

    fn afford(&self, wallet: &str, asset: &str, amount: Fixed) -> Result<(), Refusal> {
        if self.books.money(wallet, asset).free < amount { Err(Refusal::InsufficientFunds) } else { Ok(()) }
    }

    pub(crate) fn set_debt(&mut self, now: u64, wallet: &str, asset: &str, borrowed: Fixed, interest: Fixed) {
        let mut changes = Changes::at(self.journal.next_at(now));
        self.change(&mut changes, wallet, asset, |money| (money.borrowed, money.interest) = (borrowed, interest));
        self.tell(self.event(now, Cause::Borrowed), changes);
    }

    /// Places an order, which locks what it may cost; derivatives lock nothing here.
    pub(crate) fn place(&mut self, market: &Market, now: u64, wish: &Wish<'_>) -> Result<String, Refusal> {
        let found = Instrument::find(self.venue, market, wish.category, wish.symbol);
        let instrument = found.ok_or(Refusal::UnknownSymbol)?;
        let (locked_asset, locked) = match (instrument.category, wish.side) {
            (Category::Spot, Side::Buy) => (&instrument.quote, self.cut(wish.price.times(wish.quantity))),
            (Category::Spot, Side::Sell) => (&instrument.base, wish.quantity),
            _ => (&instrument.settle, Fixed::ZERO),
        };
        let wallet = self.wallet(instrument.category);
        self.afford(wallet, locked_asset, locked)?;
        let mut event = self.event(now, Cause::Placed);
        let mut changes = Changes::at(self.journal.next_at(now));
        if !locked.is_zero() {
            self.change(&mut changes, wallet, locked_asset, |money| {
                money.free -= locked;
                money.locked += locked;
            });
        }
        self.orders += 1;
        let order = Order {
            id: setup::order_id(self.venue, instrument.category, self.orders),
            number: self.orders,
            fee_asset: self.fee_asset(&instrument, wish.side).to_owned(),
            locked,
            locked_asset: locked_asset.clone(),
            symbol: instrument.symbol,
            category: instrument.category,
            side: wish.side,
            price: wish.price,
            quantity: wish.quantity,
            filled: Fixed::ZERO,
            quote_filled: Fixed::ZERO,
            fee: Fixed::ZERO,
            status: Status::New,
            created_at: event.at,
            updated_at: event.at,
        };
        let id = order.id.clone();
        event.order = Some(order.clone());
        self.books.orders.push(order);
        self.tell(event, changes);
        Ok(id)
    }

    pub(super) const fn wallet(&self, category: Category) -> &'static str {
        match category {
            Category::Spot => wallets(self.venue).0,
            _ => wallets(self.venue).1,
        }
    }

    /// Most venues take the fee of a buyer from the coins; KuCoin and Coinbase take every fee in quote currency.
    fn fee_asset<'a>(&self, instrument: &'a Instrument, side: Side) -> &'a str {
        match (instrument.category, side, self.venue) {
            (Category::Spot, Side::Buy, Venue::Binance | Venue::Bybit | Venue::Okx) => &instrument.base,
            (Category::Spot, ..) => &instrument.quote,
            _ => &instrument.settle,
        }
    }

    /// Fills an order at its price, in whole or in part; the id of the fill.
    pub(crate) fn fill(
        &mut self,
        market: &Market,
        now: u64,
        id: &str,
        quantity: Fixed,
        role: Role,
    ) -> Result<String, Refusal> {
        let place = self.books.orders.iter().rposition(|order| order.id == id).ok_or(Refusal::UnknownOrder)?;
        let mut order = self.books.orders[place].clone();
        if !order.status.is_open() {
            return Err(Refusal::NotOpen);
        }
        if quantity <= Fixed::ZERO || quantity > order.remaining() {
            return Err(Refusal::TooMuch);
        }
        let found = Instrument::find(self.venue, market, Some(order.category), &order.symbol);
        let instrument = found.ok_or(Refusal::UnknownSymbol)?;
        let mut event = self.event(now, Cause::Filled);
        let fill = self.note_fill(&order, &instrument, quantity, role, event.at);

        order.filled += quantity;
        order.quote_filled += fill.quote_volume;
        order.fee += fill.fee;
        order.status = if order.remaining().is_zero() { Status::Filled } else { Status::PartiallyFilled };
        order.updated_at = event.at;
        let mut changes = Changes::at(self.journal.next_at(now));
        if order.category == Category::Spot {
            self.exchange(&mut changes, &mut order, &instrument, &fill);
        } else {
            event.position = Some(self.reposition(&mut changes, &instrument, &fill));
        }
        self.books.orders[place] = order.clone();
        (event.order, event.fill) = (Some(order), Some(fill.clone()));
        self.tell(event, changes);
        Ok(fill.id)
    }

    fn note_fill(&mut self, order: &Order, instrument: &Instrument, quantity: Fixed, role: Role, at: u64) -> Fill {
        let units = quantity.times(instrument.contract_size);
        let fee_rate = if role == Role::Maker { self.books.fees.maker } else { self.books.fees.taker };
        let quote_volume = self.cut(if order.category == Category::Inverse { units } else { units.times(order.price) });
        let charged = match order.category {
            Category::Inverse => units.over(order.price),
            Category::Spot if order.fee_asset == instrument.base => quantity,
            _ => quote_volume,
        };
        let number = self.books.fills.len() as u64 + 1;
        let same = |fill: &&Fill| fill.symbol == order.symbol && fill.category == order.category;
        let fill = Fill {
            id: setup::fill_id(self.venue, number),
            number,
            trade: 918_204_471 + self.books.fills.iter().rfind(same).map_or(0, |fill| fill.trade - 918_204_470),
            order_id: order.id.clone(),
            symbol: order.symbol.clone(),
            category: order.category,
            side: order.side,
            role,
            price: order.price,
            quantity,
            quote_volume,
            fee_asset: order.fee_asset.clone(),
            fee: self.cut(charged.times(fee_rate)),
            fee_rate,
            at,
        };
        self.books.fills.push(fill.clone());
        fill
    }

    /// Binance counts in eight places, the others in more.
    pub(super) fn cut(&self, amount: Fixed) -> Fixed {
        if self.venue == Venue::Binance { amount.floor_to(Fixed::new(1, 8)) } else { amount }
    }

    /// Coins for money.
    fn exchange(&mut self, changes: &mut Changes, order: &mut Order, instrument: &Instrument, fill: &Fill) {
        let wallet = self.wallet(Category::Spot);
        let (paid, got, gotten) = match order.side {
            Side::Buy => (fill.quote_volume, &instrument.base, fill.quantity),
            Side::Sell => (fill.quantity, &instrument.quote, fill.quote_volume),
        };
        // With the last fill goes whatever the cutting of digits left locked.
        let unlocked = if order.status == Status::Filled { order.locked } else { paid };
        order.locked -= unlocked;
        self.change(changes, wallet, &order.locked_asset, |money| {
            money.locked -= unlocked;
            money.free += unlocked - paid;
        });
        self.change(changes, wallet, got, |money| money.free += gotten);
        self.change(changes, wallet, &fill.fee_asset, |money| money.free -= fill.fee);
    }

    /// Ends an order otherwise than by filling it.
    pub(crate) fn end(&mut self, now: u64, id: &str, status: Status) -> Result<(), Refusal> {
        let place = self.books.orders.iter().rposition(|order| order.id == id).ok_or(Refusal::UnknownOrder)?;
        if !self.books.orders[place].status.is_open() {
            return Err(Refusal::NotOpen);
        }
        let cause = match status {
            Status::Rejected => Cause::Rejected,
            Status::Expired => Cause::Expired,
            _ => Cause::Canceled,
        };
        let mut event = self.event(now, cause);
        let order = &mut self.books.orders[place];
        let unlocked = std::mem::take(&mut order.locked);
        (order.status, order.updated_at) = (status, event.at);
        let order = order.clone();
        let mut changes = Changes::at(self.journal.next_at(now));
        if !unlocked.is_zero() {
            self.change(&mut changes, self.wallet(order.category), &order.locked_asset, |money| {
                money.locked -= unlocked;
                money.free += unlocked;
            });
        }
        event.order = Some(order);
        self.tell(event, changes);
        Ok(())
    }
}
