//! Which objects stand in a connection, and how does it go on?

use serde_json::Value;

use super::run::{Arguments, Failure, Node, Run};
use crate::github::issue::Issue;
use crate::github::json::parse_time;
use crate::github::layer::{By, Key, Order};
use crate::github::paging::{cursor, place};
use crate::github::repository::Repository;
use crate::github::user::UserKey;

/// A connection takes so many things at a time, at most.
const MOST: u64 = 100;

/// A page of a connection.
pub(super) struct Listed<'h> {
    /// Each with its cursor.
    pub(super) items: Vec<(String, Node<'h>)>,
    pub(super) total: usize,
    pub(super) more_before: bool,
    pub(super) more_behind: bool,
}

/// Where a page begins or ends, and how much it may hold.
struct Page {
    size: usize,
    /// Whether it is the last part of what there is.
    from_end: bool,
    after: Option<Key>,
    before: Option<Key>,
}

impl Page {
    fn of(connection: &str, arguments: &Arguments) -> Result<Self, Failure> {
        let number = |name: &str| arguments.get(name).filter(|value| !value.is_null());
        let (given, from_end) = match (number("first"), number("last")) {
            (Some(first), None) => (first, false),
            (None, Some(last)) => (last, true),
            (Some(_), Some(_)) => {
                let text = format!(
                    "Passing both `first` and `last` to paginate the `{connection}` connection is not supported."
                );
                return Err(Failure::new("INVALID_PAGINATION_BOUNDARIES", text));
            }
            (None, None) => {
                let text = format!(
                    "You must provide a `first` or `last` value to properly paginate the `{connection}` connection."
                );
                return Err(Failure::new("MISSING_PAGINATION_BOUNDARIES", text));
            }
        };
        let size = given.as_u64().unwrap_or(0);
        if size > MOST {
            let which = if from_end { "last" } else { "first" };
            let text = format!(
                "Requesting {size} records on the `{connection}` connection exceeds the `{which}` limit of {MOST} records."
            );
            return Err(Failure::new("EXCESSIVE_PAGINATION", text));
        }
        let named = |name: &str| match arguments.get(name).and_then(Value::as_str) {
            None => Ok(None),
            Some(text) => place(text).map(Some).ok_or_else(|| {
                Failure::new(
                    "INVALID_CURSOR_ARGUMENTS",
                    format!("`{text}` does not appear to be a valid cursor."),
                )
            }),
        };
        let size = usize::try_from(size).unwrap_or(0);
        Ok(Self { size, from_end, after: named("after")?, before: named("before")? })
    }

    /// The page of what stands in an order; `total` counts all of it.
    fn serve<'h>(
        &self,
        order: Order,
        keys: impl Iterator<Item = Key>,
        total: usize,
        node: impl Fn(Key) -> Option<Node<'h>>,
    ) -> Listed<'h> {
        let mut within: Vec<Key> = Vec::new();
        let (mut more_before, mut more_behind) = (self.after.is_some(), false);
        for key in keys {
            if self.before.is_some_and(|before| key == before || order.is_behind(key, before)) {
                more_behind = true;
                break;
            }
            if !self.from_end && within.len() == self.size {
                more_behind = true;
                break;
            }
            within.push(key);
        }
        if self.from_end && within.len() > self.size {
            within.drain(..within.len() - self.size);
            more_before = true;
        }
        let items = within.into_iter().filter_map(|key| Some((cursor(key), node(key)?))).collect();
        Listed { items, total, more_before, more_behind }
    }

    /// The page of what is numbered as it stands.
    fn numbered<'h>(&self, nodes: &[Node<'h>]) -> Listed<'h> {
        let order = Order { by: By::Created, descending: false };
        let total = nodes.len();
        let keys = (0..).take(total).map(|id| Key { at: 0, id });
        let behind = keys.filter(|&key| self.after.is_none_or(|after| order.is_behind(key, after)));
        self.serve(order, behind, total, |key| nodes.get(usize::try_from(key.id).ok()?).cloned())
    }
}

