//! Which items of each kind are normalised, and what stands against it?
//!
//! Items come from the fakes, as they serve them. Ours is the pipeline (map, validate) over each of them; plain
//! is `serde_json` into derived structs of the same fields, from the same bytes.

use std::hint::black_box;
use std::sync::Arc;

use integrations_core::ServiceAdapter;
use integrations_core::model::Raw;
use integrations_core::normalize::{PageContext, Stages};
use integrations_core::sync::StreamKey;
use integrations_github::{GitHub, GitHubConfig};
use integrations_google::{Gmail, GoogleConfig, GoogleTasks, gmail};
use integrations_slack::{Slack, SlackConfig};
use integrations_testkit::github::{FakeGitHub, RepoSpec};
use integrations_testkit::google::{FakeGoogle, TaskListSpec};
use integrations_testkit::slack::FakeSlack;
use serde::de::DeserializeOwned;

use crate::Result;
use crate::plain::{chat, mail, task, tracker};

const REPOSITORY: &str = "octo-org/engine";

/// What GraphQL says of a pull request.
const GRAPHQL: &str = r#"{"number":42,"isDraft":false,"merged":false,"mergedAt":null,"mergedBy":null,"mergeable":"MERGEABLE","reviewDecision":"REVIEW_REQUIRED","headRefName":"topic","headRefOid":"6dcb09b5b57875f334f61aebed695e2e4193db5e","isCrossRepository":true,"headRepositoryOwner":{"login":"hubot"},"baseRefName":"main","additions":120,"deletions":31,"changedFiles":7,"commits":{"nodes":[{"commit":{"statusCheckRollup":{"state":"SUCCESS"}}}]},"reviewRequests":{"nodes":[{"requestedReviewer":{"__typename":"User","login":"octocat","databaseId":583231}}]}}"#;

/// Items of one kind, and both ways to read them.
pub struct Kind {
    /// What it is, and from where.
    pub name: &'static str,
    /// The items, as the provider serves them.
    pub items: Vec<Raw>,
    stages: Stages,
    key: StreamKey,
    plain: fn(&[u8]) -> bool,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kind")
            .field("name", &self.name)
            .field("items", &self.items.len())
            .finish_non_exhaustive()
    }
}

impl Kind {
    fn new<T: DeserializeOwned>(
        name: &'static str,
        adapter: &Arc<dyn ServiceAdapter>,
        stream: &str,
        items: impl IntoIterator<Item = String>,
    ) -> Result<Self> {
        let kind = Self {
            name,
            items: items.into_iter().map(Raw::new).collect(),
            stages: Stages::new(adapter.normalizer()),
            key: StreamKey {
                owner: "ada".into(),
                service: adapter.info().id.clone(),
                connection: "cn_bench".into(),
                stream: stream.into(),
            },
            plain: |item| black_box(serde_json::from_slice::<T>(item)).is_ok(),
        };
        let (ours, plain) = (kind.ours(), kind.plain());
        if ours != kind.items.len() || plain != kind.items.len() {
            let all = kind.items.len();
            return Err(format!("{name}: of {all}, ours reads {ours}, plain {plain}").into());
        }
        Ok(kind)
    }

    /// How many of the items become records.
    pub fn ours(&self) -> usize {
        self.stages.run(&self.items, &self.key, &PageContext::default()).changes.len()
    }

    /// How many of the items can be read plainly.
    pub fn plain(&self) -> usize {
        self.items.iter().filter(|item| (self.plain)(item.as_bytes())).count()
    }

    /// How many bytes an item has, on average.
    pub fn bytes(&self) -> usize {
        self.items.iter().map(Raw::len).sum::<usize>() / self.items.len().max(1)
    }
}

/// All kinds beside events, which come by the page.
///
/// # Errors
/// When a side cannot read all of the items.
pub async fn all() -> Result<Vec<Kind>> {
    let google =
        FakeGoogle::builder().messages(400).task_list(TaskListSpec::new("list").generated(400)).start().await;
    let config = GoogleConfig::builder().client("bench", "bench").build()?;
    let (mailbox, tasks) = (Gmail::new(config.clone()), GoogleTasks::new(config));
    let mails = google.message_ids().into_iter().filter_map(|id| Some(google.message(&id)?.to_string()));
    let labels = ["INBOX", "UNREAD", "Label_1"].into_iter().cycle().take(200).enumerate().map(|(number, id)| {
        format!(r#"{{"id":"{id}{number}","name":"{id} of {number}","type":"system","messageListVisibility":"hide"}}"#)
    });
    let listed =
        google.task_ids("list").into_iter().filter_map(|id| Some(google.task("list", &id)?.to_string()));

    let fake = FakeSlack::builder().generated_channels(100, 40).generated_users(400).start().await;
    let slack = Slack::new(SlackConfig::builder().client("bench", "bench").build()?)?;
    let channels = fake.channel_ids();
    let messages = channels.iter().flat_map(|channel| {
        fake.history(channel).into_iter().filter_map(|ts| Some(fake.message(channel, &ts)?.to_string()))
    });
    let objects = channels.iter().filter_map(|channel| Some(fake.channel_object(channel)?.to_string()));
    let users = fake.user_ids().into_iter().filter_map(|user| Some(fake.user_object(&user)?.to_string()));

    let hub = FakeGitHub::builder().repository(RepoSpec::new(REPOSITORY).generated(400)).start().await;
    let github = GitHub::new(GitHubConfig::builder().client("bench", "bench").build()?);
    let numbers = hub.issue_numbers(REPOSITORY);
    let shown = |pulls: bool| {
        let all = numbers.iter().filter_map(|number| hub.issue(REPOSITORY, *number));
        all.filter(move |issue| issue.get("pull_request").is_some() == pulls).map(|issue| issue.to_string())
    };
    let pulls = shown(true).map(|rest| format!(r#"{{"rest":{rest},"graphql":{GRAPHQL}}}"#));
    let comments = hub.comment_ids(REPOSITORY).into_iter();
    let comments = comments.filter_map(|id| Some(hub.comment_object(REPOSITORY, id)?.to_string()));
    Ok(vec![
        Kind::new::<mail::Message>("message (Gmail)", &mailbox, gmail::MESSAGES, mails)?,
        Kind::new::<mail::Label>("channel (Gmail's label)", &mailbox, gmail::LABELS, labels)?,
        Kind::new::<task::Task>("task (Google)", &tasks, "list", listed)?,
        Kind::new::<chat::Message>(
            "message (Slack)",
            &slack,
            channels.first().map_or("C1", String::as_str),
            messages.take(400),
        )?,
        Kind::new::<chat::Channel>(
            "channel (Slack)",
            &slack,
            integrations_slack::workspace::CHANNELS,
            objects,
        )?,
        Kind::new::<chat::User>("person (Slack)", &slack, integrations_slack::workspace::USERS, users)?,
        Kind::new::<tracker::Issue>("issue (GitHub)", &github, "1", shown(false))?,
        Kind::new::<tracker::Pull>("pull request (GitHub)", &github, "1", pulls)?,
        Kind::new::<tracker::Comment>("comment (GitHub)", &github, "1", comments.take(400))?,
    ])
}
