//! What does one odd item do to the others?

use super::fake::{Answer, ODD_WORD};
use super::host::{Host, PAGE};
use super::subject::Subject;

/// It is quarantined with its id, its path and its text; its page goes on, and so do the next ones.
pub async fn a_malformed_item_harms_itself_alone(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    let ids = host.add(2 * PAGE);
    host.then(|| host.fake.malform(&ids[1]))?;
    let report = host.sync().await;
    assert_eq!((report.upserted, report.quarantined), (ids.len() as u64 - 1, 1));
    assert!(host.record(&ids[1]).is_none());
    host.judge();
    let quarantine = host.quarantine();
    let [item] = &quarantine[..] else { panic!("one item is malformed, not {quarantine:?}") };
    assert_eq!(item.id.as_deref(), Some(ids[1].as_str()), "its id can be read");
    assert!(item.path.starts_with('$') && !item.reason.is_empty(), "{item:?}");
    assert!(!item.raw.is_empty(), "its text is kept");
    Ok(())
}

/// Once it can be read, it is a record, and leaves the quarantine.
pub async fn a_malformed_item_that_is_mended_becomes_a_record(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    let ids = host.add(2 * PAGE);
    host.then(|| host.fake.malform(&ids[1]))?;
    host.sync().await;
    host.then(|| host.fake.mend(&ids[1]));
    let report = host.sync().await;
    assert_eq!(report.quarantined, 0);
    assert!(host.record(&ids[1]).is_some());
    assert_eq!(host.quarantine().len(), 0);
    host.judge();
    Ok(())
}

/// A record whose item cannot be read any more stays as it was, and no listing takes it for gone.
pub async fn a_record_that_turns_malformed_stays(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    let ids = host.add(2 * PAGE);
    host.sync().await;
    let before = host.record(&ids[1]);
    host.then(|| host.fake.malform(&ids[1]))?;
    let report = host.sync().await;
    assert_eq!((report.quarantined, report.swept, report.withheld), (1, 0, None));
    assert_eq!(host.record(&ids[1]), before);
    let report = host.list_again().await;
    assert_eq!((report.quarantined, report.swept, report.withheld), (1, 0, None));
    assert_eq!(host.record(&ids[1]), before);
    host.then(|| host.fake.mend(&ids[1]));
    host.sync().await;
    assert_eq!(host.quarantine().len(), 0);
    host.judge();
    Ok(())
}

/// A word that is newer than the adapter is no error, and is not lost.
pub async fn a_word_that_nobody_knows_is_kept(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    let ids = host.add(PAGE);
    host.then(|| host.fake.odd_word(&ids[1]))?;
    let report = host.sync().await;
    assert_eq!((report.upserted, report.quarantined), (PAGE as u64, 0));
    host.judge();
    let Some(record) = host.record(&ids[1]) else { panic!("the item with the word is not there") };
    let entity = serde_json::to_string(&record.entity).unwrap_or_default();
    assert!(entity.contains(ODD_WORD), "the word is not in the record: {entity}");
    Ok(())
}
