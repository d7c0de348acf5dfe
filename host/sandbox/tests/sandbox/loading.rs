//! Files that are no components, and components for other hosts: each is refused with what to do.

use crate::stage::{component, shared, works};
use countersign_ports::component_runner::ComponentRunner;
use std::error::Error;

const PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";

/// `(component (import "<name>" (instance)))`, in bytes.
fn importing(name: &str) -> Vec<u8> {
    let size = |count: usize| u8::try_from(count).expect("short");
    let mut wasm = PREAMBLE.to_vec();
    wasm.extend([7, 3, 1, 0x42, 0]); // one type: an instance with nothing in it
    wasm.extend([10, size(name.len() + 5), 1, 0, size(name.len())]);
    wasm.extend(name.as_bytes());
    wasm.extend([5, 0]); // an instance of that type
    wasm
}

async fn refused(wasm: &[u8], says: &[&str]) {
    let error = shared().describe(&component(wasm)).await.expect_err("no component of ours");
    let mut text = error.to_string();
    if let Some(source) = error.source() {
        text = format!("{text}: {source}");
    }
    for words in says {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[tokio::test]
async fn what_is_no_component_is_said_to_be_none() {
    refused(b"", &["no WebAssembly file", "wasm32-wasip2"]).await;
    refused(b"#!/bin/sh\necho evil", &["no WebAssembly file"]).await;
    refused(b"\0asm\x01\0\0\0", &["core module", "wasm32-wasip2"]).await;
    refused(&[PREAMBLE, &[0xff; 64]].concat(), &["no valid WebAssembly component"]).await;
    let guest = countersign_guests::NOOP;
    refused(&guest[..guest.len() / 2], &["no valid WebAssembly component"]).await;
    let mut flipped = guest.to_vec();
    flipped[guest.len() / 3] ^= 0xff;
    // A flipped bit may hit a constant, so that the component is still one; it must only not harm.
    let _ = shared().describe(&component(&flipped)).await;
    works().await;
}

#[tokio::test]
async fn a_file_of_200_megabytes_is_refused_unread() {
    refused(&vec![0; 200 << 20], &["200 MiB", "100 MiB are allowed"]).await;
}

#[tokio::test]
async fn bytes_that_are_not_those_of_the_digest_are_refused() {
    let mut liar = component(countersign_guests::NOOP);
    liar.digest = countersign_model::digest::Digest::of(b"another");
    let error = shared().describe(&liar).await.expect_err("a wrong digest").to_string();
    assert!(error.contains("not those of digest"), "{error}");
}

#[tokio::test]
async fn an_import_that_no_capability_opens_is_named() {
    refused(&importing("wasi:http/outgoing-handler@0.2.0"), &["wasi:http/outgoing-handler@0.2.0", "capability `http`"])
        .await;
    refused(&importing("wasi:sockets/tcp@0.2.0"), &["wasi:sockets/tcp@0.2.0", "capability `http`"]).await;
    refused(&importing("wasi:nn/graph@0.2.0"), &["capability `tensor`"]).await;
    refused(&importing("corp:secrets/store@1.0.0"), &["corp:secrets/store@1.0.0", "no capability opens"]).await;
}

#[tokio::test]
async fn another_interface_version_names_found_wanted_and_the_cure() {
    let says =
        ["countersign:component@0.2.0", "countersign:component@0.1.0", "SDK of version 0.1.0", "update Countersign"];
    refused(&importing("countersign:component/types@0.2.0"), &says).await;
}

#[tokio::test]
async fn a_component_without_our_exports_is_told_how_to_get_them() {
    refused(PREAMBLE, &["exports no function `describe`", "countersign_sdk::export!"]).await;
    // A newer patch of the same minor version is no reason to refuse.
    refused(&importing("countersign:component/types@0.1.9"), &["exports no function `describe`"]).await;
}

#[tokio::test]
async fn executing_what_can_not_be_loaded_is_an_error_of_the_step() {
    let mut stage = crate::stage::Stage::new("behave");
    stage.invocation.component = component(b"\0asm\x01\0\0\0");
    let error = stage.run().await.expect_err("a core module");
    assert_eq!(error.code, "component");
    assert!(error.message.contains("core module"), "{error:?}");
}
