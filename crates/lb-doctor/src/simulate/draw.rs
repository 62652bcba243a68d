//! Random numbers of a wanted shape, from a seeded generator.

use lb_types::Rng;

/// Evenly in the open interval from 0 to 1, 53 bits.
pub(crate) fn unit(rng: &mut Rng) -> f64 {
    // the middle of one of 2^53 equal parts: never 0, so that its logarithm is finite
    ((rng.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// Exponential with mean 1.
pub(crate) fn exponential(rng: &mut Rng) -> f64 {
    -unit(rng).ln()
}

/// Normal with mean 0 and deviation 1 (Box and Muller, 1958).
pub(crate) fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * unit(rng).ln()).sqrt();
    radius * (std::f64::consts::TAU * unit(rng)).cos()
}

/// Pareto with smallest value 1.
pub(crate) fn pareto(shape: f64, rng: &mut Rng) -> f64 {
    unit(rng).powf(-1.0 / shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(mut draw: impl FnMut(&mut Rng) -> f64) -> f64 {
        let mut rng = Rng::new(3);
        (0..200_000).map(|_| draw(&mut rng)).sum::<f64>() / 200_000.0
    }

    #[test]
    fn shapes_have_the_means_and_deviations_of_the_textbook() {
        // four standard errors of 200,000 draws
        assert!((mean(unit) - 0.5).abs() < 0.0026);
        assert!((mean(exponential) - 1.0).abs() < 0.009);
        assert!(mean(normal).abs() < 0.009);
        assert!((mean(|rng| normal(rng).powi(2)) - 1.0).abs() < 0.013);
        // shape 3: mean 3/2, variance 3/4
        assert!((mean(|rng| pareto(3.0, rng)) - 1.5).abs() < 0.0078);
    }
}