fn words<'v>(arguments: &'v Arguments, name: &str) -> Option<Vec<&'v str>> {
    match arguments.get(name) {
        Some(Value::Array(words)) => Some(words.iter().filter_map(Value::as_str).collect()),
        Some(Value::String(word)) => Some(vec![word]),
        _ => None,
    }
}

/// In which order a connection goes: as it came, unless the query says otherwise.
fn order(arguments: &Arguments) -> Result<Order, Failure> {
    let Some(given) = arguments.get("orderBy").filter(|given| !given.is_null()) else {
        return Ok(Order { by: By::Created, descending: false });
    };
    let wrong = |what: &Value| {
        Failure::new("argumentLiteralsIncompatible", format!("unsupported by the fake: orderBy {what}"))
    };
    let by = match given["field"].as_str() {
        Some("CREATED_AT") => By::Created,
        Some("UPDATED_AT") => By::Updated,
        Some("COMMENTS") => By::Comments,
        _ => return Err(wrong(given)),
    };
    match given["direction"].as_str() {
        Some("ASC") => Ok(Order { by, descending: false }),
        Some("DESC") => Ok(Order { by, descending: true }),
        _ => Err(wrong(given)),
    }
}

/// What a connection of issues leaves out.
struct Filter {
    pulls: bool,
    states: Option<Vec<String>>,
    /// Any of these.
    labels: Option<Vec<u64>>,
    since: Option<i64>,
    /// Empty where nobody has the login that is asked for.
    assignee: Option<Vec<UserKey>>,
    head: Option<String>,
    base: Option<String>,
}

impl<'a> Run<'a> {
    fn filter(&self, repository: &Repository, pulls: bool, arguments: &Arguments) -> Result<Filter, Failure> {
        let allowed: &[&str] = if pulls { &["OPEN", "CLOSED", "MERGED"] } else { &["OPEN", "CLOSED"] };
        let none = Value::Null;
        let by = arguments.get("filterBy").unwrap_or(&none);
        for (name, _) in by.as_object().into_iter().flatten() {
            if !["since", "states", "labels", "assignee"].contains(&name.as_str()) {
                return Err(Failure::new("UNSUPPORTED", format!("unsupported by the fake: filterBy {name}")));
            }
        }
        let within: Arguments = by.as_object().cloned().unwrap_or_default();
        let states = words(arguments, "states").or_else(|| words(&within, "states"));
        if let Some(wrong) = states.iter().flatten().find(|state| !allowed.contains(state)) {
            return Err(Failure::new(
                "argumentLiteralsIncompatible",
                format!("unsupported by the fake: state {wrong}"),
            ));
        }
        let labels = words(arguments, "labels").or_else(|| words(&within, "labels"));
        let label = |name: &&str| repository.label_named(name).map(|label| label.id);
        let text = |name: &str| arguments.get(name).and_then(Value::as_str).map(str::to_owned);
        let since = match by["since"].as_str() {
            None => None,
            Some(text) => Some(parse_time(text).ok_or_else(|| {
                Failure::new("argumentLiteralsIncompatible", format!("{text:?} is no DateTime"))
            })?),
        };
        Ok(Filter {
            pulls,
            states: states.map(|states| states.into_iter().map(str::to_owned).collect()),
            labels: labels.map(|labels| labels.iter().filter_map(label).collect()),
            since,
            assignee: by["assignee"]
                .as_str()
                .map(|login| self.view.hub.roster.find(login).into_iter().collect()),
            head: text("headRefName"),
            base: text("baseRefName"),
        })
    }

