//! Which labels the series of an expression can have: from the vocabulary, through every rule, to a panel's legend.

use common::metrics::vocabulary::{ALL, COLUMNS, COMPAT, Metric, Type};
use fake_venues::stack::VENUES;
use promql_parser::label::Matchers;
use promql_parser::parser::{
    AggregateExpr, BinModifier, BinaryExpr, Call, Expr, LabelModifier, VectorMatchCardinality, VectorSelector,
};
use std::collections::{BTreeMap, BTreeSet};

pub type Labels = BTreeSet<String>;

/// What is known of each metric. What is not in it is an unknown name.
#[derive(Debug, Default)]
pub struct Known {
    metrics: BTreeMap<String, Labels>,
}

fn set<'a>(labels: impl IntoIterator<Item = &'a str>) -> Labels {
    labels.into_iter().map(str::to_owned).collect()
}

impl Known {
    /// All that the exporters serve.
    pub fn vocabulary() -> Self {
        let mut known = Self::default();
        let of_account = accounts_metrics();
        for metric in ALL {
            let own = metric.labels.iter().copied().chain(["exchange", "job", "instance"]);
            let account = of_account.contains(metric.name).then_some("account");
            let labels = set(own.chain(account));
            if metric.kind == Type::Histogram {
                let mut bucket = labels.clone();
                bucket.insert("le".into());
                known.add(&format!("{}_bucket", metric.name), bucket);
                known.add(&format!("{}_sum", metric.name), labels.clone());
                known.add(&format!("{}_count", metric.name), labels);
            } else {
                known.add(metric.name, labels);
            }
        }
        for compat in COLUMNS.iter().filter_map(|column| column.compat.as_ref()).chain(COMPAT.iter().copied()) {
            for venue in VENUES {
                let labels = compat.labels.iter().copied().chain(["exchange", "account", "job", "instance"]);
                known.add(&compat.name(venue.name), set(labels));
            }
        }
        known
    }

    pub fn add(&mut self, name: &str, labels: Labels) {
        self.metrics.entry(name.to_owned()).or_default().extend(labels);
    }

    pub fn has(&self, name: &str) -> bool {
        self.metrics.contains_key(name)
    }

    /// The labels that the series of this expression can have, or what in it cannot be.
    pub fn labels(&self, expr: &Expr) -> Result<Labels, String> {
        match expr {
            Expr::VectorSelector(selector) => self.selected(selector),
            Expr::MatrixSelector(matrix) => self.selected(&matrix.vs),
            Expr::Paren(paren) => self.labels(&paren.expr),
            Expr::Unary(unary) => self.labels(&unary.expr),
            Expr::Subquery(subquery) => self.labels(&subquery.expr),
            Expr::Aggregate(aggregate) => self.aggregated(aggregate),
            Expr::Binary(binary) => self.combined(binary),
            Expr::Call(call) => self.called(call),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => Ok(Labels::new()),
        }
    }

    fn selected(&self, selector: &VectorSelector) -> Result<Labels, String> {
        // Of whatever has the label: variables ask so.
        let Some(name) = selector.name.as_deref() else {
            return Ok(self.metrics.values().flatten().cloned().collect());
        };
        let labels = self.metrics.get(name).ok_or_else(|| format!("there is no metric {name}"))?;
        let Matchers { matchers, or_matchers } = &selector.matchers;
        for matcher in matchers.iter().chain(or_matchers.iter().flatten()) {
            need(labels, &matcher.name, name)?;
        }
        Ok(labels.clone())
    }

    fn aggregated(&self, aggregate: &AggregateExpr) -> Result<Labels, String> {
        let inner = self.labels(&aggregate.expr)?;
        let op = aggregate.op.to_string();
        if let Some(param) = &aggregate.param {
            self.labels(param)?;
        }
        let kept = match &aggregate.modifier {
            None => Labels::new(),
            Some(LabelModifier::Include(by)) => {
                by.labels.iter().try_for_each(|label| need(&inner, label, &op))?;
                set(by.labels.iter().map(String::as_str))
            }
            Some(LabelModifier::Exclude(without)) => {
                without.labels.iter().try_for_each(|label| need(&inner, label, &op))?;
                inner.iter().filter(|label| !without.labels.contains(label)).cloned().collect()
            }
        };
        Ok(if matches!(op.as_str(), "topk" | "bottomk") { inner } else { kept })
    }

