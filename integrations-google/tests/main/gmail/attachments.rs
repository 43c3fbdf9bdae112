//! The content of files, when it is asked for.

use integrations_core::ErrorKind;
use integrations_core::model::Attachment;
use integrations_testkit::Fault;
use integrations_testkit::google::MailSpec;

use super::{MESSAGES, Mailbox};

const LIMIT: u64 = 16 << 20;

/// Bytes that no encoding forgives a fault in.
fn file(size: usize) -> Vec<u8> {
    (0..size).map(|index| (index.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect()
}

async fn mailbox_with(size: usize) -> (Mailbox, String, Attachment) {
    let mailbox = Mailbox::of(0).await;
    let mail = MailSpec::new("Figures").text("See there.").attachment(
        "figures.bin",
        "application/x-figures",
        &file(size),
    );
    let id = mailbox.fake.add_message(mail);
    mailbox.gateway.sync(&mailbox.connection.id).await.unwrap().into_result().unwrap();
    let message = mailbox.message(&id);
    assert_eq!(message.attachments.len(), 1);
    let attachment = message.attachments[0].clone();
    assert_eq!((attachment.title.as_deref(), attachment.size), (Some("figures.bin"), Some(size as u64)));
    (mailbox, id, attachment)
}

#[tokio::test]
async fn a_file_comes_in_pieces_and_whole() {
    for size in [0, 1, 2, 3, 1_000, 3 << 20] {
        let (mailbox, id, attachment) = mailbox_with(size).await;
        let (gateway, connection) = (&mailbox.gateway, &mailbox.connection.id);
        let mut opened =
            gateway.attachment(connection, &MESSAGES.into(), &id, &attachment, LIMIT).await.unwrap();
        assert_eq!(opened.media_type.as_deref(), Some("application/x-figures"));
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
    let (mailbox, id, attachment) = mailbox_with(300_000).await;
    let (gateway, connection) = (&mailbox.gateway, &mailbox.connection.id);
    let open = async |attachment: &Attachment, limit| {
        let opened = gateway.attachment(connection, &MESSAGES.into(), &id, attachment, limit).await?;
        opened.content.bytes().await
    };
    assert_eq!(open(&attachment, 300_000).await.unwrap().len(), 300_000);
    for limit in [299_999, 1_000, 0] {
        let error = open(&attachment, limit).await.unwrap_err();
        assert_eq!(error.provider_code(), Some("body_too_large"), "{limit}");
    }

    mailbox.fake.fault(Fault::on("messages.attachments.get").truncate(200_000));
    assert_eq!(open(&attachment, LIMIT).await.unwrap_err().kind(), ErrorKind::Network);
    mailbox.fake.fault(Fault::on("messages.attachments.get").status(503));
    assert_eq!(open(&attachment, LIMIT).await.unwrap_err().kind(), ErrorKind::ServiceUnavailable);
    mailbox.fake.fault(Fault::on("messages.attachments.get").html());
    assert_eq!(open(&attachment, LIMIT).await.unwrap_err().kind(), ErrorKind::DataFormat);

    let unknown = Attachment { id: Some("7.7".into()), ..attachment.clone() };
    assert_eq!(open(&unknown, LIMIT).await.unwrap_err().kind(), ErrorKind::NotFound);
    let nameless = Attachment { id: None, ..attachment.clone() };
    assert_eq!(open(&nameless, LIMIT).await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    mailbox.fake.delete_message(&id);
    assert_eq!(open(&attachment, LIMIT).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_token_that_is_refused_is_refreshed_before_the_content_comes() {
    let (mailbox, id, attachment) = mailbox_with(5_000).await;
    mailbox.fake.expire_access_tokens();
    let opened = mailbox
        .gateway
        .attachment(&mailbox.connection.id, &MESSAGES.into(), &id, &attachment, LIMIT)
        .await
        .unwrap();
    assert!(opened.content.bytes().await.unwrap() == file(5_000));
    assert_eq!(mailbox.fake.refreshes(), 1);
}
