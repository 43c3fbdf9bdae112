//! Which channels and users does the workspace have?

use super::channel::Kind;

/// A channel of the workspace. Unless it says otherwise, those who use the app (its accounts and its bot)
/// are members of it.
///
/// ```
/// use integrations_testkit::slack::ChannelSpec;
///
/// let random = ChannelSpec::public("random").topic("Non-work banter").generated(1_000);
/// let secret = ChannelSpec::private("secret").id("C0BECAMEPRIV");
/// let direct = ChannelSpec::im("U0GRACE");
/// # drop((random, secret, direct));
/// ```
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the channel that Slack shows")]
pub struct ChannelSpec {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) topic: String,
    pub(super) purpose: String,
    pub(super) creator: Option<String>,
    pub(super) created: Option<i64>,
    pub(super) archived: bool,
    pub(super) general: bool,
    pub(super) ext_shared: bool,
    /// Those who use the app.
    pub(super) joined: bool,
    pub(super) members: Vec<String>,
    pub(super) generated: u64,
}

impl ChannelSpec {
    fn new(kind: Kind, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            id: None,
            topic: String::new(),
            purpose: String::new(),
            creator: None,
            created: None,
            archived: false,
            general: false,
            ext_shared: false,
            joined: true,
            members: Vec::new(),
            generated: 0,
        }
    }

    /// An empty public channel.
    pub fn public(name: &str) -> Self {
        Self::new(Kind::Public, name)
    }

    /// An empty private channel. Its made-up id begins with `G`, as they did until 2021; an
    /// [`id`](Self::id) that begins with `C` makes it one of today's.
    pub fn private(name: &str) -> Self {
        Self::new(Kind::Private, name)
    }

    /// The direct messages with a user.
    pub fn im(user: &str) -> Self {
        Self { members: vec![user.to_owned()], ..Self::new(Kind::Im, "") }
    }

    /// A conversation with several users.
    pub fn mpim(users: &[&str]) -> Self {
        Self { members: owned(users), ..Self::new(Kind::Mpim, "") }
    }

    /// Its id. Default: made up, beginning with `C`, `G` or `D`.
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// What it is about at present.
    pub fn topic(mut self, topic: &str) -> Self {
        topic.clone_into(&mut self.topic);
        self
    }

    /// What it is for.
    pub fn purpose(mut self, purpose: &str) -> Self {
        purpose.clone_into(&mut self.purpose);
        self
    }

    /// The user who made it. Default: the first account.
    pub fn creator(mut self, user: &str) -> Self {
        self.creator = Some(user.to_owned());
        self
    }

    /// When it was made, in seconds of the epoch. Default: when it is added, or before its first generated
    /// message.
    pub fn created(mut self, seconds: i64) -> Self {
        self.created = Some(seconds);
        self
    }

    /// It is archived.
    pub fn archived(mut self) -> Self {
        self.archived = true;
        self
    }

    /// It is the workspace's general channel.
    pub fn general(mut self) -> Self {
        self.general = true;
        self
    }

    /// It is shared with another workspace.
    pub fn ext_shared(mut self) -> Self {
        self.ext_shared = true;
        self
    }

    /// Those who use the app are not members: `is_member` is false.
    pub fn not_joined(mut self) -> Self {
        self.joined = false;
        self
    }

    /// Users who are members, beside those who use the app.
    pub fn members(mut self, users: &[&str]) -> Self {
        self.members.extend(owned(users));
        self
    }

    /// Fills it with so many made-up messages, not counting the replies in their threads, in the 400 days
    /// before the fake started. They cost no memory. Default 0.
    pub fn generated(mut self, messages: u64) -> Self {
        self.generated = messages;
        self
    }
}

/// What a user may do in the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Member,
    Admin,
    Guest,
    SingleChannelGuest,
}

/// A user of the workspace.
///
/// ```
/// use integrations_testkit::slack::UserSpec;
///
/// let grace = UserSpec::new("grace").id("U0GRACE").real_name("Grace Hopper").time_zone("America/New_York");
/// let deploy = UserSpec::new("deploy").bot();
/// # drop((grace, deploy));
/// ```
#[derive(Debug, Clone)]
pub struct UserSpec {
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) real_name: Option<String>,
    pub(super) display_name: String,
    pub(super) email: Option<String>,
    pub(super) title: String,
    pub(super) status: (String, String),
    pub(super) time_zone: String,
    pub(super) bot: Option<String>,
    pub(super) app_user: bool,
    pub(super) standing: Standing,
    pub(super) deleted: bool,
}

impl UserSpec {
    /// A user with this short name, and an address made from it.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            id: None,
            real_name: None,
            display_name: String::new(),
            email: Some(format!("{name}@example.com")),
            title: String::new(),
            status: (String::new(), String::new()),
            time_zone: "Europe/Berlin".to_owned(),
            bot: None,
            app_user: false,
            standing: Standing::Member,
            deleted: false,
        }
    }

    /// The user's id. Default: made up, beginning with `U`.
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// The full name. Default: the short one.
    pub fn real_name(mut self, name: &str) -> Self {
        self.real_name = Some(name.to_owned());
        self
    }

    /// The name that the user chose to be shown. Default: empty, as with most users.
    pub fn display_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.display_name);
        self
    }

    /// The address.
    pub fn email(mut self, email: &str) -> Self {
        self.email = Some(email.to_owned());
        self
    }

    /// No address.
    pub(super) fn no_email(mut self) -> Self {
        self.email = None;
        self
    }

    /// What the user does.
    pub fn title(mut self, title: &str) -> Self {
        title.clone_into(&mut self.title);
        self
    }

    /// The status: a text, and an emoji such as `:palm_tree:`.
    pub fn status(mut self, text: &str, emoji: &str) -> Self {
        self.status = (text.to_owned(), emoji.to_owned());
        self
    }

    /// An IANA time zone. Default `Europe/Berlin`.
    pub fn time_zone(mut self, zone: &str) -> Self {
        zone.clone_into(&mut self.time_zone);
        self
    }

    /// A bot: it has no address.
    pub fn bot(mut self) -> Self {
        self.bot = Some(String::new());
        self.email = None;
        self
    }

    /// A bot with this `bot_id`.
    pub(super) fn bot_with_id(mut self, id: &str) -> Self {
        self.bot = Some(id.to_owned());
        self.email = None;
        self
    }

    /// A user that stands for an app in another workspace (`is_app_user`).
    pub fn app_user(mut self) -> Self {
        self.app_user = true;
        self
    }

    /// An administrator.
    pub fn admin(mut self) -> Self {
        self.standing = Standing::Admin;
        self
    }

    /// A guest in several channels.
    pub fn restricted(mut self) -> Self {
        self.standing = Standing::Guest;
        self
    }

    /// A guest in a single channel, who is `is_restricted` too.
    pub fn ultra_restricted(mut self) -> Self {
        self.standing = Standing::SingleChannelGuest;
        self
    }

    /// A user who was deactivated.
    pub fn deactivated(mut self) -> Self {
        self.deleted = true;
        self
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}
