//! What was measured, as a table or as JSON, and the ratios of two hubs.

use anyhow::Result;
use cinnabar_load::{Figures, Load};
use serde_json::{Map, Value, json};

/// What one load has shown of one hub or of two.
pub(super) struct Row {
    pub(super) load: Load,
    pub(super) figures: Figures,
    pub(super) against: Option<Figures>,
}

/// A figure that the table shows, if it was measured.
struct Column {
    head: &'static str,
    figure: fn(&Figures) -> Option<f64>,
    /// Whether its ratio says anything.
    compares: bool,
    /// Whether only those who arrive have it.
    of_arrivals: bool,
}

impl Column {
    /// A figure whose ratio says something.
    const fn compared(head: &'static str, figure: fn(&Figures) -> Option<f64>) -> Self {
        Self { head, figure, compares: true, of_arrivals: false }
    }
}

const COLUMNS: [Column; 10] = [
    Column::compared("publications/s", |figures| Some(figures.publications_per_second)),
    Column::compared("deliveries/s", |figures| {
        figures.latency.map(|_| figures.deliveries_per_second)
    }),
    Column::compared("p50, ms", |figures| figures.latency.map(|latency| latency.p50)),
    Column::compared("p99, ms", |figures| figures.latency.map(|latency| latency.p99)),
    Column::compared("max, ms", |figures| figures.latency.map(|latency| latency.max)),
    Column {
        of_arrivals: true,
        ..Column::compared("arrivals/s", |figures| figures.arrivals.map(|all| all.per_second))
    },
    Column {
        of_arrivals: true,
        ..Column::compared("opening p99, ms", |figures| {
            figures.arrivals.and_then(|all| all.opening).map(|opening| opening.p99)
        })
    },
    Column::compared("CPU, µs", |figures| figures.process.map(|process| process.microseconds)),
    Column::compared("memory, MB", |figures| figures.process.map(|process| process.memory_loaded)),
    Column { compares: false, ..Column::compared("lost", |figures| Some(figures.lost as f64)) },
];

/// The table in Markdown: in each cell the figure, that of the second hub, and the ratio. What only
/// arrivals have is left out where nobody arrives.
pub(super) fn markdown(rows: &[Row]) -> String {
    let somebody_arrives = rows.iter().any(|row| row.load.arrivals.is_some());
    let columns: Vec<&Column> =
        COLUMNS.iter().filter(|column| somebody_arrives || !column.of_arrivals).collect();
    let heads: Vec<_> = columns.iter().map(|column| column.head).collect();
    let mut table = format!("| load | {} |\n|---|", heads.join(" | "));
    table += &"---:|".repeat(columns.len());
    table += "\n";
    for Row { load, figures, against } in rows {
        let cells: Vec<_> =
            columns.iter().map(|column| column.cell(figures, against.as_ref())).collect();
        table += &format!("| {} | {} |\n", name(load), cells.join(" | "));
    }
    table
}

impl Column {
    fn cell(&self, figures: &Figures, against: Option<&Figures>) -> String {
        let shown = |figures: &Figures| (self.figure)(figures).map_or_else(String::new, number);
        let mut cell = shown(figures);
        let Some(against) = against else { return cell };
        let other = shown(against);
        if !cell.is_empty() || !other.is_empty() {
            cell += &format!(" : {other}");
        }
        if let (Some(first), Some(second), true) =
            ((self.figure)(figures), (self.figure)(against), self.compares)
            && let Some(ratio) = ratio(first, second)
        {
            cell += &format!(" = **{}**", number(ratio));
        }
        cell
    }
}

/// The same as JSON, with every figure and its ratio.
pub(super) fn json(rows: &[Row]) -> Result<Value> {
    let rows = rows.iter().map(|row| {
        let figures = serde_json::to_value(&row.figures)?;
        let mut object = json!({"load": row.load, "figures": figures});
        if let Some(against) = &row.against {
            let against = serde_json::to_value(against)?;
            object["ratios"] = ratios(&figures, &against);
            object["against"] = against;
        }
        Ok(object)
    });
    rows.collect()
}

/// The ratios of all numbers that both have and that the second has above 0.
fn ratios(first: &Value, second: &Value) -> Value {
    match (first, second) {
        (Value::Object(first), Value::Object(second)) => {
            let both =
                first.iter().filter_map(|(name, value)| Some((name, value, second.get(name)?)));
            let all = both.map(|(name, first, second)| (name.clone(), ratios(first, second)));
            all.filter(|(_, ratio)| !ratio.is_null()).collect::<Map<_, _>>().into()
        }
        (first, second) => {
            let numbers = first.as_f64().zip(second.as_f64());
            numbers.and_then(|(first, second)| ratio(first, second)).into()
        }
    }
}

