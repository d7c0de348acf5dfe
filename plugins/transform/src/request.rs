//! Checks what the parameters ask for against the columns that there are. Every refusal says what to do instead.

use crate::Parameters;
use countersign_formats::tfmd::schema::{DomainInfo, Schema};
use countersign_formats::tfmd::statistics::DatasetFeatureStatistics;
use countersign_onnx::graph;
use countersign_sdk::Error;

/// A label with more values is not a class but a number or an id.
pub const MOST_CLASSES: usize = 100;

/// What is to become of the columns.
pub struct Request {
    /// Columns to look at, in delivered order, without the label and the excluded ones.
    pub columns: Vec<String>,
    /// Columns that are left out although nobody excluded them, each with its reason.
    pub left_out: Vec<(String, String)>,
    /// Columns of numbers that are names: their values have to be counted.
    pub count: Vec<String>,
}

/// Checks the names in the parameters, and sorts the columns.
pub fn check(parameters: &Parameters, data: &DatasetFeatureStatistics, schema: &Schema) -> Result<Request, Error> {
    let names: Vec<String> = data.features.iter().map(|f| f.column()).collect();
    exists("label", &parameters.label, &names)?;
    for (parameter, listed) in [("exclude", &parameters.exclude), ("categorical", &parameters.categorical)] {
        listed.iter().try_for_each(|name| exists(parameter, name, &names))?;
    }
    let mut request = Request { columns: Vec::new(), left_out: Vec::new(), count: Vec::new() };
    for feature in &data.features {
        let name = feature.column();
        if name == parameters.label || parameters.exclude.contains(&name) {
            continue;
        }
        if graph::is_reserved(&name) {
            return Err(Error::InvalidInput(format!(
                "the column `{name}` has a name that model files keep for themselves: exclude or rename it"
            )));
        }
        let Some(known) = schema.feature(&name) else {
            request.left_out.push((name, "the schema does not have it".to_owned()));
            continue;
        };
        if !known.is_live() {
            request.left_out.push((name, "the schema says that it is not in use".to_owned()));
            continue;
        }
        let by_schema = matches!(&known.domain_info, Some(DomainInfo::IntDomain(d)) if d.is_categorical());
        if feature.numeric().is_some() && (by_schema || parameters.categorical.contains(&name)) {
            request.count.push(name.clone());
        }
        request.columns.push(name);
    }
    Ok(request)
}

fn exists(parameter: &str, name: &str, names: &[String]) -> Result<(), Error> {
    if names.iter().any(|n| n == name) {
        return Ok(());
    }
    let mut near: Vec<(f64, &String)> = names.iter().map(|n| (strsim::jaro_winkler(name, n), n)).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near: Vec<String> = near.iter().filter(|(s, _)| *s > 0.75).take(3).map(|(_, n)| format!("`{n}`")).collect();
    let hint = if near.is_empty() {
        let all: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
        format!("the columns are {}", all.join(", "))
    } else {
        format!("did you mean {}?", near.join(" or "))
    };
    Err(Error::InvalidInput(format!(
        "parameter `{parameter}` names the column `{name}`, which the data does not have; {hint}"
    )))
}

/// Refuses a label that is no class.
pub fn check_classes(label: &str, split: &str, classes: &[String]) -> Result<(), Error> {
    let problem = match classes {
        [] => format!("has no value in the split `{split}`: choose another column as label"),
        [only] => format!(
            "is always `{only}` in the split `{split}`: there is nothing to learn; deliver rows of another class"
        ),
        many if many.len() > MOST_CLASSES => {
            format!(
                "has more than {MOST_CLASSES} different values: name a column of classes, or make one (for example `tip_over_20_percent`)"
            )
        }
        _ => return Ok(()),
    };
    Err(Error::InvalidInput(format!("the label `{label}` {problem}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        ["big_tipper", "fare", "tips"].map(str::to_owned).to_vec()
    }

    fn message(result: Result<(), Error>) -> String {
        match result {
            Err(Error::InvalidInput(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_nearest_or_with_all() {
        assert!(exists("label", "fare", &names()).is_ok());
        let near = message(exists("label", "big_tiper", &names()));
        assert!(near.contains("`label`") && near.ends_with("did you mean `big_tipper`?"), "{near}");
        let far = message(exists("exclude", "zzz", &names()));
        assert!(far.ends_with("the columns are `big_tipper`, `fare`, `tips`"), "{far}");
    }

    #[test]
    fn a_label_needs_two_to_a_hundred_classes() {
        let classes = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>();
        assert!(check_classes("y", "train", &classes(2)).is_ok());
        assert!(check_classes("y", "train", &classes(100)).is_ok());
        assert!(message(check_classes("y", "train", &classes(0))).contains("no value"));
        assert!(message(check_classes("y", "train", &classes(1))).contains("always `0`"));
        assert!(message(check_classes("y", "train", &classes(101))).contains("more than 100"));
    }
}
