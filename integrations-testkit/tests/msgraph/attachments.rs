//! What hangs on messages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use integrations_testkit::msgraph::FolderSpec;

use super::*;

#[tokio::test]
async fn attachments_are_listed_with_their_content_and_read_one_by_one() {
    let fake = builder(&clock()).start().await;
    let message = fake.insert_message("inbox", json!({"subject": "x"}));
    assert_eq!(fake.message(&message).unwrap()["hasAttachments"], false);
    let logo = json!({"name": "logo.png", "contentType": "image/png", "isInline": true, "contentId": "logo", "contentBytes": STANDARD.encode("png")});
    fake.add_attachment(&message, &logo);
    assert_eq!(fake.message(&message).unwrap()["hasAttachments"], false, "inline ones do not count");
    let file =
        json!({"name": "a.txt", "contentType": "text/plain", "contentBytes": STANDARD.encode("the content")});
    let id = fake.add_attachment(&message, &file);
    let link = json!({"@odata.type": "#microsoft.graph.referenceAttachment", "name": "shared", "sourceUrl": "https://example.com/x", "providerType": "oneDriveBusiness"});
    let link = fake.add_attachment(&message, &link);
    assert_eq!(fake.message(&message).unwrap()["hasAttachments"], true);

    let path = format!("/v1.0/me/messages/{message}/attachments");
    let (status, page) = get(&fake, &path, &[]).await;
    let [inline, attached, reference] = page["value"].as_array().unwrap().as_slice() else {
        panic!("{page}")
    };
    assert_eq!((status, &inline["isInline"], &inline["contentId"]), (200, &json!(true), &json!("logo")));
    assert_eq!(
        (&attached["id"], &attached["@odata.type"]),
        (&json!(id), &json!("#microsoft.graph.fileAttachment"))
    );
    assert_eq!(
        (&attached["contentBytes"], &attached["contentType"]),
        (&file["contentBytes"], &json!("text/plain"))
    );
    assert_eq!(
        (&reference["sourceUrl"], reference.get("contentBytes")),
        (&json!("https://example.com/x"), None)
    );
    let (_, slim) = get(&fake, &path, &[("$select", "name,size")]).await;
    assert!(
        slim["value"][1].get("contentBytes").is_none() && slim["value"][1]["size"].as_u64().unwrap() > 11
    );
    let (status, body) = get(&fake, &path, &[("$select", "colour")]).await;
    assert_eq!((status, code(&body)), (400, "RequestBroker--ParseUri"));

    let (_, one) = get(&fake, &format!("{path}/{id}"), &[]).await;
    assert_eq!(one["name"], "a.txt");
    let raw = request(&fake, &format!("{path}/{id}/$value")).send().await.unwrap();
    assert_eq!((raw.headers()["content-type"].to_str().unwrap(), raw.status().as_u16()), ("text/plain", 200));
    assert_eq!(raw.bytes().await.unwrap(), "the content");
    assert_eq!(get(&fake, &format!("{path}/{link}/$value"), &[]).await.0, 405);
    let item = json!({"@odata.type": "#microsoft.graph.itemAttachment", "name": "Lunch",
        "item": {"subject": "Lunch", "body": {"content": "At one."}}});
    let item = fake.add_attachment(&message, &item);
    let mime = request(&fake, &format!("{path}/{item}/$value")).send().await.unwrap();
    assert_eq!(mime.text().await.unwrap(), "MIME-Version: 1.0\r\nSubject: Lunch\r\n\r\nAt one.");
    assert_eq!(fake.attachment_ids(&message).len(), 4);

    let other = fake.insert_message("inbox", json!({}));
    let wrong = format!("/v1.0/me/messages/{other}/attachments/{id}");
    assert_eq!(code(&get(&fake, &wrong, &[]).await.1), "ErrorItemNotFound");
    fake.move_message(&message, "archive");
    assert_eq!(get(&fake, &format!("{path}/{id}"), &[]).await.0, 200, "immutable ids hold");
    for (operation, count) in [("attachments.list", 3), ("attachments.get", 3), ("attachments.value", 3)] {
        assert_eq!(fake.count(operation), count, "{operation}");
    }
}

#[tokio::test]
async fn generated_attachments_are_the_same_every_time() {
    let fake = builder(&clock()).folder(FolderSpec::well_known("inbox").generated(200)).start().await;
    let with: Vec<String> = fake
        .message_ids("inbox")
        .into_iter()
        .filter(|id| fake.message(id).unwrap()["hasAttachments"] == true)
        .collect();
    assert!((5..60).contains(&with.len()), "{}", with.len());
    let path = format!("/v1.0/me/messages/{}/attachments", with[0]);
    let (_, first) = get(&fake, &path, &[]).await;
    fake.mark_read(&with[0], true);
    let (_, again) = get(&fake, &path, &[]).await;
    assert_eq!(first, again);
    let attachment = &first["value"][0];
    let raw = request(&fake, &format!("{path}/{}/$value", text(attachment, "id"))).send().await.unwrap();
    assert_eq!(STANDARD.encode(raw.bytes().await.unwrap()), text(attachment, "contentBytes"));
}
