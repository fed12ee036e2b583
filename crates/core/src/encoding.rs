//! Encodings as Go's standard library reads them.

use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Base64 as in Go's `encoding/base64.StdEncoding`: padding is required, and its trailing bits are ignored.
pub const GO_BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    #[test]
    fn padding_is_required_and_its_bits_are_ignored() {
        for (text, expected) in
            [("YQ==", Some("a")), ("YR==", Some("a")), ("YQ", None), ("YQ=", None), ("Y\nQ==", None)]
        {
            assert_eq!(GO_BASE64.decode(text).ok().as_deref(), expected.map(str::as_bytes), "{text:?}");
        }
    }
}
