//! Which calendars does the account have?

/// A calendar of the account.
///
/// ```
/// use integrations_testkit::google::CalendarSpec;
///
/// let team = CalendarSpec::new("team@group.calendar.google.com")
///     .summary("Team")
///     .time_zone("America/New_York")
///     .access_role("reader")
///     .generated(1_000);
/// # drop(team);
/// ```
#[derive(Debug, Clone)]
pub struct CalendarSpec {
    pub(super) id: String,
    pub(super) summary: String,
    pub(super) description: Option<String>,
    pub(super) time_zone: String,
    pub(super) access_role: String,
    pub(super) primary: bool,
    pub(super) hidden: bool,
    pub(super) generated: u64,
}

impl CalendarSpec {
    /// An empty calendar in UTC that the account owns, named like its id.
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            summary: id.to_owned(),
            description: None,
            time_zone: "UTC".to_owned(),
            access_role: "owner".to_owned(),
            primary: false,
            hidden: false,
            generated: 0,
        }
    }

    /// The calendar's title.
    pub fn summary(mut self, summary: &str) -> Self {
        summary.clone_into(&mut self.summary);
        self
    }

    /// The calendar's description.
    pub fn description(mut self, description: &str) -> Self {
        self.description = Some(description.to_owned());
        self
    }

    /// An IANA time zone. Default `UTC`.
    pub fn time_zone(mut self, time_zone: &str) -> Self {
        time_zone.clone_into(&mut self.time_zone);
        self
    }

    /// What the account may do with it, such as `reader`. Default `owner`.
    pub fn access_role(mut self, role: &str) -> Self {
        role.clone_into(&mut self.access_role);
        self
    }

    /// Makes it the account's primary calendar, which also answers to `primary`.
    pub fn primary(mut self) -> Self {
        self.primary = true;
        self
    }

    /// Hides it from the calendar list unless `showHidden` is asked for.
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Fills it with so many made-up events around the day the fake starts. Default 0.
    pub fn generated(mut self, events: u64) -> Self {
        self.generated = events;
        self
    }
}
