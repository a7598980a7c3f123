//! Line charts as inline SVG: how many times as fast, over batch size, both axes logarithmic.

use super::html::escape;
use std::fmt::Write;

/// Lines over batch size.
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) series: Vec<Series>,
}

/// One line. Its name is also its class in `style.css`.
pub(crate) struct Series {
    pub(crate) name: String,
    /// Batch size and ratio, ascending by size.
    pub(crate) points: Vec<(usize, f64)>,
}

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 36.0;
const RIGHT: f64 = 78.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 34.0;
/// Where grid lines may lie.
const TICKS: [f64; 13] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];
/// Labels of lines are at least so far apart.
const LABEL_GAP: f64 = 12.0;

/// The chart with its title; empty if there is nothing to draw.
pub(crate) fn figure(chart: &Chart) -> String {
    let drawn: Vec<&Series> = chart.series.iter().filter(|s| !s.points.is_empty()).collect();
    let points = || drawn.iter().flat_map(|s| s.points.iter().copied());
    let Some(n_max) = points().map(|(n, _)| n).max() else { return String::new() };
    let axes = Axes::over(points().map(|(_, ratio)| ratio), n_max);
    let mut sizes: Vec<usize> = points().map(|(n, _)| n).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let lines: String = drawn.iter().map(|series| line(&axes, series)).collect();
    let title = escape(&chart.title);
    format!(
        "<figure><figcaption>{title}</figcaption>\n\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}: times as fast, by batch size\">\n{}{lines}{}</svg></figure>\n",
        axes.grid(&sizes),
        labels(&axes, &drawn)
    )
}

struct Axes {
    n_max: f64,
    low: f64,
    high: f64,
}

impl Axes {
    /// Whole grid steps around the ratios and around 1.
    fn over(ratios: impl Iterator<Item = f64>, n_max: usize) -> Self {
        let (least, most) = ratios.fold((1.0f64, 1.0f64), |(low, high), r| (low.min(r), high.max(r)));
        let low = TICKS.into_iter().rev().find(|t| *t <= least * 0.999).unwrap_or(TICKS[0]);
        let high = TICKS.into_iter().find(|t| *t > most).unwrap_or(most);
        Self { n_max: n_max as f64, low, high }
    }

    fn x(&self, n: usize) -> f64 {
        let share = if self.n_max > 1.0 { (n as f64).ln() / self.n_max.ln() } else { 0.5 };
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, ratio: f64) -> f64 {
        let share = (ratio.max(self.low) / self.low).ln() / (self.high / self.low).ln();
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    fn grid(&self, sizes: &[usize]) -> String {
        let mut svg = String::new();
        let right = WIDTH - RIGHT;
        for tick in TICKS.into_iter().filter(|t| (self.low..=self.high).contains(t)) {
            let (y, class) = (self.y(tick), if tick == 1.0 { "even" } else { "grid" });
            let _ = writeln!(svg, "<line class=\"{class}\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
            let _ =
                writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{tick}×</text>", LEFT - 4.0, y + 4.0);
        }
        let mut last = f64::NEG_INFINITY;
        for (x, n) in sizes.iter().map(|n| (self.x(*n), *n)) {
            if x - last > 30.0 {
                let _ = writeln!(
                    svg,
                    "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{n}</text>",
                    HEIGHT - BOTTOM + 15.0
                );
                last = x;
            }
        }
        let (x, y) = ((LEFT + right) / 2.0, HEIGHT - 4.0);
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">items a batch</text>");
        svg
    }
}

fn line(axes: &Axes, series: &Series) -> String {
    let name = escape(&series.name);
    let points: Vec<_> = series.points.iter().map(|(n, ratio)| (axes.x(*n), axes.y(*ratio), n, ratio)).collect();
    let path: Vec<_> = points.iter().map(|(x, y, ..)| format!("{x:.1},{y:.1}")).collect();
    let dot = |(x, y, n, ratio): &(f64, f64, &usize, &f64)| {
        format!(
            "<circle class=\"{name}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"><title>{name}, n {n}: {ratio:.2}×</title></circle>\n"
        )
    };
    let dots: String = points.iter().map(dot).collect();
    format!("<polyline class=\"curve {name}\" points=\"{}\"/>\n{dots}", path.join(" "))
}

/// The name of each line at its right end, pushed apart where they would overlap.
fn labels(axes: &Axes, drawn: &[&Series]) -> String {
    let end = |series: &&Series| series.points.last().map(|(n, ratio)| (axes.x(*n), axes.y(*ratio)));
    let mut ends: Vec<_> = drawn.iter().filter_map(|s| end(s).map(|(x, y)| (x, y, s.name.as_str()))).collect();
    ends.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut lowest = f64::INFINITY;
    let mut svg = String::new();
    for (x, y, name) in ends {
        let y = y.min(lowest - LABEL_GAP);
        lowest = y;
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>", x + 7.0, y + 4.0, escape(name));
    }
    svg
}
