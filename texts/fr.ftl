# Ce que dit le Manager, en français.
#
# Les clés sont celles de texts/en.ftl ; un test compare les deux fichiers avec le code. Mots : organisation, personne,
# boîte mail, alias, accès, appareil, invitation. Pas de HTML ; les noms arrivent comme faits, isolés par le programme.

## Le produit, et des morceaux de phrases

product = Postern Manager
verbatim = { $text }
two-sentences = { $one } { $two }
names-nobody = personne
names-two = { $one } et { $two }
names-more =
    { $count ->
        [one] { $one }, { $two } et { $count } autre
       *[other] { $one }, { $two } et { $count } autres
    }

## Temps

join-since = depuis
join-until = jusqu’au
months-short = janv. févr. mars avril mai juin juil. août sept. oct. nov. déc.
months-long = janvier février mars avril mai juin juillet août septembre octobre novembre décembre
moment-just-now = à l’instant
moment-on = le { $day }
moment-soon = dans un instant
moment-minutes-ago =
    { $count ->
        [one] il y a { $count } minute
       *[other] il y a { $count } minutes
    }
moment-hours-ago =
    { $count ->
        [one] il y a { $count } heure
       *[other] il y a { $count } heures
    }
moment-days-ago =
    { $count ->
        [one] il y a { $count } jour
       *[other] il y a { $count } jours
    }
moment-in-minutes =
    { $count ->
        [one] dans { $count } minute
       *[other] dans { $count } minutes
    }
moment-in-hours =
    { $count ->
        [one] dans { $count } heure
       *[other] dans { $count } heures
    }
moment-in-days =
    { $count ->
        [one] dans { $count } jour
       *[other] dans { $count } jours
    }
octets-b = { $size } o
octets-kb = { $size } ko
octets-mb = { $size } Mo
octets-gb = { $size } Go

## Mots isolés

word-actions = Actions
word-address = Adresse
word-alias = Alias
word-device = Appareil
word-domain = Domaine
word-id = Identifiant
word-language = Langue
word-mailbox = Boîte mail
word-name = Nom
word-never = Jamais
word-new-password = Nouveau mot de passe
word-no-end = Sans fin
word-nobody = Personne
word-none = Aucun
word-or = ou
word-organisation = Organisation
word-password = Mot de passe
word-person = Personne
word-role = Rôle
word-since = Depuis
word-token = Jeton
word-until = Jusqu’au
word-you = Vous
word-your-name = Votre nom

## Ce que l’on fait

act-back = Retour
act-cancel = Annuler
act-change = Modifier
act-continue = Continuer
act-copied = Copié
act-copy = Copier
act-copy-what = Copier : { $what }
act-done = Terminé
act-edit = Modifier
act-filter = Afficher
act-more = Plus
act-reload = Recharger la page
act-save = Enregistrer
act-search = Rechercher
act-show = Afficher
act-sign-in = Se connecter

## Autour de chaque page

page-refused = À vérifier :
page-skip = Aller au contenu
menu-label = Menu principal
menu-open = Menu
menu-orgs = Vos organisations
menu-switch = Passer à une autre organisation
menu-you = Vous
nav-activity = Activité
nav-devices = Appareils
nav-domains = Domaines
nav-invitations = Invitations
nav-mailboxes = Boîtes mail
nav-my-account = Mon compte
nav-my-activity = Mon activité
nav-my-mailboxes = Mes boîtes mail
nav-overview = Vue d’ensemble
nav-people = Personnes
nav-sessions = En direct
nav-settings = Réglages
nav-sign-out = Se déconnecter
offline-text = Pas de connexion. Rien n’a été modifié. Nouvel essai en cours …
offline-live = Reconnexion … ce que vous voyez date peut-être d’un instant.
outdated-text = Ce que vous pouvez voir ici a changé.
search-everything = Rechercher dans l’organisation
search-label = Rechercher
search-placeholder = Boîte, personne, appareil, adresse IP
search-again = Nouvelle recherche
search-title = Résultats pour « { $query } »
search-hint = Cherchez une boîte mail, un alias, une personne, un appareil ou une adresse IP.
search-nothing = Rien trouvé pour « { $query } ».
search-invitations = Chercher parmi les invitations
search-cut = Il y a plus de résultats que ceux affichés. Un mot plus long en trouve moins.
search-alias-of = alias de { $mailbox }

## Listes

list-clear = Effacer les filtres
list-export = Télécharger en CSV
list-filters = Filtres
list-first = Revenir au début
list-next = Page suivante
list-nothing-matches = Rien ne correspond.
list-pages = Pages
list-total =
    { $count ->
        [one] { $count } entrée
       *[other] { $count } entrées
    }

## Rôles et droits

role-owner = Propriétaire
role-owner-hint = Peut tout faire et décide qui d’autre est propriétaire.
role-administrator = Administrateur
role-administrator-hint = Gère personnes, boîtes mail, appareils et accès. Ne peut pas modifier les propriétaires.
role-mailbox-manager = Gestionnaire de boîtes
role-mailbox-manager-hint = Gère boîtes mail, alias, appareils et accès.
role-auditor = Auditeur
role-auditor-hint = Voit tout, ne modifie rien.
role-member = Membre
role-member-hint = Ne voit et ne fait que ce à quoi l’accès lui est donné.
right-see-devices = voir les appareils
right-see-devices-hint = Voit quels appareils utilisent la boîte, et ce qui s’y est passé.
right-add-own-devices = ajouter ses appareils
right-add-own-devices-hint = Ajoute et déconnecte son propre téléphone ou logiciel de messagerie.
right-manage-devices = gérer tous les appareils
right-manage-devices-hint = Ajoute, suspend et déconnecte tous les appareils, aussi ceux des autres.
right-manage-aliases = gérer les alias
right-manage-aliases-hint = Ajoute et retire d’autres adresses de la boîte.
right-send-as = envoyer au nom de
right-send-as-hint = Ses appareils peuvent utiliser cette adresse comme expéditeur, quelle que soit leur boîte.

## Connexion

sign-in-title = Connexion
sign-in-address = Adresse e-mail
sign-in-forgot = Mot de passe oublié ?
sign-in-help = Un problème de connexion ?
sign-in-help-address = Utilisez l’adresse à laquelle votre invitation est arrivée. Elle peut être privée.
sign-in-help-device = Le mot de passe d’un téléphone ou d’un logiciel de messagerie ne fonctionne pas ici. Il n’appartient qu’à l’appareil.
sign-in-help-invitation = Pas encore d’accès ? Demandez une invitation à quelqu’un de votre organisation.
sign-in-nobody = Rien n’appartient encore à personne ici. Le premier propriétaire entre par le lien de mise en place, que « postern user set-up-link » affiche sur la machine.
sign-in-refused = Cela n’a pas fonctionné. Vérifiez l’adresse et le mot de passe, puis réessayez.
sign-in-throttled = Trop d’essais. Vous pourrez réessayer { $when }.
sign-in-known = Vous avez déjà un accès ici. Connectez-vous pour accepter l’invitation.
code-title = Entrez votre code
code-label = Code
code-hint = Les six chiffres que votre application d’authentification affiche maintenant.
code-recovery-title = Utiliser un code de secours
code-recovery-label = Code de secours
code-recovery-hint = L’un des dix codes que vous avez conservés. Chacun fonctionne une fois.
code-use-program = Utiliser plutôt l’application d’authentification
code-use-recovery = L’application n’est pas accessible ? Utiliser un code de secours
forgot-title = Mot de passe oublié ?
forgot-lead = Entrez l’adresse avec laquelle vous vous connectez. Vous recevrez un lien pour choisir un nouveau mot de passe.
forgot-no-mail = Ce Postern n’envoie pas de courriels. Demandez à qui l’exploite un lien pour choisir un nouveau mot de passe.
forgot-send = Envoyer le lien
forgot-sent-title = Consultez vos mails
forgot-sent = Si { $address } est connue ici, un lien est en route. Il fonctionne pendant une heure.
forgot-sent-hint = Rien après quelques minutes ? Regardez dans les indésirables et vérifiez l’adresse.
forgot-back = Retour à la connexion
reset-title = Choisissez un nouveau mot de passe
reset-lead = Pour { $address }.
reset-save = Définir le mot de passe
reset-effect = Vous êtes déconnecté partout ailleurs. Les mots de passe de vos appareils ne changent pas.
reset-gone-title = Ce lien n’est plus valable
reset-gone = Il a déjà servi, ou son heure est passée.
reset-again = Envoyer un nouveau lien
password-hint = Au moins 12 caractères. Plusieurs mots à la suite conviennent bien ; tous les caractères sont permis.
step-up-title = Est-ce bien vous ?
step-up-lead = { $purpose }, redonnez votre mot de passe.
step-up-why = Ainsi, personne ne profite de votre navigateur resté ouvert. La question revient après dix minutes.
purpose-add-device = Pour ajouter un appareil à { $mailbox }
purpose-give-access = Pour donner accès à { $mailbox }
purpose-replace-device = Pour donner un nouveau mot de passe à « { $device } »
purpose-sign-in-method = Pour modifier votre façon de vous connecter
purpose-give-role = Pour nommer un propriétaire ou un administrateur
purpose-make-token = Pour créer un jeton d’API
purpose-anything = Pour continuer

## Installation du premier propriétaire

set-up-title = Bienvenue dans Postern
set-up-lead = Vous êtes la première personne ici. Nommez votre organisation et choisissez votre connexion ; le reste peut attendre.
set-up-organisation = Organisation
set-up-organisation-hint = Le nom que l’on connaît, par exemple « Acme ». Vous pourrez le changer.
set-up-address-hint = N’importe laquelle de vos adresses. Une adresse privée est préférable : vous gardez votre accès si une boîte d’ici est supprimée.
set-up-go = Créer l’organisation
set-up-gone-title = Ce lien n’est plus valable
set-up-gone = Quelqu’un a déjà créé la première organisation avec lui, ou un lien plus récent l’a remplacé.
set-up-gone-hint = Si ce n’était pas vous, créez un nouveau lien sur la machine elle-même :
set-up-command = commande pour un nouveau lien

