//! A trading desk: one account at one fake venue, and what is done there.

use std::io;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::hour::{Hour, Trouble, between, chance};
use crate::account::{Category, Held, Offer, Role, Side, Worth};
use crate::inspect::books::{symbol, unseen};
use crate::market::Dice;
use crate::stack::{get, post};
use crate::{Fixed, Venue};

/// An account to trade on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The exchange.
    pub venue: Venue,
    /// As its exporter names the account, where it does.
    pub account: Option<String>,
    /// The port of the fake venue.
    pub port: u16,
}

/// What a desk did in one cycle.
#[derive(Clone, Debug, Default)]
pub(super) struct Done {
    pub(super) placed: u32,
    pub(super) filled: u32,
    pub(super) canceled: u32,
    /// Gains of positions that were closed, in dollars.
    pub(super) gains: Vec<f64>,
    /// Calls of the venue's API, and how long they took.
    pub(super) calls: Vec<(&'static str, Duration)>,
    /// Calls that failed.
    pub(super) errors: Vec<&'static str>,
}

/// What there is on an account, in dollars, as the venue tells it.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    pub(super) value: f64,
    /// By symbol as the exporters spell it.
    pub(super) positions: Vec<(String, f64)>,
}

/// One account, and the order that waits there.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) seat: Seat,
    dice: Dice,
    resting: Option<String>,
    pub(super) done: Done,
    pub(super) look: Look,
    /// When that was seen.
    pub(super) seen: Instant,
}

impl Desk {
    pub(super) fn new(seat: Seat, seed: u64) -> Self {
        let dice = Dice(seed ^ (seat.venue as u64 + 1).wrapping_mul(0x9e37_79b9));
        Self { seat, dice, resting: None, done: Done::default(), look: Look::default(), seen: Instant::now() }
    }

    /// One cycle: positions are judged by the hour's prices, enlarged or reduced; an order waits or is taken back; some coins are traded.
    pub(super) async fn trade(&mut self, hour: &Hour, troubles: &[Trouble]) -> io::Result<()> {
        self.done = Done::default();
        let worth = self.worth().await?;
        self.cover(&worth).await?;
        let crash = if troubles.contains(&Trouble::Crash) { 0.5 } else { 1.0 };
        let noise = between(&mut self.dice, 0.999, 1.001);
        let price = |offer: &Offer| tenth(offer.price.as_f64() * hour.basis * crash * noise);
        for held in &worth.positions {
            if let Some(offer) = worth.offers.iter().find(|offer| is_of(offer, held)) {
                let mark =
                    json!({"do": "move_mark", "category": held.category, "symbol": held.symbol, "mark": price(offer)});
                self.happen(&mark).await?;
            }
        }
        if let Some(offer) = worth.offers.iter().find(|offer| offer.category == Category::Linear) {
            let held = worth.positions.iter().find(|held| is_of(offer, held));
            self.position(hour, troubles, &worth, (offer, price(offer)), held).await?;
        }
        if let Some(pair) = worth.offers.iter().find(|offer| offer.category == Category::Spot) {
            self.coins(hour, pair).await?;
        }
        let worth = self.worth().await?;
        self.look = Look { value: self.value(&worth), positions: positions(&worth) };
        Ok(())
    }

    /// Losses may have taken all that lies with the contracts: nothing can be ordered there until more does.
    async fn cover(&self, worth: &Worth) -> io::Result<()> {
        let Some((empty, _)) = worth.wallets.iter().find(|(_, dollars)| **dollars < Fixed::ZERO) else { return Ok(()) };
        let Some((full, _)) = worth.wallets.iter().max_by_key(|(_, dollars)| **dollars) else { return Ok(()) };
        let asset = if self.seat.venue == Venue::Coinbase { "USD" } else { "USDT" };
        let amount = Fixed::new((self.value(worth) * 0.02) as i128, 0);
        let transfer = json!({"do": "transfer", "from": full, "to": empty, "asset": asset, "amount": amount});
        // Where the fullest has no money but coins, the orders are refused, and that is told.
        self.happen(&transfer).await.map(drop)
    }

    /// What the key can see of it.
    fn value(&self, worth: &Worth) -> f64 {
        let seen = |wallet: &String| !unseen(self.seat.venue).contains(&wallet.as_str());
        let wallets: Fixed = worth.wallets.iter().filter(|(wallet, _)| seen(wallet)).map(|(_, dollars)| *dollars).sum();
        (wallets + worth.unrealised).as_f64()
    }

