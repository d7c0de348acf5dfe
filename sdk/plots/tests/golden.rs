//! The pictures, byte for byte. `UPDATE_PICTURES=1 cargo test -p countersign-plots` writes them anew: look at them then.

mod samples;

use std::path::Path;

#[test]
fn pictures_are_what_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for (name, picture) in samples::all() {
        let path = folder.join(format!("{name}.svg"));
        if std::env::var_os("UPDATE_PICTURES").is_some() {
            std::fs::write(&path, &picture.svg).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(picture.svg == expected, "{} is out of date: run with UPDATE_PICTURES=1", path.display());
    }
}
