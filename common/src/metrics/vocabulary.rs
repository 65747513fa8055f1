//! Every metric that the suite exports, once: name, type, labels, help. Code, reference page and tests read this table.

use super::board::Row;
use super::cell::Shown;

/// The types of the exposition formats that we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Only rises.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Counts by size.
    Histogram,
    /// Always 1; what it says is in its labels.
    Info,
}

impl Type {
    /// As the reference prints it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
            Type::Histogram => "histogram",
            Type::Info => "info",
        }
    }
}

/// One metric. `exchange` stands on every one and is not listed in `labels`.
#[derive(Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// Its labels besides `exchange`.
    pub labels: &'static [&'static str],
    /// One sentence.
    pub help: &'static str,
}

/// One figure of a symbol: where the canonical and the compatibility name find their value.
#[derive(Debug)]
pub struct Column {
    /// The canonical metric.
    pub metric: Option<&'static Metric>,
    /// The compatibility name behind `<venue>_`, for spot symbols.
    pub compat: Option<Compat>,
    /// The labels of the canonical metric.
    pub labels: fn(&Row) -> &str,
    /// The value; NaN leaves no series.
    pub value: fn(&Shown) -> f64,
}

/// With a symbol's labels.
const OF_SYMBOL: Column = Column { metric: None, compat: None, labels: |row| &row.labels, value: |_| f64::NAN };

/// A name that users' dashboards had before; `{venue}_` comes first unless it starts with `exchange_`.
#[derive(Debug)]
pub struct Compat {
    /// The name behind the venue's.
    pub suffix: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// Its type.
    pub kind: Type,
    /// Its labels.
    pub labels: &'static [&'static str],
}

impl Compat {
    const fn symbol(suffix: &'static str, help: &'static str) -> Self {
        Self { suffix, help, kind: Type::Gauge, labels: &["symbol"] }
    }

    /// The full name for a venue.
    pub fn name(&self, venue: &str) -> String {
        if self.suffix.starts_with("exchange_") { self.suffix.to_owned() } else { format!("{venue}_{}", self.suffix) }
    }
}

const SYMBOL: &[&str] = &["market", "symbol"];

