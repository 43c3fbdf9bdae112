//! What does GraphQL answer?
//!
//! `repository` with `issues` and `pullRequests`, what a sync needs of them, `viewer` and `rateLimit`: see
//! [`schema`]. Everything that goes wrong comes with status 200, as at GitHub.

mod connections;
mod fields;
mod run;
mod schema;
mod syntax;

use serde_json::{Map, Value, json};

use self::run::Run;
use self::schema::Check;
use self::syntax::{Document, Query};
use super::GitHub;
use super::access::{Caller, Token};
use super::errors::refused;
use super::limits::Resource;
use super::request::base_of;
use super::view::{Media, Version, View};
use crate::server::{Call, Reply};

/// A call may ask for so many things at most.
const MOST_NODES: u64 = 500_000;

fn reply(body: &Value) -> Reply {
    Reply::new(200, "application/json; charset=utf-8", body.to_string())
}

fn errors(errors: &[Value]) -> Reply {
    reply(&json!({"errors": errors}))
}

/// The hour's points are used up.
pub(super) fn used_up() -> Reply {
    errors(&[json!({"type": "RATE_LIMITED", "message": "API rate limit exceeded."})])
}

/// Answers a query, and takes what it costs beyond the point that was taken already.
pub(super) fn answer(github: &GitHub, caller: &Caller, call: &Call) -> Reply {
    if matches!(caller.token, Token::None) {
        return refused(401, "This endpoint requires you to be authenticated.", "graphql");
    }
    let Ok(Value::Object(body)) = serde_json::from_slice(&call.body) else {
        return refused(400, "Problems parsing JSON", "");
    };
    let Some(text) = body.get("query").and_then(Value::as_str) else {
        return errors(&[json!({"message": "A query attribute must be specified and must be a string."})]);
    };
    let document = match syntax::parse(text) {
        Ok(document) => document,
        Err(trouble) => {
            let (line, column) = trouble.at;
            return errors(&[json!({
                "message": trouble.message,
                "locations": [{"line": line, "column": column}],
            })]);
        }
    };
    let query = match chosen(&document, body.get("operationName").and_then(Value::as_str)) {
        Ok(query) => query,
        Err(message) => return errors(&[json!({"message": message})]),
    };
    let variables = match variables(query, body.get("variables")) {
        Ok(variables) => variables,
        Err(message) => return errors(&[json!({"message": message})]),
    };
    let mut check = Check::new(&document, &variables);
    check.selections("Query", &query.selections, 1);
    if check.nodes > MOST_NODES {
        let message = format!(
            "This query requests up to {} possible nodes which exceeds the maximum limit of 500,000.",
            check.nodes
        );
        check.errors.push(json!({"type": "MAX_NODE_LIMIT_EXCEEDED", "message": message}));
    }
    if !check.errors.is_empty() {
        return errors(&check.errors);
    }
    let (cost, nodes, now) = (check.cost(), check.nodes, github.clock.now());
    github.meter.take(caller.payer(), Resource::GraphQl, cost - 1, now);
    let standing = github.meter.standing(caller.payer(), Resource::GraphQl, now);
    let (hub, api) = (github.hub(), base_of(call));
    let media = Media { raw: true, text: true, html: true, name: "" };
    let view = View { hub: &hub, api: &api, media, version: Version::V2026 };
    let mut run = Run {
        view,
        caller,
        document: &document,
        variables: &variables,
        standing,
        cost,
        nodes,
        errors: Vec::new(),
    };
    let data = run.query(&query.selections);
    let mut body = json!({"data": data});
    if !run.errors.is_empty() {
        body["errors"] = Value::Array(run.errors);
    }
    reply(&body)
}

fn chosen<'d>(document: &'d Document, name: Option<&str>) -> Result<&'d Query, String> {
    match (name, document.queries.as_slice()) {
        (_, []) => Err("A query attribute must be specified and must be a string.".to_owned()),
        (None, [only]) => Ok(only),
        (None, _) => Err("An operation name is required".to_owned()),
        (Some(name), queries) => {
            let found = queries.iter().find(|query| query.name.as_deref() == Some(name));
            found.ok_or_else(|| format!("No operation named {name:?}"))
        }
    }
}

/// The variables with their defaults; one that is not given and need not be is null.
fn variables(query: &Query, given: Option<&Value>) -> Result<Map<String, Value>, String> {
    let given = given.and_then(Value::as_object).cloned().unwrap_or_default();
    let mut variables = Map::new();
    for (name, needed, default) in &query.variables {
        let value =
            given.get(name).cloned().or_else(|| default.as_ref().map(|literal| literal.value(&Map::new())));
        let value = value.unwrap_or_default();
        if *needed && value.is_null() {
            return Err(format!("Variable ${name} was provided invalid value"));
        }
        variables.insert(name.clone(), value);
    }
    Ok(variables)
}
