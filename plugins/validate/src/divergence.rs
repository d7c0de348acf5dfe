//! How far two sets of counts are apart, and how far they would be if nothing had changed.
//!
//! Every comparison has an effect (Jensen-Shannon divergence, or the largest change of one share) and a noise floor for its sample sizes.
//! A threshold alone flags noise on small data, a floor alone flags everything on big data: an alarm needs both.

use std::f64::consts::LN_2;

/// Chance of any false alarm in one delivery, all its features together.
const FALSE_ALARM: f64 = 1e-4;
/// Cells of which less is expected in the smaller sample are taken together: the floor's formula needs filled cells.
const MIN_EXPECTED: f64 = 10.0;

/// Jensen-Shannon divergence to base 2: 0 for equal shares, 1 for nothing in common. An empty side has no shares: 0.
pub fn jensen_shannon(a: &[u64], b: &[u64]) -> f64 {
    let (all_a, all_b) = (total(a) as f64, total(b) as f64);
    if all_a == 0.0 || all_b == 0.0 {
        return 0.0;
    }
    let term = |share: f64, middle: f64| if share > 0.0 { share * (share / middle).log2() } else { 0.0 };
    let cell = |(a, b): (&u64, &u64)| {
        let (p, q) = (*a as f64 / all_a, *b as f64 / all_b);
        let middle = (p + q) / 2.0;
        (term(p, middle) + term(q, middle)) / 2.0
    };
    a.iter().zip(b).map(cell).sum::<f64>().clamp(0.0, 1.0)
}

/// The same counts with thinly filled cells taken together and empty ones left out.
pub fn pooled(a: &[u64], b: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let (all_a, all_b) = (total(a), total(b));
    let smaller = all_a.min(all_b) as f64 / (all_a + all_b).max(1) as f64;
    let mut rest = (0, 0);
    let (mut pooled_a, mut pooled_b) = (Vec::new(), Vec::new());
    for (a, b) in a.iter().zip(b) {
        if (a + b) as f64 * smaller < MIN_EXPECTED {
            rest = (rest.0 + a, rest.1 + b);
        } else {
            pooled_a.push(*a);
            pooled_b.push(*b);
        }
    }
    if rest != (0, 0) {
        pooled_a.push(rest.0);
        pooled_b.push(rest.1);
    }
    (pooled_a, pooled_b)
}

/// The divergence that equal distributions stay under. Without drift 8 ln 2 · JSD / (1/a + 1/b) follows chi-square with cells - 1
/// degrees of freedom.
pub fn divergence_noise(cells: usize, a: u64, b: u64, comparisons: usize) -> f64 {
    if cells < 2 || a == 0 || b == 0 {
        return 0.0;
    }
    let normal = normal_above(FALSE_ALARM / comparisons.max(1) as f64);
    chi_square_above((cells - 1) as f64, normal) / (8.0 * LN_2) * inverse_sizes(a, b)
}

/// The change of a share that equal distributions stay under: Bernstein's bound, which also holds where the share is small.
pub fn share_noise(share: f64, a: u64, b: u64, comparisons: usize) -> f64 {
    if a == 0 || b == 0 {
        return 1.0;
    }
    let normal = normal_above(FALSE_ALARM / (2.0 * comparisons.max(1) as f64));
    normal * (share * (1.0 - share) * inverse_sizes(a, b)).sqrt() + normal * normal / (3.0 * a.min(b) as f64)
}

fn inverse_sizes(a: u64, b: u64) -> f64 {
    1.0 / a as f64 + 1.0 / b as f64
}

fn total(counts: &[u64]) -> u64 {
    counts.iter().sum()
}

/// The standard normal value that is exceeded with this small probability (Abramowitz and Stegun 26.2.23; off by at most 0.00045).
fn normal_above(probability: f64) -> f64 {
    let t = (-2.0 * probability.ln()).sqrt();
    t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1.0 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t)
}

/// The chi-square value that is exceeded as rarely as `normal` is (Wilson and Hilferty).
fn chi_square_above(degrees: f64, normal: f64) -> f64 {
    let spread = 2.0 / (9.0 * degrees);
    degrees * (1.0 - spread + normal * spread.sqrt()).powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_normal_and_of_chi_square_are_right() {
        assert!((normal_above(0.001) - 3.0902).abs() < 5e-4);
        assert!((normal_above(1e-6) - 4.7534).abs() < 5e-4);
        assert!((chi_square_above(19.0, normal_above(0.001)) - 43.82).abs() < 0.2);
    }

    #[test]
    fn the_floor_is_the_published_one() {
        // k = 20, n = 11,252 and 3,750: the 99.9 % point by simulation is 0.0027, by formula 0.0028.
        let scale = inverse_sizes(11_252, 3750) / (8.0 * LN_2);
        assert!((chi_square_above(19.0, normal_above(0.001)) * scale - 0.0028).abs() < 5e-5);
        let floor = divergence_noise(20, 11_252, 3750, 18);
        assert!(floor > 0.0028 && floor < 0.005, "{floor}");
    }

    #[test]
    fn equal_shares_are_nothing_apart_and_disjoint_ones_all() {
        assert_eq!(jensen_shannon(&[30, 10], &[3, 1]), 0.0);
        assert_eq!(jensen_shannon(&[30, 0], &[0, 5]), 1.0);
        assert_eq!(jensen_shannon(&[30, 0], &[0, 0]), 0.0);
    }

    #[test]
    fn thin_cells_are_taken_together() {
        assert_eq!(pooled(&[1000, 3, 0, 2], &[1000, 1, 0, 4]), (vec![1000, 5], vec![1000, 5]));
        assert_eq!(pooled(&[7], &[9]), (vec![7], vec![9]));
    }

    #[test]
    fn a_share_of_a_small_sample_may_jump() {
        assert!(share_noise(0.01, 50, 50, 20) > 0.2);
        assert!(share_noise(0.5, 1_000_000, 1_000_000, 20) < 0.005);
    }
}
