//! What does a list not say of a pull request?
//!
//! Its branches, its reviews, what its checks say, and whom it waits for. REST has them in four calls for each
//! pull request; GraphQL is asked for all those of a page at once.
//!
//! What GraphQL does not give is done without: the pull request is then what the list says of it. What passes by
//! itself, such as a limit, is no reason for that; the page is read again later.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use http::Method;
use integrations_core::http::{Failure, Request, Response};
use integrations_core::{Error, ErrorKind, Result, json};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::api::Api;
use super::{PULL, REVIEW};
use crate::classify;
use crate::limits::{PULLS_PER_QUERY, REVIEWS_PER_QUERY};

const PULLS: &str = "graphql.pulls";
const REVIEWS: &str = "graphql.reviews";
/// What is asked of a part of a pull request's reviews.
const SOME: &str = "nodes { ...review } pageInfo { hasNextPage endCursor }";

/// What GraphQL knows of a pull request.
#[derive(Debug)]
pub(super) struct Details {
    /// Without its reviews.
    pub(super) pull: Box<RawValue>,
    pub(super) reviews: Reviews,
}

/// Some of a pull request's reviews.
#[derive(Debug, Default)]
pub(super) struct Reviews {
    pub(super) items: Vec<Box<RawValue>>,
    /// Where the next ones stand.
    pub(super) next: Option<String>,
}

/// A repository by the name that it has now, and by its number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Repository<'a> {
    pub(super) id: &'a str,
    pub(super) owner: &'a str,
    pub(super) name: &'a str,
}

impl<'a> Repository<'a> {
    /// By its address in the API, which ends in `/repos/OWNER/NAME`.
    pub(super) fn of(id: &'a str, address: &'a str) -> Option<Self> {
        let (_, full_name) = address.rsplit_once("/repos/")?;
        let (owner, name) = full_name.split_once('/')?;
        let is_name = |name: &str| !name.is_empty() && !name.contains(['/', '?', '#']);
        (is_name(owner) && is_name(name)).then_some(Self { id, owner, name })
    }
}

