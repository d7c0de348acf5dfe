//! Bytes: what the record names lies there whole, and what can be seen is whole.

use super::Scene;
use countersign_model::artifact::Manifest;
use countersign_model::digest::Digest;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(super) fn broken(scene: &Scene<'_>) -> Vec<String> {
    let mut broken = shelves(scene);
    broken.extend(targets(scene));
    broken
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Every file below a directory, with its digest.
fn files(root: &Path) -> BTreeMap<String, Digest> {
    let mut found = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        for name in names(&root.join(&folder)) {
            let path = folder.join(name);
            if root.join(&path).is_dir() {
                open.push(path);
            } else {
                let mut file = std::fs::File::open(root.join(&path)).expect("open file");
                found.insert(path.to_string_lossy().into_owned(), Digest::of_reader(&mut file).expect("read file"));
            }
        }
    }
    found
}

fn home_of(scene: &Scene<'_>, digest: &str) -> PathBuf {
    scene.home.path().join("state/artifacts/sha256").join(&digest[..2]).join(digest)
}

/// What is wrong with an artifact's directory.
fn wrong(home: &Path, digest: &str) -> Option<String> {
    let text = match std::fs::read(home.join("manifest.json")) {
        Ok(text) => text,
        Err(error) => return Some(format!("{digest}: {error}")),
    };
    let Ok(manifest) = serde_json::from_slice::<Manifest>(&text) else {
        return Some(format!("{digest}: its manifest can not be read"));
    };
    let wanted: BTreeMap<String, Digest> = manifest.files.iter().map(|file| (file.path.clone(), file.digest)).collect();
    let whole = manifest.digest().to_string() == digest && files(&home.join("files")) == wanted;
    (!whole).then(|| format!("{digest}: it is not what its manifest says"))
}

/// Every artifact of the record that was not given up, and everything else that lies among them.
fn shelves(scene: &Scene<'_>) -> Vec<String> {
    let root = scene.home.path().join("state/artifacts/sha256");
    let kept = "SELECT DISTINCT digest FROM artifacts WHERE collected_at IS NULL";
    let mut all: BTreeSet<String> = scene.record.texts(kept).into_iter().collect();
    for shelf in names(&root) {
        all.extend(names(&root.join(shelf)));
    }
    let wrong = all.iter().filter_map(|digest| wrong(&home_of(scene, digest), digest));
    wrong.map(|problem| format!("an artifact is whole: {problem}")).collect()
}

/// Versions, and which of them is live.
fn targets(scene: &Scene<'_>) -> Vec<String> {
    let query = "SELECT p.id, p.target, p.request, a.digest, q.evidence FROM pushes p JOIN requests q ON q.id = p.request \
                 JOIN artifacts a ON a.run = p.run AND a.kind = 'PushedModel' \
                 WHERE p.completed_at IS NOT NULL ORDER BY p.completed_at";
    let mut by_target: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for push in scene.record.rows(query) {
        let name = Path::new(&push[1]).file_name().expect("a name").to_string_lossy().into_owned();
        by_target.entry(name).or_default().push(push);
    }
    let root = scene.home.path().join("pipelines/models");
    let mut broken: Vec<String> = names(&root)
        .into_iter()
        .filter(|name| !by_target.contains_key(name))
        .map(|name| format!("a target has a push: {name}"))
        .collect();
    for (name, pushes) in by_target {
        broken.extend(target(scene, &root.join(name), &pushes));
    }
    broken
}

fn target(scene: &Scene<'_>, target: &Path, pushes: &[Vec<String>]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut versions: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for name in names(target) {
        if let Ok(number) = name.parse::<u64>() {
            let says: Value = std::fs::read(target.join(&name).join("provenance.json"))
                .ok()
                .and_then(|text| serde_json::from_slice(&text).ok())
                .unwrap_or_default();
            versions.entry(says["push"].as_str().unwrap_or_default().to_string()).or_default().push(number);
        } else if name != ".lock" && name != "current" {
            broken.push(format!("nothing half done is left in a target: {name}"));
        }
    }
    for push in pushes {
        match versions.remove(&push[0]).as_deref() {
            Some([number]) => broken.extend(version(scene, &target.join(number.to_string()), push)),
            found => broken.push(format!("a push is one version: {} is {found:?}", push[0])),
        }
    }
    if !versions.is_empty() {
        broken.push(format!("a version is one push: {versions:?}"));
    }
    let newest = pushes.last().map(|push| push[0].clone());
    let live = std::fs::read(target.join("current/provenance.json")).ok();
    let live: Option<Value> = live.and_then(|text| serde_json::from_slice(&text).ok());
    if live.as_ref().and_then(|says| says["push"].as_str()) != newest.as_deref() {
        broken.push(format!("what is live is the newest push: {live:?} instead of {newest:?}"));
    }
    broken
}

/// A version holds the pushed model and the papers that let it go live, byte by byte, and nothing else.
fn version(scene: &Scene<'_>, folder: &Path, push: &[String]) -> Option<String> {
    let [id, _, request, pushed, evidence] = push else { unreachable!("five columns") };
    let mut wanted = files(&home_of(scene, pushed).join("files"));
    wanted.insert("evidence.json".to_string(), Digest::of(evidence.as_bytes()));
    let decisions =
        format!("SELECT id, envelope FROM decisions WHERE request = '{request}' AND late = 0 AND kind = 'approve'");
    for decision in scene.record.rows(&decisions) {
        wanted.insert(format!("decisions/{}.dsse.json", decision[0]), Digest::of(decision[1].as_bytes()));
    }
    let mut found = files(folder);
    let papers = ["conditions.json", "provenance.json"].map(|name| found.remove(name).is_some());
    (found != wanted || papers != [true, true])
        .then(|| format!("a version is whole: {id}: {found:#?} instead of {wanted:#?}"))
}