## Invitations, vues par la personne invitée

invited-title = Rejoindre { $org }
invited-lead = { $inviter } invite { $address } à rejoindre { $org }.
invited-mailboxes = Boîtes mail
invited-no-mailbox = Aucune pour l’instant
invited-open-until = Valable jusqu’au
invited-signed-in = Vous êtes connecté en tant que { $name } ({ $address }).
invited-accept = Accepter
invited-another = Vous êtes connecté en tant que { $address }, mais l’invitation est adressée à { $invited }.
invited-sign-out = Se déconnecter et continuer
invited-have-title = J’ai déjà un accès ici
invited-have-hint = Aussi d’une autre organisation. Vous verrez les deux et passerez de l’une à l’autre.
invited-sign-in = Se connecter et accepter
invited-new-title = Je suis nouveau ici
invited-create = Accepter et se connecter
invited-decline = Refuser l’invitation
decline-title = Refuser l’invitation ?
decline-lead = { $inviter } de { $org } verra que vous l’avez refusée. Le lien ne fonctionnera plus.
closed-declined-title = Vous avez refusé
closed-declined = Le lien ne fonctionne plus. Si c’était une erreur, demandez une nouvelle invitation.
closed-expired-title = Cette invitation a expiré
closed-expired = Elle était valable jusqu’au { $when }. Demandez-en une nouvelle à { $inviter }.
closed-unknown-title = Cette invitation n’existe pas
closed-unknown = Le lien a peut-être été coupé. Copiez-le en entier depuis le mail, de https:// à la dernière lettre.
closed-used-title = Cette invitation a déjà servi
closed-used = Ce lien a été utilisé { $when } par { $by }. Ce n’était pas vous ? Demandez-en un nouveau à { $inviter }.
closed-withdrawn-title = Cette invitation a été retirée
closed-withdrawn = { $inviter } l’a reprise. Demandez-lui si c’était une erreur.

## Un lien de configuration, sur l’appareil

platform-iphone = C’est un iPhone ou un iPad
platform-mac = C’est un Mac
platform-android = C’est un téléphone ou une tablette Android
platform-other = C’est autre chose
setup-title-iphone = Configurer cet iPhone ou iPad
setup-title-mac = Configurer ce Mac
setup-title-android = Configurer cet appareil Android
setup-title-other = Configurer cet appareil
setup-lead = { $by } vous demande de configurer « { $device } » pour la boîte { $address }. Ouvrez cette page sur l’appareil lui-même.
setup-profile = Installer le profil
setup-iphone-1 = Touchez « Installer le profil » ci-dessus, puis « Autoriser ».
setup-iphone-2 = Ouvrez Réglages. En haut figure « Profil téléchargé » : touchez-le.
setup-iphone-3 = Touchez « Installer » et entrez le code de votre appareil.
setup-iphone-4 = Touchez encore « Installer », puis « Terminé ». Le courrier est dans l’app Mail.
setup-mac-1 = Cliquez sur « Installer le profil » ci-dessus et autorisez le téléchargement.
setup-mac-2 = Ouvrez Réglages Système, puis Général, puis Gestion des appareils.
setup-mac-3 = Double-cliquez sur le profil et cliquez sur « Installer ».
setup-mac-4 = Entrez le mot de passe de votre Mac. Le courrier est dans Mail.
setup-no-profile = Sans profil
setup-no-profile-hint = Vous obtenez une adresse, un mot de passe et des serveurs à saisir à la main.
setup-password = Afficher le mot de passe
setup-password-hint = Le mot de passe est créé maintenant et affiché une seule fois. Ayez l’appareil sous la main.
setup-once = Vous ne le reverrez plus. Si vous ne l’avez pas saisi à temps, revenez à ce lien dans ce navigateur et recommencez, ou demandez un nouveau lien à { $by }.
setup-qr = Afficher un code QR pour Thunderbird
setup-qr-hint = Le mot de passe est dans le code. Dans Thunderbird pour Android, choisissez « Importer les paramètres », puis « Scanner un code QR ». Les autres applications photo le montrent à qui regarde.
setup-device = Appareil
setup-org = Organisation
setup-by = Envoyé par
setup-until = Valable jusqu’au
setup-another = Un autre appareil
setup-another-hint = Le lien fonctionne une seule fois. Ouvrez-le sur l’appareil à configurer.
setup-again-title = Vous avez ouvert ce lien
setup-again = Le mot de passe de « { $device } » a été créé dans ce navigateur. S’il n’a pas été saisi, recommencez : vous en obtenez un nouveau, et le précédent ne vaut plus rien aussitôt.
setup-again-fetched = Le profil de « { $device } » a été téléchargé dans ce navigateur. S’il n’a pas été installé, recommencez : vous en obtenez un nouveau, et le précédent ne vaut plus rien aussitôt.
setup-again-do = Créer un nouveau mot de passe
setup-over = Ce lien ne permet plus de configurer « { $device } ». Demandez-en un nouveau à { $by }.
setup-done-title = Tout est prêt
setup-done = « { $device } » s’est connecté. Il n’y a plus rien à faire ici.
setup-taken-title = Ce lien a déjà été ouvert
setup-taken = Il a été ouvert { $when }, et un lien ne fonctionne qu’une fois. Ce n’était pas vous ? Prévenez { $by } et demandez-en un nouveau.
setup-taken-mine = C’était vous, dans ce navigateur ?
setup-taken-look = Regarder encore
setup-expired-title = Ce lien a expiré
setup-expired = Il a fonctionné jusqu’au { $when }. Demandez-en un nouveau à { $by }.
setup-withdrawn-title = Ce lien ne fonctionne plus
setup-withdrawn = { $by } l’a repris ou en a envoyé un plus récent. Cherchez un message plus récent ou demandez un nouveau lien.
setup-off-title = Cet appareil est désactivé
setup-off = L’appareil ou sa boîte a été déconnecté ou désactivé. Adressez-vous à { $by }.
setup-unknown-title = Ce lien n’existe pas
setup-unknown = Il a peut-être été coupé. Copiez-le en entier, de https:// à la dernière lettre, ou demandez-en un nouveau à la personne qui l’a envoyé.
profile-title = Courrier : { $address }
profile-text = Configure le compte de messagerie { $address } sous le nom « { $device } ». Supprimez ce profil pour supprimer le compte.
profile-consent = Ceci ajoute à cet appareil le compte de messagerie { $address } avec un mot de passe qui lui est propre. { $by } vous a envoyé le lien. Qui gère la boîte peut déconnecter cet appareil à tout moment.

## Vue d’ensemble

overview-todo = À faire
overview-nothing-to-do = Rien ne vous attend.
overview-latest = Activité récente
overview-all-activity = Toute l’activité
figure-count = { $count }
figure-sessions = Connectés maintenant
figure-unused =
    { $count ->
        [one] { $count } jamais utilisé
       *[other] { $count } jamais utilisés
    }
figure-stale =
    { $count ->
        [one] { $count } muet depuis 90 jours
       *[other] { $count } muets depuis 90 jours
    }
figure-invited =
    { $count ->
        [one] { $count } invitation en cours
       *[other] { $count } invitations en cours
    }
steps-title = Premiers pas
steps-done = fait
steps-go = Commencer
steps-domain = Connectez votre domaine
steps-domain-hint = Ce qui suit le @ de vos adresses.
steps-mailbox = Créez une boîte mail
steps-mailbox-hint = Une adresse qui garde des mails. Elle n’a pas de mot de passe à elle.
steps-device = Ajoutez votre premier appareil
steps-device-hint = Chaque téléphone et chaque logiciel reçoit son propre mot de passe, que vous pouvez retirer à tout moment.
steps-owner = Invitez un second propriétaire
steps-owner-hint = Pour que personne ne reste à la porte quand l’un de vous est absent.
todo-unread-mailboxes =
    { $count ->
        [one] Personne ne lit { $count } boîte mail
       *[other] Personne ne lit { $count } boîtes mail
    }
todo-unused-devices =
    { $count ->
        [one] { $count } appareil ajouté n’a jamais servi
       *[other] { $count } appareils ajoutés n’ont jamais servi
    }
todo-stale-devices =
    { $count ->
        [one] { $count } appareil est muet depuis 90 jours
       *[other] { $count } appareils sont muets depuis 90 jours
    }
todo-knocking =
    { $count ->
        [one] { $count } ancien mot de passe est encore essayé
       *[other] { $count } anciens mots de passe sont encore essayés
    }
todo-imported-devices =
    { $count ->
        [one] { $count } mot de passe importé est à remplacer
       *[other] { $count } mots de passe importés sont à remplacer
    }
todo-undelivered =
    { $count ->
        [one] { $count } invitation n’a pas pu être remise
       *[other] { $count } invitations n’ont pas pu être remises
    }
todo-one-owner = Il n’y a qu’un seul propriétaire. Invitez-en un second.
todo-without-own-code = Vous vous connectez sans code. Mettez-en un en place
todo-without-code =
    { $count ->
        [one] { $count } administrateur se connecte sans code
       *[other] { $count } administrateurs se connectent sans code
    }

## Boîtes mail

