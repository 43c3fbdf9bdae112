//! How is GitHub asked, and how does a listing go on?

use http::header::{ACCEPT, ETAG, IF_NONE_MATCH, LINK};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use integrations_core::http::{CacheMode, Request, Response, Session, join};
use integrations_core::model::Raw;
use integrations_core::{Error, ErrorKind, Result, json};
use serde::de::IgnoredAny;
use url::Url;

use crate::config::GitHubConfig;

const JSON: HeaderValue = HeaderValue::from_static("application/vnd.github+json");
const VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-github-api-version"), HeaderValue::from_static("2022-11-28"));

/// GitHub's API, on behalf of one connection.
#[derive(Clone, Copy)]
pub(super) struct Api<'a> {
    pub(super) config: &'a GitHubConfig,
    pub(super) session: &'a Session,
}

impl Api<'_> {
    /// An address of the API.
    pub(super) fn url(&self, path: &[&str]) -> Result<Url> {
        join(&self.config.api_url, path)
    }

    /// An address of a repository's, by its number: that stays when it is renamed or moved, and needs no
    /// redirect to be followed.
    pub(super) fn of_repository(&self, id: &str, path: &[&str]) -> Result<Url> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::new(ErrorKind::NotFound, "there is no such stream"));
        }
        let mut whole = vec!["repositories", id];
        whole.extend_from_slice(path);
        self.url(&whole)
    }

    /// Whether an address that an answer names is one of the API's.
    pub(super) fn is_ours(&self, url: &Url) -> bool {
        url.origin() == self.config.api_url.origin()
    }

    /// Asks; with an entity tag, only for what is another by now.
    pub(super) async fn get(
        &self,
        operation: &'static str,
        url: Url,
        etag: Option<&str>,
    ) -> Result<Response> {
        self.get_with(operation, url, etag, None).await
    }

    /// The same with another header beside.
    pub(super) async fn get_with(
        &self,
        operation: &'static str,
        url: Url,
        etag: Option<&str>,
        header: Option<(HeaderName, HeaderValue)>,
    ) -> Result<Response> {
        let mut request = request(operation, url);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        // A tag that fits no header was none.
        if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
            request = request.header(IF_NONE_MATCH, etag);
        }
        self.session.send(request).await
    }

    /// Asks for what the gateway keeps, which costs nothing while it is the same.
    pub(super) async fn get_kept(&self, operation: &'static str, url: Url) -> Result<Response> {
        self.session.send(request(operation, url).with_cache(CacheMode::Revalidate)).await
    }
}

fn request(operation: &'static str, url: Url) -> Request {
    Request::get(operation, url).header(ACCEPT, JSON).header(VERSION.0, VERSION.1)
}

/// Whether an answer says that what is known still holds.
pub(super) fn is_unchanged(answer: &Response) -> bool {
    answer.status == StatusCode::NOT_MODIFIED
}

pub(super) fn etag(answer: &Response) -> Option<String> {
    header(&answer.headers, &ETAG)
}

pub(super) fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// The items of a page that is nothing but their array.
pub(super) fn items(answer: &Response, operation: &'static str) -> Result<Vec<Raw>> {
    json::cut_array(&answer.body).ok_or_else(|| json::unreadable::<Vec<IgnoredAny>>(&answer.body, operation))
}

/// The next page's address (RFC 8288).
pub(super) fn next_page(headers: &HeaderMap) -> Option<Url> {
    let links = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    // An address may have a comma in it, but no angle bracket.
    let mut each = links.flat_map(|value| value.split('<').skip(1)).filter_map(|link| link.split_once('>'));
    each.find(|(_, parameters)| is_next(parameters)).and_then(|(address, _)| Url::parse(address).ok())
}

fn is_next(parameters: &str) -> bool {
    parameters.split(';').any(|parameter| {
        let Some((name, value)) = parameter.split_once('=') else { return false };
        let value = value.trim().trim_end_matches(',').trim_end().trim_matches('"');
        name.trim().eq_ignore_ascii_case("rel")
            && value.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(links: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for link in links {
            headers.append(LINK, HeaderValue::from_str(link).unwrap());
        }
        next_page(&headers).map(String::from)
    }

    #[test]
    fn the_next_page_is_found_among_the_links() {
        let url = "https://api.github.com/repositories/1/issues?labels=a,b&page=2";
        for links in [
            &[&*format!("<{url}>; rel=\"next\", <https://x/last>; rel=\"last\"")] as &[&str],
            &[&format!("<https://x/prev>; rel=\"prev\", <{url}>; rel=\"next\"")],
            &[&format!("<https://x/prev>; rel=\"prev\",<{url}>;title=\"a=b\";rel=next")],
            &["<https://x/prev>; rel=prev", &format!("<{url}>; REL=\"alternate Next\"")],
        ] {
            assert_eq!(next(links).as_deref(), Some(url), "{links:?}");
        }
        for links in [
            &[] as &[&str],
            &["<https://x/last>; rel=\"last\""],
            &["<https://x/1>; rel=\"nextish\""],
            &["<next>; rel=\"next\""],
            &["https://x/1; rel=\"next\""],
        ] {
            assert_eq!(next(links), None, "{links:?}");
        }
    }
}
