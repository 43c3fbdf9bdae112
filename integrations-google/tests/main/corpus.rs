//! Payloads that no one here wrote: every event and every mail is normalised, or quarantined for a reason that
//! is listed here by name; every error body means what Google says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use integrations_core::http::Failure;
use integrations_core::model::{Change, Message, Raw, Record};
use integrations_core::normalize::{PageContext, Stages};
use integrations_core::sync::StreamKey;
use integrations_core::{ErrorKind, ServiceAdapter};
use integrations_google::{Gmail, GoogleCalendar, GoogleConfig};
use serde_json::Value;

/// Events that cannot be read, with the reason. Nothing else may be quarantined.
const QUARANTINED: &[(&str, &str)] = &[
    // A time where the API has a day.
    ("calendar-recorded/find__all_day_event_by_id.json", "$.end.date: expected a date"),
    ("calendar-recorded/missing_date.json", "$.start: neither a date nor a dateTime"),
    // Bodies of requests, which have no id yet.
    ("gcal_sync/test_api.005.json", "$: missing field `id`"),
    ("gcal_sync/test_api.012.json", "$.start: missing"),
    ("gcal_sync/test_api.016.json", "$: missing field `id`"),
    // Python's words for truth.
    ("gcal_sync/test_model.013.json", "$.creator.self: expected a boolean"),
    // The peer's own names of fields, `date_time` among them, which the API does not have.
    ("gcal_sync/test_model.019.json", "$: missing field `id`"),
    ("gcal_sync/test_model.021.json", "$: missing field `id`"),
    ("gcal_sync/test_timeline.001.json", "$.start: neither a date nor a dateTime"),
    ("gcal_sync/test_timeline.006.json", "$.start: neither a date nor a dateTime"),
    ("gcal_sync/test_timeline.009.json", "$.start: neither a date nor a dateTime"),
    ("gcal_sync/test_timeline.028.json", "$.start: neither a date nor a dateTime"),
    // A body of a request again.
    ("gcsa/test_event.003.json", "$: missing field `id`"),
];

/// Mails that cannot be read, with the reason. Nothing else may be quarantined.
const QUARANTINED_MAILS: &[(&str, &str)] = &[];

/// The folder of the data, or `None` with a printed line where it is absent.
fn data(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: ../shared/data/{folder} is not here");
    None
}

fn adapter() -> std::sync::Arc<dyn ServiceAdapter> {
    GoogleCalendar::new(GoogleConfig::builder().client("id", "secret").build().unwrap())
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = format!(
                "{}/{}",
                folder.file_name().unwrap().to_string_lossy(),
                path.file_name().unwrap().to_string_lossy()
            );
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// The events in a body: a page of them, a list, or one alone.
fn events(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| events(item, found)),
        Value::Object(object) => match object.get("items") {
            Some(items) => events(items, found),
            // What has a start, or is cancelled, is an event; calendars, colours and free/busy are not.
            None if object.contains_key("start")
                || object.contains_key("recurrence")
                || object.get("status").is_some_and(|status| status == "cancelled") =>
            {
                found.push(value.clone());
            }
            None => {}
        },
        _ => {}
    }
}

#[test]
fn every_event_is_normalised_or_quarantined_by_name() {
    let Some(data) = data("google-samples") else { return };
    let adapter = adapter();
    let pipeline = Stages::new(adapter.normalizer());
    let stream = StreamKey {
        owner: "ada".into(),
        service: "google_calendar".into(),
        connection: "cn_1".into(),
        stream: "primary".into(),
    };
    let mut context = PageContext::default();
    context.time_zone = Some(chrono_tz::UTC);
    let mut counts: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let mut quarantined = Vec::new();
    for folder in ["calendar-recorded", "gcal_sync", "gcsa"] {
        for (name, body) in files(&data.join(folder)) {
            let Ok(value) = serde_json::from_slice::<Value>(&body) else { continue };
            let mut found = Vec::new();
            events(&value, &mut found);
            for event in found {
                let raw = Raw::new(Bytes::from(serde_json::to_vec(&event).unwrap()));
                let done = pipeline.run(&[raw], &stream, &context);
                let count = counts.entry(folder.to_owned()).or_default();
                count[0] += 1;
                for change in &done.changes {
                    count[1] += 1;
                    keeps_every_field(&name, &event, change);
                }
                for item in &done.quarantined {
                    count[2] += 1;
                    quarantined.push((name.clone(), format!("{}: {}", item.path, item.reason)));
                }
            }
        }
    }
    for (folder, [seen, normalised, quarantined]) in &counts {
        println!("{folder}: {seen} events seen, {normalised} normalised, {quarantined} quarantined");
    }
    assert!(counts["calendar-recorded"][0] > 0 && counts["gcal_sync"][0] > 20);
    let listed: Vec<(String, String)> =
        QUARANTINED.iter().map(|(name, reason)| ((*name).to_owned(), (*reason).to_owned())).collect();
    assert_eq!(quarantined, listed);
}