mailboxes-empty = Pas encore de boîte mail. Créez la première.
mailboxes-no-domain = Pas encore de boîte mail. Connectez d’abord un domaine.
mailboxes-find = Chercher une boîte mail
mailbox-new = Nouvelle boîte mail
mailbox-new-store = Le courrier reste sur votre serveur de messagerie, où cette adresse doit exister aussi : Postern ouvre la porte et ne garde aucun courrier.
mailbox-new-title = Nouvelle boîte mail
mailbox-new-lead = Une boîte mail est une adresse qui garde des mails. Elle n’a pas de mot de passe : les personnes reçoivent un accès, les appareils un mot de passe.
mailbox-create = Créer la boîte mail
mailbox-created = { $address } existe. Personne ne peut encore la lire.
mailbox-created-hint = Créer une adresse ne crée ni personne ni mot de passe. Comment va-t-elle servir ?
mailbox-way-person = Donner accès à une personne
mailbox-way-person-hint = Elle se connecte ici avec sa propre adresse et ajoute ses propres appareils.
mailbox-way-device = Ajouter un appareil
mailbox-way-device-hint = Un mot de passe pour Outlook, un iPhone, une imprimante ou un CRM. Il ne faut personne pour cela.
mailbox-way-both = Les deux
mailbox-way-both-hint = D’abord la personne, puis un appareil.
mailbox-way-later = Plus tard
mailbox-another = Créer une autre boîte mail
mailbox-tabs = Parties de cette boîte mail
mailbox-people = Personnes
mailbox-aliases = Alias
mailbox-active = Active
mailbox-unread = Personne ne la lit
mailbox-suspended = Suspendue
mailbox-suspended-text = Cette boîte mail est suspendue : aucun appareil ne peut se connecter. Les mails continuent d’y arriver.
mailbox-more-people =
    { $count ->
        [one] et { $count } autre
       *[other] et { $count } autres
    }
mailbox-silent = silencieux depuis 90 jours
mailbox-people-lead = Les personnes qui ont accès se connectent ici avec leur propre adresse. La boîte elle-même n’a pas de mot de passe.
mailbox-people-empty = Personne n’a accès à { $address }.
mailbox-people-empty-hint = Les appareils qui n’appartiennent à personne, comme un CRM, fonctionnent sans.
mailbox-invited = invitation en cours (ouverte jusqu’au { $when })
mailbox-devices-empty = Aucun appareil ne peut lire ni envoyer en tant que { $address }.
mailbox-devices-own = Vous ne voyez que vos propres appareils.
mailbox-suspend = Suspendre la boîte mail
mailbox-resume = Réactiver la boîte mail
mailbox-revoke-all = Déconnecter tous les appareils
mailbox-delete = Supprimer la boîte mail
aliases-empty = { $address } n’a pas d’autre adresse.
alias-new = Ajouter un alias
alias-new-store = Votre serveur de messagerie doit l’y remettre : Postern ne garde aucun courrier.
alias-new-title = Nouvel alias
alias-new-lead = Une autre adresse dont les mails arrivent dans { $address }.
alias-hint = Un alias est un autre nom de la boîte mail. Il peut servir d’expéditeur ; personne ne peut se connecter avec lui.
alias-text = { $alias } arrive dans { $mailbox }. Les appareils se connectent en tant que { $mailbox }.
alias-text-sender = Il n’a ni mot de passe, ni personnes, ni appareils à lui. Les appareils de la boîte peuvent envoyer avec lui.
alias-device = Ajouter un appareil à { $mailbox }
alias-remove = Retirer l’alias
alias-remove-question = Retirer { $alias } ?

## Accès

access-give = Donner accès
access-lead = À { $mailbox }. La personne se connecte avec sa propre adresse et n’apprend jamais d’autre mot de passe.
access-choose = Choisir une personne
access-invite = Quelqu’un qui n’est pas encore ici
access-invite-hint = La personne reçoit une invitation par mail, et l’accès dès qu’elle l’accepte.
access-rights = Droits
access-ends = Dernier jour
access-ends-hint = Laissez vide pour un accès sans fin.
access-title = { $name } sur { $mailbox }
access-withdraw = Retirer l’accès
withdraw-question = Retirer à { $name } l’accès à { $mailbox } ?
withdraw-lead = Cela se produit immédiatement :

## Questions avant que quelque chose prenne fin

confirm-stays = Ceci reste inchangé
confirm-type = Tapez { $text } pour confirmer
ends-sight = { $name } ne voit plus { $mailbox } dans le Manager.
ends-device =
    { $count ->
        [0] « { $device } » est déconnecté.
        [one] « { $device } » est déconnecté, et sa connexion prend fin.
       *[other] « { $device } » est déconnecté, et ses { $count } connexions prennent fin.
    }
ends-device-of =
    { $count ->
        [0] « { $device } » sur { $mailbox } est déconnecté.
        [one] « { $device } » sur { $mailbox } est déconnecté, et sa connexion prend fin.
       *[other] « { $device } » sur { $mailbox } est déconnecté, et ses { $count } connexions prennent fin.
    }
ends-devices =
    { $count ->
        [one] { $count } appareil est déconnecté.
       *[other] { $count } appareils sont déconnectés.
    }
ends-membership = { $name } n’est plus membre de { $org }.
ends-sending =
    { $count ->
        [one] « { $device } » cesse d’envoyer. { $count } message ces 7 derniers jours.
       *[other] « { $device } » cesse d’envoyer. { $count } messages ces 7 derniers jours.
    }
ends-last-device = C’est le dernier appareil : plus rien ne peut lire ni envoyer en tant que { $mailbox }.
ends-use = « { $device } » ne peut plus ni recevoir ni envoyer.
ends-sessions =
    { $count ->
        [one] { $count } connexion prend fin.
       *[other] { $count } connexions prennent fin.
    }
ends-logins =
    { $count ->
        [0] Aucun appareil ne peut se connecter.
        [one] { $count } appareil ne peut plus se connecter.
       *[other] { $count } appareils ne peuvent plus se connecter.
    }
ends-alias = L’alias { $alias } est retiré.
ends-accesses = Plus personne n’a accès à { $mailbox }.
ends-sender = { $alias } ne peut plus servir d’expéditeur depuis { $mailbox }.
ends-link = Le lien du mail cesse de fonctionner.
ends-session = La connexion à { $mailbox } prend fin.
ends-token = Les programmes qui l’utilisent sont refusés dès maintenant.
ends-domain = Plus aucune boîte mail ne peut être créée dans { $domain }.
ends-console-sessions =
    { $count ->
        [one] { $count } autre navigateur est déconnecté.
       *[other] { $count } autres navigateurs sont déconnectés.
    }
ends-code = La connexion ne demande plus que le mot de passe.
ends-recovery-codes = Vos codes de secours actuels cessent de fonctionner.
ends-old-password = L’ancien mot de passe cesse de fonctionner.
ends-more =
    { $count ->
        [one] Et { $count } autre.
       *[other] Et { $count } autres.
    }
ends-narrowed = « { $device } » sur { $mailbox } ne peut plus envoyer avec ces adresses : ses connexions prennent fin, et il peut se reconnecter.
ends-invitation = L’invitation envoyée à { $address } est retirée.
ends-their-sessions = Partout où { $name } est connecté·e, cela disparaît aussitôt.
ends-their-tokens =
    { $count ->
        [one] { $count } jeton d’API de { $name } cesse de fonctionner.
       *[other] { $count } jetons d’API de { $name } cessent de fonctionner.
    }
stays-granted = Ce à quoi { $name } a reçu un accès, avec ses appareils à ces endroits.
stays-others = Les appareils qui n’appartiennent à personne ou à d’autres.
stays-user = { $name } garde sa connexion et ses autres organisations.
stays-unread = { $mailbox }, mais plus personne n’y aura accès.
stays-mail = Tous les mails de la boîte.
stays-other-devices = Tous les autres appareils de { $mailbox }.
stays-password = Le mot de passe : après « Réactiver », il fonctionne de nouveau.
stays-passwords = Tous les mots de passe : après « Réactiver », ils fonctionnent de nouveau. Les mails continuent d’arriver.
stays-stored-mail = Les mails dans le serveur de stockage. Les effacer est l’affaire du serveur de messagerie.
stays-delivery = L’arrivée des mails à { $alias } : elle se règle dans le serveur de messagerie.
stays-reconnects = L’appareil et son mot de passe. La plupart des logiciels se reconnectent d’eux-mêmes ; pour l’empêcher, suspendez l’appareil.
stays-this-session = Ce navigateur.
stays-my-devices = Vos appareils. Ils ont leurs propres mots de passe.
stays-settings = Nom, réglages et historique de l’appareil.
remove-question = Retirer { $name } de { $org } ?
remove-button = Retirer { $name }
disconnect-question = Déconnecter « { $device } » ?
disconnect-button = Déconnecter « { $device } »
disconnect-lead = Immédiatement et pour toujours : son mot de passe ne fonctionnera plus jamais. Pour réutiliser l’appareil, ajoutez-le de nouveau.
pause-question = Suspendre « { $device } » ?
revoke-all-question = Déconnecter tous les appareils de { $mailbox } ?
revoke-all-lead = Immédiatement et pour toujours. Chaque appareil aura ensuite besoin d’un nouveau mot de passe.
revoke-all-button =
    { $count ->
        [one] Déconnecter { $count } appareil
       *[other] Déconnecter { $count } appareils
    }
suspend-question = Suspendre { $mailbox } ?
delete-question = Supprimer { $mailbox } ?
delete-button = Supprimer { $mailbox }
invitation-withdraw-question = Retirer l’invitation de { $address } ?
session-end-question = Mettre fin à la connexion de « { $device } » ?
token-revoke-question = Révoquer le jeton « { $name } » ?
domain-remove-question = Retirer { $domain } ?
everywhere-question = Se déconnecter partout ailleurs ?
code-off-question = Se connecter sans code ?
codes-new-question = Créer de nouveaux codes de secours ?
replace-question = Donner un nouveau mot de passe à « { $device } » ?
replace-lead = Il est affiché une seule fois. Entrez-le aussitôt dans l’appareil.

