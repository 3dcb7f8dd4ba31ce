//! Medians and the one line a comparison that `make bench` prints.

use std::fmt;

/// One comparison; the ratio is always "how many times better are we", so higher is better.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What was compared.
    pub name: String,
    /// Our median.
    pub ours: f64,
    /// The other's median, or the budget.
    pub other: f64,
    /// The unit of both.
    pub unit: &'static str,
    /// The least ratio that we promise.
    pub goal: f64,
}

impl Comparison {
    /// How many times less than the other we need.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.other / self.ours
    }

    /// Whether the promise is kept.
    #[must_use]
    pub fn reached(&self) -> bool {
        self.ratio() >= self.goal
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            ours,
            other,
            unit,
            goal,
        } = self;
        write!(
            f,
            "bench {name} ours={ours:.2}{unit} other={other:.2}{unit} ratio={:.1} goal={goal:.1}",
            self.ratio()
        )
    }
}

/// The median; 0 for no values.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_prints_one_line_and_a_higher_ratio_is_better() {
        let cold = Comparison {
            name: "cold-wall".to_owned(),
            ours: 10.0,
            other: 280.0,
            unit: "ms",
            goal: 25.0,
        };
        assert_eq!(
            cold.to_string(),
            "bench cold-wall ours=10.00ms other=280.00ms ratio=28.0 goal=25.0"
        );
        assert!(cold.reached());
        assert!(!Comparison { other: 240.0, ..cold }.reached());
    }

    #[test]
    fn the_median_is_no_mean() {
        assert!((median([9.0, 1.0, 1000.0]) - 9.0).abs() < f64::EPSILON);
    }
}
