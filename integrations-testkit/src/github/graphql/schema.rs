//! Which fields are there, and is a query in order?
//!
//! As much of GitHub's schema as a sync of issues and pull requests asks for. A query that asks for anything
//! else is refused before any of it is carried out, as GitHub refuses what it does not know.

use serde_json::{Map, Value, json};

use super::syntax::{Document, Field, Literal, Selection};

/// What a field leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Leaf,
    Object(&'static str),
    /// Pages of objects of this type.
    Connection(&'static str),
}

use Kind::{Connection, Leaf, Object};

type Row = (&'static str, Kind, &'static [&'static str]);

/// One type, its fields and their arguments.
type TypeRow = (&'static str, &'static [Row]);

const PAGES: &[&str] = &["first", "last", "after", "before"];
const ISSUES: &[&str] = &["first", "last", "after", "before", "orderBy", "states", "labels", "filterBy"];
const PULLS: &[&str] =
    &["first", "last", "after", "before", "orderBy", "states", "labels", "headRefName", "baseRefName"];

/// Arguments that must be given, where the field has any.
const NEEDED: &[(&str, &[&str])] =
    &[("repository", &["owner", "name"]), ("issue", &["number"]), ("pullRequest", &["number"])];

const fn leaf(name: &'static str) -> Row {
    (name, Leaf, &[])
}

const ACTOR: &[Row] = &[leaf("login"), leaf("url"), leaf("avatarUrl"), leaf("resourcePath")];
const ACCOUNT: &[Row] = &[
    leaf("login"),
    leaf("url"),
    leaf("avatarUrl"),
    leaf("resourcePath"),
    leaf("id"),
    leaf("databaseId"),
    leaf("name"),
    leaf("email"),
];

#[rustfmt::skip]
const TYPES: &[TypeRow] = &[
    ("Query", &[
        ("repository", Object("Repository"), &["owner", "name", "followRenames"]),
        ("rateLimit", Object("RateLimit"), &[]),
        ("viewer", Object("User"), &[]),
    ]),
    ("RateLimit", &[leaf("limit"), leaf("cost"), leaf("remaining"), leaf("used"), leaf("resetAt"), leaf("nodeCount")]),
    ("Repository", &[
        leaf("id"), leaf("databaseId"), leaf("name"), leaf("nameWithOwner"), leaf("url"), leaf("isPrivate"),
        leaf("isArchived"), leaf("isFork"), leaf("hasIssuesEnabled"), leaf("description"), leaf("createdAt"), leaf("updatedAt"),
        ("owner", Object("Actor"), &[]),
        ("issue", Object("Issue"), &["number"]),
        ("pullRequest", Object("PullRequest"), &["number"]),
        ("issues", Connection("Issue"), ISSUES),
        ("pullRequests", Connection("PullRequest"), PULLS),
    ]),
    ("Issue", &[
        leaf("id"), leaf("databaseId"), leaf("fullDatabaseId"), leaf("number"), leaf("title"), leaf("body"),
        leaf("bodyText"), leaf("bodyHTML"), leaf("state"), leaf("stateReason"), leaf("closed"), leaf("url"),
        leaf("locked"), leaf("activeLockReason"), leaf("authorAssociation"), leaf("createdAt"),
        leaf("updatedAt"), leaf("closedAt"),
        ("author", Object("Actor"), &[]),
        ("milestone", Object("Milestone"), &[]),
        ("repository", Object("Repository"), &[]),
        ("assignees", Connection("User"), PAGES),
        ("labels", Connection("Label"), PAGES),
        ("comments", Connection("IssueComment"), PAGES),
    ]),
    ("PullRequest", &[
        leaf("id"), leaf("databaseId"), leaf("fullDatabaseId"), leaf("number"), leaf("title"), leaf("body"),
        leaf("bodyText"), leaf("bodyHTML"), leaf("state"), leaf("closed"), leaf("url"), leaf("locked"),
        leaf("activeLockReason"), leaf("authorAssociation"), leaf("createdAt"), leaf("updatedAt"),
        leaf("closedAt"), leaf("isDraft"), leaf("merged"), leaf("mergedAt"), leaf("mergeable"),
        leaf("reviewDecision"), leaf("headRefName"), leaf("headRefOid"), leaf("baseRefName"),
        leaf("baseRefOid"), leaf("additions"), leaf("deletions"), leaf("changedFiles"), leaf("isCrossRepository"),
        ("headRepositoryOwner", Object("Actor"), &[]),
        ("author", Object("Actor"), &[]),
        ("mergedBy", Object("Actor"), &[]),
        ("milestone", Object("Milestone"), &[]),
        ("repository", Object("Repository"), &[]),
        ("statusCheckRollup", Object("StatusCheckRollup"), &[]),
        ("assignees", Connection("User"), PAGES),
        ("labels", Connection("Label"), PAGES),
        ("comments", Connection("IssueComment"), PAGES),
        ("commits", Connection("PullRequestCommit"), PAGES),
        ("reviews", Connection("PullRequestReview"), PAGES),
        ("reviewRequests", Connection("ReviewRequest"), PAGES),
    ]),
    ("Actor", ACTOR),
    ("User", ACCOUNT),
    ("Bot", ACCOUNT),
    ("Organization", ACCOUNT),
    ("Mannequin", ACCOUNT),
    // Nobody is one in this fake.
    ("Team", &[leaf("id"), leaf("databaseId"), leaf("name"), leaf("slug"), leaf("url")]),
    ("Label", &[leaf("id"), leaf("name"), leaf("color"), leaf("description"), leaf("isDefault"), leaf("url")]),
    ("Milestone", &[
        leaf("id"), leaf("number"), leaf("title"), leaf("description"), leaf("state"), leaf("dueOn"),
        leaf("closedAt"), leaf("createdAt"), leaf("updatedAt"), leaf("url"),
    ]),
    ("IssueComment", &[
        leaf("id"), leaf("databaseId"), leaf("fullDatabaseId"), leaf("body"), leaf("bodyText"), leaf("bodyHTML"), leaf("createdAt"),
        leaf("updatedAt"), leaf("url"), leaf("authorAssociation"),
        ("author", Object("Actor"), &[]),
    ]),
    ("PullRequestReview", &[
        leaf("id"), leaf("databaseId"), leaf("fullDatabaseId"), leaf("body"), leaf("bodyText"), leaf("bodyHTML"), leaf("state"),
        leaf("submittedAt"), leaf("updatedAt"), leaf("url"), leaf("authorAssociation"),
        ("author", Object("Actor"), &[]),
    ]),
    ("PullRequestCommit", &[leaf("id"), ("commit", Object("Commit"), &[])]),
    ("Commit", &[leaf("id"), leaf("oid"), ("statusCheckRollup", Object("StatusCheckRollup"), &[])]),
    ("StatusCheckRollup", &[leaf("id"), leaf("state")]),
    ("ReviewRequest", &[leaf("id"), ("requestedReviewer", Object("RequestedReviewer"), &[])]),
    // A union has no fields of its own.
    ("RequestedReviewer", &[]),
    ("PageInfo", &[leaf("hasNextPage"), leaf("hasPreviousPage"), leaf("startCursor"), leaf("endCursor")]),
];

/// The field of a type; `None` where there is none.
pub(super) fn field(of: &str, name: &str) -> Option<&'static Row> {
    TYPES.iter().find(|(known, _)| *known == of)?.1.iter().find(|(known, ..)| *known == name)
}

fn known(of: &str) -> Option<&'static str> {
    TYPES.iter().map(|(known, _)| *known).find(|known| *known == of)
}

/// Whether something of this type is also of that one.
pub(super) fn is_a(of: &str, wanted: &str) -> bool {
    let account = matches!(of, "User" | "Bot" | "Organization");
    of == wanted || account && matches!(wanted, "Actor" | "RequestedReviewer")
}

/// Looks a query over, and counts what it costs.
pub(super) struct Check<'a> {
    pub(super) document: &'a Document,
    pub(super) variables: &'a Map<String, Value>,
    pub(super) errors: Vec<Value>,
    /// How many requests GitHub would need to serve its connections one by one.
    requests: u64,
    pub(super) nodes: u64,
    depth: usize,
}

