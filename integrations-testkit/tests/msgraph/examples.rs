//! The fake against Microsoft's own examples: the same properties, in the same form.

use std::path::PathBuf;

use integrations_testkit::msgraph::FolderSpec;

use super::*;

/// A block of Microsoft's documentation; `None`, said aloud, where the data is not at hand.
fn example(name: &str) -> Option<Value> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/graph-examples");
    if !folder.is_dir() {
        println!("skipped: no shared data");
        return None;
    }
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    Some(serde_json::from_str::<Value>(&text).unwrap()["body"].take())
}

/// The first property of the example that the fake does not have, or has in another JSON type.
fn difference(example: &Value, shown: &Value, path: &str) -> Option<String> {
    match (example, shown) {
        (Value::Object(example), Value::Object(shown)) => example.iter().find_map(|(name, value)| {
            let path = format!("{path}.{name}");
            shown.get(name).map_or(Some(path.clone()), |shown| difference(value, shown, &path))
        }),
        (Value::Array(example), Value::Array(shown)) => {
            example.first().zip(shown.first()).and_then(|(example, shown)| difference(example, shown, path))
        }
        (Value::Null, _) | (_, Value::Null) => None,
        (example, shown) => {
            let same = std::mem::discriminant(example) == std::mem::discriminant(shown);
            (!same).then(|| path.to_owned())
        }
    }
}

#[tokio::test]
async fn events_have_the_properties_of_the_documented_ones() {
    for name in [
        "api.calendar-list-events.07.response.json",
        "api.user-post-events.03.response.json",
        "concepts.outlook-calendar-online-meetings.04.response.json",
        "api.event-list-instances.03.response.json",
    ] {
        let Some(body) = example(name) else { return };
        let documented = body.get("value").map_or(body.clone(), |value| value[0].clone());
        let fake = builder(&clock()).calendar(berlin(0)).start().await;
        let mut given = documented.clone();
        for field in ["seriesMasterId", "recurrence", "end", "start", "type"] {
            given.as_object_mut().unwrap().remove(field);
        }
        let id = fake.insert_event("Calendar", given.clone());
        let mut shown = fake.event(&id).unwrap();
        shown["@odata.context"] = json!("");
        assert_eq!(difference(&documented, &shown, name), None);
        for (field, value) in given.as_object().unwrap() {
            let own = ["@odata", "id", "changeKey", "webLink", "createdDateTime", "lastModifiedDateTime"];
            if !own.iter().any(|own| field.starts_with(own)) {
                assert_eq!(&shown[field], value, "{name}: {field}");
            }
        }
    }
}

#[tokio::test]
async fn messages_folders_and_calendars_have_the_properties_of_the_documented_ones() {
    let fake = builder(&clock()).folder(FolderSpec::well_known("inbox").generated(3)).start().await;
    let id = fake.message_ids("inbox").remove(0);
    let (_, message) = get(&fake, &format!("/v1.0/me/messages/{id}"), &[]).await;
    let (_, folder) = get(&fake, "/v1.0/me/mailFolders/inbox", &[]).await;
    let (_, calendars) = get(&fake, "/v1.0/me/calendars", &[]).await;
    let (_, page) =
        get(&fake, "/v1.0/me/mailFolders/inbox/messages/delta", &[("$select", "subject,sender,isRead")])
            .await;
    for (name, shown) in [
        ("api.message-get.04.response.json", &message),
        ("api.mailfolder-get.03.response.json", &folder),
        ("concepts.delta-query-messages.07.json.json", &page),
    ] {
        let Some(documented) = example(name) else { return };
        assert_eq!(difference(&documented, shown, name), None);
    }
    let Some(mut documented) = example("api.user-list-calendars.04.response.json") else { return };
    documented["value"][0].as_object_mut().unwrap().remove("@odata.id");
    assert_eq!(difference(&documented, &calendars, "calendars"), None);
}
