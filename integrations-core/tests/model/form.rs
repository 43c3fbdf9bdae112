//! Is what is written what is read again, whatever the record?

use chrono::DateTime;
use integrations_core::ErrorKind;
use integrations_core::model::{Entity, MODEL_FORMAT, Raw, Record, Source, Task};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::any::{json_value, kinds, record, text};
use crate::schema::complaints;

/// A record that is as small as one can be.
fn small(raw: Raw) -> Record {
    let source = json!({ "service": "google_tasks", "id": "t1" });
    Record {
        entity: Entity::from(Task::new("t1", "inbox")),
        source: serde_json::from_value::<Source>(source).unwrap(),
        raw,
    }
}

/// What was written of what was read: all of it, in the same words.
fn lost(before: &Value, after: Option<&Value>, path: &str) -> Option<String> {
    let nothing = match before {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_u64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields
            .iter()
            .all(|(name, value)| lost(value, after.and_then(|after| after.get(name)), path).is_none()),
        Value::Bool(true) => false,
    };
    let same = |one: &str, other: &str| {
        let instant = |text| DateTime::parse_from_rfc3339(text).ok();
        one == other || (instant(one).is_some() && instant(one) == instant(other))
    };
    match (before, after) {
        _ if nothing => None,
        (Value::Object(before), Some(Value::Object(after))) => {
            before.iter().find_map(|(name, value)| lost(value, after.get(name), &format!("{path}.{name}")))
        }
        (Value::Array(before), Some(Value::Array(after))) if before.len() == after.len() => before
            .iter()
            .zip(after)
            .enumerate()
            .find_map(|(index, (before, after))| lost(before, Some(after), &format!("{path}[{index}]"))),
        (Value::String(before), Some(Value::String(after))) if same(before, after) => None,
        (before, Some(after)) if before == after => None,
        _ => Some(path.to_owned()),
    }
}

#[test]
fn whatever_the_schema_allows_is_read_and_nothing_of_it_is_lost() {
    for (name, kind) in kinds() {
        let result = TestRunner::new(Config::with_cases(64)).run(&record(kind), |before| {
            prop_assert_eq!(complaints(&before), Vec::<String>::new());
            let record = Record::from_json(before.to_string().as_bytes());
            prop_assert!(record.is_ok(), "{:?}", record);
            let record = record.unwrap();
            prop_assert_eq!(record.kind().as_str(), name);

            let written = record.to_json().unwrap();
            prop_assert_eq!(&Record::from_json(written.as_bytes()).unwrap(), &record);
            prop_assert_eq!(&Record::from_json(written.as_bytes()).unwrap().to_json().unwrap(), &written);

            let after: Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(complaints(&after), Vec::<String>::new());
            prop_assert_eq!(lost(&before, Some(&after), "$"), None);
            // As a store keeps it, and by way of a tree.
            prop_assert_eq!(
                &serde_json::from_value::<Entity>(after["entity"].clone()).unwrap(),
                &record.entity
            );
            prop_assert_eq!(&serde_json::from_value::<Record>(after).unwrap(), &record);
            Ok(())
        });
        if let Err(failure) = result {
            panic!("{name}: {failure}");
        }
    }
}

