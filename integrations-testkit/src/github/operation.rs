//! Which operations are there, and what belongs to each?

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// An operation of the REST API that this fake answers itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    CombinedStatus,
    CheckRuns,
    Installations,
    InstallationRepositories,
    InstallationRepositoriesOfUser,
    IssueComments,
    Issue,
    Issues,
    IssuesComments,
    Labels,
    Milestones,
    Notifications,
    Pull,
    Pulls,
    PullsComments,
    PullComments,
    RateLimit,
    Repository,
    Repositories,
    Reviews,
    User,
}

/// Who may call an operation at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Callers {
    /// Also nobody in particular, as far as something is public.
    All,
    /// A user.
    Users,
    /// A user, but not through a GitHub App.
    UsersWithoutApp,
    /// A user through a GitHub App.
    UsersOfApp,
    Installations,
}

/// One operation, as data.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) operation: Operation,
    /// GitHub's own name of it.
    pub(super) name: &'static str,
    /// Whether the path is behind that of a repository.
    in_repository: bool,
    /// `{}` stands for text, `{#}` for a number.
    path: &'static str,
    pub(super) parameters: &'static [&'static str],
    pub(super) callers: Callers,
    /// Any of these scopes opens what is private.
    pub(super) scopes: &'static [&'static str],
    /// Any of these permissions opens it to an app.
    pub(super) permissions: &'static [&'static str],
    /// The page about it.
    pub(super) docs: &'static str,
}

const PAGES: &[&str] = &["per_page", "page"];
const ISSUES: &[&str] = &[
    "milestone",
    "state",
    "assignee",
    "creator",
    "labels",
    "sort",
    "direction",
    "since",
    "per_page",
    "page",
    "after",
    "before",
];
const REPOSITORIES: &[&str] =
    &["visibility", "affiliation", "type", "sort", "direction", "per_page", "page", "since", "before"];
const COMMENTS: &[&str] = &["sort", "direction", "since", "per_page", "page"];
const SINCE: &[&str] = &["since", "per_page", "page"];
const PULLS: &[&str] = &["state", "head", "base", "sort", "direction", "per_page", "page"];
const CHECK_RUNS: &[&str] = &["check_name", "status", "filter", "per_page", "page"];
const MILESTONES: &[&str] = &["state", "sort", "direction", "per_page", "page"];
const NOTIFICATIONS: &[&str] = &["all", "participating", "since", "before", "per_page", "page"];

const REPO: &[&str] = &["repo"];
const NOTIFIED: &[&str] = &["notifications", "repo"];
const BOTH: &[&str] = &["issues", "pull_requests"];

const fn root(
    operation: Operation,
    name: &'static str,
    path: &'static str,
    parameters: &'static [&'static str],
    callers: Callers,
    docs: &'static str,
) -> Row {
    Row {
        operation,
        name,
        in_repository: false,
        path,
        parameters,
        callers,
        scopes: &[],
        permissions: &[],
        docs,
    }
}

const fn within(
    operation: Operation,
    name: &'static str,
    path: &'static str,
    parameters: &'static [&'static str],
    permissions: &'static [&'static str],
    docs: &'static str,
) -> Row {
    let callers = Callers::All;
    Row { operation, name, in_repository: true, path, parameters, callers, scopes: REPO, permissions, docs }
}

impl Row {
    const fn scopes(self, scopes: &'static [&'static str]) -> Self {
        Self { scopes, ..self }
    }
}

#[rustfmt::skip]
const OPERATIONS: &[Row] = &[
    root(Operation::User, "users.getAuthenticated", "/user", &[], Callers::Users, "users/users#get-the-authenticated-user"),
    root(Operation::Repositories, "repos.listForAuthenticatedUser", "/user/repos", REPOSITORIES, Callers::UsersWithoutApp, "repos/repos#list-repositories-for-the-authenticated-user"),
    root(Operation::Installations, "apps.listInstallationsForAuthenticatedUser", "/user/installations", PAGES, Callers::UsersOfApp, "apps/installations#list-app-installations-accessible-to-the-user-access-token"),
    root(Operation::InstallationRepositoriesOfUser, "apps.listInstallationReposForAuthenticatedUser", "/user/installations/{#}/repositories", PAGES, Callers::UsersOfApp, "apps/installations#list-repositories-accessible-to-the-user-access-token"),
    root(Operation::InstallationRepositories, "apps.listReposAccessibleToInstallation", "/installation/repositories", PAGES, Callers::Installations, "apps/installations#list-repositories-accessible-to-the-app-installation"),
    root(Operation::Notifications, "activity.listNotificationsForAuthenticatedUser", "/notifications", NOTIFICATIONS, Callers::UsersWithoutApp, "activity/notifications#list-notifications-for-the-authenticated-user").scopes(NOTIFIED),
    root(Operation::RateLimit, "rateLimit.get", "/rate_limit", &[], Callers::All, "rate-limit/rate-limit#get-rate-limit-status-for-the-authenticated-user"),
    within(Operation::Repository, "repos.get", "", &[], &["metadata"], "repos/repos#get-a-repository"),
    within(Operation::Issues, "issues.listForRepo", "/issues", ISSUES, BOTH, "issues/issues#list-repository-issues"),
    within(Operation::IssuesComments, "issues.listCommentsForRepo", "/issues/comments", COMMENTS, BOTH, "issues/comments#list-issue-comments-for-a-repository"),
    within(Operation::Issue, "issues.get", "/issues/{#}", &[], BOTH, "issues/issues#get-an-issue"),
    within(Operation::IssueComments, "issues.listComments", "/issues/{#}/comments", SINCE, BOTH, "issues/comments#list-issue-comments"),
    within(Operation::Labels, "issues.listLabelsForRepo", "/labels", PAGES, BOTH, "issues/labels#list-labels-for-a-repository"),
    within(Operation::Milestones, "issues.listMilestones", "/milestones", MILESTONES, BOTH, "issues/milestones#list-milestones"),
    within(Operation::Pulls, "pulls.list", "/pulls", PULLS, &["pull_requests"], "pulls/pulls#list-pull-requests"),
    within(Operation::PullsComments, "pulls.listReviewCommentsForRepo", "/pulls/comments", COMMENTS, &["pull_requests"], "pulls/comments#list-review-comments-in-a-repository"),
    within(Operation::Pull, "pulls.get", "/pulls/{#}", &[], &["pull_requests"], "pulls/pulls#get-a-pull-request"),
    within(Operation::Reviews, "pulls.listReviews", "/pulls/{#}/reviews", PAGES, &["pull_requests"], "pulls/reviews#list-reviews-for-a-pull-request"),
    within(Operation::PullComments, "pulls.listReviewComments", "/pulls/{#}/comments", COMMENTS, &["pull_requests"], "pulls/comments#list-review-comments-on-a-pull-request"),
    within(Operation::CheckRuns, "checks.listForRef", "/commits/{}/check-runs", CHECK_RUNS, &["checks"], "checks/runs#list-check-runs-for-a-git-reference"),
    within(Operation::CombinedStatus, "repos.getCombinedStatusForRef", "/commits/{}/status", PAGES, &["statuses"], "commits/statuses#get-the-combined-status-for-a-specific-reference"),
];