fn ratio(first: f64, second: f64) -> Option<f64> {
    (second > 0.0).then(|| first / second)
}

/// What a load is called in the table.
pub(super) fn name(load: &Load) -> String {
    let count = |count: usize, name: &str| {
        format!("{} {name}{}", number(count as f64), if count == 1 { "" } else { "s" })
    };
    let mut name =
        if load.streams == 0 { "no streams".into() } else { count(load.streams, "stream") };
    if load.topics > 1 {
        name += &format!(", {}", count(load.topics, "topic"));
    }
    match load.rate {
        Some(rate) => {
            let updates = if rate == 1.0 { "update" } else { "updates" };
            name += &format!(", {} {updates}/s", number(rate));
        }
        None => name += &format!(", {}", count(load.publishers.into(), "publisher")),
    }
    if load.size != Load::default().size {
        name += &format!(", {} bytes", number(load.size as f64));
    }
    if load.private {
        name += ", private";
    }
    if let Some(arrivals) = load.arrivals {
        name += &format!(", {} arrivals/s", number(arrivals));
    }
    name
}

/// A number with as many digits as matter, and commas between thousands.
fn number(number: f64) -> String {
    if number < 10.0 && number.fract() != 0.0 {
        return format!("{number:.*}", if number < 1.0 { 2 } else { 1 });
    }
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use cinnabar_load::{Faults, Latency, Taken};

    use super::*;

    fn figures(scale: f64) -> Figures {
        Figures {
            publications: 10,
            publications_per_second: 1.0 * scale,
            refused: 0,
            deliveries: 1000,
            deliveries_per_second: 123_456.0 * scale,
            latency: Some(Latency { p50: 7.25 * scale, p99: 13_900.0 * scale, max: 14_000.0 }),
            lost: 0,
            out_of_order: 0,
            twice: 0,
            warm_up: Faults::default(),
            ended: 0,
            arrivals: None,
            process: None,
            reader_busy: 0.5,
        }
    }

    #[test]
    fn a_cell_has_both_figures_and_their_ratio() {
        let row = Row { load: Load::default(), figures: figures(1.0), against: Some(figures(2.0)) };
        let table = markdown(&[row]);
        let expected = "| 100 streams, 1 publisher | 1 : 2 = **0.50** | 123,456 : 246,912 = **0.50** \
                        | 7.2 : 14 = **0.50** | 13,900 : 27,800 = **0.50** | 14,000 : 14,000 = **1** \
                        |  |  | 0 : 0 |\n";
        assert!(table.ends_with(expected), "{table}");
        let lines: Vec<_> = table.lines().map(|line| line.matches('|').count()).collect();
        assert_eq!(lines, [10; 3], "{table}");
    }

    #[test]
    fn one_hub_has_no_ratio() {
        let load = Load { streams: 0, publishers: 8, ..Load::default() };
        let table = markdown(&[Row { load, figures: figures(1.0), against: None }]);
        assert!(table.contains("| no streams, 8 publishers | 1 | 123,456 | 7.2 |"), "{table}");
    }

    #[test]
    fn json_has_the_ratio_of_each_figure() {
        let process = |microseconds| {
            Some(Taken { microseconds, memory_empty: 1.0, memory_open: 2.0, memory_loaded: 3.0 })
        };
        let row = Row {
            load: Load::default(),
            figures: Figures { process: process(46.0), ..figures(1.0) },
            against: Some(Figures { process: process(11.5), ..figures(2.0) }),
        };
        let rows = json(&[row]).unwrap();
        assert_eq!(rows[0]["figures"]["latency"]["p50"], 7.25);
        assert_eq!(rows[0]["against"]["latency"]["p50"], 14.5);
        assert_eq!(rows[0]["ratios"]["latency"]["p50"], 0.5);
        assert_eq!(rows[0]["ratios"]["process"]["microseconds"], 4.0);
        assert_eq!(rows[0]["ratios"].get("lost"), None, "nothing can be divided by 0");
    }

    #[test]
    fn a_name_says_what_is_unusual() {
        let load = Load {
            streams: 1_000,
            rate: Some(0.5),
            topics: 10,
            size: 65_536,
            private: true,
            ..Load::default()
        };
        assert_eq!(name(&load), "1,000 streams, 10 topics, 0.50 updates/s, 65,536 bytes, private");
    }
}
