//! Which names a catalogue may declare.

/// Families that others tell: a bot must not speak in their name.
const TAKEN: [&str; 17] = [
    "exchange_",
    "binance_",
    "kucoin_",
    "bybit_",
    "coinbase_",
    "okx_",
    "bot_gateway_",
    "process_",
    "prometheus_",
    "alertmanager_",
    "grafana_",
    "node_",
    "container_",
    "scrape_",
    "go_",
    "ALERTS",
    "up",
];
/// Labels that Prometheus or the gateway sets itself.
const OWN_LABELS: [&str; 6] = ["bot", "exporter", "instance", "job", "le", "quantile"];
/// Endings that a histogram's series have.
const PARTS: [&str; 4] = ["_bucket", "_sum", "_count", "_created"];

/// Why a family may not be called so, if it may not.
pub fn metric(name: &str, is_counter: bool) -> Result<(), String> {
    if !is_word(name) {
        return Err("is no name for a metric: letters, digits and _, not a digit first".into());
    }
    if let Some(taken) = TAKEN.iter().find(|taken| owns(taken, name)) {
        return Err(format!("is not a bot's to tell: names with {taken} belong to others"));
    }
    if let Some(part) = PARTS.iter().find(|part| name.ends_with(**part)) {
        return Err(format!("ends in {part}, which is for the series of histograms"));
    }
    match (is_counter, name.ends_with("_total")) {
        (true, false) => Err("is a counter, and counters end in _total".into()),
        (false, true) => Err("ends in _total, which is for counters".into()),
        _ if name.ends_with("_info") => Err("ends in _info, which is for what is always 1".into()),
        _ => Ok(()),
    }
}

fn owns(taken: &str, name: &str) -> bool {
    if taken.ends_with('_') { name.starts_with(taken) } else { name == taken || name.starts_with(&format!("{taken}_")) }
}

/// Why a label may not be called so, if it may not.
pub fn label(name: &str) -> Result<(), String> {
    if !is_word(name) || name.starts_with("__") {
        return Err("is no name for a label: letters, digits and _, not a digit first and not two _".into());
    }
    if name == "bot" {
        return Err("every metric has it already, and events may leave it out".into());
    }
    if OWN_LABELS.contains(&name) {
        return Err("is set by Prometheus or by exporters".into());
    }
    Ok(())
}

/// Why a webhook may not be called so, if it may not.
pub fn webhook(name: &str) -> Result<(), String> {
    if is_word(name) { Ok(()) } else { Err("is no name for a webhook: letters, digits and _".into()) }
}

/// Prometheus' rule; a colon in a metric's name is for recording rules, and no exporter's.
fn is_word(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    name.bytes().next().is_some_and(letter) && name.bytes().all(|byte| letter(byte) || byte.is_ascii_digit())
}
