//! Too much of anything ends in an error that names the limit and how to raise it.

use crate::stage::{Stage, fails, works};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

async fn out_of_time(how: &str) {
    let mut stage = Stage::new(how);
    stage.invocation.limits.time_seconds = 1;
    let error = stage.run().await.expect_err(how);
    assert_eq!(error.code, "limit.time", "{how}: {error:?}");
    assert!(error.message.contains("limit of 1 s") && error.message.contains("time_seconds = 2"), "{error:?}");
    works().await;
}

#[tokio::test]
async fn time_ends_computing_waiting_and_host_calls() {
    out_of_time("loop-forever").await;
    out_of_time("sleep-forever").await;
    out_of_time("query-forever").await;
}

#[tokio::test]
async fn memory_is_limited() {
    fails("eat-memory", "limit.memory", &["limit is 64 MiB", "memory_mib = 128"]).await;
}

#[tokio::test]
async fn instances_and_tables_are_limited() {
    let mut stage = Stage::new("behave");
    stage.invocation.limits.instances = 1;
    let error = stage.run().await.expect_err("one instance is too few");
    assert_eq!(error.code, "limit.instances", "{error:?}");
    assert!(error.message.contains("instances = 2"), "{error:?}");

    let mut stage = Stage::new("behave");
    stage.invocation.limits.table_elements = 1;
    let error = stage.run().await.expect_err("one table element is too few");
    assert_eq!(error.code, "limit.tables", "{error:?}");
    assert!(error.message.contains("table_elements = 2"), "{error:?}");
}

fn disk_bytes(directory: &Path) -> u64 {
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().metadata().unwrap().blocks() * 512).sum()
}

#[tokio::test]
async fn output_is_limited_before_it_fills_the_disk() {
    for how in ["write-gigabyte", "write-without-end"] {
        let (stage, _) = fails(how, "limit.output", &["limit of 16 MiB", "output_mib = 32"]).await;
        let written = disk_bytes(&stage.output());
        assert!(written < 900 << 20, "{how} had written {written} bytes when it was stopped");
    }
    fails("grow-sparse-file", "limit.output", &["limit of 16 MiB"]).await;
    fails("many-files", "limit.output", &["a file counts at least 4 KiB"]).await;
}

#[tokio::test]
async fn what_a_component_prints_and_logs_is_cut_and_counted() {
    for how in ["print-gigabyte", "print-without-newlines", "log-gigabyte", "many-logs"] {
        let stage = Stage::new(how);
        stage.run().await.unwrap_or_else(|error| panic!("{how}: {error:?}"));
        assert!(stage.listener.bytes() < 17 << 10, "{how}: {} bytes passed on", stage.listener.bytes());
        let last = stage.listener.last_line();
        assert!(
            last.message.contains("bytes of log were dropped") && last.message.contains("log_kib = 64"),
            "{how}: {last:?}"
        );
    }
    works().await;
}

#[tokio::test]
async fn a_component_can_not_use_up_the_daemons_file_descriptors() {
    fails("many-open-files", "limit.handles", &["too many files"]).await;
}

#[tokio::test]
async fn deep_directories_do_no_harm() {
    let stage = Stage::new("deep-directories");
    assert_eq!(stage.run().await.expect("allowed").summary, "deep");
}

#[tokio::test]
async fn metrics_are_counted() {
    fails("many-metrics", "bug", &["more than 10000 metrics"]).await;
}
