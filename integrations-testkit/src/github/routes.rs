//! What answers a call, and may it be called now?
//!
//! In GitHub's order: who does not say who it is, is turned away first; then the version, the token, and
//! the limits are looked at; then what is asked for. Every answer says how the caller stands.

use std::sync::atomic::Ordering;

use http::header::{CACHE_CONTROL, USER_AGENT, VARY};
use http::{HeaderName, Method};

use super::GitHub;
use super::access::{Caller, Token};
use super::answers;
use super::conditional;
use super::errors::{fault, not_found, too_fast, used_up};
use super::graphql;
use super::limits::{Exceeded, Payer, Resource, Standing};
use super::operation::{self, Asked, Operation, Row};
use super::paging::is_cursor;
use super::request::{Request, media_of, path_of, version_of};
use super::view::Version;
use crate::oauth::Operation as OAuth;
use crate::params::Params;
use crate::random::mix;
use crate::server::{Call, Hold, Reply, Route, Service};

/// All that an open token may do.
pub(super) const OPEN_SCOPES: &[&str] = &["notifications", "read:org", "repo", "user:email"];

const GRAPHQL: &str = "graphql";

/// What a call is for.
enum Target {
    /// Something of the OAuth server's, on the site for people or in the API.
    OAuth(OAuth),
    Rest(Asked),
    GraphQl,
    Nothing,
}

/// OAuth's operations that are in the API go by GitHub's own names.
const fn name(operation: OAuth) -> &'static str {
    match operation {
        OAuth::UserInfo => "users.getAuthenticated",
        OAuth::Revoke => "apps.deleteAuthorization",
        OAuth::RevokeToken => "apps.deleteToken",
        OAuth::CheckToken => "apps.checkToken",
        OAuth::Installation => "apps.getInstallation",
        OAuth::InstallationToken => "apps.createInstallationAccessToken",
        OAuth::InstallationTokenEnd => "apps.revokeInstallationAccessToken",
        OAuth::InstallationRepositories => "apps.listReposAccessibleToInstallation",
        other => other.name(),
    }
}

/// What is on the site for people, where no limit of the API's counts.
const fn is_on_the_site(operation: OAuth) -> bool {
    matches!(operation, OAuth::Authorize | OAuth::TokenCode | OAuth::TokenRefresh | OAuth::TokenMint)
}

impl Service for GitHub {
    fn route(&self, call: &Call) -> Route {
        let query = Params::parse(call.query.as_bytes());
        let further = query.get("page").is_some_and(|page| page != "1");
        // In some listings `before` is a time.
        let by_cursor = ["after", "before"].iter().any(|name| query.get(name).is_some_and(is_cursor));
        Route {
            operation: match self.target(call) {
                Target::OAuth(operation) => name(operation),
                Target::Rest(asked) => asked.row.name,
                Target::GraphQl => GRAPHQL,
                Target::Nothing => "unknown",
            },
            page_token: further || by_cursor,
            sync_token: query.get("since").is_some(),
        }
    }

    fn answer(&self, operation: &'static str, call: &Call) -> Reply {
        let target = self.target(call);
        let reply = match target {
            Target::OAuth(asked) if is_on_the_site(asked) => return self.oauth(call),
            _ => self.api(operation, &target, call),
        };
        self.meter.answered(operation, reply.status, is_limited(&reply));
        self.marked(call, reply)
    }

    fn error(&self, operation: &'static str, call: &Call, status: u16, reason: Option<&str>) -> Reply {
        if let Target::OAuth(asked) = self.target(call)
            && is_on_the_site(asked)
        {
            return self.authority.fail(asked, call, status, reason);
        }
        let reply = fault(status, reason);
        let limited = is_limited(&reply);
        self.meter.answered(operation, status, limited);
        let payer = Caller::of(self, call).map_or(Payer::Anonymous, |caller| caller.payer());
        let resource = if operation == GRAPHQL { Resource::GraphQl } else { Resource::Core };
        let standing = self.meter.standing(payer, resource, self.clock.now());
        self.marked(call, stand(reply, standing))
    }

    fn enter(&self, call: &Call) -> Result<Hold, Reply> {
        Ok(match self.target(call) {
            Target::OAuth(operation) if is_on_the_site(operation) => None,
            _ => Some(self.meter.arrive()),
        })
    }
}

/// Whether an answer says that a limit was met.
fn is_limited(reply: &Reply) -> bool {
    let text = || String::from_utf8_lossy(&reply.body).contains("rate limit");
    reply.status == 429 || reply.status == 403 && text()
}

/// Adds how the caller stands.
fn stand(reply: Reply, standing: Standing) -> Reply {
    let header = HeaderName::from_static;
    reply
        .header(header("x-ratelimit-limit"), &standing.limit.to_string())
        .header(header("x-ratelimit-remaining"), &standing.remaining().to_string())
        .header(header("x-ratelimit-used"), &standing.used.to_string())
        .header(header("x-ratelimit-reset"), &standing.reset.to_string())
        .header(header("x-ratelimit-resource"), standing.resource.name())
}