## Personnes

people-empty = Vous êtes seul pour l’instant. Invitez quelqu’un ; il ne reçoit que ce que vous choisissez.
people-find = Chercher une personne
person-all-mailboxes = Les voit toutes, n’en utilise aucune
person-no-mailbox = Peut se connecter ici, ne voit encore aucune boîte
person-sign-in = Connexion
person-with-code = Mot de passe et code
person-without-code = Mot de passe seul
person-seen = Dernière visite
person-since = Membre depuis
person-accesses = Accès
person-all-access = { $name } voit toutes les boîtes mail de par son rôle, et n’en utilise aucune. Pour lire du courrier, il faut un appareil.
person-no-access = { $name } peut se connecter ici et ne voit encore aucune boîte mail. Donnez un accès sur la page d’une boîte.
person-no-device = { $name } n’a aucun appareil.
person-leaving-title = En cas de départ
person-leaving =
    { $accesses ->
        [0] { $name } n’a aucun accès qui prendrait fin.
        [one] { $name } perd l’accès à { $accesses } boîte mail.
       *[other] { $name } perd l’accès à { $accesses } boîtes mail.
    } { $devices ->
        [0] Aucun appareil n’est déconnecté.
        [one] { $devices } appareil est déconnecté.
       *[other] { $devices } appareils sont déconnectés.
    }
person-leaving-unread =
    { $count ->
        [one] { $count } boîte mail reste sans personne.
       *[other] { $count } boîtes mail restent sans personne.
    }
person-leaving-stays = Les appareils qui n’appartiennent à personne ou à d’autres restent.
person-remove = Retirer de l’organisation
person-role-title = Rôle de { $name }
role-lower-question = Modifier le rôle de { $name } ?
role-lower-lead = Avec le rôle « { $role } », { $name } n’a plus accès à toutes les boîtes. Ses appareils sur les boîtes sans accès propre prennent fin immédiatement :
role-lower-button = Modifier le rôle

## Invitations

invitations-empty = Aucune invitation en cours.
invitations-find = Chercher une invitation
invitation-new = Inviter quelqu’un
invitation-new-lead = La personne accepte avec sa propre connexion et ne reçoit que ce que vous choisissez ici.
invitation-address = Adresse e-mail
invitation-address-hint = N’importe quelle adresse, privée aussi. Personne n’apprend ainsi si elle est connue ici.
invitation-own-domain = Si cette boîte mail est supprimée, la personne perd cette connexion. Plutôt une adresse privée ?
invitation-mailboxes = Accès à des boîtes mail
invitation-mailboxes-hint = Aucune convient aussi : l’accès peut être donné plus tard.
invitation-language = Langue du mail
invitation-send = Envoyer l’invitation
invitation-link-only = Créer seulement un lien
invitation-no-mail = Ce Postern ne peut pas encore envoyer de mails : transmettez le lien vous-même.
invitation-by = Invité par
invitation-over = terminée
invitation-accepted = Acceptée
invitation-bounced = Non remise
invitation-declined = Refusée
invitation-expired = Expirée
invitation-opened = Ouverte
invitation-sent = Envoyée
invitation-unsent = Pas envoyée
invitation-unsent-text = Aucun message avec cette invitation n’est parti. Transmettez son lien, ou renvoyez-la ci-dessous.
invitation-waiting = Envoi en cours
invitation-withdrawn = Retirée
invitation-link-title = Le lien
invitation-link-what = le lien
invitation-link-hint = Vous ne le reverrez pas. Ne le donnez qu’à { $address } : quiconque l’a peut accepter. Il fonctionne une fois.
invitation-bounce = Le mail n’a pas pu être remis. Réponse du serveur : { $answer }
invitation-trouble = Le mail n’a pas encore pu être remis ; un nouvel essai suivra. Le serveur de messagerie a répondu : { $answer }
invitation-again-title = L’invitation n’est pas arrivée ?
invitation-again-hint = Un nouveau lien est créé, et l’invitation reste ouverte une semaine de plus. Les liens que vous avez déjà envoyés continuent de fonctionner jusque-là, sauf s’ils ont expiré.
invitation-again-at = Elle pourra être renvoyée { $when }.
invitation-again = Renvoyer
invitation-new-link = Créer un nouveau lien
invitation-withdraw = Retirer l’invitation

## Appareils

kind-iphone = iPhone ou iPad
kind-android = Téléphone Android
kind-outlook = Outlook
kind-apple-mail = Apple Mail sur Mac
kind-thunderbird = Thunderbird
kind-printer = Imprimante ou scanner
kind-app = CRM ou application
kind-other = Autre chose
scopes-both = Recevoir et envoyer
scopes-receive = Recevoir
scopes-send = Envoyer
scopes-none = Rien
protocol-imap = reçoit (IMAP)
protocol-smtp = envoie (SMTP)
devices-empty = Pas encore d’appareil. Un appareil est un mot de passe pour une boîte mail : choisissez d’abord la boîte.
devices-choose-mailbox = Choisir une boîte mail
devices-find = Chercher un appareil
filter-ends-soon = Prend fin dans 14 jours
filter-knocking = Ancien mot de passe encore essayé
filter-open = Ouvertes
filter-silent = Silencieux depuis 90 jours
device-name = Nom
device-name-hint = Pour le reconnaître le jour où il est perdu.
device-person = Appartient à
device-nobody = Personne
device-nobody-choice = Personne : une machine ou un programme
device-scopes = Peut
device-used = Dernière connexion
device-first-used = Première connexion
device-never-used = Jamais utilisé
device-state = État
device-state-active = Actif
device-state-connected =
    { $count ->
        [one] Connecté
       *[other] Connecté × { $count }
    }
device-state-disconnected = Déconnecté
device-state-expired = Expiré
device-state-never = Jamais utilisé
device-state-paused = Suspendu
device-ends = prend fin { $when }
device-imported = Importé : à remplacer
device-imported-text = Ce mot de passe a été importé : d’autres le connaissent peut-être. Remplacez-le par un mot de passe créé par Postern.
device-knocks =
    { $count ->
        [one] ancien mot de passe encore essayé, { $when }
       *[other] ancien mot de passe encore essayé (× { $count }, la dernière fois { $when })
    }
device-old-password =
    { $count ->
        [one] Un ancien mot de passe de cet appareil a été essayé { $last }, depuis { $from } par { $protocol }. Cela ne nuit pas ; entrez-y le nouveau, ou retirez-y le compte.
       *[other] Un ancien mot de passe de cet appareil est encore essayé ; premier essai le { $since }, { $count } fois, la dernière { $last } depuis { $from } par { $protocol }. Cela ne nuit pas ; entrez-y le nouveau, ou retirez-y le compte.
    }
device-gone-password =
    { $count ->
        [one] Le mot de passe de cet appareil a été essayé { $last }, depuis { $from } par { $protocol }. Cela ne nuit pas ; retirez-y le compte, ou ajoutez l’appareil de nouveau.
       *[other] Le mot de passe de cet appareil est encore essayé ; premier essai le { $since }, { $count } fois, la dernière { $last } depuis { $from } par { $protocol }. Cela ne nuit pas ; retirez-y le compte, ou ajoutez l’appareil de nouveau.
    }
device-add = Ajouter un appareil
device-add-again = Ajouter de nouveau
device-add-lead = À { $mailbox }. Il reçoit son propre mot de passe, qui ne fonctionne nulle part ailleurs.
device-of-alias = { $alias } est un autre nom de { $mailbox }. L’appareil est ajouté à { $mailbox }.
device-what = De quoi s’agit-il ?
device-make = Continuer
device-make-hint = Ce qu’il faut à l’appareil apparaît sur la page suivante, une seule fois.

## Un lien de configuration, pour qui l’envoie

link-how = Comment l’appareil reçoit-il son mot de passe ?
link-how-scan = Scanner un code
link-how-scan-hint = L’appareil photo le lit, et un profil configure tout.
link-how-show = Afficher le mot de passe ici
link-how-show-hint = Vous le saisissez dans l’appareil.
link-how-mail = Envoyer un lien de configuration par mail
link-how-mail-hint = Vous ne voyez pas le mot de passe. Indiquez l’adresse ci-dessous.
link-how-link = Copier un lien de configuration
link-how-link-hint = Remettez-le vous-même. La première personne qui l’ouvre obtient le mot de passe.
link-mail-to = Où envoyer le lien par mail
link-to = Adresse mail
link-language = Langue du message
link-word = Lien de configuration
link-title = Lien de configuration de « { $device } »
link-scan-title = Configurer « { $device } »
link-scan = Scannez ceci avec l’appareil
link-scan-hint = Ouvrez l’appareil photo de l’iPhone ou de l’iPad et visez le code. Sur un Mac, ouvrez le lien ci-dessous.
link-qr-label = Code QR du lien de configuration
link-what = Lien de configuration
link-copy = Copier le lien
link-no-scan = Impossible de scanner ? Afficher le mot de passe
link-hint = Le lien fonctionne une fois, pendant un jour. Cette page ne l’affiche que maintenant ; le mot de passe est créé à l’ouverture.
link-none = Cet appareil n’en a jamais eu.
link-from = Ouvert depuis
link-look = Voir le lien
link-withdraw = Retirer le lien
link-withdraw-hint = Il ne donne alors plus rien. Un mot de passe déjà donné continue de fonctionner : pour y mettre fin, déconnectez l’appareil.
link-again = Envoyer à nouveau
link-again-hint = Un nouveau lien ; le précédent ne vaut plus rien aussitôt. Un mot de passe en service fonctionne jusqu’à l’ouverture du nouveau lien.
link-mail = Envoyer par mail
link-mail-word = Mail
link-mail-failed = Non remis
link-mail-sent = Accepté par le serveur de messagerie
link-mail-unsent = Aucun mail envoyé
link-mail-unsent-text = Aucun mail avec ce lien n’est parti. Renvoyez-le ci-dessous.
link-mail-waiting = Envoi en cours
link-mail-withdrawn = Ne sera plus envoyé
link-show-code = Afficher un code à scanner
link-state-sent = Lien envoyé
link-state-opened = Lien ouvert
link-state-fetched = Profil téléchargé
link-state-signed-in = Connecté
link-state-withdrawn = Lien retiré
link-state-expired = Lien expiré
device-more-hint = droits, fin, réseaux
device-about = À propos de cet appareil
device-added = Ajouté
device-replaced = Nouveau mot de passe
device-expires = Prend fin
device-networks = Réseaux
device-networks-hint = Adresses ou réseaux d’où il peut se connecter, séparés par des virgules. Laissez vide pour partout.
device-anywhere = De partout
device-senders = Peut aussi envoyer en tant que
device-history = Historique
device-no-session = Il n’est pas connecté en ce moment.
device-pause = Suspendre
device-resume = Réactiver
device-replace = Nouveau mot de passe
device-disconnect = Déconnecter
device-was-disconnected = Déconnecté { $when }. Son mot de passe ne fonctionnera plus jamais.
device-is-paused = Suspendu { $when }. Après « Réactiver », le même mot de passe fonctionne de nouveau.
device-has-expired = Son temps a pris fin { $when }. Fixez une fin plus tardive pour le réutiliser.
device-edit-title = Modifier « { $device } »
device-edit-hint = Ce qui est retiré coupe aussitôt ses connexions ; ce qui est ajouté vaut dès sa prochaine connexion.
usual-iphone = iPhone de { $name }
usual-android = Téléphone Android de { $name }
usual-outlook = Outlook de { $name }
usual-apple-mail = Mac de { $name }
usual-thunderbird = Thunderbird de { $name }
usual-printer = Imprimante
usual-app = CRM
expires-days =
    { $count ->
        [one] Dans { $count } jour
       *[other] Dans { $count } jours
    }
