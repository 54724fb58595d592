//! What a right on a mailbox does not reach: sign-ins, whole domains, other organisations, and moments after it has ended.

use super::*;
use crate::directory::TokenSpec;
use crate::model::{Address, SenderRule, TokenScope};
use crate::store::{DeviceFilter, UserEdit};

fn spec(label: &str) -> DeviceSpec {
    DeviceSpec {
        label: label.to_owned(),
        ..DeviceSpec::default()
    }
}

async fn signs_in_with(world: &World, user: &User, address: &str) -> User {
    let edit = UserEdit {
        address: Address::parse(address).ok(),
        ..UserEdit::default()
    };
    world
        .directory()
        .edit_user(&world.machine, user.id, &edit)
        .await
        .unwrap()
}

#[tokio::test]
async fn nobody_gets_the_mail_of_an_owners_sign_in_who_could_not_change_the_owner() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let sophie = signs_in_with(&world, &world.sophie, "contact@example.org").await;
    let crm = world.device(&contact, "CRM", None).await;
    let lucie = world.member("lucie", Role::Member).await;
    world.grant(&contact, &lucie, right(Right::ManageDevices)).await;
    let marc = world.member("marc", Role::Administrator).await;
    let words = "as somebody signs in to the Manager with this address; Sophie can";
    for user in [&lucie, &marc] {
        let acting = world.acting(user).await;
        let added = told(world.desk.add_device(&acting, contact.id, spec("Spy")).await);
        assert!(added.ends_with(words), "{added}");
        let replaced = told(world.desk.replace_device(&acting, crm.id).await);
        assert!(replaced.ends_with(words), "{replaced}");
    }
    assert_eq!(world.letters.count(), 0);
    let owner = world.acting(&sophie).await;
    world.desk.add_device(&owner, contact.id, spec("Phone")).await.unwrap();
    world.desk.replace_device(&owner, crm.id).await.unwrap();
}

#[tokio::test]
async fn whoever_signs_in_with_a_mailbox_is_told_of_its_new_passwords() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let zoe = world.member("zoe", Role::Member).await;
    let zoe = signs_in_with(&world, &zoe, "contact@example.org").await;
    let marc = world.member("marc", Role::Administrator).await;
    let manager = world.member("max", Role::MailboxManager).await;
    let refused = world.acting(&manager).await;
    let refused = world.desk.add_device(&refused, contact.id, spec("Spy")).await;
    assert_eq!(key(refused), "ui.forbidden");
    let acting = world.acting(&marc).await;
    world.desk.add_device(&acting, contact.id, spec("CRM")).await.unwrap();
    let put = world.letters.take();
    let told: Vec<_> = put.iter().map(|(to, _)| to.address.as_str()).collect();
    assert_eq!(told, ["contact@example.org", "marc@private.example"]);
    assert_eq!(zoe.address.as_str(), told[0]);
}

#[tokio::test]
async fn an_address_that_somebody_signs_in_with_is_made_only_by_whoever_could_change_them() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let (_, otto, ..) = world.other_org().await;
    signs_in_with(&world, &otto, "otto@example.org").await;
    let marc = world.member("marc", Role::Administrator).await;
    let lucie = world.member("lucie", Role::Member).await;
    world.grant(&contact, &lucie, right(Right::ManageAliases)).await;
    let (marc, lucie) = (world.acting(&marc).await, world.acting(&lucie).await);
    let made = world.desk.create_mailbox(&marc, "otto@example.org").await;
    assert_eq!(key(made), "ui.forbidden");
    for acting in [&marc, &lucie] {
        let made = world.desk.create_alias(acting, contact.id, "otto@example.org").await;
        assert_eq!(key(made), "ui.forbidden");
    }
}

#[tokio::test]
async fn a_right_to_manage_aliases_is_one_to_other_names_of_that_mailbox() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    world
        .directory()
        .create_domain(&world.machine, &world.acme, "example.net")
        .await
        .unwrap();
    let lucie = world.member("lucie", Role::Member).await;
    world.grant(&contact, &lucie, right(Right::ManageAliases)).await;
    let acting = world.acting(&lucie).await;
    for alias in ["hello@example.net", "postmaster@example.org", "Admin@example.org"] {
        let refused = told(world.desk.create_alias(&acting, contact.id, alias).await);
        assert!(refused.contains("speaks for the whole domain"), "{alias}: {refused}");
    }
    world
        .desk
        .create_alias(&acting, contact.id, "hello@example.org")
        .await
        .unwrap();
    let manager = world.member("max", Role::MailboxManager).await;
    let manager = world.acting(&manager).await;
    world
        .desk
        .create_alias(&manager, contact.id, "postmaster@example.org")
        .await
        .unwrap();
}

