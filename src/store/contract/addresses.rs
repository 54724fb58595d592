//! Other sign-in addresses, which wait for a link to be opened.

use std::time::Duration;

use super::*;
use crate::model::UserId;
use crate::store::{AddressAsked, Keep};

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn ask(store: &dyn Store, user: &User, to: &str, number: u8) -> Result<(), Error> {
    store
        .ask_address(&actor(), user.id, &address(to), &token(number), START.plus(HOUR))
        .await
}

pub(in crate::store) async fn another_address_waits_for_the_link_that_was_sent_to_it(backend: &Backend) {
    let store = &*backend.store;
    let (zoe, bea) = (user(store, "zoe@b.example").await, user(store, "bea@b.example").await);
    conflict(
        ask(store, &zoe, "bea@b.example", 1).await,
        "bea@b.example is the sign-in address of a user already; choose another one",
    );
    assert_eq!(store.address_asked(zoe.id).await.unwrap(), None);
    ask(store, &zoe, "zoe@first.example", 1).await.unwrap();
    ask(store, &zoe, "zoe@new.example", 2).await.unwrap();
    assert_eq!(actions(store).await.last().unwrap(), "user.address.ask");
    let asked = AddressAsked {
        address: address("zoe@new.example"),
        created_at: START,
        expires_at: START.plus(HOUR),
    };
    assert_eq!(store.address_asked(zoe.id).await.unwrap(), Some(asked.clone()));
    let by_link = async |user: &User, number| store.address_by_link(user.id, &token(number)).await.unwrap();
    assert_eq!(by_link(&zoe, 2).await, Some(asked));
    assert_eq!(by_link(&zoe, 1).await, None, "the later wish counts");
    assert_eq!(by_link(&bea, 2).await, None, "it is somebody else's");
    assert_eq!(
        store.user(zoe.id).await.unwrap().unwrap(),
        zoe,
        "nothing has changed so far"
    );

    let confirm = async |user: &User, number| store.confirm_address(&actor(), user.id, &token(number)).await;
    for (user, number) in [(&zoe, 1), (&bea, 2), (&zoe, 9)] {
        not_found(confirm(user, number).await, "this link does not work (any more)");
    }
    let changed = confirm(&zoe, 2).await.unwrap();
    assert_eq!((changed.id, changed.address.as_str()), (zoe.id, "zoe@new.example"));
    assert_eq!(actions(store).await.last().unwrap(), "user.edit");
    not_found(confirm(&zoe, 2).await, "this link does not work (any more)");
    assert_eq!(store.address_asked(zoe.id).await.unwrap(), None);

    // Two want the same: who confirms first has it.
    ask(store, &zoe, "wanted@b.example", 3).await.unwrap();
    ask(store, &bea, "wanted@b.example", 4).await.unwrap();
    confirm(&bea, 4).await.unwrap();
    conflict(
        confirm(&zoe, 3).await,
        "wanted@b.example is the sign-in address of a user already; choose another one",
    );
    let nobody = store
        .ask_address(
            &actor(),
            UserId::from_raw(1),
            &address("x@b.example"),
            &token(5),
            START.plus(HOUR),
        )
        .await;
    not_found(nobody, "there is no user");
}

pub(in crate::store) async fn what_was_asked_for_ends_with_time_and_with_the_password(backend: &Backend) {
    let store = &*backend.store;
    let zoe = user(store, "zoe@b.example").await;
    let asked = async || store.address_asked(zoe.id).await.unwrap().is_some();
    let tidied = async || store.tidy_people(&actor(), START, 99).await.unwrap().addresses;
    ask(store, &zoe, "zoe@new.example", 1).await.unwrap();
    store
        .set_password(&actor(), zoe.id, &password("another"), Keep::None)
        .await
        .unwrap();
    assert!(!asked().await, "whoever knew the old password may have asked for it");

    ask(store, &zoe, "zoe@new.example", 2).await.unwrap();
    let edit = crate::store::UserEdit {
        address: Some(address("zoe@third.example")),
        ..Default::default()
    };
    store.edit_user(&actor(), zoe.id, &edit).await.unwrap();
    assert!(!asked().await, "another way was taken");

    ask(store, &zoe, "zoe@new.example", 3).await.unwrap();
    backend.clock.advance(HOUR - Duration::from_millis(1));
    assert!(asked().await);
    assert_eq!(tidied().await, 0);
    backend.clock.advance(Duration::from_millis(1));
    assert!(!asked().await);
    not_found(
        store.confirm_address(&actor(), zoe.id, &token(3)).await,
        "this link does not work (any more)",
    );
    assert_eq!(tidied().await, 1);
    assert_eq!(tidied().await, 0);
}

pub(in crate::store) async fn a_link_for_a_password_and_one_for_an_address_end_each_other(backend: &Backend) {
    let store = &*backend.store;
    let zoe = user(store, "zoe@b.example").await;
    let reset = async |number| {
        let (link, until) = (token(number), START.plus(HOUR));
        store.create_reset(&actor(), zoe.id, &link, until).await.unwrap();
    };
    // Whoever reads the old address's mail must not set the password of the new one.
    ask(store, &zoe, "zoe@new.example", 1).await.unwrap();
    reset(11).await;
    store.confirm_address(&actor(), zoe.id, &token(1)).await.unwrap();
    not_found(
        store.use_reset(&actor(), &token(11), &password("x")).await,
        "this link does not work (any more)",
    );
    reset(12).await;
    let edit = crate::store::UserEdit {
        address: Some(address("zoe@third.example")),
        ..Default::default()
    };
    store.edit_user(&actor(), zoe.id, &edit).await.unwrap();
    assert_eq!(store.reset(&token(12)).await.unwrap(), None);
    // Whoever needs a new password may have lost the old one to whoever asked for another address.
    ask(store, &zoe, "zoe@evil.example", 2).await.unwrap();
    reset(13).await;
    store.use_reset(&actor(), &token(13), &password("y")).await.unwrap();
    not_found(
        store.confirm_address(&actor(), zoe.id, &token(2)).await,
        "this link does not work (any more)",
    );
}