    /// Brings what is in positions nearer to what it should be.
    async fn position(
        &mut self,
        hour: &Hour,
        troubles: &[Trouble],
        worth: &Worth,
        (offer, price): (&Offer, Fixed),
        held: Option<&Held>,
    ) -> io::Result<()> {
        let value = self.value(worth);
        let all: f64 = worth.positions.iter().map(|held| held.value.as_f64()).sum();
        let wanted = if troubles.contains(&Trouble::Exposure) { 0.96 } else { hour.exposure };
        let (category, symbol) = (offer.category, &offer.symbol);
        let off = wanted - all / value;
        let side = held.map_or(Side::Buy, |held| held.side);
        // In steps, so that two who look a moment apart see much the same.
        let dollars = off.abs().min(if troubles.contains(&Trouble::Exposure) { 1.0 } else { 0.04 }) * value;
        let size = Fixed::new((dollars / offer.unit.as_f64() * 1e6) as i128, 6).floor_to(offer.step);
        let part = match held {
            Some(held) if (off < -0.03 && size >= held.size) || chance(&mut self.dice, 60.0 * hour.activity) => {
                let close = json!({"do": "close_position", "category": category, "symbol": symbol});
                self.at_once(&close).await?.then_some(1.0)
            }
            Some(held) if off < -0.03 && !size.is_zero() => {
                let done = self.order((category, symbol), side.opposite(), price, size).await?;
                done.then_some(size.as_f64() / held.size.as_f64())
            }
            _ if off > 0.01 && !size.is_zero() => {
                let open = json!({"do": "open_position", "category": category, "symbol": symbol, "side": side, "size": size,
                                  "price": price, "leverage": Fixed::from(5)});
                self.at_once(&open).await?;
                None
            }
            _ => None,
        };
        self.done.gains.extend(held.zip(part).map(|(held, part)| held.unrealised.as_f64() * part));
        Ok(())
    }

    /// An order that waits far below the price, and a trade at it.
    async fn coins(&mut self, hour: &Hour, pair: &Offer) -> io::Result<()> {
        let of = (Category::Spot, &pair.symbol);
        match self.resting.take() {
            Some(id) if chance(&mut self.dice, 400.0) => {
                if self.deed("cancel", &json!({"do": "cancel", "order": id})).await?.is_some() {
                    self.done.canceled += 1;
                }
            }
            Some(id) => self.resting = Some(id),
            None => {
                let price = tenth(pair.price.as_f64() * 0.9);
                self.resting = self.place(of, Side::Buy, price, pair.step).await?;
            }
        }
        if chance(&mut self.dice, 500.0 * hour.activity) {
            let side = if self.dice.below(2) == 0 { Side::Buy } else { Side::Sell };
            self.order(of, side, tenth(pair.price.as_f64()), pair.step).await?;
        }
        Ok(())
    }

    /// An order that is placed, and filled at once; whether it was.
    async fn order(&mut self, of: (Category, &String), side: Side, price: Fixed, size: Fixed) -> io::Result<bool> {
        let Some(id) = self.place(of, side, price, size).await? else { return Ok(false) };
        let role = if self.dice.below(2) == 0 { Role::Maker } else { Role::Taker };
        let fill = json!({"do": "fill", "order": id, "quantity": size, "role": role});
        let filled = self.deed("order", &fill).await?.is_some();
        self.done.filled += u32::from(filled);
        Ok(filled)
    }

    /// The same where one deed is both.
    async fn at_once(&mut self, deed: &Value) -> io::Result<bool> {
        let done = self.deed("order", deed).await?.is_some();
        self.done.placed += u32::from(done);
        self.done.filled += u32::from(done);
        Ok(done)
    }

    async fn place(
        &mut self,
        (category, symbol): (Category, &String),
        side: Side,
        price: Fixed,
        size: Fixed,
    ) -> io::Result<Option<String>> {
        let wish = json!({"do": "place", "category": category, "symbol": symbol, "side": side, "price": price,
                          "quantity": size});
        let id = self.deed("order", &wish).await?.and_then(|id| id.as_str().map(str::to_owned));
        self.done.placed += u32::from(id.is_some());
        Ok(id)
    }

    async fn worth(&mut self) -> io::Result<Worth> {
        let (asked, path) = (Instant::now(), "/fake/worth");
        let answer = get(self.seat.port, path).await?;
        self.done.calls.push(("account", asked.elapsed()));
        self.seen = asked;
        serde_json::from_str(&answer.body).map_err(|error| io::Error::other(format!("{path}: {error}")))
    }

    /// The id that came of it; nothing where the venue refuses, as it may: then the desk goes on without.
    async fn deed(&mut self, endpoint: &'static str, deed: &Value) -> io::Result<Option<Value>> {
        let asked = Instant::now();
        let answer = self.happen(deed).await?;
        self.done.calls.push((endpoint, asked.elapsed()));
        if answer.is_none() {
            self.done.errors.push(endpoint);
        }
        Ok(answer)
    }

    /// Something happens at the venue, by whomever.
    async fn happen(&self, deed: &Value) -> io::Result<Option<Value>> {
        let answer = post(self.seat.port, "/fake/account", "", &deed.to_string()).await?;
        if answer.status != 200 {
            return Ok(None);
        }
        let answer: Value = serde_json::from_str(&answer.body).map_err(io::Error::other)?;
        Ok(Some(answer.get("id").cloned().unwrap_or_default()))
    }
}

fn is_of(offer: &Offer, held: &Held) -> bool {
    offer.symbol == held.symbol && offer.category == held.category
}

/// A price with one place, as contracts have it.
fn tenth(price: f64) -> Fixed {
    Fixed::new((price * 10.0).round() as i128, 1)
}

fn positions(worth: &Worth) -> Vec<(String, f64)> {
    worth.positions.iter().map(|held| (symbol(&held.symbol), held.value.as_f64())).collect()
}
