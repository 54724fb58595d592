//! What a set-up link gives to whom: only what its sender may do when it is opened, in the sender's turn, and until the
//! device has signed in with the password that it gave.

use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt as _, poll};

use super::*;
use crate::peer::Protocol;
use crate::revoke::{LiveSession, SessionInfo};
use crate::store::{CredentialStore, DeviceUse, DirectoryStore};

const SECOND: Duration = Duration::from_secs(1);
/// Passwords of one sender that wait or are being hashed.
const TURNS_OF_ONE: usize = 2;

fn to_hand_over() -> LinkSpec {
    LinkSpec {
        to: None,
        language: Language::English,
    }
}

/// A link of a new device that belongs to nobody: what it ends with, and the device.
async fn linked(world: &World, by: &Acting, label: &str) -> (Secret<String>, Device) {
    let contact = world.mailbox("contact").await;
    let spec = DeviceSpec {
        label: label.to_owned(),
        ..DeviceSpec::default()
    };
    let made = world
        .desk
        .add_linked_device(by, contact.id, spec, &to_hand_over())
        .await
        .unwrap();
    (made.secret.unwrap(), made.row.device)
}

async fn open(world: &World, link: &Secret<String>, way: LinkWay) -> Result<LinkOpened, LinkRefused> {
    world.desk.open_device_link(&visitor(), link.expose(), None, way).await
}

/// How a link stands for somebody who has no cookie.
async fn standing(world: &World, link: &Secret<String>) -> LinkStanding {
    let found = world.desk.device_link_of(&visitor(), link.expose(), None).await;
    found.unwrap().unwrap().standing
}

/// How it stands after it was refused.
fn stands<T: std::fmt::Debug>(refused: Result<T, LinkRefused>) -> LinkStanding {
    match refused {
        Err(LinkRefused::Stands(view)) => view.standing,
        other => panic!("{other:?}"),
    }
}

fn is_busy<T>(outcome: &Result<T, LinkRefused>) -> bool {
    matches!(outcome, Err(LinkRefused::Failed(Error::Busy(_))))
}

async fn has_password(world: &World, device: &Device) -> bool {
    let device = world.store.device(device.id).await.unwrap().unwrap();
    device.replaced_at.is_some()
}

/// A session that has just begun, live for as long as it is held.
async fn connect(world: &World, device: &Device) -> LiveSession {
    let contact = world.mailbox("contact").await;
    world.registry.register(SessionInfo {
        device: device.id,
        label: device.label.as_str().into(),
        mailbox: contact.id,
        address: contact.address,
        protocol: Protocol::Imap,
        peer: "198.51.100.7".parse().unwrap(),
        since: world.clock.utc(),
        expires_at: None,
        client: None,
        route: "default".into(),
        is_trial: false,
    })
}

/// A use of a device at this moment, as the store learns of it.
async fn record_use(world: &World, device: &Device) {
    let used = DeviceUse {
        device: device.id,
        network: "198.51.100.0/24".parse().unwrap(),
        since: world.clock.utc(),
        usage: crate::model::device::Use {
            at: world.clock.utc(),
            ip: "198.51.100.7".parse().unwrap(),
            protocol: Protocol::Imap,
            client: None,
        },
    };
    world.store.record_uses(&[used]).await.unwrap();
}

#[tokio::test]
async fn whoever_opens_links_keeps_nobody_but_their_sender_waiting() {
    let world = world().await;
    let anna = world.member("anna", Role::Member).await;
    let (link, _) = linked(&world, &world.acting(&world.sophie).await, "iPhone").await;
    // Somebody's password is being hashed, for as long as this is held.
    let turn = world.directory().hashing.wait(None).await.unwrap();
    let mut openings: FuturesUnordered<_> = (0..40).map(|_| open(&world, &link, LinkWay::Password)).collect();
    // Those who open it, whoever they are, have no more room than its sender: two wait, and all others are told to come
    // back. Had they the room of everybody, all of it would be taken once eight are refused.
    for _ in 0..8 {
        assert!(is_busy(&openings.next().await.unwrap()));
    }
    let mut hers = Box::pin(world.directory().hashing.wait(Some(anna.id)));
    assert!(poll!(hers.as_mut()).is_pending(), "there is room for others");
    drop((hers, turn));
    let rest: Vec<_> = openings.collect().await;
    let busy = rest.iter().filter(|outcome| is_busy(outcome)).count();
    let opened = rest.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!((rest.len(), opened), (32, 1));
    assert!(
        busy <= 32 - TURNS_OF_ONE,
        "one was opened, and the others found it taken or had no room"
    );
}

