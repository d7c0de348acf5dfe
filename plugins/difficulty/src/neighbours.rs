//! The cheap neighbours of VoG, from logits alone: mean loss, AUM, EL2N, confidence, variability, forgetting. Logits are fed one
//! checkpoint at a time, oldest first. For finding wrong labels these beat VoG; that is why they stand beside it.

use ndarray::ArrayView2;

/// One example's scores.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Neighbours {
    /// Mean loss of the given label.
    pub mean_loss: f64,
    /// Area under the margin: mean of the label's logit minus the largest other.
    pub aum: f64,
    /// Mean L2 norm of probabilities minus one-hot label, at early checkpoints.
    pub el2n: f64,
    /// Mean probability of the given label.
    pub confidence: f64,
    /// Population standard deviation of that probability.
    pub variability: f64,
    /// Times that a right prediction became a wrong one.
    pub forgetting: u32,
}

/// Running sums over checkpoints.
#[derive(Debug, Clone)]
pub struct Running {
    checkpoints: f64,
    early: f64,
    sums: Vec<Neighbours>,
    /// Mean and sum of squared deviations of the label's probability.
    spread: Vec<(f64, f64)>,
    right: Vec<bool>,
}

impl Running {
    /// For a number of examples.
    pub fn new(examples: usize) -> Self {
        Self {
            checkpoints: 0.0,
            early: 0.0,
            sums: vec![Neighbours::default(); examples],
            spread: vec![(0.0, 0.0); examples],
            right: vec![false; examples],
        }
    }

    /// Adds the logits of the next checkpoint.
    pub fn add(&mut self, logits: ArrayView2<'_, f32>, labels: &[usize], early: bool) {
        self.checkpoints += 1.0;
        self.early += f64::from(early);
        for (row, (logits, &label)) in logits.rows().into_iter().zip(labels).enumerate() {
            let logits: Vec<f64> = logits.iter().map(|logit| f64::from(*logit)).collect();
            let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let log_sum = top + logits.iter().map(|logit| (logit - top).exp()).sum::<f64>().ln();
            let probability = (logits[label] - log_sum).exp();
            let sums = &mut self.sums[row];
            sums.mean_loss += log_sum - logits[label];
            let others = logits.iter().enumerate().filter(|(class, _)| *class != label);
            sums.aum += logits[label] - others.map(|(_, logit)| *logit).fold(f64::NEG_INFINITY, f64::max);
            if early {
                let squares = logits.iter().enumerate().map(|(class, logit)| {
                    let wanted = f64::from(class == label);
                    ((logit - log_sum).exp() - wanted).powi(2)
                });
                sums.el2n += squares.sum::<f64>().sqrt();
            }
            let (mean, squares) = &mut self.spread[row];
            let before = probability - *mean;
            *mean += before / self.checkpoints;
            *squares += before * (probability - *mean);
            let right = predicted(&logits) == label;
            sums.forgetting += u32::from(self.right[row] && !right);
            self.right[row] = right;
        }
    }

    /// The scores.
    pub fn finish(self) -> Vec<Neighbours> {
        let (checkpoints, early) = (self.checkpoints, self.early.max(1.0));
        self.sums
            .into_iter()
            .zip(self.spread)
            .map(|(sums, (confidence, squares))| Neighbours {
                mean_loss: sums.mean_loss / checkpoints,
                aum: sums.aum / checkpoints,
                el2n: sums.el2n / early,
                confidence,
                variability: (squares / checkpoints).sqrt(),
                forgetting: sums.forgetting,
            })
            .collect()
    }
}

/// The class of the largest logit; the first of equals.
pub fn predicted<T: PartialOrd + Copy>(logits: &[T]) -> usize {
    (1..logits.len()).fold(0, |best, class| if logits[class] > logits[best] { class } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn scores_by_hand() {
        // One example of class 0 at four checkpoints: right, wrong, right, wrong.
        let ln = |x: f32| x.ln();
        let logits = [array![[ln(3.0), 0.0]], array![[0.0, ln(3.0)]], array![[ln(3.0), 0.0]], array![[0.0, ln(4.0)]]];
        let mut running = Running::new(1);
        for (checkpoint, logits) in logits.iter().enumerate() {
            running.add(logits.view(), &[0], checkpoint < 2);
        }
        let scores = running.finish()[0];
        let close = |seen: f64, expected: f64| assert!((seen - expected).abs() < 1e-6, "{seen} against {expected}");
        let probabilities = [0.75f64, 0.25, 0.75, 0.2];
        close(scores.mean_loss, -probabilities.iter().map(|p| p.ln()).sum::<f64>() / 4.0);
        close(scores.aum, (3.0f64.ln() - 3.0f64.ln() + 3.0f64.ln() - 4.0f64.ln()) / 4.0);
        close(scores.el2n, 2.0f64.sqrt() * (0.25 + 0.75) / 2.0);
        let mean = probabilities.iter().sum::<f64>() / 4.0;
        close(scores.confidence, mean);
        close(scores.variability, (probabilities.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / 4.0).sqrt());
        assert_eq!(scores.forgetting, 2);
    }

    #[test]
    fn a_confident_mistake_stays_finite() {
        let mut running = Running::new(1);
        running.add(array![[-2_000.0, 2_000.0]].view(), &[0], true);
        let scores = running.finish()[0];
        assert_eq!((scores.mean_loss, scores.aum, scores.confidence), (4_000.0, -4_000.0, 0.0));
    }
}