    pub(super) fn connection(
        &self,
        node: &Node<'a>,
        name: &str,
        arguments: &Arguments,
    ) -> Result<Listed<'a>, Failure> {
        let page = Page::of(name, arguments)?;
        match (node, name) {
            (Node::Repository(repository), "issues" | "pullRequests") => {
                self.issues(repository, name == "pullRequests", &page, arguments)
            }
            (Node::Issue(repository, issue), _) => Ok(self.of_issue(repository, issue, name, &page)),
            _ => Err(Failure::new("UNSUPPORTED", format!("unsupported by the fake: {name}"))),
        }
    }

    fn issues(
        &self,
        repository: &'a Repository,
        pulls: bool,
        page: &Page,
        arguments: &Arguments,
    ) -> Result<Listed<'a>, Failure> {
        let needed = if pulls { ["pull_requests"] } else { ["issues"] };
        if self.caller.is_permitted(self.view.hub, repository, &needed).is_err() {
            return Err(Failure::new("FORBIDDEN", "Resource not accessible by integration"));
        }
        let (order, tracker) = (order(arguments)?, &repository.tracker);
        let filter = self.filter(repository, pulls, arguments)?;
        let shown = |key: &Key| shows(repository, &filter, key.id);
        // Text of the test is no object, so here it is not.
        let total = tracker.issues(order, None).filter(shown).count();
        let keys = tracker.issues(order, page.after).filter(shown);
        Ok(page.serve(order, keys, total, |key| {
            tracker.issue(key.id).map(|issue| Node::Issue(repository, Box::new(issue.into_owned())))
        }))
    }

    fn of_issue(&self, repository: &'a Repository, issue: &Issue, name: &str, page: &Page) -> Listed<'a> {
        let tracker = &repository.tracker;
        let people = |keys: &[UserKey], node: fn(UserKey) -> Node<'a>| {
            let there = keys.iter().filter(|key| !self.view.hub.roster.get(**key).gone);
            there.map(|&key| node(key)).collect::<Vec<_>>()
        };
        let nodes = match name {
            "assignees" => people(&issue.assignees, Node::User),
            "labels" => {
                let labels = issue.labels.iter().filter_map(|&id| repository.label(id));
                labels.map(|label| Node::Label(repository, label)).collect()
            }
            "comments" => {
                let comments = tracker.comments_of(issue.number).filter_map(|id| tracker.comment_owned(id));
                comments.map(|comment| Node::Comment(repository, Box::new(comment))).collect()
            }
            "reviews" => tracker
                .reviews_of(issue.number)
                .map(|review| Node::Review(repository, Box::new(review)))
                .collect(),
            "commits" => {
                let heads = issue.pull.iter().map(|pull| pull.head.sha.clone());
                heads.map(|sha| Node::PullCommit(repository, sha)).collect()
            }
            _ => people(issue.pull.as_ref().map_or(&[], |pull| &pull.reviewers), Node::ReviewRequest),
        };
        page.numbered(&nodes)
    }
}

/// GraphQL's name of an issue's state.
pub(super) fn state(issue: &Issue) -> &'static str {
    match (&issue.closed, &issue.pull) {
        (None, _) => "OPEN",
        (Some(_), Some(pull)) if pull.merged.is_some() => "MERGED",
        (Some(_), _) => "CLOSED",
    }
}

fn shows(repository: &Repository, filter: &Filter, number: u64) -> bool {
    let Some(gist) = repository.tracker.gist(number).filter(|gist| gist.pull == filter.pulls) else {
        return false;
    };
    if filter.since.is_some_and(|since| gist.updated < since) {
        return false;
    }
    let given = filter.labels.is_some() || filter.assignee.is_some();
    if !given && filter.states.is_none() && filter.head.is_none() && filter.base.is_none() {
        return true;
    }
    let Some(issue) = repository.tracker.issue(number) else { return false };
    let is = |wanted: &Option<String>, branch: Option<&str>| {
        wanted.as_ref().is_none_or(|wanted| branch == Some(wanted))
    };
    let pull = issue.pull.as_deref();
    filter.states.as_ref().is_none_or(|states| states.iter().any(|wanted| wanted == state(&issue)))
        && filter.labels.as_ref().is_none_or(|labels| labels.iter().any(|label| issue.labels.contains(label)))
        && filter
            .assignee
            .as_ref()
            .is_none_or(|wanted| wanted.iter().any(|key| issue.assignees.contains(key)))
        && is(&filter.head, pull.map(|pull| pull.head.name.as_str()))
        && is(&filter.base, pull.map(|pull| pull.base.name.as_str()))
}
