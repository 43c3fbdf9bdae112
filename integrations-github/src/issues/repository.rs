//! How is a repository read?
//!
//! First its issues, and the pull requests among them, each page with what GraphQL knows of these; then the
//! comments, then the comments on lines. Whoever comments on an issue changes it, so where no issue has changed,
//! nobody is asked for comments: a repository in which nothing has happened costs one call, which is answered 304.
//!
//! A repository whose issues are switched off has pull requests still: see [`pulls`](super::pulls).

use chrono::{DateTime, Utc};
use integrations_core::adapter::{Next, Page, Pull, PullFrom};
use integrations_core::model::Raw;
use integrations_core::{ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::api::Api;
use super::details::{self, Repository, Reviews};
use super::list::{Fresh, Head, List, Source};
use super::pulls::Pulls;
use super::sync::{lost, parse, write};
use crate::limits::PER_PAGE;

/// Up to where a repository was read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Mark {
    issues: List,
    comments: List,
    review_comments: List,
    /// Set where issues are switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pulls: Option<Pulls>,
    /// Whether comments, and comments on lines, are to be looked for though no issue has changed: the last change
    /// was so young that its comment may not have been visible.
    #[serde(default)]
    again: (bool, bool),
}

/// What is read next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Issues,
    Comments,
    ReviewComments,
    Done,
}

/// Where a run stands between two pages.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    mark: Mark,
    step: Step,
    /// Whether an issue that has comments was read.
    talked: bool,
    /// Whether a pull request was read.
    pulled: bool,
    /// Whether everything is listed.
    listing: bool,
    /// Pull requests that have more reviews.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    more: Vec<More>,
}

/// The reviews of a pull request that are still to be read.
#[derive(Debug, Serialize, Deserialize)]
struct More {
    number: u64,
    after: String,
    /// The repository's address in the API.
    of: String,
}

/// One page.
pub(super) async fn read(api: Api<'_>, pull: Pull<'_>) -> Result<Page> {
    let start = |mark, listing| Place {
        mark,
        step: Step::Issues,
        talked: false,
        pulled: false,
        listing,
        more: Vec::new(),
    };
    let mut place = match pull.from {
        PullFrom::Listing { page: None } => {
            // What was said before the window is outside of it; an issue never is.
            let said = List::since(pull.window.since);
            let mark = Mark { comments: said.clone(), review_comments: said, ..Mark::default() };
            start(mark, true)
        }
        PullFrom::Changes { since, page: None } => start(parse(since)?, false),
        PullFrom::Listing { page: Some(page) } | PullFrom::Changes { page: Some(page), .. } => parse(page)?,
    };
    let size = pull.page_size.clamp(1, PER_PAGE);
    let items = place.read(api, pull.stream.as_str(), size).await?;
    if place.step == Step::Done && place.more.is_empty() {
        return Ok(Page::new(items, Next::Done(write(&place.end(api.session.now()))?)));
    }
    Ok(Page::new(items, Next::Page(write(&place)?)))
}

impl Place {
    async fn read(&mut self, api: Api<'_>, id: &str, size: u32) -> Result<Vec<Raw>> {
        if let Some(more) = self.more.pop() {
            return self.read_reviews(api, id, more).await;
        }
        match self.step {
            Step::Issues => self.read_issues(api, id, size).await,
            Step::Comments => self.read_comments(api, Source::COMMENTS, id, size).await,
            Step::ReviewComments => self.read_comments(api, Source::REVIEW_COMMENTS, id, size).await,
            Step::Done => Ok(Vec::new()),
        }
    }

    /// The step after this one; those that can bring nothing are left out.
    const fn go_on(&mut self) {
        let (comments, on_lines) = self.mark.again;
        self.step = match self.step {
            Step::Issues if self.talked || comments => Step::Comments,
            Step::Issues | Step::Comments if self.pulled || on_lines => Step::ReviewComments,
            _ => Step::Done,
        };
    }

    /// The mark at the end of a run.
    fn end(self, now: DateTime<Utc>) -> Mark {
        let mut mark = self.mark;
        let recent =
            mark.pulls.as_ref().map_or_else(|| mark.issues.is_recent(now), |pulls| pulls.is_recent(now));
        let (comments, on_lines) = mark.again;
        mark.again = (recent && (self.talked || comments), recent && (self.pulled || on_lines));
        mark
    }

    async fn read_issues(&mut self, api: Api<'_>, id: &str, size: u32) -> Result<Vec<Raw>> {
        let mut found = Vec::new();
        let mut items = Vec::new();
        let read = match &mut self.mark.pulls {
            None => self.mark.issues.read(api, Source::ISSUES, id, size).await,
            Some(pulls) => pulls.read(api, id, size, self.listing).await,
        };
        let Fresh { items: fresh, more } = match read {
            Err(error) if error.provider_code() == Some("issues_disabled") => {
                if !self.listing {
                    return Err(lost("issues were switched off: there are pull requests alone"));
                }
                let pulls = self.mark.pulls.insert(Pulls::default());
                pulls.read(api, id, size, true).await?
            }
            read => read?,
        };
        for (head, item) in fresh {
            // Of what cannot be read, anything may be so.
            self.talked |= head.as_ref().is_none_or(Head::has_comments);
            self.pulled |= head.as_ref().is_none_or(Head::is_pull);
            if let Some((number, of)) = head.as_ref().and_then(Head::pull) {
                found.push(Found { at: items.len(), number, of: of.to_owned() });
            }
            items.push(item);
        }
        if !more {
            self.go_on();
        }
        if let Some(of) = found.first().map(|first| first.of.clone()) {
            found.retain(|one| one.of == of);
            self.add_details(api, id, &of, &found, &mut items).await?;
        }
        Ok(items)
    }

