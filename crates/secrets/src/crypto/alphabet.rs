//! The alphabets of derived secrets, and the unbiased mapping of a stream of bytes to their characters.

/// The characters of a derived secret. An alphabet never changes: a change would replace every secret that uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// Letters and digits.
    Alnum,
    /// All printable characters of ASCII except the space.
    Ascii,
    /// Letters, digits, `-` and `_`.
    Base64Url,
    /// Lower-case hexadecimal digits.
    Hex,
}

impl Alphabet {
    /// All alphabets, ordered by name.
    pub const ALL: [Self; 4] = [Self::Alnum, Self::Ascii, Self::Base64Url, Self::Hex];

    /// Returns the name, as placeholders spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alnum => "alnum",
            Self::Ascii => "ascii",
            Self::Base64Url => "base64url",
            Self::Hex => "hex",
        }
    }

    /// Returns the alphabet with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alphabet| alphabet.name() == name)
    }

    /// Returns the character of a random byte; `None` for a byte that must be skipped, so that all characters are
    /// equally likely.
    pub(super) fn character(self, byte: u8) -> Option<u8> {
        let characters = self.characters();
        let accepted = 256 - 256 % characters.len();
        let number = usize::from(byte);
        if number < accepted { characters.get(number % characters.len()).copied() } else { None }
    }

    /// Returns the characters in the order of ASCII, for `base64url` in that of RFC 4648.
    const fn characters(self) -> &'static [u8] {
        match self {
            Self::Alnum => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            Self::Ascii => {
                b"!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
            }
            Self::Base64Url => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            Self::Hex => b"0123456789abcdef",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn all_characters_are_equally_likely() {
        for (alphabet, size) in
            [(Alphabet::Alnum, 62), (Alphabet::Ascii, 94), (Alphabet::Base64Url, 64), (Alphabet::Hex, 16)]
        {
            let mut seen: BTreeMap<u8, usize> = BTreeMap::new();
            for character in (0..=255).filter_map(|byte| alphabet.character(byte)) {
                *seen.entry(character).or_default() += 1;
            }
            assert_eq!(seen.len(), size, "{alphabet:?}");
            assert!(seen.values().all(|count| *count == 256 / size), "{alphabet:?}: {seen:?}");
            assert!(seen.keys().all(u8::is_ascii_graphic), "{alphabet:?}");
        }
    }

    #[test]
    fn names_are_case_sensitive() {
        assert!(Alphabet::ALL.iter().map(|alphabet| alphabet.name()).is_sorted());
        for alphabet in Alphabet::ALL {
            assert_eq!(Alphabet::from_name(alphabet.name()), Some(alphabet));
            assert_eq!(Alphabet::from_name(&alphabet.name().to_uppercase()), None);
        }
    }
}
