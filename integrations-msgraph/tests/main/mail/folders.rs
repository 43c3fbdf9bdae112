//! Folders: which are streams, and what their channels say.

use integrations_core::ErrorKind;
use integrations_core::model::ChannelKind;
use integrations_core::sync::SyncRequest;
use integrations_msgraph::GraphConfigBuilder;
use integrations_msgraph::mail::FOLDERS;
use integrations_testkit::Fault;
use integrations_testkit::msgraph::FolderSpec;
use serde_json::json;

use super::{Mailbox, one_at_a_time};

fn tree(
    fake: integrations_testkit::msgraph::FakeGraphBuilder,
) -> integrations_testkit::msgraph::FakeGraphBuilder {
    fake.page_cap(4)
        .folder(FolderSpec::new("Projects").inside("inbox"))
        .folder(FolderSpec::new("2026").inside("Projects"))
        .folder(FolderSpec::new("Sync Issues").hidden())
        .folder(FolderSpec::new("Conflicts").inside("Sync Issues"))
}

#[tokio::test]
async fn every_folder_is_a_stream_however_deep_and_the_inbox_is_first() {
    let mailbox = Mailbox::with(tree, one_at_a_time, |config| config).await;
    let streams = mailbox.gateway.streams(&mailbox.connection.id).await.unwrap();
    let titles: Vec<_> = streams.iter().map(|stream| stream.title.as_str()).collect();
    for title in ["Inbox", "Folders", "Projects", "2026", "Archive", "Deleted Items"] {
        assert!(titles.contains(&title), "{title} in {titles:?}");
    }
    assert!(!titles.contains(&"Sync Issues") && !titles.contains(&"Conflicts"), "{titles:?}");
    assert_eq!((titles[0], streams[0].primary), ("Inbox", true));
    assert_eq!(streams.iter().filter(|stream| stream.primary).count(), 1);
    assert_eq!(streams[0].id.as_str(), mailbox.fake.folder_id("inbox"));

    let hidden = Mailbox::with(tree, one_at_a_time, GraphConfigBuilder::hidden_folders).await;
    let streams = hidden.gateway.streams(&hidden.connection.id).await.unwrap();
    assert_eq!(streams.len(), titles.len() + 2);
    let id = hidden.fake.insert_message("Conflicts", json!({}));
    hidden.sync_all(SyncRequest::incremental()).await.unwrap().into_result().unwrap();
    assert_eq!(hidden.records("Conflicts").remove(0).id(), id);
}

#[tokio::test]
async fn the_folders_are_channels_with_their_place_and_their_counts() {
    let mailbox = Mailbox::with(tree, one_at_a_time, |config| config).await;
    mailbox.fake.insert_message("2026", json!({}));
    let read = mailbox.fake.insert_message("2026", json!({"isRead": true}));
    let sync = async || {
        let only = |stream: &integrations_core::adapter::Stream| stream.id == FOLDERS;
        let request = SyncRequest::incremental();
        let report = mailbox.gateway.sync_selected(&mailbox.connection.id, request, only).await.unwrap();
        report.into_result().unwrap();
    };
    sync().await;
    let channel = |name: &str| {
        let named = |channel: &integrations_core::model::Channel| channel.name.as_deref() == Some(name);
        mailbox.channels().into_iter().find(named).unwrap()
    };
    let year = channel("2026");
    assert_eq!((year.kind.clone(), year.system), (ChannelKind::Folder, false));
    assert_eq!(year.parent_id.as_deref(), Some(mailbox.fake.folder_id("Projects").as_str()));
    assert_eq!((year.message_count, year.unread_count), (Some(2), Some(1)));
    assert!(channel("Inbox").system && channel("Deleted Items").system && channel("Drafts").system);
    assert!(mailbox.channels().iter().all(|channel| channel.name.as_deref() != Some("Sync Issues")));

    // The counts follow, though Graph calls them no change of the folder.
    mailbox.fake.delete_message(&read);
    mailbox.fake.rename_folder("2026", "This year");
    mailbox.fake.move_folder("Projects", "archive");
    mailbox.fake.delete_folder("Conversation History");
    sync().await;
    let year = channel("This year");
    assert_eq!((year.message_count, year.unread_count), (Some(1), Some(1)));
    assert_eq!(channel("Projects").parent_id.as_deref(), Some(mailbox.fake.folder_id("archive").as_str()));
    assert!(mailbox.channels().iter().all(|channel| channel.name.as_deref() != Some("Conversation History")));
}

#[tokio::test]
async fn odd_folders_harm_themselves_only() {
    let page = json!({"value": [
        {"id": "1", "displayName": "Search", "@odata.type": "#microsoft.graph.mailSearchFolder"},
        {"id": "2", "displayName": 7},
        {"displayName": "nameless"},
        {"id": "folders", "displayName": "clash"},
        {"id": "3", "displayName": "old name"},
        {"id": "3", "displayName": "new name", "parentFolderId": "3", "isHidden": null},
        {"id": "4", "displayName": "gone"},
        {"id": "4", "@removed": {"reason": "deleted"}},
        {"id": "5"},
    ]});
    let mailbox = Mailbox::new().await;
    let mut page = page;
    page["@odata.deltaLink"] = json!(format!("{}/v1.0/x", mailbox.fake.url()));
    let body = page.to_string();
    drop(mailbox.fake.fault(Fault::on("mailFolders.delta").body(&body, "application/json").always()));
    let streams = mailbox.gateway.streams(&mailbox.connection.id).await.unwrap();
    let mut ids: Vec<_> = streams.iter().map(|stream| (stream.id.as_str(), stream.title.as_str())).collect();
    ids.sort_unstable();
    assert_eq!(ids, [("3", "new name"), ("5", ""), ("folders", "Folders")]);
    let only = |stream: &integrations_core::adapter::Stream| stream.id == FOLDERS;
    let report = mailbox
        .gateway
        .sync_selected(&mailbox.connection.id, SyncRequest::incremental(), only)
        .await
        .unwrap();
    let report = report.into_result().unwrap();
    assert_eq!(report.total().quarantined, 2);
    let channels = mailbox.channels();
    let search = channels.iter().find(|channel| channel.id == "1").unwrap();
    assert_eq!(search.kind, ChannelKind::Other("search_folder".into()));
    assert_eq!(channels.iter().filter(|channel| channel.id == "3").count(), 1);
    assert!(channels.iter().all(|channel| channel.id != "4"));
}

#[tokio::test]
async fn a_list_of_folders_without_an_end_is_an_error() {
    let mailbox = Mailbox::new().await;
    let link = format!("{}/v1.0/me/mailFolders/delta?$skiptoken=x", mailbox.fake.url());
    for (body, code) in [
        (json!({"value": [], "@odata.nextLink": link}), Some("too_many_pages")),
        (json!({"value": []}), None),
    ] {
        let fault = Fault::on("mailFolders.delta").body(&body.to_string(), "application/json").always();
        let armed = mailbox.fake.fault(fault);
        let error = mailbox.gateway.streams(&mailbox.connection.id).await.unwrap_err();
        assert_eq!((error.kind(), error.provider_code()), (ErrorKind::DataFormat, code));
        armed.take_back();
    }
}
