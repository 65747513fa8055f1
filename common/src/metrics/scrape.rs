//! One scrape: a picture of every row taken at one moment, then written piece by piece, so that neither its size nor
//! its duration grows a buffer or holds up a frame.

use std::sync::{Arc, Mutex};

use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::proto;

use super::board::{Board, Row, Table};
use super::cell::Shown;
use super::encode::{Encoder, Format, block};
use super::health::{Health, Standing, lock};
use super::vocabulary::{self as names, COLUMNS, Compat, Metric};
use crate::account::show;
use crate::context::Context;
use crate::fault::Source;

/// How much is written before it is handed on.
const PIECE: usize = 64 * 1024;

/// What a program was built from.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// Of the workspace.
    pub version: &'static str,
    /// Of the repository.
    pub revision: &'static str,
    /// The compiler's.
    pub rustc: &'static str,
}

/// This one.
pub const BUILD: Build =
    Build { version: env!("CARGO_PKG_VERSION"), revision: env!("BUILD_REVISION"), rustc: env!("BUILD_RUSTC") };

/// Everything that `/metrics` is made of.
#[derive(Debug)]
pub struct Exposition {
    exchange: &'static str,
    board: Arc<Board>,
    health: Arc<Health>,
    process: ProcessCollector,
    compat: bool,
    build_info: String,
    account: Option<Arc<Context>>,
    /// The picture of the last scrape, for its memory.
    picture: Mutex<Vec<Shown>>,
}

impl Exposition {
    /// Of this board and health, with or without the compatibility names.
    pub fn new(exchange: &'static str, board: Arc<Board>, health: Arc<Health>, compat: bool) -> Self {
        let build_info = block([
            ("exchange", exchange),
            ("version", BUILD.version),
            ("revision", BUILD.revision),
            ("rustc", BUILD.rustc),
        ]);
        let picture = Mutex::default();
        let process = ProcessCollector::for_self();
        Self { exchange, board, health, process, compat, build_info, account: None, picture }
    }

    /// With the account of this context, where it has one.
    pub fn with_account(mut self, context: &Arc<Context>) -> Self {
        self.account = context.desk.is_some().then(|| Arc::clone(context));
        self
    }

    /// Takes the picture. The scrape is written by calling [`Scrape::piece`] until it is empty.
    pub fn scrape(self: &Arc<Self>, format: Format) -> Scrape {
        let table = self.board.table();
        let now = self.board.now();
        let mut picture = std::mem::take(&mut *lock(&self.picture));
        picture.clear();
        picture.extend(table.rows.iter().map(|row| row.show(now)));
        Scrape { exposition: Arc::clone(self), format, table, picture, column: 0, canonical: true, row: 0, done: false }
    }

    /// The same, in one piece.
    pub fn text(self: &Arc<Self>, format: Format) -> Vec<u8> {
        let mut scrape = self.scrape(format);
        let mut text = Vec::new();
        while scrape.piece(&mut text) {}
        text
    }
}

/// A scrape under way.
#[derive(Debug)]
pub struct Scrape {
    exposition: Arc<Exposition>,
    format: Format,
    table: Arc<Table>,
    picture: Vec<Shown>,
    column: usize,
    canonical: bool,
    row: usize,
    done: bool,
}

/// The memory goes back for the next one.
impl Drop for Scrape {
    fn drop(&mut self) {
        *lock(&self.exposition.picture) = std::mem::take(&mut self.picture);
    }
}

impl Scrape {
    /// Appends the next piece; false once there is none.
    pub fn piece(&mut self, out: &mut Vec<u8>) -> bool {
        if self.done {
            return false;
        }
        let full = out.len() + PIECE;
        while let Some(column) = COLUMNS.get(self.column) {
            let name = match (self.canonical, column.metric, &column.compat) {
                (true, Some(metric), _) => Some(metric.name.to_owned()),
                (false, _, Some(compat)) if self.exposition.compat => Some(compat.name(self.exposition.exchange)),
                _ => None,
            };
            if let Some(name) = name
                && !self.column(out, &name, column, full)
            {
                return true;
            }
            self.row = 0;
            self.column += usize::from(!self.canonical);
            self.canonical = !self.canonical;
        }
        self.rest(out);
        self.done = true;
        true
    }

    /// Writes rows of one column until the piece is full; true once the column is complete.
    fn column(&mut self, out: &mut Vec<u8>, name: &str, column: &names::Column, full: usize) -> bool {
        let mut encoder = Encoder::new(out, self.format);
        if self.row == 0 {
            match (self.canonical, column.metric, &column.compat) {
                (true, Some(metric), _) => encoder.metric(metric),
                (_, _, Some(compat)) => encoder.head(name, compat.kind, compat.help),
                _ => {}
            }
        }
        let rows = self.table.rows.iter().zip(&self.picture).skip(self.row);
        for (row, shown) in rows {
            // Not between the head and its first row: the next piece would write the head again.
            if self.row > 0 && encoder.written() >= full {
                return false;
            }
            let labels = if self.canonical { Some((column.labels)(row)) } else { row.compat.as_deref() };
            let value = (column.value)(shown);
            if let Some(labels) = labels
                && !value.is_nan()
            {
                encoder.sample(name, labels, value);
            }
            self.row += 1;
        }
        true
    }

