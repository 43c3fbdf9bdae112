//! Which folders does the mailbox have?

/// A mail folder.
///
/// ```
/// use integrations_testkit::msgraph::FolderSpec;
///
/// let inbox = FolderSpec::well_known("inbox").generated(10_000);
/// let projects = FolderSpec::new("Projects").inside("inbox");
/// let secret = FolderSpec::new("Sync Issues").hidden();
/// # drop((inbox, projects, secret));
/// ```
#[derive(Debug, Clone)]
pub struct FolderSpec {
    pub(super) name: String,
    pub(super) well_known: bool,
    pub(super) parent: String,
    pub(super) hidden: bool,
    pub(super) generated: u64,
}

impl FolderSpec {
    /// An empty folder with this name, at the top.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            well_known: false,
            parent: "msgfolderroot".to_owned(),
            hidden: false,
            generated: 0,
        }
    }

    /// One of the folders that every mailbox has, by its well-known name, such as `inbox` or `sentitems`.
    pub fn well_known(name: &str) -> Self {
        Self { well_known: true, ..Self::new(name) }
    }

    /// The folder that it lies in: an id, a well-known name, or the name of a folder.
    pub fn inside(mut self, parent: &str) -> Self {
        parent.clone_into(&mut self.parent);
        self
    }

    /// Hides it from listings unless `includeHiddenFolders` is asked for.
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Fills it with so many made-up messages from before the day the fake starts. Default 0.
    pub fn generated(mut self, messages: u64) -> Self {
        self.generated = messages;
        self
    }
}
