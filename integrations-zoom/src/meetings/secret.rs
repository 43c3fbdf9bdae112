//! What of an answer is nobody's to keep?
//!
//! `start_url` lets whoever has it start the meeting as its host, and the tokens of a recording open its files.
//! Their values are replaced by `null` before anything is made of an answer; all else stays as Zoom sent it.

use integrations_core::model::Raw;

/// The fields, wherever in an answer they stand.
const SECRETS: &[&str] = &["start_url", "download_access_token", "download_token"];

/// An answer without what is secret. The text need not be sound JSON.
pub(super) fn without_secrets(item: &Raw) -> Raw {
    let text = item.as_bytes();
    let mut kept = Vec::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(quote) = text[at..].iter().position(|byte| *byte == b'"') {
        let name = at + quote..end_of_text(text, at + quote);
        at = name.end;
        let colon = behind_space(text, at);
        if text.get(colon) == Some(&b':') && is_secret(&text[name]) {
            let value = behind_space(text, colon + 1);
            kept.extend_from_slice(&text[copied..value]);
            kept.extend_from_slice(b"null");
            copied = end_of_value(text, value);
            at = copied;
        }
    }
    if copied == 0 {
        return item.clone();
    }
    kept.extend_from_slice(&text[copied..]);
    Raw::new(kept)
}

/// Whether the text of a name, with its quotes, is that of a secret, however it is written.
fn is_secret(name: &[u8]) -> bool {
    if name.contains(&b'\\') {
        return serde_json::from_slice::<String>(name).is_ok_and(|name| SECRETS.contains(&name.as_str()));
    }
    SECRETS.iter().any(|secret| name.len() == secret.len() + 2 && name[1..].starts_with(secret.as_bytes()))
}

fn behind_space(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Behind the quote that ends the text which begins here.
fn end_of_text(text: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'"' => return at,
            b'\\' => at += 1,
            _ => {}
        }
    }
    text.len()
}

fn end_of_value(text: &[u8], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at = end_of_text(text, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return at + depth,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &'static str) -> String {
        without_secrets(&Raw::new(text)).to_text().into_owned()
    }

    #[test]
    fn the_value_goes_and_all_else_stays_as_it_was() {
        for (sent, kept) in [
            (
                r#"{"id":1,"start_url":"https://x/s/1?zak=CANARY","a":2}"#,
                r#"{"id":1,"start_url":null,"a":2}"#,
            ),
            (r#"{"start_url" :  "CAN\"ARY" , "b":[1]}"#, r#"{"start_url" :  null , "b":[1]}"#),
            (
                r#"{"a":[{"start_url":"CANARY"},{"start_url":"CANARY"}]}"#,
                r#"{"a":[{"start_url":null},{"start_url":null}]}"#,
            ),
            (r#"{"start_url":{"x":["CANARY","]}"]},"c":1}"#, r#"{"start_url":null,"c":1}"#),
            (r#"{"start_url":["CANARY"]}"#, r#"{"start_url":null}"#),
            (r#"{"start_url":7}"#, r#"{"start_url":null}"#),
            (r#"{"start\u005furl":"CANARY"}"#, r#"{"start\u005furl":null}"#),
            (
                r#"{"download_access_token":"CANARY","download_token":"CANARY"}"#,
                r#"{"download_access_token":null,"download_token":null}"#,
            ),
            // Not sound, and secret all the same.
            (r#"{"a":,"start_url":"CANARY"#, r#"{"a":,"start_url":null"#),
            (r#"{"start_url":[["CANARY""#, r#"{"start_url":null"#),
            (r#"{"start_url":"#, r#"{"start_url":null"#),
        ] {
            assert_eq!(cut(sent), kept);
        }
    }

    #[test]
    fn what_holds_no_secret_is_not_touched() {
        for text in [
            "",
            "{}",
            r#"{"topic":"start_url","x":"\"start_url\":\"a\""}"#,
            r#"{"xstart_url":"a","start_url_x":"b"}"#,
            r#"["start_url"]"#,
        ] {
            assert_eq!(cut(text), text);
        }
    }
}
