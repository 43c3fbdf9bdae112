//! What does a reader see of a message, as plain text?
//!
//! What Slack's own clients write is `rich_text`; apps write any blocks of Block Kit, or attachments of the
//! kind that was before it. A block that is not known here gives the texts that it has.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat};
use integrations_core::model::PersonRef;

use super::mrkdwn::unescape;
use super::node::Node;

/// What blocks that are not known here may have for a reader, in this order.
const READABLE: &[&str] = &[
    "title",
    "subtitle",
    "label",
    "text",
    "body",
    "description",
    "fields",
    "elements",
    "rows",
    "output",
    "options",
];

/// A text as it is written, and whom it mentions.
#[derive(Debug, Default)]
pub(super) struct Plain {
    text: String,
    mentions: Vec<PersonRef>,
}

impl Plain {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Somebody is mentioned.
    pub(super) fn note(&mut self, who: PersonRef) {
        if !self.mentions.iter().any(|known| known.id == who.id) {
            self.mentions.push(who);
        }
    }

    /// The text, without empty lines at its end, and whom it mentions.
    pub(super) fn finish(mut self) -> (Option<String>, Vec<PersonRef>) {
        self.text.truncate(self.text.trim_end_matches('\n').len());
        let text = Some(self.text).filter(|text| !text.trim().is_empty());
        (text, self.mentions)
    }

