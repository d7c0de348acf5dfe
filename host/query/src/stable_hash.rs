//! `stable_hash(text) -> UInt64`: the same number for the same text on every machine and in every version, for splits.

use datafusion::arrow::array::{Array, ArrayRef, UInt64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_string_array;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The first eight bytes, big-endian, of the text's SHA-256; NULL counts as the empty text.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct StableHash {
    signature: Signature,
}

impl StableHash {
    pub(crate) fn new() -> Self {
        Self { signature: Signature::exact(vec![DataType::Utf8], Volatility::Immutable) }
    }
}

fn hash(text: &str) -> u64 {
    Sha256::digest(text.as_bytes()).iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

impl ScalarUDFImpl for StableHash {
    fn name(&self) -> &str {
        "stable_hash"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::UInt64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [argument] = args.args.as_slice() else {
            return internal_err!("stable_hash takes one argument");
        };
        let texts = argument.to_array(args.number_rows)?;
        let texts = as_string_array(&texts)?;
        let hashes = (0..texts.len()).map(|row| hash(if texts.is_null(row) { "" } else { texts.value(row) }));
        Ok(ColumnarValue::Array(Arc::new(hashes.collect::<UInt64Array>()) as ArrayRef))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_value() {
        // printf abc | sha256sum: ba7816bf 8f01cfea …
        assert_eq!(super::hash("abc"), 0xba78_16bf_8f01_cfea);
    }
}
