//! The built-in components as bytes, built from their crates by this crate's build script.
//!
//! They are ordinary components: nothing about them is privileged, and this crate knows nothing of what they do.

/// Name, `.wasm` bytes and their SHA-256 in hex of every built-in component, in the order in which a pipeline usually runs them.
pub static BUILT_IN: &[(&str, &[u8], &str)] = include!(concat!(env!("OUT_DIR"), "/components.rs"));

#[cfg(test)]
mod tests {
    use super::BUILT_IN;

    #[test]
    fn ten_components_are_built_in() {
        // A component, in contrast to a core module, has layer 1 in its preamble.
        const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
        assert_eq!(BUILT_IN.len(), 10);
        for (name, wasm, _) in BUILT_IN {
            assert!(wasm.starts_with(COMPONENT), "{name} is no component");
        }
    }
}
