//! Rows that could not be read: kept beside the examples, never dropped in silence, and refused when they are too many.

use countersign_sdk::figures;

/// One row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Its line in the delivery.
    pub line: u64,
    /// Why.
    pub reason: String,
    /// What stands there.
    pub text: String,
}

/// Says no when more rows are bad than allowed, naming the first ones.
pub fn check(rejects: u64, rows: u64, max_percent: f64, first: &[Reject]) -> Result<(), String> {
    let all = rows + rejects;
    if rejects == 0 || rejects as f64 * 100.0 <= max_percent * all as f64 {
        return Ok(());
    }
    let lines: Vec<String> = first.iter().map(|reject| format!("line {}: {}", reject.line, reject.reason)).collect();
    Err(format!(
        "{} of {} rows ({}) can not be read, more than the {max_percent} % of `max_rejected_percent`; {}: mend the file, or allow more",
        figures::count(rejects),
        figures::count(all),
        figures::percent(rejects as f64 / all as f64),
        lines.join("; ")
    ))
}

/// `_rejected.csv`.
pub fn csv(rejects: &[Reject]) -> String {
    let mut text = String::from("line,reason,text\n");
    for reject in rejects {
        text.push_str(&format!("{},{},{}\n", reject.line, quoted(&reject.reason), quoted(&reject.text)));
    }
    text
}

/// Always quoted: the text of a bad row may hold anything.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(line: u64, text: &str) -> Reject {
        Reject { line, reason: "found 17 fields, 18 expected".into(), text: text.into() }
    }

    #[test]
    fn a_few_bad_rows_are_set_aside_and_many_are_refused_by_name() {
        assert_eq!(check(5, 95, 5.0, &[]), Ok(()));
        let error = check(6, 94, 5.0, &[reject(3, ""), reject(9, "")]).unwrap_err();
        assert!(error.starts_with("6 of 100 rows (6 %) can not be read, more than the 5 %"), "{error}");
        assert!(error.contains("line 3: found 17 fields, 18 expected; line 9:"), "{error}");
        assert!(check(1, 0, 5.0, &[reject(2, "")]).is_err());
        assert_eq!(check(0, 0, 5.0, &[]), Ok(()));
    }

    #[test]
    fn the_text_of_a_bad_row_survives() {
        assert_eq!(
            csv(&[reject(3, "a,\"b\"\nc")]),
            "line,reason,text\n3,\"found 17 fields, 18 expected\",\"a,\"\"b\"\"\nc\"\n"
        );
    }
}
