//! How is Zoom asked?

use std::borrow::Cow;

use integrations_core::http::{Request, Session};
use integrations_core::model::Raw;
use integrations_core::{Error, ErrorKind, Result, json};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::secret::without_secrets;
use super::wire::{Instances, Page, Participants, WireInstance};
use crate::config::ZoomConfig;

/// A call that lists, and the field of its answers that holds the items.
#[derive(Clone, Copy)]
pub(super) struct Listing {
    pub(super) name: &'static str,
    items: &'static str,
}

pub(super) const USERS: Listing = Listing { name: "users.list", items: "users" };
pub(super) const MEETINGS: Listing = Listing { name: "meetings.list", items: "meetings" };
pub(super) const RECORDINGS: Listing = Listing { name: "recordings.list", items: "meetings" };
pub(super) const MEETING: &str = "meetings.get";
pub(super) const PAST_MEETING: &str = "pastMeetings.get";
pub(super) const PAST_INSTANCES: &str = "pastMeetings.instances";
pub(super) const PAST_PARTICIPANTS: &str = "pastMeetings.participants";
pub(super) const SESSION_RECORDINGS: &str = "recordings.get";

/// The code of an id that nothing can be asked by.
const ODD_ID: &str = "odd_id";
/// More people than any meeting has.
const MOST_PAGES_OF_PARTICIPANTS: usize = 200;
/// Zoom takes no more.
const PEOPLE_PER_PAGE: &str = "300";

/// What a call is asked; what is `None` is left out.
pub(super) type Parameters<'a> = &'a [(&'static str, Option<&'a str>)];

/// Zoom's calls, on behalf of one connection.
#[derive(Clone, Copy)]
pub(super) struct Api<'a> {
    pub(super) config: &'a ZoomConfig,
    pub(super) session: &'a Session,
}

/// A page of a listing.
pub(super) struct Listed {
    pub(super) items: Vec<Raw>,
    /// The token of the next page. It lives for 15 minutes.
    pub(super) next: Option<String>,
}

impl Api<'_> {
    /// A page of a listing. A page that Zoom does not know any more is a position that is lost.
    pub(super) async fn list(
        &self,
        listing: Listing,
        path: &[&str],
        parameters: Parameters<'_>,
        token: Option<&str>,
    ) -> Result<Listed> {
        let mut url = self.url(path, parameters)?;
        if let Some(token) = token {
            url.query_pairs_mut().append_pair("next_page_token", token);
        }
        let answer = self.session.send(Request::get(listing.name, url)).await.map_err(|error| {
            let refused = error.status() == Some(400) && error.kind() == ErrorKind::InvalidRequest;
            if refused && token.is_some() { page_lost(listing.name) } else { error }
        })?;
        let Some((page, items)) = json::cut_items::<Page>(&answer.body, listing.items) else {
            return Err(Page::unreadable(&answer.body, listing.name));
        };
        let next = page.next_page_token.filter(|next| !next.is_empty());
        if next.is_some() && next.as_deref() == token {
            return Err(endless(listing.name));
        }
        Ok(Listed { items: items.iter().map(without_secrets).collect(), next })
    }

    /// One thing, without what is secret of it.
    pub(super) async fn get(
        &self,
        operation: &'static str,
        path: &[&str],
        parameters: Parameters<'_>,
    ) -> Result<Raw> {
        let answer = self.session.send(Request::get(operation, self.url(path, parameters)?)).await?;
        json::decode::<Object>(&answer.body, operation)?;
        Ok(without_secrets(&Raw::new(answer.body)))
    }

    /// The sessions of a meeting.
    pub(super) async fn instances(&self, meeting: &str) -> Result<Vec<WireInstance>> {
        let url = self.url(&["past_meetings", meeting, "instances"], &[])?;
        let answer = self.session.send(Request::get(PAST_INSTANCES, url)).await?;
        json::decode::<Instances>(&answer.body, PAST_INSTANCES).map(|instances| instances.meetings)
    }

    /// Who was at a session, as Zoom sent each of them.
    pub(super) async fn participants(&self, uuid: &str) -> Result<Vec<String>> {
        let (mut people, mut token) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES_OF_PARTICIPANTS {
            let parameters = [("page_size", Some(PEOPLE_PER_PAGE)), ("next_page_token", token.as_deref())];
            let url = self.url(&["past_meetings", &session(uuid), "participants"], &parameters)?;
            let answer = self.session.send(Request::get(PAST_PARTICIPANTS, url)).await?;
            let page: Participants = json::decode(&answer.body, PAST_PARTICIPANTS)?;
            people.extend(page.participants.iter().map(|person| person.get().to_owned()));
            let next = page.next_page_token.filter(|next| !next.is_empty());
            if next.is_none() {
                return Ok(people);
            }
            if next == token {
                break;
            }
            token = next;
        }
        Err(endless(PAST_PARTICIPANTS))
    }

    fn url(&self, path: &[&str], parameters: Parameters<'_>) -> Result<Url> {
        let mut url = self.config.api_url.clone();
        if url.cannot_be_a_base() {
            return Err(Error::new(ErrorKind::Configuration, "the base address for Zoom takes no path"));
        }
        // No id may name another path.
        if path.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            return Err(
                Error::new(ErrorKind::InvalidRequest, "an id that no path can hold").with_code(ODD_ID)
            );
        }
        let path: Vec<_> = path.iter().map(|segment| encoded(segment)).collect();
        url.set_path(&format!("{}/{}", url.path().trim_end_matches('/'), path.join("/")));
        if parameters.iter().any(|(_, value)| value.is_some()) {
            let mut query = url.query_pairs_mut();
            for (name, value) in parameters {
                if let Some(value) = value {
                    query.append_pair(name, value);
                }
            }
        }
        Ok(url)
    }
}

