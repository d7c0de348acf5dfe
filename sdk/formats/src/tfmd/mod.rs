//! The tensorflow-metadata messages that we write or read, by hand, with exactly the upstream field numbers (tensorflow-metadata 1.21).
//!
//! Fields that we neither write nor read are left out: reading skips them. So never decode and encode a file that somebody else wrote
//! where its bytes can be passed on. `statistics.proto` is proto3, the other two are proto2 (hence their `optional` fields).

pub mod anomalies;
mod constraint;
mod histogram;
pub mod schema;
pub mod statistics;

/// Encodes and decodes any of the messages: `encode_to_vec`, `decode`.
pub use prost::Message;

/// A feature's path; ours have one step, the column.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Path {
    /// The steps.
    #[prost(string, repeated, tag = "1")]
    pub step: Vec<String>,
}

impl Path {
    /// The path of a column.
    pub fn column(name: impl Into<String>) -> Self {
        Self { step: vec![name.into()] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden(file: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/tfdv-golden/");
        std::fs::read(format!("{folder}{file}")).unwrap()
    }

    /// A field that we lack, or have under another number, would be dropped on the way: the encoding would be shorter.
    fn survives<M: Message + Default + PartialEq + std::fmt::Debug>(file: &str) -> M {
        let bytes = golden(file);
        let message = M::decode(bytes.as_slice()).unwrap();
        let again = message.encode_to_vec();
        assert_eq!(again.len(), bytes.len(), "{file}");
        assert_eq!(M::decode(again.as_slice()).unwrap(), message, "{file}");
        message
    }

    #[test]
    fn what_tfdv_wrote_survives_reading_and_writing() {
        let list: statistics::DatasetFeatureStatisticsList = survives("base_train/stats.pb");
        let dataset = &list.datasets[0];
        assert_eq!((dataset.num_examples, dataset.features.len()), (11_252, 18));
        assert_eq!(dataset.feature("fare").unwrap().numeric().unwrap().num_zeros, 20);
        assert_eq!(dataset.feature("payment_type").unwrap().text().unwrap().top_values[0].value, "Cash");

        let schema: schema::Schema = survives("base_train/inferred_schema.pb");
        let company = schema.feature("company").unwrap();
        assert_eq!(schema.string_domain_of(company).unwrap().value.len(), 51);
        assert!(company.is_live() && company.is_wanted());

        let anomalies: anomalies::Anomalies = survives("eval_clean/anomalies.pb");
        let tract = &anomalies.anomaly_info["pickup_census_tract"];
        assert_eq!(tract.reason[0].r#type(), anomalies::AnomalyType::FeatureTypeNotPresent);
        let fare = anomalies.baseline.as_ref().and_then(|schema| schema.feature("fare")).unwrap().clone();
        assert_eq!(anomalies.baseline.unwrap().range_of(&fare), Some((0.0, 500.0)));
        assert_eq!(anomalies.drift_skew_info.len(), 5);
    }
}