impl GitHub {
    fn target(&self, call: &Call) -> Target {
        let path = path_of(call);
        if call.method == Method::POST && matches!(call.path.as_str(), "/graphql" | "/api/graphql") {
            return Target::GraphQl;
        }
        if let Some(asked) = operation::asked(path) {
            return Target::Rest(asked);
        }
        match self.authority.operation(&stripped(call)) {
            // The site for people is not behind the prefix of the API.
            Some(operation) if path == call.path || !is_on_the_site(operation) => Target::OAuth(operation),
            _ => Target::Nothing,
        }
    }

    fn oauth(&self, call: &Call) -> Reply {
        self.authority.serve(&stripped(call)).unwrap_or_else(|| not_found(""))
    }

    /// Every answer of GitHub's has an id.
    fn marked(&self, call: &Call, reply: Reply) -> Reply {
        let id = mix(self.answers.fetch_add(1, Ordering::Relaxed));
        let id = format!(
            "{:04X}:{:05X}:{:07X}:{:07X}:{:08X}",
            id & 0xffff,
            id >> 16 & 0xf_ffff,
            id >> 20 & 0xfff_ffff,
            id >> 30 & 0xfff_ffff,
            id >> 32
        );
        let media = media_of(call).map_or("github.v3; format=json", |media| media.name);
        let selected = match version_of(call) {
            Ok(Version::V2026) => "2026-03-10",
            _ => "2022-11-28",
        };
        let header = HeaderName::from_static;
        reply
            .header(header("x-github-request-id"), &id)
            .header(header("x-github-media-type"), media)
            .header(header("x-github-api-version-selected"), selected)
            .header(CACHE_CONTROL, "private, max-age=60, s-maxage=60")
            .header(
                VARY,
                "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With",
            )
    }

    /// The answer to a call of the API.
    fn api(&self, operation: &'static str, target: &Target, call: &Call) -> Reply {
        if call.header(USER_AGENT).is_none_or(str::is_empty) {
            let text = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header (https://docs.github.com/rest/overview/resources-in-the-rest-api#user-agent-required). Check https://developer.github.com for other possible causes.";
            return Reply::new(403, "text/html; charset=utf-8", text);
        }
        if let Err(unknown) = version_of(call) {
            return unknown;
        }
        if let Target::OAuth(_) = target {
            return self.oauth(call);
        }
        let now = self.clock.now();
        let resource = if matches!(target, Target::GraphQl) { Resource::GraphQl } else { Resource::Core };
        let caller = match Caller::of(self, call) {
            Ok(caller) => caller,
            Err(refused) => {
                return stand(refused, self.meter.standing(Payer::Anonymous, resource, now));
            }
        };
        let payer = caller.payer();
        let free = matches!(target, Target::Rest(asked) if asked.row.operation == Operation::RateLimit);
        let units = u64::from(!free);
        let admitted = self.meter.admit(payer, resource, operation, units, now);
        let reply = match (admitted, target) {
            (Err(Exceeded::Primary), Target::GraphQl) => graphql::used_up(),
            (Err(exceeded), _) => self.limited(payer, exceeded),
            (Ok(()), Target::GraphQl) => graphql::answer(self, &caller, call),
            (Ok(()), Target::Rest(asked)) => {
                let reply = self.rest(&caller, asked, call);
                let reply = conditional::answer(call, &caller.secret, reply);
                if reply.status == 304 && payer != Payer::Anonymous {
                    self.meter.give_back(payer, resource, units, now);
                }
                scoped(reply, &caller, asked.row)
            }
            (Ok(()), _) => not_found(""),
        };
        stand(reply, self.meter.standing(payer, resource, now))
    }

    fn rest(&self, caller: &Caller, asked: &Asked, call: &Call) -> Reply {
        let answer = || {
            caller.may_call(asked.row)?;
            let request = Request::of(self, caller, asked, call)?;
            answers::answer(&request, &self.hub())
        };
        answer().unwrap_or_else(|refused| refused)
    }

    fn limited(&self, payer: Payer, exceeded: Exceeded) -> Reply {
        let status = self.settings.limit_status;
        match exceeded {
            Exceeded::Secondary(seconds) => too_fast(status, seconds),
            Exceeded::Primary => match payer {
                Payer::User(key) => used_up(status, &format!("user ID {}", self.hub().roster.get(key).id)),
                Payer::Installation(id) => used_up(status, &format!("installation ID {id}")),
                Payer::Anonymous => used_up(status, "127.0.0.1"),
            },
        }
    }
}

/// Adds what the token may do, and what would be needed.
fn scoped(reply: Reply, caller: &Caller, row: &Row) -> Reply {
    let header = HeaderName::from_static;
    match &caller.token {
        Token::Scoped(scopes) => reply
            .header(header("x-oauth-scopes"), &scopes.join(", "))
            .header(header("x-accepted-oauth-scopes"), &row.scopes.join(", ")),
        Token::OfApp | Token::Installation(..) if reply.status < 300 && !row.permissions.is_empty() => {
            let accepted: Vec<_> = row.permissions.iter().map(|wanted| format!("{wanted}=read")).collect();
            reply.header(header("x-accepted-github-permissions"), &accepted.join("; "))
        }
        _ => reply,
    }
}

/// The call without the prefix of the API.
fn stripped(call: &Call) -> Call {
    Call {
        method: call.method.clone(),
        path: path_of(call).to_owned(),
        query: call.query.clone(),
        headers: call.headers.clone(),
        body: call.body.clone(),
    }
}
