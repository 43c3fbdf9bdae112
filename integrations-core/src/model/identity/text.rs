//! Which meetings does a text lead to?

use super::join::JoinKey;

/// The longest address that is looked at. One of Teams in a safe link has about a thousand bytes.
const LONGEST: usize = 4096;

/// How many different keys of one item are kept.
pub(super) const MOST_KEYS: usize = 32;

/// What an address that is worth reading has in it, in lower case. All of it is a host, or ends in one.
const HINTS: &[&str] = &[
    "zoom.us/",
    "zoom.com/",
    "zoomgov.com/",
    "meet.google.com/",
    "teams.microsoft.com/",
    "teams.cloud.microsoft/",
    "teams.live.com/",
    "teams.microsoft.us/",
    "webex.com/",
    "safelinks.protection.outlook.com/",
    "google.com/url",
    "urldefense.com/v3/",
];

/// What ends an address in HTML that is not read as HTML.
const ENTITIES: &[&str] = &["&lt;", "&gt;", "&quot;", "&nbsp;", "&#"];

impl JoinKey {
    /// The keys of all addresses of known services in a text, plain or HTML, each once, in their order; not more
    /// than 32. Takes time in proportion to the text.
    pub fn find_in(text: &str) -> Vec<Self> {
        let mut found = Vec::new();
        for word in text.split(ends_an_address) {
            if found.len() == MOST_KEYS {
                break;
            }
            if let Some(key) = read(word).filter(|key| !found.contains(key)) {
                found.push(key);
            }
        }
        found
    }
}

/// Whether a character stands in none of the addresses that are looked for, so that it ends one.
fn ends_an_address(char: char) -> bool {
    !char.is_ascii_graphic()
        || matches!(
            char,
            '"' | '\'' | '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '\\' | '^' | '`' | ','
        )
}

fn read(word: &str) -> Option<JoinKey> {
    if word.len() > LONGEST || !word.contains('/') {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    let hint = HINTS.iter().filter_map(|hint| lower.find(hint)).min()?;
    let end = ENTITIES.iter().filter_map(|entity| lower.find(entity)).filter(|end| *end > hint).min();
    let word = &word[..end.unwrap_or(word.len())];
    let word = word.trim_end_matches(['.', ',', ';', ':', '!', '?', '*']);
    let scheme = ["https://", "http://"].iter().filter_map(|scheme| lower.find(scheme)).min();
    let url = if let Some(start) = scheme.filter(|start| *start < hint) {
        word[start..].to_owned()
    } else {
        // People write `acme.zoom.us/j/…`, too.
        let ends_host = |char: char| !(char.is_ascii_alphanumeric() || matches!(char, '.' | '-'));
        let start = lower[..hint].rfind(ends_host).map_or(0, |at| at + 1);
        format!("https://{}", &word[start..])
    };
    JoinKey::of_url(&if url.contains("&amp;") { url.replace("&amp;", "&") } else { url })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        JoinKey::find_in(text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn addresses_are_found_wherever_they_stand() {
        for (text, expected) in [
            ("Join: https://zoom.us/j/91234567890?pwd=x.", &["zoom:91234567890"][..]),
            ("acme.zoom.us/j/91234567890", &["zoom:91234567890"]),
            ("Zoom=acme.zoom.us/j/91234567890;", &["zoom:91234567890"]),
            ("**https://zoom.us/j/91234567890**", &["zoom:91234567890"]),
            ("[here](https://zoom.us/j/91234567890)", &["zoom:91234567890"]),
            ("会議https://zoom.us/j/91234567890。", &["zoom:91234567890"]),
            (r"one\nhttps://zoom.us/j/91234567890\nPasscode: 1", &["zoom:91234567890"]),
            ("https://zoom.us/j/91234567890&nbsp;Passcode", &["zoom:91234567890"]),
            ("&lt;https://meet.google.com/abc-defg-hij&gt;", &["meet:abc-defg-hij"]),
            (
                r#"<a href="https://acme.webex.com/acme/j.php?a=b&amp;MTID=m1"><b>meet.google.com/abc-defg-hij</b></a>"#,
                &["webex:acme.webex.com/mtid/m1", "meet:abc-defg-hij"],
            ),
            (
                r#"<a href="https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fzoom.us%2Fj%2F91234567890&amp;data=05">Join</a>"#,
                &["zoom:91234567890"],
            ),
            (
                "https://zoom.us/j/91234567890, again https://us02web.zoom.us/w/91234567890 and zoom.us/my/ada.",
                &["zoom:91234567890", "zoom:my/ada"],
            ),
            ("https://urldefense.com/v3/__https://zoom.us/j/91234567890__;!!A!b$", &["zoom:91234567890"]),
            ("https://example.com/?next=https://zoom.us/j/91234567890", &[]),
            ("zoom.us j 91234567890 / meet.google.com", &[]),
            ("", &[]),
        ] {
            assert_eq!(keys(text), expected, "{text}");
        }
    }

    #[test]
    fn a_text_of_a_megabyte_is_read_once() {
        // What would take hours if it took more than time in proportion to the text.
        let address = "https://zoom.us/j/91234567890";
        for (part, expected) in [
            ("https://", 0),
            ("https://zoom.us/", 0),
            ("zoom.us/", 0),
            ("&amp;", 0),
            ("google.com/url?q=", 0),
            ("https://www.google.com/url?q=https://zoom.us/j/9123456789 ", 1),
            ("https://zoom.us/j/91234567890 ", 1),
            ("((((/", 0),
            (" ", 0),
            ("ü/", 0),
        ] {
            let text = part.repeat((1 << 20) / part.len());
            assert_eq!(keys(&text).len(), expected, "{part}");
            assert_eq!(
                keys(&format!("{text} {address}")).last().map(String::as_str),
                Some("zoom:91234567890"),
                "{part}"
            );
        }
        let many: Vec<String> =
            (0..40_000).map(|number| format!("https://zoom.us/j/{}", 90_000_000_000_u64 + number)).collect();
        assert_eq!(keys(&many.join("\n")).len(), MOST_KEYS);
    }
}
