//! What does one tell a user about an error, in their language?
//!
//! Short sentences without a technical word, a secret or a name of the user's; the technical text is the
//! error's own `Display`. ONE table: a kind, English, Japanese.

use crate::error::{Error, ErrorKind};

/// A language that [`Error::user_message`] speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Locale {
    /// The language of a BCP 47 tag such as `ja-JP`; English for any that is not spoken here.
    pub fn from_tag(tag: &str) -> Self {
        let language = tag.split(['-', '_']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("ja") { Self::Ja } else { Self::En }
    }
}

#[rustfmt::skip]
const MESSAGES: &[(ErrorKind, &str, &str)] = &[
    (ErrorKind::RateLimited, "The service is busy. We will try again shortly.", "サービスが混み合っています。しばらくしてから自動的に再試行します。"),
    (ErrorKind::Network, "The service could not be reached. We will try again.", "サービスに接続できませんでした。自動的に再試行します。"),
    (ErrorKind::ServiceUnavailable, "The service is temporarily unavailable. We will try again.", "サービスが一時的に利用できません。自動的に再試行します。"),
    (ErrorKind::Timeout, "The service did not answer in time. We will try again.", "サービスからの応答がありませんでした。自動的に再試行します。"),
    (ErrorKind::TokenExpired, "Your sign-in is being renewed.", "サインインを更新しています。"),
    (ErrorKind::ReauthorizationRequired, "Please connect your account again.", "アカウントをもう一度接続してください。"),
    (ErrorKind::InsufficientPermissions, "A permission is missing. Please connect your account again and allow it.", "必要な権限がありません。アカウントをもう一度接続して許可してください。"),
    (ErrorKind::AccountSuspended, "Your account at the service is suspended. Please contact the service.", "サービスのアカウントが停止されています。サービスにお問い合わせください。"),
    (ErrorKind::InvalidCredentials, "There is a problem on our side. Please try again later.", "システム側の設定に問題があります。後でもう一度お試しください。"),
    (ErrorKind::UnsupportedOperation, "The service does not support this.", "このサービスではこの操作を行えません。"),
    (ErrorKind::InvalidRequest, "The request was not accepted.", "リクエストが受け付けられませんでした。"),
    (ErrorKind::DataFormat, "The service sent an answer that could not be read.", "サービスからの応答を読み取れませんでした。"),
    (ErrorKind::Configuration, "There is a problem on our side. Please try again later.", "システム側の設定に問題があります。後でもう一度お試しください。"),
    (ErrorKind::NotFound, "It was not found. It may have been deleted.", "見つかりませんでした。削除された可能性があります。"),
    (ErrorKind::Conflict, "It was changed elsewhere. Please look again and retry.", "他の場所で変更されました。内容を確認してもう一度お試しください。"),
    (ErrorKind::CursorExpired, "Your data is being read again from the start.", "データを最初から読み込み直しています。"),
    (ErrorKind::CircuitOpen, "The service has many problems right now. We will try again shortly.", "サービスで障害が続いています。しばらくしてから自動的に再試行します。"),
    (ErrorKind::Store, "Your data could not be saved. Please try again later.", "データを保存できませんでした。後でもう一度お試しください。"),
    (ErrorKind::Cancelled, "The operation was stopped.", "操作が中止されました。"),
];

impl Error {
    /// A short sentence for the user of the application.
    ///
    /// ```
    /// use integrations_core::{Error, ErrorKind, Locale};
    ///
    /// let error = Error::new(ErrorKind::ReauthorizationRequired, "invalid_grant at the token endpoint");
    /// assert_eq!(error.user_message(Locale::En), "Please connect your account again.");
    /// assert_eq!(error.user_message(Locale::Ja), "アカウントをもう一度接続してください。");
    /// ```
    pub fn user_message(&self, locale: Locale) -> &'static str {
        let row = MESSAGES.iter().find(|(kind, ..)| *kind == self.kind());
        let (_, english, japanese) = row.unwrap_or(&MESSAGES[0]);
        match locale {
            Locale::En => english,
            Locale::Ja => japanese,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_message() {
        for kind in ErrorKind::ALL {
            assert_eq!(MESSAGES.iter().filter(|(other, ..)| other == kind).count(), 1, "{kind}");
        }
        assert_eq!(MESSAGES.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn a_tag_names_a_language() {
        for (tag, locale) in [
            ("ja", Locale::Ja),
            ("ja-JP", Locale::Ja),
            ("JA_jp", Locale::Ja),
            ("de", Locale::En),
            ("", Locale::En),
        ] {
            assert_eq!(Locale::from_tag(tag), locale, "{tag}");
        }
    }
}