impl<'a> Check<'a> {
    pub(super) fn new(document: &'a Document, variables: &'a Map<String, Value>) -> Self {
        Self { document, variables, errors: Vec::new(), requests: 0, nodes: 0, depth: 0 }
    }

    /// Points: a hundredth of the requests, and at least one.
    pub(super) fn cost(&self) -> u64 {
        (self.requests.saturating_add(50) / 100).max(1)
    }

    fn refuse(&mut self, code: &str, message: &str, at: (usize, usize)) {
        let (line, column) = at;
        self.errors.push(json!({
            "path": ["query"],
            "extensions": {"code": code},
            "locations": [{"line": line, "column": column}],
            "message": message,
        }));
    }

    /// Looks at what is selected of a type, `times` times.
    pub(super) fn selections(&mut self, of: &str, selections: &[Selection], times: u64) {
        // A fragment may name itself.
        self.depth += 1;
        if self.depth > 30 {
            self.refuse("maxDepth", "The query is nested too deeply", (1, 1));
        } else {
            for selection in selections {
                match selection {
                    Selection::Field(field) => self.field(of, field, times),
                    Selection::Inline(None, selections) => self.selections(of, selections, times),
                    Selection::Inline(Some(other), selections) => self.fragment(other, selections, times),
                    Selection::Spread(name, at) => match self.document.fragments.get(name) {
                        Some((other, selections)) => self.fragment(other, selections, times),
                        None => self.refuse(
                            "useAndDefineFragment",
                            &format!("Fragment {name} was used, but not defined"),
                            *at,
                        ),
                    },
                }
            }
        }
        self.depth -= 1;
    }

