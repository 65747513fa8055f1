//! The exposition formats: Prometheus text 0.0.4 and OpenMetrics 1.0, written straight into a buffer.

use prometheus::proto;

use super::vocabulary::{Metric, Type};

/// What the scraper asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// Chooses by an `Accept` header: OpenMetrics where it is named with at least the weight of plain text.
    pub fn from_accept(accept: &str) -> Self {
        let mut open = 0.0;
        let mut text = 0.0;
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let parameters: Vec<&str> = parts.collect();
            let parameter = |name: &str| parameters.iter().find_map(|one| one.strip_prefix(name));
            let weight: f64 = parameter("q=").map_or(1.0, |q| q.parse().unwrap_or(0.0));
            match kind {
                "application/openmetrics-text" if matches!(parameter("version="), None | Some("1.0.0" | "0.0.1")) => {
                    open = f64::max(open, weight);
                }
                "text/plain" | "text/*" | "*/*" => text = f64::max(text, weight),
                _ => {}
            }
        }
        if open > 0.0 && open >= text { Format::OpenMetrics } else { Format::Text }
    }

    /// The `Content-Type` of the reply.
    pub const fn content_type(self) -> &'static str {
        match self {
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A label block, such as `{exchange="okx",symbol="BTCUSDT"}`, rendered once and copied at every scrape.
pub fn block<'l>(labels: impl IntoIterator<Item = (&'l str, &'l str)>) -> String {
    let mut block = String::from("{");
    for (name, value) in labels {
        if block.len() > 1 {
            block.push(',');
        }
        block.push_str(name);
        block.push_str("=\"");
        for c in value.chars() {
            match c {
                '\\' => block.push_str("\\\\"),
                '"' => block.push_str("\\\""),
                '\n' => block.push_str("\\n"),
                _ => block.push(c),
            }
        }
        block.push('"');
    }
    if block.len() == 1 {
        return String::new();
    }
    block.push('}');
    block
}

/// Writes families and samples.
pub struct Encoder<'b> {
    out: &'b mut Vec<u8>,
    format: Format,
}

impl<'b> Encoder<'b> {
    /// Appends to this buffer.
    pub fn new(out: &'b mut Vec<u8>, format: Format) -> Self {
        Self { out, format }
    }

    /// How much stands in the buffer.
    pub fn written(&self) -> usize {
        self.out.len()
    }

    /// The lines before a family's samples.
    pub fn head(&mut self, name: &str, kind: Type, help: &str) {
        let (family, kind) = match (self.format, kind) {
            (Format::OpenMetrics, Type::Counter) => (name.strip_suffix("_total").unwrap_or(name), "counter"),
            (Format::OpenMetrics, Type::Info) => (name.strip_suffix("_info").unwrap_or(name), "info"),
            (Format::Text, Type::Info) => (name, "gauge"),
            (_, kind) => (name, kind.as_str()),
        };
        self.put(&["# HELP ", family, " ", help, "\n# TYPE ", family, " ", kind, "\n"]);
    }

    /// The head of a metric of the table.
    pub fn metric(&mut self, metric: &Metric) {
        self.head(metric.name, metric.kind, metric.help);
    }

    /// One sample; `block` is a rendered label block.
    pub fn sample(&mut self, name: &str, block: &str, value: f64) {
        self.put(&[name, block, " "]);
        self.value(value);
        self.out.push(b'\n');
    }

    /// A family that the `prometheus` crate gathered.
    pub fn gathered(&mut self, family: &proto::MetricFamily) {
        let name = family.name();
        let kind = match family.get_field_type() {
            proto::MetricType::COUNTER => Type::Counter,
            proto::MetricType::HISTOGRAM => Type::Histogram,
            _ => Type::Gauge,
        };
        self.head(name, kind, family.help());
        for metric in family.get_metric() {
            let labels: Vec<(&str, &str)> = metric.get_label().iter().map(|pair| (pair.name(), pair.value())).collect();
            match kind {
                Type::Counter => self.sample(name, &block(labels), metric.get_counter().get_value()),
                Type::Histogram => self.histogram(name, metric, labels),
                _ => self.sample(name, &block(labels), metric.get_gauge().get_value()),
            }
        }
    }

