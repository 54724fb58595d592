//! Things that can happen at the same moment in two browsers: each of them happens once.

use super::*;
use crate::identity::TotpSecret;
use crate::store::PeopleStore;

/// Does the same with several browsers at once; how many got through, and what the others were told.
async fn at_once<T, F>(tries: Vec<F>) -> (usize, Vec<&'static str>)
where
    F: Future<Output = Result<T, Error>>,
{
    let outcomes = futures_util::future::join_all(tries).await;
    let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let told = outcomes
        .into_iter()
        .filter_map(|outcome| outcome.err().map(|error| error.key()))
        .collect();
    (done, told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_is_accepted_once() {
    let world = world().await;
    let acting = world.acting(&world.sophie).await;
    let spec = InviteSpec {
        address: "lucie@private.example".to_owned(),
        role: Role::Member,
        grants: Vec::new(),
        language: Language::English,
        by_mail: false,
    };
    let link = world.desk.invite(&acting, spec).await.unwrap().link.unwrap();
    let password = secret(PASSWORD);
    let (desk, link, password) = (&world.desk, &link, &password);
    let accept = |name: &'static str| async move {
        let person = NewPerson {
            name,
            language: Language::English,
            password,
        };
        desk.accept_new(&visitor(), link.expose(), &person).await
    };
    let (done, told) = at_once(vec![accept("One"), accept("Two"), accept("Three")]).await;
    assert_eq!((done, told), (1, vec!["ui.invite_used"; 2]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_and_a_recovery_code_are_used_once() {
    let world = world().await;
    let signed_in = world.signed_in(&world.sophie).await;
    let offer = world.desk.offer_code(&signed_in).unwrap();
    let totp = TotpSecret::of_offer(&world.keys, world.sophie.id, signed_in.session.id, &offer.sealed).unwrap();
    let recovery = world
        .desk
        .accept_code(&signed_in, &offer.sealed, &totp.code_at(START))
        .await
        .unwrap();
    world.clock.advance(Duration::from_secs(60));
    for code in [totp.code_at(world.clock.utc()), recovery[0].shown()] {
        let mut halves = Vec::new();
        for _ in 0..3 {
            let opened = world
                .desk
                .sign_in(&visitor(), None, "sophie@private.example", &secret(PASSWORD))
                .await;
            halves.push(opened.unwrap().session.shown());
        }
        let (desk, code) = (&world.desk, &code);
        let give = |cookie: &Secret<String>| {
            let cookie = cookie.expose().clone();
            async move { desk.give_code(&visitor(), None, &cookie, code).await }
        };
        let (done, told) = at_once(halves.iter().map(give).collect()).await;
        assert_eq!((done, told), (1, vec!["signin.wrong_code"; 2]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_proved_twice_at_once_has_one_new_id() {
    let world = world().await;
    let opened = world
        .desk
        .sign_in(&visitor(), None, "sophie@private.example", &secret(PASSWORD))
        .await
        .unwrap();
    let signed_in = world.visit(&opened).await;
    let (desk, signed_in, password) = (&world.desk, &signed_in, &secret(PASSWORD));
    let step_up = || async move { desk.step_up(signed_in, Proving::Password(password)).await };
    let (done, told) = at_once(vec![step_up(), step_up(), step_up()]).await;
    assert_eq!((done, told), (1, vec!["signin.needed"; 2]));
    assert_eq!(world.desk.my_sessions(signed_in).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_link_is_used_once() {
    let world = world().await;
    let (link, _) = world
        .directory()
        .make_reset_link(&world.machine, world.sophie.id)
        .await
        .unwrap();
    let link = link.shown();
    let (desk, link) = (&world.desk, &link);
    let reset =
        |password: &'static str| async move { desk.reset_password(&visitor(), link.expose(), &secret(password)).await };
    let tries = vec![
        reset("three tall kettles"),
        reset("nine quiet lamps"),
        reset("four blue ladders"),
    ];
    let (done, told) = at_once(tries).await;
    assert_eq!((done, told), (1, vec!["ui.link_dead"; 2]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_who_remove_each_other_leave_one() {
    let world = world().await;
    let marc = world.member("marc", Role::Owner).await;
    let (sophie, acting) = (world.acting(&world.sophie).await, world.acting(&marc).await);
    let (desk, sophies, marcs) = (&world.desk, world.sophie.id, marc.id);
    let remove = |acting: Acting, user: UserId| async move { desk.remove_member(&acting, user, Role::Owner).await };
    let (done, _) = at_once(vec![remove(sophie, marcs), remove(acting, sophies)]).await;
    assert_eq!(done, 1);
    assert!(world.store.has_owner().await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_that_run_side_by_side_are_all_counted() {
    let world = world().await;
    let (desk, password) = (&world.desk, &secret("vast otter plums"));
    let guess = || async move { desk.sign_in(&visitor(), None, "sophie@private.example", password).await };
    let (done, told) = at_once((0..20).map(|_| guess()).collect()).await;
    let judged = told.iter().filter(|key| **key == "signin.wrong").count();
    // Some find the lanes busy, which tells them nothing and costs them no try.
    let most = usize::try_from(SignInConfig::default().per_pair).unwrap();
    assert!(done == 0 && judged <= most, "{told:?}");
}