    /// Puts what GraphQL knows of the pull requests of a page beside them, and their reviews behind.
    async fn add_details(
        &mut self,
        api: Api<'_>,
        id: &str,
        of: &str,
        found: &[Found],
        items: &mut Vec<Raw>,
    ) -> Result<()> {
        let Some(repository) = Repository::of(id, of) else { return Ok(()) };
        let numbers: Vec<u64> = found.iter().map(|one| one.number).collect();
        let mut known = details::of_pulls(api, repository, &numbers).await?;
        for Found { at, number, .. } in found {
            let Some(details) = known.remove(number) else { continue };
            items[*at] = beside(&items[*at], &details.pull);
            self.add_reviews(*number, of, details.reviews, items);
        }
        Ok(())
    }

    async fn read_reviews(&mut self, api: Api<'_>, id: &str, more: More) -> Result<Vec<Raw>> {
        let More { number, after, of } = more;
        let mut items = Vec::new();
        if let Some(repository) = Repository::of(id, &of) {
            let reviews = details::more_reviews(api, repository, number, &after).await?;
            self.add_reviews(number, &of, reviews, &mut items);
        }
        Ok(items)
    }

    fn add_reviews(&mut self, number: u64, of: &str, reviews: Reviews, items: &mut Vec<Raw>) {
        items.extend(reviews.items.iter().map(|review| of_pull(review, number, of)));
        self.more.extend(reviews.next.map(|after| More { number, after, of: of.to_owned() }));
    }

    async fn read_comments(&mut self, api: Api<'_>, what: Source, id: &str, size: u32) -> Result<Vec<Raw>> {
        let list =
            if what == Source::COMMENTS { &mut self.mark.comments } else { &mut self.mark.review_comments };
        let fresh = match list.read(api, what, id, size).await {
            // Where issues are switched off, there may be no comments to be listed either.
            Err(error)
                if self.mark.pulls.is_some()
                    && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnsupportedOperation) =>
            {
                Fresh { items: Vec::new(), more: false }
            }
            fresh => fresh?,
        };
        if !fresh.more {
            self.go_on();
        }
        Ok(fresh.items.into_iter().map(|(_, item)| item).collect())
    }
}

/// A pull request among the items of a page.
struct Found {
    at: usize,
    number: u64,
    /// Its repository's address in the API.
    of: String,
}

/// `{"rest": …, "graphql": …}`.
fn beside(item: &Raw, known: &RawValue) -> Raw {
    let parts = [br#"{"rest":"#, item.as_bytes(), br#","graphql":"#, known.get().as_bytes(), b"}"];
    Raw::new(parts.concat())
}

/// `{"review": …, "number": …, "repository_url": …}`.
fn of_pull(review: &RawValue, number: u64, of: &str) -> Raw {
    let of = serde_json::Value::from(of);
    Raw::new(format!(r#"{{"review":{},"number":{number},"repository_url":{of}}}"#, review.get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_beside_is_json() {
        let known = RawValue::from_string(r#"{"isDraft":true}"#.into()).unwrap();
        let both = beside(&Raw::new(r#"{ "number" : 12 }"#), &known);
        assert_eq!(both.to_text(), r#"{"rest":{ "number" : 12 },"graphql":{"isDraft":true}}"#);
        let review = of_pull(&known, 12, "https://x/\"\\");
        let review: serde_json::Value = serde_json::from_slice(review.as_bytes()).unwrap();
        assert_eq!(review["repository_url"], "https://x/\"\\");
    }

    #[test]
    fn what_can_bring_nothing_is_not_asked_for() {
        let steps = |talked, pulled, again| {
            let mark = Mark { again, ..Mark::default() };
            let mut place =
                Place { mark, step: Step::Issues, talked, pulled, listing: false, more: Vec::new() };
            let mut steps = Vec::new();
            while place.step != Step::Done {
                place.go_on();
                steps.push(place.step);
            }
            steps
        };
        let no = (false, false);
        assert_eq!(steps(false, false, no), [Step::Done]);
        assert_eq!(steps(true, false, no), [Step::Comments, Step::Done]);
        assert_eq!(steps(false, true, no), [Step::ReviewComments, Step::Done]);
        assert_eq!(steps(false, false, (true, true)), [Step::Comments, Step::ReviewComments, Step::Done]);
        assert_eq!(steps(true, false, (false, true)), [Step::Comments, Step::ReviewComments, Step::Done]);
    }
}