expires-on = À une date précise
expires-day = Dernier jour

## Le mot de passe, une fois

password-title = « { $device } » est prêt à se connecter
password-new-title = Nouveau mot de passe pour « { $device } »
password-type = Entrez ceci dans l’appareil
password-address = Adresse
password-once = Vous ne le reverrez pas. Inutile de le noter : vous pouvez ajouter l’appareil de nouveau à tout moment.
password-read = Me le lire
password-read-hint = Lettre par lettre, pour le téléphone. Les traits d’union ne sont pas nécessaires.
password-servers = Réglages des serveurs
password-qr = Afficher le code
password-qr-label = Code QR avec le compte et son mot de passe
password-gone-title = Le mot de passe a déjà été affiché
password-gone = « { $device } » a été ajouté, et son mot de passe ne peut plus être affiché. Si vous ne l’avez pas entré, créez-en un nouveau.
password-gone-device = Vers l’appareil
server-imap = Courrier entrant (IMAP)
server-smtp = Courrier sortant (SMTP)
server-user = Nom d’utilisateur
first-title = Première connexion
first-hint = Vous pouvez fermer cette page. Celle de l’appareil montre la même chose.
first-waiting = Pas encore vu. En attente de la première connexion …
first-silent = L’appareil n’est pas arrivé jusqu’à nous. Vérifiez le serveur { $host }, port { $port }.
first-wrong-password = Essai avec un mauvais mot de passe ({ $when }, depuis { $from }). Entrez-le encore une fois.
first-wrong-name = Il s’est présenté comme « { $given } ». Entrez l’adresse complète { $address }.
first-certificate = Un appareil de votre réseau n’a pas accepté le certificat ({ $when }). Vérifiez le nom du serveur dans l’appareil : { $host }.
first-wrong-password-elsewhere = Quelqu’un a essayé ailleurs avec un mauvais mot de passe ({ $when }). Si c’était cet appareil, entrez-le encore une fois.
first-somebody-unencrypted = Quelqu’un a essayé sans chiffrement ({ $when }, depuis { $from }). Si c’était cet appareil, activez-y SSL/TLS.
first-unencrypted-near = Quelqu’un a essayé sans chiffrement ({ $when }). Si c’était cet appareil, activez-y SSL/TLS.
first-too-many-near = Il y avait trop de connexions ({ $when }). Attendez un peu, ou fermez d’autres programmes de messagerie.
first-unencrypted = Essai sans chiffrement ({ $when }, depuis { $from }) : activez SSL/TLS dans l’appareil.
first-connected = Connecté
first-receiving = La réception fonctionne
first-not-received = N’a encore rien reçu
first-sending = L’envoi fonctionne
first-not-sent = N’a encore rien envoyé
password-steps = Pas à pas
first-old-password = Il utilise encore son ancien mot de passe ({ $when }, depuis { $from }). Entrez le nouveau.
first-other-name = Il s’est présenté sous un autre nom. Entrez l’adresse complète { $address } comme nom d’utilisateur.
first-exposed = Son mot de passe a traversé le réseau en clair. Créez-en un nouveau une fois le chiffrement activé.
first-may-not-receive = Il a essayé de recevoir du courrier ({ $when }), mais ne peut qu’en envoyer. Désactivez la réception dans l’appareil, ou permettez-la sur la page de l’appareil.
first-may-not-send = Il a essayé d’envoyer du courrier ({ $when }), mais ne peut qu’en recevoir. Désactivez l’envoi dans l’appareil, ou permettez-le sur la page de l’appareil.
first-wrong-network = Son mot de passe est correct, mais il ne peut pas se connecter depuis { $from } ({ $when }). Utilisez l’un de ses réseaux, ou changez-les sur la page de l’appareil.
first-mail-store = Son mot de passe est correct, mais le serveur de messagerie derrière nous ne l’a pas laissé entrer ({ $when }). L’appareil n’y est pour rien : laissez-le ainsi, et prévenez la personne qui s’occupe du serveur.
first-suspended = Son mot de passe est correct, mais la boîte aux lettres est suspendue ({ $when }). Personne ne peut se connecter avant sa réactivation.
first-too-many = Il y avait trop de connexions ({ $when }, depuis { $from }). Attendez un peu, ou fermez d’autres programmes de messagerie.
first-paused = L’appareil est en pause et ne peut pas se connecter. Réactivez-le sur sa page.
first-expired = L’appareil a expiré et ne peut pas se connecter. Fixez une autre fin sur sa page.
password-qr-hint = Scannez-le dans l’application Thunderbird. L’appareil photo du téléphone afficherait le mot de passe. Le code se cache après une minute.
password-print = Imprimer
server-port-title = Port
server-security = Chiffrement
form-password = le mot de passe ci-dessus
form-title = Réglages d’un copieur
form-hint = Choisissez la marque. Les champs sont dans l’ordre et avec les mots de son menu en anglais ; les modèles diffèrent un peu.
steps-iphone-open = Ouvrez Réglages > Apps > Mail > Comptes Mail (avant iOS 18 : Réglages > Mail > Comptes) et touchez Ajouter un compte.
steps-iphone-other = Touchez Autre, puis Ajouter un compte Mail.
steps-iphone-account = Entrez votre nom, l’adresse et le mot de passe de cette page, puis touchez Suivant.
steps-iphone-servers = Laissez IMAP choisi. Entrez nom d’hôte, nom d’utilisateur et mot de passe de cette page, sous Serveur de réception et sous Serveur d’envoi.
steps-iphone-save = Touchez Suivant, puis Enregistrer.
steps-android-app = Installez l’application Thunderbird et ouvrez-la.
steps-android-import = Dans l’application, touchez Importer les paramètres, puis Scanner le code QR.
steps-android-scan = Touchez « Afficher le code » ici et scannez-le dans l’application.
steps-android-other = Avec une autre application, comme Gmail : ajoutez un compte de type Autre (IMAP) et copiez les champs ci-dessous.
steps-outlook-open = Dans Outlook, ouvrez Fichier > Ajouter un compte ; dans le nouvel Outlook, Paramètres > Comptes > Ajouter un compte.
steps-outlook-address = Entrez l’adresse et appuyez sur Connexion ou Continuer.
steps-outlook-password = Collez le mot de passe.
steps-outlook-advanced = Si Outlook ne trouve pas le compte : ouvrez Options avancées, choisissez IMAP et copiez les serveurs ci-dessous.
steps-apple-mail-open = Dans Mail, ouvrez Mail > Ajouter un compte, et choisissez Autre compte Mail.
steps-apple-mail-account = Entrez votre nom, l’adresse et le mot de passe de cette page, puis cliquez sur Se connecter.
steps-apple-mail-servers = Si Mail en demande plus : le nom d’utilisateur est l’adresse, le type de compte est IMAP, et les serveurs sont ci-dessous.
steps-thunderbird-open = Dans Thunderbird, ouvrez le menu et choisissez Nouveau compte > Adresse électronique.
steps-thunderbird-address = Entrez votre nom et l’adresse, puis appuyez sur Continuer.
steps-thunderbird-password = Collez le mot de passe.
steps-thunderbird-done = Thunderbird trouve les serveurs tout seul. Appuyez sur Terminé.
steps-printer-open = Ouvrez la page web de l’imprimante ou du scanner, par son adresse dans le réseau, et connectez-vous comme administrateur.
steps-printer-form = Ouvrez ses réglages d’envoi de courrier et entrez les champs ci-dessous. Le nom d’utilisateur est l’adresse complète.
steps-printer-save = Enregistrez, et numérisez une page vers votre propre adresse.
steps-app-open = Ouvrez les réglages de courrier du programme, comme administrateur.
steps-app-kind = Choisissez IMAP et SMTP, ou Autre ; ni Google ni Microsoft.
steps-app-fields = Copiez les champs ci-dessous. Le nom d’utilisateur est l’adresse complète, pour les deux serveurs.
steps-other-open = Ouvrez les réglages de compte du programme, et choisissez IMAP s’il le demande.
steps-other-fields = Entrez l’adresse et le mot de passe ; s’il demande des serveurs, copiez les champs ci-dessous.
trial-title = Message de test
trial-hint = Nous nous connectons comme cet appareil, depuis le serveur lui-même, et envoyons un message à { $address }. Cela ne compte pas comme une connexion de l’appareil.
trial-networks = L’appareil ne peut se connecter que depuis ses propres réseaux. Le test vient de l’adresse du serveur, et il est refusé si elle n’en fait pas partie.
trial-send = Envoyer un message de test
trial-too-soon = Il y a eu plusieurs tests à l’instant. Attendez une minute.
trial-other-password = Le mot de passe de cette page n’est plus celui de l’appareil ; rien n’a donc été envoyé. Voyez la page de l’appareil.
trial-sent = Envoyé à { $address }. Vérifiez qu’il est arrivé.
trial-untrusted = Ce serveur ne connaît pas l’émetteur de son propre certificat. Les appareils qui ne le connaissent pas non plus le refuseront.
trial-connection = Connexion au serveur
trial-tls = Chiffrement
trial-sign-in = Authentification
trial-sender = Expéditeur
trial-recipient = Destinataire
trial-message = Message accepté
trial-advice-connection = Notre propre serveur d’envoi ne répond pas. La personne qui l’exploite en trouvera la cause dans son journal.
trial-advice-tls = Le certificat ne convient pas à { $host } : les appareils le refuseront aussi. La personne qui exploite ce serveur doit le renouveler ou y ajouter le nom.
trial-advice-network = L’adresse de ce serveur ne fait pas partie des réseaux de l’appareil. L’appareil lui-même peut fonctionner depuis son propre emplacement.
trial-advice-sign-in = Le mot de passe de cette page n’est plus celui de l’appareil, ou l’appareil ne peut pas envoyer. Regardez la page de l’appareil.
trial-advice-sender = L’appareil ne peut pas envoyer au nom de { $address }. Vérifiez ses expéditeurs et ce que permet le serveur de messagerie.
trial-advice-recipient = Le serveur de messagerie n’accepte pas de courrier pour { $address }. L’envoi à d’autres peut fonctionner.
trial-advice-later = L’appareil n’y est pour rien. Essayez de nouveau dans quelques minutes.
trial-mail-subject = Message de test de « { $device } »
trial-mail-text = Ce message a été envoyé depuis { $address } par Postern, connecté comme l’appareil « { $device } », parce que { $person } a demandé un test. L’envoi fonctionne. Il n’y a rien à faire.
letter-b = Berthe
letter-c = Célestin
letter-d = Désiré
letter-f = François
letter-g = Gaston
letter-h = Henri
letter-j = Joseph
letter-k = Kléber
letter-m = Marcel
letter-n = Nicolas
letter-p = Pierre
letter-q = Quintal
letter-r = Raoul
letter-s = Suzanne
letter-t = Thérèse
letter-v = Victor
letter-w = William
letter-x = Xavier
letter-y = Yvonne
letter-z = Zoé

