//! Futures settled in dollars (`/fapi`) and in coins (`/dapi`): numbers are text, of as many places as they have.

use serde_json::{Value, json};

use super::signed::{Asked, Problem};
use super::spot::{client_id, id, places, side, status};
use crate::account::{Category, Money, Order, Position, Side, contracts, dollars};
use crate::fixed::Fixed;

/// The wallet.
pub(super) const FUTURES: &str = "futures";
/// What futures in dollars are paid in; the rest of the wallet belongs to those in coins.
const DOLLARS: [&str; 4] = ["USDT", "USDC", "FDUSD", "BFUSD"];

/// One half of the futures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Dollars,
    Coins,
}

impl Kind {
    pub(super) fn has(self, asset: &str) -> bool {
        DOLLARS.contains(&asset) == (self == Self::Dollars)
    }

    const fn category(self) -> Category {
        match self {
            Self::Dollars => Category::Linear,
            Self::Coins => Category::Inverse,
        }
    }
}

/// The assets of one half, those that positions settle in included.
fn assets(asked: &Asked<'_>, kind: Kind) -> Vec<(String, Money)> {
    let books = &asked.account.books;
    let held = books.assets(FUTURES).map(|(asset, _)| asset);
    let mut names: Vec<&str> = held.chain(books.positions.iter().map(|position| position.currency.as_str())).collect();
    names.sort_unstable();
    names.dedup();
    let names = names.into_iter().filter(|asset| kind.has(asset));
    names.map(|asset| (asset.to_owned(), books.money(FUTURES, asset))).collect()
}

/// What one half is worth in dollars, profits not taken included.
pub(super) fn equity(asked: &Asked<'_>, kind: Kind) -> Fixed {
    let worth = |(asset, money): &(String, Money)| {
        let margin = money.net() + asked.account.books.unrealised(asset);
        Some(margin.times(dollars(asked.account.venue, asked.market, asset)?))
    };
    assets(asked, kind).iter().filter_map(worth).sum()
}

fn positions_of<'a>(asked: &'a Asked<'_>, kind: Kind) -> impl Iterator<Item = &'a Position> {
    let symbol = asked.parameters.get("symbol");
    let fits = move |position: &&Position| {
        position.category == kind.category() && symbol.is_none_or(|symbol| symbol == position.symbol)
    };
    asked.account.books.positions.iter().filter(fits)
}

pub(super) fn time(asked: &Asked<'_>) -> Result<Value, Problem> {
    Ok(json!({"serverTime": asked.now}))
}

/// What collateral is worth in dollars.
pub(super) fn asset_index(asked: &Asked<'_>) -> Result<Value, Problem> {
    let row = |asset: &str| {
        let index = places(dollars(asked.account.venue, asked.market, asset)?);
        Some(json!({
            "symbol": format!("{asset}USD"), "time": asked.now, "index": index, "bidBuffer": "0.00000000", "askBuffer": "0.00000000",
            "bidRate": index, "askRate": index, "autoExchangeBidBuffer": "0.00000000", "autoExchangeAskBuffer": "0.00000000",
            "autoExchangeBidRate": index, "autoExchangeAskRate": index,
        }))
    };
    let mut rows = ["USDT", "USDC", "BTC", "ETH"].into_iter().filter_map(row);
    match asked.parameters.get("symbol") {
        None => Ok(rows.collect()),
        Some(symbol) => rows.find(|row| row["symbol"] == symbol).ok_or_else(invalid_symbol),
    }
}

fn invalid_symbol() -> Problem {
    Problem::bug(-1121, "Invalid symbol.")
}