    fn histogram(&mut self, name: &str, metric: &proto::Metric, labels: Vec<(&str, &str)>) {
        let histogram = metric.get_histogram();
        let count = histogram.get_sample_count() as f64;
        let bucket = format!("{name}_bucket");
        for one in histogram.get_bucket() {
            let mut bound = Vec::new();
            Encoder::new(&mut bound, self.format).value(one.upper_bound());
            let bound = String::from_utf8_lossy(&bound);
            let block = block(labels.iter().copied().chain([("le", &*bound)]));
            self.sample(&bucket, &block, one.cumulative_count() as f64);
        }
        self.sample(&bucket, &block(labels.iter().copied().chain([("le", "+Inf")])), count);
        self.sample(&format!("{name}_sum"), &block(labels.iter().copied()), histogram.get_sample_sum());
        self.sample(&format!("{name}_count"), &block(labels), count);
    }

    /// What closes the text.
    pub fn end(&mut self) {
        if self.format == Format::OpenMetrics {
            self.put(&["# EOF\n"]);
        }
    }

    fn put(&mut self, parts: &[&str]) {
        for part in parts {
            self.out.extend_from_slice(part.as_bytes());
        }
    }

    fn value(&mut self, value: f64) {
        // Whole numbers without ".0", as people write them; 2^53 is where f64 stops being exact.
        if value.trunc() == value && value.abs() < 9_007_199_254_740_992.0 {
            self.out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
        } else if value.is_finite() {
            self.out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
        } else {
            let name = if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            self.out.extend_from_slice(name.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_chosen_by_weight() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(Format::from_accept(prometheus), Format::OpenMetrics);
        assert_eq!(Format::from_accept("text/plain;version=0.0.4"), Format::Text);
        assert_eq!(
            Format::from_accept("application/openmetrics-text;version=1.0.0;q=0.2, text/plain;q=0.5"),
            Format::Text
        );
        assert_eq!(Format::from_accept("application/openmetrics-text;version=2.0.0"), Format::Text);
        assert_eq!(Format::from_accept(""), Format::Text);
    }

    #[test]
    fn values_read_as_people_write_them_and_come_back_the_same() {
        for (value, text) in
            [(90787.7, "90787.7"), (90787.0, "90787"), (-0.00561, "-0.00561"), (0.0, "0"), (f64::INFINITY, "+Inf")]
        {
            let mut out = Vec::new();
            Encoder::new(&mut out, Format::Text).value(value);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        for value in [1e-8, 1.234e-17, 1e21, 123_456_789.123_456_78, f64::MIN_POSITIVE] {
            let mut out = Vec::new();
            Encoder::new(&mut out, Format::Text).value(value);
            assert_eq!(String::from_utf8(out).unwrap().parse(), Ok(value));
        }
    }

    #[test]
    fn labels_are_escaped() {
        assert_eq!(block([("symbol", "a\"b\\c\nd")]), r#"{symbol="a\"b\\c\nd"}"#);
        assert_eq!(block([]), "");
    }

    #[test]
    fn open_metrics_names_its_families_without_suffix() {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out, Format::OpenMetrics);
        encoder.head("x_total", Type::Counter, "Help.");
        encoder.sample("x_total", "", 1.0);
        encoder.head("y_info", Type::Info, "Help.");
        encoder.sample("y_info", r#"{a="b"}"#, 1.0);
        encoder.end();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "# HELP x Help.\n# TYPE x counter\nx_total 1\n# HELP y Help.\n# TYPE y info\ny_info{a=\"b\"} 1\n# EOF\n"
        );
    }
}
