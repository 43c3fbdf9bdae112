//! Are the ways in found in payloads of the providers themselves?

use std::collections::BTreeSet;
use std::path::Path;

use integrations_core::model::identity::JoinKey;

#[test]
fn addresses_in_payloads_from_elsewhere_are_found() {
    fn read(path: &Path, found: &mut BTreeSet<String>) {
        if path.is_dir() {
            for entry in std::fs::read_dir(path).unwrap() {
                read(&entry.unwrap().path(), found);
            }
        } else if let Ok(text) = std::fs::read_to_string(path) {
            found.extend(JoinKey::find_in(&text).iter().map(ToString::to_string));
        }
    }
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !data.is_dir() {
        eprintln!("skipped: ../shared/data is not here");
        return;
    }
    let mut found = BTreeSet::new();
    for folder in ["graph-examples", "zoom-examples"] {
        read(&data.join(folder), &mut found);
    }
    // One a thread, however the colon of `19:` is written; one is a meeting in a channel, by its message.
    let teams: Vec<&String> = found.iter().filter(|key| key.starts_with("teams:19:")).collect();
    assert_eq!(teams.len(), 7, "{teams:?}");
    assert!(teams.iter().all(|key| key.ends_with("/0") || key.ends_with("/1501527539926")), "{teams:?}");
    // To join (`j`), to start (`s`) and to a webinar (`w`); neither recordings, nor registrations, nor accounts.
    let zoom: Vec<&String> = found.iter().filter(|key| key.starts_with("zoom:")).collect();
    assert_eq!(zoom, ["zoom:000000", "zoom:00000011110", "zoom:1100000", "zoom:12345678", "zoom:9999999"]);
}
