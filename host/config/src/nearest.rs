//! Guessing what a person meant, and naming things in sentences.

/// The candidate that `word` was most likely meant to be.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = folded(word);
    candidates
        .into_iter()
        .filter_map(|candidate| Some((likeness(&wanted, &folded(candidate))?, candidate)))
        // The first of equals: candidates come in the order that is most useful.
        .fold(None, |best: Option<(f64, &str)>, (score, candidate)| match best {
            Some((high, _)) if high >= score => best,
            _ => Some((score, candidate)),
        })
        .map(|(_, candidate)| candidate)
}

/// How alike two words are, or nothing when a guess would only annoy. A typing slip is a better reason than a shared
/// beginning, so it always scores higher.
fn likeness(wanted: &str, candidate: &str) -> Option<f64> {
    let slips = strsim::damerau_levenshtein(wanted, candidate);
    let shorter = wanted.chars().count().min(candidate.chars().count());
    if slips <= (shorter / 3).max(1) && shorter > 1 {
        return Some(2.0 - slips as f64 / 100.0);
    }
    Some(strsim::jaro_winkler(wanted, candidate)).filter(|score| *score >= 0.8 && shorter > 2)
}

/// Case and the choice of `-`, `_` or a space are no difference between names.
fn folded(word: &str) -> String {
    // A word longer than any name can not be near one, and comparing costs its length squared.
    word.chars().take(80).flat_map(char::to_lowercase).map(|c| if matches!(c, '_' | ' ') { '-' } else { c }).collect()
}

/// `` `a`, `b` and `c` ``; the end of a long list is only counted.
pub(crate) fn list<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    const SHOWN: usize = 20;
    let names: Vec<String> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match names.as_slice() {
        [] => "nothing".to_string(),
        [only] => only.clone(),
        many if many.len() > SHOWN => format!("{} and {} more", many[..SHOWN].join(", "), many.len() - SHOWN),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// "a `Schema`", "an `Evaluation`".
pub(crate) fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['A', 'E', 'I', 'O', 'U', 'a', 'e', 'i', 'o']);
    format!("{} `{kind}`", if vowel { "an" } else { "a" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_slips_and_shared_beginnings_and_nothing_else() {
        let keys = ["component", "inputs", "params", "time_seconds", "memory_mib"];
        assert_eq!(nearest("input", keys), Some("inputs"));
        assert_eq!(nearest("parms", keys), Some("params"));
        assert_eq!(nearest("parameters", keys), Some("params"));
        assert_eq!(nearest("time-minutes", keys), Some("time_seconds"));
        assert_eq!(nearest("MEMORY_MIB", keys), Some("memory_mib"));
        assert_eq!(nearest("escalate", keys), None);
        assert_eq!(nearest("", keys), None);
    }

    #[test]
    fn lists_read_as_a_sentence() {
        assert_eq!(list::<&str>([]), "nothing");
        assert_eq!(list(["a"]), "`a`");
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` and `c`");
        assert!(list((0..30).map(|n| n.to_string())).ends_with("`19` and 10 more"));
    }
}