/// A row of the account's assets. `flat`: as the balance names it.
fn asset_row(asked: &Asked<'_>, (asset, money): &(String, Money)) -> Value {
    let gain = asked.account.books.unrealised(asset);
    let (total, initial) = (money.total(), Fixed::ZERO);
    json!({
        "asset": asset, "walletBalance": places(total), "unrealizedProfit": places(gain), "marginBalance": places(total + gain),
        "maintMargin": "0.00000000", "initialMargin": places(initial), "positionInitialMargin": places(initial),
        "openOrderInitialMargin": "0.00000000", "crossWalletBalance": places(total), "crossUnPnl": places(gain),
        "availableBalance": places(money.free), "maxWithdrawAmount": places(money.free), "updateTime": money.updated_at,
    })
}

/// With what is worth a dollar; only rows that ever moved have a time.
pub(super) fn account(asked: &Asked<'_>) -> Result<Value, Problem> {
    let rows = assets(asked, Kind::Dollars);
    let sum = |part: fn(&Value) -> &Value| -> Fixed {
        let rows = rows.iter().filter(|(asset, _)| asset == "USDT").map(|row| asset_row(asked, row));
        rows.filter_map(|row| part(&row).as_str()?.parse::<Fixed>().ok()).sum()
    };
    let margin: Fixed = positions_of(asked, Kind::Dollars).map(initial_margin).sum();
    let positions = positions_of(asked, Kind::Dollars).map(|position| {
        json!({
            "symbol": position.symbol, "positionSide": "BOTH", "positionAmt": amount(position), "unrealizedProfit": places(position.unrealised),
            "isolatedMargin": "0", "notional": places(notional(position)), "isolatedWallet": "0", "initialMargin": places(initial_margin(position)),
            "maintMargin": "3.63000000", "updateTime": position.updated_at,
        })
    });
    let idle = ("BNB".to_owned(), Money::default());
    let positions: Vec<Value> = positions.collect();
    Ok(json!({
        "totalInitialMargin": places(margin), "totalMaintMargin": "3.63000000", "totalWalletBalance": places(sum(|row| &row["walletBalance"])),
        "totalUnrealizedProfit": places(sum(|row| &row["unrealizedProfit"])), "totalMarginBalance": places(sum(|row| &row["marginBalance"])),
        "totalPositionInitialMargin": places(margin), "totalOpenOrderInitialMargin": "0.00000000",
        "totalCrossWalletBalance": places(sum(|row| &row["crossWalletBalance"])), "totalCrossUnPnl": places(sum(|row| &row["crossUnPnl"])),
        "availableBalance": places(sum(|row| &row["availableBalance"])), "maxWithdrawAmount": places(sum(|row| &row["maxWithdrawAmount"])),
        "assets": rows.iter().chain([&idle]).map(|row| asset_row(asked, row)).collect::<Vec<_>>(), "positions": positions,
    }))
}

fn balance_row(asked: &Asked<'_>, (asset, money): &(String, Money)) -> Value {
    json!({
        "accountAlias": "SgsR", "asset": asset, "balance": places(money.total()), "crossWalletBalance": places(money.total()),
        "crossUnPnl": places(asked.account.books.unrealised(asset)), "availableBalance": places(money.free),
        "updateTime": money.updated_at,
    })
}

pub(super) fn balance(asked: &Asked<'_>) -> Result<Value, Problem> {
    let row = |row: &(String, Money)| {
        let mut shown = balance_row(asked, row);
        (shown["maxWithdrawAmount"], shown["marginAvailable"]) = (places(row.1.free).into(), true.into());
        shown
    };
    Ok(assets(asked, Kind::Dollars).iter().map(row).collect())
}

/// With a sign: a short is a negative number.
fn signed(position: &Position, number: Fixed) -> Fixed {
    if position.side == Side::Buy { number } else { -number }
}

/// With three places, or as many as it needs.
pub(super) fn amount(position: &Position) -> String {
    let (size, amount) = (position.size, signed(position, position.size));
    if size.floor_to(Fixed::new(1, 3)) == size { format!("{amount:.3}") } else { amount.to_string() }
}

/// In dollars; of a contract settled in coins, in coins.
fn notional(position: &Position) -> Fixed {
    let value = position.value();
    signed(position, if position.category == Category::Inverse { value.over(position.mark) } else { value })
}

