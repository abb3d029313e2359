use super::*;

#[track_caller]
fn check_accept(accept: &[&str], expected: bool) {
    let headers = accept.iter().map(|value| ("accept", value.as_bytes()));
    assert_eq!(
        StreamRequest::new("GET", None, headers).accepts_event_stream(),
        expected,
        "{accept:?}"
    );
}

#[test]
fn the_most_specific_range_decides() {
    check_accept(&[], true);
    check_accept(&[""], true);
    check_accept(&["text/event-stream"], true);
    check_accept(&["Text/Event-Stream ; q=0.1"], true);
    check_accept(&["*/*"], true);
    check_accept(&["text/*;q=0.5, application/json"], true);
    check_accept(&["text/html", "text/event-stream"], true);
    check_accept(&["text/html, */*;q=0.8"], true);
    check_accept(&["application/json"], false);
    check_accept(&["text/event-streams"], false);
    check_accept(&["text/event-stream;q=0, */*"], false);
    check_accept(&["*/*;q=0.000"], false);
    check_accept(&["text/*;q=0, */*"], false);
    check_accept(&["text/event-stream;q=0.001"], true);
}

#[track_caller]
fn check_id(headers: &[&[u8]], query: Option<&str>, expected: LastEventId) {
    let headers = headers.iter().map(|value| ("LAST-event-id", *value));
    assert_eq!(StreamRequest::new("GET", query, headers).last_event_id("lastEventId"), expected);
}

fn id(text: &'static str) -> LastEventId {
    LastEventId::Id(EventId::from_static(text))
}

#[test]
fn the_header_wins_and_an_empty_value_is_not_an_id() {
    check_id(&[], None, LastEventId::Absent);
    check_id(&[b""], Some("lastEventId="), LastEventId::Absent);
    check_id(&[b" "], Some("lastEventId=b"), id("b"));
    check_id(&[b"a"], Some("lastEventId=b"), id("a"));
    check_id(&[b" a "], None, id("a"));
    check_id(&[], Some("x=1&lastEventId=b%2Ec&y"), id("b.c"));
    check_id(&[], Some("lasteventid=b"), LastEventId::Absent);
}

#[test]
fn a_second_value_in_the_query_counts_if_it_is_the_same_or_a_polyfill_has_added_it() {
    check_id(&[], Some("lastEventId=old&lastEventId=new"), id("new"));
    check_id(&[], Some("lastEventId=old&x=1&lastEventId=new"), id("new"));
    check_id(&[], Some("lastEventId=5&lastEventId="), id("5"));
    check_id(&[], Some("lastEventId=&lastEventId=5&x"), id("5"));
    check_id(&[], Some("lastEventId=5&lastEventId=5&x"), id("5"));
    check_id(&[], Some("lastEventId=5&lastEventId=null"), id("5"));
    check_id(&[], Some("lastEventId=5&lastEventId=6&x=1"), LastEventId::Unusable);
    check_id(&[], Some("lastEventId=5&lastEventId=%ff"), LastEventId::Unusable);
}

#[test]
fn a_value_that_a_page_writes_before_it_has_an_id_is_not_an_id() {
    for word in ["undefined", "null", "NaN"] {
        check_id(&[], Some(&format!("lastEventId={word}")), LastEventId::Absent);
        check_id(&[word.as_bytes()], None, LastEventId::Absent);
        check_id(&[word.as_bytes()], Some("lastEventId=5"), id("5"));
    }
    check_id(&[], Some("lastEventId=Null"), id("Null"));
}

#[test]
fn what_cannot_be_an_id_is_not_nothing() {
    check_id(&[&[b'x'; 129]], None, LastEventId::Unusable);
    check_id(&["\u{e9}".as_bytes()], None, LastEventId::Unusable);
    check_id(&[&[0xff, 0xfe]], Some("lastEventId=b"), LastEventId::Unusable);
    check_id(&[], Some("lastEventId=%00"), LastEventId::Unusable);
    check_id(&[], Some("lastEventId=%ff"), LastEventId::Unusable);
    check_id(&[b"a", b"b"], None, LastEventId::Unusable);
    check_id(&[b"a", b"a"], None, id("a"));
}
