//! Curves over time, as SVG. The height is a logarithm: a herd is hundreds of times as high as what follows it.

use std::fmt::Write;

/// A line of the picture.
#[derive(Debug)]
pub(super) struct Curve {
    pub(super) name: &'static str,
    /// The number of each step.
    pub(super) arrivals: Vec<usize>,
}

const LEFT: f64 = 70.0;
const TOP: f64 = 44.0;
const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 260.0;
const COLORS: [&str; 3] = ["#d1495b", "#2a6fdb", "#2e8b57"];

/// Draws the curves, each with its name beside it. A step is so many milliseconds.
pub(super) fn draw(title: &str, step: u64, curves: &[Curve]) -> String {
    let most = curves.iter().flat_map(|curve| &curve.arrivals).max().copied().unwrap_or(1);
    let decades = (most as f64).log10().ceil().max(1.0);
    let y = |figure: f64| TOP + HEIGHT * (1.0 - (figure.max(1.0).log10() / decades));
    let steps = curves.iter().map(|curve| curve.arrivals.len()).max().unwrap_or(1);
    let x = |place: usize| LEFT + WIDTH * place as f64 / steps as f64;
    let (width, height) = (LEFT + WIDTH + 20.0, TOP + HEIGHT + 40.0 + 20.0 * curves.len() as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>{title}</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"10\" y=\"22\" font-size=\"15\" font-weight=\"bold\" fill=\"#222\">{title}</text>\n"
    );
    for decade in 0..=decades as u32 {
        let figure = 10_f64.powi(decade as i32);
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {0:.1}h{WIDTH}\" stroke=\"#ddd\"/><text x=\"{1}\" y=\"{2:.1}\" text-anchor=\"end\" fill=\"#222\">{figure:.0}</text>",
            y(figure),
            LEFT - 8.0,
            y(figure) + 4.0,
        );
    }
    let a_second = (1000 / step) as usize;
    for second in (0..=steps / a_second).step_by(2) {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#222\">{second} s</text>",
            x(second * a_second),
            TOP + HEIGHT + 18.0,
        );
    }
    for (number, Curve { name, arrivals }) in curves.iter().enumerate() {
        let color = COLORS[number % COLORS.len()];
        let mut line = String::new();
        for (place, arrived) in arrivals.iter().enumerate() {
            let _ = write!(
                line,
                "{}{:.1} {:.1}",
                if place == 0 { "M" } else { "L" },
                x(place),
                y(*arrived as f64)
            );
        }
        let at = TOP + HEIGHT + 40.0 + 20.0 * number as f64;
        let _ = writeln!(
            svg,
            "<path d=\"{line}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>\n\
             <rect x=\"{LEFT}\" y=\"{:.1}\" width=\"24\" height=\"4\" fill=\"{color}\"/><text x=\"{}\" y=\"{at:.1}\" fill=\"#222\">{name}</text>",
            at - 6.0,
            LEFT + 32.0,
        );
    }
    svg + "</svg>\n"
}
