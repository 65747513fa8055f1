//! The plain exporter that ours is measured against: what one writes without thinking of speed. Owned serde structs,
//! text parsed by the standard library, `with_label_values` for every value of every message, `TextEncoder`.
//!
//! It is given every benefit of the doubt: one thread, only the fields that are used, kinds told apart by a look at the
//! text, the canonical names only, no keep-alive, no staleness, no errors counted.

pub mod binance;
pub mod bybit;
pub mod coinbase;
pub mod kucoin;
pub mod okx;

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::{
    Encoder as _, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, Result, TextEncoder,
};

/// Its metrics.
pub struct Gauges {
    registry: Registry,
    last: GaugeVec,
    bid: GaugeVec,
    ask: GaugeVec,
    volume_base: GaugeVec,
    volume_quote: GaugeVec,
    high: GaugeVec,
    low: GaugeVec,
    change: GaugeVec,
    updated: GaugeVec,
    info: GaugeVec,
    messages: IntCounterVec,
    bytes: IntCounterVec,
    lag: HistogramVec,
}

impl Gauges {
    /// Registered, and without values.
    pub fn new(exchange: &str) -> Result<Self> {
        let registry = Registry::new();
        let options = |name: &str| Opts::new(name, "Help of about the usual length.").const_label("exchange", exchange);
        let gauge = |name, labels: &[&str]| {
            let gauge = GaugeVec::new(options(name), labels)?;
            registry.register(Box::new(gauge.clone())).map(|()| gauge)
        };
        let counter = |name| {
            let counter = IntCounterVec::new(options(name), &["stream"])?;
            registry.register(Box::new(counter.clone())).map(|()| counter)
        };
        let symbol = ["market", "symbol"];
        let lag = HistogramOpts { common_opts: options("exchange_event_lag_seconds"), ..HistogramOpts::new("", "") };
        let lag = HistogramVec::new(lag, &["stream"])?;
        registry.register(Box::new(lag.clone()))?;
        Ok(Self {
            last: gauge("exchange_last_price", &symbol)?,
            bid: gauge("exchange_best_bid_price", &symbol)?,
            ask: gauge("exchange_best_ask_price", &symbol)?,
            volume_base: gauge("exchange_volume_24h_base", &symbol)?,
            volume_quote: gauge("exchange_volume_24h_quote", &symbol)?,
            high: gauge("exchange_high_24h_price", &symbol)?,
            low: gauge("exchange_low_24h_price", &symbol)?,
            change: gauge("exchange_price_change_24h_ratio", &symbol)?,
            updated: gauge("exchange_ticker_last_update_timestamp_seconds", &symbol)?,
            info: gauge("exchange_symbol_info", &["market", "symbol", "base", "quote", "venue_symbol"])?,
            messages: counter("exchange_websocket_messages_total")?,
            bytes: counter("exchange_websocket_received_bytes_total")?,
            lag,
            registry,
        })
    }

    /// Counts a frame.
    pub fn count(&self, text: &str) {
        self.messages.with_label_values(&["public"]).inc();
        self.bytes.with_label_values(&["public"]).inc_by(text.len() as u64);
    }

    /// The names of a symbol.
    pub fn list(&self, symbol: &str) {
        let at = symbol.char_indices().nth_back(3).map_or(0, |(at, _)| at);
        let (base, quote) = symbol.split_at(at);
        self.info.with_label_values(&["spot", symbol, base, quote, symbol]).set(1.0);
    }

    /// Everything as text.
    pub fn text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        // Writing to memory does not fail.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut out);
        out
    }

    fn heard(&self, symbol: &str, milliseconds: Option<i64>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        self.updated.with_label_values(&["spot", symbol]).set(now);
        if let Some(at) = milliseconds {
            self.lag.with_label_values(&["public"]).observe((now - at as f64 / 1000.0).max(0.0));
        }
    }
}

fn set(gauge: &GaugeVec, symbol: &str, text: &str) -> Option<()> {
    put(gauge, symbol, text.parse().ok()?)
}

fn put(gauge: &GaugeVec, symbol: &str, value: f64) -> Option<()> {
    gauge.with_label_values(&["spot", symbol]).set(value);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deck::{options, trading};
    use crate::venues::CASES;
    use fake_venues::market::Market;

    #[test]
    fn understands_every_venue() {
        for case in &CASES {
            let gauges = Gauges::new(case.name()).unwrap();
            let market = Market::new(case.fake, 1, options(case, 20).symbols, 0);
            for quote in trading(&market) {
                for frame in (case.frames)(quote) {
                    assert_eq!((case.plain)(&frame, &gauges), Some(()), "{frame}");
                }
            }
            let text = String::from_utf8(gauges.text()).unwrap();
            for gauge in ["last_price", "best_bid_price", "best_ask_price", "volume_24h_base", "price_change_24h_ratio"]
            {
                assert_eq!(text.matches(&format!("\nexchange_{gauge}{{")).count(), 20, "{} {gauge}", case.name());
            }
        }
    }
}
