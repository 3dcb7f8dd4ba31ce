//! A batch with one of everything, and what it leaves: told to the function in all the ways that must end alike.

use crate::report::Report;
use crate::world::{World, all_well, hand};

/// Events, rows of do-not-contact, failed sends: what one batch of [`reports`] leaves, and what is there before.
pub const ALL: &str = "15 12 10";
pub const NOTHING: &str = "0 1 0";

/// Contacts 1 to 9 at c1@example.com ..., each with a send of e-mail 7 and its hash; the tenth has no send; the eleventh was
/// put on the list by hand; the twelfth's send has no hash.
pub async fn stage(world: &World) {
    world
        .run(&[
            "INSERT INTO {emails} (id, name) VALUES (7, 'Spring')",
            "INSERT INTO {leads} (id, email) SELECT n, CONCAT('c', n, '@example.com') FROM JSON_TABLE('[1,2,3,4,5,6,7,8,9,10,11,12]', '$[*]' COLUMNS (n INT PATH '$')) j",
            "INSERT INTO {sends} (id, email_id, lead_id, email_address, date_sent, tracking_hash, open_details) \
             SELECT id, 7, id, email, '2026-11-23 23:00:00', IF(id < 10, CONCAT('hash1234567890123456', id), NULL), 'a:0:{}' FROM {leads} WHERE id < 10 OR id = 12",
            "INSERT INTO {rows} (lead_id, date_added, reason, channel, comments) VALUES (11, '2026-01-01', 3, 'email', 'by hand')",
        ])
        .await;
}

/// A bounce of each mail with a hash; soft ones of the tenth's address, just enough; one of the eleventh's address, and one
/// of the twelfth's e-mail; a complaint of the first. Each kind of statement that there is comes of it.
pub fn reports() -> Vec<Report> {
    let address = |n: usize| format!("c{n}@example.com");
    let mut reports: Vec<_> = (1..10)
        .map(|n| Report::bounce(&format!("b{n}"), &address(n), "550").hash(&format!("hash1234567890123456{n}")))
        .collect();
    reports.extend((0..3).map(|n| Report::soft(&format!("s{n}"), &address(10))));
    reports.push(Report::bounce("b11", &address(11), "550"));
    reports.push(Report::bounce("b12", &address(12), "550").email(7));
    reports.push(Report::complaint("c", &address(1), "abuse").at("2026-11-23T23:39:00Z"));
    reports
}

/// Everything that the function may have changed.
pub async fn everything(world: &World) -> Vec<String> {
    let mut all = world.column("SELECT CONCAT_WS(' ', lead_id, date_added, reason, channel, COALESCE(channel_id, 'NULL'), comments) FROM {rows} ORDER BY lead_id, id").await;
    all.extend(world.sends().await);
    all.extend(
        world
            .column("SELECT CONCAT(HEX(subject), soft_bounces) FROM {own}.subjects ORDER BY subject")
            .await,
    );
    all.extend(
        world
            .column("SELECT CONCAT(HEX(event_key), verdict) FROM {own}.events ORDER BY event_key")
            .await,
    );
    all
}

/// Begins again; the function's own tables are emptied.
pub async fn anew(world: &World) {
    clear(world).await;
    world
        .run(&["DELETE FROM {own}.events", "DELETE FROM {own}.subjects"])
        .await;
}

/// Begins again; the function's own tables stay as they are.
pub async fn clear(world: &World) {
    world
        .run(&["DELETE FROM {sends}", "DELETE FROM {leads}", "DELETE FROM {emails}"])
        .await;
    stage(world).await;
}

/// What is left when everything comes once and in one piece.
pub async fn undisturbed(world: &World) -> Vec<String> {
    stage(world).await;
    assert_eq!(hand(&world.handler(), &reports()).await, all_well());
    let all = everything(world).await;
    assert_eq!(all.len(), 12 + 10 + 1 + 15, "{all:#?}");
    assert_eq!(all[10], "11 2026-11-23 23:38:25 2 email NULL Permanent/General: 550");
    assert_eq!(all[11], "12 2026-11-23 23:38:25 2 email 7 Permanent/General: 550");
    all
}