    /// An instant for which Slack gives no words.
    pub(super) fn date(&mut self, seconds: i64) {
        match DateTime::from_timestamp(seconds, 0) {
            Some(at) => self.push(&at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            None => self.push(&seconds.to_string()),
        }
    }

    /// What follows stands on a line of its own.
    fn line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// Writes something by itself.
    fn aside(&mut self, write: impl FnOnce(&mut Self)) -> String {
        let before = std::mem::take(&mut self.text);
        write(self);
        std::mem::replace(&mut self.text, before)
    }

    /// Writes something with a prefix before its first line and another before those that follow.
    fn indented(&mut self, first: &str, other: &str, write: impl FnOnce(&mut Self)) {
        let inner = self.aside(write);
        self.line();
        for (number, line) in inner.trim_end_matches('\n').split('\n').enumerate() {
            if number > 0 {
                self.text.push('\n');
            }
            self.push(if number == 0 { first } else { other });
            self.push(line);
        }
    }

    /// Writes elements with something between them; one without a text has nothing before it.
    fn joined(&mut self, between: &str, elements: &[Node<'_>]) {
        let mut begun = false;
        for element in elements {
            let inner = self.aside(|plain| plain.inline(element));
            if !inner.is_empty() {
                self.push(if begun { between } else { "" });
                self.push(&inner);
                begun = true;
            }
        }
    }
}

/// Blocks.
impl Plain {
    pub(super) fn blocks(&mut self, blocks: &[Node<'_>]) {
        for block in blocks {
            self.line();
            self.block(block);
        }
    }

    fn block(&mut self, block: &Node<'_>) {
        match block.kind() {
            "rich_text" => self.rich(block.list_of("elements")),
            "section" => {
                self.readable(block.get("text"));
                self.each_on_a_line(block.list_of("fields"));
            }
            "header" | "alert" | "markdown" => self.readable(block.get("text")),
            "context" => self.joined(" ", block.list_of("elements")),
            "actions" | "context_actions" => self.joined(" | ", block.list_of("elements")),
            "image" => self.image(block),
            "video" => {
                self.readable(block.get("title"));
                self.line();
                self.readable(block.get("description"));
            }
            "table" => block.list_of("rows").iter().for_each(|row| self.row(row.list())),
            "divider" | "file" => {}
            _ => self.whatever(block),
        }
    }

    /// Cells on one line; an empty one keeps its place.
    fn row(&mut self, cells: &[Node<'_>]) {
        self.line();
        for (number, cell) in cells.iter().enumerate() {
            let inner = self.aside(|plain| plain.inline(cell));
            self.push(if number == 0 { "" } else { "\t" });
            self.push(&inner.trim_end().replace('\n', " "));
        }
    }

    /// The parts of rich text, each on lines of its own.
    fn rich(&mut self, parts: &[Node<'_>]) {
        for part in parts {
            self.line();
            match part.number_of("border") {
                // It stands within a quote.
                Some(1..) if part.kind() != "rich_text_quote" => {
                    self.indented("> ", "> ", |quote| quote.rich_part(part));
                }
                _ => self.rich_part(part),
            }
        }
    }

    fn rich_part(&mut self, part: &Node<'_>) {
        let elements = part.list_of("elements");
        match part.kind() {
            "rich_text_section" | "rich_text_preformatted" => self.inlines(elements),
            "rich_text_quote" => self.indented("> ", "> ", |quote| quote.inlines(elements)),
            "rich_text_list" => self.list(part, elements),
            _ => self.inline(part),
        }
    }

    fn list(&mut self, list: &Node<'_>, items: &[Node<'_>]) {
        let depth = usize::try_from(list.number_of("indent").unwrap_or(0)).unwrap_or(0).min(16);
        let ordered = list.text_of("style") == Some("ordered");
        let offset = list.number_of("offset").unwrap_or(0);
        for (number, item) in (offset.saturating_add(1)..).zip(items) {
            let mark = if ordered { Cow::Owned(format!("{number}. ")) } else { Cow::Borrowed("• ") };
            let indent = "  ".repeat(depth);
            let other = format!("{indent}{}", " ".repeat(mark.chars().count()));
            self.indented(&format!("{indent}{mark}"), &other, |line| line.rich_part(item));
        }
    }

    fn inlines(&mut self, elements: &[Node<'_>]) {
        for element in elements {
            self.inline(element);
        }
    }

    /// What stands within a line.
    fn inline(&mut self, element: &Node<'_>) {
        let text = |name| element.text_of(name);
        match element.kind() {
            "text" | "raw_text" => self.push(text("text").unwrap_or_default()),
            "mrkdwn" => self.mrkdwn(text("text").unwrap_or_default()),
            "plain_text" => self.push(&unescape(text("text").unwrap_or_default())),
            "link" => self.link(text("url").unwrap_or_default(), text("text")),
            "user" => self.mention(text("user_id").unwrap_or_default(), None),
            "usergroup" => self.mention(text("usergroup_id").unwrap_or_default(), None),
            "team" => self.broadcast(text("team_id").unwrap_or_default()),
            "channel" => self.channel(text("channel_id").unwrap_or_default(), None),
            "broadcast" => self.broadcast(text("range").unwrap_or_default()),
            "color" => self.push(text("value").unwrap_or_default()),
            "emoji" => self.emoji(text("name").unwrap_or_default(), text("unicode")),
            "date" => match (text("fallback"), element.number_of("timestamp")) {
                (Some(fallback), _) => self.push(fallback),
                (None, at) => self.date(at.unwrap_or_default()),
            },
            "image" => self.image(element),
            kind if kind.starts_with("rich_text") => self.rich_or_part(element),
            _ => match element.get("text").or_else(|| element.get("placeholder")) {
                Some(text) => self.readable(Some(text)),
                None => self.whatever(element),
            },
        }
    }

    fn rich_or_part(&mut self, element: &Node<'_>) {
        match element.kind() {
            "rich_text" => self.rich(element.list_of("elements")),
            _ => self.rich(std::slice::from_ref(element)),
        }
    }

    /// An emoji as its signs; one of the workspace's own has a name alone.
    fn emoji(&mut self, name: &str, unicode: Option<&str>) {
        let signs: Option<String> = unicode.and_then(|codes| {
            codes.split('-').map(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?)).collect()
        });
        match signs {
            Some(signs) => self.push(&signs),
            None => self.push(&format!(":{name}:")),
        }
    }

    fn image(&mut self, image: &Node<'_>) {
        match image.get("title").filter(|title| !matches!(title, Node::Other)) {
            Some(title) => self.readable(Some(title)),
            None => self.push(&unescape(image.text_of("alt_text").unwrap_or_default())),
        }
    }

    /// A text, or an object that has one.
    fn readable(&mut self, node: Option<&Node<'_>>) {
        match node {
            Some(Node::Text(text)) => self.mrkdwn(text),
            Some(node @ Node::Map(_)) => self.inline(node),
            Some(Node::List(nodes)) => self.each_on_a_line(nodes),
            _ => {}
        }
    }

    fn each_on_a_line(&mut self, nodes: &[Node<'_>]) {
        for node in nodes {
            self.line();
            self.readable(Some(node));
        }
    }

    /// Something that is not known here: the texts that it has.
    fn whatever(&mut self, node: &Node<'_>) {
        for name in READABLE {
            if let Some(part) = node.get(name) {
                self.line();
                self.readable(Some(part));
            }
        }
    }
}

/// Attachments, as apps wrote before there were blocks, and as Slack writes for what a link leads to.
impl Plain {
    pub(super) fn attachments(&mut self, attachments: &[Node<'_>]) {
        for attachment in attachments {
            self.line();
            self.attachment(attachment);
        }
    }

    fn attachment(&mut self, attachment: &Node<'_>) {
        let start = self.text.len();
        self.text_line(attachment.text_of("pretext"));
        if let Some(title) = attachment.text_of("title") {
            self.line();
            let url = attachment.text_of("title_link").unwrap_or_default();
            self.link(&unescape(url), Some(&unescape(title)));
        }
        self.text_line(attachment.text_of("text"));
        for field in attachment.list_of("fields") {
            let title = field.text_of("title");
            self.text_line(title);
            match (title, field.text_of("value")) {
                (Some(_), Some(value)) => {
                    self.push(": ");
                    self.mrkdwn(value);
                }
                (_, value) => self.text_line(value),
            }
        }
        self.blocks(attachment.list_of("blocks"));
        if self.text.len() == start {
            self.text_line(attachment.text_of("fallback"));
        }
    }

    fn text_line(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            self.line();
            self.mrkdwn(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(value: &Value, write: impl FnOnce(&mut Plain, &[Node<'_>])) -> String {
        let text = value.to_string();
        let node: Node<'_> = serde_json::from_str(&text).unwrap();
        let mut plain = Plain::default();
        write(&mut plain, node.list());
        plain.finish().0.unwrap_or_default()
    }

    fn blocks(value: &Value) -> String {
        read(value, Plain::blocks)
    }

    fn section(elements: &Value) -> Value {
        json!({"type": "rich_text_section", "elements": elements})
    }

    fn rich(elements: &Value) -> String {
        blocks(&json!([{"type": "rich_text", "block_id": "x", "elements": elements}]))
    }

    #[test]
    fn every_element_of_a_line() {
        let text = rich(&json!([section(&json!([
            {"type": "text", "text": "R&D <80 % ", "style": {"bold": true}},
            {"type": "link", "url": "https://example.com/a", "text": "paper"},
            {"type": "text", "text": " "},
            {"type": "link", "url": "https://example.com/b"},
            {"type": "text", "text": " "},
            {"type": "user", "user_id": "U1"},
            {"type": "channel", "channel_id": "C1"},
            {"type": "usergroup", "usergroup_id": "S1"},
            {"type": "team", "team_id": "T1"},
            {"type": "broadcast", "range": "here"},
            {"type": "emoji", "name": "male-technologist", "unicode": "1f468-200d-1f4bb"},
            {"type": "emoji", "name": "shipit"},
            {"type": "color", "value": "#ff0000"},
            {"type": "date", "timestamp": 1_392_734_382, "format": "{date}", "fallback": "18 Feb"},
            {"type": "date", "timestamp": 1_392_734_382, "format": "{date}"},
            {"type": "hologram", "text": "!"},
        ]))]));
        let expected = "R&D <80 % paper (https://example.com/a) https://example.com/b @U1#C1@S1@T1@here\
            \u{1f468}\u{200d}\u{1f4bb}:shipit:#ff000018 Feb2014-02-18T14:39:42Z!";
        assert_eq!(text, expected);
    }

    #[test]
    fn lists_quotes_and_code_stand_on_lines_of_their_own() {
        let items = |names: &[&str]| -> Vec<Value> {
            names.iter().map(|name| section(&json!([{"type": "text", "text": name}]))).collect()
        };
        let text = rich(&json!([
            section(&json!([{"type": "text", "text": "To do:\n"}])),
            {"type": "rich_text_list", "style": "bullet", "indent": 0, "elements": items(&["one", "two\nlines"])},
            {"type": "rich_text_list", "style": "ordered", "indent": 1, "offset": 8, "elements": items(&["nine", "ten\nten"])},
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said\ntwice"}]},
            {"type": "rich_text_list", "style": "bullet", "border": 1, "elements": items(&["quoted"])},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "let x = 1;\n\nx += 1;"}]},
            section(&json!([{"type": "text", "text": "end"}])),
        ]));
        assert_eq!(
            text,
            "To do:\n• one\n• two\n  lines\n  9. nine\n  10. ten\n      ten\n> said\n> twice\n> • quoted\n\
             let x = 1;\n\nx += 1;\nend"
        );
    }

    #[test]
    fn every_block_that_an_app_may_write() {
        let button = |text: &str| json!({"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": text}});
        let text = blocks(&json!([
            {"type": "header", "text": {"type": "plain_text", "text": "Deploy &amp; go"}},
            {"type": "divider"},
            {"type": "section", "text": {"type": "mrkdwn", "text": "*api* by <@U1>"}, "fields": [
                {"type": "mrkdwn", "text": "*Time*\n42 s"}, {"type": "plain_text", "text": "ok"},
            ], "accessory": button("More")},
            {"type": "context", "elements": [
                {"type": "image", "image_url": "https://x.example/i.png", "alt_text": "green"}, {"type": "mrkdwn", "text": "passed"},
            ]},
            {"type": "image", "image_url": "https://x.example/i.png", "alt_text": "a chart", "title": {"type": "plain_text", "text": "Load"}},
            {"type": "image", "image_url": "https://x.example/i.png", "alt_text": "another"},
            {"type": "actions", "elements": [button("Approve"), {"type": "datepicker", "action_id": "d"}, button("Deny"), {
                "type": "static_select", "placeholder": {"type": "plain_text", "text": "Choose"},
            }]},
            {"type": "video", "title": {"type": "plain_text", "text": "Film"}, "description": {"type": "plain_text", "text": "of it"}, "video_url": "x"},
            {"type": "markdown", "text": "**md**"},
            {"type": "table", "rows": [
                [{"type": "raw_text", "text": "a"}, {"type": "raw_text", "text": "b"}],
                [{"type": "raw_text", "text": "1"}, {"type": "rich_text", "elements": [section(&json!([{"type": "link", "url": "u", "text": "v"}]))]}],
            ]},
        ]));
        assert_eq!(
            text,
            "Deploy & go\n*api* by @U1\n*Time*\n42 s\nok\ngreen passed\nLoad\nanother\nApprove | Deny | Choose\n\
             Film\nof it\n**md**\na\tb\n1\tv (u)"
        );
    }

    #[test]
    fn a_block_that_is_not_known_gives_the_texts_that_it_has() {
        let text = blocks(&json!([
            {"type": "card", "title": {"type": "mrkdwn", "text": "My <@U1>"}, "subtitle": "short", "body": {"type": "plain_text", "text": "long"},
             "actions": [{"type": "button"}], "level": 3},
            {"type": "task_card", "title": "Fetching", "output": {"type": "rich_text", "elements": [section(&json!([{"type": "text", "text": "found"}]))]}},
            {"type": "stack", "elements": [{"type": "leaf", "text": "a"}, {"type": "leaf", "label": {"text": "b"}}, 7, null, []]},
            {"type": "nothing"}, {}, "loose", null,
        ]));
        assert_eq!(text, "My @U1\nshort\nlong\nFetching\nfound\na\nb");
    }

    #[test]
    fn attachments_from_before_there_were_blocks() {
        let text = read(
            &json!([
                {"fallback": "unseen", "pretext": "New ticket", "title": "Bug &lt;1&gt;", "title_link": "https://x.example/1", "text": "It *broke*",
                 "fields": [{"title": "Priority", "value": "High", "short": true}, {"value": "bare"}, {"title": "Empty", "value": ""}]},
                {"fallback": "only this", "color": "#fff"},
                {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "in a block"}}]},
            ]),
            Plain::attachments,
        );
        assert_eq!(
            text,
            "New ticket\nBug <1> (https://x.example/1)\nIt *broke*\nPriority: High\nbare\nEmpty\nonly this\nin a block"
        );
    }
}
