//! The same mails as they travelled (RFC 5322), read whole by a parser of mail: both ways give the same.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use integrations_core::http::Request;
use integrations_core::model::{Message, PersonRef};
use integrations_testkit::google::MailSpec;
use mail_parser::{Address, MessageParser, MessagePart, MimeHeaders};
use serde_json::Value;
use url::Url;

use super::Mailbox;

type People = Vec<(Option<String>, Option<String>)>;

fn theirs(list: Option<&Address<'_>>) -> People {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    list.into_iter().flat_map(Address::iter).map(|one| (owned(one.name()), owned(one.address()))).collect()
}

fn ours(people: &[PersonRef]) -> People {
    people.iter().map(|one| (one.name.clone(), one.email.clone())).collect()
}

fn same(ours_is: &Message, raw: &[u8]) {
    let id = &ours_is.id;
    let mail = MessageParser::default().parse(raw).unwrap();
    assert_eq!(ours_is.subject.as_deref(), mail.subject(), "{id}");
    assert_eq!(ours(ours_is.from.as_slice()), theirs(mail.from()), "{id}");
    assert_eq!(ours(&ours_is.to), theirs(mail.to()), "{id}");
    assert_eq!(ours(&ours_is.cc), theirs(mail.cc()), "{id}");
    assert_eq!(ours_is.internet_message_id.as_deref(), mail.message_id(), "{id}");
    let references = mail.references().clone().into_text_list().unwrap_or_default();
    assert_eq!(ours_is.references, references, "{id}");
    // What has one form alone, the parser turns into the other.
    if mail.text_bodies().any(|part| !part.is_text_html()) {
        let text = mail.body_text(0).filter(|text| !text.is_empty());
        assert_eq!(ours_is.text.as_deref(), text.as_deref(), "{id}");
    }
    let html = mail.html_bodies().any(MessagePart::is_text_html).then(|| mail.body_html(0).unwrap());
    assert_eq!(ours_is.html.as_deref(), html.as_deref(), "{id}");
    let (files, ours) = (mail.attachments().collect::<Vec<_>>(), &ours_is.attachments);
    assert_eq!(files.len(), ours.len(), "{id}");
    for (theirs, ours) in files.into_iter().zip(ours) {
        assert_eq!(ours.title.as_deref(), theirs.attachment_name(), "{id}");
        assert_eq!(ours.content_id.as_deref(), theirs.content_id(), "{id}");
        // The parser counts letters of text, not its bytes.
        let size = (!theirs.is_text()).then_some(theirs.len() as u64);
        assert_eq!(ours.size, size.or(ours.size), "{id}");
    }
}

#[tokio::test]
async fn every_mail_is_what_it_was_when_it_travelled() {
    let host = Mailbox::of(300).await;
    host.fake.add_message(
        MailSpec::new("Zahlen für März: „gut“ 📈")
            .from("Zoë Müller <zoe@partner.example>")
            .to("Ada <ada@example.com>")
            .to("bob@example.com")
            .cc("山田太郎 <taro@example.jp>")
            .text("Anbei die Zahlen.\n\nGrüße\n")
            .html("<p>Anbei die Zahlen: <img src=\"cid:p1\"></p>")
            .inline("p1", "bild.png", "image/png", b"\x89PNG")
            .attachment("übersicht.csv", "text/csv", b"a;b\n1;2\n")
            .attachment("notes.txt", "text/plain", b"notes"),
    );
    host.fake.add_message(MailSpec::new("Only HTML").html("<div>one</div><div>two</div>"));
    host.fake.add_message(MailSpec::new(""));
    host.sync().await;
    let session = host.gateway.session(&host.connection.id).await.unwrap();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for message in host.messages() {
        let url = format!("{}/gmail/v1/users/me/messages/{}?format=raw", host.fake.url(), message.id);
        let answer = session.send(Request::get("messages.get", Url::parse(&url).unwrap())).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        same(&message, &URL_SAFE.decode(answer["raw"].as_str().unwrap()).unwrap());
        let is = |yes: bool, name: &'static str| if yes { name } else { "" };
        let kind = [
            is(message.text.is_some(), "text "),
            is(message.html.is_some(), "html "),
            is(!message.attachments.is_empty(), "files "),
            is(!message.references.is_empty(), "thread"),
        ];
        *kinds.entry(kind.concat()).or_default() += 1;
    }
    println!("{kinds:?}");
    assert!(kinds.len() >= 4, "{kinds:?}");
}
