use super::*;
use crate::log::tail::page::PAGE_SIZE;

fn tail(events: usize, bytes: usize) -> Tail {
    Tail::new(
        Epoch::random().expect("random numbers"),
        Position::START,
        Limits { events, bytes, topics_required: false },
        None,
    )
}

fn block(text: &str) -> Bytes {
    Bytes::from(format!("data: {text}\n"))
}

/// Adds the next event, and returns its position.
fn push(tail: &mut Tail, text: &str) -> Position {
    let position = tail.newest().next();
    tail.push(position, block(text), None, &Topics::default());
    position
}

/// Reads all events after a position, and checks that they are those that were pushed.
#[track_caller]
fn check_all_after(tail: &mut Tail, mut position: Position, pushed: &[String]) {
    let mut seen = Vec::new();
    let expected: Vec<u8> = (position.lo() + 1..=tail.newest().lo())
        .flat_map(|n| {
            format!("data: {}\nid: {}.{n}\n\n", pushed[n as usize - 1], tail.epoch()).into_bytes()
        })
        .collect();
    loop {
        match tail.read(position) {
            Read::Events(bytes, last) => {
                assert!(last > position && !bytes.is_empty());
                seen.extend_from_slice(&bytes);
                position = last;
            }
            Read::End => break,
            Read::Gone => panic!("{position} is gone, the oldest is {:?}", tail.oldest()),
        }
    }
    assert!(
        seen == expected,
        "after {position}: {} bytes, {} expected",
        seen.len(),
        expected.len()
    );
}

#[test]
fn every_position_reads_all_that_follows_it_however_reads_and_writes_alternate() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..8 {
        let (mut tail, mut pushed) = (tail(usize::MAX, usize::MAX), Vec::new());
        for n in 0..400 {
            let size =
                if random.u8(..) < 4 { random.usize(..2 * PAGE_SIZE) } else { random.usize(..900) };
            pushed.push(format!("{n} {}", "x".repeat(size)));
            let position = push(&mut tail, &pushed[n]);
            assert_eq!(position, Position::from(n as u64 + 1));
            if random.bool() {
                check_all_after(
                    &mut tail,
                    Position::from(position.lo().saturating_sub(random.u64(..4))),
                    &pushed,
                );
            }
        }
        for position in (0..=400).step_by(11) {
            check_all_after(&mut tail, Position::from(position), &pushed);
        }
    }
}

#[test]
fn no_more_is_kept_than_allowed() {
    let mut tail = tail(100, 10_000);
    for n in 0..5_000_usize {
        push(&mut tail, &"x".repeat(n % 997));
        assert!(tail.len() <= 100 && tail.bytes() <= 10_000);
        let kept: usize = tail.pages.iter().map(Page::len).sum();
        assert!(kept + tail.open.len() <= 10_000 + 2 * PAGE_SIZE, "{kept}");
        assert_eq!(tail.oldest(), Some(tail.base().next()));
        assert_ne!(tail.read(tail.base()), Read::Gone);
        if tail.base() > Position::START {
            assert_eq!(tail.read(tail.base().previous()), Read::Gone);
        }
    }
}

#[test]
fn the_newest_event_stays_whatever_its_size() {
    let mut tail = tail(100, 10);
    for _ in 0..3 {
        push(&mut tail, &"x".repeat(100_000));
        assert_eq!(tail.len(), 1);
        assert_eq!(tail.pages.len(), 1);
    }
    push(&mut tail, "small");
    assert_eq!((tail.len(), tail.pages.len()), (1, 0));
}

#[test]
fn readers_behind_in_the_open_page_share_one_piece() {
    let mut tail = tail(100, 10_000);
    for text in ["first", "second", "third"] {
        push(&mut tail, text);
        let _ = tail.read(tail.newest().previous()); // each a piece of its own
    }
    let (Read::Events(one, _), Read::Events(other, _)) =
        (tail.read(Position::START), tail.read(Position::START))
    else {
        panic!()
    };
    assert_eq!(one.as_ptr(), other.as_ptr());
}

#[test]
fn readers_at_the_end_share_one_piece() {
    let mut tail = tail(100, 10_000);
    push(&mut tail, "first");
    let _ = tail.read(Position::START);
    push(&mut tail, "second");
    push(&mut tail, "third");
    let (Read::Events(one, _), Read::Events(other, _)) =
        (tail.read(Position::from(1)), tail.read(Position::from(1)))
    else {
        panic!()
    };
    assert_eq!(one.as_ptr(), other.as_ptr());
    assert!(one.starts_with(b"data: second"));
}
