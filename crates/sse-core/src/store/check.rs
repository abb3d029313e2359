//! A check that bytes are the block of one event, as the encoder writes it: the fields of an [`EncodedEvent`](super::EncodedEvent) are public.

use crate::EventType;

/// Returns the fault of a block, if it has one.
pub(super) fn check(block: &[u8]) -> Result<(), &'static str> {
    let text = std::str::from_utf8(block).map_err(|_| "its block is not UTF-8")?;
    let text = text.strip_suffix('\n').ok_or("its block does not end with a line end")?;
    if text.contains('\r') {
        return Err("its block has a carriage return");
    }
    // Fields come in this order; a comment and data have any number of lines.
    let mut before = 0;
    for line in text.split('\n') {
        let (field, value) = line.split_once(": ").ok_or("a line of its block has no field")?;
        let field = match field {
            "" => 1,
            "event" if before < 2 && is_type(value) => 2,
            "retry" if before < 3 && is_number(value) => 3,
            "data" => 4,
            _ => {
                return Err(
                    "a line of its block is not of a comment, an event type, a retry or data",
                );
            }
        };
        if field < before {
            return Err("the lines of its block are not in the order comment, event, retry, data");
        }
        before = field;
    }
    if before == 4 { Ok(()) } else { Err("it has no data, so no client would see it") }
}

fn is_type(value: &str) -> bool {
    !value.is_empty() && value.parse::<EventType>().is_ok()
}

fn is_number(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) && value.parse::<i32>().is_ok()
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::{Event, encode};

    #[test]
    fn what_the_encoder_writes_is_a_block() {
        for event in [
            Event::new(""),
            Event::new("a\r\nb\n\n: id: 7\nid: 7"),
            Event::new("x").comment("a\n\nid: 7").event_type(EventType::from_static("t")),
            Event::new("x").retry(std::time::Duration::MAX),
        ] {
            let mut block = BytesMut::new();
            encode::block(&event, &mut block);
            assert_eq!(check(&block), Ok(()), "{event:?}");
        }
    }

    #[test]
    fn a_block_that_could_become_another_field_or_event_is_refused() {
        for block in [
            "",
            "\n",
            "data: a",
            "data: a\n\n",
            "data: a\n\ndata: b\n",
            "data: a\nid: k3b9.7\n",
            "data: a\nid: k3b9.7\n\ndata: b\n",
            "id: 7\ndata: a\n",
            "data:a\n",
            "data: a\rid: 7\n",
            "data: a\nevent: t\n",
            "event: t\nevent: u\ndata: a\n",
            "event: \ndata: a\n",
            "retry: 1x\ndata: a\n",
            "retry: 9999999999\ndata: a\n",
            ": only a comment\n",
        ] {
            assert!(check(block.as_bytes()).is_err(), "{block:?}");
        }
        assert!(check(b"data: \xff\n").is_err());
    }
}