## En direct

sessions-lead = Les logiciels de messagerie connectés en ce moment.
sessions-find = Chercher une connexion
sessions-pause = Figer l’affichage
sessions-empty = Personne n’est connecté en ce moment.
sessions-last = Dernière connexion : { $device }, { $when }.
session-connected = Connecté
session-since = connecté { $when }
session-is-over = Cette connexion a déjà pris fin.
session-doing = Fait
session-from = Depuis
session-octets = Volume
session-end = Couper

## Activité

activity-lead = Qui a fait quoi, quand et d’où. Rien ne peut être modifié ici, pas même par les propriétaires.
activity-empty = Il ne s’est encore rien passé.
activity-find = Mot
activity-about = Sujet
activity-since = Du
about-everything = Tout
about-devices = Appareils
about-mailboxes = Boîtes mail
about-aliases = Alias
about-access = Accès
about-people = Personnes
about-invitations = Invitations
about-sign-ins = Connexions
activity-export-json = Télécharger en lignes JSON
activity-one-title = Entrée { $number }
activity-when = Quand
activity-behalf = au nom de { $name }
activity-behalf-label = Au nom de
activity-action = Action
activity-subject = Sur
activity-hash = Empreinte
activity-no-hash = D’avant l’enchaînement des entrées
my-activity-lead = Ce que vous avez fait, et ce que des programmes ont fait en votre nom. Ce qui a été fait à une boîte est indiqué sur la page de la boîte.
who-cli = { $name } sur le serveur
who-daemon = Postern
who-stranger = Quelqu’un qui n’était pas connecté
who-gone = Quelqu’un qui est parti
who-token = Le programme « { $name } »
origin-local = sur le serveur
deed-alias-create = a ajouté l’alias { $subject } de { $mailbox }
deed-alias-delete = a retiré l’alias { $subject } de { $mailbox }
deed-device-add = a ajouté l’appareil « { $device } » à { $mailbox }
deed-device-edit = a modifié l’appareil « { $device } » de { $mailbox }
deed-device-import = a importé l’appareil « { $device } » de { $mailbox }
deed-device-link-fetch = a téléchargé le profil de « { $device } » pour { $mailbox } par un lien de configuration
deed-device-link-open = a ouvert le lien de configuration de « { $device } » pour { $mailbox }
deed-device-link-send = a créé un lien de configuration de « { $device } » pour { $mailbox }
deed-device-link-withdraw = a retiré le lien de configuration de « { $device } » pour { $mailbox }
deed-device-pause = a suspendu l’appareil « { $device } » de { $mailbox }
deed-device-replace = a donné un nouveau mot de passe à l’appareil « { $device } » de { $mailbox }
deed-device-resume = a réactivé l’appareil « { $device } » de { $mailbox }
deed-device-revoke = a déconnecté l’appareil « { $device } » de { $mailbox }
deed-domain-create = a connecté le domaine { $subject }
deed-domain-delete = a retiré le domaine { $subject }
deed-grant-change = a modifié ce que { $name } peut faire avec { $mailbox }
deed-grant-give = a donné à { $name } l’accès à { $mailbox }
deed-grant-give-own = a reçu l’accès à { $mailbox } avec l’invitation
deed-grant-withdraw = a retiré à { $name } l’accès à { $mailbox }
deed-invitation-accept = a accepté l’invitation
deed-invitation-create = a invité { $subject }
deed-invitation-decline = a refusé l’invitation
deed-invitation-renew = a renouvelé l’invitation de { $subject }
deed-invitation-withdraw = a retiré l’invitation de { $subject }
deed-key-rotate = a ajouté une clé du serveur
deed-mail-withdraw = a retiré un courriel qui attendait ({ $subject })
deed-mailbox-create = a créé la boîte mail { $subject }
deed-mailbox-delete = a supprimé la boîte mail { $subject }
deed-mailbox-resume = a réactivé la boîte mail { $subject }
deed-mailbox-secret-remove = a retiré le mot de passe de stockage de { $subject }
deed-mailbox-secret-set = a défini le mot de passe de stockage de { $subject }
deed-mailbox-suspend = a suspendu la boîte mail { $subject }
deed-member-add = a ajouté { $name } à l’organisation ({ $role })
deed-member-add-own = a rejoint l’organisation ({ $role })
deed-member-remove = a retiré { $name } de l’organisation
deed-member-role = a changé le rôle de { $name } : { $was } → { $role }
deed-org-create = a créé l’organisation { $subject }
deed-org-delete = a supprimé l’organisation { $subject }
deed-org-notices = a changé les avis envoyés par e-mail
deed-org-rename = a renommé l’organisation en { $subject }
deed-session-end = a coupé une connexion de { $mailbox }
deed-setup-link = a créé un lien pour le premier propriétaire
deed-token-create = a créé le jeton « { $name } »
deed-token-revoke = a révoqué le jeton « { $name } »
deed-user-address-ask = a demandé une autre adresse de connexion
deed-user-code-remove = a désactivé le code à la connexion
deed-user-code-set = a activé le code à la connexion
deed-user-create = s’est inscrit
deed-user-delete = a supprimé la connexion de { $name }
deed-user-edit = a modifié nom, adresse ou langue
deed-user-password = a changé le mot de passe
deed-user-recovery-renew = a créé de nouveaux codes de secours
deed-user-recovery-use = a utilisé un code de secours
deed-user-reset-link = a demandé un lien pour un nouveau mot de passe
deed-user-reset-use = a défini un nouveau mot de passe par mail
deed-user-signin = s’est connecté
deed-user-signin-refused = a donné un mot de passe ou un code erroné
deed-user-signout = s’est déconnecté
deed-user-signout-all = s’est déconnecté partout
deed-other = a fait { $action } sur { $subject }

## Domaines

domains-lead = Les boîtes mail vivent dans les domaines de votre organisation.
domains-empty = Pas encore de domaine. Connectez celui qui suit le @ de vos adresses.
domain-connect = Connecter le domaine
domain-connect-hint = Ce qui suit le @. Rien ne change pour vos mails : cela permet seulement d’y créer des boîtes.
domain-remove = Retirer le domaine
domain-mailboxes =
    { $count ->
        [0] Aucune boîte mail
        [one] { $count } boîte mail
       *[other] { $count } boîtes mail
    }
domain-check = Vérifier maintenant
domain-check-of = Vérifier maintenant : les entrées DNS de { $domain }
domain-checked = Vérifié { $when }
domain-unchecked = Le DNS n’a pas encore été interrogé.
domain-right = Tout y est
domain-problems =
    { $count ->
        [one] { $count } chose à faire
       *[other] { $count } choses à faire
    }