/// Each field that the model has, and the payload too, has arrived.
fn keeps_every_field(name: &str, wire: &Value, change: &Change) {
    let record = match change {
        Change::Upsert(record) => record,
        Change::Delete { id } => {
            assert_eq!(wire["status"], "cancelled", "{name}");
            assert_eq!(wire["id"], id.as_str(), "{name}");
            return;
        }
    };
    let event = record.entity.as_event().unwrap();
    let text = |field: &str| wire.get(field).and_then(Value::as_str);
    assert_eq!(Some(event.id.as_str()), text("id"), "{name}");
    assert_eq!(event.title.as_deref(), text("summary"), "{name}");
    assert_eq!(event.description.as_deref(), text("description"), "{name}");
    assert_eq!(event.location.as_deref(), text("location"), "{name}");
    assert_eq!(event.ical_uid.as_deref(), text("iCalUID"), "{name}");
    assert_eq!(record.source.version.as_deref(), text("etag"), "{name}");
    assert_eq!(record.source.link.as_deref(), text("htmlLink"), "{name}");
    assert_eq!(event.status.as_str(), text("status").unwrap_or("confirmed"), "{name}");
    assert_eq!(event.start.is_all_day(), wire["start"].get("date").is_some(), "{name}");
    let length = |field: &str| wire.get(field).and_then(Value::as_array).map_or(0, Vec::len);
    assert_eq!(event.attendees.len(), length("attendees"), "{name}");
    let recurrence = &event.recurrence;
    let lines =
        [&recurrence.rrule, &recurrence.rdate, &recurrence.exdate, &recurrence.exrule, &recurrence.other];
    assert_eq!(lines.iter().map(|lines| lines.len()).sum::<usize>(), length("recurrence"), "{name}");
    assert_eq!(event.organizer.is_some(), wire.get("organizer").is_some(), "{name}");
    assert_eq!(event.created_at.is_some(), wire.get("created").is_some(), "{name}");
    assert_eq!(event.updated_at.is_some(), wire.get("updated").is_some(), "{name}");
}

/// The mails in a body: one alone, those of a thread or of a page, that of a draft.
fn mails(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| mails(item, found)),
        // A draft, a page and a push have no thread of their own.
        Value::Object(object) if object.contains_key("threadId") => found.push(value.clone()),
        Value::Object(object) => object.values().for_each(|value| mails(value, found)),
        _ => {}
    }
}

#[test]
fn every_mail_is_normalised_or_quarantined_by_name() {
    let Some(data) = data("google-samples") else { return };
    let adapter = Gmail::new(GoogleConfig::builder().client("id", "secret").build().unwrap());
    let pipeline = Stages::new(adapter.normalizer());
    let stream = StreamKey {
        owner: "ada".into(),
        service: "gmail".into(),
        connection: "cn_1".into(),
        stream: "messages".into(),
    };
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut quarantined = Vec::new();
    for folder in ["gmail", "simplegmail"] {
        for (name, body) in files(&data.join(folder)) {
            let mut found = Vec::new();
            mails(&serde_json::from_slice(&body).unwrap(), &mut found);
            for mail in found {
                let raw = Raw::new(Bytes::from(serde_json::to_vec(&mail).unwrap()));
                let done = pipeline.run(&[raw], &stream, &PageContext::default());
                let count = counts.entry(folder).or_default();
                count[0] += 1;
                for change in &done.changes {
                    let Change::Upsert(record) = change else { panic!("{name} is deleted") };
                    count[1] += 1;
                    keeps_every_part(&name, &mail, record);
                }
                for item in &done.quarantined {
                    count[2] += 1;
                    quarantined.push((name.clone(), format!("{}: {}", item.path, item.reason)));
                }
            }
        }
    }
    for (folder, [seen, normalised, quarantined]) in &counts {
        println!("{folder}: {seen} mails seen, {normalised} normalised, {quarantined} quarantined");
    }
    assert!(counts["gmail"][0] >= 3 && counts["simplegmail"][0] >= 1);
    let listed: Vec<(String, String)> =
        QUARANTINED_MAILS.iter().map(|(name, reason)| ((*name).to_owned(), (*reason).to_owned())).collect();
    assert_eq!(quarantined, listed);
}

