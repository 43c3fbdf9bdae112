//! What hangs on messages: what the records say of it, and its content when it is asked for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use integrations_core::ErrorKind;
use integrations_core::model::Attachment;
use integrations_testkit::Fault;
use serde_json::json;

use super::Mailbox;

const LIMIT: u64 = 16 << 20;

/// Bytes that no encoding forgives a fault in.
fn file(size: usize) -> Vec<u8> {
    (0..size).map(|index| (index.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect()
}

async fn mailbox_with(attachment: serde_json::Value) -> (Mailbox, String, Attachment) {
    let mailbox = Mailbox::new().await;
    let id =
        mailbox.fake.insert_message("inbox", json!({"subject": "See there", "attachments": [attachment]}));
    mailbox.sync().await;
    let message = mailbox.message(&id);
    assert_eq!(message.attachments.len(), 1);
    let attachment = message.attachments[0].clone();
    (mailbox, id, attachment)
}

fn figures(size: usize) -> serde_json::Value {
    let content = STANDARD.encode(file(size));
    json!({"name": "figures.bin", "contentType": "application/x-figures", "contentBytes": content})
}

#[tokio::test]
async fn a_file_comes_in_pieces_and_whole() {
    for size in [0, 1, 2, 3, 1_000, 3 << 20] {
        let (mailbox, id, attachment) = mailbox_with(figures(size)).await;
        assert_eq!(attachment.title.as_deref(), Some("figures.bin"));
        let inbox = mailbox.folder("inbox").stream;
        let mut opened = mailbox
            .gateway
            .attachment(&mailbox.connection.id, &inbox, &id, &attachment, LIMIT)
            .await
            .unwrap();
        assert_eq!(opened.media_type.as_deref(), Some("application/x-figures"));
        assert!(opened.size.is_none_or(|said| said == size as u64), "{:?}", opened.size);
        let (mut whole, mut largest) = (Vec::new(), 0);
        while let Some(piece) = opened.content.next().await.unwrap() {
            largest = largest.max(piece.len());
            whole.extend_from_slice(&piece);
        }
        assert!(whole == file(size), "{size}");
        assert!(largest < 1 << 20, "{largest} bytes at once");
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_or_gone_or_breaks_off_is_an_error() {
    let (mailbox, id, attachment) = mailbox_with(figures(300_000)).await;
    let inbox = mailbox.folder("inbox").stream;
    let open = async |attachment: &Attachment, limit| {
        let opened =
            mailbox.gateway.attachment(&mailbox.connection.id, &inbox, &id, attachment, limit).await?;
        opened.content.bytes().await
    };
    assert_eq!(open(&attachment, 300_000).await.unwrap().len(), 300_000);
    for limit in [299_999, 1_000, 0] {
        let error = open(&attachment, limit).await.unwrap_err();
        assert_eq!(error.provider_code(), Some("body_too_large"), "{limit}");
    }
    let value = || Fault::on("attachments.value");
    for (fault, kind) in [
        (value().truncate(200_000), ErrorKind::Network),
        (value().reset(), ErrorKind::Network),
        (value().status(503), ErrorKind::ServiceUnavailable),
        (value().status(429), ErrorKind::RateLimited),
    ] {
        drop(mailbox.fake.fault(fault));
        assert_eq!(open(&attachment, LIMIT).await.unwrap_err().kind(), kind);
        assert_eq!(open(&attachment, LIMIT).await.unwrap().len(), 300_000);
    }
    let nameless = Attachment { id: None, ..attachment.clone() };
    assert_eq!(open(&nameless, LIMIT).await.unwrap_err().kind(), ErrorKind::InvalidRequest);

    let refreshes = mailbox.fake.refreshes();
    mailbox.fake.expire_access_tokens();
    assert_eq!(open(&attachment, LIMIT).await.unwrap().len(), 300_000);
    assert_eq!(mailbox.fake.refreshes(), refreshes + 1);

    // Wherever the message goes, its file has the same id.
    mailbox.fake.move_message(&id, "archive");
    assert_eq!(open(&attachment, LIMIT).await.unwrap().len(), 300_000);
    mailbox.fake.delete_message(&id);
    assert_eq!(open(&attachment, LIMIT).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn an_attached_item_comes_as_mime_and_a_reference_says_that_it_is_one() {
    let item = json!({"@odata.type": "#microsoft.graph.itemAttachment", "name": "Lunch",
        "item": {"@odata.type": "#microsoft.graph.message", "subject": "Lunch", "body": {"content": "At one."}}});
    let (mailbox, id, attachment) = mailbox_with(item).await;
    let inbox = mailbox.folder("inbox").stream;
    let opened =
        mailbox.gateway.attachment(&mailbox.connection.id, &inbox, &id, &attachment, LIMIT).await.unwrap();
    let mime = opened.content.bytes().await.unwrap();
    assert_eq!(mime, "MIME-Version: 1.0\r\nSubject: Lunch\r\n\r\nAt one.");

    let reference = json!({"@odata.type": "#microsoft.graph.referenceAttachment", "name": "plan.docx",
        "sourceUrl": "https://files.example/plan.docx"});
    let (mailbox, id, attachment) = mailbox_with(reference).await;
    let inbox = mailbox.folder("inbox").stream;
    let open = || mailbox.gateway.attachment(&mailbox.connection.id, &inbox, &id, &attachment, LIMIT);
    let error = open().await.unwrap_err();
    let said = (error.kind(), error.provider_code());
    assert_eq!(said, (ErrorKind::UnsupportedOperation, Some("reference_attachment")), "{error}");
    // Where that cannot be found out, Graph's own word stands.
    drop(mailbox.fake.fault(Fault::on("attachments.get").status(500)));
    let error = open().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::UnsupportedOperation, Some(405)), "{error}");
}

#[tokio::test]
async fn a_message_names_all_that_hangs_on_it() {
    // Two pages of the list of attachments, and pictures that Graph does not count.
    let mailbox = Mailbox::with(|fake| fake.page_cap(3), super::one_at_a_time, |config| config).await;
    let many: Vec<_> = (0..7).map(|number| json!({"name": format!("{number}.txt")})).collect();
    let many = mailbox.fake.insert_message("inbox", json!({"attachments": many}));
    let picture = json!({"name": "p.png", "contentType": "image/png", "isInline": true, "contentId": "p@x"});
    let body = json!({"contentType": "html", "content": "<p><img src=\"cid:p@x\"></p>"});
    let shown = mailbox.fake.insert_message("inbox", json!({"body": body, "attachments": [picture]}));
    let plain = mailbox.fake.insert_message("inbox", json!({}));
    assert_eq!(mailbox.fake.message(&shown).unwrap()["hasAttachments"], false);
    mailbox.sync().await;
    let titles: Vec<_> =
        mailbox.message(&many).attachments.into_iter().map(|file| file.title.unwrap()).collect();
    assert_eq!(titles, ["0.txt", "1.txt", "2.txt", "3.txt", "4.txt", "5.txt", "6.txt"]);
    let file = mailbox.message(&shown).attachments.remove(0);
    assert_eq!((file.content_id.as_deref(), file.inline), (Some("p@x"), true));
    assert_eq!(mailbox.message(&plain).attachments, []);
    mailbox.assert_same("inbox");

    // A change of what hangs on it is a change of the message.
    mailbox.fake.add_attachment(&many, &json!({"name": "7.txt"}));
    mailbox.sync().await;
    assert_eq!(mailbox.message(&many).attachments.len(), 8);
}

/// A list that cannot be read on is that of its message alone, and not the folder's position.
#[tokio::test]
async fn a_list_of_attachments_that_goes_on_oddly_harms_its_message_only() {
    for link in ["me/messages/x/attachments?$skip=1", "https://evil.example/v1.0/x", "http://127.0.0.1:1/x"] {
        let mailbox = Mailbox::new().await;
        let other = mailbox.fake.insert_message("inbox", json!({}));
        mailbox.fake.insert_message("inbox", json!({"attachments": [{"name": "a.txt"}]}));
        let page = json!({"value": [], "@odata.nextLink": link}).to_string();
        drop(mailbox.fake.fault(Fault::on("attachments.list").body(&page, "application/json")));
        let report = mailbox.sync().await;
        assert_eq!((report.upserted, report.quarantined, report.resyncs), (1, 1, 0), "{link}");
        assert_eq!(mailbox.messages()[0].id, other);
    }
    for (status, reason) in [(410, "resyncRequired"), (403, "ErrorAccessDenied"), (500, "generalException")] {
        let mailbox = Mailbox::with(|fake| fake.page_cap(3), super::one_at_a_time, |config| config).await;
        let files: Vec<_> = (0..7).map(|number| json!({"name": format!("{number}.txt")})).collect();
        mailbox.fake.insert_message("inbox", json!({"attachments": files}));
        mailbox.fake.insert_message("inbox", json!({}));
        let second = Fault::on("attachments.list").nth(2).status(status).reason(reason);
        drop(mailbox.fake.fault(second));
        let report = mailbox.sync().await;
        assert_eq!((report.upserted, report.quarantined, report.resyncs), (1, 1, 0), "{status}");
    }
}

#[tokio::test]
async fn no_content_is_fetched_that_nobody_asked_for() {
    let (mailbox, ..) = mailbox_with(figures(1 << 20)).await;
    let raw = mailbox.records("inbox").remove(0).raw;
    assert!(raw.len() < 8 << 10, "{} bytes", raw.len());
    let raw: serde_json::Value = serde_json::from_slice(raw.as_bytes()).unwrap();
    assert_eq!(raw["attachments"][0]["contentBytes"], serde_json::Value::Null);
}
