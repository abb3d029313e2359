//! Bars with their quartiles, as SVG.

use std::fmt::Write;

use super::figures::Spread;

/// A bar.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) spread: Spread,
}

const NAMES: f64 = 150.0;
const LENGTH: f64 = 420.0;
const LINE: f64 = 26.0;

/// Draws them, the shortest first. Ours are filled, the others are pale. Each has its figure beside it.
pub(crate) fn bars(title: &str, bars: &[Bar]) -> String {
    let mut bars = bars.to_vec();
    bars.sort_by(|one, other| one.spread.median.total_cmp(&other.spread.median));
    let longest = bars.iter().map(|bar| bar.spread.high).fold(f64::MIN_POSITIVE, f64::max);
    let x = |figure: f64| NAMES + figure / longest * LENGTH;
    let (width, height) = (NAMES + LENGTH + 80.0, 40.0 + LINE * bars.len() as f64 + 10.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <title>{title}</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"10\" y=\"22\" font-size=\"15\" font-weight=\"bold\" fill=\"#222\">{title}</text>\n"
    );
    for (place, Bar { name, spread }) in bars.iter().enumerate() {
        let y = 40.0 + LINE * place as f64;
        let (fill, middle) = (color(name), y + LINE / 2.0 - 3.0);
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#222\">{name}</text>\n\
             <rect x=\"{NAMES}\" y=\"{y}\" width=\"{:.1}\" height=\"{}\" fill=\"{fill}\"/>\n\
             <path d=\"M{:.1} {middle}H{:.1}\" stroke=\"#222\" stroke-width=\"2\"/>\n\
             <text x=\"{:.1}\" y=\"{}\" fill=\"#222\">{}</text>\n",
            NAMES - 8.0,
            middle + 4.0,
            x(spread.median) - NAMES,
            LINE - 6.0,
            x(spread.low),
            x(spread.high),
            x(spread.high) + 6.0,
            middle + 4.0,
            figure(spread.median),
        );
    }
    svg + "</svg>\n"
}

fn color(name: &str) -> &'static str {
    match name {
        "raw sends" => "#888",
        name if name.ends_with("ours") => "#2a6fdb",
        _ => "#c9cdd3",
    }
}

fn figure(figure: f64) -> String {
    match figure {
        1000.0.. => format!("{:.0} 000", figure / 1000.0),
        10.0.. => format!("{figure:.0}"),
        _ => format!("{figure:.2}"),
    }
}
