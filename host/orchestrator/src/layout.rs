//! What each standard artifact kind must hold: a component that says `Model` and leaves something else is told so.

use crate::error::step_error;
use countersign_formats::{difficulty, evaluation, examples, model};
use countersign_model::artifact::ArtifactKind;
use countersign_model::execution::StepError;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Checks an output directory against its kind. A plugin's own kind only has to hold something.
///
/// # Errors
/// `output.missing` when it is empty, `output.kind` when it is not of its kind.
pub(crate) fn check(kind: &ArtifactKind, port: &str, path: &Path) -> Result<(), StepError> {
    if std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none()) {
        return Err(step_error(
            "output.missing",
            format!("the component promised output `{port}` ({kind}) and left nothing in /out/{port}"),
        ));
    }
    let wrong =
        |problem: String| step_error("output.kind", format!("output `{port}` is not of kind `{kind}`: {problem}"));
    match kind.as_str() {
        ArtifactKind::EXAMPLES => {
            let index: examples::ExamplesIndex = json(path, examples::INDEX).map_err(wrong)?;
            index.rows.keys().try_for_each(|split| split_holds(path, split, "part-0.parquet")).map_err(wrong)
        }
        ArtifactKind::STATISTICS => some_split_holds(path, "stats.pb").map_err(wrong),
        ArtifactKind::SCHEMA => file(path, "schema.pb").map_err(wrong),
        ArtifactKind::ANOMALIES => some_split_holds(path, "anomalies.pb").map_err(wrong),
        ArtifactKind::TRANSFORM_GRAPH => file(path, model::TRANSFORM_GRAPH)
            .and_then(|()| json::<model::TransformIndex>(path, model::TRANSFORM_INDEX).map(drop))
            .map_err(wrong),
        ArtifactKind::MODEL => file(path, model::MODEL_GRAPH)
            .and_then(|()| json::<model::ModelIndex>(path, model::MODEL_INDEX).map(drop))
            .map_err(wrong),
        ArtifactKind::CHECKPOINTS => {
            let index: model::CheckpointIndex = json(path, model::CHECKPOINT_INDEX).map_err(wrong)?;
            index.checkpoints.iter().try_for_each(|checkpoint| file(path, &checkpoint.file)).map_err(wrong)
        }
        ArtifactKind::EVALUATION => json::<evaluation::Evaluation>(path, evaluation::FILE).map(drop).map_err(wrong),
        ArtifactKind::EXAMPLE_DIFFICULTY => {
            json::<difficulty::Difficulty>(path, difficulty::FILE).map(drop).map_err(wrong)
        }
        ArtifactKind::PUSHED_MODEL => file(path, model::MODEL_GRAPH)
            .and_then(|()| json::<model::PushedIndex>(path, model::PUSHED_INDEX).map(drop))
            .map_err(wrong),
        _ => Ok(()),
    }
}

fn file(path: &Path, name: &str) -> Result<(), String> {
    match std::fs::symlink_metadata(path.join(name)) {
        Ok(found) if found.is_file() => Ok(()),
        Ok(_) => Err(format!("`{name}` is no plain file")),
        Err(_) => Err(format!("`{name}` is missing")),
    }
}

fn split_holds(path: &Path, split: &str, name: &str) -> Result<(), String> {
    file(path, &format!("{split}/{name}"))
}

fn some_split_holds(path: &Path, name: &str) -> Result<(), String> {
    let splits = std::fs::read_dir(path).map_err(|error| error.to_string())?;
    let found = splits.flatten().any(|split| file(&split.path(), name).is_ok());
    if found { Ok(()) } else { Err(format!("no folder holds `{name}`")) }
}

pub(crate) fn json<T: DeserializeOwned>(path: &Path, name: &str) -> Result<T, String> {
    file(path, name)?;
    let bytes = std::fs::read(path.join(name)).map_err(|error| format!("read `{name}`: {error}"))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("`{name}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(kind: &str, files: &[(&str, &str)]) -> Result<(), StepError> {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        check(&kind.into(), "out", directory.path())
    }

    #[test]
    fn an_empty_output_is_missing() {
        assert_eq!(checked("Model", &[]).unwrap_err().code, "output.missing");
        assert_eq!(checked("WordCounts", &[]).unwrap_err().code, "output.missing");
    }

    #[test]
    fn an_output_of_another_kind_is_told_what_it_lacks() {
        for (kind, lacks) in [
            ("Examples", "examples.json"),
            ("Statistics", "stats.pb"),
            ("Schema", "schema.pb"),
            ("Anomalies", "anomalies.pb"),
            ("TransformGraph", "transform.onnx"),
            ("Model", "model.onnx"),
            ("Checkpoints", "checkpoints.json"),
            ("Evaluation", "evaluation.json"),
            ("ExampleDifficulty", "difficulty.json"),
            ("PushedModel", "model.onnx"),
        ] {
            let error = checked(kind, &[("note.txt", "not what was promised")]).unwrap_err();
            assert_eq!(error.code, "output.kind", "{kind}");
            assert!(error.message.contains(kind) && error.message.contains(lacks), "{}", error.message);
        }
    }

    #[test]
    fn an_index_that_promises_a_missing_file_is_found_out() {
        let index = r#"{"columns":[],"rows":{"train":3},"rejected":0}"#;
        let error = checked("Examples", &[("examples.json", index)]).unwrap_err();
        assert!(error.message.contains("train/part-0.parquet"), "{}", error.message);
        assert_eq!(checked("Examples", &[("examples.json", index), ("train/part-0.parquet", "PAR1")]), Ok(()));
        let error = checked("Evaluation", &[("evaluation.json", "{\"split\": 3}")]).unwrap_err();
        assert!(error.message.contains("line 1"), "{}", error.message);
    }

    #[test]
    fn a_plugins_own_kind_only_has_to_hold_something() {
        assert_eq!(checked("WordCounts", &[("counts.csv", "a,1")]), Ok(()));
    }
}
