//! Objects in an object store. The daemon looks once an hour, so whatever it does at once it does because it was told.

use crate::harness::eventually;
use crate::http;
use crate::object_store::ObjectStore;
use crate::pipelines::{INGEST, rows};
use crate::site::{SECRET, Site};
use serde_json::{Value, json};
use std::path::Path;

/// What stores send that something was put. Answers the sources that will be looked at.
fn notify(site: &Site, key: &str) -> Value {
    let record =
        json!({ "eventName": "ObjectCreated:Put", "s3": { "bucket": { "name": "bucket" }, "object": { "key": key } } });
    let body = json!({ "Records": [record] }).to_string();
    let bearer = format!("Bearer {SECRET}");
    let headers = [("authorization", &*bearer), ("content-type", "application/json")];
    let answer = http::send(&site.address(), "POST /hooks/a", &headers, body.as_bytes());
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.json()["data"]["sources"].clone()
}

/// Whether a file below the directory has exactly these bytes.
fn holds(directory: &Path, text: &str) -> bool {
    std::fs::read_dir(directory).into_iter().flatten().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            holds(&path, text)
        } else {
            std::fs::read(&path).is_ok_and(|bytes| bytes == text.as_bytes())
        }
    })
}

#[test]
fn an_object_starts_a_run_with_its_bytes_as_soon_as_the_store_tells_of_it() {
    let Some(mut store) = ObjectStore::start() else { return };
    let mut site = Site::new(&format!(
        "poll_seconds = 3600\n[hooks.a]\nauth = \"token\"\nsecret_file = \"secrets/hook\"\n\
         [s3]\nendpoint = \"{}\"\naccess_key_id_file = \"secrets/id\"\nsecret_access_key_file = \"secrets/key\"\n",
        store.endpoint()
    ));
    let [id, key] = store.key().map(str::to_string);
    site.secret("id", &id);
    site.secret("key", &key);
    let source = "[source.rows]\npath = \"s3://bucket/trips/{YYYY}-{MM}-{DD}.csv\"\n";
    let file = site.pipeline("objects", &format!("[trigger]\narrival = [\"rows\"]\nhttp = [\"a\"]\n{source}{INGEST}"));
    store.put("trips/2026-10-31.csv", &rows(1));
    site.serve();
    site.until_count("objects", "succeeded", 1);

    store.put("trips/2026-11-01.csv", &rows(2));
    assert_eq!(notify(&site, "elsewhere/2026-11-01.csv"), json!([]), "it is none of ours");
    assert_eq!(notify(&site, "trips/2026-11-01.csv"), json!(["objects/rows"]));
    site.until_count("objects", "succeeded", 2);
    assert!(holds(&site.home.path().join("state/artifacts"), &rows(2)));
    // In place: another content is another event, the same one is not.
    store.put("trips/2026-11-01.csv", &rows(3));
    notify(&site, "trips/2026-11-01.csv");
    site.until_count("objects", "succeeded", 3);
    assert!(holds(&site.home.path().join("state/artifacts"), &rows(3)));
    let again = "SELECT coalesce(sum(seen - 1), 0) FROM events WHERE pipeline = 'objects'";
    eventually("the same content was seen again", || {
        // Within the second of the put before it, nothing tells the two apart.
        store.put("trips/2026-11-01.csv", &rows(3));
        notify(&site, "trips/2026-11-01.csv");
        (site.record.number(again) >= 1).then_some(())
    });
    let spans = site.record.texts("SELECT span FROM runs WHERE pipeline = 'objects' ORDER BY id");
    assert_eq!(spans, ["2026-10-31", "2026-11-01", "2026-11-01"]);
    site.stop();

    store.put("trips/2026-11-02.csv", &rows(4));
    site.run(&["run", file.to_str().expect("a path")]).must(0);
    let newest = "SELECT span FROM artifacts WHERE kind = 'Delivery' ORDER BY created_at DESC LIMIT 1";
    assert_eq!(site.record.texts(newest), ["2026-11-02"]);
    assert!(holds(&site.home.path().join("state/artifacts"), &rows(4)), "a person's run takes the newest object");
    assert!(!site.log().contains(&key), "the key is in the log");
}
