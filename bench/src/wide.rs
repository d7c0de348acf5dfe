//! Wide data: a thousand columns, of which ten hold fifty values each, so that slicing by these makes five hundred slices. The same bytes
//! at every call.

use std::fmt::Write as _;

/// Columns that hold numbers.
const NUMBERS: usize = 989;
/// Columns that hold one of fifty names.
const NAMES: usize = 10;
/// Names a column.
const VALUES: u64 = 50;

/// The pipeline: everything that a review shows, and little training.
pub const PIPELINE: &str = r#"
name = "wide"

[source.rows]
path = "incoming/rows-{SPAN}.csv"

[step.examples]
component = "ingest"
inputs = { delivery = "rows" }
params = { format = "csv", split = { train = 1, eval = 1 } }
grant = ["query"]

[step.statistics]
component = "statistics"
inputs = { examples = "examples" }
grant = ["query"]

[step.schema]
component = "schema"
inputs = { statistics = "statistics", base = { resolve = "previous schema" } }

[step.validation]
component = "validate"
inputs = { statistics = "statistics", schema = "schema", examples = "examples", previous = { resolve = "previous statistics" } }
on = { warn = ["drift"] }
grant = ["query"]

[step.transform]
component = "transform"
inputs = { statistics = "statistics", schema = "schema", examples = "examples" }
grant = ["query"]
params = { label = "label" }

[step.model]
component = "train"
inputs = { examples = "examples", transform = "transform" }
params = { model = "mlp", hidden = [8], epochs = 3, checkpoints = "early and late" }
grant = ["query"]
limits = { memory_mib = 2048 }

[step.evaluation]
component = "evaluate"
inputs = { model = "model", examples = "examples", baseline = { resolve = "latest pushed model" } }
grant = ["query"]

[step.evaluation.params]
slices = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"]
max_slice_values = 50
min_slice_examples = 5

[step.difficulty]
component = "difficulty"
inputs = { model = "model", checkpoints = "model", examples = "examples" }
grant = ["query"]

[signoff.release]
after = ["validation", "evaluation", "difficulty"]
approvers = [{ role = "owner", count = 1 }]

[step.push]
component = "push"
inputs = { model = "model" }
release = "release"
target = "models/wide"
"#;

/// So many rows; every fiftieth column of numbers is moved by `shift`.
pub fn delivery(rows: usize, seed: u64, shift: f64) -> anyhow::Result<String> {
    let mut draw = Draws(seed);
    let mut csv = String::new();
    for column in 0..NUMBERS {
        write!(csv, "n{column},")?;
    }
    for column in 0..NAMES {
        write!(csv, "c{column},")?;
    }
    csv.push_str("label\n");
    for _ in 0..rows {
        let mut sum = 0.0;
        for column in 0..NUMBERS {
            let number = draw.bell();
            sum += if column < 4 { number } else { 0.0 };
            write!(csv, "{:.4},", if column % 50 == 0 { number + shift } else { number })?;
        }
        for _ in 0..NAMES {
            write!(csv, "name {},", draw.next() % VALUES)?;
        }
        csv.push_str(if sum + draw.bell() > 0.0 { "yes\n" } else { "no\n" });
    }
    Ok(csv)
}

/// Numbers by chance that are the same at every call: SplitMix64.
pub struct Draws(pub u64);

impl Draws {
    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// About normal, mean 0 and deviation 1: the sum of twelve even draws.
    pub fn bell(&mut self) -> f64 {
        let even = (0..12).map(|_| (self.next() >> 11) as f64 / (1_u64 << 53) as f64);
        even.sum::<f64>() - 6.0
    }
}