/// Each field, each header, each text and each file has arrived.
fn keeps_every_part(name: &str, wire: &Value, record: &Record) {
    let mail = record.entity.as_message().unwrap();
    let text = |field: &str| wire.get(field).and_then(Value::as_str);
    assert_eq!(Some(mail.id.as_str()), text("id"), "{name}");
    assert_eq!(mail.thread_id.as_deref(), text("threadId"), "{name}");
    assert_eq!(record.source.version.as_deref(), text("historyId"), "{name}");
    assert_eq!(mail.size, wire.get("sizeEstimate").and_then(Value::as_u64), "{name}");
    let sent = mail.sent_at.map(|sent| sent.timestamp_millis().to_string());
    assert_eq!(sent.as_deref(), text("internalDate"), "{name}");
    assert_eq!(mail.snippet.is_some(), wire.get("snippet").is_some(), "{name}");
    let labels: Vec<_> = wire["labelIds"].as_array().into_iter().flatten().map(Value::as_str).collect();
    assert_eq!(mail.labels.iter().map(|label| Some(label.as_str())).collect::<Vec<_>>(), labels, "{name}");
    assert_eq!(mail.read, Some(!labels.contains(&Some("UNREAD"))), "{name}");
    for header in wire["payload"]["headers"].as_array().into_iter().flatten() {
        keeps_header(name, header["name"].as_str().unwrap(), header["value"].as_str().unwrap(), mail);
    }
    let (mut texts, mut files) = (Vec::new(), 0);
    leaves(&wire["payload"], &mut texts, &mut files);
    for (media_type, data) in texts {
        let field = if media_type == "text/html" { &mail.html } else { &mail.text };
        let sent =
            String::from_utf8(URL_SAFE.decode(data.replace('+', "-").replace('/', "_")).unwrap()).unwrap();
        assert!(field.as_deref().unwrap_or_default().contains(&sent), "{name}: {media_type}");
    }
    assert_eq!(mail.attachments.len(), files, "{name}");
    assert!(mail.attachments.iter().all(|file| file.id.is_some() && file.title.is_some()), "{name}");
}

fn keeps_header(name: &str, header: &str, value: &str, mail: &Message) {
    let named = |people: &[integrations_core::model::PersonRef]| {
        people.iter().all(|person| value.contains(person.email.as_deref().unwrap())) && !people.is_empty()
    };
    let kept = match header.to_lowercase().as_str() {
        "from" => named(mail.from.as_slice()),
        "to" => named(&mail.to),
        "cc" => named(&mail.cc),
        "bcc" => named(&mail.bcc),
        "reply-to" => named(&mail.reply_to),
        "subject" => mail.subject.as_deref() == Some(value),
        "message-id" => value.trim_matches(['<', '>']) == mail.internet_message_id.as_deref().unwrap(),
        "in-reply-to" => mail.in_reply_to.iter().all(|id| value.contains(id)) && !mail.in_reply_to.is_empty(),
        "references" => mail.references.len() == value.split_whitespace().count(),
        // How the mail came and how it is made.
        "received" | "x-received" | "delivered-to" | "return-path" | "mime-version" | "content-type" => true,
        way if way.starts_with("arc-") || way.starts_with("dkim-") || way.starts_with("x-google-") => true,
        "received-spf" | "authentication-results" => true,
        _ => mail.headers.iter().any(|kept| kept.name == header && kept.value == value),
    };
    assert!(kept, "{name}: {header}");
}

/// The texts of a tree, each with its media type, and how many files it has.
fn leaves<'p>(part: &'p Value, texts: &mut Vec<(&'p str, &'p str)>, files: &mut usize) {
    let is_file = part["filename"].as_str().is_some_and(|name| !name.is_empty());
    *files += usize::from(is_file);
    if let (false, Some(data)) = (is_file, part["body"]["data"].as_str()) {
        texts.push((part["mimeType"].as_str().unwrap(), data));
    }
    part["parts"].as_array().into_iter().flatten().for_each(|part| leaves(part, texts, files));
}

#[test]
fn every_recorded_failure_means_what_google_says() {
    let Some(data) = data("google-samples") else { return };
    let adapter = adapter();
    let expected = |name: &str| match name {
        "400.json" => (400, ErrorKind::InvalidRequest),
        "401.json" => (401, ErrorKind::TokenExpired),
        "403_daily_limit.json" | "403_rate_limit.json" | "403_user_rate_limit.json" | "403_quota.json" => {
            (403, ErrorKind::RateLimited)
        }
        "403_forbidden.json" | "403_unknown.json" => (403, ErrorKind::InsufficientPermissions),
        "404.json" => (404, ErrorKind::NotFound),
        "409.json" => (409, ErrorKind::Conflict),
        // Its reason is `deleted`: an event that is gone, and not a lost position.
        "410.json" => (410, ErrorKind::NotFound),
        "412.json" => (412, ErrorKind::Conflict),
        "500.json" => (500, ErrorKind::ServiceUnavailable),
        other => panic!("{other} is not in this table"),
    };
    let headers = HeaderMap::new();
    let mut seen = 0;
    for (name, body) in files(&data.join("calendar-recorded")) {
        let file = name.rsplit('/').next().unwrap();
        if !file.starts_with(['4', '5']) {
            continue;
        }
        let (status, kind) = expected(file);
        let failure = Failure {
            operation: "events.list",
            status: StatusCode::from_u16(status).unwrap(),
            headers: &headers,
            body: &body,
        };
        assert_eq!(adapter.classify(&failure).kind(), kind, "{name}");
        seen += 1;
    }
    println!("calendar-recorded: {seen} failures classified");
    assert!(seen >= 5);
}