fn initial_margin(position: &Position) -> Fixed {
    notional(position).abs().over(position.leverage)
}

/// Only those that are open.
pub(super) fn positions(asked: &Asked<'_>) -> Result<Value, Problem> {
    let row = |position: &Position| {
        let margin = places(initial_margin(position));
        json!({
            "symbol": position.symbol, "positionSide": "BOTH", "positionAmt": amount(position), "entryPrice": position.entry,
            "breakEvenPrice": position.entry, "markPrice": places(position.mark), "unRealizedProfit": places(position.unrealised),
            "liquidationPrice": position.liquidation.unwrap_or_default(), "isolatedMargin": "0", "notional": places(notional(position)),
            "marginAsset": position.currency, "isolatedWallet": "0", "initialMargin": margin, "maintMargin": "3.63",
            "positionInitialMargin": margin, "openOrderInitialMargin": "0", "adl": 2, "bidNotional": "0", "askNotional": "0",
            "updateTime": position.updated_at,
        })
    };
    Ok(positions_of(asked, Kind::Dollars).map(row).collect())
}

/// Leverage is told only here.
pub(super) fn symbol_config(asked: &Asked<'_>) -> Result<Value, Problem> {
    let row = |position: &Position| {
        json!({
            "symbol": position.symbol, "marginType": "CROSSED", "isAutoAddMargin": false,
            "leverage": position.leverage.as_f64().round() as i64, "maxNotionalValue": "1000000",
        })
    };
    Ok(positions_of(asked, Kind::Dollars).map(row).collect())
}

fn orders(asked: &Asked<'_>, kind: Kind) -> Result<Value, Problem> {
    let symbol = asked.parameters.get("symbol");
    let known =
        |symbol: &str| contracts(asked.account.venue).any(|it| it.category == kind.category() && it.symbol == symbol);
    if symbol.is_some_and(|symbol| !known(symbol)) {
        return Err(invalid_symbol());
    }
    let meant = asked
        .account
        .books
        .open_orders()
        .filter(|order| order.category == kind.category() && symbol.is_none_or(|symbol| symbol == order.symbol));
    Ok(meant.map(|it| order(it, kind)).collect())
}

pub(super) fn open_orders(asked: &Asked<'_>) -> Result<Value, Problem> {
    orders(asked, Kind::Dollars)
}

pub(super) fn coin_open_orders(asked: &Asked<'_>) -> Result<Value, Problem> {
    orders(asked, Kind::Coins)
}

fn order(order: &Order, kind: Kind) -> Value {
    let mut row = json!({
        "avgPrice": order.average().unwrap_or_default(), "clientOrderId": client_id(order), "executedQty": order.filled,
        "orderId": id(&order.id), "origQty": order.quantity, "origType": "LIMIT", "price": order.price, "reduceOnly": false,
        "side": side(order.side), "positionSide": "BOTH", "status": status(order.status), "stopPrice": "0", "closePosition": false,
        "symbol": order.symbol, "time": order.created_at, "timeInForce": "GTC", "type": "LIMIT", "updateTime": order.updated_at,
        "workingType": "CONTRACT_PRICE", "priceProtect": false, "priceMatch": "NONE", "selfTradePreventionMode": "NONE",
    });
    match kind {
        Kind::Dollars => (row["cumQuote"], row["goodTillDate"]) = (order.quote_filled.to_string().into(), 0.into()),
        Kind::Coins => {
            row["cumBase"] = places(order.quote_filled.over(order.price)).into();
            row["pair"] = order.symbol.split('_').next().unwrap_or_default().into();
        }
    }
    row
}

