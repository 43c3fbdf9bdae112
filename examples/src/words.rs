//! How is it said how much there is?

use integrations_core::Result;
use integrations_core::connection::ServiceId;
use integrations_core::model::RecordKind;
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::RecordQuery;

/// What people call one record of a kind, and several.
fn noun(service: &ServiceId, kind: RecordKind) -> (&'static str, &'static str) {
    match kind {
        RecordKind::Event => ("event", "events"),
        RecordKind::Message => ("message", "messages"),
        RecordKind::Channel if *service == integrations_google::gmail::SERVICE => ("label", "labels"),
        RecordKind::Channel if *service == integrations_msgraph::mail::SERVICE => ("folder", "folders"),
        RecordKind::Channel => ("channel", "channels"),
        RecordKind::Person => ("person", "people"),
        RecordKind::Task => ("task", "tasks"),
        RecordKind::Issue => ("issue", "issues"),
        RecordKind::Comment => ("comment", "comments"),
        RecordKind::Notification => ("notification", "notifications"),
        RecordKind::Meeting => ("meeting", "meetings"),
        _ => ("item", "items"),
    }
}

/// `1 event`, `12,000 events`.
pub fn counted(count: u64, (one, many): (&str, &str)) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{text} {}", if count == 1 { one } else { many })
}

/// What is kept of a service, of those records that a query lets through: `31 messages, 7 channels, 6 people`;
/// empty where nothing is.
///
/// # Errors
/// Those of the store.
pub async fn kept(store: &SqliteStore, service: &ServiceId, query: &RecordQuery) -> Result<String> {
    let mut words = Vec::new();
    for &kind in RecordKind::ALL {
        let count = store.count(&query.clone().kind(kind)).await?;
        if count > 0 {
            words.push(counted(count, noun(service, kind)));
        }
    }
    Ok(words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_can_be_read() {
        let events = |count| counted(count, ("event", "events"));
        let read = [0, 1, 999, 1_000, 1_234_567].map(events);
        assert_eq!(read, ["0 events", "1 event", "999 events", "1,000 events", "1,234,567 events"]);
    }
}
