# Ce que disent les messages de Postern, en français. Mêmes clés et mêmes valeurs que dans les autres langues.

## Tous les messages

moment = { $day ->
    [1] 1er
   *[other] { $day }
} { $month ->
    [1] janvier
    [2] février
    [3] mars
    [4] avril
    [5] mai
    [6] juin
    [7] juillet
    [8] août
    [9] septembre
    [10] octobre
    [11] novembre
   *[12] décembre
} { $year } à { $time } { $zone }
colon = { "\u00A0" }:
link-hint = Si le bouton ne fonctionne pas, copiez cette adresse dans votre navigateur :
footer = Envoyé par Postern pour { $place }. Personne ne lit les réponses à ce message.
operator = L’exploitant de { $host }

fact-by = Par
fact-device = Appareil
fact-devices = { $count ->
    [one] Appareil déconnecté
   *[other] Appareils déconnectés
}
fact-from = Depuis l’adresse réseau
fact-link-until = Le lien fonctionne jusqu’au
fact-mailbox = Boîte aux lettres
fact-mailboxes = { $count ->
    [one] Boîte aux lettres
   *[other] Boîtes aux lettres
}
fact-new-address = Nouvelle adresse de connexion
fact-old-address = Ancienne adresse de connexion
fact-organisation = Organisation
fact-rights = Vous pouvez
fact-role = Votre rôle
fact-sign-in-address = Adresse de connexion
fact-until = Jusqu’au
fact-when = Date

right-see-devices = voir ses appareils
right-add-own-devices = ajouter vos propres appareils
right-manage-devices = gérer tous ses appareils
right-manage-aliases = gérer ses alias
right-send-as = envoyer avec cette adresse depuis vos appareils
right-none = rien pour l’instant
rights-until = { $rights } (jusqu’au { $until })

role-owner = Propriétaire : peut tout faire
role-administrator = Administration : personnes, boîtes et appareils
role-mailbox-manager = Gestion des boîtes : boîtes, alias, appareils et accès
role-auditor = Audit : peut tout voir et ne rien modifier
role-member = Membre : ce qui est indiqué ici, rien d’autre
role-member-alone = Membre : encore aucune boîte

## Invitation

invitation-subject = { $by } vous invite à rejoindre { $org }
invitation-lead = { $by } vous invite à utiliser le courrier de l’organisation { $org }. Le lien ci-dessous fonctionne une seule fois, jusqu’au { $until }.
invitation-button = Accepter l’invitation
invitation-note = Vous ne connaissez pas { $by } ? Alors ne faites rien : sans vous, rien ne se passe. Ne transférez pas ce message : toute personne qui a le lien pourrait accepter à votre place.

## Nouveau mot de passe

password-reset-subject = Choisissez un nouveau mot de passe
password-reset-lead = Quelqu’un, sans doute vous, a demandé un nouveau mot de passe pour { $address }. Le lien ci-dessous fonctionne une seule fois, jusqu’au { $until }.
password-reset-button = Choisir un nouveau mot de passe
password-reset-note = Ce n’était pas vous ? Alors ne faites rien : votre mot de passe reste le même.

## Connexion modifiée

sign-in-changed-subject = Votre connexion a été modifiée
sign-in-changed-lead = La connexion de { $address } a été modifiée.
sign-in-changed-subject-password = Votre mot de passe a été modifié
sign-in-changed-lead-password = Le mot de passe de { $address } a été modifié.
sign-in-changed-subject-codes-on = Les codes à usage unique sont activés
sign-in-changed-lead-codes-on = Pour se connecter avec { $address }, il faut maintenant aussi un code à usage unique de votre application d’authentification.
sign-in-changed-subject-codes-off = Les codes à usage unique sont désactivés
sign-in-changed-lead-codes-off = Pour se connecter avec { $address }, il ne faut plus de code à usage unique.
sign-in-changed-subject-recovery-codes = Vous avez de nouveaux codes de secours
sign-in-changed-lead-recovery-codes = De nouveaux codes de secours ont été créés pour { $address }. Les anciens ne fonctionnent plus.
sign-in-changed-subject-recovery-code-used = Un code de secours a été utilisé
sign-in-changed-lead-recovery-code-used = Quelqu’un s’est connecté avec { $address } et un code de secours à la place d’un code à usage unique. Ce code ne fonctionne plus.
sign-in-changed-button = Ouvrir mon compte
sign-in-changed-note = Ce n’était pas vous ? Alors choisissez tout de suite un nouveau mot de passe sur la page de connexion et prévenez un propriétaire de votre organisation.

