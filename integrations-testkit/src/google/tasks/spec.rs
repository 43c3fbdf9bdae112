//! Which task lists does the account have?

/// A task list of the account.
///
/// ```
/// use integrations_testkit::google::TaskListSpec;
///
/// let errands = TaskListSpec::new("errands").title("Errands").generated(200);
/// # drop(errands);
/// ```
#[derive(Debug, Clone)]
pub struct TaskListSpec {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) generated: u64,
}

impl TaskListSpec {
    /// An empty list, named like its id.
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), title: id.to_owned(), generated: 0 }
    }

    /// The list's title.
    pub fn title(mut self, title: &str) -> Self {
        title.clone_into(&mut self.title);
        self
    }

    /// Fills it with so many made-up tasks of the time before the fake starts. Default 0.
    pub fn generated(mut self, tasks: u64) -> Self {
        self.generated = tasks;
        self
    }
}
