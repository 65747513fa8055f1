//! The wallets of an account in Classic mode, its key and its fees.

use serde_json::{Value, json};

use super::rest::{Data, bad, page};
use super::signed;
use crate::account::{Account, Books, Money, dollars};
use crate::fixed::Fixed;
use crate::http::{Reply, Request};
use crate::market::Market;
use crate::world::World;

/// The wallets that the list of accounts shows.
pub(super) const ACCOUNTS: [&str; 2] = ["main", "trade"];
pub(super) const MARGIN: &str = "margin";
/// An isolated margin wallet is called this and its symbol.
pub(super) const ISOLATED: &str = "isolated_";
pub(super) const EARN: &str = "earn";

pub(super) fn with_account<T>(world: &World, read: impl FnOnce(&Account, &Market, u64) -> T) -> T {
    world.deal(|account, market, now| read(account, market, now))
}

/// FNV-1a: the same ids for ever.
fn hash(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The id of a currency's account in a wallet: two styles are in use.
pub(super) fn account_id(wallet: &str, currency: &str) -> String {
    let hash = hash(&[wallet, currency]);
    if wallet == "main" { (hash % 1_000_000_000_000).to_string() } else { format!("63355cd1{hash:016x}") }
}

pub(super) fn api_key(world: &World, _: &Request) -> Data {
    let key = world.account.lock().key.clone();
    let permissions = [
        ("General", key.read),
        ("Spot", key.trade || key.has("spot")),
        ("Margin", key.has("margin")),
        ("Futures", key.has("futures")),
        ("Earn", key.has("earn")),
        ("InnerTransfer", key.transfer),
        ("Transfer", key.withdraw),
        ("Unified", key.has("unified") && key.trade),
    ];
    let permissions: Vec<&str> = permissions.iter().filter(|(_, may)| *may).map(|(name, _)| *name).collect();
    let mut row = json!({
        "remark": key.label, "apiKey": key.id, "apiVersion": signed::version(&key), "permission": permissions.join(","),
        "createdAt": 1_763_600_000_000_u64, "uid": 165_111_215, "isMaster": true, "region": "BR", "kycStatus": 1,
        "thirdPartyApp": "", "siteType": "global",
    });
    if let Some(addresses) = key.addresses.filter(|addresses| !addresses.is_empty()) {
        row["ipWhitelist"] = addresses.iter().map(|address| masked(address)).collect::<Vec<_>>().join(",").into();
    }
    if let Some(end) = key.expires_at {
        row["expiredAt"] = end.into();
    }
    Ok(row.to_string())
}

/// `203.0.113.7` as `203.**.7`.
fn masked(address: &str) -> String {
    let parts = address.split_once('.').zip(address.rsplit_once('.'));
    parts.map_or_else(|| "**".to_owned(), |((first, _), (_, last))| format!("{first}.**.{last}"))
}

/// One row a currency and wallet, of those that hold anything.
pub(super) fn accounts(world: &World, request: &Request) -> Data {
    let (kind, only) = (request.parameter("type"), request.parameter("currency"));
    let books = world.account.lock().books.clone();
    let wallets = ACCOUNTS.iter().filter(|wallet| kind.as_deref().is_none_or(|kind| kind == **wallet));
    let rows = wallets.flat_map(|wallet| {
        let held = books.assets(wallet).filter(|(asset, _)| only.as_deref().is_none_or(|only| only == *asset));
        held.map(move |(asset, money)| {
            json!({
                "id": account_id(wallet, asset), "currency": asset, "type": wallet, "balance": money.total(),
                "available": money.free, "holds": money.locked,
            })
        })
    });
    Ok(Value::Array(rows.collect()).to_string())
}

/// What a margin account says of a currency.
fn margin_row(asset: &str, money: Money) -> Value {
    json!({
        "currency": asset, "total": money.total(), "available": money.free, "hold": money.locked,
        "liability": money.borrowed + money.interest, "liabilityPrincipal": money.borrowed, "liabilityInterest": money.interest,
        "maxBorrowSize": "163", "borrowEnabled": true, "transferInEnabled": true,
    })
}

/// What wallets hold and owe, in another currency; what has no price counts for nothing.
fn totals(account: &Account, market: &Market, wallets: &[&str], currency: &str) -> (Fixed, Fixed) {
    let unit = dollars(account.venue, market, currency).unwrap_or(Fixed::ONE);
    let assets = || wallets.iter().flat_map(|wallet| account.books.assets(wallet));
    let worth = |asset: &str, amount: Fixed| {
        dollars(account.venue, market, asset).map_or(Fixed::ZERO, |price| amount.times(price).over(unit))
    };
    let held = assets().map(|(asset, money)| worth(asset, money.total())).sum();
    (held, assets().map(|(asset, money)| worth(asset, money.borrowed + money.interest)).sum())
}

/// The currency that totals are told in.
fn quote_currency(world: &World, request: &Request) -> Result<String, Reply> {
    let currency = request.parameter("quoteCurrency").unwrap_or_else(|| "USDT".to_owned());
    let known = ["USDT", "KCS", "BTC"].contains(&currency.as_str());
    if known { Ok(currency) } else { Err(bad(world, request, "quoteCurrency is not supported")) }
}

fn is_kind(request: &Request, kinds: [&str; 3]) -> bool {
    request.parameter("queryType").is_none_or(|kind| kinds.contains(&kind.as_str()))
}

pub(super) fn cross_margin(world: &World, request: &Request) -> Data {
    let currency = quote_currency(world, request)?;
    if !is_kind(request, ["MARGIN", "MARGIN_V2", "ALL"]) {
        return Err(bad(world, request, "queryType is invalid"));
    }
    with_account(world, |account, market, _| {
        let (held, owed) = totals(account, market, &[MARGIN], &currency);
        let rows: Vec<Value> = account.books.assets(MARGIN).map(|(asset, money)| margin_row(asset, money)).collect();
        Ok(json!({
            "totalAssetOfQuoteCurrency": held, "totalLiabilityOfQuoteCurrency": owed, "debtRatio": owed.over(held).floor_to(Fixed::new(1, 4)),
            "status": "EFFECTIVE", "accounts": rows,
        })
        .to_string())
    })
}

/// The isolated margin wallets with their symbols.
fn isolated(books: &Books) -> Vec<(&str, &str)> {
    books.wallets.keys().filter_map(|wallet| Some((wallet.as_str(), wallet.strip_prefix(ISOLATED)?))).collect()
}

pub(super) fn isolated_margin(world: &World, request: &Request) -> Data {
    let (currency, only) = (quote_currency(world, request)?, request.parameter("symbol"));
    if !is_kind(request, ["ISOLATED", "ISOLATED_V2", "ALL"]) {
        return Err(bad(world, request, "queryType is invalid"));
    }
    with_account(world, |account, market, now| {
        let mut shown = isolated(&account.books);
        shown.retain(|(_, symbol)| only.as_deref().is_none_or(|only| only == *symbol));
        let rows = shown.iter().filter_map(|(wallet, symbol)| {
            let (base, quote) = symbol.split_once('-')?;
            let (held, owed) = totals(account, market, &[wallet], &currency);
            let side = |asset: &str| margin_row(asset, account.books.money(wallet, asset));
            Some(json!({
                "symbol": symbol, "status": "EFFECTIVE", "debtRatio": owed.over(held).floor_to(Fixed::new(1, 4)),
                "baseAsset": side(base), "quoteAsset": side(quote),
            }))
        });
        let rows: Vec<Value> = rows.collect();
        let wallets: Vec<&str> = shown.iter().map(|(wallet, _)| *wallet).collect();
        let (held, owed) = totals(account, market, &wallets, &currency);
        Ok(json!({
            "totalAssetOfQuoteCurrency": held, "totalLiabilityOfQuoteCurrency": owed, "timestamp": now, "assets": rows,
        })
        .to_string())
    })
}

/// What earns interest, and is in no other wallet.
pub(super) fn earn(world: &World, request: &Request) -> Data {
    let only = request.parameter("currency");
    let books = world.account.lock().books.clone();
    let held = books.assets(EARN).filter(|(asset, _)| only.as_deref().is_none_or(|only| only == *asset));
    let row = |(asset, money): (&str, Money)| {
        let id = hash(&[EARN, asset]) % 10_000_000;
        json!({
            "orderId": id.to_string(), "productId": "2152", "productCategory": "DEMAND", "productType": "SAVING", "currency": asset,
            "incomeCurrency": asset, "returnRate": "0.02", "holdAmount": money.total(), "redeemedAmount": "0", "redeemingAmount": "0",
            "status": "LOCKED", "lockStartTime": 1_763_600_000_000_u64, "lockEndTime": null, "purchaseTime": 1_763_600_000_000_u64,
            "redeemPeriod": 0, "earlyRedeemSupported": 0,
        })
        .to_string()
    };
    let rows: Vec<String> = held.map(row).collect();
    page(world, request, "currentPage", (15, 500), &rows)
}

pub(super) fn base_fee(world: &World, _: &Request) -> Data {
    let fees = world.account.lock().books.fees;
    Ok(json!({"takerFeeRate": fees.taker, "makerFeeRate": fees.maker}).to_string())
}

pub(super) fn trade_fees(world: &World, request: &Request) -> Data {
    let asked = request.parameter("symbols").unwrap_or_default();
    let symbols: Vec<&str> = asked.split(',').collect();
    let known = |symbol: &&str| world.market.lock().find(symbol).is_some();
    if symbols.len() > 10 || !symbols.iter().all(known) {
        return Err(bad(world, request, "symbols: at most ten that there are"));
    }
    let fees = world.account.lock().books.fees;
    let row = |symbol: &&str| json!({"symbol": symbol, "takerFeeRate": fees.taker, "makerFeeRate": fees.maker});
    Ok(Value::Array(symbols.iter().map(row).collect()).to_string())
}
