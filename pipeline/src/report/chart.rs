//! Charts as SVG, drawn here so that pages need no script. Colours differ in lightness too, every bar
//! says its figure by a title, and the table under a chart says the same in numbers.

/// Colours of series: end to end, hybrid, manual, not decided.
pub const COLOURS: [&str; 4] = ["#14663a", "#2f7fc1", "#e08a1e", "#c3cad4"];

const WIDTH: f64 = 1180.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 26.0;
/// Labels under bars that fit side by side.
const MOST_LABELS: usize = 12;

/// Bars of parts, one a period.
#[derive(Debug, Clone, PartialEq)]
pub struct Stacks<'a> {
    pub title: &'a str,
    /// Names of the parts, at most four.
    pub series: Vec<&'a str>,
    /// Label and the figure of each part.
    pub bars: Vec<(String, Vec<u32>)>,
}

/// Lines of shares from 0 to 1, one a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines<'a> {
    pub title: &'a str,
    pub series: Vec<&'a str>,
    /// Label and the share of each series; `None` leaves a gap.
    pub points: Vec<(String, Vec<Option<f64>>)>,
}

/// Bars that lie, one a name, the figure written behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars<'a> {
    pub title: &'a str,
    /// Name, size, and the figure as text.
    pub bars: Vec<(String, f64, String)>,
}

impl Stacks<'_> {
    /// The picture, `height` high.
    pub fn svg(&self, height: f64) -> String {
        let highest = self.bars.iter().map(|(_, parts)| parts.iter().sum::<u32>()).max().unwrap_or(0);
        let top = nice_ceiling(highest);
        let plot = height - TOP - BOTTOM;
        let y = |value: f64| TOP + plot - value / f64::from(top) * plot;
        let mut svg = open(self.title, height);
        svg.push_str(&legend(&self.series));
        for step in 0..=4u32 {
            let value = f64::from(top) * f64::from(step) / 4.0;
            svg.push_str(&grid_line(y(value), &format_count(value)));
        }
        let slot = (WIDTH - LEFT - RIGHT) / self.bars.len().max(1) as f64;
        let width = (slot * 0.72).min(64.0);
        for (index, (label, parts)) in self.bars.iter().enumerate() {
            let x = LEFT + slot * index as f64 + (slot - width) / 2.0;
            let mut sum = 0;
            for (part, colour) in parts.iter().zip(COLOURS) {
                let (from, to) = (y(f64::from(sum)), y(f64::from(sum + part)));
                sum += part;
                if *part == 0 {
                    continue;
                }
                let name = self.series.get(index_of(colour)).copied().unwrap_or_default();
                svg.push_str(&format!(
                    "<rect x=\"{x:.1}\" y=\"{to:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{colour}\">\
                     <title>{}: {} {part}</title></rect>",
                    from - to,
                    escape(label),
                    escape(name),
                ));
            }
            svg.push_str(&label_under(x + width / 2.0, height, index, self.bars.len(), label));
        }
        svg + "</svg>"
    }
}

impl Lines<'_> {
    /// The picture, `height` high.
    pub fn svg(&self, height: f64) -> String {
        let plot = height - TOP - BOTTOM;
        let y = |share: f64| TOP + plot - share.clamp(0.0, 1.0) * plot;
        let slot = (WIDTH - LEFT - RIGHT) / self.points.len().max(1) as f64;
        let x = |index: usize| LEFT + slot * (index as f64 + 0.5);
        let mut svg = open(self.title, height);
        svg.push_str(&legend(&self.series));
        for step in 0..=4u32 {
            svg.push_str(&grid_line(y(f64::from(step) / 4.0), &format!("{} %", step * 25)));
        }
        for (series, (name, colour)) in self.series.iter().zip(COLOURS).enumerate() {
            let mut path = String::new();
            let mut pen_is_down = false;
            for (index, (label, shares)) in self.points.iter().enumerate() {
                let Some(share) = shares.get(series).copied().flatten() else {
                    pen_is_down = false;
                    continue;
                };
                let command = if pen_is_down { 'L' } else { 'M' };
                path.push_str(&format!("{command}{:.1} {:.1}", x(index), y(share)));
                pen_is_down = true;
                svg.push_str(&format!(
                    "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{colour}\"><title>{}: {} {:.1} %</title></circle>",
                    x(index),
                    y(share),
                    escape(label),
                    escape(name),
                    share * 100.0,
                ));
            }
            svg.push_str(&format!(
                "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\"/>"
            ));
        }
        for (index, (label, _)) in self.points.iter().enumerate() {
            svg.push_str(&label_under(x(index), height, index, self.points.len(), label));
        }
        svg + "</svg>"
    }
}