domain-records = Entrées DNS pour les logiciels de messagerie
domain-records-hint = La personne qui gère le DNS de ce domaine les ajoute une seule fois. Les logiciels trouvent ensuite leurs réglages à partir de l’adresse seule.
record-purpose = Pour
record-name = Entrée
record-value = Valeur
record-optional = Facultative
record-right = Trouvée
record-other = Différente
record-missing = Absente
record-unanswered = Sans réponse
record-unknown = Non vérifiée
record-found = trouvé : { $value }
record-autoconfig = Thunderbird et beaucoup d’autres
record-autodiscover = Outlook
record-autodiscover-server = Outlook, autre chemin
record-receive = Recevoir des mails
record-receive-starttls = Recevoir des mails, STARTTLS
record-send = Envoyer des mails
record-send-starttls = Envoyer des mails, STARTTLS
record-pop3 = Dit qu’il n’y a pas de POP3
record-pacc = Nouveaux logiciels (PACC)
record-pacc-digest = Somme de contrôle pour PACC
domain-servers = Serveurs et certificats
domain-servers-hint = Chacun de ces noms a besoin d’une adresse, et d’un certificat qui le couvre.
server-name = Nom
server-address = Adresse
server-by-record = Voir son entrée
server-certificate = Certificat
server-no-address = Aucune adresse
certificate-until = Valable jusqu’au { $day }
certificate-ended = Expiré le { $day }
certificate-none = Aucun pour ce nom
certificate-proxy = Chez le proxy inverse
certificate-development = Pour le développement seulement
domain-zone = Toutes les entrées en fichier de zone
domain-zone-hint = Pour les serveurs de noms, et pour les hébergeurs DNS qui savent importer des entrées.
records-no-manager = Le Manager est désactivé : personne ne donne de réglages aux logiciels de messagerie.
records-manager-unnamed = Aucune autre machine ne peut être dirigée vers { $value } : il n’y a donc pas d’entrées pour les réglages. L’exploitant donne un nom d’hôte au Manager.
records-manager-port = Les logiciels demandent leurs réglages sur le port 443, et le Manager a le port { $value }. L’exploitant fait aussi mener le port 443 vers lui.
records-server-unnamed = { $value } n’est pas un nom d’hôte complet : aucune entrée ne peut y mener. L’exploitant en choisit un autre.
records-too-long = { $value } est plus long qu’un nom du DNS ne peut l’être ; l’entrée est donc omise.

## Réglages et jetons

notices-title = Avis par e-mail
notices-lead = Ce que les personnes apprennent au sujet des appareils, chacune dans sa langue.
notices-on = Avis envoyés
notice-device-added = Nouvel appareil ou nouveau mot de passe d’appareil
notice-device-added-hint = À qui a accès à la boîte mail, et à qui a donné le mot de passe. Aussi la première connexion d’un nouvel appareil, quand elle vient d’un autre réseau que celui de la personne qui a donné le mot de passe.
notice-device-network = Connexion depuis un nouveau réseau
notice-device-network-hint = Quand un appareil se connecte depuis un réseau d’où on ne le connaissait pas. Avec la marche à suivre pour le suspendre ou le déconnecter.
notice-device-unused = Appareil inutilisé depuis 90 jours
notice-device-unused-hint = Une seule fois, jusqu’à la prochaine utilisation. L’appareil continue de fonctionner.
notice-is-on = envoyé
notice-is-off = pas envoyé
notices-who = Les connexions et les appareils inutilisés sont annoncés à la personne à qui l’appareil appartient ; sinon à qui peut voir les appareils de la boîte mail ; sinon aux propriétaires et à l’administration. Pour un appareil, il y a au plus un message par heure : ce qui arrive entre-temps vient ensuite en une fois.
notices-always = Toujours envoyés : les invitations, les liens pour un nouveau mot de passe, les changements de connexion ou d’accès d’une personne, les nouveaux jetons d’API, et les nouveaux mots de passe d’appareil d’une boîte mail à qui se connecte ici avec son adresse.
tokens-title = Jetons d’API
tokens-lead = Pour les programmes qui gèrent boîtes mail et appareils.
tokens-api = Description de l’API
tokens-empty = Aucun jeton.
token-new = Nouveau jeton
token-name-hint = Ce qui va l’utiliser.
token-owner = De
token-may = Peut
token-used = Dernier usage
token-read = Lire
token-read-hint = Voit, et ne modifie rien.
token-write = Lire et modifier
token-write-hint = Tout ce que permet le rôle ci-dessus.
token-make = Créer le jeton
token-revoke = Révoquer
token-shown-title = Jeton « { $name } »
token-once = Vous ne le reverrez pas. Placez-le là où le programme lit ses secrets.
token-address = Adresse de l’API
token-header = En-tête

## Ses propres boîtes et son compte

me-empty = Vous pouvez vous connecter ici et ne voyez encore aucune boîte mail.
me-empty-hint = Quelqu’un qui gère les boîtes de votre organisation peut vous donner accès.
me-no-device = Aucun de vos appareils ne l’utilise encore.
me-others =
    { $count ->
        [one] { $count } appareil qui n’est pas à vous
       *[other] { $count } appareils qui ne sont pas à vous
    }
lost-button = Appareil perdu ?
lost-title = Quel appareil est perdu ?
lost-lead = Il est aussitôt suspendu : personne ne peut plus lire vos mails avec lui. S’il réapparaît, réactivez-le.
lost-empty = Aucun de vos appareils ne peut se connecter en ce moment.
lost-this = C’est celui-ci
lost-hint = Étiez-vous connecté ici avec lui ? Déconnectez-vous aussi partout ailleurs, dans « Mon compte ».
account-about = À propos de vous
account-own-domain = Vous vous connectez avec une adresse de votre organisation. Si cette boîte est supprimée, vous perdez cette connexion.
account-address-asked = { $address } attend votre confirmation : ouvrez le lien dans le message reçu là-bas. Il fonctionne jusqu’à { $when }.
account-theme = Couleurs
theme-system = Comme le système
theme-light = Claires
theme-dark = Sombres
account-code = Code d’une application d’authentification
account-code-on = activé : qui se connecte à votre place en a besoin aussi
account-code-off = désactivé : quiconque connaît votre mot de passe peut se connecter
account-codes-left =
    { $count ->
        [0] il n’en reste aucun
        [one] il en reste { $count }
       *[other] il en reste { $count }
    }
account-sessions = Où vous êtes connecté
account-everywhere = Se déconnecter partout ailleurs
account-this-session = Ce navigateur
account-session-used = utilisé { $when }
account-session-since = connecté { $when }
password-change-title = Changer votre mot de passe
address-change-title = Changer votre adresse de connexion
address-change-effect = Un message avec un lien part vers la nouvelle adresse. Tant que vous n’ouvrez pas le lien, vous vous connectez comme avant ; ensuite, un message part vers les deux adresses.
address-change-at-once = Elle vaut tout de suite, car ce Postern n’envoie pas de message qui pourrait vérifier la nouvelle adresse. Relisez-la bien.
address-confirm-question = Vous connecter désormais avec { $address } ?
address-confirm-lead = Votre ancienne adresse ne permettra plus de se connecter. Votre mot de passe et vos appareils restent tels quels.
address-confirm-button = Utiliser cette adresse
password-change-effect = Vous êtes déconnecté partout ailleurs. Les mots de passe de vos appareils ne changent pas.
code-set-up = Activer
code-set-up-title = Code d’une application d’authentification
code-off = Désactiver
code-step-program = Ouvrez une application d’authentification sur votre téléphone, comme Aegis, Google Authenticator ou celle de votre gestionnaire de mots de passe.
code-step-scan = Scannez cette image avec elle.
code-step-type = Ou tapez cette clé :
code-step-prove = Entrez les six chiffres qu’elle affiche
code-key = la clé
code-qr-label = Code QR de la clé ci-dessous
codes-title = Codes de secours
codes-lead = Pour le jour où votre téléphone n’est plus là. Chaque code fonctionne une fois.
codes-once = Vous ne les reverrez pas. Imprimez-les, ou gardez-les dans un gestionnaire de mots de passe.
codes-kept = Je les ai conservés
codes-new = Nouveaux codes

## Ce qui a été fait

done-saved = Enregistré.
done-unchanged = Rien n’a été modifié.
done-sessions-ended =
    { $count ->
        [one] { $count } connexion coupée en { $milliseconds } ms.
       *[other] { $count } connexions coupées en { $milliseconds } ms.
    }
done-unconfirmed = Tous les serveurs n’ont pas encore confirmé la coupure. Elle aura lieu dès qu’ils répondent.
done-disconnected = « { $device } » est déconnecté.
done-all-disconnected =
    { $count ->
        [one] { $count } appareil de { $mailbox } est déconnecté.
       *[other] { $count } appareils de { $mailbox } sont déconnectés.
    }
done-paused = « { $device } » est suspendu.
done-replaced = « { $device } » a un nouveau mot de passe.
done-resumed = « { $device } » fonctionne de nouveau.
done-session-ended = La connexion de « { $device } » est coupée.
done-access-given = { $name } a accès à { $mailbox }.
done-access-withdrawn =
    { $count ->
        [0] { $name } n’a plus accès à { $mailbox }.
        [one] { $name } n’a plus accès à { $mailbox }. { $count } appareil déconnecté.
       *[other] { $name } n’a plus accès à { $mailbox }. { $count } appareils déconnectés.
    }
done-role-lowered =
    { $count ->
        [one] { $name } a maintenant un autre rôle. { $count } appareil déconnecté.
       *[other] { $name } a maintenant un autre rôle. { $count } appareils déconnectés.
    }
done-member-removed =
    { $count ->
        [0] { $name } ne fait plus partie de { $org }.
        [one] { $name } ne fait plus partie de { $org }. { $count } appareil déconnecté.
       *[other] { $name } ne fait plus partie de { $org }. { $count } appareils déconnectés.
    }
