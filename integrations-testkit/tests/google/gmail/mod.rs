//! Gmail: messages, history, batches.

mod batch;
mod generated;
mod history;
mod messages;
mod quota;

use integrations_testkit::google::FakeGoogle;
use serde_json::Value;

pub(crate) use super::{TOKEN, builder, clock, get, http, reason};

pub(crate) const ME: &str = "/gmail/v1/users/me";

/// A call of the account's mailbox: the status and the body.
pub(crate) async fn mail(fake: &FakeGoogle, path: &str, query: &[(&str, &str)]) -> (u16, Value) {
    let answer = get(fake, &format!("{ME}/{path}"), query).await;
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// All pages of a listing: what they list under `key`, the sizes of the pages, and the last page.
pub(crate) async fn drain(
    fake: &FakeGoogle,
    path: &str,
    key: &str,
    query: &[(&str, &str)],
) -> (Vec<Value>, Vec<usize>, Value) {
    let (mut items, mut sizes, mut page_token) = (Vec::new(), Vec::new(), None::<String>);
    loop {
        let mut query = query.to_vec();
        query.extend(page_token.as_deref().map(|token| ("pageToken", token)));
        let (status, page) = mail(fake, path, &query).await;
        assert_eq!(status, 200, "{page}");
        let more = page.get(key).map(|items| items.as_array().unwrap().clone());
        assert!(more.as_ref().is_none_or(|items| !items.is_empty()), "an empty array is left out");
        sizes.push(more.as_ref().map_or(0, Vec::len));
        items.extend(more.unwrap_or_default());
        match page["nextPageToken"].as_str() {
            Some(token) => page_token = Some(token.to_owned()),
            None => return (items, sizes, page),
        }
    }
}

/// The ids that `messages.list` shows.
pub(crate) async fn listed(fake: &FakeGoogle, query: &[(&str, &str)]) -> Vec<String> {
    let (items, ..) = drain(fake, "messages", "messages", query).await;
    items.iter().map(|item| text(item, "id")).collect()
}

pub(crate) fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap_or_else(|| panic!("no {field} in {body}")).to_owned()
}

/// The value of a header of a message.
pub(crate) fn header<'a>(part: &'a Value, name: &str) -> Option<&'a str> {
    let headers = part["headers"].as_array()?;
    headers.iter().find(|header| header["name"] == name)?["value"].as_str()
}
