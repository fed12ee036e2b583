//! Quantities of resources as comparable numbers.

use sealwave_core::document::{Node, NodeValue, Number};

/// Decimal places that Kubernetes keeps; more precise values are rounded up.
const PLACES: i32 = 9;
/// The number 1, in billionths.
const ONE: i128 = 1_000_000_000;
/// Maximum number of significant digits: 18 of them times 2^60 fit, which is more than any machine has.
const DIGITS: usize = 18;

/// An amount of a resource, in billionths; values out of range are the largest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

impl Quantity {
    /// Parses the quantity in a string or number; `None` if it is invalid.
    #[must_use]
    pub fn from_node(node: &Node) -> Option<Self> {
        match &node.value {
            NodeValue::String(text) => Self::parse(text),
            NodeValue::Number(Number::Int(number)) => Self::parse(&number.to_string()),
            NodeValue::Number(Number::Uint(number)) => Self::parse(&number.to_string()),
            NodeValue::Number(Number::Float(number)) => Self::parse(&number.get().to_string()),
            _ => None,
        }
    }

    /// Reports whether it is less than zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Reports whether it has no fraction.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        self.0 == i128::MAX || self.0 % ONE == 0
    }

    /// Reports whether it is an integer multiple of another one; true if that is zero.
    #[must_use]
    pub const fn is_multiple_of(self, other: Self) -> bool {
        other.0 == 0 || self.0 % other.0 == 0
    }

    /// Reports whether it is greater than zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Returns the integer, if it has no fraction and fits.
    pub(crate) fn to_integer(self) -> Option<i64> {
        let unit = 10_i128.pow(PLACES.unsigned_abs());
        (self.0 % unit == 0).then(|| i64::try_from(self.0 / unit).ok())?
    }

    /// Adds another quantity.
    pub(crate) fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Subtracts another quantity.
    pub(crate) fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Parses a quantity.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (number, suffix) = quantity_parts(text)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let fraction = fraction.trim_end_matches('0');
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_start_matches('0');
        let kept = digits.get(..DIGITS.min(digits.len()))?;
        let mantissa = if kept.is_empty() { 0 } else { kept.parse::<i128>().ok()? };
        let (exponent, factor) = suffix_scale(suffix)?;
        let dropped = i32::try_from(digits.len() - kept.len()).ok()?;
        let places = i32::try_from(fraction.len()).ok()?;
        let exponent = exponent.saturating_add(PLACES).saturating_add(dropped).saturating_sub(places);
        let amount = scale_by_power_of_ten(mantissa * factor, exponent);
        Some(Self(if text.trim_start().starts_with('-') { -amount } else { amount }))
    }
}

/// Returns the unsigned number of a quantity and its suffix; `None` if it is invalid.
pub(crate) fn quantity_parts(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let suffix = unsigned.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = unsigned.get(..unsigned.len() - suffix.len())?;
    let dots = number.bytes().filter(|byte| *byte == b'.').count();
    (dots <= 1 && number.len() > dots && is_suffix(suffix)).then_some((number, suffix))
}

fn is_suffix(suffix: &str) -> bool {
    const SUFFIXES: [&str; 16] =
        ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let has_exponent = || {
        let digits = suffix.strip_prefix(['e', 'E'])?;
        let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
        // Go parses the exponent into 32 bits.
        let sane =
            digits.len() <= 9 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        sane.then_some(())
    };
    SUFFIXES.contains(&suffix) || has_exponent().is_some()
}

/// Multiplies a number by a power of ten.
fn scale_by_power_of_ten(number: i128, exponent: i32) -> i128 {
    if number == 0 {
        return 0;
    }
    let power = 10_i128.checked_pow(exponent.unsigned_abs());
    match power {
        Some(power) if exponent >= 0 => number.checked_mul(power).unwrap_or(i128::MAX),
        Some(power) => number / power + i128::from(number % power != 0),
        None if exponent > 0 => i128::MAX,
        None => 1,
    }
}

/// Returns the meaning of a suffix: a power of ten, and a factor.
fn suffix_scale(suffix: &str) -> Option<(i32, i128)> {
    Some(match suffix {
        "" => (0, 1),
        "n" => (-9, 1),
        "u" => (-6, 1),
        "m" => (-3, 1),
        "k" => (3, 1),
        "M" => (6, 1),
        "G" => (9, 1),
        "T" => (12, 1),
        "P" => (15, 1),
        "E" => (18, 1),
        "Ki" => (0, 1 << 10),
        "Mi" => (0, 1 << 20),
        "Gi" => (0, 1 << 30),
        "Ti" => (0, 1 << 40),
        "Pi" => (0, 1 << 50),
        "Ei" => (0, 1 << 60),
        exponent => (exponent.get(1..)?.parse().ok()?, 1),
    })
}

#[cfg(test)]
mod tests {
    use super::Quantity;

    #[test]
    fn quantities_are_ordered_by_value() {
        let ascending = [
            "-1", "0", "1n", "1u", "1m", "0.5", "1", "1.5", "1k", "1Ki", "1M", "1Mi", "999Mi", "1Gi",
            "1.5Gi", "2Gi", "1T", "1Ti", "1E", "1Ei", "1e30",
        ];
        let all: Vec<Quantity> = ascending.iter().map(|text| Quantity::parse(text).expect("one")).collect();
        assert!(all.is_sorted_by(|a, b| a < b), "{all:?}");
    }

    #[test]
    fn different_spellings_of_a_quantity_are_equal() {
        for (a, b) in [
            ("1", "1000m"),
            ("0.1", "100m"),
            ("1024Mi", "1Gi"),
            ("1e3", "1k"),
            ("1E-3", "1m"),
            ("0.50", "500m"),
            ("+1", "1."),
            ("1073741824", "1Gi"),
            ("1.00000000000000000000000000000Ei", "1Ei"),
            ("0.00000000000000000001", "1n"),
            ("0e99", "0"),
            ("1e999999999", "1e99999999"),
        ] {
            assert_eq!(Quantity::parse(a), Quantity::parse(b), "{a} {b}");
        }
        assert_eq!(Quantity::parse("1mi"), None);
    }
}
