//! Whose an identity is: another stack's, somebody's, adopted; and which zones it was written into.

use std::sync::Arc;

use custom_resource::testing::{create, delete, update};
use serde_json::json;
use ses_domain::identity::{Identity, MailFrom};
use ses_domain::records::DkimKeys;

use crate::stage::{DOMAIN, ID, Stage, TYPE, fails, properties, stage, succeeds, with};
use crate::world::hosted_zone;

#[test]
fn the_identity_of_another_stack_is_neither_used_nor_deleted() {
    let stage = stage();
    let other = "arn:aws:cloudformation:eu-central-1:123456789012:stack/other/1";
    succeeds(&stage, &create(TYPE, properties()).with("StackId", json!(other)));
    let before = stage.world();
    assert_eq!(
        fails(&stage, &create(TYPE, with(properties(), "AdoptExisting", "true"))),
        "SES identity example.com belongs to arn:aws:cloudformation:eu-central-1:123456789012:stack/other/1/Thing; delete \
         it there, or use another Domain here."
    );
    succeeds(&stage, &delete(TYPE, ID, properties()));
    assert_eq!(stage.world(), before);
}

fn by_hand(configuration_set: &str) -> Identity {
    Identity {
        keys: DkimKeys {
            tokens: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
            zone: None,
        },
        mail_from: Some(MailFrom {
            domain: "old.example.com".to_owned(),
            status: String::new(),
        }),
        configuration_set: Some(configuration_set.to_owned()),
        tags: [("team".to_owned(), "web".to_owned())].into(),
        ..Identity::default()
    }
}

#[test]
fn an_identity_made_by_hand_is_refused() {
    let stage = stage();
    stage.change(|world| drop(world.identities.insert(DOMAIN.to_owned(), by_hand("theirs"))));
    let before = stage.world();
    assert_eq!(
        fails(&stage, &create(TYPE, properties())),
        "SES identity example.com exists already and was not made by a stack; set AdoptExisting to true to use it \
         (deleting the stack then gives it back rather than deleting it), or delete it first."
    );
    succeeds(&stage, &delete(TYPE, ID, properties()));
    assert_eq!(stage.world(), before);
}

#[test]
fn an_adopted_identity_is_given_back_as_it_was() {
    let stage = stage();
    stage.change(|world| drop(world.identities.insert(DOMAIN.to_owned(), by_hand("theirs"))));
    let before = stage.world();
    let adopting = with(properties(), "AdoptExisting", "true");
    succeeds(&stage, &create(TYPE, adopting.clone()));
    let adopted = stage.world().identity(DOMAIN).unwrap();
    assert_eq!(adopted.mail_from.unwrap().domain, "mail.example.com");
    assert_eq!(adopted.configuration_set.unwrap(), "mautic");
    let bounce = with(adopting.clone(), "MailFromSubdomain", "bounce");
    succeeds(&stage, &update(TYPE, ID, bounce, adopting.clone()));
    succeeds(&stage, &delete(TYPE, ID, adopting));
    assert_eq!(stage.world().all_records(), before.all_records());
    assert_eq!(
        stage.world().identity(DOMAIN).map(|i| i.tags),
        before.identity(DOMAIN).map(|i| i.tags)
    );
    assert_eq!(stage.world().identity(DOMAIN), before.identity(DOMAIN));
}

#[test]
fn an_adopted_identity_whose_own_configuration_set_is_gone_is_given_back_without_one() {
    let stage = stage();
    stage.change(|world| drop(world.identities.insert(DOMAIN.to_owned(), by_hand("theirs"))));
    let adopting = with(properties(), "AdoptExisting", "true");
    succeeds(&stage, &create(TYPE, adopting.clone()));
    stage.change(|world| world.configuration_sets = Some(["mautic".to_owned()].into()));
    succeeds(&stage, &delete(TYPE, ID, adopting));
    assert_eq!(stage.world().identity(DOMAIN).unwrap().configuration_set, None);
}

#[test]
fn another_zone_gets_the_records_too_and_the_delete_clears_both() {
    let stage = stage();
    stage.change(|world| {
        let mut twin = world.zones[0].clone();
        twin.zone = hosted_zone("Z2", DOMAIN);
        world.zones.push(twin);
    });
    let before = stage.world();
    // Only one of them is delegated to, so that SES may never see the other.
    let at_once = with(properties(), "WaitForVerification", "false");
    let first = with(at_once.clone(), "HostedZoneId", "Z1");
    let role = with(at_once, "HostedZoneId", "Z2");
    let second = with(role, "RoleArn", "arn:aws:iam::210987654321:role/dns");
    succeeds(&stage, &create(TYPE, first.clone()));
    let one = stage.world().all_records()["Z1"].clone();
    succeeds(&stage, &update(TYPE, ID, second, first.clone()));
    assert_eq!(stage.world().all_records()["Z1"], one);
    assert_eq!(stage.world().all_records()["Z2"], one);
    let assumed = |stage: &Arc<Stage>| stage.calls().iter().filter(|call| **call == "sts:AssumeRole").count();
    let before_delete = assumed(&stage);
    succeeds(&stage, &delete(TYPE, ID, first));
    assert_eq!(
        assumed(&stage),
        before_delete + 1,
        "the second zone's role is remembered"
    );
    assert_eq!(stage.world().all_records(), before.all_records());
}
