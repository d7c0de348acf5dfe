//! Steps of which pipelines are made here.

/// Costs next to nothing.
pub const NOTE: &str = "[step.note]\ncomponent = \"noop\"\ncache = false\n";

/// Takes two seconds.
pub const NAP: &str = "[step.nap]\ncomponent = \"misbehave\"\nparams = { how = \"nap\" }\ncache = false\n\
     grant = [\"query\", \"clock\", \"random\"]\n";

/// Never ends by itself.
pub const SLEEP: &str = "[step.sleep]\ncomponent = \"misbehave\"\nparams = { how = \"sleep-forever\" }\n\
     grant = [\"query\", \"clock\", \"random\"]\n";

/// Reads the source `rows`.
pub const INGEST: &str = "[step.examples]\ncomponent = \"ingest\"\ninputs = { delivery = \"rows\" }\n\
     params = { split = { train = 3, eval = 1 } }\ngrant = [\"query\"]\n";

/// From the source `rows` to a model, as small as it can be, and to the people who are asked about it.
pub const TRAINING: &str = r#"
[step.examples]
component = "ingest"
inputs = { delivery = "rows" }
params = { split = { train = 3, eval = 1 } }
grant = ["query"]
[step.statistics]
component = "statistics"
inputs = { examples = "examples" }
grant = ["query"]
[step.schema]
component = "schema"
inputs = { statistics = "statistics" }
[step.transform]
component = "transform"
inputs = { statistics = "statistics", schema = "schema", examples = "examples" }
params = { label = "tipped" }
grant = ["query"]
[step.model]
component = "train"
inputs = { examples = "examples", transform = "transform" }
params = { model = "mlp", hidden = [4], epochs = 1 }
grant = ["query"]
[signoff.release]
after = ["model"]
approvers = [{ role = "owner", count = 1 }]
approve_on = ["page", "terminal"]
[step.push]
component = "push"
inputs = { model = "model" }
release = "release"
target = "models/tips"
"#;

/// A delivery like no other.
pub fn rows(number: usize) -> String {
    let row = |row: usize| format!("{},{},{}\n", row % 17 + number, (row * 7) % 23, (row * (number + 1)) % 7 < 3);
    "fare,miles,tipped\n".to_string() + &(0..120).map(row).collect::<String>()
}
