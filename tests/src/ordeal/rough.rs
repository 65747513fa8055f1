//! What happens to one exporter and its venue, while somebody looks.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::deed::Deed;
use super::post::{BROKEN_WEB, LOOK, Post, WEB};
use crate::Venue;
use crate::account::KeyState;
use crate::fault::Fault;
use crate::inspect::{Breach, Needles};
use crate::stack::Signal;

/// All of a shutdown fits into this.
const END: Duration = Duration::from_secs(9);
/// So many pairs that were not there at first.
const MOST_LISTED: usize = 4;

impl Post {
    /// Lets things happen for so long, and looks all the time.
    ///
    /// # Errors
    /// The exporter cannot be started again.
    pub async fn rough(&mut self, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let (deed, lasts) = self.plan.weather.next(&mut self.dice);
            self.during = format!("{deed:?}");
            self.report.deeds += 1;
            self.begin(&deed).await?;
            let over = (Instant::now() + lasts).min(end);
            while Instant::now() < over {
                self.look().await;
                if deed == Deed::Storm {
                    self.fake.inflict(Fault::Drop);
                }
                sleep(LOOK).await;
            }
            self.undo(&deed)?;
        }
        Ok(())
    }

    async fn begin(&mut self, deed: &Deed) -> io::Result<()> {
        match deed {
            Deed::Calm | Deed::Storm => {}
            Deed::Suffer(faults) => faults.iter().for_each(|fault| self.fake.inflict(fault.clone())),
            Deed::List if self.listed.len() < MOST_LISTED => self.list(),
            Deed::List | Deed::Delist => {
                if let Some(symbol) = (!self.listed.is_empty()).then(|| self.listed.remove(0)) {
                    self.fake.delist(&symbol);
                    self.delisted.push(symbol);
                }
            }
            Deed::RotateKey => self.rotate()?,
            Deed::RefuseKey => self.fake.change_key(|key| key.state = KeyState::Unknown),
            Deed::BreakWebConfig => fs::write(self.file("web.yml"), BROKEN_WEB)?,
            Deed::Restart(signal) => self.restart(*signal).await?,
        }
        Ok(())
    }

    fn list(&mut self) {
        self.listings += 1;
        let letter = |digit: usize| char::from(b'A' + (digit % 26) as u8);
        let base = format!("NEW{}{}", letter(self.listings / 26), letter(self.listings));
        let quote = if self.plan.venue == Venue::Coinbase { "USD" } else { "USDT" };
        self.listed.push(self.fake.list(&base, quote));
    }

    /// The end of what does not end by itself.
    pub(super) fn undo(&mut self, deed: &Deed) -> io::Result<()> {
        self.fake.clear();
        match deed {
            // A key that the venue forgot does not come back: its owner makes another one.
            Deed::RefuseKey => self.rotate(),
            Deed::BreakWebConfig => fs::write(self.file("web.yml"), WEB),
            _ => Ok(()),
        }
    }

    async fn restart(&mut self, signal: Signal) -> io::Result<()> {
        self.restarts += 1;
        let needles = Needles::new(self.fake.confided());
        self.read_log(&needles);
        self.process()?.signal(signal);
        let deadline = Instant::now() + END;
        let status = loop {
            if let Some(status) = self.process()?.ended() {
                break status;
            }
            if Instant::now() > deadline {
                self.found(Breach::of("SIGTERM ends it soon", vec!["it goes on".to_owned()]));
                self.process()?.kill();
            }
            sleep(LOOK / 10).await;
        };
        if signal == Signal::TERM && status.code() != Some(0) {
            self.found(Breach::of("SIGTERM ends it with status 0", vec![status.to_string()]));
        }
        self.launch().await
    }
}