## Nouvelle adresse de connexion

address-confirm-subject = Confirmez votre nouvelle adresse de connexion
address-confirm-lead = Vous voulez désormais vous connecter avec { $new }. Le lien ci-dessous fonctionne une fois, jusqu’au { $until } ; connectez-vous comme avant pour l’utiliser.
address-confirm-button = Confirmer l’adresse
address-confirm-note = Ce n’était pas vous ? Alors ne faites rien : sans ce lien, personne ne peut utiliser votre adresse à la place de { $old }.

address-confirmed-subject = Vous vous connectez avec une autre adresse
address-confirmed-lead = Vous vous connectez désormais avec { $new } et non plus avec { $old }.
address-confirmed-button = Ouvrir mon compte
address-confirmed-note = Ce n’était pas vous ? Alors prévenez tout de suite un propriétaire de votre organisation.

## Accès donné

access-given-subject = Vous avez accès à { $mailbox }
access-given-lead = { $by } vous a donné accès à { $mailbox } ({ $org }).
access-given-button = Ouvrir mes boîtes
access-given-note = Un logiciel de messagerie a besoin d’un mot de passe d’appareil : ajoutez un appareil dans le Manager, qui vous montre comment faire.

## Accès retiré

access-withdrawn-subject = Votre accès à l’organisation { $org } a été retiré
access-withdrawn-lead = { $by } a retiré votre accès à l’organisation { $org }.
access-withdrawn-subject-left = Vous n’êtes plus membre de l’organisation { $org }
access-withdrawn-lead-left = { $by } a mis fin à votre appartenance à l’organisation { $org }.
access-withdrawn-button = Ouvrir mes boîtes
access-withdrawn-note = Les appareils indiqués ici étaient les vôtres et ne peuvent plus s’y connecter. Ceux des autres continuent.

## Appareil ajouté

device-added-subject = Nouveau mot de passe d’appareil pour { $mailbox }
device-added-lead = L’appareil { $device } a un nouveau mot de passe et peut maintenant se connecter en tant que { $mailbox }.
device-added-subject-set-up = { $device } de { $mailbox } a été configuré
device-added-lead-set-up = Le nouvel appareil { $device } de { $mailbox } s’est connecté pour la première fois.
device-added-note-set-up = Personne d’entre vous ne l’y a configuré ? Ouvrez le Manager avec le bouton et choisissez « Déconnecter » : quelqu’un d’autre a peut-être son mot de passe. Un téléphone sur son réseau mobile a une autre adresse que le navigateur dans lequel il a été ajouté ; dans ce cas, il n’y a rien à faire.
device-added-button = Voir les appareils
device-added-note = Vous ne vous y attendiez pas ? Ouvrez le Manager et déconnectez l’appareil.

## Ce qui est arrivé à un appareil

fact-last-use = Dernière utilisation
fact-notices = Désactivés
fact-program = Programme
fact-token = Jeton d’API
fact-token-role = Rôle au plus
fact-token-scope = Peut
protocol-imap = IMAP (réception)
protocol-smtp = SMTP (envoi)
choice = Les propriétaires et l’administration choisissent dans les réglages de l’organisation quels avis sont envoyés.

device-network-subject = { $device } : connexion depuis un nouveau réseau
device-network-lead = L’appareil { $device } s’est connecté à { $mailbox } depuis un réseau d’où on ne le connaissait pas.
device-network-button = Voir cet appareil
device-network-note = Personne d’entre vous n’y était ? Ouvrez le Manager avec le bouton et choisissez « Suspendre » ou « Déconnecter » : ses connexions se terminent aussitôt. Un voyage ou une autre ligne internet à la maison est aussi un nouveau réseau ; dans ce cas, il n’y a rien à faire.