    fn fragment(&mut self, of: &str, selections: &[Selection], times: u64) {
        match known(of) {
            Some(of) => self.selections(of, selections, times),
            None => self.refuse(
                "undefinedType",
                &format!("No such type {of}, so it can't be a fragment condition"),
                (1, 1),
            ),
        }
    }

    fn field(&mut self, of: &str, asked: &Field, times: u64) {
        if asked.name == "__typename" {
            return;
        }
        let Some(&(name, kind, arguments)) = field(of, &asked.name) else {
            let message = format!("Field '{}' doesn't exist on type '{of}'", asked.name);
            return self.refuse("undefinedField", &message, asked.at);
        };
        for (argument, literal) in &asked.arguments {
            if !arguments.contains(&argument.as_str()) {
                let message = format!("Field '{name}' doesn't accept argument '{argument}'");
                self.refuse("argumentNotAccepted", &message, asked.at);
            }
            self.literal(literal, asked.at);
        }
        let needed = NEEDED.iter().find(|(known, _)| *known == name && !arguments.is_empty());
        let needed = needed.map_or([].as_slice(), |(_, needed)| *needed).iter().copied();
        let missing: Vec<&str> =
            needed.filter(|needed| asked.arguments.iter().all(|(given, _)| given != needed)).collect();
        if !missing.is_empty() {
            let message = format!("Field '{name}' is missing required arguments: {}", missing.join(", "));
            self.refuse("missingRequiredArguments", &message, asked.at);
        }
        match (kind, asked.selections.is_empty()) {
            (Leaf, true) => {}
            (Leaf, false) => {
                let message = format!("Selections can't be made on scalars (field '{name}')");
                self.refuse("selectionMismatch", &message, asked.at);
            }
            (_, true) => {
                let message = format!("Field must have selections (field '{name}' has no selections)");
                self.refuse("selectionMismatch", &message, asked.at);
            }
            (Object(of), false) => self.selections(of, &asked.selections, times),
            (Connection(of), false) => self.connection(of, asked, times),
        }
    }

    /// Looks at variables that are used and not declared, or not given.
    fn literal(&mut self, literal: &Literal, at: (usize, usize)) {
        match literal {
            Literal::Variable(name) if !self.variables.contains_key(name) => {
                self.refuse("variableNotDefined", &format!("Variable ${name} is used but not declared"), at);
            }
            Literal::List(items) => items.iter().for_each(|item| self.literal(item, at)),
            Literal::Object(fields) => fields.iter().for_each(|(_, literal)| self.literal(literal, at)),
            _ => {}
        }
    }

    fn connection(&mut self, of: &str, asked: &Field, times: u64) {
        let number = |name: &str| {
            let found = asked.arguments.iter().find(|(known, _)| known == name);
            found.and_then(|(_, literal)| literal.value(self.variables).as_u64())
        };
        let most = number("first").or_else(|| number("last")).unwrap_or(0);
        self.requests = self.requests.saturating_add(times);
        self.nodes = self.nodes.saturating_add(times.saturating_mul(most));
        let within = times.saturating_mul(most);
        for selection in &asked.selections {
            let Selection::Field(part) = selection else {
                self.refuse("unsupported", "unsupported by the fake: fragments of connections", asked.at);
                continue;
            };
            match part.name.as_str() {
                "totalCount" | "__typename" => {}
                "nodes" => self.selections(of, &part.selections, within),
                "pageInfo" => self.selections("PageInfo", &part.selections, within),
                "edges" => {
                    for selection in &part.selections {
                        match selection {
                            Selection::Field(edge) if edge.name == "cursor" => {}
                            Selection::Field(edge) if edge.name == "node" => {
                                self.selections(of, &edge.selections, within);
                            }
                            _ => self.refuse(
                                "undefinedField",
                                &format!("An edge of '{}' has a cursor and a node", asked.name),
                                part.at,
                            ),
                        }
                    }
                }
                other => {
                    let message = format!("Field '{other}' doesn't exist on type '{of}Connection'");
                    self.refuse("undefinedField", &message, part.at);
                }
            }
        }
    }
}
