//! The wallets beside spot, and the key: `/sapi`.

use serde_json::{Value, json};

use super::futures::{self, Kind};
use super::signed::{Asked, Problem};
use super::spot::{EARN, SPOT, places};
use crate::account::{Money, dollars, equity};
use crate::fixed::Fixed;

const FUNDING: &str = "funding";
const MARGIN: &str = "margin";
/// Holds the two sides of one isolated pair.
const ISOLATED: &str = "isolated";

/// What the key may do. Money in futures can only be read by a key that may trade futures.
pub(super) fn restrictions(asked: &Asked<'_>) -> Result<Value, Problem> {
    let key = &asked.account.key;
    let trades = key.trade && key.expires_at.is_none_or(|end| end > asked.now);
    let mut restrictions = json!({
        "ipRestrict": key.addresses.is_some(), "createTime": 1_698_645_219_000u64, "enableReading": key.read,
        "enableWithdrawals": key.withdraw, "enableInternalTransfer": key.transfer, "enableMargin": trades && key.has("margin"),
        "enableFutures": key.has("futures"), "permitsUniversalTransfer": key.transfer, "enableVanillaOptions": key.has("options"),
        "enableFixApiTrade": false, "enableFixReadOnly": false, "enableSpotAndMarginTrading": trades,
        "enablePortfolioMarginTrading": false,
    });
    if let Some(end) = key.expires_at {
        restrictions["tradingAuthorityExpirationTime"] = end.into();
    }
    Ok(restrictions)
}

/// What so many dollars are in another asset.
fn over(asked: &Asked<'_>, worth: Fixed, asset: &str) -> Option<Fixed> {
    Some(worth.over(dollars(asked.account.venue, asked.market, asset)?))
}

fn bitcoins(asked: &Asked<'_>, asset: &str, amount: Fixed) -> Fixed {
    let worth = dollars(asked.account.venue, asked.market, asset).map(|price| price.times(amount));
    worth.and_then(|worth| over(asked, worth, "BTC")).unwrap_or_default()
}

/// Every wallet, in bitcoin unless asked otherwise.
pub(super) fn balance(asked: &Asked<'_>) -> Result<Value, Problem> {
    let quote = asked.parameters.get("quoteAsset").unwrap_or("BTC");
    let illegal = || Problem::bug(-1130, "Data sent for parameter 'quoteAsset' is not valid.");
    over(asked, Fixed::ONE, quote).ok_or_else(illegal)?;
    let of = |wallet: &str| Some(equity(asked.account.venue, asked.market, &asked.account.books, wallet));
    let rows = [
        ("Spot", of(SPOT)),
        ("Funding", of(FUNDING)),
        ("Cross Margin", of(MARGIN)),
        ("Isolated Margin", of(ISOLATED)),
        ("USDⓈ-M Futures", Some(futures::equity(asked, Kind::Dollars))),
        ("COIN-M Futures", Some(futures::equity(asked, Kind::Coins))),
        ("Earn", of(EARN)),
        ("Options", None),
        ("Trading Bots", None),
        ("Copy Trading", None),
    ];
    let row = |(name, worth): (&str, Option<Fixed>)| {
        let amount = worth.and_then(|worth| over(asked, worth, quote)).unwrap_or_default();
        json!({"activate": worth.is_some(), "balance": amount.floor_to(Fixed::new(1, 8)), "walletName": name})
    };
    Ok(rows.into_iter().map(row).collect())
}

pub(super) fn funding(asked: &Asked<'_>) -> Result<Value, Problem> {
    let only = asked.parameters.get("asset");
    let valued = asked.parameters.get("needBtcValuation") == Some("true");
    let held = asked.account.books.assets(FUNDING).filter(|(asset, _)| only.is_none_or(|only| only == *asset));
    let row = |(asset, money): (&str, Money)| {
        let mut row = json!({
            "asset": asset, "free": money.free, "locked": money.locked, "freeze": "0", "withdrawing": "0",
        });
        let worth = if valued { bitcoins(asked, asset, money.total()) } else { Fixed::ZERO };
        row["btcValuation"] = worth.floor_to(Fixed::new(1, 8)).to_string().into();
        row
    };
    Ok(held.map(row).collect())
}

/// What is in savings: flexible is what is free there, locked products what is locked.
pub(super) fn earn(asked: &Asked<'_>) -> Result<Value, Problem> {
    let sum = |part: fn(Money) -> Fixed, target: &str| {
        let worth =
            |(asset, money): (&str, Money)| Some(part(money).times(dollars(asked.account.venue, asked.market, asset)?));
        let worth: Fixed = asked.account.books.assets(EARN).filter_map(worth).sum();
        places(over(asked, worth, target).unwrap_or_default())
    };
    Ok(json!({
        "totalAmountInBTC": sum(Money::total, "BTC"), "totalAmountInUSDT": sum(Money::total, "USDT"),
        "totalFlexibleAmountInBTC": sum(|money| money.free, "BTC"), "totalFlexibleAmountInUSDT": sum(|money| money.free, "USDT"),
        "totalLockedInBTC": sum(|money| money.locked, "BTC"), "totalLockedInUSDT": sum(|money| money.locked, "USDT"),
    }))
}

