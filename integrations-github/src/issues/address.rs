//! Which repository, and what of it, does one of GitHub's addresses name?
//!
//! Many items say so nowhere else: a comment names its issue by an address alone. Addresses of the API have the
//! repository behind `/repos/`, wherever the API is (`https://api.github.com`, `https://HOST/api/v3`); addresses of
//! pages have it first.

/// A repository, and what of it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address<'a> {
    /// `owner/name`.
    pub project: &'a str,
    /// The rest of the path, e.g. `issues/42`.
    rest: &'a str,
}

impl<'a> Address<'a> {
    /// Reads an address of the API.
    pub(super) fn api(url: &'a str) -> Option<Self> {
        Self::of_path(url.split_once("/repos/")?.1)
    }

    /// Reads an address of a page.
    pub(super) fn page(url: &'a str) -> Option<Self> {
        Self::of_path(url.split_once("://")?.1.split_once('/')?.1)
    }

    fn of_path(path: &'a str) -> Option<Self> {
        let path = path.split(['?', '#']).next()?;
        let owner = path.find('/').filter(|end| *end > 0)?;
        let name = path[owner + 1..].find('/').unwrap_or(path.len() - owner - 1);
        let (project, rest) = path.split_at(owner + 1 + name);
        (name > 0).then(|| Self { project, rest: rest.trim_start_matches('/') })
    }

    /// The number of the issue or pull request, if that is what is named.
    pub(super) fn number(self) -> Option<u64> {
        let (collection, rest) = self.rest.split_once('/')?;
        let number = rest.split('/').next()?;
        ["issues", "pulls", "pull"].contains(&collection).then(|| digits(number)).flatten()
    }

    /// Whether a pull request is named, and not an issue.
    pub(super) fn is_pull(self) -> bool {
        self.rest.starts_with("pull") && self.number().is_some()
    }

    /// The id of the comment on an issue, if that is what is named.
    pub(super) fn comment(self) -> Option<u64> {
        digits(self.rest.strip_prefix("issues/comments/")?)
    }

    /// The id of the comment on a place in a change, if that is what is named.
    pub(super) fn review_comment(self) -> Option<u64> {
        digits(self.rest.strip_prefix("pulls/comments/")?)
    }
}

/// A number, written as GitHub writes it.
pub(super) fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_of_the_api_and_of_pages_name_the_same() {
        for (url, project, number) in [
            ("https://api.github.com/repos/octocat/Hello-World/issues/42", "octocat/Hello-World", Some(42)),
            ("https://api.github.com/repos/octocat/Hello-World/pulls/42", "octocat/Hello-World", Some(42)),
            ("https://git.example.com/api/v3/repos/repos/pulls/issues/7?x=1", "repos/pulls", Some(7)),
            ("http://127.0.0.1:1/repos/a/b/pulls/7/reviews/80", "a/b", Some(7)),
            ("https://api.github.com/repos/a/b", "a/b", None),
            ("https://api.github.com/repos/a/b/", "a/b", None),
            ("https://api.github.com/repos/a/b/issues/comments/7", "a/b", None),
            ("https://api.github.com/repos/a/b/milestones/7", "a/b", None),
            ("https://api.github.com/repos/a/b/issues/-7", "a/b", None),
            ("https://api.github.com/repos/a/b/issues/", "a/b", None),
            ("https://api.github.com/repos/a/b/issues/99999999999999999999", "a/b", None),
        ] {
            let address = Address::api(url).unwrap();
            assert_eq!((address.project, address.number()), (project, number), "{url}");
        }
        let page = Address::page("https://github.com/a/b.c/pull/42#discussion_r7").unwrap();
        assert_eq!((page.project, page.number(), page.is_pull()), ("a/b.c", Some(42), true));
        let page = Address::page("https://github.com/a/b/issues/42#issuecomment-1").unwrap();
        assert_eq!((page.number(), page.is_pull()), (Some(42), false));
        assert_eq!(Address::page("https://github.com/a/b/discussions/4").unwrap().number(), None);
    }

    #[test]
    fn what_names_no_repository_is_no_address() {
        for url in
            ["", "x", "https://api.github.com/user", "https://api.github.com/repos/", "/repos/a", "/repos//b"]
        {
            assert_eq!(Address::api(url), None, "{url}");
        }
        for url in
            ["", "github.com/a/b", "https://github.com", "https://github.com/a", "https://github.com//b"]
        {
            assert_eq!(Address::page(url), None, "{url}");
        }
    }

    #[test]
    fn comments_are_told_apart() {
        let address = Address::api("https://api.github.com/repos/a/b/issues/comments/7").unwrap();
        assert_eq!((address.comment(), address.review_comment()), (Some(7), None));
        let address = Address::api("https://api.github.com/repos/a/b/pulls/comments/7").unwrap();
        assert_eq!((address.comment(), address.review_comment()), (None, Some(7)));
        assert_eq!(
            Address::api("https://api.github.com/repos/a/b/issues/comments/x").unwrap().comment(),
            None
        );
    }
}