/// Anything with fields.
#[derive(Deserialize)]
struct Object {}

fn encoded(segment: &str) -> String {
    form_urlencoded::byte_serialize(segment.as_bytes()).collect()
}

/// The id of a session as a segment of a path: Zoom asks for those that begin with a slash, or have two in a
/// row, to be encoded twice.
pub(super) fn session(uuid: &str) -> Cow<'_, str> {
    if uuid.starts_with('/') || uuid.contains("//") {
        return encoded(uuid).into();
    }
    uuid.into()
}

/// A meeting that is there no more, by Zoom's own word for it: 404 with code 3001. No other 404 is a proof.
pub(super) fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound && error.provider_code() == Some("3001")
}

/// One thing that Zoom does not give, while it gives others. A scope that is missing is missing for all.
pub(super) fn is_refused(error: &Error) -> bool {
    let kinds =
        [ErrorKind::InsufficientPermissions, ErrorKind::UnsupportedOperation, ErrorKind::InvalidRequest];
    let statuses = [Some(400), Some(403)];
    let refused = kinds.contains(&error.kind()) && statuses.contains(&error.status());
    (refused && !is_scope_missing(error)) || error.provider_code() == Some(ODD_ID)
}

pub(super) fn is_scope_missing(error: &Error) -> bool {
    matches!(error.provider_code(), Some("4711" | "missing_scope"))
}

fn page_lost(operation: &'static str) -> Error {
    Error::new(ErrorKind::CursorExpired, "Zoom does not take the page token any more")
        .with_operation(operation)
}

fn endless(operation: &'static str) -> Error {
    Error::new(ErrorKind::DataFormat, "the listing has no end").with_operation(operation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{FREE, LIMITS};

    #[test]
    fn an_odd_session_is_encoded_twice_and_another_once() {
        for (uuid, segment) in [
            ("aDYlohsHRtCd4ii1uC2+hA==", "aDYlohsHRtCd4ii1uC2%2BhA%3D%3D"),
            ("aDY/ohsHRtCd4ii1uC2+hA==", "aDY%2FohsHRtCd4ii1uC2%2BhA%3D%3D"),
            ("/ajXp112QmuoKj4854875==", "%252FajXp112QmuoKj4854875%253D%253D"),
            ("ajX//p112QmuoKj4854875==", "ajX%252F%252Fp112QmuoKj4854875%253D%253D"),
            ("../../users", "..%2F..%2Fusers"),
        ] {
            assert_eq!(encoded(&session(uuid)), segment);
        }
    }

    #[test]
    fn every_call_is_counted() {
        let calls = [
            USERS.name,
            MEETINGS.name,
            RECORDINGS.name,
            MEETING,
            PAST_MEETING,
            PAST_INSTANCES,
            PAST_PARTICIPANTS,
            SESSION_RECORDINGS,
            "users.me",
        ];
        for limits in [LIMITS, FREE] {
            for call in calls {
                let cost = limits.costs.iter().find(|cost| cost.operation == call);
                assert!(cost.is_some_and(|cost| cost.class.is_some()), "{call}");
            }
        }
    }
}