/// What is known of pull requests, by number. One that is missing is one of which GraphQL says nothing.
pub(super) async fn of_pulls(
    api: Api<'_>,
    repository: Repository<'_>,
    numbers: &[u64],
) -> Result<BTreeMap<u64, Details>> {
    let mut all = BTreeMap::new();
    // The parts that are still to be asked for, the next one last.
    let mut parts: Vec<&[u64]> = numbers.chunks(PULLS_PER_QUERY).rev().collect();
    while let Some(part) = parts.pop() {
        match some_pulls(api, repository, part).await {
            Ok(known) => all.extend(known),
            // GitHub gives up on a query after ten seconds. If one pull request is too much, it is done without.
            Err(error) if error.kind() == ErrorKind::Timeout || matches!(error.status(), Some(502 | 504)) => {
                let (first, second) = part.split_at(part.len() / 2);
                if !first.is_empty() {
                    parts.extend([second, first]);
                }
            }
            Err(error) if is_final(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// Whether asking again would be answered in the same way: a server without GraphQL, or without these fields; a
/// token that GraphQL does not take.
fn is_final(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InsufficientPermissions
            | ErrorKind::NotFound
            | ErrorKind::UnsupportedOperation
            | ErrorKind::InvalidRequest
    )
}

async fn some_pulls(
    api: Api<'_>,
    repository: Repository<'_>,
    numbers: &[u64],
) -> Result<Vec<(u64, Details)>> {
    let mut fields = String::new();
    for number in numbers {
        // Writing to a string does not fail.
        let _ = write!(
            fields,
            " p{number}: pullRequest(number: {number}) {{ {PULL} reviews(first: {REVIEWS_PER_QUERY}) {{ {SOME} }} }}",
        );
    }
    let Some(mut known) = ask(api, PULLS, repository, &fields, None).await? else { return Ok(Vec::new()) };
    let mut details = Vec::with_capacity(numbers.len());
    for &number in numbers {
        let node = known.remove(&format!("p{number}"));
        if let Some(one) = node.and_then(|node| apart(&node)) {
            details.push((number, one));
        }
    }
    Ok(details)
}

/// Takes the reviews out of a pull request.
fn apart(node: &RawValue) -> Option<Details> {
    let mut fields: BTreeMap<&str, &RawValue> = serde_json::from_str(node.get()).ok()?;
    let reviews = fields.remove("reviews");
    let reviews = reviews.and_then(|reviews| serde_json::from_str(reviews.get()).ok());
    let reviews = reviews.map_or_else(Reviews::default, Connection::into_reviews);
    Some(Details { pull: serde_json::value::to_raw_value(&fields).ok()?, reviews })
}

/// The next reviews of a pull request.
pub(super) async fn more_reviews(
    api: Api<'_>,
    repository: Repository<'_>,
    number: u64,
    after: &str,
) -> Result<Reviews> {
    #[derive(Deserialize)]
    struct Pull {
        reviews: Connection,
    }
    let field =
        format!("p: pullRequest(number: {number}) {{ reviews(first: 100, after: $after) {{ {SOME} }} }}");
    let known = match ask(api, REVIEWS, repository, &field, Some(after)).await {
        Err(error) if is_final(&error) => None,
        outcome => outcome?,
    };
    let node = known.and_then(|mut known| known.remove("p"));
    let pull: Option<Pull> = node.and_then(|node| serde_json::from_str(node.get()).ok());
    Ok(pull.map_or_else(Reviews::default, |pull| pull.reviews.into_reviews()))
}

/// A part of a connection, as it is asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    #[serde(default)]
    nodes: Vec<Box<RawValue>>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

impl Connection {
    fn into_reviews(self) -> Reviews {
        let next = self.page_info.end_cursor.filter(|_| self.page_info.has_next_page);
        // A node that the token does not reach is null.
        let items = self.nodes.into_iter().filter(|node| node.get() != "null").collect();
        Reviews { items, next }
    }
}

/// The fields of a repository that are there; `None` where by that name there is another one.
async fn ask(
    api: Api<'_>,
    operation: &'static str,
    repository: Repository<'_>,
    fields: &str,
    after: Option<&str>,
) -> Result<Option<BTreeMap<String, Box<RawValue>>>> {
    let declared = if after.is_some() { ", $after: String" } else { "" };
    let query = format!(
        "query($owner: String!, $name: String!{declared}) {{ repository(owner: $owner, name: $name) {{ databaseId \
         {fields} }} }} fragment review on PullRequestReview {{ {REVIEW} }}"
    );
    let Repository { id, owner, name } = repository;
    let mut variables = serde_json::json!({ "owner": owner, "name": name });
    if let Some(after) = after {
        variables["after"] = after.into();
    }
    let body = serde_json::json!({ "query": query, "variables": variables }).to_string();
    let request = Request::new(operation, Method::POST, api.config.graphql_url.clone())
        // It reads.
        .with_idempotent(true)
        .with_judge(judge)
        .body("application/json", body);
    let answer = api.session.send(request).await?;
    let answer: Answer = json::decode(&answer.body, operation)?;
    let Some(known) = answer.data.and_then(|data| data.repository) else { return Ok(None) };
    let is_it = known.get("databaseId").is_some_and(|known| known.get() == id);
    Ok(is_it.then(|| known.into_iter().filter(|(_, node)| node.get() != "null").collect()))
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    repository: Option<BTreeMap<String, Box<RawValue>>>,
}

/// An answer with a part of what was asked for is a success: what is missing is null.
fn judge(operation: &'static str, answer: &Response) -> Result<()> {
    if !answer.status.is_success() {
        return Err(classify::error(&Failure::of(operation, answer)));
    }
    let has_part = serde_json::from_slice::<Answer>(&answer.body)
        .is_ok_and(|answer| answer.data.is_some_and(|data| data.repository.is_some()));
    if has_part { Ok(()) } else { classify::in_graphql_success(operation, answer) }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    #[test]
    fn a_repository_is_known_by_the_end_of_its_address() {
        for (address, expected) in [
            ("https://api.github.com/repos/octo-org/hello", Some(("octo-org", "hello"))),
            ("https://ghe.example/api/v3/repos/a/repos", Some(("a", "repos"))),
            ("https://api.github.com/repos/a", None),
            ("https://api.github.com/repos/a/", None),
            ("https://api.github.com/repos/a/b/c", None),
            ("https://api.github.com/repositories/7", None),
            ("", None),
        ] {
            let found = Repository::of("7", address).map(|found| (found.owner, found.name));
            assert_eq!(found, expected, "{address}");
        }
    }

    #[test]
    fn a_part_is_a_success_and_nothing_is_none() {
        let kind = |status: u16, body: &'static str| {
            let answer = Response::new(StatusCode::from_u16(status).unwrap(), HeaderMap::new(), body);
            judge(PULLS, &answer).err().map(|error| error.kind())
        };
        let partly = r#"{"data":{"repository":{"databaseId":7,"p1":null}},"errors":[{"type":"NOT_FOUND","path":["repository","p1"]}]}"#;
        assert_eq!(kind(200, partly), None);
        for (body, expected) in [
            (r#"{"data":{"repository":null},"errors":[{"type":"NOT_FOUND"}]}"#, ErrorKind::NotFound),
            (r#"{"errors":[{"type":"RATE_LIMITED"}]}"#, ErrorKind::RateLimited),
            (
                r#"{"data":null,"errors":[{"message":"Something went wrong while executing your query."}]}"#,
                ErrorKind::Timeout,
            ),
            (
                r#"{"errors":[{"message":"Field 'x' doesn't exist on type 'PullRequest'","extensions":{"code":"undefinedField"}}]}"#,
                ErrorKind::InvalidRequest,
            ),
            ("<html>", ErrorKind::DataFormat),
        ] {
            assert_eq!(kind(200, body), Some(expected), "{body}");
        }
        assert_eq!(kind(502, r#"{"message":"Server Error"}"#), Some(ErrorKind::Timeout));
    }

    #[test]
    fn reviews_stand_apart() {
        let node = r#"{"number":1,"reviews":{"nodes":[{"a":1},null],"pageInfo":{"hasNextPage":true,"endCursor":"c"}},"isDraft":true}"#;
        let details = apart(&RawValue::from_string(node.to_owned()).unwrap()).unwrap();
        assert_eq!(details.pull.get(), r#"{"isDraft":true,"number":1}"#);
        assert_eq!(details.reviews.items.len(), 1);
        assert_eq!(details.reviews.next.as_deref(), Some("c"));
    }
}
