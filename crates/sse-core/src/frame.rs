use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::{Error, Event, EventId, encode};

/// An event encoded once, as shared bytes. A clone shares them.
///
/// ```
/// use sse_core::{Event, Frame};
///
/// let frame = Frame::from(Event::new("hello"));
/// assert_eq!(frame.as_bytes(), b"data: hello\n\n");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// The whole event as it goes out; empty if the event had no field at all.
    bytes: Bytes,
    /// The offset of the id line, or of the blank line if there is no id.
    block_end: usize,
    id: Option<EventId>,
}

impl Frame {
    /// Encodes an event in at most this many bytes, counted without its id. An event that is too large is refused before it is encoded.
    ///
    /// A log has a limit of its own. The events of a [`StreamContext`](crate::StreamContext), of a [`Source`](crate::Source) and of its
    /// snapshots have none: encode them so if the application does not make them itself, for example if it relays those of another server.
    ///
    /// ```
    /// use sse_core::{Event, Frame};
    ///
    /// let frame = Frame::encode(&Event::new("hello"), 1024)?;
    /// assert_eq!(frame.as_bytes(), b"data: hello\n\n");
    /// assert!(Frame::encode(&Event::new("\n".repeat(1024)), 1024).unwrap_err().is_too_large());
    /// # Ok::<(), sse_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_too_large`](Error::is_too_large) if it would have more than `largest` bytes.
    pub fn encode(event: &Event, largest: usize) -> Result<Self, Error> {
        let size = encode::block_len(event);
        if size > largest {
            return Err(Error::too_large(size, largest));
        }
        Ok(Self::from(event))
    }

    /// Returns the bytes as they go out to a client, including the id line and the blank line.
    ///
    /// ```
    /// use sse_core::{Event, EventId, Frame};
    ///
    /// let frame = Frame::from(Event::new("hello").id(EventId::from(7)));
    /// assert_eq!(frame.as_bytes(), b"data: hello\nid: 7\n\n");
    /// ```
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the bytes as they go out to a client, without copying them.
    ///
    /// ```
    /// assert_eq!(sse_core::Frame::from("hello").into_bytes(), "data: hello\n\n");
    /// ```
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// Returns the bytes without the id line and the blank line: a store keeps these.
    ///
    /// ```
    /// assert_eq!(sse_core::Frame::from("hello").block(), b"data: hello\n");
    /// ```
    pub fn block(&self) -> &[u8] {
        &self.bytes[..self.block_end]
    }

    /// Returns the id that the client will send back.
    ///
    /// ```
    /// use sse_core::{Event, EventId, Frame};
    ///
    /// let id = EventId::from(7);
    /// assert_eq!(Frame::from(Event::new("hello").id(id.clone())).id(), Some(&id));
    /// ```
    pub fn id(&self) -> Option<&EventId> {
        self.id.as_ref()
    }

    /// Returns the event with this id.
    pub(crate) fn with_id(&self, id: EventId) -> Self {
        Self::of_block(self.block(), id)
    }

    /// Returns the event without an id.
    pub(crate) fn without_id(self) -> Self {
        if self.id.is_none() {
            return self;
        }
        let mut bytes = BytesMut::from(self.block());
        if ends_with_data(&bytes) {
            bytes.put_u8(b'\n');
        }
        Self { bytes: bytes.freeze(), block_end: self.block_end, id: None }
    }

    /// Makes a frame of the bytes of an event in a log, which end with this id.
    pub(crate) fn from_log(bytes: Bytes, id: EventId) -> Self {
        let id_and_blank_line = "id: \n\n".len() + id.as_str().len();
        Self { block_end: bytes.len() - id_and_blank_line, bytes, id: Some(id) }
    }

    /// Makes frames of the bytes of events that have data and no ids.
    pub(crate) fn all_without_ids(bytes: &Bytes) -> impl Iterator<Item = Self> + '_ {
        let mut start = 0;
        memchr::memmem::find_iter(bytes, b"\n\n").map(move |end| {
            let bytes = bytes.slice(start..end + 2);
            start = end + 2;
            Self { block_end: bytes.len() - 1, bytes, id: None }
        })
    }

    /// Makes a frame of a block that a store kept, with this id.
    pub(crate) fn of_block(block: &[u8], id: EventId) -> Self {
        let mut bytes = BytesMut::with_capacity(block.len() + id.as_str().len() + 8);
        bytes.extend_from_slice(block);
        encode::id(id.as_str().as_bytes(), &mut bytes);
        Self { block_end: block.len(), bytes: bytes.freeze(), id: Some(id) }
    }

    /// Returns the event as data. Line breaks in its texts are LF.
    ///
    /// ```
    /// use sse_core::{Event, Frame};
    ///
    /// let event = Event::typed("tick", "12:00");
    /// assert_eq!(Frame::from(&event).to_event(), event);
    /// ```
    pub fn to_event(&self) -> Event {
        let mut event = Event { id: self.id.clone(), ..Event::default() };
        for line in String::from_utf8_lossy(self.block()).split_terminator('\n') {
            // Every line that the encoder writes has the colon and the space.
            let (field, value) = line.split_once(": ").unwrap_or((line, ""));
            match field {
                "" => append_line(&mut event.comment, value),
                "data" => append_line(&mut event.data, value),
                "event" => event.event_type = value.parse().ok(),
                "retry" => event.retry = value.parse().ok().map(std::time::Duration::from_millis),
                _ => {}
            }
        }
        event
    }
}

/// Returns true if a block has data, which comes last in it: a block without data needs no blank line to end it.
fn ends_with_data(block: &[u8]) -> bool {
    let last_line = block.strip_suffix(b"\n").unwrap_or(block);
    let start = memchr::memrchr(b'\n', last_line).map_or(0, |before| before + 1);
    last_line[start..].starts_with(b"data: ")
}

fn append_line(text: &mut Option<String>, line: &str) {
    match text {
        Some(text) => {
            text.push('\n');
            text.push_str(line);
        }
        None => *text = Some(line.to_owned()),
    }
}

impl From<&str> for Frame {
    /// Makes an event with this data.
    fn from(data: &str) -> Self {
        Self::from(Event::new(data))
    }
}

impl From<String> for Frame {
    /// Makes an event with this data.
    fn from(data: String) -> Self {
        Self::from(Event::new(data))
    }
}

impl From<Event> for Frame {
    fn from(event: Event) -> Self {
        Self::from(&event)
    }
}

impl From<&Event> for Frame {
    fn from(event: &Event) -> Self {
        let mut out = BytesMut::new();
        encode::block(event, &mut out);
        let block_end = out.len();
        match &event.id {
            Some(id) => encode::id(id.as_str().as_bytes(), &mut out),
            None if event.data.is_some() => out.put_u8(b'\n'),
            None => {}
        }
        Self { bytes: out.freeze(), block_end, id: event.id.clone() }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Frame").field(&String::from_utf8_lossy(&self.bytes)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_put_in_place_of_another_or_taken_away() {
        let id = EventId::from_static("7");
        for event in [
            Event::new("a\nb"),
            Event::new("").comment("c"),
            Event::default().comment("c"),
            Event::default(),
        ] {
            let plain = Frame::from(&event);
            let with = Frame::from(event.id(id.clone()));
            assert_eq!(plain.with_id(id.clone()), with);
            assert_eq!(with.with_id(id.clone()), with);
            assert_eq!(with.without_id(), plain);
            assert_eq!(plain.clone().without_id(), plain);
        }
    }
}
