//! Which repositories are there?

/// A repository of the fake. Unless it says otherwise, every account belongs to it.
///
/// ```
/// use integrations_testkit::github::RepoSpec;
///
/// let hello = RepoSpec::new("octo-org/hello").description("This your first repo!").generated(10_000);
/// let secret = RepoSpec::new("octo-org/secret").private();
/// # drop((hello, secret));
/// ```
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the repository that GitHub shows")]
pub struct RepoSpec {
    pub(super) owner: String,
    pub(super) name: String,
    pub(super) id: Option<u64>,
    pub(super) description: Option<String>,
    pub(super) private: bool,
    pub(super) archived: bool,
    pub(super) fork: bool,
    pub(super) has_issues: bool,
    pub(super) members: Option<Vec<String>>,
    pub(super) generated: u64,
}

impl RepoSpec {
    /// A public repository with this full name, such as `octo-org/hello`. An owner whom nobody has added is
    /// added as an organization.
    ///
    /// # Panics
    /// When the name has no owner.
    pub fn new(full_name: &str) -> Self {
        let Some((owner, name)) = full_name.split_once('/') else {
            panic!("{full_name:?} is no full name of a repository, such as octo-org/hello");
        };
        Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
            id: None,
            description: None,
            private: false,
            archived: false,
            fork: false,
            has_issues: true,
            members: None,
            generated: 0,
        }
    }

    /// Its number. Default: made up.
    pub fn id(mut self, id: u64) -> Self {
        self.id = Some(id);
        self
    }

    /// What it is.
    pub fn description(mut self, description: &str) -> Self {
        self.description = Some(description.to_owned());
        self
    }

    /// Only those who belong to it may see it, with the scope `repo` or through an installation.
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// It is archived: it can be read.
    pub fn archived(mut self) -> Self {
        self.archived = true;
        self
    }

    /// It is a fork of another.
    pub fn fork(mut self) -> Self {
        self.fork = true;
        self
    }

    /// It has no issues, only pull requests: listing its issues answers 410.
    pub fn without_issues(mut self) -> Self {
        self.has_issues = false;
        self
    }

    /// The accounts, by login, that belong to it, instead of all of them. With none it is somebody else's:
    /// if it is public it can be read, but is in no listing.
    pub fn members(mut self, logins: &[&str]) -> Self {
        self.members = Some(logins.iter().map(|&login| login.to_owned()).collect());
        self
    }

    /// Fills it with so many made-up issues, three of ten of them pull requests, with comments, reviews and
    /// checks, in the 400 days before the fake started. They cost no memory. At most a million. Default 0.
    pub fn generated(mut self, issues: u64) -> Self {
        self.generated = issues;
        self
    }
}
