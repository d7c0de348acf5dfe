//! A stranger's S3 that checks every signature: moto's server, with a bucket `bucket`.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// It runs.
pub struct ObjectStore {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    told: Value,
}

impl ObjectStore {
    /// None: there is no Python here.
    pub fn start() -> Option<Self> {
        let python = countersign_judges::python()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../triggers/tests/deliveries/s3_server.py");
        let mut process = Command::new(python);
        process.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = process.spawn().expect("the server starts");
        let input = process.stdin.take().expect("its input");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let mut store = Self { process, input, output, told: Value::Null };
        store.told = store.line();
        Some(store)
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).expect("an answer in JSON")
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.told["port"])
    }

    /// Identifier and secret of a key that may do everything.
    pub fn key(&self) -> [&str; 2] {
        [0, 1].map(|part| self.told["everything"][part].as_str().expect("a key"))
    }

    pub fn put(&mut self, key: &str, text: &str) {
        let deed = json!({ "put": key, "text": text });
        writeln!(self.input, "{deed}").expect("tell the server");
        self.line();
    }
}

impl Drop for ObjectStore {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