    /// Everything that does not grow with the symbols.
    fn rest(&self, out: &mut Vec<u8>) {
        let exposition = &*self.exposition;
        let mut encoder = Encoder::new(out, self.format);
        self.symbols(&mut encoder);
        let mut gauges = Gauges { encoder, exchange: exposition.exchange };
        gauges.streams(&exposition.health);
        gauges.venue(&exposition.health);
        let mut encoder = gauges.encoder;
        let health = &exposition.health;
        if let Some(context) = &exposition.account {
            show::write(&mut encoder, context, exposition.compat);
        }
        let counters: [&dyn Collector; 8] = [
            &health.messages,
            &health.bytes,
            &health.gaps,
            &health.reconnects,
            &health.lag,
            &health.requests,
            &health.durations,
            &health.errors,
        ];
        for family in counters.iter().flat_map(|one| one.collect()).filter(|family| !family.get_metric().is_empty()) {
            encoder.gathered(&family);
        }
        encoder.metric(&names::BUILD_INFO);
        encoder.sample(names::BUILD_INFO.name, &exposition.build_info, 1.0);
        for family in exposition.process.collect() {
            encoder.gathered(&family);
        }
        if exposition.compat {
            compatibility(&mut encoder, exposition.exchange, health);
        }
        encoder.end();
    }

    fn symbols(&self, encoder: &mut Encoder<'_>) {
        let table = &self.table;
        let streaming = self.picture.iter().filter(|shown| !shown.updated.is_nan()).count();
        let unlisted = |row: &&Arc<Row>| row.unlisted.load(std::sync::atomic::Ordering::Relaxed);
        let rejected = table.rejected.len() + table.rows.iter().filter(unlisted).count();
        encoder.metric(&names::SYMBOLS);
        for (state, count) in
            [("requested", table.rows.len() + table.rejected.len()), ("streaming", streaming), ("rejected", rejected)]
        {
            let labels = block([("exchange", self.exposition.exchange), ("state", state)]);
            encoder.sample(names::SYMBOLS.name, &labels, count as f64);
        }
    }
}

/// Gauges that are made at the scrape: what is unknown makes no sample.
struct Gauges<'b> {
    encoder: Encoder<'b>,
    exchange: &'static str,
}

impl Gauges<'_> {
    fn family<'l>(&mut self, metric: &Metric, samples: impl IntoIterator<Item = (&'l [&'l str], f64)>) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        self.encoder.metric(metric);
        for (values, value) in samples {
            let labels = metric.labels.iter().copied().zip(values.iter().copied());
            self.encoder.sample(metric.name, &block([("exchange", self.exchange)].into_iter().chain(labels)), value);
        }
    }

    fn streams(&mut self, health: &Health) {
        let private = health.known().has_key.then_some(Source::Private);
        let streams: Vec<Source> = [Source::Public].into_iter().chain(private).collect();
        let labels: Vec<[&str; 1]> = streams.iter().map(|source| [source.as_str()]).collect();
        let each = || streams.iter().zip(&labels);
        let status = each().map(|(source, label)| (&label[..], f64::from(u8::from(health.connected(*source)))));
        self.family(&names::CONNECTION_STATUS, status);
        let counts: Vec<([&str; 2], usize)> = streams
            .iter()
            .flat_map(|source| {
                let (lines, stream) = (health.lines(*source), source.as_str());
                let live = lines.iter().filter(|line| line.standing == Standing::Live).count();
                [([stream, "wanted"], lines.len()), ([stream, "live"], live)]
            })
            .collect();
        self.family(&names::CONNECTIONS, counts.iter().map(|(labels, count)| (&labels[..], *count as f64)));
        let heard = each().filter_map(|(source, label)| Some((&label[..], health.last_message(*source)?)));
        self.family(&names::LAST_MESSAGE, heard);
    }

    fn venue(&mut self, health: &Health) {
        let known = health.known();
        self.family(&names::CLOCK_SKEW, known.skew.map(|skew| (&[][..], skew)));
        self.family(&names::SYSTEM_STATUS, known.up.map(|up| (&[][..], f64::from(u8::from(up)))));
        let reasons = ["invalid_credentials", "missing_credentials", "unknown_symbol", "web_config"];
        let flags: Vec<_> = reasons
            .iter()
            .map(|reason| ([*reason], f64::from(u8::from(known.config_errors.contains(reason)))))
            .collect();
        self.family(&names::CONFIG_ERROR, flags.iter().map(|(reason, value)| (&reason[..], *value)));
        self.limits(health);
    }

    fn limits(&mut self, health: &Health) {
        let limits = health.limits();
        let labels: Vec<[&str; 1]> = limits.iter().map(|(name, _)| [name.as_str()]).collect();
        let of = |value: Vec<Option<f64>>| -> Vec<(&[&str], f64)> {
            labels.iter().zip(value).filter_map(|(label, value)| Some((&label[..], value?))).collect()
        };
        let limit = of(limits.iter().map(|(_, state)| state.limit).collect());
        let remaining = of(limits.iter().map(|(_, state)| state.left()).collect());
        let reset = of(limits.iter().map(|(_, state)| state.reset).collect());
        self.family(&names::RATE_LIMIT_LIMIT, limit);
        self.family(&names::RATE_LIMIT_REMAINING, remaining);
        self.family(&names::RATE_LIMIT_RESET, reset);
    }
}