#[tokio::test]
async fn a_right_that_is_withdrawn_while_the_password_is_hashed_gives_none() {
    for way in [LinkWay::Password, LinkWay::File] {
        let world = world().await;
        let max = world.member("max", Role::MailboxManager).await;
        let (link, device) = linked(&world, &world.acting(&max).await, "iPhone").await;
        let file = match way {
            LinkWay::Password => None,
            LinkWay::File => match open(&world, &link, way).await.unwrap().given {
                Given::File(file) => Some(file),
                Given::Password(_) => panic!("a password"),
            },
        };
        let follow = async || match &file {
            None => open(&world, &link, way).await.map(drop),
            Some(file) => {
                let visitor = visitor();
                let fetched = world
                    .desk
                    .fetch_device_file(&visitor, link.expose(), file.expose(), None);
                fetched.await.map(drop)
            }
        };
        let turn = world.directory().hashing.wait(None).await.unwrap();
        let mut follows: FuturesUnordered<_> = (0..=TURNS_OF_ONE).map(|_| follow()).collect();
        // The one for whom there is no room tells that the others wait for their turn: the link was found, and gives.
        assert!(is_busy(&follows.next().await.unwrap()));
        world
            .directory()
            .set_role(
                &world.machine,
                world.acme.id,
                max.id,
                Role::MailboxManager,
                Role::Auditor,
            )
            .await
            .unwrap();
        drop(turn);
        let expected = match way {
            LinkWay::Password => LinkStanding::Withdrawn,
            LinkWay::File => LinkStanding::Taken,
        };
        while let Some(outcome) = follows.next().await {
            assert_eq!(stands(outcome), expected);
        }
        assert!(!has_password(&world, &device).await, "{way:?}");
    }
}

#[tokio::test]
async fn a_link_opens_no_sign_in_that_its_mailbox_has_become() {
    let world = world().await;
    let max = world.member("max", Role::MailboxManager).await;
    let (maxs, sophies) = (world.acting(&max).await, world.acting(&world.sophie).await);
    let (of_manager, device) = linked(&world, &maxs, "Max's").await;
    let (of_owner, other) = linked(&world, &sophies, "Sophie's").await;
    let (directory, machine) = (world.directory(), &world.machine);
    directory
        .create_alias(machine, "boss@example.org", "contact@example.org")
        .await
        .unwrap();
    let ready = async |link| standing(&world, link).await == LinkStanding::Ready;
    assert!(ready(&of_manager).await && ready(&of_owner).await);
    // A member signs in with one of its addresses from now on: her new password by mail would be his to read.
    let carla = new_user(&world.desk, "boss@example.org", "Carla").await;
    let carla = directory.create_user(machine, &carla).await.unwrap();
    directory
        .add_member(machine, world.acme.id, carla.id, Role::Member)
        .await
        .unwrap();
    assert_eq!(standing(&world, &of_manager).await, LinkStanding::Withdrawn);
    assert_eq!(
        stands(open(&world, &of_manager, LinkWay::Password).await),
        LinkStanding::Withdrawn
    );
    assert!(!has_password(&world, &device).await);
    // An owner could change her role anyway; and whoever signs in with it may set up its devices.
    assert!(ready(&of_owner).await);
    directory
        .set_role(machine, world.acme.id, carla.id, Role::Member, Role::MailboxManager)
        .await
        .unwrap();
    let (own, _) = linked(&world, &world.acting(&carla).await, "Carla's").await;
    assert!(ready(&own).await);
    open(&world, &of_owner, LinkWay::Password).await.unwrap();
    assert!(has_password(&world, &other).await);
}

#[tokio::test]
async fn what_an_old_password_does_uses_up_no_link() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let device = world.device(&contact, "iPhone", None).await;
    let acting = world.acting(&world.sophie).await;
    let old = connect(&world, &device).await;
    world.clock.advance(SECOND);
    let sent = world.desk.send_device_link(&acting, device.id, &to_hand_over()).await;
    let link = sent.unwrap().secret.unwrap();
    world.clock.advance(SECOND);
    let opened = open(&world, &link, LinkWay::File).await.unwrap();
    let (Given::File(file), Some(browser)) = (opened.given, opened.browser) else {
        panic!("no file")
    };
    // The stolen telephone stays connected, and comes back after the link was opened: nothing of it is the new password's.
    world.clock.advance(SECOND);
    let back = connect(&world, &device).await;
    world.unwritten.lock().unwrap().insert(device.id, world.clock.utc());
    record_use(&world, &device).await;
    world.clock.advance(SECOND);
    let browser = Some(browser.expose().as_str());
    let link = link.expose();
    let (view, _) = world
        .desk
        .fetch_device_file(&visitor(), link, file.expose(), browser)
        .await
        .unwrap();
    assert_eq!(view.link.state.name(), "fetched");
    assert!(has_password(&world, &device).await);
    let mine = async || {
        let found = world.desk.device_link_of(&visitor(), link, browser).await;
        found.unwrap().unwrap().standing
    };
    assert_eq!(mine().await, LinkStanding::Mine { again: true });
    world.clock.advance(SECOND);
    let new = connect(&world, &device).await;
    assert_eq!(mine().await, LinkStanding::Mine { again: false });
    drop((old, back, new));
}

