use std::fmt;
use std::str::FromStr;

use crate::{Error, InvalidField};

/// The length of the longest text, in bytes.
pub(crate) const MAX_LEN: usize = 12;
const CHARS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// One life of a log, named in each of its ids. A log that was created again, or that lost its newest events, begins a new epoch, so that its
/// ids differ from the old ones.
///
/// Its text is 1 to 12 of `[a-z0-9]`.
///
/// ```
/// use sse_core::Epoch;
///
/// let epoch = Epoch::random()?;
/// assert_eq!(epoch.as_str().parse(), Ok(epoch));
/// assert!("UPPER".parse::<Epoch>().is_err());
/// # Ok::<(), sse_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch {
    text: [u8; MAX_LEN],
    len: u8,
}

impl Epoch {
    /// Returns the length of its text.
    pub(crate) fn len(self) -> usize {
        usize::from(self.len)
    }

    /// Returns the bytes of its text.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.text[..self.len()]
    }

    /// Returns an epoch of 62 random bits. They come from the system, so that no two logs share an epoch even if the application seeds its own
    /// generators.
    ///
    /// ```
    /// use sse_core::Epoch;
    ///
    /// assert_ne!(Epoch::random()?, Epoch::random()?);
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_no_randomness`](Error::is_no_randomness) if the system has no random numbers.
    pub fn random() -> Result<Self, Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(Error::no_randomness)?;
        let mut number = u128::from_le_bytes(bytes);
        let text = std::array::from_fn(|_| {
            let digit = CHARS[(number % 36) as usize];
            number /= 36;
            digit
        });
        Ok(Self { text, len: MAX_LEN as u8 })
    }

    /// Returns its text.
    ///
    /// ```
    /// let epoch: sse_core::Epoch = "k3b9".parse()?;
    /// assert_eq!(epoch.as_str(), "k3b9");
    /// # Ok::<(), sse_core::InvalidField>(())
    /// ```
    pub fn as_str(&self) -> &str {
        let text = &self.text[..usize::from(self.len)];
        std::str::from_utf8(text).expect("an epoch is made of ASCII alone")
    }
}

impl FromStr for Epoch {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let is_valid =
            (1..=MAX_LEN).contains(&text.len()) && text.bytes().all(|b| CHARS.contains(&b));
        if !is_valid {
            return Err(InvalidField::new("epoch", "use 1 to 12 of [a-z0-9]"));
        }
        let mut epoch = Self { text: [0; MAX_LEN], len: text.len() as u8 };
        epoch.text[..text.len()].copy_from_slice(text.as_bytes());
        Ok(epoch)
    }
}

/// Writes its text.
impl serde::Serialize for Epoch {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Reads its text.
impl<'de> serde::Deserialize<'de> for Epoch {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
