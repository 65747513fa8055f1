//! The account on the status page.

use std::collections::BTreeMap;

use maud::{Markup, html};
use rust_decimal::Decimal;

use super::page::span;
use crate::account::show::{Picture, Valued, picture};
use crate::account::valuation::{USDT, Worth};
use crate::account::{Balance, Rights};
use crate::context::Context;

/// Assets shown; the metrics have them all.
const ASSETS: usize = 50;

/// Nothing without a key.
pub fn section(context: &Context, now: f64) -> Markup {
    let Some(picture) = picture(context) else { return html! {} };
    let label = context.desk.as_ref().map_or("", |desk| desk.terms.label.as_str());
    html! {
        section {
            h2 { "Account" @if !label.is_empty() { " " (label) } }
            (summary(&picture, now))
            @if let Some(worth) = &picture.worth { (assets(&picture.balances, worth)) }
            @if let Some(open) = picture.positions.as_ref().filter(|open| !open.is_empty()) { (positions(open)) }
        }
    }
}

fn summary(picture: &Picture, now: f64) -> Markup {
    let amount = |amount: Decimal, currency: &str| format!("{} {currency}", grouped(amount));
    let orders: Option<usize> = picture.orders.as_ref().map(|orders| orders.values().sum());
    let unread: Vec<&str> = picture.wallets.iter().filter(|(_, read)| !**read).map(|(wallet, _)| *wallet).collect();
    html! {
        dl.summary {
            div { dt { "equity" } dd {
                @match &picture.worth {
                    Some(worth) => { (amount(worth.usdt, USDT)) }
                    None => { "unknown" }
                }
            } }
            @if let Some(worth) = &picture.worth {
                @for fx in &picture.fx {
                    @if let Some((value, source)) = fx.rate.and_then(|(rate, source)| Some((worth.usdt.checked_mul(rate)?, source))) {
                        div { dt { "in " (fx.currency) " by " (source) } dd { (amount(value, &fx.currency)) } }
                    }
                }
            }
            div { dt { "refreshed" } dd { (picture.last_success.map_or("never".into(), |at| format!("{} ago", span(now - at)))) } }
            div { dt { "open orders" } dd { (orders.map_or("unknown".into(), |count| count.to_string())) } }
            div { dt { "key may" } dd { (rights(picture.rights)) } }
            @if !unread.is_empty() { div { dt { "wallets not read" } dd.bad { (unread.join(", ")) } } }
        }
    }
}

fn rights(rights: Option<Rights>) -> Markup {
    let Some(rights) = rights else { return html! { "unknown" } };
    let names = [("read", rights.read), ("trade", rights.trade), ("transfer", rights.transfer)];
    let may: Vec<&str> = names.iter().filter(|(_, may)| *may == Some(true)).map(|(name, _)| *name).collect();
    html! {
        (may.join(", "))
        @if rights.withdraw == Some(true) { " " span.bad { "WITHDRAW" } }
    }
}

fn assets(balances: &[Balance], worth: &Worth) -> Markup {
    let mut held: BTreeMap<&str, (Decimal, Vec<&str>)> = BTreeMap::new();
    for balance in balances {
        let (sum, wallets) = held.entry(&balance.asset).or_default();
        *sum = sum.checked_add(balance.net()).unwrap_or(*sum);
        wallets.push(balance.wallet);
    }
    let mut rows: Vec<_> = held.into_iter().map(|(asset, held)| (asset, held, worth.assets.get(asset))).collect();
    // What is worth most comes first, what has no price last.
    rows.sort_by(|(_, _, a), (_, _, b)| b.cmp(a));
    html! {
        table {
            thead { tr { th { "asset" } th { "wallets" } th.number { "net amount" } th.number { "value in USDT" } } }
            tbody {
                @for (asset, (amount, wallets), value) in rows.iter().take(ASSETS) {
                    tr {
                        td { b { (asset) } }
                        td.quiet { (wallets.join(", ")) }
                        td.number { (amount.normalize()) }
                        @match value {
                            Some(value) => { td.number { (grouped(**value)) } }
                            None => { td.number.bad { "no market prices it" } }
                        }
                    }
                }
            }
        }
        @if rows.len() > ASSETS { p.quiet { "and " (rows.len() - ASSETS) " more" } }
    }
}

fn positions(open: &[Valued]) -> Markup {
    let figure = |value: Option<Decimal>| value.map_or(String::new(), grouped);
    html! {
        h3 { "Positions" }
        table {
            thead { tr {
                th { "symbol" } th { "side" } th.number { "quantity" } th.number { "value in USDT" } th.number { "profit in USDT" }
                th.number { "leverage" } th.number { "liquidation" }
            } }
            tbody {
                @for (shown, value, pnl) in open {
                    tr {
                        td { b { (shown.symbol) } " " span.quiet { (shown.market.as_str()) } }
                        td { (shown.position.side.as_str()) }
                        td.number { (shown.quantity.map_or(String::new(), |quantity| quantity.round_dp(8).normalize().to_string())) }
                        td.number { (figure(value.map(|value| value.abs()))) }
                        td.number { (figure(*pnl)) }
                        td.number { (shown.position.leverage.map_or(String::new(), |leverage| format!("{}×", leverage.normalize()))) }
                        td.number { (shown.position.liquidation.map_or(String::new(), |price| price.normalize().to_string())) }
                    }
                }
            }
        }
    }
}

/// Two decimals and groups of three digits, as people write money.
fn grouped(amount: Decimal) -> String {
    let text = format!("{:.2}", amount.abs().round_dp(2));
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let mut groups = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            groups.push(' ');
        }
        groups.push(digit);
    }
    let sign = if amount.is_sign_negative() && !amount.is_zero() { "−" } else { "" };
    format!("{sign}{groups}.{cents}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_like_money() {
        for (amount, text) in
            [("1234567.891", "1 234 567.89"), ("-0.5", "−0.50"), ("999.999", "1 000.00"), ("0", "0.00")]
        {
            assert_eq!(grouped(amount.parse().unwrap()), text);
        }
    }
}