#[tokio::test]
async fn a_sign_in_that_is_over_before_it_is_written_uses_the_link_up() {
    let world = world().await;
    let acting = world.acting(&world.sophie).await;
    let (link, device) = linked(&world, &acting, "iPhone").await;
    // An old use says nothing.
    world.unwritten.lock().unwrap().insert(device.id, world.clock.utc());
    world.clock.advance(SECOND);
    let browser = open(&world, &link, LinkWay::Password).await.unwrap().browser.unwrap();
    let (link, browser) = (link.expose(), Some(browser.expose().as_str()));
    let visitor = visitor();
    let again = || world.desk.open_device_link(&visitor, link, browser, LinkWay::Password);
    again().await.unwrap();
    let file = world
        .desk
        .open_device_link(&visitor, link, browser, LinkWay::File)
        .await;
    let Given::File(file) = file.unwrap().given else {
        panic!("no file")
    };
    let before = world.store.device(device.id).await.unwrap();
    world.clock.advance(SECOND);
    world.unwritten.lock().unwrap().insert(device.id, world.clock.utc());
    let Err(LinkRefused::Stands(view)) = again().await else {
        panic!("a further password")
    };
    assert_eq!(
        (view.standing, view.link.state.name()),
        (LinkStanding::Mine { again: false }, "signed-in")
    );
    let fetched = world
        .desk
        .fetch_device_file(&visitor, link, file.expose(), browser)
        .await;
    assert_eq!(stands(fetched), LinkStanding::Mine { again: false });
    assert_eq!(
        world.store.device(device.id).await.unwrap(),
        before,
        "the password that signed in"
    );
}

#[tokio::test]
async fn a_reset_of_a_password_ends_the_links_that_it_could_have_sent() {
    let world = world().await;
    let (max, sophie) = (
        world.member("max", Role::MailboxManager).await,
        world.acting(&world.sophie).await,
    );
    let acting = world.acting(&max).await;
    let (unopened, _) = linked(&world, &acting, "Unopened").await;
    let (opened, _) = linked(&world, &acting, "Opened").await;
    let (used, phone) = linked(&world, &acting, "Used").await;
    let (other, _) = linked(&world, &sophie, "Of Sophie").await;
    let browser = open(&world, &opened, LinkWay::Password).await.unwrap().browser.unwrap();
    open(&world, &used, LinkWay::Password).await.unwrap();
    world.clock.advance(SECOND);
    record_use(&world, &phone).await;
    let last = world.last_row().await;
    world.letters.take();
    world
        .desk
        .forgot_password(&visitor(), max.address.as_str())
        .await
        .unwrap();
    let reset = link_of(&world.letters);
    let new = secret("three tall kettles");
    world.desk.reset_password(&visitor(), &reset, &new).await.unwrap();
    assert_eq!(standing(&world, &unopened).await, LinkStanding::Withdrawn);
    let again = world
        .desk
        .open_device_link(&visitor(), opened.expose(), Some(browser.expose()), LinkWay::Password)
        .await;
    assert_eq!(stands(again), LinkStanding::Withdrawn, "nobody starts again");
    assert_eq!(
        standing(&world, &used).await,
        LinkStanding::Taken,
        "it says what became of it"
    );
    assert_eq!(
        standing(&world, &other).await,
        LinkStanding::Ready,
        "somebody else sent it"
    );
    let rows = world.rows_since(last).await;
    let withdrawn = rows
        .iter()
        .filter(|(_, action)| action == "device.link.withdraw")
        .count();
    assert_eq!(withdrawn, 2, "{rows:?}");
}

#[tokio::test]
async fn the_links_of_a_member_who_is_removed_are_withdrawn() {
    let world = world().await;
    let max = world.member("max", Role::MailboxManager).await;
    let (link, device) = linked(&world, &world.acting(&max).await, "Phone").await;
    world
        .directory()
        .remove_member(&world.machine, world.acme.id, max.id, Role::MailboxManager)
        .await
        .unwrap();
    let (_, shown) = world
        .desk
        .device_link(&world.acting(&world.sophie).await, device.id)
        .await
        .unwrap();
    assert!(matches!(
        shown.unwrap().state,
        crate::model::DeviceLinkState::Withdrawn(_)
    ));
    assert_eq!(standing(&world, &link).await, LinkStanding::Withdrawn);
}