/// One page of rows, with their number.
fn page(asked: &Asked<'_>, rows: Vec<Value>) -> Result<Value, Problem> {
    let (current, size) = (asked.parameters.number("current", 1, 1_000)?, asked.parameters.number("size", 10, 100)?);
    let total = rows.len();
    let begin = (current - 1) * size;
    let rows: Vec<Value> = rows.into_iter().skip(begin as usize).take(size as usize).collect();
    Ok(json!({"rows": rows, "total": total}))
}

fn saved<'a>(asked: &'a Asked<'_>) -> impl Iterator<Item = (&'a str, Money)> {
    let only = asked.parameters.get("asset");
    asked.account.books.assets(EARN).filter(move |(asset, _)| only.is_none_or(|only| only == *asset))
}

pub(super) fn flexible(asked: &Asked<'_>) -> Result<Value, Problem> {
    let row = |(asset, money): (&str, Money)| {
        json!({
            "totalAmount": places(money.free), "tierAnnualPercentageRate": {"0-5BTC": 0.05, "5-10BTC": 0.03},
            "latestAnnualPercentageRate": "0.02599895", "asset": asset, "canRedeem": true, "collateralAmount": "0",
            "productId": format!("{asset}001"), "yesterdayRealTimeRewards": "0.10293829", "cumulativeBonusRewards": "0.22759183",
            "cumulativeRealTimeRewards": "0.22759183", "cumulativeTotalRewards": "0.45459183", "autoSubscribe": true,
        })
    };
    page(asked, saved(asked).filter(|(_, money)| !money.free.is_zero()).map(row).collect())
}

pub(super) fn locked(asked: &Asked<'_>) -> Result<Value, Problem> {
    let row = |(at, (asset, money)): (usize, (&str, Money))| {
        json!({
            "positionId": 123_123 + at, "parentPositionId": 123_122 + at, "projectId": format!("{asset}*90"), "asset": asset,
            "amount": places(money.locked), "purchaseTime": "1646182276000", "duration": "90", "accrualDays": "4",
            "rewardAsset": asset, "APY": "0.2032", "rewardAmt": "5.17181528", "nextPay": "1.29295383",
            "nextPayDate": "1646697600000", "payPeriod": "1", "redeemAmountEarly": "0.4", "rewardsEndDate": "1651449600000",
            "deliverDate": "1651536000000", "redeemPeriod": "1", "redeemingAmt": "0", "redeemTo": "FLEXIBLE", "canRedeemEarly": true,
            "autoSubscribe": true, "type": "AUTO", "status": "HOLDING", "canReStake": true,
        })
    };
    page(asked, saved(asked).filter(|(_, money)| !money.locked.is_zero()).enumerate().map(row).collect())
}

fn sum(asked: &Asked<'_>, wallet: &str, part: fn(Money) -> Fixed) -> String {
    let assets = asked.account.books.assets(wallet);
    places(assets.map(|(asset, money)| bitcoins(asked, asset, part(money))).sum())
}

fn owed(money: Money) -> Fixed {
    money.borrowed + money.interest
}

pub(super) fn margin(asked: &Asked<'_>) -> Result<Value, Problem> {
    let row = |(asset, money): (&str, Money)| {
        json!({
            "asset": asset, "borrowed": places(money.borrowed), "free": places(money.free), "interest": places(money.interest),
            "locked": places(money.locked), "netAsset": places(money.net()),
        })
    };
    let books = &asked.account.books;
    // Assets that the wallet might hold are shown, too.
    let idle = ["BNB", "ETH"].into_iter().filter(|asset| books.money(MARGIN, asset).is_nothing());
    let rows: Vec<Value> = books.assets(MARGIN).chain(idle.map(|asset| (asset, Money::default()))).map(row).collect();
    Ok(json!({
        "created": true, "borrowEnabled": true, "tradeEnabled": true, "transferInEnabled": true, "transferOutEnabled": true,
        "accountType": "MARGIN_1", "marginLevel": "5.02000000", "collateralMarginLevel": "5.02000000",
        "totalAssetOfBtc": sum(asked, MARGIN, Money::total), "totalLiabilityOfBtc": sum(asked, MARGIN, owed),
        "totalNetAssetOfBtc": sum(asked, MARGIN, Money::net), "TotalCollateralValueInUSDT": "1000.00000000", "userAssets": rows,
    }))
}

pub(super) fn isolated(asked: &Asked<'_>) -> Result<Value, Problem> {
    let side = |asset: &str| {
        let money = asked.account.books.money(ISOLATED, asset);
        json!({
            "asset": asset, "borrowEnabled": true, "borrowed": places(money.borrowed), "free": places(money.free),
            "interest": places(money.interest), "locked": places(money.locked), "netAsset": places(money.net()),
            "netAssetOfBtc": places(bitcoins(asked, asset, money.net())), "repayEnabled": true, "totalAsset": places(money.total()),
        })
    };
    let pair = json!({
        "baseAsset": side("BTC"), "quoteAsset": side("USDT"), "symbol": "BTCUSDT", "isolatedCreated": true, "enabled": true,
        "marginLevel": "999.00000000", "marginLevelStatus": "EXCESSIVE", "marginRatio": "10.00000000", "indexPrice": "90787.70000000",
        "liquidatePrice": "0.00000000", "liquidateRate": "0.00000000", "tradeEnabled": true,
    });
    Ok(json!({
        "assets": [pair], "totalAssetOfBtc": sum(asked, ISOLATED, Money::total), "totalLiabilityOfBtc": sum(asked, ISOLATED, owed),
        "totalNetAssetOfBtc": sum(asked, ISOLATED, Money::net),
    }))
}