/// How a path names a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    FullName(String),
    Id(u64),
}

/// What a path asks for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) row: &'static Row,
    pub(super) repository: Option<Named>,
    /// What is behind the repository, as the caller wrote it.
    pub(super) rest: String,
    /// The issue, the pull request or the installation.
    pub(super) number: u64,
    /// The commit, or its branch.
    pub(super) reference: String,
}

/// What the path of a call, without the prefix of the API, asks for; `None` when it is nothing the fake has.
pub(super) fn asked(path: &str) -> Option<Asked> {
    let decoded = |segment: &str| percent_decode_str(segment).decode_utf8().ok().map(Cow::into_owned);
    let (repository, rest) = if let Some(behind) = path.strip_prefix("/repos/") {
        let mut parts = behind.splitn(3, '/');
        let (owner, name) = (decoded(parts.next()?)?, decoded(parts.next()?)?);
        let rest = parts.next().map_or(String::new(), |rest| format!("/{rest}"));
        (Some(Named::FullName(format!("{owner}/{name}"))), rest)
    } else if let Some(behind) = path.strip_prefix("/repositories/") {
        let (id, rest) = behind.split_once('/').map_or((behind, None), |(id, rest)| (id, Some(rest)));
        (Some(Named::Id(id.parse().ok()?)), rest.map_or(String::new(), |rest| format!("/{rest}")))
    } else {
        (None, path.to_owned())
    };
    OPERATIONS.iter().filter(|row| row.in_repository == repository.is_some()).find_map(|row| {
        let (mut number, mut reference) = (0, String::new());
        let (mut parts, mut patterns) = (rest.split('/'), row.path.split('/'));
        loop {
            match (patterns.next(), parts.next()) {
                (None, None) => break,
                (Some("{#}"), Some(part)) if part.bytes().all(|byte| byte.is_ascii_digit()) => {
                    number = part.parse().ok()?;
                }
                (Some("{}"), Some(part)) if !part.is_empty() => reference = decoded(part)?,
                (Some(pattern), Some(part)) if pattern == part => {}
                _ => return None,
            }
        }
        let (repository, rest) = (repository.clone(), rest.clone());
        Some(Asked { row, repository, rest, number, reference })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_their_operation() {
        let named = |path: &str| asked(path).map(|asked| (asked.row.name, asked.number, asked.reference));
        let of = |name: &'static str, number: u64, text: &str| Some((name, number, text.to_owned()));
        assert_eq!(named("/repos/o/r"), of("repos.get", 0, ""));
        assert_eq!(named("/repositories/7/issues"), of("issues.listForRepo", 0, ""));
        assert_eq!(named("/repos/o/r/issues/comments"), of("issues.listCommentsForRepo", 0, ""));
        assert_eq!(named("/repos/o/r/issues/12/comments"), of("issues.listComments", 12, ""));
        assert_eq!(
            named("/repos/o/r/commits/topic%2Fone/status"),
            of("repos.getCombinedStatusForRef", 0, "topic/one")
        );
        let named_id = asked("/repositories/7/pulls/3").map(|asked| asked.repository);
        assert_eq!(named_id, Some(Some(Named::Id(7))));
        for nothing in [
            "/",
            "",
            "/repos",
            "/repos/o",
            "/repos/o/r/",
            "/repos/o/r/issues/",
            "/repos/o/r/issues/x",
            "/repos/o/r/issues//comments",
            "/repositories/x",
            "/user/",
            "/repos/o/r/commits/a/b/status",
        ] {
            assert!(asked(nothing).is_none(), "{nothing}");
        }
    }

    #[test]
    fn names_are_unique() {
        for (index, row) in OPERATIONS.iter().enumerate() {
            assert!(OPERATIONS[..index].iter().all(|other| other.name != row.name), "{}", row.name);
        }
    }
}