done-invited = L’invitation pour { $address } est en route.
done-invitation-made = L’invitation est prête. Transmettez son lien.
done-invitation-not-mailed = L’invitation est prête, mais aucun message n’a pu être écrit. Transmettez son lien, ou renvoyez-la plus tard.
done-link-made = Le lien pour « { $device } » est prêt.
done-link-mailed = Le lien est en route vers { $address }.
done-link-not-mailed = Le message n’a pas pu être écrit. Remettez le lien vous-même.
done-link-withdrawn = Le lien de « { $device } » ne donne plus rien.
done-invitation-withdrawn = L’invitation de { $address } a été retirée.
done-joined = Bienvenue dans { $org }.
done-suspended = { $mailbox } est suspendue.
done-mailbox-resumed = { $mailbox } fonctionne de nouveau.
done-mailbox-deleted = { $mailbox } a été supprimée.
done-alias-added = { $alias } est maintenant un autre nom de { $mailbox }.
done-alias-removed = L’alias { $alias } a été retiré.
done-domain-added = { $domain } est connecté. Vous pouvez y créer des boîtes mail.
done-domain-right = { $domain } : tout y est.
done-domain-problems =
    { $count ->
        [one] { $domain } : { $count } chose à faire.
       *[other] { $domain } : { $count } choses à faire.
    }
done-domain-unanswered = { $domain } : les serveurs de noms n’ont pas répondu à toutes les questions. Réessayez plus tard.
problem-checked-often =
    { $seconds ->
        [one] Le DNS a été interrogé souvent durant la dernière minute. Réessayez dans { $seconds } seconde.
       *[other] Le DNS a été interrogé souvent durant la dernière minute. Réessayez dans { $seconds } secondes.
    }
done-domain-removed = { $domain } a été retiré.
done-token-revoked = Le jeton « { $name } » ne fonctionne plus.
done-password-changed =
    { $count ->
        [0] Votre mot de passe a été changé.
        [one] Votre mot de passe a été changé. { $count } autre navigateur a été déconnecté.
       *[other] Votre mot de passe a été changé. { $count } autres navigateurs ont été déconnectés.
    }
done-password-reset = Votre mot de passe est défini. Connectez-vous avec lui.
done-address-changed = Désormais, vous vous connectez avec { $address }.
done-address-asked = Un message avec un lien est parti vers { $address }. Ouvrez-le pour vous connecter avec cette adresse ; d’ici là, rien ne change.
done-address-at-once = Désormais, vous vous connectez avec { $address }. Aucun message ne part d’ici, donc personne n’a vérifié cette adresse : notez-la.
done-already = C’était déjà fait : rien n’a été créé une seconde fois. Ce qui a été montré une fois ne peut plus l’être.
done-code-removed = La connexion ne demande plus que le mot de passe.
done-signed-out =
    { $count ->
        [one] { $count } navigateur a été déconnecté.
       *[other] { $count } navigateurs ont été déconnectés.
    }
done-signed-out-here = Vous êtes déconnecté.
done-session-over = Votre session est terminée. Connectez-vous de nouveau.
done-lost-paused = « { $device } » est suspendu. Personne ne peut lire vos mails avec lui.

## Erreurs

error-home = Vers la page d’accueil
error-400-title = Ce formulaire est illisible
error-400 = Rien n’a été modifié. Revenez en arrière, rechargez la page et envoyez-la encore une fois.
error-site-title = Ceci venait d’un autre site
error-site = Rien n’a été modifié. Si c’était voulu, ouvrez vous-même le Manager et faites-le là.
error-403-title = Vous ne pouvez pas faire cela
error-403 = { $what }
error-403-who =
    { $count ->
        [one] { $names } le peut.
       *[other] { $names } le peuvent.
    }
error-404-title = Il n’y a rien ici
error-404 = Cela a peut-être été supprimé, ou ce n’est pas à vous de le voir.
error-410-title = Ce lien n’est plus valable
error-410 = Chaque lien fonctionne une fois et pour un temps limité. Demandez-en un nouveau.
error-413-title = C’est trop à la fois
error-413 = Rien n’a été modifié. Envoyez-en moins à la fois.
error-429-title = Trop d’essais
error-429 = Rien n’a été modifié. Réessayez { $when }.
error-500-title = L’erreur est de notre côté
error-500 = Rien n’a été modifié, pour autant que nous sachions. Réessayez ; si cela persiste, donnez ce numéro à l’exploitant : { $reference }
error-503-title = Indisponible en ce moment
error-503 = La base de données ne répond pas. Rien n’a été modifié. Les connexions de messagerie en cours continuent. Réessayez dans une minute.
forbidden-add-device = Vous pouvez utiliser { $mailbox }, mais pas y ajouter d’appareils.
forbidden-manage-devices = Vous pouvez utiliser { $mailbox }, mais pas gérer les appareils des autres.
forbidden-somebody-signs-in = Quelqu’un se connecte au Manager avec { $mailbox }. Qui lit ce courrier pourrait s’y faire envoyer un nouveau mot de passe : vous ne pouvez donc pas en donner un accès à d’autres.
forbidden-speaks-for-domain = Vous pouvez ajouter d’autres noms de { $mailbox } dans son propre domaine, mais aucun qui parle pour tout le domaine, comme postmaster ou admin.
forbidden-manage-aliases = Vous pouvez utiliser { $mailbox }, mais pas gérer ses alias.
forbidden-give-access = Vous pouvez utiliser { $mailbox }, mais pas décider qui y a accès.
forbidden-manage-mailboxes = Vous ne pouvez pas gérer les boîtes mail et les domaines ici.
forbidden-manage-people = Vous ne pouvez pas gérer les personnes et les invitations ici.
forbidden-manage-owners = Seuls les propriétaires peuvent nommer, modifier ou retirer des propriétaires.
forbidden-change-anything = En tant qu’auditeur, vous voyez tout et ne modifiez rien.
forbidden-anything-else = Votre rôle ne le permet pas ici.
forbidden-see = Cette partie de l’organisation ne vous est pas ouverte.
conflict-title = Quelqu’un a été plus rapide
conflict-text = Modifié par { $who } { $when }. Votre modification n’a pas été enregistrée.
conflict-what = Ce qui diffère : { $what }
conflict-field = Champ
conflict-theirs = Leur version
conflict-mine = Ma version
conflict-show-theirs = Voir leur version
conflict-keep-mine = Garder ma version

## Sous les champs

problem-see-fields = Pas encore enregistré. Voyez ce qui est marqué ci-dessous.
problem-missing = Veuillez remplir ce champ.
problem-too-long =
    { $most ->
        [one] Raccourcissez à { $most } caractère.
       *[other] Raccourcissez à { $most } caractères au plus.
    }
problem-unshowable = Un caractère ne peut pas être affiché sans risque. Tapez le texte au lieu de le coller.
problem-too-many =
    { $most ->
        [one] Écrivez-en { $most } au plus.
       *[other] Écrivez-en { $most } au plus.
    }
problem-address = Écrivez une adresse complète, par exemple anna@example.org.
problem-local-part = Écrivez ce qui précède le @ : lettres, chiffres, points, tirets.
problem-address-taken = { $address } est déjà une boîte mail ou un alias. Choisissez une autre adresse.
problem-not-mailed = Le message avec le lien n’a pas pu être écrit, donc rien n’a changé. Réessayez plus tard.
problem-sign-in-taken = C’est déjà une adresse de connexion. Choisissez-en une autre.
problem-org-taken = Une organisation porte déjà ce nom. Choisissez-en un autre.
problem-domain-unknown = { $domain } n’est pas connecté. Choisissez l’un de vos domaines, ou connectez-le d’abord.
problem-domain = Écrivez un domaine, par exemple example.org, sans http et sans @.
problem-domain-by-operator = Ce serveur sert plusieurs organisations : c’est son exploitant qui ajoute les domaines. Demandez-le-lui.
problem-domain-taken = { $domain } est déjà connecté, ici ou dans une autre organisation. S’il est à vous, adressez-vous à l’exploitant.
problem-name-taken = Un autre appareil porte ce nom. « { $free } » est libre.
problem-scopes = Cochez au moins une case : sinon l’appareil ne pourrait rien faire.
problem-rights = Cochez au moins un droit.
problem-network = « { $given } » n’est pas un réseau. Écrivez une adresse comme 192.0.2.7, ou un réseau comme 192.0.2.0/24.
problem-day-to-come = Choisissez un jour à venir.
problem-day-past = Choisissez un jour qui n’est pas dans le futur.
problem-password-short = Utilisez au moins { $least } caractères.
problem-password-long = Utilisez au plus { $most } caractères.
problem-password-common = C’est celui que tout le monde essaie en premier. Choisissez-en un autre, par exemple plusieurs mots à la suite.
problem-password-like-you = Il est fait de votre nom ou de votre adresse. Choisissez-en un autre, par exemple plusieurs mots à la suite.
problem-password-wrong = Ce n’est pas votre mot de passe actuel.
problem-code = Ce code ne convient pas. Attendez le suivant, et vérifiez l’heure de votre téléphone.
problem-confirmation = Tapez exactement : { $expected }
problem-has-access = Cette personne a déjà accès.
problem-choose = Veuillez choisir.
problem-choose-person = Choisissez une personne, ou écrivez l’adresse de quelqu’un qui n’est pas encore là.
problem-again-at = L’envoi vient d’avoir lieu. Réessayez { $when }.
problem-last-owner = Il faut garder un propriétaire. Nommez d’abord quelqu’un d’autre.
problem-role-changed = Rien n’a été modifié : { $name } a reçu un autre rôle entre-temps. Vérifiez de nouveau.