#[test]
fn the_schema_and_the_reader_refuse_the_same() {
    /// The paths of all values in a value.
    fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(name, value)| paths(value, &format!("{path}/{name}"), found));
            }
            Value::Array(values) => {
                values
                    .iter()
                    .enumerate()
                    .for_each(|(at, value)| paths(value, &format!("{path}/{at}"), found));
            }
            _ => {}
        }
    }
    fn change(json: &mut Value, path: &str, other: Option<Value>) {
        let (parent, name) = path.rsplit_once('/').unwrap();
        match (json.pointer_mut(parent).unwrap(), other) {
            (Value::Object(fields), Some(other)) => fields[name] = other,
            (Value::Object(fields), None) => drop(fields.remove(name)),
            (Value::Array(values), Some(other)) => values[name.parse::<usize>().unwrap()] = other,
            (Value::Array(values), None) => drop(values.remove(name.parse().unwrap())),
            _ => unreachable!("a path within something"),
        }
    }
    // No lists: serde takes one for the fields of an object in their order, which nothing writes.
    let other = proptest::sample::select(vec![
        None,
        Some(json!(null)),
        Some(json!(true)),
        Some(json!(-1)),
        Some(json!(7)),
        Some(json!(4_294_967_296_u64)),
        Some(json!(0.5)),
        Some(json!("word")),
        Some(json!("2026-03-01")),
        Some(json!({})),
    ]);
    let mut refused = 0;
    for (_, kind) in kinds() {
        let cases = (record(kind), other.clone(), any::<prop::sample::Index>());
        let counted = std::cell::Cell::new(0);
        let result = TestRunner::new(Config::with_cases(128)).run(&cases, |(mut json, other, index)| {
            let mut found = Vec::new();
            paths(&json, "", &mut found);
            let path = &found[1 + index.index(found.len() - 1)];
            change(&mut json, path, other);
            let complaints = complaints(&json);
            let read = Record::from_json(json.to_string().as_bytes());
            prop_assert_eq!(complaints.is_empty(), read.is_ok(), "{} {:?} {:?}", json, complaints, read);
            counted.set(counted.get() + usize::from(read.is_err()));
            Ok(())
        });
        result.unwrap();
        refused += counted.get();
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn fields_that_no_one_knows_are_ignored() {
    /// Adds a field to every object.
    fn grown(value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let mut fields: Map<_, _> =
                    fields.iter().map(|(name, value)| (name.clone(), grown(value))).collect();
                fields.insert("x_later".to_owned(), json!([{ "id": null }]));
                Value::Object(fields)
            }
            Value::Array(values) => values.iter().map(grown).collect(),
            value => value.clone(),
        }
    }
    for (_, kind) in kinds() {
        let result = TestRunner::new(Config::with_cases(16)).run(&record(kind), |json| {
            let grown = grown(&json);
            prop_assert_eq!(complaints(&grown), Vec::<String>::new());
            let record = Record::from_json(json.to_string().as_bytes()).unwrap();
            prop_assert_eq!(Record::from_json(grown.to_string().as_bytes()).unwrap(), record);
            Ok(())
        });
        result.unwrap();
    }
}

#[test]
fn words_that_no_one_knows_survive() {
    let json = r#"{"format":1,"source":{"service":"s","id":"e"},"entity":{"type":"event","id":"e","calendar_id":"c",
        "start":{"date_time":"2026-03-01T09:00:00+01:00","zone":"Romance Standard Time"},"status":"postponed",
        "attendees":[{"response":"perhaps"}]}}"#;
    let written = Record::from_json(json.as_bytes()).unwrap().to_json().unwrap();
    for word in [r#""Romance Standard Time""#, r#""postponed""#, r#""perhaps""#] {
        assert!(written.contains(word), "{word}: {written}");
    }
}

