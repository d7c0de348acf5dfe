//! `schema`: what data has to be like. Inferred once, from the first delivery's training rows; afterwards the schema that stands is passed
//! on as it is, byte for byte. A schema that follows the data in silence would never find anything.

mod infer;

use countersign_formats::tfmd::Message;
use countersign_formats::tfmd::schema::{FILE, Schema};
use countersign_formats::tfmd::statistics::{self, DatasetFeatureStatistics, DatasetFeatureStatisticsList};
use countersign_sdk::{Component, Description, Error, Outcome, Port, Task};
use std::path::Path;

/// What a pipeline can set.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// The split whose statistics the first schema is inferred from.
    pub split: String,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { split: "train".to_string() }
    }
}

struct SchemaStep;

impl Component for SchemaStep {
    type Parameters = Parameters;

    fn describe() -> Description {
        Description::new("schema", env!("CARGO_PKG_VERSION"), "Infers the first schema and keeps it.")
            .input(Port::input("statistics", "Statistics").describe("What the data looks like."))
            .input(Port::input("base", "Schema").optional().describe("The schema that stands: passed on unchanged."))
            .output(Port::output("schema", "Schema").describe("What data has to be like."))
    }

    fn execute(task: &Task, parameters: Parameters) -> Result<Outcome, Error> {
        let file = task.output("schema")?.join(FILE);
        if let Some(base) = task.optional_input("base") {
            let bytes = read(&base.join(FILE))?;
            let schema = Schema::decode(bytes.as_slice())
                .map_err(|error| Error::InvalidInput(format!("read {}: {error}", base.join(FILE).display())))?;
            // The bytes, not the message: fields that we do not know have to survive.
            std::fs::write(&file, &bytes)?;
            return Ok(Outcome::new(format!(
                "{} features (kept from the last approved delivery)",
                schema.feature.len()
            )));
        }
        let schema = infer::schema(&statistics_of(&task.input("statistics")?, &parameters.split)?);
        std::fs::write(&file, schema.encode_to_vec())?;
        Ok(Outcome::new(format!("inferred, {} features (first run)", schema.feature.len())))
    }
}

countersign_sdk::export!(SchemaStep);

fn statistics_of(folder: &Path, split: &str) -> Result<DatasetFeatureStatistics, Error> {
    let file = folder.join(split).join(statistics::FILE);
    if !folder.join(split).is_dir() {
        return Err(Error::InvalidInput(format!(
            "there are no statistics of the split `{split}`: set `split` to one that there is"
        )));
    }
    let list = DatasetFeatureStatisticsList::decode(read(&file)?.as_slice())
        .map_err(|error| Error::InvalidInput(format!("read {}: {error}", file.display())))?;
    list.datasets.into_iter().next().ok_or_else(|| Error::InvalidInput(format!("{} holds no dataset", file.display())))
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(file).map_err(|error| Error::InvalidInput(format!("read {}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_passed_on_byte_for_byte_with_fields_that_we_do_not_know() {
        let folder = tempfile::tempdir().unwrap();
        let (base, output) = (folder.path().join("base"), folder.path().join("schema"));
        std::fs::create_dir_all(&base).unwrap();
        std::fs::create_dir_all(&output).unwrap();
        let mut bytes = Schema { feature: vec![Default::default(); 18], ..Schema::default() }.encode_to_vec();
        // `represent_variable_length_as_ragged`, field 14, true.
        bytes.extend([0x70, 0x01]);
        std::fs::write(base.join(FILE), &bytes).unwrap();
        let task = Task::new(0).with_input("base", [base]).with_output("schema", &output);
        let outcome = SchemaStep::execute(&task, Parameters::default()).unwrap();
        assert_eq!(outcome.summary, "18 features (kept from the last approved delivery)");
        assert_eq!(std::fs::read(output.join(FILE)).unwrap(), bytes);
    }
}
