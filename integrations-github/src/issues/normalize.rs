//! How does an item of GitHub's become one of the model?

use integrations_core::model::{Change, Comment, CommentKind, Issue, IssueKind, Raw, Record, Source};
use integrations_core::normalize::{ItemContext, ItemError, Normalizer};
use serde_json::Value;

/// Maps issues, pull requests, comments, reviews and notifications.
#[derive(Debug, Clone, Copy, Default)]
pub struct GitHubNormalizer;

/// The least that the streams need; the mapping itself is on another branch.
impl Normalizer for GitHubNormalizer {
    fn normalize(&self, item: &Raw, context: &ItemContext<'_>) -> Result<Change, ItemError> {
        let all: Value = integrations_core::json::decode_item(item.as_bytes())?;
        let rest = if all["rest"].is_object() { &all["rest"] } else { &all };
        let id = |value: &Value| value.as_u64().map(|id| id.to_string());
        let entity = if let Some(review) = all.get("review") {
            let id =
                review["fullDatabaseId"].as_str().map(str::to_owned).or_else(|| id(&review["databaseId"]));
            let id = id.ok_or_else(|| ItemError::new("$.review", "no id"))?;
            Comment::new(format!("review:{id}"), CommentKind::Review).into()
        } else if rest.get("subject").is_some() {
            let id = rest["id"].as_str().ok_or_else(|| ItemError::new("$.id", "no id"))?;
            let mut notification = integrations_core::model::Notification::new(id);
            notification.unread = rest["unread"].as_bool().unwrap_or_default();
            notification.into()
        } else if rest.get("issue_url").is_some() || rest.get("diff_hunk").is_some() {
            let (word, kind) = match rest.get("diff_hunk") {
                Some(_) => ("review_comment", CommentKind::ReviewComment),
                None => ("comment", CommentKind::Comment),
            };
            let id = id(&rest["id"]).ok_or_else(|| ItemError::new("$.id", "no id"))?;
            let mut comment = Comment::new(format!("{word}:{id}"), kind);
            comment.body = rest["body"].as_str().map(str::to_owned);
            comment.into()
        } else {
            let number = id(&rest["number"]);
            let title = rest["title"]
                .as_str()
                .ok_or_else(|| ItemError::new("$.title", "expected a string").with_id(number.clone()))?;
            let number = number.ok_or_else(|| ItemError::new("$.number", "no number"))?;
            let pull = rest.get("pull_request").or(rest.get("head")).is_some();
            let kind = if pull { IssueKind::PullRequest } else { IssueKind::Issue };
            let mut issue = Issue::new(number, kind);
            issue.title = Some(title.to_owned());
            issue.state_reason = rest["state_reason"].as_str().map(str::to_owned);
            if let Some(details) = all.get("graphql") {
                let mut pull = integrations_core::model::PullRequest::default();
                pull.head_sha = details["headRefOid"].as_str().map(str::to_owned);
                issue.pull = Some(Box::new(pull));
            }
            issue.into()
        };
        let source = Source {
            service: context.stream.service.clone(),
            id: entity_id(&entity),
            version: None,
            link: None,
            modified_at: None,
        };
        Ok(Change::Upsert(Record { entity, source, raw: item.clone() }))
    }
}

fn entity_id(entity: &integrations_core::model::Entity) -> String {
    entity.id().to_owned()
}
