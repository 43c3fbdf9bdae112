//! How is a query carried out?

use std::cell::OnceCell;

use serde_json::{Map, Value, json};

use super::connections::Listed;
use super::schema::{self, Kind, is_a};
use super::syntax::{Document, Field, Selection};
use crate::github::access::Caller;
use crate::github::check::Verdict;
use crate::github::issue::Issue;
use crate::github::label::{Label, Milestone};
use crate::github::limits::Standing;
use crate::github::repository::Repository;
use crate::github::talk::{Comment, Review};
use crate::github::user::UserKey;
use crate::github::view::View;

/// An object that fields are selected of.
#[derive(Clone)]
pub(super) enum Node<'h> {
    Root,
    RateLimit,
    Repository(&'h Repository),
    /// An issue or a pull request.
    Issue(&'h Repository, Box<Issue>),
    User(UserKey),
    Label(&'h Repository, &'h Label),
    Milestone(&'h Repository, &'h Milestone),
    Comment(&'h Repository, Box<Comment>),
    Review(&'h Repository, Box<Review>),
    /// A commit, as one of a pull request and by itself.
    PullCommit(&'h Repository, String),
    Commit(&'h Repository, String),
    Rollup(Verdict),
    ReviewRequest(UserKey),
}

/// What went wrong with a field.
pub(super) struct Failure {
    pub(super) kind: &'static str,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// The arguments of a field.
pub(super) type Arguments = Map<String, Value>;

/// A query on its way.
pub(super) struct Run<'a> {
    pub(super) view: View<'a>,
    pub(super) caller: &'a Caller,
    pub(super) document: &'a Document,
    pub(super) variables: &'a Map<String, Value>,
    pub(super) standing: Standing,
    pub(super) cost: u64,
    pub(super) nodes: u64,
    pub(super) errors: Vec<Value>,
}

impl<'a> Run<'a> {
    pub(super) fn query(&mut self, selections: &[Selection]) -> Value {
        self.object(&Node::Root, selections, &mut Vec::new())
    }

    pub(super) fn type_of(&self, node: &Node<'_>) -> &'static str {
        match node {
            Node::Root => "Query",
            Node::RateLimit => "RateLimit",
            Node::Repository(_) => "Repository",
            Node::Issue(_, issue) if issue.pull.is_some() => "PullRequest",
            Node::Issue(..) => "Issue",
            Node::User(key) => self.view.hub.roster.get(*key).type_name(),
            Node::Label(..) => "Label",
            Node::Milestone(..) => "Milestone",
            Node::Comment(..) => "IssueComment",
            Node::Review(..) => "PullRequestReview",
            Node::PullCommit(..) => "PullRequestCommit",
            Node::Commit(..) => "Commit",
            Node::Rollup(_) => "StatusCheckRollup",
            Node::ReviewRequest(_) => "ReviewRequest",
        }
    }

    fn object(&mut self, node: &Node<'a>, selections: &[Selection], path: &mut Vec<Value>) -> Value {
        let of = self.type_of(node);
        let mut fields = Vec::new();
        flatten(self.document, of, selections, &mut fields);
        let (mut object, rest) = (Map::new(), OnceCell::new());
        for field in fields {
            path.push(json!(field.key()));
            let value = self.field(node, of, field, &rest, path);
            // The same field twice is one, with what both select.
            match object.get_mut(field.key()) {
                Some(before) => merge(before, value),
                None => drop(object.insert(field.key().to_owned(), value)),
            }
            path.pop();
        }
        Value::Object(object)
    }

    fn field(
        &mut self,
        node: &Node<'a>,
        of: &str,
        field: &Field,
        rest: &OnceCell<Value>,
        path: &mut Vec<Value>,
    ) -> Value {
        if field.name == "__typename" {
            return json!(of);
        }
        let arguments: Arguments = field
            .arguments
            .iter()
            .map(|(name, literal)| (name.clone(), literal.value(self.variables)))
            .collect();
        let kind = schema::field(of, &field.name).map_or(Kind::Leaf, |(_, kind, _)| *kind);
        let found = match kind {
            Kind::Leaf => Ok(self.leaf(node, &field.name, rest)),
            Kind::Object(_) => match self.child(node, &field.name, &arguments) {
                Ok(Some(child)) => Ok(self.object(&child, &field.selections, path)),
                Ok(None) => Ok(Value::Null),
                Err(failure) => Err(failure),
            },
            Kind::Connection(_) => match self.connection(node, &field.name, &arguments) {
                Ok(listed) => Ok(self.listed(&listed, &field.selections, path)),
                Err(failure) => Err(failure),
            },
        };
        found.unwrap_or_else(|Failure { kind, message }| {
            let (line, column) = field.at;
            self.errors.push(json!({
                "type": kind,
                "path": path,
                "locations": [{"line": line, "column": column}],
                "message": message,
            }));
            Value::Null
        })
    }

    fn listed(&mut self, listed: &Listed<'a>, selections: &[Selection], path: &mut Vec<Value>) -> Value {
        let mut object = Map::new();
        for selection in selections {
            let Selection::Field(field) = selection else { continue };
            path.push(json!(field.key()));
            let value = match field.name.as_str() {
                "totalCount" => json!(listed.total),
                "nodes" => {
                    self.each(listed, path, |run, _, node, path| run.object(node, &field.selections, path))
                }
                "edges" => self.each(listed, path, |run, cursor, node, path| {
                    let mut edge = Map::new();
                    for part in &field.selections {
                        if let Selection::Field(part) = part {
                            let value = match part.name.as_str() {
                                "cursor" => json!(cursor),
                                _ => run.object(node, &part.selections, path),
                            };
                            edge.insert(part.key().to_owned(), value);
                        }
                    }
                    Value::Object(edge)
                }),
                "pageInfo" => page_info(listed, &field.selections),
                _ => Value::Null,
            };
            object.insert(field.key().to_owned(), value);
            path.pop();
        }
        Value::Object(object)
    }

    fn each(
        &mut self,
        listed: &Listed<'a>,
        path: &mut Vec<Value>,
        mut value: impl FnMut(&mut Self, &str, &Node<'a>, &mut Vec<Value>) -> Value,
    ) -> Value {
        let mut values = Vec::new();
        for (place, (cursor, node)) in listed.items.iter().enumerate() {
            path.push(json!(place));
            values.push(value(self, cursor, node, path));
            path.pop();
        }
        Value::Array(values)
    }
}

fn page_info(listed: &Listed<'_>, selections: &[Selection]) -> Value {
    let mut object = Map::new();
    for selection in selections {
        if let Selection::Field(field) = selection {
            let value = match field.name.as_str() {
                "hasNextPage" => json!(listed.more_behind),
                "hasPreviousPage" => json!(listed.more_before),
                "startCursor" => json!(listed.items.first().map(|(cursor, _)| cursor)),
                "endCursor" => json!(listed.items.last().map(|(cursor, _)| cursor)),
                _ => json!("PageInfo"),
            };
            object.insert(field.key().to_owned(), value);
        }
    }
    Value::Object(object)
}

/// The fields that are selected of an object of this type, with those of fragments that are for it.
fn flatten<'d>(document: &'d Document, of: &str, selections: &'d [Selection], fields: &mut Vec<&'d Field>) {
    for selection in selections {
        match selection {
            Selection::Field(field) => fields.push(field),
            Selection::Inline(wanted, selections) => {
                if wanted.as_ref().is_none_or(|wanted| is_a(of, wanted)) {
                    flatten(document, of, selections, fields);
                }
            }
            Selection::Spread(name, _) => {
                if let Some((wanted, selections)) = document.fragments.get(name)
                    && is_a(of, wanted)
                {
                    flatten(document, of, selections, fields);
                }
            }
        }
    }
}

fn merge(before: &mut Value, value: Value) {
    match (before, value) {
        (Value::Object(before), Value::Object(value)) => {
            for (name, value) in value {
                match before.get_mut(&name) {
                    Some(known) => merge(known, value),
                    None => drop(before.insert(name, value)),
                }
            }
        }
        (Value::Array(before), Value::Array(value)) => {
            before.iter_mut().zip(value).for_each(|(before, value)| merge(before, value));
        }
        _ => {}
    }
}
