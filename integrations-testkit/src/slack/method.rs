//! Which methods are there, and what belongs to each?

use self::Method::{
    ConversationsHistory, ConversationsInfo, ConversationsList, ConversationsMembers, ConversationsReplies,
    TeamInfo, UsersConversations, UsersInfo, UsersList,
};
use super::limits::Tier;

/// A method of the Web API that this fake answers itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Method {
    ConversationsHistory,
    ConversationsInfo,
    ConversationsList,
    ConversationsMembers,
    ConversationsReplies,
    TeamInfo,
    UsersConversations,
    UsersInfo,
    UsersList,
}

/// How many items a page has, when nobody says, and at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageSize {
    /// Without one, everything is sent at once.
    pub(super) usual: Option<usize>,
    pub(super) most: usize,
}

/// One method, as data.
#[derive(Debug)]
pub(super) struct Row {
    method: Method,
    pub(super) name: &'static str,
    pub(super) tier: Tier,
    /// Every scope that may open it, or a part of it.
    pub(super) scopes: &'static [&'static str],
    pub(super) parameters: &'static [&'static str],
    pub(super) page: PageSize,
}

const READ: &[&str] = &["channels:read", "groups:read", "im:read", "mpim:read"];
const HISTORY: &[&str] = &["channels:history", "groups:history", "im:history", "mpim:history"];

const NO_PAGES: PageSize = PageSize { usual: None, most: usize::MAX };
const PAGES: PageSize = PageSize { usual: Some(100), most: 999 };
const PAGES_OR_ALL: PageSize = PageSize { usual: None, most: 999 };
const LONG_PAGES: PageSize = PageSize { usual: Some(1_000), most: 999 };

const LISTING: &[&str] = &["types", "exclude_archived", "limit", "cursor", "team_id"];
const LISTING_OF_USER: &[&str] = &["user", "types", "exclude_archived", "limit", "cursor", "team_id"];
const INFO: &[&str] = &["channel", "include_locale", "include_num_members"];
const MESSAGES: &[&str] =
    &["channel", "oldest", "latest", "inclusive", "limit", "cursor", "include_all_metadata"];
const THREAD: &[&str] =
    &["channel", "ts", "oldest", "latest", "inclusive", "limit", "cursor", "include_all_metadata"];
const USERS: &[&str] = &["limit", "cursor", "include_locale", "team_id"];

const fn row(
    method: Method,
    name: &'static str,
    tier: Tier,
    scopes: &'static [&'static str],
    parameters: &'static [&'static str],
    page: PageSize,
) -> Row {
    Row { method, name, tier, scopes, parameters, page }
}

#[rustfmt::skip]
const METHODS: &[Row] = &[
    row(ConversationsHistory, "conversations.history", Tier::History, HISTORY, MESSAGES, PAGES),
    row(ConversationsInfo, "conversations.info", Tier::Three, READ, INFO, NO_PAGES),
    row(ConversationsList, "conversations.list", Tier::Two, READ, LISTING, PAGES),
    row(ConversationsMembers, "conversations.members", Tier::Four, READ, &["channel", "limit", "cursor"], PAGES),
    row(ConversationsReplies, "conversations.replies", Tier::History, HISTORY, THREAD, LONG_PAGES),
    row(TeamInfo, "team.info", Tier::Three, &["team:read"], &["team"], NO_PAGES),
    row(UsersConversations, "users.conversations", Tier::Three, READ, LISTING_OF_USER, PAGES),
    row(UsersInfo, "users.info", Tier::Four, &["users:read"], &["user", "include_locale"], NO_PAGES),
    row(UsersList, "users.list", Tier::Two, &["users:read"], USERS, PAGES_OR_ALL),
];

impl Method {
    /// The method that a path of the Web API names.
    pub(super) fn named(name: &str) -> Option<Self> {
        METHODS.iter().find(|row| row.name == name).map(|row| row.method)
    }

    pub(super) fn row(self) -> &'static Row {
        let row = METHODS.iter().find(|row| row.method == self);
        row.unwrap_or_else(|| panic!("{self:?} is not in the table of methods"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_one_row_and_is_found_by_its_name() {
        for row in METHODS {
            assert_eq!(Method::named(row.name), Some(row.method));
            assert_eq!(row.method.row().name, row.name);
        }
        assert_eq!(Method::named("conversations.open"), None);
    }
}
