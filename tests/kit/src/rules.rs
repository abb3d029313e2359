//! The rules that the bytes of a stream must keep, for any events: each rule is there for clients that exist.

use sse_core::{EventId, EventType};

/// Checks one event as it goes out.
///
/// # Errors
///
/// The rule that is broken, and the line that breaks it.
pub fn check_frame(wire: &[u8]) -> Result<(), String> {
    check_stream(wire)?;
    let mut last = Rank::Comment;
    for line in lines(wire) {
        let rank = rank(line)?;
        if rank < last || last == Rank::Blank {
            return Err(format!("{line:?} comes too late in its block"));
        }
        if rank == last && matches!(rank, Rank::Retry) {
            return Err(format!("{line:?} is there twice"));
        }
        last = rank;
    }
    Ok(())
}

/// Checks any number of whole frames, one after another.
///
/// # Errors
///
/// The rule that is broken, and the line that breaks it.
pub fn check_stream(wire: &[u8]) -> Result<(), String> {
    let text =
        std::str::from_utf8(wire).map_err(|_| "not UTF-8: three Rust clients abort".to_owned())?;
    if text.starts_with('\u{FEFF}') {
        return Err("a byte order mark: some clients panic".into());
    }
    if text.contains('\r') {
        return Err("a CR: two parsers hold such a line back".into());
    }
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("an unfinished line".into());
    }
    let (mut has_event, mut has_data, mut has_id) = (false, false, false);
    for line in lines(wire) {
        let late = || Err(format!("{line:?} comes too late in its block"));
        match rank(line)? {
            // A comment and a retry as lines of their own belong to the block that follows them.
            Rank::Comment | Rank::Retry if has_data || has_id => return late(),
            Rank::Comment | Rank::Retry => {}
            Rank::Event if has_event || has_data || has_id => return late(),
            Rank::Event => has_event = true,
            Rank::Data if has_id => return late(),
            Rank::Data => has_data = true,
            Rank::Id if has_id => return late(),
            Rank::Id => has_id = true,
            Rank::Blank if has_event && !has_data => {
                return Err("a type without data, which would name nothing".into());
            }
            Rank::Blank if !has_data && !has_id => {
                return Err("a blank line after nothing: some clients deliver an event".into());
            }
            Rank::Blank => (has_event, has_data, has_id) = (false, false, false),
        }
    }
    if has_event || has_data || has_id {
        return Err("a block without its blank line: it is never delivered".into());
    }
    Ok(())
}

/// The order in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Comment,
    Event,
    Retry,
    Data,
    Id,
    Blank,
}

/// Returns the rank of a line, once its own rules are kept.
fn rank(line: &str) -> Result<Rank, String> {
    if line.is_empty() {
        return Ok(Rank::Blank);
    }
    let (field, value) =
        line.split_once(": ").ok_or_else(|| format!("{line:?} has no colon and space"))?;
    match field {
        "" => Ok(Rank::Comment),
        "data" => Ok(Rank::Data),
        "event" if value.is_empty() || EventType::try_from(value).is_err() => {
            Err(format!("{line:?} is no type for a page to listen for"))
        }
        "event" => Ok(Rank::Event),
        "retry" if !is_usable_retry(value) => {
            Err(format!("{line:?} makes clients reconnect in a loop"))
        }
        "retry" => Ok(Rank::Retry),
        "id" if EventId::try_from(value).is_err() => {
            Err(format!("{line:?} does not come back as it was sent"))
        }
        "id" => Ok(Rank::Id),
        _ => Err(format!("{line:?} is no field")),
    }
}

fn is_usable_retry(value: &str) -> bool {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits && value.parse().is_ok_and(|retry: u64| retry <= 2_147_483_647)
}

/// The lines, by LF alone.
fn lines(wire: &[u8]) -> impl Iterator<Item = &str> {
    let text = std::str::from_utf8(wire).unwrap_or_default();
    text.split_terminator('\n')
}
