//! Which of Gmail's endpoints answers a request, who may use it, and what does it cost?

use http::Method as Verb;
use serde_json::json;

use super::message::{self, Format};
use super::{history, labels, messages};
use crate::google::Google;
use crate::google::errors;
use crate::google::query::Query;
use crate::google::routes::decode;
use crate::server::{Call, Reply};

/// Everything; the only scope that has not Google's prefix.
const MAIL: &str = "https://mail.google.com/";
const READ: &[&str] = &[MAIL, "gmail.modify", "gmail.readonly"];
const READ_METADATA: &[&str] = &[MAIL, "gmail.modify", "gmail.readonly", "gmail.metadata"];
const READ_LABELS: &[&str] = &[MAIL, "gmail.modify", "gmail.readonly", "gmail.metadata", "gmail.labels"];
const READ_PROFILE: &[&str] = &[MAIL, "gmail.modify", "gmail.readonly", "gmail.metadata", "gmail.compose"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Profile,
    Labels,
    Label,
    Messages,
    Message,
    Attachment,
    Thread,
    History,
}

/// What there is to know about an endpoint.
#[derive(Debug)]
pub(in crate::google) struct Rule {
    method: Method,
    /// Behind the user; `{}` stands for an id.
    path: &'static str,
    pub(in crate::google) operation: &'static str,
    /// As a refusal names it.
    pub(in crate::google) rpc: &'static str,
    units: u64,
    scopes: &'static [&'static str],
    parameters: &'static [&'static str],
    repeated: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        method: Method::Profile,
        path: "profile",
        operation: "getProfile",
        rpc: "caribou.api.proto.MailboxService.GetProfile",
        units: 1,
        scopes: READ_PROFILE,
        parameters: &[],
        repeated: &[],
    },
    Rule {
        method: Method::Labels,
        path: "labels",
        operation: "labels.list",
        rpc: "caribou.api.proto.MailboxService.ListLabels",
        units: 1,
        scopes: READ_LABELS,
        parameters: &[],
        repeated: &[],
    },
    Rule {
        method: Method::Label,
        path: "labels/{}",
        operation: "labels.get",
        rpc: "caribou.api.proto.MailboxService.GetLabel",
        units: 1,
        scopes: READ_LABELS,
        parameters: &[],
        repeated: &[],
    },
    Rule {
        method: Method::Messages,
        path: "messages",
        operation: "messages.list",
        rpc: "caribou.api.proto.MailboxService.ListMessages",
        units: 5,
        scopes: READ_METADATA,
        parameters: &["includeSpamTrash", "maxResults", "pageToken", "q"],
        repeated: &["labelIds"],
    },
    Rule {
        method: Method::Message,
        path: "messages/{}",
        operation: "messages.get",
        rpc: "caribou.api.proto.MailboxService.GetMessage",
        units: 20,
        scopes: READ_METADATA,
        parameters: &["format"],
        repeated: &["metadataHeaders"],
    },
    Rule {
        method: Method::Attachment,
        path: "messages/{}/attachments/{}",
        operation: "messages.attachments.get",
        rpc: "caribou.api.proto.MailboxService.GetAttachment",
        units: 5,
        scopes: READ,
        parameters: &[],
        repeated: &[],
    },
    Rule {
        method: Method::Thread,
        path: "threads/{}",
        operation: "threads.get",
        rpc: "caribou.api.proto.MailboxService.GetThread",
        units: 40,
        scopes: READ_METADATA,
        parameters: &["format"],
        repeated: &["metadataHeaders"],
    },
    Rule {
        method: Method::History,
        path: "history",
        operation: "history.list",
        rpc: "caribou.api.proto.MailboxService.ListHistory",
        units: 2,
        scopes: READ_METADATA,
        parameters: &["labelId", "maxResults", "pageToken", "startHistoryId"],
        repeated: &["historyTypes"],
    },
];

/// An endpoint of Gmail, with what its path names.
#[derive(Debug)]
pub(in crate::google) struct Endpoint {
    pub(in crate::google) rule: &'static Rule,
    user: String,
    ids: Vec<String>,
}

impl Endpoint {
    /// The endpoint of a path, given as its segments.
    pub(in crate::google) fn of(verb: &Verb, segments: &[&str]) -> Option<Self> {
        let ["gmail", "v1", "users", user, rest @ ..] = segments else { return None };
        if verb != Verb::GET {
            return None;
        }
        RULES.iter().find_map(|rule| {
            let pattern: Vec<&str> = rule.path.split('/').collect();
            let fits = |(expected, given): (&&str, &&str)| {
                expected == given || (*expected == "{}" && !given.is_empty())
            };
            if pattern.len() != rest.len() || !pattern.iter().zip(rest).all(fits) {
                return None;
            }
            let named = pattern.iter().zip(rest).filter(|(expected, _)| **expected == "{}");
            let ids = named.map(|(_, given)| decode(given)).collect();
            Some(Self { rule, user: decode(user), ids })
        })
    }

    fn id(&self, index: usize) -> &str {
        self.ids.get(index).map(String::as_str).unwrap_or_default()
    }

    pub(in crate::google) fn answer(&self, google: &Google, call: &Call, query: &Query) -> Reply {
        self.try_answer(google, call, query).unwrap_or_else(|refused| refused)
    }

    fn try_answer(&self, google: &Google, call: &Call, query: &Query) -> Result<Reply, Reply> {
        let rule = self.rule;
        google.admit(call, rule.scopes, rule.rpc)?;
        if self.user != "me" && self.user != google.user {
            return Err(errors::newer(403, None, Some(&format!("Delegation denied for {}", google.user))));
        }
        google.gmail.meter.charge(google.clock.now(), rule.units)?;
        query.only(rule.parameters, rule.repeated)?;
        match rule.method {
            Method::Profile => Ok(profile(google)),
            Method::Labels => Ok(labels::list(&google.gmail.mailbox())),
            Method::Label => Ok(labels::get(&google.gmail.mailbox(), self.id(0))),
            Method::Messages => {
                if query.get("q").is_some() && metadata_only(google, call) {
                    let message = "Metadata scope does not support 'q' parameter";
                    return Err(errors::newer(403, None, Some(message)));
                }
                messages::list(google, query)
            }
            Method::Message => message::get(google, self.id(0), &format(google, call, query)?),
            Method::Attachment => message::attachment(google, self.id(0), self.id(1)),
            Method::Thread => {
                let format = format(google, call, query)?;
                if format == Format::Raw {
                    return Err(errors::argument("Invalid value at 'format', \"raw\""));
                }
                message::thread(google, self.id(0), &format)
            }
            Method::History => history::list(google, query),
        }
    }
}

/// The format that is asked for, if the grant allows it.
fn format(google: &Google, call: &Call, query: &Query) -> Result<Format, Reply> {
    let format = Format::of(query)?;
    if format.has_body() && metadata_only(google, call) {
        let name = if format == Format::Raw { "RAW" } else { "FULL" };
        let message = format!("Metadata scope doesn't allow format {name}");
        return Err(errors::newer(403, None, Some(&message)));
    }
    Ok(format)
}

/// Google keeps everything but headers back as soon as this scope is granted, even beside wider ones.
fn metadata_only(google: &Google, call: &Call) -> bool {
    google.granted(call, "gmail.metadata")
}

fn profile(google: &Google) -> Reply {
    let mailbox = google.gmail.mailbox();
    let body = json!({
        "emailAddress": google.user,
        "messagesTotal": mailbox.live(),
        "threadsTotal": mailbox.live_threads(),
        "historyId": history::id(mailbox.version()).to_string(),
    });
    Reply::json(200, body.to_string())
}
