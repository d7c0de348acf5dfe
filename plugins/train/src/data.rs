//! Rows as model inputs and classes, held in memory: every epoch reads them all in another order.

use arrow_array::RecordBatch;
use countersign_formats::model::{Label, TransformIndex};
use countersign_onnx::{OnnxError, Program, columns, graph};
use countersign_sdk::Error;
use ndarray::{Array2, ArrayView2, Axis};

/// What is learned from.
pub struct Dataset {
    features: usize,
    values: Vec<f32>,
    /// Class of each row.
    pub labels: Vec<usize>,
    /// Rows without a label of a known class.
    pub skipped: u64,
}

impl Dataset {
    /// No rows yet.
    pub fn new(features: usize) -> Self {
        Self { features, values: Vec::new(), labels: Vec::new(), skipped: 0 }
    }

    /// Adds the rows of a batch that have a label.
    pub fn add(&mut self, batch: &RecordBatch, program: &Program, index: &TransformIndex) -> Result<(), OnnxError> {
        let inputs = columns::inputs(batch, &index.inputs)?;
        let mut values = program.run_for(&inputs, &[graph::FEATURES])?;
        let x = values
            .remove(graph::FEATURES)
            .ok_or_else(|| OnnxError::MissingValue(graph::FEATURES.into()))?
            .into_float()?;
        let labels = columns::class_indices(batch, &index.label)?;
        self.push(&x, &labels)
    }

    fn push(&mut self, x: &Array2<f32>, labels: &[Option<usize>]) -> Result<(), OnnxError> {
        if x.dim() != (labels.len(), self.features) {
            let reason = format!("{} rows with {} inputs became {:?}", labels.len(), self.features, x.dim());
            return Err(OnnxError::Unsupported(reason));
        }
        for (row, label) in x.rows().into_iter().zip(labels) {
            match label {
                Some(label) => {
                    self.labels.push(*label);
                    self.values.extend(row);
                }
                None => self.skipped += 1,
            }
        }
        Ok(())
    }

    /// Refuses data that can not be learned from.
    pub fn check(&self, label: &Label, split: &str) -> Result<(), Error> {
        if self.labels.is_empty() {
            let message = format!("the split `{split}` has no row with a value of the label `{}`", label.name);
            return Err(Error::InvalidInput(message));
        }
        Ok(())
    }

    /// Rows with a label.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// All model inputs, `[rows, features]`.
    pub fn inputs(&self) -> ArrayView2<'_, f32> {
        // The shape holds by construction: `push` adds whole rows only.
        ArrayView2::from_shape((self.rows(), self.features), &self.values)
            .unwrap_or_else(|_| ArrayView2::from(&[[0.0; 0]; 0]))
    }

    /// Some rows, copied side by side.
    pub fn select(&self, rows: &[usize]) -> (Array2<f32>, Vec<usize>) {
        (self.inputs().select(Axis(0), rows), rows.iter().map(|row| self.labels[*row]).collect())
    }

    /// For each model input, whether any row has it different from zero.
    pub fn active(&self) -> Vec<bool> {
        let mut active = vec![false; self.features];
        for row in self.inputs().rows() {
            for (seen, value) in active.iter_mut().zip(row) {
                *seen |= *value != 0.0;
            }
        }
        active
    }
}

#[cfg(test)]
impl Dataset {
    /// A data set of given rows.
    pub fn of(x: &Array2<f32>, labels: &[Option<usize>]) -> Self {
        let mut data = Self::new(x.ncols());
        data.push(x, labels).unwrap();
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn rows_without_a_label_are_counted_and_left_out() {
        let data = Dataset::of(&array![[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]], &[Some(1), None, Some(0)]);
        assert_eq!((data.rows(), data.skipped), (2, 1));
        assert_eq!(data.inputs(), array![[1.0, 0.0], [3.0, 0.0]]);
        assert_eq!(data.select(&[1, 0]), (array![[3.0, 0.0], [1.0, 0.0]], vec![0, 1]));
        assert_eq!(data.active(), [true, false]);
        let label = Label { name: "y".into(), classes: vec![] };
        assert!(data.check(&label, "train").is_ok());
        assert!(matches!(Dataset::new(2).check(&label, "train"), Err(Error::InvalidInput(m)) if m.contains("`y`")));
    }
}
