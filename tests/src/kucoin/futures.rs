//! The futures side: what it trades, its wallet and its positions.

use serde_json::{Value, json};

use super::numbers::object;
use super::orders::worth;
use super::rest::{Data, bad};
use super::wallets::with_account;
use crate::account::{self, Account, Books, Category, Instrument, Position, Side, dollars};
use crate::fixed::Fixed;
use crate::http::Request;
use crate::market::Market;
use crate::world::World;

pub(super) const WALLET: &str = "futures";
/// What contracts settle in.
const CURRENCIES: [&str; 3] = ["XBT", "USDT", "USDC"];

pub(super) fn contracts(world: &World, _: &Request) -> Data {
    with_account(world, |account, market, _| {
        let rows = account::contracts(account.venue).map(|contract| contract_row(account, market, &contract));
        Ok(format!("[{}]", rows.collect::<Vec<_>>().join(",")))
    })
}

/// The price by which positions are judged.
fn mark(account: &Account, market: &Market, contract: &Instrument) -> Fixed {
    let held = account.books.position(contract.category, &contract.symbol).map(|position| position.mark);
    let price = |currency: &str| dollars(account.venue, market, currency);
    held.or_else(|| Some(price(&contract.base)?.over(price(&contract.quote)?))).unwrap_or_default()
}

fn contract_row(account: &Account, market: &Market, contract: &Instrument) -> String {
    let inverse = contract.category == Category::Inverse;
    let coin = if contract.base == "XBT" { "BTC" } else { &contract.base };
    let price = mark(account, market, contract).floor_to(Fixed::new(1, 2));
    let multiplier = if inverse { -contract.contract_size } else { contract.contract_size };
    let texts = json!({
        "symbol": contract.symbol, "displaySymbol": contract.symbol.replace("XBT", "BTC"), "rootSymbol": contract.settle,
        "type": "FFWCSX", "baseCurrency": contract.base, "displayBaseCurrency": coin, "quoteCurrency": contract.quote,
        "settleCurrency": contract.settle, "isInverse": inverse, "status": "Open", "expireDate": null, "settleDate": null,
        "fairMethod": "FundingRate", "supportCross": true, "assetClass": "CRYPTO",
    });
    let open = price.times(Fixed::new(1_002, 3)).floor_to(Fixed::new(1, 2));
    object(
        &texts,
        &[
            ("multiplier", multiplier),
            ("lotSize", Fixed::ONE),
            ("tickSize", Fixed::new(1, 1)),
            ("maxLeverage", Fixed::from(125)),
            ("makerFeeRate", Fixed::new(2, 4)),
            ("takerFeeRate", Fixed::new(6, 4)),
            ("markPrice", price),
            ("indexPrice", price),
            ("lastTradePrice", price),
            ("volumeOf24h", Fixed::new(8_071_113, 3)),
            ("turnoverOf24h", Fixed::new(7_355_310_235_126, 4)),
            ("highPrice", open),
            ("lowPrice", price),
            ("priceChg", price - open),
            ("priceChgPct", (price - open).over(open).floor_to(Fixed::new(1, 4))),
            ("fundingFeeRate", Fixed::new(52, 6)),
            ("predictedFundingFeeRate", Fixed::new(-3, 6)),
            ("nextFundingRateTime", Fixed::from(17_031_463)),
        ],
    )
}

/// What positions bind of a currency: their worth when they were opened, over the leverage.
pub(super) fn bound(books: &Books, currency: &str) -> Fixed {
    books.positions.iter().filter(|position| position.currency == currency).map(initial).sum()
}

fn cost(position: &Position) -> Fixed {
    worth(position.category, position.size, position.contract_size, position.entry)
}

fn initial(position: &Position) -> Fixed {
    cost(position).over(position.leverage)
}

fn overview_row(books: &Books, currency: &str) -> String {
    let (held, gain) = (books.money(WALLET, currency).total(), books.unrealised(currency));
    let bound = bound(books, currency);
    let free = (held - bound).max(Fixed::ZERO);
    let numbers = [
        ("accountEquity", held + gain),
        ("unrealisedPNL", gain),
        ("marginBalance", held),
        ("positionMargin", bound),
        ("orderMargin", Fixed::ZERO),
        ("frozenFunds", Fixed::ZERO),
        ("availableBalance", free),
        ("riskRatio", Fixed::new(65, 4)),
        ("maxWithdrawAmount", free),
        ("availableMargin", free),
    ];
    object(&json!({"currency": currency}), &numbers)
}

