//! Mail folders.

use integrations_testkit::msgraph::FolderSpec;

use super::*;

async fn with_folders() -> FakeGraph {
    builder(&clock())
        .folder(FolderSpec::new("Projects").inside("inbox"))
        .folder(FolderSpec::new("Apollo").inside("Projects"))
        .folder(FolderSpec::new("Sync Issues").hidden())
        .start()
        .await
}

fn names(page: &Value) -> Vec<&str> {
    page["value"].as_array().unwrap().iter().map(|folder| folder["displayName"].as_str().unwrap()).collect()
}

async fn round(link: &str) -> (Vec<Value>, String) {
    drain(link, "odata.maxpagesize=3").await
}

#[tokio::test]
async fn folders_are_listed_level_by_level_and_hidden_ones_on_request() {
    let fake = with_folders().await;
    let all = [("$top", "100")];
    let (_, top) = get(&fake, "/v1.0/me/mailFolders", &all).await;
    let standard = [
        "Inbox",
        "Drafts",
        "Sent Items",
        "Deleted Items",
        "Junk Email",
        "Archive",
        "Outbox",
        "Conversation History",
    ];
    assert_eq!(names(&top), standard);
    let (_, hidden) = get(&fake, "/v1.0/me/mailFolders", &[all[0], ("includeHiddenFolders", "true")]).await;
    assert_eq!(
        (names(&hidden).last(), &hidden["value"][8]["isHidden"]),
        (Some(&"Sync Issues"), &json!(true))
    );
    let (_, inside) = get(&fake, "/v1.0/me/mailFolders/INBOX/childFolders", &all).await;
    assert_eq!((names(&inside), &inside["value"][0]["childFolderCount"]), (vec!["Projects"], &json!(1)));
    let (_, default) = get(&fake, "/v1.0/me/mailFolders", &[]).await;
    assert_eq!(names(&default).len(), 8, "ten at most without $top");
    let (_, root) = get(&fake, "/v1.0/me/mailFolders/msgfolderroot", &[]).await;
    assert_eq!(top["value"][0]["parentFolderId"], root["id"]);
}

#[tokio::test]
async fn a_folder_counts_its_messages() {
    let fake = with_folders().await;
    let (read_one, _) =
        (fake.insert_message("Apollo", json!({"isRead": true})), fake.insert_message("Apollo", json!({})));
    let counts = || {
        let folder = fake.folder("Apollo");
        (folder["totalItemCount"].as_u64().unwrap(), folder["unreadItemCount"].as_u64().unwrap())
    };
    assert_eq!(counts(), (2, 1));
    fake.mark_read(&read_one, false);
    assert_eq!(counts(), (2, 2));
    fake.move_message(&read_one, "inbox");
    assert_eq!((counts(), &fake.folder("inbox")["unreadItemCount"]), ((1, 1), &json!(1)));
    let path = format!("/v1.0/me/mailFolders/{}", fake.folder_id("Apollo"));
    let (_, shown) = get(&fake, &path, &[("$select", "totalItemCount")]).await;
    assert_eq!((&shown["totalItemCount"], shown.get("displayName")), (&json!(1), None));
}

#[tokio::test]
async fn a_round_over_folders_tells_new_renamed_moved_and_deleted_ones() {
    let fake = with_folders().await;
    let (items, link) = round(&format!("{}/v1.0/me/mailFolders/delta", fake.url())).await;
    assert_eq!(items.len(), 11);
    assert!(items.iter().all(|item| item["@odata.type"] == "#microsoft.graph.mailFolder"));
    let projects = fake.folder_id("Projects");
    assert!(
        items.iter().any(|item| item["displayName"] == "Apollo" && item["parentFolderId"] == json!(projects))
    );
    fake.insert_message("inbox", json!({}));
    assert!(round(&link).await.0.is_empty(), "that messages come is no change of a folder");

    let apollo = fake.folder_id("Apollo");
    fake.rename_folder("Apollo", "Artemis");
    fake.move_folder("Artemis", "archive");
    fake.hide_folder("Artemis", true);
    let new = fake.add_folder(&FolderSpec::new("New"));
    let (items, link) = round(&link).await;
    assert_eq!(ids(&items), [&apollo, &new]);
    assert_eq!(items[0]["parentFolderId"], json!(fake.folder_id("archive")));
    assert_eq!((&items[0]["displayName"], &items[0]["isHidden"]), (&json!("Artemis"), &json!(true)));

    fake.move_folder("Artemis", "Projects");
    let message = fake.insert_message("Artemis", json!({}));
    let (_, inner) = messages(&fake, &apollo, IMMUTABLE).await;
    fake.delete_folder("Projects");
    let (items, _) = round(&link).await;
    let gone = |id: &str| json!({"@odata.type": "#microsoft.graph.mailFolder", "id": id, "@removed": {"reason": "deleted"}});
    assert_eq!(items, [gone(&projects), gone(&apollo)], "what is inside goes too");
    assert_eq!(code(&follow(&inner, IMMUTABLE).await.1), "ErrorItemNotFound");
    assert_eq!(fake.message(&message), None);
    let selected = format!("{}/v1.0/me/mailFolders/delta?$select=displayName", fake.url());
    assert!(round(&selected).await.0.iter().all(|item| item.get("totalItemCount").is_none()));
}

#[tokio::test]
async fn folder_tokens_can_be_too_old() {
    let fake = with_folders().await;
    let (_, link) = round(&format!("{}/v1.0/me/mailFolders/delta", fake.url())).await;
    fake.expire_delta_tokens();
    assert_eq!(follow(&link, IMMUTABLE).await.0, 410);
    assert_eq!(code(&get(&fake, "/v1.0/me/mailFolders/nowhere", &[]).await.1), "ErrorInvalidIdMalformed");
}