device-digest-subject = { $device } : plusieurs événements
device-digest-lead = Plusieurs choses sont arrivées à l’appareil { $device } de { $mailbox }.
device-digest-added = Nouveau mot de passe, par { $by }
device-digest-set-up = Première connexion, depuis { $from } : { $program }
device-digest-network = Nouveau réseau { $from } : { $program }
device-digest-more = { $count ->
    [one] Un autre n’est pas indiqué ici ; il peut concerner un autre appareil de cette boîte.
   *[other] { $count } autres ne sont pas indiqués ici ; ils peuvent concerner d’autres appareils de cette boîte.
}
device-digest-button = Voir cet appareil
device-digest-note = Vous ne vous y attendiez pas ? Ouvrez le Manager avec le bouton et choisissez « Suspendre » ou « Déconnecter » : ses connexions se terminent aussitôt. Pour un appareil, il y a au plus un message par heure.

## Appareils inutilisés

device-unused-subject = { $device } n’est plus utilisé
device-unused-lead = L’appareil { $device } de { $mailbox } n’a pas été utilisé depuis { $days } jours.
device-unused-subject-several = { $count } appareils ne sont plus utilisés
device-unused-lead-several = Ces { $count } appareils n’ont pas été utilisés depuis { $days } jours.
device-unused-used = { $mailbox }, dernière utilisation le { $at }
device-unused-never = jamais, ajouté le { $at }
device-unused-button = Voir dans le Manager
device-unused-more = { $count ->
    [one] Un autre n’est pas indiqué ici.
   *[other] { $count } autres ne sont pas indiqués ici.
}
device-unused-note = Plus personne n’en a besoin ? Ouvrez le Manager et déconnectez-le : un mot de passe qui n’existe plus ne peut pas être volé. Sinon, il n’y a rien à faire : il continue de fonctionner, et il n’y aura pas d’autre message avant qu’il ait été utilisé de nouveau.
device-unused-note-several = Plus personne n’en a besoin ? Ouvrez le Manager et déconnectez-les : un mot de passe qui n’existe plus ne peut pas être volé. Sinon, il n’y a rien à faire : ils continuent de fonctionner, et il n’y aura pas d’autre message sur un appareil avant qu’il ait été utilisé de nouveau.

## Jeton d’API

scope-read = lire, sans rien modifier
scope-write = lire et modifier
notices-off-subject = { $org } : des avis ont été désactivés
notices-off-lead = { $by } a désactivé des avis sur les appareils chez { $org } : ils ne sont plus envoyés par mail. Ce qui attendait déjà est encore envoyé.
notices-off-button = Voir les avis
notices-off-note = Vous ne vous y attendiez pas ? Ouvrez le Manager, réactivez-les et regardez l’activité : qui désactive des avis veut peut-être que personne n’apprenne rien d’un appareil.
notice-device-added = Nouvel appareil ou nouveau mot de passe d’appareil
notice-device-network = Connexion depuis un nouveau réseau
notice-device-unused = Appareil inutilisé depuis 90 jours

token-made-subject = Un nouveau jeton d’API agit en votre nom
token-made-lead = Le jeton d’API { $token } a été créé : qui le possède agit en votre nom dans l’organisation { $org }.
token-made-button = Voir les jetons
token-made-note = Ce n’était pas vous ? Ouvrez le Manager et révoquez le jeton, puis choisissez un nouveau mot de passe.
## Appareil à configurer

device-link-subject = Configurez un appareil pour { $mailbox }
device-link-lead = { $by } vous demande de configurer { $device } pour la boîte { $mailbox }. Ouvrez le lien sur cet appareil ; il fonctionne une seule fois, jusqu’au { $until }.
device-link-unnamed = un appareil
device-link-button = Configurer l’appareil
device-link-note = Vous ne connaissez pas { $by } ? Alors ne faites rien : sans vous, rien ne se passe. Ne transférez pas ce message : la première personne qui ouvre le lien obtient le mot de passe.

## Essai

test-subject = Message d’essai de Postern
test-lead = Les messages de Postern sur { $host } arrivent.
test-button = Ouvrir le Manager
test-note = Une personne qui gère { $host } a envoyé ce message pour le vérifier. Il n’y a rien à faire.
