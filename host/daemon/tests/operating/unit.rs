//! The systemd unit, judged by systemd-analyze.

use crate::harness::Home;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Most exposure that is accepted, in tenths of a point.
const EXPOSURE: &str = "--threshold=20";

/// The unit with the binary where it lies here.
fn unit(home: &Home, change: impl Fn(String) -> String) -> PathBuf {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/systemd/countersign.service");
    let unit = std::fs::read_to_string(file).expect("the unit");
    assert!(unit.contains("ExecStart=/usr/bin/countersign serve\n"), "{unit}");
    let unit = unit.replace("/usr/bin/countersign", env!("CARGO_BIN_EXE_countersign"));
    home.write("countersign.service", &change(unit))
}

fn analyze(arguments: &[&str], unit: &Path) -> Output {
    Command::new("systemd-analyze").args(arguments).arg("--no-pager").arg(unit).output().expect("systemd-analyze runs")
}

#[test]
fn the_unit_is_right_and_exposes_little() {
    if !countersign_judges::found("systemd-analyze") {
        return;
    }
    let home = Home::new();
    let ours = unit(&home, |unit| unit);
    let verified = analyze(&["verify", "--man=no"], &ours);
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && !said.contains("countersign.service"), "{said}");
    let judged = analyze(&["security", "--offline=true", EXPOSURE], &ours);
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
    let lazy = unit(&home, |unit| unit.replace("CapabilityBoundingSet=\n", "").replace("SystemCallFilter=", "# "));
    assert!(!analyze(&["security", "--offline=true", EXPOSURE], &lazy).status.success());
    let wrong = unit(&home, |unit| unit.replace("Type=notify", "Type=notified"));
    let said = analyze(&["verify", "--man=no"], &wrong);
    assert!(String::from_utf8_lossy(&said.stderr).contains("service type"), "a wrong key is found");
}
