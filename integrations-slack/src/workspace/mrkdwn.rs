//! How does Slack's markup read as plain text?
//!
//! In a text, `&`, `<` and `>` stand as entities, and what stands in angle brackets is a mention, a link or a
//! date: `<@U…>`, `<#C…|name>`, `<!here>`, `<!subteam^S…|@name>`, `<!date^…|fallback>`, `<url|label>`. Marks
//! such as `*bold*` stay as they are: whether they are marks or were meant so cannot be told.

use std::borrow::Cow;

use integrations_core::model::PersonRef;

use super::text::Plain;

impl Plain {
    /// Appends marked-up text.
    pub(super) fn mrkdwn(&mut self, text: &str) {
        let mut rest = text;
        while let Some(start) = rest.find('<') {
            self.push(&unescape(&rest[..start]));
            rest = &rest[start + 1..];
            match rest.find(['<', '>']) {
                Some(end) if rest.as_bytes()[end] == b'>' => {
                    self.bracket(&rest[..end]);
                    rest = &rest[end + 1..];
                }
                // Not Slack's: a bracket of a reader's own.
                _ => self.push("<"),
            }
        }
        self.push(&unescape(rest));
    }

    /// Appends what stands between angle brackets.
    fn bracket(&mut self, inner: &str) {
        let (what, label) = match inner.split_once('|') {
            Some((what, label)) => (what, Some(label).filter(|label| !label.is_empty())),
            None => (inner, None),
        };
        match (what.as_bytes().first(), what.get(1..).unwrap_or_default()) {
            (Some(b'@'), id) if !id.is_empty() => self.mention(id, label),
            (Some(b'#'), id) if !id.is_empty() => self.channel(id, label),
            (Some(b'!'), command) if !command.is_empty() => self.command(command, label),
            _ => self.link(&unescape(what), label.map(unescape).as_deref()),
        }
    }

    fn command(&mut self, command: &str, label: Option<&str>) {
        let mut parts = command.split('^');
        match (parts.next(), parts.next()) {
            (Some("subteam"), Some(id)) => self.mention(id, label),
            (Some("date"), at) => match (label, at.and_then(|at| at.parse().ok())) {
                (Some(fallback), _) => self.push(&unescape(fallback)),
                (None, Some(at)) => self.date(at),
                (None, None) => self.push(command),
            },
            // `here`, `channel`, `everyone`: their label repeats them, with or without the sign.
            _ => match label {
                Some(label) => self.push(&unescape(label)),
                None => self.broadcast(command),
            },
        }
    }

    /// Somebody, or a group, by their id; only a label says what they are called.
    pub(super) fn mention(&mut self, id: &str, label: Option<&str>) {
        let name = label.map(|label| unescape(label.strip_prefix('@').unwrap_or(label)));
        self.push("@");
        self.push(name.as_deref().unwrap_or(id));
        self.note(PersonRef { name: name.map(Cow::into_owned), ..PersonRef::id(id) });
    }

    pub(super) fn channel(&mut self, id: &str, label: Option<&str>) {
        let name = label.map(|label| unescape(label.strip_prefix('#').unwrap_or(label)));
        self.push("#");
        self.push(name.as_deref().unwrap_or(id));
    }

    pub(super) fn broadcast(&mut self, range: &str) {
        self.push("@");
        self.push(range);
    }

    /// An address, behind its label where that says more than the address.
    pub(super) fn link(&mut self, url: &str, label: Option<&str>) {
        let Some(label) = label.filter(|label| *label != url) else { return self.push(url) };
        self.push(label);
        if url.is_empty() {
            return;
        }
        // What Slack has made a link of by itself is labelled with what was written.
        let written =
            ["mailto:", "tel:", "http://", "https://"].iter().filter_map(|scheme| url.strip_prefix(scheme));
        if !written.into_iter().any(|written| written.trim_end_matches('/') == label.trim_end_matches('/')) {
            self.push(" (");
            self.push(url);
            self.push(")");
        }
    }
}

/// Text without Slack's three entities.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find('&') else { return Cow::Borrowed(text) };
    let mut plain = String::with_capacity(text.len());
    plain.push_str(&text[..first]);
    let mut rest = &text[first..];
    while !rest.is_empty() {
        let entities = [("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")];
        if let Some((entity, sign)) = entities.into_iter().find(|(entity, _)| rest.starts_with(entity)) {
            plain.push_str(sign);
            rest = &rest[entity.len()..];
        } else {
            // An ampersand that is none of them.
            plain.push('&');
            rest = &rest[1..];
        }
        let next = rest.find('&').unwrap_or(rest.len());
        plain.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        let mut plain = Plain::default();
        plain.mrkdwn(text);
        plain.finish().0.unwrap_or_default()
    }

    #[test]
    #[rustfmt::skip]
    fn markup_reads_as_what_a_reader_sees() {
        for (text, expected) in [
            ("R&amp;D is at &lt;80 % &amp;lt; &copy; &", "R&D is at <80 % &lt; &copy; &"),
            ("<@U012A3CDE>, <@W1|ada> and <@U2|@bob>", "@U012A3CDE, @ada and @bob"),
            ("<#C024BE7LR|general> or <#C1>", "#general or #C1"),
            ("<!here>, <!channel|channel>, <!everyone>", "@here, channel, @everyone"),
            ("<!subteam^SAZ94GDB8|@devs> <!subteam^S2>", "@devs @S2"),
            ("<!date^1392734382^{date} at {time}|Feb 18, 2014>", "Feb 18, 2014"),
            ("<!date^1392734382^{date}^https://example.com/>", "2014-02-18T14:39:42Z"),
            ("<!unknown^x|shown> <!other>", "shown @other"),
            ("<https://example.com/?a=1&amp;b=2>", "https://example.com/?a=1&b=2"),
            ("<https://example.com/a|the &lt;paper&gt;>", "the <paper> (https://example.com/a)"),
            ("<http://example.com|example.com> <mailto:a@b.example|a@b.example>", "example.com a@b.example"),
            ("<https://example.com/|https://example.com/>", "https://example.com/"),
            ("a < b, <- and <", "a < b, <- and <"),
            ("*bold* _it_ `code` :wave:", "*bold* _it_ `code` :wave:"),
            ("<> <|x> <@> <#>", " x @ #"),
            ("Grüße <@U1>é", "Grüße @U1é"),
            ("", ""),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn each_who_is_mentioned_is_named_once() {
        let mut plain = Plain::default();
        plain.mrkdwn("<@U1> <@U2|bob> <@U1|ada> <!subteam^S1|@devs> <#C1> <!here>");
        let mentions: Vec<_> = plain.finish().1.into_iter().map(|who| (who.id.unwrap(), who.name)).collect();
        let named = |id: &str, name: Option<&str>| (id.to_owned(), name.map(str::to_owned));
        assert_eq!(mentions, [named("U1", None), named("U2", Some("bob")), named("S1", Some("devs"))]);
    }
}