#[tokio::test]
async fn beside_another_organisation_domains_and_senders_are_the_operators() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let acting = world.acting(&world.sophie).await;
    world.desk.create_domain(&acting, "example.net").await.unwrap();
    let with = |senders: &str| DeviceSpec {
        senders: senders.parse::<SenderRule>().unwrap(),
        ..spec(senders)
    };
    world.desk.add_device(&acting, contact.id, with("off")).await.unwrap();

    world.other_org().await;
    let refused = world.desk.create_domain(&acting, "victim.example").await;
    assert_eq!(key(refused), "domain.operator");
    for senders in ["@other.example", "@example.net,info@other.example", "off"] {
        let refused = match senders {
            // A label may not stand twice.
            "off" => {
                world
                    .desk
                    .add_device(
                        &acting,
                        contact.id,
                        DeviceSpec {
                            label: "All".into(),
                            ..with("off")
                        },
                    )
                    .await
            }
            _ => world.desk.add_device(&acting, contact.id, with(senders)).await,
        };
        assert_eq!(key(refused), "sender.foreign", "{senders}");
    }
    let own = with("@example.net,news@example.org");
    world.desk.add_device(&acting, contact.id, own).await.unwrap();
}

#[tokio::test]
async fn a_role_that_reaches_mailboxes_is_given_with_a_fresh_proof_only() {
    let world = world().await;
    let lucie = world.member("lucie", Role::Member).await;
    let acting = world.acting(&world.sophie).await;
    world.clock.advance(Duration::from_secs(11 * 60));
    for role in [Role::MailboxManager, Role::Administrator, Role::Owner] {
        let given = world.desk.set_role(&acting, lucie.id, Role::Member, role).await;
        assert_eq!(key(given), "signin.step_up", "{role}");
    }
    let given = world
        .desk
        .set_role(&acting, lucie.id, Role::Member, Role::Auditor)
        .await;
    given.unwrap();
    let fresh = world.acting(&world.sophie).await;
    let given = world
        .desk
        .set_role(&fresh, lucie.id, Role::Auditor, Role::Administrator)
        .await;
    given.unwrap();
}

#[tokio::test]
async fn a_session_that_has_ended_does_nothing_more_in_requests_that_began_before() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let signed_in = world.signed_in(&world.sophie).await;
    let acting = world.desk.acting(&signed_in, world.acme.id).await.unwrap();
    world.desk.sign_out_elsewhere(&signed_in, true).await.unwrap();
    let added = world.desk.add_device(&acting, contact.id, spec("Phone")).await;
    assert_eq!(key(added), "signin.needed");
    let changed = world
        .desk
        .change_password(&signed_in, &secret("another long otter"))
        .await;
    assert_eq!(key(changed), "signin.needed");
    assert_eq!(
        key(world.desk.stop_codes(&signed_in, &secret("123456")).await),
        "signin.needed"
    );
    let devices = world.directory().devices(&DeviceFilter::default()).await.unwrap();
    assert!(devices.is_empty());
}

#[tokio::test]
async fn a_token_that_was_revoked_does_nothing_more_in_requests_that_began_before() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let acting = world.acting(&world.sophie).await;
    let (record, token) = world.desk.create_token(&acting, owners_token(&world)).await.unwrap();
    let begun = world.desk.acting_by_token(&visitor(), token.expose()).await.unwrap();
    world.desk.add_device(&begun, contact.id, spec("CRM")).await.unwrap();
    world.desk.revoke_token(&acting, record.id).await.unwrap();
    let added = world.desk.add_device(&begun, contact.id, spec("Phone")).await;
    assert_eq!(key(added), "signin.needed");
    assert_eq!(key(world.desk.mailbox(&begun, contact.id).await), "signin.needed");
}

#[tokio::test]
async fn a_new_password_by_mail_ends_api_tokens() {
    let world = world().await;
    let acting = world.acting(&world.sophie).await;
    let (_, token) = world.desk.create_token(&acting, owners_token(&world)).await.unwrap();
    world.letters.take();
    world.desk.acting_by_token(&visitor(), token.expose()).await.unwrap();
    let address = world.sophie.address.as_str();
    world.desk.forgot_password(&visitor(), address).await.unwrap();
    let link = link_of(&world.letters);
    let new = secret("eight cold teapots");
    world.desk.reset_password(&visitor(), &link, &new).await.unwrap();
    let used = world.desk.acting_by_token(&visitor(), token.expose()).await;
    assert_eq!(key(used), "signin.needed");
}

/// A token for an hour.
fn owners_token(world: &World) -> TokenSpec {
    TokenSpec {
        name: "CRM".to_owned(),
        role: Role::Owner,
        scope: TokenScope::Write,
        expires_at: world.desk.now().plus(Duration::from_secs(3600)),
    }
}