proptest! {
    #[test]
    fn raw_bytes_come_back_whatever_they_are(bytes in any::<Vec<u8>>(), value in json_value(), text in text()) {
        let compact = value.to_string();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let cases = [bytes, text.into_bytes(), compact.clone().into_bytes(), pretty.clone().into_bytes(),
            format!(" {compact}\n").into_bytes(), compact.as_bytes()[..compact.len() / 2].to_vec()];
        for case in cases {
            let record = small(Raw::new(case));
            let json = record.to_json().unwrap();
            prop_assert_eq!(&Record::from_json(json.as_bytes()).unwrap(), &record);
            if let Ok(json) = serde_json::from_str(&json) {
                prop_assert_eq!(complaints(&json), Vec::<String>::new());
            }
        }
        for text in [compact, pretty] {
            let json = small(Raw::new(text.clone())).to_json().unwrap();
            let verbatim = format!(r#","raw":{text}}}"#);
            prop_assert!(json.ends_with(&verbatim), "{}", json);
        }
    }
}

#[test]
fn raw_json_keeps_what_a_reader_would_mend() {
    for text in [
        r#"{"b":1,"a":2,"b":3}"#,
        r#"{"n":1.0000000000000000000001,"big":123456789012345678901234567890,"e":1E+2}"#,
        r#"{"s":"\u00e4\/\ud800"}"#,
        "{\r\n\t\"a\" : [ ]\n}",
        "null",
        "0",
        r#""text""#,
    ] {
        let record = small(Raw::new(text.to_owned()));
        let json = record.to_json().unwrap();
        assert!(json.ends_with(&format!(r#","raw":{text}}}"#)), "{json}");
        assert_eq!(Record::from_json(json.as_bytes()).unwrap(), record);
    }
}

#[test]
fn what_is_no_json_is_kept_beside() {
    for (raw, field) in [
        (&b"BEGIN:VCALENDAR\r\n"[..], r#","raw_text":"BEGIN:VCALENDAR\r\n"}"#),
        (b" {}", r#","raw_text":" {}"}"#),
        (b"{} ", r#","raw_text":"{} "}"#),
        (b"{}{}", r#","raw_text":"{}{}"}"#),
        (b"\xff\x00", r#","raw_base64":"/wA="}"#),
        (b"", r#""list_id":"inbox","status":"open"}}"#),
    ] {
        let json = small(Raw::new(raw.to_vec())).to_json().unwrap();
        assert!(json.ends_with(field), "{json}");
    }
}

#[test]
fn a_format_that_is_not_known_is_refused_whatever_stands_before_it() {
    for (json, reason) in [
        (
            r#"{"entity":{"type":"hologram"},"source":[],"format":2}"#,
            "the record has the format 2, and this version reads up to 1: it needs a later version",
        ),
        (r#"{"format":0}"#, "the record's format is no number that is known"),
        (r#"{"format":"1"}"#, "the record's format is no number that is known"),
        (r#"{"format":1.5}"#, "the record's format is no number that is known"),
        (r#"{"format":null}"#, "there is no format: this is not a record's JSON form"),
        (r#"{"id":"a"}"#, "there is no format: this is not a record's JSON form"),
    ] {
        let error = Record::from_json(json.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DataFormat);
        assert_eq!((error.message(), error.provider_code()), (reason, Some("model_format")), "{json}");
    }
    // And so does whoever reads it by serde alone.
    let mut json: Value = serde_json::from_str(&small(Raw::default()).to_json().unwrap()).unwrap();
    assert_eq!(json["format"], MODEL_FORMAT);
    json["format"] = 2.into();
    assert!(serde_json::from_value::<Record>(json.clone()).is_err());
    json.as_object_mut().unwrap().remove("format");
    assert!(serde_json::from_value::<Record>(json).is_err());
}

#[test]
fn what_cannot_be_read_is_named_and_not_shown() {
    let task = |json: &str| format!(r#"{{"format":1,"source":{{"service":"s","id":"t"}},"entity":{json}}}"#);
    for (json, message) in [
        (
            task(r#"{"type":"task","id":"t","list_id":"l","title":["s3cret"]}"#),
            "the record cannot be read: expected a string at $.entity",
        ),
        (
            task(r#"{"type":"task","id":"s3cret"}"#),
            "the record cannot be read: missing field `list_id` at $.entity",
        ),
        (
            task(r#"{"type":"task","id":"t","list_id":"l","links":null}"#),
            "the record cannot be read: expected a sequence at $.entity",
        ),
        (
            task(r#"{"type":"task","id":"t","list_id":"l","due":{"date":"s3cret"}}"#),
            "the record cannot be read: unexpected value at $.entity",
        ),
        (
            task(r#"{"type":"task","id":"t","list_id":"l"},"raw":1,"raw_text":"s3cret""#),
            "the record cannot be read: expected one of raw, raw_text and raw_base64 at $",
        ),
        (
            task(r#"{"type":"task","id":"t","list_id":"l"},"raw_base64":"s3cret!""#),
            "the record cannot be read: expected Base64 at $",
        ),
        ("[1,2".to_owned(), "the record cannot be read: not JSON at $"),
    ] {
        let error = Record::from_json(json.as_bytes()).unwrap_err();
        assert_eq!(error.message(), message, "{json}");
    }
    let error = Record::from_json(task(r#"{"type":"s3cret"}"#).as_bytes()).unwrap_err();
    assert!(error.message().contains("expected one of `event`, `message`"), "{error}");
    assert!(!error.message().contains("s3cret"), "{error}");
}

#[test]
fn a_null_is_no_value() {
    let with = |field: &str| {
        let json = format!(
            r#"{{"format":1,"source":{{"service":"s","id":"t","link":null}},"entity":{{"type":"task","id":"t",
                "list_id":"l"{field}}},"raw_text":null,"raw_base64":null}}"#
        );
        Record::from_json(json.as_bytes())
    };
    assert_eq!(with(r#","title":null,"due":null"#).unwrap(), with("").unwrap());
    for field in [r#","hidden":null"#, r#","links":null"#, r#","status":null"#] {
        assert!(with(field).is_err(), "{field}");
    }
}