/// One currency a call, and bitcoin unless asked.
pub(super) fn overview(world: &World, request: &Request) -> Data {
    let currency = request.parameter("currency").unwrap_or_else(|| "XBT".to_owned());
    if !CURRENCIES.contains(&currency.as_str()) {
        return Err(bad(world, request, "currency is not supported"));
    }
    Ok(overview_row(&world.account.lock().books, &currency))
}

/// The same for everybody's accounts: here there is one.
pub(super) fn overview_all(world: &World, request: &Request) -> Data {
    let currency = request.parameter("currency").unwrap_or_else(|| "XBT".to_owned());
    if !CURRENCIES.contains(&currency.as_str()) {
        return Err(bad(world, request, "currency is not supported"));
    }
    let books = world.account.lock().books.clone();
    let (held, gain) = (books.money(WALLET, &currency).total(), books.unrealised(&currency));
    let numbers = [("accountEquity", held + gain), ("unrealisedPNL", gain), ("marginBalance", held)];
    let total = [("accountEquityTotal", held + gain), ("unrealisedPNLTotal", gain), ("marginBalanceTotal", held)];
    let summary = object(&json!({"currency": currency}), &total);
    let account = object(&json!({"accountName": "main", "currency": currency}), &numbers);
    Ok(format!(r#"{{"summary":{summary},"accounts":[{account}]}}"#))
}

/// Its texts, and its numbers: those that change with the mark price come first, so many of them.
pub(super) struct Row {
    pub(super) texts: Value,
    pub(super) numbers: Vec<(&'static str, Fixed)>,
}

/// How many of a row's numbers change with the mark price.
pub(super) const MARKED: usize = 8;

/// A position as REST and the stream tell it: a short has a negative quantity.
pub(super) fn position(position: &Position, now: u64) -> Row {
    let signed = |number: Fixed| if position.side == Side::Buy { number } else { -number };
    let (cost, initial) = (cost(position), initial(position));
    let marked = worth(position.category, position.size, position.contract_size, position.mark);
    let share = |of: Fixed| position.unrealised.over(of).floor_to(Fixed::new(1, 4));
    let open = !position.size.is_zero();
    let texts = json!({
        "id": position.id, "symbol": position.symbol, "crossMode": false, "isOpen": open, "marginMode": "ISOLATED",
        "positionSide": "BOTH", "settleCurrency": position.currency, "isInverse": position.category == Category::Inverse,
        "openingTimestamp": open.then_some(position.opened_at), "currentTimestamp": now, "autoDeposit": false,
    });
    let margin = initial + if open { position.unrealised } else { Fixed::ZERO };
    let numbers = vec![
        ("markPrice", position.mark),
        ("markValue", signed(marked)),
        ("maintMargin", margin),
        ("realLeverage", marked.over(margin).floor_to(Fixed::new(1, 2))),
        ("unrealisedPnl", position.unrealised),
        ("unrealisedPnlPcnt", share(cost)),
        ("unrealisedRoePcnt", share(initial)),
        ("delevPercentage", Fixed::new(52, 2)),
        ("currentQty", signed(position.size)),
        ("avgEntryPrice", if open { position.entry } else { Fixed::ZERO }),
        ("posCost", signed(cost)),
        ("posInit", initial),
        ("posMargin", initial),
        ("realisedPnl", Fixed::new(-7_210_716, 8)),
        ("liquidationPrice", position.liquidation.unwrap_or_default()),
        ("bankruptPrice", position.liquidation.unwrap_or_default()),
        ("leverage", position.leverage),
    ];
    Row { texts, numbers }
}

pub(super) fn positions(world: &World, request: &Request) -> Data {
    let only = request.parameter("currency");
    let now = world.now();
    let account = world.account.lock();
    let meant = account.books.positions.iter();
    let meant = meant.filter(|position| only.as_deref().is_none_or(|only| only == position.currency));
    let rows = meant.map(|it| position(it, now)).map(|row| object(&row.texts, &row.numbers));
    Ok(format!("[{}]", rows.collect::<Vec<_>>().join(",")))
}
