//! The same over HTTP, below `/fake/`, for the demo.

use serde::Deserialize;
use serde_json::{Value, json};

use super::books::{Category, Role, Side, Status};
use super::deals::Wish;
use super::trader::trade;
use super::worth::Worth;
use crate::fixed::Fixed;
use crate::http::{Reply, Request};
use crate::world::World;

/// Something to do: `{"do":"deposit","wallet":"spot","asset":"BTC","amount":"0.5"}`.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Deed {
    Deposit {
        wallet: String,
        asset: String,
        amount: Fixed,
    },
    Withdraw {
        wallet: String,
        asset: String,
        amount: Fixed,
    },
    Transfer {
        from: String,
        to: String,
        asset: String,
        amount: Fixed,
    },
    Hold {
        wallet: String,
        asset: String,
        amount: Fixed,
    },
    Debt {
        wallet: String,
        asset: String,
        borrowed: Fixed,
        interest: Fixed,
    },
    Place {
        category: Option<Category>,
        symbol: String,
        side: Side,
        price: Fixed,
        quantity: Fixed,
    },
    Fill {
        order: String,
        quantity: Fixed,
        role: Role,
    },
    Cancel {
        order: String,
    },
    Reject {
        order: String,
    },
    Expire {
        order: String,
    },
    OpenPosition {
        category: Category,
        symbol: String,
        side: Side,
        size: Fixed,
        price: Fixed,
        leverage: Fixed,
    },
    MoveMark {
        category: Category,
        symbol: String,
        mark: Fixed,
    },
    ClosePosition {
        category: Category,
        symbol: String,
    },
    /// Whatever the dice say.
    Anything,
}

pub(crate) fn is_control(path: &str) -> bool {
    matches!(path, "/fake/books" | "/fake/worth" | "/fake/key" | "/fake/account")
}

/// `GET /fake/books`, `GET /fake/worth`, `GET` and `POST /fake/key` (any of its members), `POST /fake/account`.
pub(crate) fn answer(world: &World, request: &Request) -> Reply {
    let done = match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/fake/books") => Ok(json!(world.account.lock().books)),
        ("GET", "/fake/worth") => {
            let account = world.account.lock();
            Ok(json!(Worth::of(world.venue, &world.market.lock(), &account.books)))
        }
        ("GET", "/fake/key") => Ok(json!(world.account.lock().key)),
        ("POST", "/fake/key") => change_key(world, &request.body),
        ("POST", "/fake/account") => match serde_json::from_slice(&request.body) {
            Ok(deed) => act(world, deed),
            Err(error) => Err(error.to_string()),
        },
        _ => return Reply::json(404, &json!({"error": "no such control"})),
    };
    match done {
        Ok(answer) => Reply::json(200, &answer),
        Err(error) => Reply::json(400, &json!({"error": error})),
    }
}

fn change_key(world: &World, body: &[u8]) -> Result<Value, String> {
    let changes: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let mut account = world.account.lock();
    let mut key = json!(account.key);
    for (name, value) in changes.as_object().into_iter().flatten() {
        if key.get(name).is_none() {
            return Err(format!("a key has no {name}"));
        }
        key[name] = value.clone();
    }
    account.key = serde_json::from_value(key).map_err(|error| error.to_string())?;
    account.revision += 1;
    Ok(json!(account.key))
}

fn act(world: &World, deed: Deed) -> Result<Value, String> {
    let done = world.deal(|account, market, now| {
        Ok(match deed {
            Deed::Deposit { wallet, asset, amount } => {
                account.deposit(now, &wallet, &asset, amount);
                None
            }
            Deed::Withdraw { wallet, asset, amount } => {
                account.withdraw(now, &wallet, &asset, amount)?;
                None
            }
            Deed::Transfer { from, to, asset, amount } => {
                account.transfer(now, (&from, &to), &asset, amount)?;
                None
            }
            Deed::Hold { wallet, asset, amount } => ended(account.hold(now, &wallet, &asset, amount))?,
            Deed::Debt { wallet, asset, borrowed, interest } => {
                account.set_debt(now, &wallet, &asset, borrowed, interest);
                None
            }
            Deed::Place { category, symbol, side, price, quantity } => {
                Some(account.place(market, now, &Wish { category, symbol: &symbol, side, price, quantity })?)
            }
            Deed::Fill { order, quantity, role } => Some(account.fill(market, now, &order, quantity, role)?),
            Deed::Cancel { order } => ended(account.end(now, &order, Status::Canceled))?,
            Deed::Reject { order } => ended(account.end(now, &order, Status::Rejected))?,
            Deed::Expire { order } => ended(account.end(now, &order, Status::Expired))?,
            Deed::OpenPosition { category, symbol, side, size, price, leverage } => {
                let wish = Wish { category: Some(category), symbol: &symbol, side, price, quantity: size };
                Some(account.open_position(market, now, &wish, leverage)?)
            }
            Deed::MoveMark { category, symbol, mark } => ended(account.move_mark(now, category, &symbol, mark))?,
            Deed::ClosePosition { category, symbol } => ended(account.close_position(market, now, category, &symbol))?,
            Deed::Anything => {
                trade(account, market, now);
                None
            }
        })
    });
    done.map(|id| json!({"ok": true, "id": id})).map_err(|refusal: super::Refusal| refusal.to_string())
}

fn ended(done: Result<(), super::Refusal>) -> Result<Option<String>, super::Refusal> {
    done.map(|()| None)
}
