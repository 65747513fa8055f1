//! The picture of growth: small plots side by side, as SVG.

use std::fmt::Write as _;

/// Connections, and frames per CPU-second.
pub type Series = Vec<(usize, f64)>;

/// One plot: a line for each client.
pub struct Panel {
    /// Above it.
    pub title: String,
    /// Reading only, the plain exporter, this exporter.
    pub series: [Series; 3],
}

/// The clients' names and colours, told apart by those who see no colours by their order too.
const LINES: [(&str, &str); 3] =
    [("reading only", "#8c8c8c"), ("plain exporter", "#d97706"), ("this exporter", "#2563eb")];
const COLUMNS: usize = 3;
/// A panel's size, what of it is left free at the sides, and the room above all for the legend.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 230.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const ABOVE: f64 = 34.0;
const BELOW: f64 = 40.0;
const LEGEND: f64 = 40.0;

/// A scale on which doubling is one step, as far as both ends lie apart.
#[derive(Clone, Copy)]
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// From the power of two below all values to the one above, in millions.
    fn of(panels: &[Panel]) -> Self {
        let rates = panels.iter().flat_map(|panel| panel.series.iter().flatten()).map(|(_, rate)| (rate / 1e6).log2());
        let (low, high) =
            rates.fold((0.0_f64, 1.0_f64), |(low, high), rate| (low.min(rate.floor()), high.max(rate.ceil())));
        Self { low, high }
    }

    /// Where a value is, from 0 to 1.
    fn place(self, millions: f64) -> f64 {
        (millions.log2() - self.low) / (self.high - self.low)
    }

    /// The powers of two.
    fn marks(self) -> impl Iterator<Item = f64> {
        (self.low as i32..=self.high as i32).map(|power| 2.0_f64.powi(power))
    }
}

/// All panels, row by row, on one scale.
pub fn render(panels: &[Panel]) -> String {
    let scale = Scale::of(panels);
    let (width, height) = (WIDTH * COLUMNS as f64, LEGEND + HEIGHT * panels.len().div_ceil(COLUMNS) as f64);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"sans-serif\" font-size=\"11\" fill=\"#333\">\n\
         <title>Millions of frames per CPU-second, by connections</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    text(&mut out, (LEFT, 24.0), "start", "Millions of frames per CPU-second, logarithmic");
    for (at, (name, colour)) in LINES.iter().enumerate() {
        let x = WIDTH + 50.0 + 140.0 * at as f64;
        let _ = writeln!(out, r#"<path d="M{x} 20h24" stroke="{colour}" stroke-width="2.5"/>"#);
        text(&mut out, (x + 30.0, 24.0), "start", name);
    }
    for (at, panel) in panels.iter().enumerate() {
        let (x, y) = ((at % COLUMNS) as f64 * WIDTH, LEGEND + (at / COLUMNS) as f64 * HEIGHT);
        let _ = writeln!(out, r#"<g transform="translate({x} {y})">"#);
        draw(&mut out, panel, scale);
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    out
}

fn text(out: &mut String, (x, y): (f64, f64), anchor: &str, what: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{what}</text>"#);
}

/// One panel, its corner at the origin.
fn draw(out: &mut String, panel: &Panel, scale: Scale) {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BELOW);
    // Twice as many connections are one step too, from 1 to 8.
    let x = |lines: usize| LEFT + (right - LEFT) * (0.04 + 0.92 * (lines.max(1) as f64).log2() / 3.0);
    let y = |millions: f64| bottom - (bottom - ABOVE) * scale.place(millions);
    text(out, (LEFT, ABOVE - 10.0), "start", &panel.title);
    for millions in scale.marks() {
        let at = y(millions);
        let _ = writeln!(out, r##"<path d="M{LEFT} {at:.1}H{right}" stroke="#e2e2e2"/>"##);
        text(out, (LEFT - 6.0, at + 4.0), "end", &millions.to_string());
    }
    for lines in [1, 2, 4, 8] {
        text(out, (x(lines), bottom + 16.0), "middle", &lines.to_string());
    }
    text(out, ((LEFT + right) / 2.0, bottom + 32.0), "middle", "connections");
    for (series, (name, colour)) in panel.series.iter().zip(LINES) {
        let points = series.iter().map(|&(lines, rate)| (x(lines), y(rate / 1e6)));
        let path: Vec<String> = points.clone().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(out, "<g stroke=\"{colour}\" fill=\"{colour}\"><title>{name}</title>");
        let _ = writeln!(out, r#"<polyline points="{}" fill="none" stroke-width="2"/>"#, path.join(" "));
        for (x, y) in points {
            let _ = writeln!(out, r#"<circle cx="{x:.1}" cy="{y:.1}" r="2.5"/>"#);
        }
        out.push_str("</g>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_rate_is_within_the_panel_and_more_is_higher() {
        let series = [vec![(1, 6.5e6), (8, 5e6)], vec![(1, 5e5)], vec![(1, 2e6)]];
        let svg = render(&[Panel { title: "20 symbols".to_owned(), series }]);
        let heights: Vec<f64> =
            svg.split(r#" cy=""#).skip(1).filter_map(|rest| rest.split('"').next()?.parse().ok()).collect();
        assert_eq!(heights.len(), 4, "{svg}");
        assert!(heights.iter().all(|height| (ABOVE..=HEIGHT - BELOW).contains(height)), "{heights:?}");
        assert!(heights[0] < heights[1] && heights[1] < heights[3] && heights[3] < heights[2], "{heights:?}");
    }
}
