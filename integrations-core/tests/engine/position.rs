//! A position that an earlier version has stored is taken up where it stands.

use integrations_core::sync::{Cursor, Leftover, Position, Window};
use serde_json::json;

use crate::script::{World, done, items, page};

/// As they were stored before there were windows, and before a position knew when its listing began.
fn former() -> [(serde_json::Value, Position); 6] {
    let (cursor, window) = (|text: &str| Cursor::new(text), Window::ALL);
    let tracking = |generation, page: Option<&str>, leftover| Position::Tracking {
        generation,
        since: cursor("s1"),
        page: page.map(cursor),
        leftover,
        begun: None,
        window,
    };
    [
        (json!({"phase": "start"}), Position::Start),
        (
            json!({"phase": "listing", "generation": 1, "page": "p2"}),
            Position::Listing { generation: 1, page: cursor("p2"), unidentified: 0, begun: None, window },
        ),
        (
            json!({"phase": "listing", "generation": 2, "page": "p2", "unidentified": 3}),
            Position::Listing { generation: 2, page: cursor("p2"), unidentified: 3, begun: None, window },
        ),
        (json!({"phase": "tracking", "generation": 1, "since": "s1"}), tracking(1, None, Leftover::None)),
        (
            json!({"phase": "tracking", "generation": 2, "since": "s1", "page": "p2", "leftover": "withheld"}),
            tracking(2, Some("p2"), Leftover::Withheld),
        ),
        (json!({"phase": "resync", "generation": 3}), Position::Resync { generation: 3, window }),
    ]
}

#[test]
fn positions_of_the_former_version_load_and_mean_all_there_is() {
    for (stored, position) in former() {
        let loaded: Position = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(loaded, position, "{stored}");
        assert!(loaded.window().is_all());
    }
}

#[test]
fn a_position_without_a_window_is_stored_as_before_and_every_position_comes_back() {
    for (mut stored, position) in former() {
        // A count that is nought was always written out.
        if stored["phase"] == "listing" && stored.get("unidentified").is_none() {
            stored["unidentified"] = json!(0);
        }
        assert_eq!(serde_json::to_value(&position).unwrap(), stored);
    }
    let window = Window::since("2026-03-01T00:00:00Z".parse().unwrap())
        .until("2026-04-01T00:00:00.000001Z".parse().unwrap());
    for window in [Window::ALL, Window::since(window.since.unwrap()), window] {
        for leftover in [Leftover::None, Leftover::Pending, Leftover::Withheld] {
            let position = Position::Listed { generation: 7, leftover, window };
            let stored = serde_json::to_string(&position).unwrap();
            assert_eq!(serde_json::from_str::<Position>(&stored).unwrap(), position, "{stored}");
        }
    }
}

#[tokio::test]
async fn a_run_goes_on_from_a_position_of_the_former_version() {
    for (stored, _) in former() {
        let world = World::new();
        let position: Position = serde_json::from_value(stored.clone()).unwrap();
        world.stand_at(position.clone()).await;
        let asked = match &position {
            Position::Listing { .. } => "listing p2",
            Position::Tracking { page: None, .. } => "changes s1",
            Position::Tracking { .. } => "changes s1 p2",
            _ => "listing",
        };
        let report = world.sync(vec![page(&items(&["a"]), "p9"), done(&items(&["b"]), "s9")]).await;
        assert_eq!(world.asked_from()[0], asked, "{stored}");
        assert!(world.asked().iter().all(|asked| asked.window.is_all()), "{stored}");
        assert_eq!((report.started_in, report.upserted), (position.phase(), 2), "{stored}");
        assert_eq!(world.ids(), ["a", "b"]);
    }
}
