//! What answers a call, and may it be called now?

use std::sync::atomic::Ordering;

use http::HeaderName;
use http::header::RETRY_AFTER;

use super::Zoom;
use super::access::Caller;
use super::answers;
use super::errors::{DAILY, PER_SECOND, fault, no_endpoint, refused};
use super::limits::Standing;
use super::operation::{self, Asked};
use super::time::text;
use crate::oauth::Operation as OAuth;
use crate::params::Params;
use crate::random::mix;
use crate::server::{Call, Reply, Route, Service};

/// All that the app is set up for, and an open token may do.
pub(super) const SCOPES: &[&str] = &[
    "user:read:user",
    "meeting:read:list_meetings",
    "meeting:read:meeting",
    "meeting:read:past_meeting",
    "meeting:read:list_past_instances",
    "meeting:read:list_past_participants",
    "cloud_recording:read:list_user_recordings",
    "cloud_recording:read:list_recording_files",
    "meeting:write:meeting",
    "meeting:update:meeting",
    "meeting:delete:meeting",
];

/// What a call is for.
enum Target {
    OAuth(OAuth),
    Api(Asked),
    Nothing,
}

impl Service for Zoom {
    fn route(&self, call: &Call) -> Route {
        let query = Params::parse(call.query.as_bytes());
        let given = |name| query.get(name).is_some_and(|value| !value.is_empty());
        Route {
            operation: match self.target(call) {
                Target::OAuth(operation) => operation.name(),
                Target::Api(asked) => asked.row.name,
                Target::Nothing => "unknown",
            },
            page_token: given("next_page_token"),
            sync_token: given("from"),
        }
    }

    fn answer(&self, operation: &'static str, call: &Call) -> Reply {
        let reply = match self.target(call) {
            Target::OAuth(_) => self.authority.serve(call).unwrap_or_else(no_endpoint),
            Target::Api(asked) => self.api(&asked, call),
            Target::Nothing => no_endpoint(),
        };
        self.meter.count(operation, reply.status);
        self.marked(reply)
    }

    fn error(&self, operation: &'static str, call: &Call, status: u16, reason: Option<&str>) -> Reply {
        self.meter.count(operation, status);
        let reply = match self.target(call) {
            Target::OAuth(operation) => self.authority.fail(operation, call, status, reason),
            _ => fault(status, reason),
        };
        self.marked(reply)
    }
}

impl Zoom {
    fn target(&self, call: &Call) -> Target {
        if let Some(asked) = operation::asked(&call.path) {
            return Target::Api(asked);
        }
        self.authority.operation(call).map_or(Target::Nothing, Target::OAuth)
    }

    /// Every answer of Zoom's has an id.
    fn marked(&self, reply: Reply) -> Reply {
        let id = mix(self.answers.fetch_add(1, Ordering::Relaxed));
        let header = HeaderName::from_static("x-zm-trackingid");
        reply.header(header, &format!("v=2.0;clid=us02;rid=WEB_{id:016x}{:016x}", mix(id)))
    }

    fn api(&self, asked: &Asked, call: &Call) -> Reply {
        let caller = match Caller::of(self, call) {
            Ok(caller) => caller,
            Err(refused) => return refused,
        };
        let standing = self.meter.admit(asked.row.category, self.now());
        let reply = match standing {
            Some(Standing { refused_until: Some(_), daily, .. }) => {
                refused(429, 429, if daily { DAILY } else { PER_SECOND })
            }
            _ => answers::answer(self, &caller, asked, call).unwrap_or_else(|refused| refused),
        };
        match standing {
            Some(standing) if self.settings.limit_headers => stand(reply, standing),
            _ => reply,
        }
    }
}

/// Adds how the account stands.
fn stand(reply: Reply, standing: Standing) -> Reply {
    let header = HeaderName::from_static;
    let reply = reply
        .header(header("x-ratelimit-category"), standing.category.name())
        .header(header("x-ratelimit-type"), if standing.daily { "Daily-limit" } else { "QPS" })
        .header(header("x-ratelimit-limit"), &standing.limit.to_string())
        .header(header("x-ratelimit-remaining"), &standing.remaining.to_string());
    match standing.refused_until {
        Some(until) if standing.daily => reply.header(RETRY_AFTER, &text(until)),
        Some(until) => {
            // A second that has begun counts.
            let seconds = until.timestamp() + i64::from(until.timestamp_subsec_nanos() > 0);
            reply.header(header("x-ratelimit-reset"), &seconds.to_string())
        }
        None => reply,
    }
}
