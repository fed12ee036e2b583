//! Numbers of a document.

/// A number as `sigs.k8s.io/yaml` reads it: `int64`, `uint64` above that, or `float64` (always finite).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A float.
    Float(FiniteFloat),
    /// Fits `i64`.
    Int(i64),
    /// Above `i64::MAX`.
    Uint(u64),
}

/// A float that is neither NaN nor infinite, because JSON can express neither.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct FiniteFloat(f64);

impl FiniteFloat {
    /// Returns the float, or `None` if it is NaN or infinite.
    #[must_use]
    pub const fn new(float: f64) -> Option<Self> {
        if float.is_finite() { Some(Self(float)) } else { None }
    }

    /// Returns the float.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl From<u64> for FiniteFloat {
    #[expect(clippy::cast_precision_loss, reason = "Kubernetes keeps what exceeds `int64` as a float")]
    fn from(uint: u64) -> Self {
        Self(uint as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_that_json_cannot_express_are_refused() {
        for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(FiniteFloat::new(float), None, "{float}");
        }
        for float in [0.0, -0.0, 0.5, f64::MAX, f64::MIN, f64::MIN_POSITIVE] {
            assert_eq!(FiniteFloat::new(float).map(FiniteFloat::get), Some(float));
        }
        assert!(FiniteFloat::from(u64::MAX).get().is_finite());
    }
}