macro_rules! metrics {
    ($($id:ident = $kind:ident $name:literal $labels:expr, $help:literal;)*) => {
        $(#[doc = $help] pub static $id: Metric = Metric { name: $name, kind: Type::$kind, labels: $labels, help: $help };)*
        /// The whole table, in the order of the reference.
        pub static ALL: &[&Metric] = &[$(&$id),*];
    };
}

metrics! {
    LAST_PRICE = Gauge "exchange_last_price" SYMBOL, "Price of the last trade, in quote currency.";
    BEST_BID = Gauge "exchange_best_bid_price" SYMBOL, "Best bid, in quote currency.";
    BEST_ASK = Gauge "exchange_best_ask_price" SYMBOL, "Best ask, in quote currency.";
    VOLUME_BASE = Gauge "exchange_volume_24h_base" SYMBOL, "Volume of the rolling 24 hours, in base currency.";
    VOLUME_QUOTE = Gauge "exchange_volume_24h_quote" SYMBOL, "Volume of the rolling 24 hours, in quote currency.";
    HIGH = Gauge "exchange_high_24h_price" SYMBOL, "Highest price of the rolling 24 hours, in quote currency.";
    LOW = Gauge "exchange_low_24h_price" SYMBOL, "Lowest price of the rolling 24 hours, in quote currency.";
    CHANGE = Gauge "exchange_price_change_24h_ratio" SYMBOL, "Price change over the rolling 24 hours, signed: 0.01 is +1 percent.";
    UPDATED = Gauge "exchange_ticker_last_update_timestamp_seconds" SYMBOL, "When the exporter last heard of this symbol.";
    SYMBOL_INFO = Info "exchange_symbol_info" &["market", "symbol", "base", "quote", "venue_symbol"], "The names of a symbol, for joins.";
    SYMBOLS = Gauge "exchange_symbols" &["state"], "Symbols by state: requested, streaming, rejected.";
    CONNECTION_STATUS = Gauge "exchange_connection_status" &["stream"], "1 while every connection of the stream is open, subscribed, answering and carrying data.";
    CONNECTIONS = Gauge "exchange_connections" &["stream", "state"], "Websocket connections of the stream: wanted, live.";
    MESSAGES = Counter "exchange_websocket_messages_total" &["stream"], "Websocket data frames received.";
    BYTES = Counter "exchange_websocket_received_bytes_total" &["stream"], "Payload bytes of the websocket data frames received.";
    RECONNECTS = Counter "exchange_websocket_reconnects_total" &["stream", "reason"], "Websocket connections replaced, by reason.";
    GAPS = Counter "exchange_websocket_gaps_total" &["stream"], "Frames lost by the venue's own numbering, where it numbers them.";
    LAST_MESSAGE = Gauge "exchange_websocket_last_message_timestamp_seconds" &["stream"], "When the last websocket data frame came.";
    EVENT_LAG = Histogram "exchange_event_lag_seconds" &["stream"], "Time from the venue's event to its receipt, corrected by the measured clock skew.";
    REQUEST_DURATION = Histogram "exchange_request_duration_seconds" &["endpoint"], "Round trip of REST requests that were answered.";
    REQUESTS = Counter "exchange_requests_total" &["endpoint", "outcome"], "REST requests by outcome: success, error, timeout.";
    RATE_LIMIT_REMAINING = Gauge "exchange_rate_limit_remaining" &["limit"], "Units left in the limiter's window.";
    RATE_LIMIT_LIMIT = Gauge "exchange_rate_limit_limit" &["limit"], "Units that the limiter's window holds.";
    RATE_LIMIT_RESET = Gauge "exchange_rate_limit_reset_timestamp_seconds" &["limit"], "When the venue lets us in again; only while limited or banned.";
    ERRORS = Counter "exchange_errors_total" &["kind", "source"], "Errors by kind and by where they were met.";
    CLOCK_SKEW = Gauge "exchange_clock_skew_seconds" &[], "The venue's clock minus the local one.";
    SYSTEM_STATUS = Gauge "exchange_system_status" &[], "1 while the venue says that it is up, 0 while it says that it is not.";
    BALANCE = Gauge "exchange_balance" &["asset", "wallet", "state"], "What a wallet holds of an asset, in units of the asset; state is free, locked or borrowed. Assets of which nothing is there have no series.";
    WALLET_READ = Gauge "exchange_wallet_read_status" &["wallet"], "1 if the wallet could be read, 0 if the key may not or the venue does not serve it: its money is then in no figure.";
    EQUITY = Gauge "exchange_equity" &["currency"], "Value of all wallets that could be read, net of debt, at this moment's prices. BRL and other fiat by USDT at the market of the source that exchange_fx_rate names.";
    ASSET_VALUE = Gauge "exchange_asset_value_usdt" &["asset"], "Value of an asset over all wallets, net of debt, in USDT.";
    UNPRICED = Gauge "exchange_unpriced_balance" &["asset"], "Net amount of an asset without a route to a price, in units of the asset: not part of equity.";
    EQUITY_COVERAGE = Gauge "exchange_equity_coverage_ratio" &[], "Assets with a price over assets held, dust of less than 1 USDT left out.";
    EQUITY_OLDEST = Gauge "exchange_equity_oldest_price_timestamp_seconds" &[], "When the oldest price that equity rests on was heard; absent where no price was needed.";
    EQUITY_REPORTED = Gauge "exchange_equity_venue_reported" &["part", "currency"], "What the venue itself says that the account, or a part of it, is worth: a cross-check.";
    FX_RATE = Gauge "exchange_fx_rate" &["base", "quote", "source"], "How much of the quote currency one base is, by the market of the source.";
    FX_AVAILABLE = Gauge "exchange_fx_available" &["currency"], "1 while somebody says what USDT is worth in the currency; without it equity has no such series.";
    ACCOUNT_SUCCESS = Gauge "exchange_account_last_success_timestamp_seconds" &[], "When the account was last refreshed completely.";
    OPEN_POSITIONS = Gauge "exchange_open_positions" &["market"], "Open positions.";
    OPEN_ORDERS = Gauge "exchange_open_orders" &["market"], "Open orders.";
    POSITION_QUANTITY = Gauge "exchange_position_quantity" &["market", "symbol", "side"], "Size of the position, in base currency.";
    POSITION_VALUE = Gauge "exchange_position_value_usdt" &["market", "symbol", "side"], "Size of the position at the mark price, in USDT.";
    POSITION_PNL = Gauge "exchange_position_unrealized_pnl_usdt" &["market", "symbol", "side"], "Unrealised profit of the position, in USDT.";
    POSITION_LEVERAGE = Gauge "exchange_position_leverage_ratio" &["market", "symbol", "side"], "Leverage of the position.";
    POSITION_LIQUIDATION = Gauge "exchange_position_liquidation_price" &["market", "symbol", "side"], "Price at which the position is liquidated, in quote currency.";
    ORDERS = Counter "exchange_orders_total" &["market", "symbol", "status"], "Orders seen on the private stream since the start: new, filled, canceled, rejected, expired.";
    FILLS = Counter "exchange_fills_total" &["market", "symbol", "side", "role"], "Executions since the start; role is maker, taker, or unknown where the venue does not say.";
    FILL_VOLUME = Counter "exchange_fill_volume_quote_total" &["market", "symbol", "side", "role"], "Volume of the executions since the start, in quote currency.";
    FEES = Counter "exchange_fees_paid_total" &["asset"], "Fees paid since the start, in units of the asset.";
    REBATES = Counter "exchange_fee_rebates_total" &["asset"], "Fees received since the start, in units of the asset.";
    KEY_PERMISSION = Gauge "exchange_api_key_permission" &["permission"], "What the key may do: read, trade, withdraw, transfer. A monitoring key should read and no more.";
    KEY_IP_RESTRICTED = Gauge "exchange_api_key_ip_restricted" &[], "1 if the key works only from certain addresses.";
    KEY_EXPIRY = Gauge "exchange_api_key_expiry_timestamp_seconds" &[], "When the key expires, where keys do.";
    CONFIG_ERROR = Gauge "exchange_config_error" &["reason"], "1 while the configuration is wrong for this reason: missing_credentials, invalid_credentials, unknown_symbol, web_config.";
    BUILD_INFO = Info "exchange_exporter_build_info" &["version", "revision", "rustc"], "What this exporter was built from.";
}

/// What a symbol shows, in the order of the scrape.
pub static COLUMNS: &[Column] = &[
    Column {
        metric: Some(&LAST_PRICE),
        compat: Some(Compat::symbol("last_price", "Price of the last trade.")),
        value: |s| s.figures[0],
        ..OF_SYMBOL
    },
    Column {
        metric: Some(&BEST_BID),
        compat: Some(Compat::symbol("best_bid", "Best bid.")),
        value: |s| s.figures[1],
        ..OF_SYMBOL
    },
    Column {
        metric: Some(&BEST_ASK),
        compat: Some(Compat::symbol("best_ask", "Best ask.")),
        value: |s| s.figures[2],
        ..OF_SYMBOL
    },
    Column {
        metric: Some(&VOLUME_BASE),
        compat: Some(Compat::symbol("volume_24h", "Volume of the rolling 24 hours, in base currency.")),
        value: |s| s.figures[3],
        ..OF_SYMBOL
    },
    Column { metric: Some(&VOLUME_QUOTE), value: |s| s.figures[4], ..OF_SYMBOL },
    Column { metric: Some(&HIGH), value: |s| s.figures[5], ..OF_SYMBOL },
    Column { metric: Some(&LOW), value: |s| s.figures[6], ..OF_SYMBOL },
    Column { metric: Some(&CHANGE), value: |s| s.figures[7], ..OF_SYMBOL },
    Column { metric: Some(&UPDATED), value: |s| s.updated, ..OF_SYMBOL },
    Column {
        metric: None,
        compat: Some(Compat::symbol("latency_seconds", "Event lag of the symbol's last dated update.")),
        value: |s| s.lag,
        ..OF_SYMBOL
    },
    Column { metric: Some(&SYMBOL_INFO), labels: |row| &row.info, value: |_| 1.0, ..OF_SYMBOL },
];

macro_rules! compat {
    ($($id:ident = $kind:ident $suffix:literal $labels:expr, $help:literal;)*) => {
        $(#[doc = $help] pub static $id: Compat = Compat { suffix: $suffix, help: $help, kind: Type::$kind, labels: $labels };)*
        /// The compatibility names that are not about a symbol.
        pub static COMPAT: &[&Compat] = &[$(&$id),*];
    };
}

compat! {
    OLD_EQUITY_USDT = Gauge "equity_usdt" &[], "Value of the account in USDT.";
    OLD_EQUITY_BRL = Gauge "equity_brl" &[], "Value of the account in BRL, where that is the chosen fiat.";
    OLD_CONNECTION_STATUS = Gauge "connection_status" &[], "The same as exchange_connection_status of the public stream.";
    OLD_MESSAGES = Counter "websocket_messages_total" &[], "Websocket data frames received on all streams.";
    OLD_UP = Gauge "exporter_up" &["exchange"], "1 while the exporter runs.";
    OLD_API_CALLS = Counter "api_calls_total" &["endpoint", "status"], "REST requests by status: success, error, timeout.";
    OLD_LATENCY = Gauge "exchange_latency_ms" &["exchange"], "Last REST round trip, in milliseconds.";
    OLD_SKEW = Gauge "exchange_skew_ms" &["exchange"], "The venue's clock minus the local one, in milliseconds.";
    OLD_LIMIT_USED = Gauge "exchange_rate_limit_used" &["exchange", "limit"], "Units used of the limiter's window.";
    OLD_STATE = Gauge "exchange_state" &["exchange"], "1 while connected, the venue up and nothing limited.";
}
