//! Figures of a run, and of several runs.

use std::time::Duration;

/// What one run gave.
pub(crate) struct Run {
    pub(crate) elapsed: Duration,
    /// Time of each answer, in no order.
    pub(crate) latencies: Vec<Duration>,
}

impl Run {
    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        let answers = u32::try_from(self.latencies.len()).unwrap();
        f64::from(answers) / self.elapsed.as_secs_f64()
    }

    /// The latency that `per_mille` of the answers did not exceed, in milliseconds.
    pub(crate) fn quantile_ms(&self, per_mille: usize) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let index = (sorted.len() * per_mille / 1_000).min(sorted.len() - 1);
        sorted[index].as_secs_f64() * 1_000.0
    }
}

/// The middle one of an odd number of figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Prints one result and whether it meets its bar.
pub(crate) fn verdict(what: &str, figure: f64, bar: &str, met: bool) {
    let word = if met { "met" } else { "NOT MET" };
    println!("{what}: {figure:.3} (bar: {bar}) {word}");
}
