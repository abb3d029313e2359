use crate::{Epoch, EventId, EventType, GapReason, Position};

#[test]
fn a_checked_text_is_its_text_in_json_and_refuses_what_it_would_refuse() {
    let id: EventId = serde_json::from_str("\"order-7\"").expect("an id");
    assert_eq!(
        (id.clone(), serde_json::to_string(&id).expect("JSON")),
        ("order-7".try_into().expect("an id"), "\"order-7\"".into())
    );
    assert!(serde_json::from_str::<EventId>("\"two\\nlines\"").is_err());
    assert!(serde_json::from_str::<EventType>("\"error\"").is_err());
    let position: Position = serde_json::from_str("\"17-3\"").expect("a position");
    assert_eq!(serde_json::to_string(&position).expect("JSON"), "\"17-3\"");
    assert!(serde_json::from_str::<Epoch>("\"UPPER\"").is_err());
    let epoch: Epoch = serde_json::from_str("\"k3b9\"").expect("an epoch");
    assert_eq!(serde_json::to_string(&epoch).expect("JSON"), "\"k3b9\"");
}

#[test]
fn a_checked_text_equals_texts_of_every_kind() {
    let id = EventId::from_static("7");
    assert_eq!(id, "7");
    assert_eq!("7", id);
    assert_eq!(id, *"7");
    assert_eq!(*"7", id);
    assert_eq!(id, String::from("7"));
    assert_eq!(EventId::from(7), id);
}

#[test]
fn a_reason_is_in_json_what_it_is_in_text() {
    use GapReason::{AheadOfHead, OtherEpoch, TooOld, Unknown};
    for reason in [TooOld, Unknown, OtherEpoch, AheadOfHead] {
        let json = serde_json::to_string(&reason).expect("JSON");
        assert_eq!(json, format!("\"{reason}\""));
        assert_eq!(serde_json::from_str::<GapReason>(&json).expect("a reason"), reason);
    }
}