pub(super) fn coin_exchange_info(asked: &Asked<'_>) -> Result<Value, Problem> {
    let symbols = contracts(asked.account.venue).filter(|it| it.category == Category::Inverse).map(|it| {
        json!({
            "symbol": it.symbol, "pair": format!("{}{}", it.base, it.quote), "contractType": "PERPETUAL",
            "deliveryDate": 4_133_404_800_000u64, "onboardDate": 1_597_042_800_000u64, "contractStatus": "TRADING",
            "contractSize": it.contract_size.as_f64() as u64, "quoteAsset": it.quote, "baseAsset": it.base, "marginAsset": it.settle,
            "pricePrecision": 1, "quantityPrecision": 0, "baseAssetPrecision": 8, "quotePrecision": 8, "underlyingType": "COIN",
        })
    });
    let symbols: Vec<Value> = symbols.collect();
    Ok(json!({
        "timezone": "UTC", "serverTime": asked.now, "exchangeFilters": [], "symbols": symbols,
        "rateLimits": [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2_400}],
    }))
}

/// Every contract, held or not.
fn coin_rows(asked: &Asked<'_>, row: fn(&str, Option<&Position>) -> Value) -> Vec<Value> {
    let symbols = contracts(asked.account.venue).filter(|it| it.category == Category::Inverse).map(|it| it.symbol);
    let all = symbols.chain(["ETHUSD_PERP".to_owned()]);
    all.map(|symbol| row(&symbol, asked.account.books.position(Category::Inverse, &symbol))).collect()
}

/// In whole contracts.
fn coin_position(symbol: &str, position: Option<&Position>) -> Value {
    let of = |part: fn(&Position) -> Fixed| position.map(part).unwrap_or_default();
    let leverage = position.map_or_else(|| "20".to_owned(), |position| position.leverage.to_string());
    json!({
        "symbol": symbol, "positionAmt": of(|it| signed(it, it.size)), "entryPrice": places(of(|it| it.entry)),
        "breakEvenPrice": places(of(|it| it.entry)), "markPrice": places(of(|it| it.mark)),
        "unRealizedProfit": places(of(|it| it.unrealised)), "liquidationPrice": of(|it| it.liquidation.unwrap_or_default()),
        "leverage": leverage, "maxQty": "250", "marginType": "cross", "isolatedMargin": "0.00000000", "isAutoAddMargin": "false",
        "positionSide": "BOTH", "notionalValue": places(of(notional)), "isolatedWallet": "0",
        "updateTime": position.map_or(0, |position| position.updated_at),
    })
}

pub(super) fn coin_positions(asked: &Asked<'_>) -> Result<Value, Problem> {
    Ok(coin_rows(asked, coin_position).into())
}

pub(super) fn coin_balance(asked: &Asked<'_>) -> Result<Value, Problem> {
    let row = |row: &(String, Money)| {
        let mut shown = balance_row(asked, row);
        shown["withdrawAvailable"] = places(row.1.free).into();
        shown
    };
    Ok(assets(asked, Kind::Coins).iter().map(row).collect())
}

pub(super) fn coin_account(asked: &Asked<'_>) -> Result<Value, Problem> {
    let position = |symbol: &str, position: Option<&Position>| {
        let mut row = coin_position(symbol, position);
        let gain = row["unRealizedProfit"].take();
        row["unrealizedProfit"] = gain;
        row["isolated"] = false.into();
        row["initialMargin"] = places(position.map(initial_margin).unwrap_or_default()).into();
        row["maintMargin"] = "0.00000000".into();
        if let Some(members) = row.as_object_mut() {
            let foreign = [
                "unRealizedProfit",
                "markPrice",
                "liquidationPrice",
                "marginType",
                "isolatedMargin",
                "isAutoAddMargin",
            ];
            members.retain(|name, _| !foreign.contains(&name.as_str()));
        }
        row
    };
    let assets: Vec<Value> = assets(asked, Kind::Coins).iter().map(|row| asset_row(asked, row)).collect();
    Ok(json!({
        "assets": assets, "positions": coin_rows(asked, position), "canDeposit": true, "canTrade": true, "canWithdraw": true,
        "feeTier": 2, "updateTime": 0,
    }))
}
