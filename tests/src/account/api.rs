//! The account as a test steers it.

use super::books::{Books, Category, Fees, Role, Side, Status};
use super::deals::{Refusal, Wish};
use super::key::Key;
use crate::Fake;
use crate::fixed::Fixed;

/// Every change of the books is told to the private connections, as the venue tells it.
impl Fake {
    /// The one key that the venue knows.
    #[must_use]
    pub fn key(&self) -> Key {
        self.world.account.lock().key.clone()
    }

    /// Changes the key, or what the venue thinks of it.
    pub fn change_key(&self, change: impl FnOnce(&mut Key)) {
        let mut account = self.world.account.lock();
        change(&mut account.key);
        account.revision += 1;
    }

    /// What the account holds and did, as it is now.
    #[must_use]
    pub fn books(&self) -> Books {
        self.world.account.lock().books.clone()
    }

    /// Sets what trades cost from now on, as shares of their worth: a negative one is a rebate.
    pub fn set_fees(&self, maker: Fixed, taker: Fixed) {
        self.world.account.lock().books.fees = Fees { maker, taker };
    }

    /// Brings an asset into a wallet.
    pub fn deposit(&self, wallet: &str, asset: &str, amount: Fixed) {
        self.world.deal(|account, _, now| account.deposit(now, wallet, asset, amount));
    }

    /// Takes an asset out of a wallet.
    ///
    /// # Errors
    ///
    /// When the wallet does not hold so much.
    pub fn withdraw(&self, wallet: &str, asset: &str, amount: Fixed) -> Result<(), Refusal> {
        self.world.deal(|account, _, now| account.withdraw(now, wallet, asset, amount))
    }

    /// Moves an asset from one wallet to another.
    ///
    /// # Errors
    ///
    /// When the first wallet does not hold so much.
    pub fn transfer(&self, from: &str, to: &str, asset: &str, amount: Fixed) -> Result<(), Refusal> {
        self.world.deal(|account, _, now| account.transfer(now, (from, to), asset, amount))
    }

    /// Holds a part of an asset back, as by something that is no order; a negative amount is given back.
    ///
    /// # Errors
    ///
    /// When there is not so much to hold or to give back.
    pub fn hold(&self, wallet: &str, asset: &str, amount: Fixed) -> Result<(), Refusal> {
        self.world.deal(|account, _, now| account.hold(now, wallet, asset, amount))
    }

    /// Sets what is owed of an asset.
    pub fn set_debt(&self, wallet: &str, asset: &str, borrowed: Fixed, interest: Fixed) {
        self.world.deal(|account, _, now| account.set_debt(now, wallet, asset, borrowed, interest));
    }

    /// Places a limit order, which locks what it may cost; its id. A pair comes before a perpetual of the same name.
    ///
    /// # Errors
    ///
    /// When there is no such symbol, or not enough money.
    pub fn place(&self, symbol: &str, side: Side, price: Fixed, quantity: Fixed) -> Result<String, Refusal> {
        let wish = Wish { category: None, symbol, side, price, quantity };
        self.world.deal(|account, market, now| account.place(market, now, &wish))
    }

    /// The same on one kind of market. Orders for perpetuals lock nothing.
    ///
    /// # Errors
    ///
    /// When there is no such symbol, or not enough money.
    pub fn place_on(
        &self,
        category: Category,
        symbol: &str,
        side: Side,
        price: Fixed,
        quantity: Fixed,
    ) -> Result<String, Refusal> {
        let wish = Wish { category: Some(category), symbol, side, price, quantity };
        self.world.deal(|account, market, now| account.place(market, now, &wish))
    }

    /// Fills an order at its price, in whole or in part: moves the money, or the position, and takes the fee. The id of the fill.
    ///
    /// # Errors
    ///
    /// When the order is not open or not so much of it is left.
    pub fn fill(&self, order: &str, quantity: Fixed, role: Role) -> Result<String, Refusal> {
        self.world.deal(|account, market, now| account.fill(market, now, order, quantity, role))
    }

    /// Takes an order back.
    ///
    /// # Errors
    ///
    /// When it is not open.
    pub fn cancel(&self, order: &str) -> Result<(), Refusal> {
        self.world.deal(|account, _, now| account.end(now, order, Status::Canceled))
    }

    /// The venue refuses an order after all.
    ///
    /// # Errors
    ///
    /// When it is not open.
    pub fn reject(&self, order: &str) -> Result<(), Refusal> {
        self.world.deal(|account, _, now| account.end(now, order, Status::Rejected))
    }

    /// An order's time runs out.
    ///
    /// # Errors
    ///
    /// When it is not open.
    pub fn expire(&self, order: &str) -> Result<(), Refusal> {
        self.world.deal(|account, _, now| account.end(now, order, Status::Expired))
    }

    /// Opens or increases a position, by an order that is filled at once; the position's id.
    ///
    /// # Errors
    ///
    /// When there is no such perpetual.
    pub fn open_position(
        &self,
        category: Category,
        symbol: &str,
        side: Side,
        size: Fixed,
        price: Fixed,
        leverage: Fixed,
    ) -> Result<String, Refusal> {
        let wish = Wish { category: Some(category), symbol, side, price, quantity: size };
        self.world.deal(|account, market, now| account.open_position(market, now, &wish, leverage))
    }

    /// Moves the price by which a position is judged. Nothing else moves it, unless there is a trader.
    ///
    /// # Errors
    ///
    /// When there is no such position.
    pub fn move_mark(&self, category: Category, symbol: &str, mark: Fixed) -> Result<(), Refusal> {
        self.world.deal(|account, _, now| account.move_mark(now, category, symbol, mark))
    }

    /// Closes a position at its mark, by an order that is filled at once.
    ///
    /// # Errors
    ///
    /// When there is no such position.
    pub fn close_position(&self, category: Category, symbol: &str) -> Result<(), Refusal> {
        self.world.deal(|account, market, now| account.close_position(market, now, category, symbol))
    }

    /// What the venue would say that an asset is worth in dollars; `None` where no pair leads there.
    #[must_use]
    pub fn dollars(&self, asset: &str) -> Option<Fixed> {
        super::dollars(self.world.venue, &self.world.market.lock(), asset)
    }
}
