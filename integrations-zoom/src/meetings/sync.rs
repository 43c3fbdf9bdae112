//! Which streams are there, and how is a page of one read?
//!
//! A user's connection has the user's own two streams. Where the app may read the whole account, each of its
//! active users has two.

use integrations_core::adapter::{Page, Pull, Stream};
use integrations_core::connection::StreamId;
use integrations_core::http::Session;
use integrations_core::model::Zone;
use integrations_core::{Error, ErrorKind, Result};

use super::api::{Api, Listed, USERS};
use super::wire::{WireUser, filled};
use super::{MEETINGS, PAST_MEETINGS, past, planned};
use crate::config::ZoomConfig;
use crate::limits::ROWS_PER_PAGE;

/// The user that the token is of.
const ME: &str = "me";
/// Zoom's largest accounts have fewer users.
const MOST_PAGES_OF_USERS: usize = 10_000;

/// Whether a stream is one of meetings that were held.
pub(super) fn is_past(stream: &StreamId) -> bool {
    stream.as_str().rsplit('/').next() == Some(PAST_MEETINGS)
}

/// The streams of the user, or of every user of the account.
pub(super) async fn list_streams(config: &ZoomConfig, session: &Session) -> Result<Vec<Stream>> {
    if !config.whole_account {
        let mut meetings = Stream::new(MEETINGS, "Meetings");
        meetings.primary = true;
        return Ok(vec![meetings, Stream::new(PAST_MEETINGS, "Past meetings")]);
    }
    let api = Api { config, session };
    let (mut streams, mut token) = (Vec::new(), None::<String>);
    for _ in 0..MOST_PAGES_OF_USERS {
        let page = users(api, ROWS_PER_PAGE.1, token.as_deref()).await?;
        // One that cannot be read has no streams.
        let users = page.items.iter().filter_map(|user| serde_json::from_slice(user.as_bytes()).ok());
        streams.extend(users.flat_map(of_user));
        match page.next {
            Some(next) => token = Some(next),
            None => return Ok(streams),
        }
    }
    Err(Error::new(ErrorKind::DataFormat, "the list of users has no end").with_operation(USERS.name))
}

async fn users(api: Api<'_>, size: u32, token: Option<&str>) -> Result<Listed> {
    let size = size.to_string();
    let parameters = [("status", Some("active")), ("page_size", Some(&*size))];
    api.list(USERS, &["users"], &parameters, token).await
}

fn of_user(user: WireUser) -> [Stream; 2] {
    let parts = [filled(user.first_name), filled(user.last_name)].into_iter().flatten();
    let full = filled(Some(parts.collect::<Vec<_>>().join(" ")));
    let name = filled(user.display_name).or(full).or(filled(user.email)).unwrap_or_else(|| user.id.clone());
    let zone = user.timezone.as_deref().and_then(|zone| Zone::from_name(zone).iana());
    let stream = |which: &str, title: &str| {
        let mut stream = Stream::new(format!("{}/{which}", user.id), format!("{name}: {title}"));
        stream.time_zone = zone;
        stream
    };
    [stream(MEETINGS, "meetings"), stream(PAST_MEETINGS, "past meetings")]
}

/// One page of a stream.
pub(super) async fn read(config: &ZoomConfig, session: &Session, pull: Pull<'_>) -> Result<Page> {
    let api = Api { config, session };
    let (user, which) = pull.stream.as_str().rsplit_once('/').unwrap_or((ME, pull.stream.as_str()));
    match which {
        MEETINGS => planned::read(api, user, pull).await,
        PAST_MEETINGS => past::read(api, user, pull).await,
        _ => Err(Error::new(ErrorKind::NotFound, "Zoom has no such stream")),
    }
}

/// One cheap call.
pub(super) async fn check(config: &ZoomConfig, session: &Session) -> Result<()> {
    users(Api { config, session }, ROWS_PER_PAGE.0, None).await.map(drop)
}