impl Bars<'_> {
    /// The picture, as high as it has bars.
    pub fn svg(&self) -> String {
        const ROW: f64 = 26.0;
        const NAMES: f64 = 300.0;
        const FIGURES: f64 = 150.0;
        let height = ROW * self.bars.len() as f64 + 8.0;
        let longest = self.bars.iter().map(|(_, size, _)| *size).fold(0.0, f64::max);
        let mut svg = open(self.title, height);
        for (index, (name, size, figure)) in self.bars.iter().enumerate() {
            let y = 4.0 + ROW * index as f64;
            let share = if longest > 0.0 { size / longest } else { 0.0 };
            let width = ((WIDTH - NAMES - FIGURES) * share).max(1.0);
            svg.push_str(&format!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"13\" fill=\"#1c2430\">{}</text>\
                 <rect x=\"{NAMES}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"13\" fill=\"#1c2430\">{}</text>",
                NAMES - 10.0,
                y + 17.0,
                escape(name),
                y + 3.0,
                ROW - 6.0,
                COLOURS[1],
                NAMES + width + 8.0,
                y + 17.0,
                escape(figure),
            ));
        }
        svg + "</svg>"
    }
}

fn open(title: &str, height: f64) -> String {
    let title = escape(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"100%\" role=\"img\" \
         aria-label=\"{title}\" font-family=\"system-ui, sans-serif\"><title>{title}</title>"
    )
}

fn index_of(colour: &str) -> usize {
    COLOURS.iter().position(|known| *known == colour).unwrap_or(0)
}

fn legend(series: &[&str]) -> String {
    let mut svg = String::new();
    let mut x = LEFT;
    for (name, colour) in series.iter().zip(COLOURS) {
        svg.push_str(&format!(
            "<rect x=\"{x:.1}\" y=\"6\" width=\"12\" height=\"12\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"16.5\" font-size=\"13\" fill=\"#1c2430\">{}</text>",
            x + 17.0,
            escape(name)
        ));
        x += 40.0 + name.chars().count() as f64 * 7.2;
    }
    svg
}

fn grid_line(y: f64, label: &str) -> String {
    format!(
        "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#d5dbe3\"/>\
         <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"12\" fill=\"#55606e\">{label}</text>",
        WIDTH - RIGHT,
        LEFT - 6.0,
        y + 4.0
    )
}

/// Every label while they fit, else every so many.
fn label_under(x: f64, height: f64, index: usize, of: usize, label: &str) -> String {
    if !index.is_multiple_of(of.div_ceil(MOST_LABELS).max(1)) {
        return String::new();
    }
    format!(
        "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"12\" fill=\"#55606e\">{}</text>",
        height - 8.0,
        escape(label)
    )
}

/// The next number that an axis ends well at: 4, 8, 20, 40, 80, 200 and so on.
fn nice_ceiling(value: u32) -> u32 {
    let mut scale: u32 = 1;
    loop {
        for step in [4, 8, 12, 20] {
            if let Some(top) = scale.checked_mul(step).filter(|top| *top >= value) {
                return top;
            }
        }
        match scale.checked_mul(10) {
            Some(next) => scale = next,
            None => return u32::MAX,
        }
    }
}

fn format_count(value: f64) -> String {
    format!("{value:.0}")
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_numbers_that_part_into_four() {
        assert_eq!(
            [0, 3, 5, 9, 13, 21, 90, 4_000_000_000].map(nice_ceiling)[..7],
            [4, 4, 8, 12, 20, 40, 120]
        );
        assert!(nice_ceiling(4_000_000_000) >= 4_000_000_000);
    }

    #[test]
    fn a_bar_is_as_high_as_its_share_of_the_axis() {
        let chart = Stacks {
            title: "a < b",
            series: vec!["one", "two"],
            bars: vec![("2026-01".to_owned(), vec![2, 0]), ("2026-02".to_owned(), vec![1, 3])],
        };
        let svg = chart.svg(156.0);
        // The axis ends at 4 and is 100 high, so that one case is 25.
        assert!(svg.contains("aria-label=\"a &lt; b\""));
        assert!(svg.contains("height=\"50.0\" fill=\"#14663a\"><title>2026-01: one 2</title>"), "{svg}");
        assert!(svg.contains("height=\"75.0\" fill=\"#2f7fc1\"><title>2026-02: two 3</title>"), "{svg}");
        assert_eq!(svg.matches("<title>").count(), 4, "nothing is drawn for none");
        assert!(!svg.contains("style="), "the pages' policy forbids inline styles");
    }

    #[test]
    fn a_line_has_gaps_where_there_is_nothing() {
        let chart = Lines {
            title: "t",
            series: vec!["one"],
            points: vec![
                ("a".to_owned(), vec![Some(0.5)]),
                ("b".to_owned(), vec![None]),
                ("c".to_owned(), vec![Some(1.0)]),
            ],
        };
        let svg = chart.svg(156.0);
        assert_eq!(svg.matches('M').count(), 2, "{svg}");
        assert!(svg.contains("b</text>"));
    }
}
