//! Which method answers a call, and may it be called now?

use std::sync::atomic::Ordering;

use http::{HeaderName, Method as HttpMethod};

use super::Slack;
use super::errors;
use super::method::Method;
use super::query::Query;
use super::{conversations, history, people};
use crate::oauth::{Caller, Operation};
use crate::random::mix;
use crate::server::{Call, Reply, Route, Service};

const SCOPES: HeaderName = HeaderName::from_static("x-oauth-scopes");
const ACCEPTED_SCOPES: HeaderName = HeaderName::from_static("x-accepted-oauth-scopes");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-slack-req-id");

/// All that an open token may do.
pub(super) const OPEN_SCOPES: &[&str] = &[
    "channels:history",
    "channels:read",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "mpim:history",
    "mpim:read",
    "team:read",
    "users:read",
    "users:read.email",
];

/// The name of a method of the Web API; the call's verb and path may name one.
fn named(call: &Call) -> Option<&str> {
    let verb = call.method == HttpMethod::GET || call.method == HttpMethod::POST;
    call.path.strip_prefix("/api/").filter(|name| verb && !name.is_empty() && !name.contains('/'))
}

/// OAuth's operations that are methods of the Web API go by their name there.
fn name(operation: Operation) -> &'static str {
    match operation {
        Operation::UserInfo => "auth.test",
        Operation::Revoke => "auth.revoke",
        Operation::Uninstall => "apps.uninstall",
        other => other.name(),
    }
}

impl Service for Slack {
    fn route(&self, call: &Call) -> Route {
        let method = || named(call).and_then(Method::named).map_or("unknown", |method| method.row().name);
        let query = Query::of(call).ok();
        let given =
            |name| query.as_ref().and_then(|query| query.get(name)).is_some_and(|value| !value.is_empty());
        Route {
            operation: self.authority.operation(call).map_or_else(method, name),
            page_token: given("cursor"),
            sync_token: given("oldest"),
        }
    }

    fn answer(&self, operation: &'static str, call: &Call) -> Reply {
        let reply = self.reply(call);
        self.meter.count(operation, reply.status);
        self.marked(reply)
    }

    fn error(&self, operation: &'static str, call: &Call, status: u16, reason: Option<&str>) -> Reply {
        self.meter.count(operation, status);
        let reply = match self.authority.operation(call) {
            Some(operation) if status < 500 || reason.is_some() => {
                self.authority.fail(operation, call, status, reason)
            }
            _ => errors::fault(status, reason),
        };
        self.marked(reply)
    }

    fn status_of_a_reason(&self) -> Option<u16> {
        Some(200)
    }
}

impl Slack {
    /// Every answer of Slack's has an id.
    fn marked(&self, reply: Reply) -> Reply {
        let id = mix(self.answers.fetch_add(1, Ordering::Relaxed));
        reply.header(REQUEST_ID, &format!("{id:016x}{:016x}", mix(id)))
    }

    fn reply(&self, call: &Call) -> Reply {
        if let Some(operation) = self.authority.operation(call) {
            let scopes = match operation {
                Operation::UserInfo => self.authority.caller(call).ok().map(|caller| caller.scopes),
                _ => None,
            };
            let reply = self.authority.serve(call).unwrap_or_else(errors::not_found);
            return scopes.into_iter().fold(reply, |reply, scopes| reply.header(SCOPES, &scopes.join(",")));
        }
        let Some(name) = named(call) else { return errors::not_found() };
        let Some(method) = Method::named(name) else { return errors::unknown_method(name) };
        let caller = match self.authority.caller(call) {
            Ok(caller) => caller,
            Err(refused) => return refused,
        };
        if let Err(wait) = self.meter.admit(&caller.organization, method, self.clock.now()) {
            return errors::rate_limited(wait);
        }
        let reply = self.carry_out(method, &caller, call).unwrap_or_else(|refused| refused);
        reply.header(SCOPES, &caller.scopes.join(",")).header(ACCEPTED_SCOPES, &method.row().scopes.join(","))
    }

    fn carry_out(&self, method: Method, caller: &Caller, call: &Call) -> Result<Reply, Reply> {
        let row = method.row();
        let query = Query::of(call)?;
        query.check(row.parameters)?;
        let work = match method {
            Method::ConversationsHistory => history::history,
            Method::ConversationsInfo => conversations::info,
            Method::ConversationsList => conversations::list,
            Method::ConversationsMembers => conversations::members,
            Method::ConversationsReplies => history::replies,
            Method::TeamInfo => people::team,
            Method::UsersConversations => conversations::of_user,
            Method::UsersInfo => people::info,
            Method::UsersList => people::list,
        };
        work(self, caller, row, &query)
    }
}
