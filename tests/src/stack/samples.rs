//! Reads single values from the text that an exporter serves.

/// The value of the first sample with this name and at least these labels.
#[must_use]
pub fn value(exposition: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    exposition.lines().find_map(|line| {
        let rest = line.strip_prefix(name)?;
        let (found, number) = match rest.strip_prefix('{') {
            Some(rest) => rest.rsplit_once('}')?,
            None => ("", rest.strip_prefix(' ')?),
        };
        labels.iter().all(|(label, value)| has(found, label, value)).then_some(())?;
        number.split_whitespace().next()?.parse().ok()
    })
}

/// Whether `label="value"` stands in the list, as a whole label and not as the end of a longer name.
fn has(found: &str, label: &str, value: &str) -> bool {
    let wanted = format!("{label}=\"{value}\"");
    found.match_indices(&wanted).any(|(at, _)| at == 0 || found[..at].ends_with(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_by_name_and_labels() {
        let text = "# HELP price Price.\nprice_x{symbol=\"A\"} 1\nprice{venue_symbol=\"A\",symbol=\"B\"} 2\nprice{symbol=\"A\"} 3.5\nplain 4\n";
        assert_eq!(value(text, "price", &[("symbol", "A")]), Some(3.5));
        assert_eq!(value(text, "price", &[("symbol", "C")]), None);
        assert_eq!(value(text, "plain", &[]), Some(4.0));
    }
}