/// The compatibility names that are not about a symbol.
fn compatibility(encoder: &mut Encoder<'_>, exchange: &'static str, health: &Health) {
    let known = health.known();
    let mut one = |compat: &Compat, samples: &[(String, f64)]| {
        let name = compat.name(exchange);
        if !samples.is_empty() {
            encoder.head(&name, compat.kind, compat.help);
        }
        for (labels, value) in samples {
            encoder.sample(&name, labels, *value);
        }
    };
    let flag = |on: bool| f64::from(u8::from(on));
    let venue = block([("exchange", exchange)]);
    let connected = health.connected(Source::Public);
    let sum = |families: Vec<proto::MetricFamily>| -> f64 {
        families.iter().flat_map(|family| family.get_metric()).map(|metric| metric.get_counter().get_value()).sum()
    };
    one(&names::OLD_CONNECTION_STATUS, &[(String::new(), flag(connected))]);
    one(&names::OLD_MESSAGES, &[(String::new(), sum(health.messages.collect()))]);
    one(&names::OLD_UP, &[(venue.clone(), 1.0)]);
    let mut calls = Vec::new();
    for family in health.requests.collect() {
        for metric in family.get_metric() {
            let label =
                |name: &str| metric.get_label().iter().find(|pair| pair.name() == name).map_or("", |pair| pair.value());
            let labels = block([("endpoint", label("endpoint")), ("status", label("outcome"))]);
            calls.push((labels, metric.get_counter().get_value()));
        }
    }
    one(&names::OLD_API_CALLS, &calls);
    let optional = |value: Option<f64>| value.map(|value| (venue.clone(), value)).into_iter().collect::<Vec<_>>();
    one(&names::OLD_LATENCY, &optional(known.latency.map(|seconds| seconds * 1e3)));
    one(&names::OLD_SKEW, &optional(known.skew.map(|seconds| seconds * 1e3)));
    let used = health.limits().into_iter().filter_map(|(name, state)| {
        let left = state.left()?;
        Some((block([("exchange", exchange), ("limit", &name)]), state.limit? - left))
    });
    one(&names::OLD_LIMIT_USED, &used.collect::<Vec<_>>());
    let trading = connected && known.up != Some(false) && !health.limited_now();
    one(&names::OLD_STATE, &[(venue.clone(), flag(trading))]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::cell::Word;
    use crate::number::Said;
    use crate::symbols::Chosen;
    use crate::update::{Instrument, Market, Ticker};

    fn board(rows: usize) -> Arc<Board> {
        let one = |n: usize| {
            let asked = format!("COIN{n:04}-USDT");
            let (base, quote, heard) = (format!("COIN{n:04}"), "USDT".into(), asked.clone());
            Arc::new(Instrument { market: Market::Spot, base, quote, asked, heard, trading: true })
        };
        let board = Arc::new(Board::new("okx"));
        board.set(&Chosen { wanted: (0..rows).map(one).collect(), ..Chosen::default() });
        board
    }

    #[test]
    fn no_family_is_headed_twice_wherever_a_piece_ends() {
        for rows in 400..600 {
            let board = board(rows);
            let hold = board.hold(board.table().rows.clone());
            let value = Said::Number(1.5);
            let ticker = Ticker { last: value, bid: value, ask: value, volume_base: value, ..Ticker::default() };
            for row in hold.rows() {
                hold.say(row, Word { ticker: &ticker, now: 1.0, lag: None });
            }
            let health = Arc::new(Health::new("okx").unwrap());
            let text = Arc::new(Exposition::new("okx", board, health, true)).text_in_pieces(Format::Text);
            let mut heads: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
            let all = heads.len();
            heads.sort_unstable();
            heads.dedup();
            assert_eq!(heads.len(), all, "{rows} rows");
        }
    }

    impl Exposition {
        /// As the web server sends it.
        fn text_in_pieces(self: &Arc<Self>, format: Format) -> String {
            let mut scrape = self.scrape(format);
            let (mut text, mut piece) = (String::new(), Vec::new());
            while scrape.piece(&mut piece) {
                text.push_str(&String::from_utf8(std::mem::take(&mut piece)).unwrap());
            }
            text
        }
    }
}
