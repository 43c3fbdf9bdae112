//! How is a page of a listing asked for?

use integrations_core::http::{Judge, Request, Response, Session, join};
use integrations_core::model::Raw;
use integrations_core::{Error, ErrorKind, Result, json};

use super::wire::Page;
use crate::config::SlackConfig;

/// A method that lists, and the field of its answers that holds the items.
#[derive(Clone, Copy)]
pub(super) struct Method {
    pub(super) name: &'static str,
    items: &'static str,
}

#[rustfmt::skip]
impl Method {
    pub(super) const USERS: Self         = Self { name: "users.list",            items: "members" };
    pub(super) const CONVERSATIONS: Self = Self { name: "users.conversations",   items: "channels" };
    pub(super) const HISTORY: Self       = Self { name: "conversations.history", items: "messages" };
    pub(super) const REPLIES: Self       = Self { name: "conversations.replies", items: "messages" };
}

/// What a method is asked; what is `None` is left out.
pub(super) type Parameters<'a> = &'a [(&'static str, Option<&'a str>)];

/// Slack's methods, on behalf of one connection.
#[derive(Clone, Copy)]
pub(super) struct Api<'a> {
    pub(super) config: &'a SlackConfig,
    pub(super) session: &'a Session,
}

impl Api<'_> {
    pub(super) async fn list(&self, method: Method, parameters: Parameters<'_>) -> Result<Listing> {
        Listing::read(method, &self.send(method, parameters, None).await?)
    }

    /// Makes the call. The parameters go into the address, the token never does.
    pub(super) async fn send(
        &self,
        method: Method,
        parameters: Parameters<'_>,
        judge: Option<Judge>,
    ) -> Result<Response> {
        let mut url = join(&self.config.api_url, &[method.name])?;
        {
            let mut query = url.query_pairs_mut();
            for (name, value) in parameters {
                if let Some(value) = value {
                    query.append_pair(name, value);
                }
            }
        }
        let mut request = Request::get(method.name, url);
        request.judge = judge;
        self.session.send(request).await
    }
}

/// A page of a listing.
pub(super) struct Listing {
    pub(super) items: Vec<Raw>,
    /// The cursor of the next page.
    pub(super) next: Option<String>,
    /// Whether there is more. It is said beside the cursor, and may be said without one.
    pub(super) more: bool,
}

impl Listing {
    pub(super) fn read(method: Method, answer: &Response) -> Result<Self> {
        let Some((page, items)) = json::cut_items::<Page>(&answer.body, method.items) else {
            return Err(Page::unreadable(&answer.body, method.name));
        };
        let next = page.response_metadata.and_then(|metadata| metadata.next_cursor);
        let next = next.filter(|cursor| !cursor.is_empty());
        let more = page.has_more || next.is_some();
        Ok(Self { items, next, more })
    }
}

/// An answer that contradicts itself.
pub(super) fn unreadable(message: &'static str, method: Method) -> Error {
    Error::new(ErrorKind::DataFormat, message).with_operation(method.name)
}
