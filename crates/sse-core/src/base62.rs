//! Numbers in base 62, for the parts of ids that are to be short.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The number of digits of the largest number.
pub(crate) const MAX_LEN: usize = 11;

/// Writes a number in at least this many digits.
pub(crate) fn write(mut number: u64, at_least: usize, text: &mut String) {
    let mut digits = [b'0'; MAX_LEN];
    let mut first = MAX_LEN;
    while number > 0 || MAX_LEN - first < at_least {
        first -= 1;
        digits[first] = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    text.extend(digits[first..].iter().map(|&digit| char::from(digit)));
}

/// Returns the number of digits of a number.
pub(crate) fn digits(number: u64) -> usize {
    let mut text = String::new();
    write(number, 1, &mut text);
    text.len()
}

/// Reads a number, which may begin with zeros. `None` if the text is empty, has any other character, or is too large.
pub(crate) fn read(text: &str) -> Option<u64> {
    let digit = |byte| DIGITS.iter().position(|&digit| digit == byte);
    let number = text
        .bytes()
        .try_fold(0_u64, |number, byte| number.checked_mul(62)?.checked_add(digit(byte)? as u64));
    number.filter(|_| !text.is_empty())
}