    fn combined(&self, binary: &BinaryExpr) -> Result<Labels, String> {
        let (left, right) = (self.labels(&binary.lhs)?, self.labels(&binary.rhs)?);
        let op = binary.op.to_string();
        let Some(BinModifier { card, matching, .. }) = &binary.modifier else {
            return Ok(if left.is_empty() { right } else { left });
        };
        if let Some(LabelModifier::Include(on)) = matching {
            for label in &on.labels {
                need(&left, label, &op)?;
                need(&right, label, &op)?;
            }
        }
        if let Some(LabelModifier::Exclude(ignoring)) = matching {
            for label in &ignoring.labels {
                need(&left.union(&right).cloned().collect(), label, &op)?;
            }
        }
        let grown = |many: Labels, one: &Labels, extra: &[String]| {
            extra.iter().try_for_each(|label| need(one, label, &op))?;
            Ok(many.into_iter().chain(extra.iter().cloned()).collect())
        };
        if op == "or" {
            return Ok(left.union(&right).cloned().collect());
        }
        match (card, matching) {
            (VectorMatchCardinality::ManyToOne(extra), _) => grown(left, &right, &extra.labels),
            (VectorMatchCardinality::OneToMany(extra), _) => grown(right, &left, &extra.labels),
            (VectorMatchCardinality::OneToOne, Some(LabelModifier::Include(on))) if binary.op.is_operator() => {
                // A comparison that filters keeps the left side's labels only as far as they match, too.
                Ok(set(on.labels.iter().map(String::as_str)))
            }
            _ => Ok(if left.is_empty() { right } else { left }),
        }
    }

    fn called(&self, call: &Call) -> Result<Labels, String> {
        let arguments = &call.args.args;
        let mut labels = Labels::new();
        for argument in arguments {
            labels.extend(self.labels(argument)?);
        }
        let word = |place: usize| match arguments.get(place).map(Box::as_ref) {
            Some(Expr::StringLiteral(literal)) => literal.val.as_str(),
            _ => "",
        };
        match call.func.name {
            "label_replace" => {
                if !word(3).is_empty() {
                    need(&labels, word(3), "label_replace")?;
                }
                labels.insert(word(1).to_owned());
            }
            "histogram_quantile" => {
                need(&labels, "le", "histogram_quantile")?;
                labels.remove("le");
            }
            "scalar" | "vector" | "time" | "absent" | "absent_over_time" => labels.clear(),
            _ => {}
        }
        Ok(labels)
    }
}

fn need(labels: &Labels, label: &str, place: &str) -> Result<(), String> {
    if labels.contains(label) {
        Ok(())
    } else {
        Err(format!("{place}: no series has the label {label}, only {labels:?}"))
    }
}

/// Those of an account, as the table has them in a row.
fn accounts_metrics() -> BTreeSet<&'static str> {
    let place = |name: &str| ALL.iter().position(|metric: &&Metric| metric.name == name);
    let first = place("exchange_balance").unwrap();
    let last = place("exchange_api_key_expiry_timestamp_seconds").unwrap();
    ALL[first..=last].iter().map(|metric| metric.name).collect()
}

#[test]
fn finds_names_and_labels_that_do_not_exist() {
    let known = Known::vocabulary();
    let ask = |expr: &str| known.labels(&promql_parser::parser::parse(expr).unwrap());
    let good = "sum by (exchange) (rate(exchange_errors_total{kind=\"auth\"}[1m]))";
    assert_eq!(ask(good), Ok(set(["exchange"])));
    let lag = "histogram_quantile(0.9, sum by (le, stream) (rate(exchange_event_lag_seconds_bucket[1m])))";
    assert_eq!(ask(lag), Ok(set(["stream"])));
    for bad in [
        "exchange_no_such_metric",
        "exchange_last_price{currency=\"USDT\"}",
        "sum by (symbol) (exchange_clock_skew_seconds)",
        "sum without (symbol) (exchange_clock_skew_seconds)",
        "sum by (kind) (sum by (source) (exchange_errors_total))",
        "exchange_last_price * on (quote) exchange_symbol_info",
        "exchange_last_price * on (symbol) group_left (asset) exchange_symbol_info",
        "exchange_last_price{account=\"a\"}",
        "histogram_quantile(0.9, sum by (stream) (rate(exchange_event_lag_seconds_bucket[1m])))",
    ] {
        assert!(ask(bad).is_err(), "{bad}");
    }
}
