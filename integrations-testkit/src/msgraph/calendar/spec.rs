//! Which calendars does the account have?

/// A calendar of the account.
///
/// ```
/// use integrations_testkit::msgraph::CalendarSpec;
///
/// let team = CalendarSpec::new("Team")
///     .owner("Grace Hopper", "grace@example.com")
///     .read_only()
///     .time_zone("W. Europe Standard Time")
///     .generated(1_000);
/// # drop(team);
/// ```
#[derive(Debug, Clone)]
pub struct CalendarSpec {
    pub(super) name: String,
    pub(super) color: String,
    pub(super) owner: Option<(String, String)>,
    pub(super) default: bool,
    pub(super) can_edit: bool,
    pub(super) time_zone: String,
    pub(super) generated: u64,
}

impl CalendarSpec {
    /// An empty calendar with this title, in UTC, which belongs to the account.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            color: "auto".to_owned(),
            owner: None,
            default: false,
            can_edit: true,
            time_zone: "UTC".to_owned(),
            generated: 0,
        }
    }

    /// Makes it the account's own calendar, which also answers at `/me/calendar` and `/me/calendarView`.
    /// Without one, the first calendar is it.
    pub fn default_calendar(mut self) -> Self {
        self.default = true;
        self
    }

    /// Whose calendar it is, if not the account's: one that was shared.
    pub fn owner(mut self, name: &str, address: &str) -> Self {
        self.owner = Some((name.to_owned(), address.to_owned()));
        self
    }

    /// The account may not change it.
    pub fn read_only(mut self) -> Self {
        self.can_edit = false;
        self
    }

    /// Outlook's name of a colour, such as `lightBlue`. Default `auto`.
    pub fn color(mut self, color: &str) -> Self {
        color.clone_into(&mut self.color);
        self
    }

    /// The zone of most generated events, by Windows' name or IANA's. Default `UTC`.
    pub fn time_zone(mut self, time_zone: &str) -> Self {
        time_zone.clone_into(&mut self.time_zone);
        self
    }

    /// Fills it with so many made-up events around the day the fake starts, one in ten of them a series.
    /// Default 0.
    pub fn generated(mut self, events: u64) -> Self {
        self.generated = events;
        self
    }
}
