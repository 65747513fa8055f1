//! Keeps up the private conversations that the account has at the moment.

use std::sync::Arc;

use tokio::sync::watch::{Sender, channel};
use tokio::task::{AbortHandle, JoinSet};

use super::{Account, View};
use crate::context::Context;
use crate::websocket::keeper::keep;
use crate::websocket::line::Cargo;

/// One of them.
struct Listener {
    name: &'static str,
    _cargo: Sender<Cargo>,
    task: AbortHandle,
}

/// All of them. Dropped, they hang up.
#[derive(Default)]
pub struct Listeners {
    up: Vec<Listener>,
    /// How many there have been: each line has a number of its own.
    numbered: usize,
    /// The account's mode that they are for.
    mode: Option<&'static str>,
    tasks: JoinSet<()>,
}

impl Listeners {
    /// Brings up what the account has, and hangs up what it has no more: all of it when its mode changed.
    pub fn settle(&mut self, context: &Arc<Context>, account: &dyn Account, view: &View) {
        if view.mode != self.mode {
            self.hang_up();
            self.mode = view.mode;
        }
        let mut wanted = account.feeds(view);
        self.up.retain(|one| match wanted.iter().position(|feed| feed.name() == one.name) {
            Some(place) => {
                wanted.remove(place);
                true
            }
            None => {
                one.task.abort();
                false
            }
        });
        for feed in wanted {
            let name = feed.name();
            let (cargo, receiver) = channel(Cargo::private(feed.into()));
            let task = self.tasks.spawn_local(keep(Arc::clone(context), self.numbered, receiver));
            self.numbered += 1;
            self.up.push(Listener { name, _cargo: cargo, task });
        }
    }

    /// Hangs up all.
    pub fn hang_up(&mut self) {
        self.up.drain(..).for_each(|one| one.task.abort());
        self.mode = None;
    }
}
