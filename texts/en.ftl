# What the Manager says, in English.
#
# Keys are those of texts/fr.ftl, and a test compares both with the code. Words: organisation, person, mailbox, alias,
# access, device, invitation. No HTML; names come in as facts and are isolated by the program.

## The product, and pieces of sentences

product = Postern Manager
verbatim = { $text }
two-sentences = { $one } { $two }
names-nobody = nobody
names-two = { $one } and { $two }
names-more =
    { $count ->
        [one] { $one }, { $two } and { $count } other
       *[other] { $one }, { $two } and { $count } others
    }

## Times

join-since = since
join-until = until
months-short = Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec
months-long = January February March April May June July August September October November December
moment-just-now = just now
moment-on = on { $day }
moment-soon = in a moment
moment-minutes-ago =
    { $count ->
        [one] { $count } minute ago
       *[other] { $count } minutes ago
    }
moment-hours-ago =
    { $count ->
        [one] { $count } hour ago
       *[other] { $count } hours ago
    }
moment-days-ago =
    { $count ->
        [one] { $count } day ago
       *[other] { $count } days ago
    }
moment-in-minutes =
    { $count ->
        [one] in { $count } minute
       *[other] in { $count } minutes
    }
moment-in-hours =
    { $count ->
        [one] in { $count } hour
       *[other] in { $count } hours
    }
moment-in-days =
    { $count ->
        [one] in { $count } day
       *[other] in { $count } days
    }
octets-b = { $size } B
octets-kb = { $size } kB
octets-mb = { $size } MB
octets-gb = { $size } GB

## Words that stand by themselves

word-actions = Actions
word-address = Address
word-alias = Alias
word-device = Device
word-domain = Domain
word-id = ID
word-language = Language
word-mailbox = Mailbox
word-name = Name
word-never = Never
word-new-password = New password
word-no-end = No end
word-nobody = Nobody
word-none = None
word-or = or
word-organisation = Organisation
word-password = Password
word-person = Person
word-role = Role
word-since = Since
word-token = Token
word-until = Until
word-you = You
word-your-name = Your name

## What one does

act-back = Back
act-cancel = Cancel
act-change = Change
act-continue = Continue
act-copied = Copied
act-copy = Copy
act-copy-what = Copy: { $what }
act-done = Done
act-edit = Edit
act-filter = Show
act-more = More
act-reload = Load the page again
act-save = Save
act-search = Search
act-show = Show
act-sign-in = Sign in

## Around every page

page-refused = Please check:
page-skip = Skip to content
menu-label = Main menu
menu-open = Menu
menu-orgs = Your organisations
menu-switch = Switch to another organisation
menu-you = You
nav-activity = Activity
nav-devices = Devices
nav-domains = Domains
nav-invitations = Invitations
nav-mailboxes = Mailboxes
nav-my-account = My account
nav-my-activity = My activity
nav-my-mailboxes = My mailboxes
nav-overview = Overview
nav-people = People
nav-sessions = Live sessions
nav-settings = Settings
nav-sign-out = Sign out
offline-text = No connection. Nothing was changed. Retrying …
offline-live = Reconnecting … what you see may be a moment old.
outdated-text = What you may see here has changed.
search-everything = Search the organisation
search-label = Search
search-placeholder = Mailbox, person, device, IP address
search-again = Search again
search-title = Results for “{ $query }”
search-hint = Search for a mailbox, an alias, a person, a device or an IP address.
search-nothing = Nothing found for “{ $query }”.
search-invitations = Look among the invitations
search-cut = There is more than is shown here. A longer word finds less.
search-alias-of = alias of { $mailbox }

## Lists

list-clear = Clear filters
list-export = Download as CSV
list-filters = Filters
list-first = Back to the beginning
list-next = Next page
list-nothing-matches = Nothing matches.
list-pages = Pages
list-total =
    { $count ->
        [one] { $count } entry
       *[other] { $count } entries
    }

## Roles and rights

role-owner = Owner
role-owner-hint = May do everything, and decides who else is owner.
role-administrator = Administrator
role-administrator-hint = Manages people, mailboxes, devices and access. Cannot change owners.
role-mailbox-manager = Mailbox manager
role-mailbox-manager-hint = Manages mailboxes, aliases, devices and access.
role-auditor = Auditor
role-auditor-hint = Sees everything, changes nothing.
role-member = Member
role-member-hint = Sees and does only what they are given access to.
right-see-devices = see devices
right-see-devices-hint = Sees which devices use the mailbox, and what happened to it.
right-add-own-devices = add own devices
right-add-own-devices-hint = Adds and disconnects their own telephone or mail program.
right-manage-devices = manage all devices
right-manage-devices-hint = Adds, pauses and disconnects every device, also of others.
right-manage-aliases = manage aliases
right-manage-aliases-hint = Adds and removes further addresses of the mailbox.
right-send-as = send as
right-send-as-hint = Their devices may use this address as sender, on whichever mailbox they are.

## Sign-in

sign-in-title = Sign in
sign-in-address = E-mail address
sign-in-forgot = Forgot your password?
sign-in-help = Trouble signing in?
sign-in-help-address = Use the address that your invitation went to. It may be a private one.
sign-in-help-device = The password of a telephone or mail program does not work here. It belongs to the device only.
sign-in-help-invitation = You have no sign-in yet? Ask someone of your organisation for an invitation.
sign-in-nobody = Nobody owns anything here yet. The first owner comes in by the set-up link, which “postern user set-up-link” prints on the machine.
sign-in-refused = That did not work. Check the address and the password, and try again.
sign-in-throttled = Too many tries. You can try again { $when }.
sign-in-known = You have a sign-in here already. Sign in to accept the invitation.
code-title = Enter your code
code-label = Code
code-hint = The six digits that your authenticator program shows now.
code-recovery-title = Use a recovery code
code-recovery-label = Recovery code
code-recovery-hint = One of the ten codes that you kept. Each works once.
code-use-program = Use the authenticator program instead
code-use-recovery = No access to the program? Use a recovery code
forgot-title = Forgot your password?
forgot-lead = Enter the address that you sign in with. You get a link to choose a new password.
forgot-no-mail = This Postern sends no mail. Ask whoever runs it for a link to choose a new password.
forgot-send = Send the link
forgot-sent-title = Look into your mail
forgot-sent = If { $address } is a sign-in here, a link is on its way. It works for one hour.
forgot-sent-hint = Nothing after a few minutes? Look into the spam folder, and check the address.
forgot-back = Back to sign-in
reset-title = Choose a new password
reset-lead = For { $address }.
reset-save = Set the password
reset-effect = You are signed out everywhere else. The passwords of your devices stay as they are.
reset-gone-title = This link is used up
reset-gone = It was used already, or its hour is over.
reset-again = Send a new link
password-hint = At least 12 characters. Several words in a row are good; any characters will do.
step-up-title = Is it really you?
step-up-lead = { $purpose }: please give your password again.
step-up-why = This keeps others away who find your browser open. It is asked again after ten minutes.
purpose-add-device = To add a device to { $mailbox }
purpose-give-access = To give access to { $mailbox }
purpose-replace-device = To give “{ $device }” a new password
purpose-sign-in-method = To change how you sign in
purpose-give-role = To make somebody owner or administrator
purpose-make-token = To make an API token
purpose-anything = To go on

## Set-up of the first owner

set-up-title = Welcome to Postern
set-up-lead = You are the first here. Name your organisation and choose how you sign in; everything else can wait.
set-up-organisation = Organisation
set-up-organisation-hint = As people know it, such as “Acme”. You can change it later.
set-up-address-hint = Any address of yours. A private one is best: you keep your access when a mailbox here is deleted.
set-up-go = Create organisation
set-up-gone-title = This link is used up
set-up-gone = Somebody has already set up the first organisation with it, or it was replaced by a newer one.
set-up-gone-hint = If that was not you, make a new link on the machine itself:
set-up-command = command for a new link

## Invitations, as the invited person sees them

invited-title = Join { $org }
invited-lead = { $inviter } invites { $address } to { $org }.
invited-mailboxes = Mailboxes
invited-no-mailbox = None yet
invited-open-until = Open until
invited-signed-in = You are signed in as { $name } ({ $address }).
invited-accept = Accept
invited-another = You are signed in as { $address }, but the invitation went to { $invited }.
invited-sign-out = Sign out and continue
invited-have-title = I have a sign-in here
invited-have-hint = Also from another organisation. You will see both, and switch between them.
invited-sign-in = Sign in and accept
invited-new-title = I am new here
invited-create = Accept and sign in
invited-decline = Decline the invitation
decline-title = Decline the invitation?
decline-lead = { $inviter } of { $org } will see that you declined it. The link stops working.
closed-declined-title = You declined
closed-declined = The link no longer works. If that was a mistake, ask for a new invitation.
closed-expired-title = This invitation has expired
closed-expired = It was open until { $when }. Ask { $inviter } for a new one.
closed-unknown-title = There is no such invitation
closed-unknown = Perhaps the link was cut off. Copy it whole from the mail, from https:// to the last letter.
closed-used-title = This invitation has been used
closed-used = This link was used { $when } by { $by }. Not you? Ask { $inviter } for a new one.
closed-withdrawn-title = This invitation was withdrawn
closed-withdrawn = { $inviter } took it back. Ask them if that was a mistake.

## A set-up link, on the device

platform-iphone = It is an iPhone or iPad
platform-mac = It is a Mac
platform-android = It is an Android phone or tablet
platform-other = It is something else
setup-title-iphone = Set up this iPhone or iPad
setup-title-mac = Set up this Mac
setup-title-android = Set up this Android device
setup-title-other = Set up this device
setup-lead = { $by } asks you to set up “{ $device }” for the mailbox { $address }. Open this page on the device itself.
setup-profile = Install the profile
setup-iphone-1 = Tap “Install the profile” above, then “Allow”.
setup-iphone-2 = Open Settings. At the top stands “Profile Downloaded”: tap it.
setup-iphone-3 = Tap “Install” and enter the code of your device.
setup-iphone-4 = Tap “Install” again, then “Done”. The mail is in the app Mail.
setup-mac-1 = Click “Install the profile” above, and allow the download.
setup-mac-2 = Open System Settings, then General, then Device Management.
setup-mac-3 = Double-click the profile and click “Install”.
setup-mac-4 = Enter the password of your Mac. The mail is in Mail.
setup-no-profile = Without a profile
setup-no-profile-hint = You get an address, a password and servers to enter by hand.
setup-password = Show the password
setup-password-hint = The password is made now and shown once. Have the device at hand.
setup-once = You will not see this again. If you did not enter it in time, come back to this link in this browser and start again, or ask { $by } for a new link.
setup-qr = Show a QR code for Thunderbird
setup-qr-hint = The password is in the code. In Thunderbird for Android choose “Import settings”, then “Scan QR code”. Other camera apps show it to whoever looks on.
setup-device = Device
setup-org = Organisation
setup-by = Sent by
setup-until = Works until
setup-another = Another device
setup-another-hint = The link works once. Open it on the device that is to be set up.
setup-again-title = You opened this link
setup-again = The password for “{ $device }” was made in this browser. If it was not entered, start again: you get a new one, and the one before is dead at once.
setup-again-fetched = The profile for “{ $device }” was downloaded in this browser. If it was not installed, start again: you get a new one, and the one before is dead at once.
setup-again-do = Make a new password
setup-over = “{ $device }” cannot be set up by this link again. Ask { $by } for a new one.
setup-done-title = All set
setup-done = “{ $device }” has signed in. There is nothing more to do here.
setup-taken-title = This link was opened already
setup-taken = It was opened { $when }, and a link works once. Not you? Tell { $by }, and ask for a new one.
setup-taken-mine = It was you, in this browser?
setup-taken-look = Look again
setup-expired-title = This link has expired
setup-expired = It worked until { $when }. Ask { $by } for a new one.
setup-withdrawn-title = This link does not work any more
setup-withdrawn = { $by } took it back or sent a newer one. Look for a newer mail, or ask for a new link.
setup-off-title = This device is switched off
setup-off = The device or its mailbox was disconnected or switched off. Ask { $by }.
setup-unknown-title = There is no such link
setup-unknown = Perhaps it was cut off. Copy it whole, from https:// to the last letter, or ask whoever sent it for a new one.
profile-title = Mail: { $address }
profile-text = Sets up the mail account { $address } as “{ $device }”. Remove it to remove the account.
profile-consent = This adds the mail account { $address } with a password of its own to this device. { $by } sent you the link. Whoever looks after the mailbox can disconnect this device at any time.

## Overview

overview-todo = To do
overview-nothing-to-do = Nothing waits for you.
overview-latest = Latest activity
overview-all-activity = All activity
figure-count = { $count }
figure-sessions = Connected now
figure-unused =
    { $count ->
        [one] { $count } never used
       *[other] { $count } never used
    }
figure-stale =
    { $count ->
        [one] { $count } silent for 90 days
       *[other] { $count } silent for 90 days
    }
figure-invited =
    { $count ->
        [one] { $count } open invitation
       *[other] { $count } open invitations
    }
steps-title = First steps
steps-done = done
steps-go = Start
steps-domain = Connect your mail domain
steps-domain-hint = The part behind the @ of your addresses.
steps-mailbox = Create a mailbox
steps-mailbox-hint = An address that keeps mail. It has no password of its own.
steps-device = Add your first device
steps-device-hint = Each telephone and mail program gets its own password, which you can end at any time.
steps-owner = Invite a second owner
steps-owner-hint = So that nobody is locked out when one of you is away.
todo-unread-mailboxes =
    { $count ->
        [one] Nobody reads { $count } mailbox
       *[other] Nobody reads { $count } mailboxes
    }
todo-unused-devices =
    { $count ->
        [one] { $count } device was added and never used
       *[other] { $count } devices were added and never used
    }
todo-stale-devices =
    { $count ->
        [one] { $count } device has been silent for 90 days
       *[other] { $count } devices have been silent for 90 days
    }
todo-knocking =
    { $count ->
        [one] { $count } old password is still tried
       *[other] { $count } old passwords are still tried
    }
todo-imported-devices =
    { $count ->
        [one] { $count } imported password should be replaced
       *[other] { $count } imported passwords should be replaced
    }
todo-undelivered =
    { $count ->
        [one] { $count } invitation could not be delivered
       *[other] { $count } invitations could not be delivered
    }
todo-one-owner = There is only one owner. Invite a second one.
todo-without-own-code = You sign in without a code. Set one up
todo-without-code =
    { $count ->
        [one] { $count } administrator signs in without a code
       *[other] { $count } administrators sign in without a code
    }

## Mailboxes

mailboxes-empty = No mailboxes yet. Create the first one.
mailboxes-no-domain = No mailboxes yet. Connect a domain first.
mailboxes-find = Find a mailbox
mailbox-new = New mailbox
mailbox-new-store = Mail itself stays on your mail server, where this address has to exist as well: Postern lets people in, and keeps no mail.
mailbox-new-title = New mailbox
mailbox-new-lead = A mailbox is an address that keeps mail. It has no password: people get access, devices get passwords.
mailbox-create = Create mailbox
mailbox-created = { $address } exists. Nobody can read it yet.
mailbox-created-hint = Creating an address creates no user and no password. How shall it be used?
mailbox-way-person = Give a person access
mailbox-way-person-hint = They sign in here with their own address and add their own devices.
mailbox-way-device = Add a device
mailbox-way-device-hint = A password for Outlook, an iPhone, a printer or a CRM. It needs no user.
mailbox-way-both = Both
mailbox-way-both-hint = First the person, then a device.
mailbox-way-later = Later
mailbox-another = Create another mailbox
mailbox-tabs = Parts of this mailbox
mailbox-people = People
mailbox-aliases = Aliases
mailbox-active = Active
mailbox-unread = Nobody reads it
mailbox-suspended = Suspended
mailbox-suspended-text = This mailbox is suspended: no device can sign in. Mail still arrives in it.
mailbox-more-people =
    { $count ->
        [one] and { $count } more
       *[other] and { $count } more
    }
mailbox-silent = silent for 90 days
mailbox-people-lead = People with access sign in here with their own address. The mailbox itself has no password.
mailbox-people-empty = Nobody has access to { $address }.
mailbox-people-empty-hint = Devices that belong to nobody, such as a CRM, work without.
mailbox-invited = invited, not here yet (open until { $when })
mailbox-devices-empty = No device can read or send as { $address }.
mailbox-devices-own = You see your own devices only.
mailbox-suspend = Suspend mailbox
mailbox-resume = Resume mailbox
mailbox-revoke-all = Disconnect all devices
mailbox-delete = Delete mailbox
aliases-empty = { $address } has no further addresses.
alias-new = Add alias
alias-new-store = Your mail server has to deliver it there: Postern keeps no mail.
alias-new-title = New alias
alias-new-lead = A further address whose mail arrives in { $address }.
alias-hint = An alias is another name of the mailbox. It may be used as sender; nobody can sign in with it.
alias-text = { $alias } delivers into { $mailbox }. Devices sign in as { $mailbox }.
alias-text-sender = It has no password, no people and no devices of its own. Devices of the mailbox may send with it.
alias-device = Add a device to { $mailbox }
alias-remove = Remove alias
alias-remove-question = Remove { $alias }?

## Access

access-give = Give access
access-lead = To { $mailbox }. The person signs in with their own address and never learns another password.
access-choose = Choose a person
access-invite = Somebody who is not here yet
access-invite-hint = They get an invitation by mail, and the access when they accept it.
access-rights = Rights
access-ends = Last day
access-ends-hint = Leave it empty for access without an end.
access-title = { $name } on { $mailbox }
access-withdraw = Withdraw access
withdraw-question = Withdraw the access of { $name } to { $mailbox }?
withdraw-lead = This happens at once:

## Questions before something ends

confirm-stays = This stays as it is
confirm-type = Type { $text } to confirm
ends-sight = { $name } no longer sees { $mailbox } in the Manager.
ends-device =
    { $count ->
        [0] “{ $device }” is disconnected.
        [one] “{ $device }” is disconnected, and its connection ends.
       *[other] “{ $device }” is disconnected, and its { $count } connections end.
    }
ends-device-of =
    { $count ->
        [0] “{ $device }” on { $mailbox } is disconnected.
        [one] “{ $device }” on { $mailbox } is disconnected, and its connection ends.
       *[other] “{ $device }” on { $mailbox } is disconnected, and its { $count } connections end.
    }
ends-devices =
    { $count ->
        [one] { $count } device is disconnected.
       *[other] { $count } devices are disconnected.
    }
ends-membership = { $name } is no longer a member of { $org }.
ends-sending =
    { $count ->
        [one] Sending from “{ $device }” stops now. { $count } message in the last 7 days.
       *[other] Sending from “{ $device }” stops now. { $count } messages in the last 7 days.
    }
ends-last-device = It is the last device: nothing can then read or send as { $mailbox }.
ends-use = “{ $device }” can neither receive nor send.
ends-sessions =
    { $count ->
        [one] { $count } connection ends.
       *[other] { $count } connections end.
    }
ends-logins =
    { $count ->
        [0] No device can sign in.
        [one] { $count } device can no longer sign in.
       *[other] { $count } devices can no longer sign in.
    }
ends-alias = The alias { $alias } is removed.
ends-accesses = Nobody has access to { $mailbox } any more.
ends-sender = { $alias } can no longer be used as sender from { $mailbox }.
ends-link = The link in the mail stops working.
ends-session = The connection to { $mailbox } ends.
ends-token = Programs that use it are refused from now on.
ends-domain = No mailbox can be created in { $domain } any more.
ends-console-sessions =
    { $count ->
        [one] { $count } other browser is signed out.
       *[other] { $count } other browsers are signed out.
    }
ends-code = Signing in asks for the password alone.
ends-recovery-codes = Your present recovery codes stop working.
ends-old-password = The old password stops working.
ends-more =
    { $count ->
        [one] And { $count } more.
       *[other] And { $count } more.
    }
ends-narrowed = “{ $device }” on { $mailbox } may no longer send as these addresses: its connections end, and it may connect again.
ends-invitation = The invitation to { $address }, which they sent, is withdrawn.
ends-their-sessions = Wherever { $name } is signed in, this is gone at once.
ends-their-tokens =
    { $count ->
        [one] { $count } API token of { $name } stops working.
       *[other] { $count } API tokens of { $name } stop working.
    }
stays-granted = What { $name } was given access to, with their devices there.
stays-others = Devices that belong to nobody or to other people.
stays-user = { $name } keeps their sign-in, and other organisations.
stays-unread = { $mailbox }, but nobody will have access to it.
stays-mail = All mail in the mailbox.
stays-other-devices = All other devices of { $mailbox }.
stays-password = The password: after “Resume” it works again.
stays-passwords = All passwords: after “Resume” they work again. Mail still arrives.
stays-stored-mail = The mail in the mail store. Removing it is the mail server’s part.
stays-delivery = Whether mail to { $alias } still arrives: that is set in the mail server.
stays-reconnects = The device and its password. Most programs connect again by themselves; to keep it out, pause the device.
stays-this-session = This browser.
stays-my-devices = Your devices. They have passwords of their own.
stays-settings = Name, settings and history of the device.
remove-question = Remove { $name } from { $org }?
remove-button = Remove { $name }
disconnect-question = Disconnect “{ $device }”?
disconnect-button = Disconnect “{ $device }”
disconnect-lead = At once, and for good: its password never works again. To use the device again, add it again.
pause-question = Pause “{ $device }”?
revoke-all-question = Disconnect all devices of { $mailbox }?
revoke-all-lead = At once, and for good. Each device needs a new password afterwards.
revoke-all-button =
    { $count ->
        [one] Disconnect { $count } device
       *[other] Disconnect { $count } devices
    }
suspend-question = Suspend { $mailbox }?
delete-question = Delete { $mailbox }?
delete-button = Delete { $mailbox }
invitation-withdraw-question = Withdraw the invitation of { $address }?
session-end-question = End the connection of “{ $device }”?
token-revoke-question = Revoke the token “{ $name }”?
domain-remove-question = Remove { $domain }?
everywhere-question = Sign out everywhere else?
code-off-question = Sign in without a code?
codes-new-question = Make new recovery codes?
replace-question = Give “{ $device }” a new password?
replace-lead = It is shown once. Enter it in the device right away.

## People

people-empty = Only you so far. Invite someone; they get only what you choose.
people-find = Find a person
person-all-mailboxes = Sees all, uses none
person-no-mailbox = Can sign in here, sees no mailbox yet
person-sign-in = Sign-in
person-with-code = Password and code
person-without-code = Password only
person-seen = Last here
person-since = Member since
person-accesses = Access
person-all-access = { $name } sees all mailboxes by role, and uses none. To read mail, one needs a device.
person-no-access = { $name } can sign in here, and sees no mailbox yet. Give access on the page of a mailbox.
person-no-device = { $name } has no device.
person-leaving-title = When they leave
person-leaving =
    { $accesses ->
        [0] { $name } has no access that would end.
        [one] { $name } loses access to { $accesses } mailbox.
       *[other] { $name } loses access to { $accesses } mailboxes.
    } { $devices ->
        [0] No device is disconnected.
        [one] { $devices } device is disconnected.
       *[other] { $devices } devices are disconnected.
    }
person-leaving-unread =
    { $count ->
        [one] { $count } mailbox is left without any person.
       *[other] { $count } mailboxes are left without any person.
    }
person-leaving-stays = Devices that belong to nobody or to other people stay.
person-remove = Remove from the organisation
person-role-title = Role of { $name }
role-lower-question = Change the role of { $name }?
role-lower-lead = As { $role }, { $name } no longer reaches every mailbox. Their devices on mailboxes without access of their own end at once:
role-lower-button = Change the role

## Invitations

invitations-empty = No open invitations.
invitations-find = Find an invitation
invitation-new = Invite someone
invitation-new-lead = They accept with a sign-in of their own, and get only what you choose here.
invitation-address = E-mail address
invitation-address-hint = Any address, private ones too. Nobody learns from this whether it is known here.
invitation-own-domain = If this mailbox is deleted, they lose this sign-in. Use a private address?
invitation-mailboxes = Access to mailboxes
invitation-mailboxes-hint = None is fine: access can be given later.
invitation-language = Language of the mail
invitation-send = Send invitation
invitation-link-only = Only make a link
invitation-no-mail = This Postern cannot send mail yet, so pass the link on yourself.
invitation-by = Invited by
invitation-over = over
invitation-accepted = Accepted
invitation-bounced = Not delivered
invitation-declined = Declined
invitation-expired = Expired
invitation-opened = Opened
invitation-sent = Sent
invitation-unsent = Not sent
invitation-unsent-text = No mail with this invitation went out. Pass its link on, or send it again below.
invitation-waiting = Being sent
invitation-withdrawn = Withdrawn
invitation-link-title = The link
invitation-link-what = the link
invitation-link-hint = You will not see this again. Give it to { $address } only: whoever has it can accept. It works once.
invitation-bounce = The mail could not be delivered. The mail server said: { $answer }
invitation-trouble = The mail could not be delivered yet; it is tried again. The mail server said: { $answer }
invitation-again-title = Did it not arrive?
invitation-again-hint = A new link is made, and the invitation stays open for another week. Links that you sent before go on working until then, unless they have run out.
invitation-again-at = It can be sent again { $when }.
invitation-again = Send again
invitation-new-link = Make a new link
invitation-withdraw = Withdraw invitation

## Devices

kind-iphone = iPhone or iPad
kind-android = Android phone
kind-outlook = Outlook
kind-apple-mail = Apple Mail on a Mac
kind-thunderbird = Thunderbird
kind-printer = Printer or scanner
kind-app = CRM or app
kind-other = Something else
scopes-both = Receive and send
scopes-receive = Receive
scopes-send = Send
scopes-none = Nothing
protocol-imap = receives (IMAP)
protocol-smtp = sends (SMTP)
devices-empty = No devices yet. A device is a password for one mailbox: choose the mailbox first.
devices-choose-mailbox = Choose a mailbox
devices-find = Find a device
filter-ends-soon = Ends within 14 days
filter-knocking = Old password still tries
filter-open = Open
filter-silent = Silent for 90 days
device-name = Name
device-name-hint = So that you know it again when it is lost.
device-person = Belongs to
device-nobody = Nobody
device-nobody-choice = Nobody: a machine or program
device-scopes = Allowed to
device-used = Last sign-in
device-first-used = First sign-in
device-never-used = Never used
device-state = State
device-state-active = Active
device-state-connected =
    { $count ->
        [one] Connected
       *[other] Connected × { $count }
    }
device-state-disconnected = Disconnected
device-state-expired = Expired
device-state-never = Never used
device-state-paused = Paused
device-ends = ends { $when }
device-imported = Imported: replace
device-imported-text = This password was imported, so others may know it. Replace it with one that Postern makes.
device-knocks =
    { $count ->
        [one] old password still tries, { $when }
       *[other] old password still tries (× { $count }, last { $when })
    }
device-old-password =
    { $count ->
        [one] An old password of this device was tried { $last }, from { $from } by { $protocol }. It does no harm; enter the new one there, or remove the account.
       *[other] An old password of this device still tries since { $since }: { $count } times, last { $last } from { $from } by { $protocol }. It does no harm; enter the new one there, or remove the account.
    }
device-gone-password =
    { $count ->
        [one] The password of this device was tried { $last }, from { $from } by { $protocol }. It does no harm; remove the account there, or add the device again.
       *[other] The password of this device still tries since { $since }: { $count } times, last { $last } from { $from } by { $protocol }. It does no harm; remove the account there, or add the device again.
    }
device-add = Add a device
device-add-again = Add it again
device-add-lead = To { $mailbox }. It gets a password of its own, which works nowhere else.
device-of-alias = { $alias } is another name of { $mailbox }. Adding the device to { $mailbox }.
device-what = What is it?
device-make = Continue
device-make-hint = What the device needs is shown on the next page, once.

## A set-up link, for whoever sends it

link-how = How does the device get its password?
link-how-scan = Scan a code
link-how-scan-hint = The device’s camera reads it, and a profile sets everything up.
link-how-show = Show the password here
link-how-show-hint = You enter it in the device.
link-how-mail = Send a set-up link by mail
link-how-mail-hint = You do not see the password. Write the address below.
link-how-link = Copy a set-up link
link-how-link-hint = Hand it over yourself. Whoever opens it first gets the password.
link-mail-to = Where the link goes by mail
link-to = Mail address
link-language = Language of the mail
link-word = Set-up link
link-title = Set-up link of “{ $device }”
link-scan-title = Set up “{ $device }”
link-scan = Scan this with the device
link-scan-hint = Open the camera on the iPhone or iPad and hold it over the code. On a Mac, open the link below.
link-qr-label = QR code with the set-up link
link-what = Set-up link
link-copy = Copy the link
link-no-scan = Can’t scan? Show the password instead
link-hint = The link works once, for a day. This page shows it only now; the password is made when it is opened.
link-none = This device never had one.
link-from = Opened from
link-look = Look at the link
link-withdraw = Withdraw the link
link-withdraw-hint = Then it gives nothing any more. A password that it gave goes on working: to end that, disconnect the device.
link-again = Send again
link-again-hint = A new link; the one before is dead at once. A password in use works until the new link is opened.
link-mail = Send by mail
link-mail-word = Mail
link-mail-failed = Not delivered
link-mail-sent = Taken by the mail server
link-mail-unsent = No mail sent
link-mail-unsent-text = No mail with this link went out. Send it again below.
link-mail-waiting = Being sent
link-mail-withdrawn = Not sent any more
link-show-code = Show a code to scan
link-state-sent = Link sent
link-state-opened = Link opened
link-state-fetched = Profile downloaded
link-state-signed-in = Signed in
link-state-withdrawn = Link withdrawn
link-state-expired = Link expired
device-more-hint = scope, end, networks
device-about = About this device
device-added = Added
device-replaced = New password
device-expires = Ends
device-networks = Networks
device-networks-hint = Addresses or networks that it may sign in from, with commas. Leave it empty for anywhere.
device-anywhere = From anywhere
device-senders = May also send as
device-history = History
device-no-session = It is not connected right now.
device-pause = Pause
device-resume = Resume
device-replace = New password
device-disconnect = Disconnect
device-was-disconnected = Disconnected { $when }. Its password never works again.
device-is-paused = Paused { $when }. After “Resume” the same password works again.
device-has-expired = Its time ended { $when }. Set a later end to use it again.
device-edit-title = Change “{ $device }”
device-edit-hint = What is taken away ends its connections at once; what is added works at its next sign-in.
usual-iphone = { $name }’s iPhone
usual-android = { $name }’s Android phone
usual-outlook = { $name }’s Outlook
usual-apple-mail = { $name }’s Mac
usual-thunderbird = { $name }’s Thunderbird
usual-printer = Printer
usual-app = CRM
expires-days =
    { $count ->
        [one] In { $count } day
       *[other] In { $count } days
    }
expires-on = On a certain day
expires-day = Last day

## The password, once

password-title = “{ $device }” is ready to connect
password-new-title = New password for “{ $device }”
password-type = Enter this in the device
password-address = Address
password-once = You will not see this again. You never need to write it down: add the device again any time.
password-read = Read it to me
password-read-hint = Letter by letter, for the telephone. Dashes can be left out.
password-servers = Server settings
password-qr = Show the code
password-qr-label = QR code with the account and its password
password-gone-title = The password was shown already
password-gone = “{ $device }” was added, and its password cannot be shown again. If you did not enter it, make a new one.
password-gone-device = To the device
server-imap = Incoming mail (IMAP)
server-smtp = Outgoing mail (SMTP)
server-user = User name
first-title = First sign-in
first-hint = You can close this page. The device’s own page shows the same.
first-waiting = Not seen yet. Waiting for the first sign-in …
first-silent = The device has not reached us. Check server { $host }, port { $port }.
first-wrong-password = Tried with a wrong password ({ $when }, from { $from }). Enter it once more.
first-wrong-name = It signed in as “{ $given }”. Enter the full address { $address }.
first-certificate = A device in your network did not accept the certificate ({ $when }). Check the name of the server in the device: { $host }.
first-wrong-password-elsewhere = Somebody tried with a wrong password from elsewhere ({ $when }). If it was this device, enter it once more.
first-somebody-unencrypted = Somebody tried without encryption ({ $when }, from { $from }). If it was this device, turn on SSL/TLS in it.
first-unencrypted-near = Somebody tried without encryption ({ $when }). If it was this device, turn on SSL/TLS in it.
first-too-many-near = There were too many connections ({ $when }). Wait a little, or close other mail programs.
first-unencrypted = It tried without encryption ({ $when }, from { $from }): turn on SSL/TLS in the device.
first-connected = Connected
first-receiving = Receiving works
first-not-received = Has not received yet
first-sending = Sending works
first-not-sent = Has not sent yet
password-steps = Step by step
first-old-password = It still uses its old password ({ $when }, from { $from }). Enter the new one.
first-other-name = It signed in with another name. Enter the full address { $address } as the user name.
first-exposed = Its password went over the network in clear. Make a new one when encryption is turned on.
first-may-not-receive = It tried to receive mail ({ $when }), but may only send. Turn off receiving in the device, or allow it on the page of the device.
first-may-not-send = It tried to send mail ({ $when }), but may only receive. Turn off sending in the device, or allow it on the page of the device.
first-wrong-network = Its password is right, but it may not sign in from { $from } ({ $when }). Use one of its networks, or change them on the page of the device.
first-mail-store = Its password is right, but the mail server behind us did not let it in ({ $when }). Nothing is wrong with the device: leave it as it is, and tell whoever looks after the mail server.
first-suspended = Its password is right, but the mailbox is suspended ({ $when }). Nobody can sign in until it is resumed.
first-too-many = There were too many connections ({ $when }, from { $from }). Wait a little, or close other mail programs.
first-paused = The device is paused and cannot sign in. Resume it on its page.
first-expired = The device has expired and cannot sign in. Set another end on its page.
password-qr-hint = Scan it inside the Thunderbird app. The phone’s camera would show the password instead. The code hides itself after a minute.
password-print = Print
server-port-title = Port
server-security = Encryption
form-password = the password above
form-title = Settings of a copier
form-hint = Choose the maker. The fields are in the order and with the words of its own menu; models differ a little.
steps-iphone-open = Open Settings > Apps > Mail > Mail Accounts (before iOS 18: Settings > Mail > Accounts) and press Add Account.
steps-iphone-other = Press Other, then Add Mail Account.
steps-iphone-account = Enter your name, the address and the password from this page, and press Next.
steps-iphone-servers = Keep IMAP chosen. Enter host name, user name and password from this page, both under Incoming and under Outgoing Mail Server.
steps-iphone-save = Press Next, then Save.
steps-android-app = Install the Thunderbird app and open it.
steps-android-import = In the app, press Import settings, then Scan QR code.
steps-android-scan = Press “Show the code” here and scan it inside the app.
steps-android-other = With another app, such as Gmail: add an account of the kind Other (IMAP), and copy the fields below.
steps-outlook-open = In Outlook, open File > Add Account; in the new Outlook, Settings > Accounts > Add account.
steps-outlook-address = Enter the address and press Connect or Continue.
steps-outlook-password = Paste the password.
steps-outlook-advanced = If Outlook does not find the account: open Advanced options, choose IMAP, and copy the servers below.
steps-apple-mail-open = In Mail, open Mail > Add Account, and choose Other Mail Account.
steps-apple-mail-account = Enter your name, the address and the password from this page, and press Sign In.
steps-apple-mail-servers = If Mail asks for more: the user name is the address, the account type is IMAP, and the servers are below.
steps-thunderbird-open = In Thunderbird, open the menu and choose New Account > Email.
steps-thunderbird-address = Enter your name and the address, and press Continue.
steps-thunderbird-password = Paste the password.
steps-thunderbird-done = Thunderbird finds the servers by itself. Press Done.
steps-printer-open = Open the web page of the printer or scanner, by its address in the network, and sign in there as its administrator.
steps-printer-form = Open its settings for sending mail, and enter the fields below. The user name is the full address.
steps-printer-save = Save, and scan a page to your own address.
steps-app-open = Open the mail settings of the program, as its administrator.
steps-app-kind = Choose IMAP and SMTP, or Other; neither Google nor Microsoft.
steps-app-fields = Copy the fields below. The user name is the full address, for both servers.
steps-other-open = Open the account settings of the program, and choose IMAP where it asks.
steps-other-fields = Enter the address and the password; where it asks for servers, copy the fields below.
trial-title = Test message
trial-hint = We sign in as this device, from the server itself, and send a message to { $address }. It does not count as a sign-in of the device.
trial-networks = The device may sign in from its own networks only. The test comes from the address of the server, and is refused unless that is among them.
trial-send = Send a test message
trial-too-soon = There were several tests just now. Wait a minute.
trial-other-password = The password on this page is no longer the one of the device, so nothing was sent. Look at the page of the device.
trial-sent = Sent to { $address }. Look whether it has arrived.
trial-untrusted = This server does not know the issuer of its own certificate. Devices that do not know it either will refuse it.
trial-connection = Connection
trial-tls = Encryption
trial-sign-in = Sign-in
trial-sender = Sender
trial-recipient = Recipient
trial-message = Message taken
trial-advice-connection = Our own server for outgoing mail does not answer. Whoever runs it finds the cause in its log.
trial-advice-tls = The certificate is not right for { $host }: devices will refuse it too. Whoever runs this server must renew it or add the name.
trial-advice-network = The address of this server is not among the networks of the device. The device itself can still work from its own place.
trial-advice-sign-in = The password on this page is no longer the one of the device, or the device may not send. Look at the page of the device.
trial-advice-sender = The device may not send as { $address }. Look at its senders, and at what the mail server allows.
trial-advice-recipient = The mail server does not take mail for { $address }. Sending to others can still work.
trial-advice-later = Nothing is wrong with the device. Try again in a few minutes.
trial-mail-subject = Test message of “{ $device }”
trial-mail-text = This message was sent from { $address } by Postern, signed in as the device “{ $device }”, because { $person } asked for a test. Sending works. Nothing needs to be done.
letter-b = bravo
letter-c = charlie
letter-d = delta
letter-f = foxtrot
letter-g = golf
letter-h = hotel
letter-j = juliett
letter-k = kilo
letter-m = mike
letter-n = november
letter-p = papa
letter-q = quebec
letter-r = romeo
letter-s = sierra
letter-t = tango
letter-v = victor
letter-w = whiskey
letter-x = x-ray
letter-y = yankee
letter-z = zulu

## Live sessions

sessions-lead = Mail programs that are connected at this moment.
sessions-find = Find a session
sessions-pause = Pause updates
sessions-empty = Nobody is connected right now.
sessions-last = Last: { $device }, { $when }.
session-connected = Connected
session-since = connected { $when }
session-is-over = This connection has ended already.
session-doing = Does
session-from = From
session-octets = Moved
session-end = End

## Activity

activity-lead = Who did what, when and from where. Nothing can be changed here, not even by owners.
activity-empty = Nothing has happened yet.
activity-find = Word
activity-about = About
activity-since = From
about-everything = Everything
about-devices = Devices
about-mailboxes = Mailboxes
about-aliases = Aliases
about-access = Access
about-people = People
about-invitations = Invitations
about-sign-ins = Sign-ins
activity-export-json = Download as JSON lines
activity-one-title = Entry { $number }
activity-when = When
activity-behalf = in the name of { $name }
activity-behalf-label = In the name of
activity-action = Action
activity-subject = On
activity-hash = Hash
activity-no-hash = From before entries were chained
my-activity-lead = What you did, and what programs did in your name. What was done to a mailbox is told on the page of the mailbox.
who-cli = { $name } on the server
who-daemon = Postern
who-stranger = Somebody who was not signed in
who-gone = Somebody who has left
who-token = The program “{ $name }”
origin-local = on the server
deed-alias-create = added the alias { $subject } of { $mailbox }
deed-alias-delete = removed the alias { $subject } of { $mailbox }
deed-device-add = added the device “{ $device }” to { $mailbox }
deed-device-edit = changed the device “{ $device }” of { $mailbox }
deed-device-import = imported the device “{ $device }” of { $mailbox }
deed-device-link-fetch = downloaded the profile of “{ $device }” for { $mailbox } by a set-up link
deed-device-link-open = opened the set-up link of “{ $device }” for { $mailbox }
deed-device-link-send = made a set-up link of “{ $device }” for { $mailbox }
deed-device-link-withdraw = withdrew the set-up link of “{ $device }” for { $mailbox }
deed-device-pause = paused the device “{ $device }” of { $mailbox }
deed-device-replace = gave the device “{ $device }” of { $mailbox } a new password
deed-device-resume = resumed the device “{ $device }” of { $mailbox }
deed-device-revoke = disconnected the device “{ $device }” of { $mailbox }
deed-domain-create = connected the domain { $subject }
deed-domain-delete = removed the domain { $subject }
deed-grant-change = changed what { $name } may do with { $mailbox }
deed-grant-give = gave { $name } access to { $mailbox }
deed-grant-give-own = got access to { $mailbox } with the invitation
deed-grant-withdraw = withdrew the access of { $name } to { $mailbox }
deed-invitation-accept = accepted the invitation
deed-invitation-create = invited { $subject }
deed-invitation-decline = declined the invitation
deed-invitation-renew = renewed the invitation of { $subject }
deed-invitation-withdraw = withdrew the invitation of { $subject }
deed-key-rotate = added a server key
deed-mail-withdraw = withdrew a mail that waited ({ $subject })
deed-mailbox-create = created the mailbox { $subject }
deed-mailbox-delete = deleted the mailbox { $subject }
deed-mailbox-resume = resumed the mailbox { $subject }
deed-mailbox-secret-remove = removed the mail store’s password of { $subject }
deed-mailbox-secret-set = set the mail store’s password of { $subject }
deed-mailbox-suspend = suspended the mailbox { $subject }
deed-member-add = added { $name } to the organisation ({ $role })
deed-member-add-own = joined the organisation ({ $role })
deed-member-remove = removed { $name } from the organisation
deed-member-role = changed the role of { $name }: { $was } → { $role }
deed-org-create = created the organisation { $subject }
deed-org-delete = deleted the organisation { $subject }
deed-org-notices = changed which notices are sent by mail
deed-org-rename = renamed the organisation to { $subject }
deed-session-end = ended a connection of { $mailbox }
deed-setup-link = made a link for the first owner
deed-token-create = made the token “{ $name }”
deed-token-revoke = revoked the token “{ $name }”
deed-user-address-ask = asked for another sign-in address
deed-user-code-remove = turned off the code at sign-in
deed-user-code-set = set up the code at sign-in
deed-user-create = signed up
deed-user-delete = deleted the sign-in of { $name }
deed-user-edit = changed name, address or language
deed-user-password = changed the password
deed-user-recovery-renew = made new recovery codes
deed-user-recovery-use = used a recovery code
deed-user-reset-link = asked for a link to reset the password
deed-user-reset-use = set a new password by mail
deed-user-signin = signed in
deed-user-signin-refused = gave a wrong password or code
deed-user-signout = signed out
deed-user-signout-all = signed out everywhere
deed-other = did { $action } on { $subject }

## Domains

domains-lead = Mailboxes live in the mail domains of your organisation.
domains-empty = No domain yet. Connect the one behind the @ of your addresses.
domain-connect = Connect domain
domain-connect-hint = The part behind the @. Nothing changes for your mail: this only lets you create mailboxes in it.
domain-remove = Remove domain
domain-mailboxes =
    { $count ->
        [0] No mailbox
        [one] { $count } mailbox
       *[other] { $count } mailboxes
    }
domain-check = Check now
domain-check-of = Check now: the DNS records of { $domain }
domain-checked = Checked { $when }
domain-unchecked = The DNS was not asked yet.
domain-right = All there
domain-problems =
    { $count ->
        [one] { $count } thing to do
       *[other] { $count } things to do
    }
domain-records = DNS records for mail programs
domain-records-hint = Whoever looks after the DNS of this domain adds them once. Mail programs then find their settings from the address alone.
record-purpose = For
record-name = Record
record-value = Value
record-optional = Optional
record-right = Found
record-other = Differs
record-missing = Missing
record-unanswered = No answer
record-unknown = Not checked
record-found = found: { $value }
record-autoconfig = Thunderbird and many others
record-autodiscover = Outlook
record-autodiscover-server = Outlook, another way
record-receive = Receiving mail
record-receive-starttls = Receiving mail, STARTTLS
record-send = Sending mail
record-send-starttls = Sending mail, STARTTLS
record-pop3 = Says that there is no POP3
record-pacc = New mail programs (PACC)
record-pacc-digest = Checksum for PACC
domain-servers = Servers and certificates
domain-servers-hint = Each of these names needs an address, and a certificate that covers it.
server-name = Name
server-address = Address
server-by-record = See its record
server-certificate = Certificate
server-no-address = No address
certificate-until = Valid until { $day }
certificate-ended = Ended { $day }
certificate-none = None for this name
certificate-proxy = At the reverse proxy
certificate-development = For development only
domain-zone = All records as a zone file
domain-zone-hint = For name servers, and for DNS providers that can import records.
records-no-manager = The Manager is switched off, so nobody serves settings to mail programs.
records-manager-unnamed = No other machine can be led to { $value }, so there are no records for settings. The operator gives the Manager a host name.
records-manager-port = Mail programs ask for settings on port 443, and the Manager has port { $value }. The operator lets port 443 lead to it too.
records-server-unnamed = { $value } is not a full host name, so no record can lead to it. The operator sets another one.
records-too-long = { $value } is longer than a name in the DNS can be, so it is left out.

## Settings and tokens

notices-title = Notices by mail
notices-lead = What people are told of devices, in their own language.
notices-on = Notices that are sent
notice-device-added = New device or new device password
notice-device-added-hint = To whoever has access to the mailbox, and to whoever gave the password. Also the first sign-in of a new device, where it comes from another network than that of whoever gave the password.
notice-device-network = Sign-in from a new network
notice-device-network-hint = When a device signs in from a network that it was not known from. With the way to pause or disconnect it.
notice-device-unused = Device not used for 90 days
notice-device-unused-hint = Once, until the device is used again. It goes on working.
notice-is-on = sent
notice-is-off = not sent
notices-who = Sign-ins and unused devices are told to the person whom the device belongs to; otherwise to whoever may see the mailbox’s devices; otherwise to owners and administrators. About one device there is one mail an hour at most: what happens meanwhile comes together afterwards.
notices-always = Always sent: invitations, links for a new password, changes of somebody’s sign-in or access, new API tokens, and new device passwords of a mailbox to whoever signs in here with its address.
tokens-title = API tokens
tokens-lead = For programs that manage mailboxes and devices.
tokens-api = Description of the API
tokens-empty = No tokens.
token-new = New token
token-name-hint = What will use it.
token-owner = Of
token-may = Allowed to
token-used = Last used
token-read = Read
token-read-hint = Sees, and changes nothing.
token-write = Read and change
token-write-hint = Everything that the role above may do.
token-make = Make token
token-revoke = Revoke
token-shown-title = Token “{ $name }”
token-once = You will not see this again. Put it where the program reads its secrets.
token-address = Address of the API
token-header = Header

## One’s own mailboxes and account

me-empty = You can sign in here, and see no mailbox yet.
me-empty-hint = Somebody who manages the mailboxes of your organisation can give you access.
me-no-device = None of your devices uses it yet.
me-others =
    { $count ->
        [one] { $count } device that is not yours
       *[other] { $count } devices that are not yours
    }
lost-button = Lost a device?
lost-title = Which device is lost?
lost-lead = It is paused at once: nobody can read your mail with it. When it turns up, resume it.
lost-empty = None of your devices can sign in now.
lost-this = I lost this one
lost-hint = Were you signed in here on it? Sign out everywhere else as well, on “My account”.
account-about = About you
account-own-domain = You sign in with an address of your organisation. If that mailbox is deleted, you lose this sign-in.
account-address-asked = { $address } waits to be confirmed: open the link in the mail there. It works until { $when }.
account-theme = Colours
theme-system = As the system
theme-light = Light
theme-dark = Dark
account-code = Code from an authenticator program
account-code-on = on: whoever signs in as you needs it too
account-code-off = off: whoever knows your password can sign in
account-codes-left =
    { $count ->
        [0] none left
        [one] { $count } left
       *[other] { $count } left
    }
account-sessions = Where you are signed in
account-everywhere = Sign out everywhere else
account-this-session = This browser
account-session-used = used { $when }
account-session-since = signed in { $when }
password-change-title = Change your password
address-change-title = Change your sign-in address
address-change-effect = A mail with a link goes to the new address. Until you open the link, you sign in as before; then both addresses get a mail about it.
address-change-at-once = It counts at once, because this Postern sends no mail that could ask the new address. Look at it twice.
address-confirm-question = Sign in with { $address } from now on?
address-confirm-lead = Your old address no longer signs in then. Your password stays as it is, and so do your devices.
address-confirm-button = Use this address
password-change-effect = You are signed out everywhere else. The passwords of your devices stay as they are.
code-set-up = Set up
code-set-up-title = Code from an authenticator program
code-off = Turn off
code-step-program = Open an authenticator program on your telephone, such as Aegis, Google Authenticator or the one of your password manager.
code-step-scan = Scan this picture with it.
code-step-type = Or type this key:
code-step-prove = Enter the six digits that it shows
code-key = the key
code-qr-label = QR code of the key below
codes-title = Recovery codes
codes-lead = For the day on which your telephone is gone. Each code works once.
codes-once = You will not see them again. Print them, or keep them in a password manager.
codes-kept = I have kept them
codes-new = New codes

## What was done

done-saved = Saved.
done-unchanged = Nothing was changed.
done-sessions-ended =
    { $count ->
        [one] { $count } connection closed in { $milliseconds } ms.
       *[other] { $count } connections closed in { $milliseconds } ms.
    }
done-unconfirmed = Not every server has confirmed yet that it ended the connections. It will, as soon as it answers.
done-disconnected = “{ $device }” disconnected.
done-all-disconnected =
    { $count ->
        [one] { $count } device of { $mailbox } disconnected.
       *[other] { $count } devices of { $mailbox } disconnected.
    }
done-paused = “{ $device }” paused.
done-replaced = “{ $device }” has a new password.
done-resumed = “{ $device }” works again.
done-session-ended = The connection of “{ $device }” ended.
done-access-given = { $name } has access to { $mailbox }.
done-access-withdrawn =
    { $count ->
        [0] { $name } no longer has access to { $mailbox }.
        [one] { $name } no longer has access to { $mailbox }. { $count } device disconnected.
       *[other] { $name } no longer has access to { $mailbox }. { $count } devices disconnected.
    }
done-role-lowered =
    { $count ->
        [one] { $name } has another role now. { $count } device disconnected.
       *[other] { $name } has another role now. { $count } devices disconnected.
    }
done-member-removed =
    { $count ->
        [0] { $name } no longer belongs to { $org }.
        [one] { $name } no longer belongs to { $org }. { $count } device disconnected.
       *[other] { $name } no longer belongs to { $org }. { $count } devices disconnected.
    }
done-invited = The invitation to { $address } is on its way.
done-invitation-made = The invitation is ready. Pass its link on.
done-invitation-not-mailed = The invitation is ready, but no mail with it could be written. Pass its link on, or send it again later.
done-link-made = The link for “{ $device }” is ready.
done-link-mailed = The link is on its way to { $address }.
done-link-not-mailed = The mail could not be written. Hand the link over yourself.
done-link-withdrawn = The link of “{ $device }” gives nothing any more.
done-invitation-withdrawn = The invitation of { $address } was withdrawn.
done-joined = Welcome to { $org }.
done-suspended = { $mailbox } is suspended.
done-mailbox-resumed = { $mailbox } works again.
done-mailbox-deleted = { $mailbox } was deleted.
done-alias-added = { $alias } is another name of { $mailbox } now.
done-alias-removed = The alias { $alias } was removed.
done-domain-added = { $domain } is connected. You can create mailboxes in it.
done-domain-right = { $domain }: everything is there.
done-domain-problems =
    { $count ->
        [one] { $domain }: { $count } thing to do.
       *[other] { $domain }: { $count } things to do.
    }
done-domain-unanswered = { $domain }: the name servers did not answer every question. Try again later.
problem-checked-often =
    { $seconds ->
        [one] The DNS was asked often in the last minute. Try again in { $seconds } second.
       *[other] The DNS was asked often in the last minute. Try again in { $seconds } seconds.
    }
done-domain-removed = { $domain } was removed.
done-token-revoked = The token “{ $name }” no longer works.
done-password-changed =
    { $count ->
        [0] Your password was changed.
        [one] Your password was changed. { $count } other browser was signed out.
       *[other] Your password was changed. { $count } other browsers were signed out.
    }
done-password-reset = Your password was set. Sign in with it.
done-address-changed = From now on you sign in with { $address }.
done-address-asked = A mail with a link went to { $address }. Open it to sign in with that address; until then nothing changes.
done-address-at-once = From now on you sign in with { $address }. No mail goes out here, so nobody has checked that it is right: note it down.
done-already = This was done already, so nothing was made a second time. What was shown once cannot be shown again.
done-code-removed = Signing in asks for the password alone now.
done-signed-out =
    { $count ->
        [one] { $count } browser was signed out.
       *[other] { $count } browsers were signed out.
    }
done-signed-out-here = You are signed out.
done-session-over = Your session has ended. Please sign in again.
done-lost-paused = “{ $device }” is paused. Nobody can read your mail with it.

## Errors

error-home = To the start page
error-400-title = This form cannot be read
error-400 = Nothing was changed. Go back, load the page again, and send it once more.
error-site-title = This came from another site
error-site = Nothing was changed. If you meant to do this, open the Manager yourself and do it there.
error-403-title = You may not do this
error-403 = { $what }
error-403-who =
    { $count ->
        [one] { $names } can.
       *[other] { $names } can.
    }
error-404-title = There is nothing here
error-404 = It may have been deleted, or it is not yours to see.
error-410-title = This link is used up
error-410 = Each link works once and for a limited time. Ask for a new one.
error-413-title = That is too much at once
error-413 = Nothing was changed. Send less at a time.
error-429-title = Too many tries
error-429 = Nothing was changed. Try again { $when }.
error-500-title = That was our mistake
error-500 = Nothing was changed, as far as we know. Try again; if it stays, tell the operator this number: { $reference }
error-503-title = Not available right now
error-503 = The database does not answer. Nothing was changed. Mail that is connected goes on. Try again in a minute.
forbidden-add-device = You may use { $mailbox }, but not add devices.
forbidden-manage-devices = You may use { $mailbox }, but not manage the devices of others.
forbidden-somebody-signs-in = Somebody signs in to the Manager with { $mailbox }. Whoever reads its mail could have a new password sent to it, so you may not give others a password for it.
forbidden-speaks-for-domain = You may add other names of { $mailbox } in its own domain, but none that speaks for the whole domain, such as postmaster or admin.
forbidden-manage-aliases = You may use { $mailbox }, but not manage its aliases.
forbidden-give-access = You may use { $mailbox }, but not decide who has access to it.
forbidden-manage-mailboxes = You may not manage mailboxes and domains here.
forbidden-manage-people = You may not manage people and invitations here.
forbidden-manage-owners = Only owners may make, change or remove owners.
forbidden-change-anything = As an auditor you see everything and change nothing.
forbidden-anything-else = Your role does not allow this here.
forbidden-see = This part of the organisation is not yours to see.
conflict-title = Somebody was faster
conflict-text = Changed by { $who } { $when }. Your change was not saved.
conflict-what = What differs: { $what }
conflict-field = Field
conflict-theirs = Theirs
conflict-mine = Mine
conflict-show-theirs = Show theirs
conflict-keep-mine = Keep mine

## Under fields

problem-see-fields = Not saved yet. See what is marked below.
problem-missing = Please fill this in.
problem-too-long =
    { $most ->
        [one] Shorten it to { $most } character.
       *[other] Shorten it to at most { $most } characters.
    }
problem-unshowable = It holds a character that cannot be shown safely. Type it by hand instead of pasting it.
problem-too-many =
    { $most ->
        [one] Write at most { $most } of them.
       *[other] Write at most { $most } of them.
    }
problem-address = Write a whole address, such as anna@example.org.
problem-local-part = Write the part in front of the @: letters, digits, dots, dashes.
problem-address-taken = { $address } is a mailbox or an alias already. Choose another address.
problem-not-mailed = The mail with the link could not be written, so nothing was changed. Try again later.
problem-sign-in-taken = This is a sign-in address already. Choose another one.
problem-org-taken = An organisation has this name already. Choose another one.
problem-domain-unknown = { $domain } is not connected. Choose one of your domains, or connect it first.
problem-domain = Write a domain, such as example.org, without http and without @.
problem-domain-by-operator = This server serves several organisations, so its operator adds mail domains. Ask them for it.
problem-domain-taken = { $domain } is connected already, here or in another organisation. Ask the operator if it is yours.
problem-name-taken = Another device has this name. “{ $free }” is free.
problem-scopes = Tick at least one: otherwise the device could do nothing.
problem-rights = Tick at least one right.
problem-network = “{ $given }” is no network. Write an address such as 192.0.2.7, or a network such as 192.0.2.0/24.
problem-day-to-come = Choose a day to come.
problem-day-past = Choose a day that is not in the future.
problem-password-short = Use at least { $least } characters.
problem-password-long = Use at most { $most } characters.
problem-password-common = Everybody tries this one first. Choose another, such as several words in a row.
problem-password-like-you = It is made of your own name or address. Choose another, such as several words in a row.
problem-password-wrong = That is not your present password.
problem-code = This code does not fit. Wait for the next one, and check that the clock of your telephone is right.
problem-confirmation = Type exactly: { $expected }
problem-has-access = This person has access already.
problem-choose = Please choose.
problem-choose-person = Choose a person, or write the address of somebody who is not here yet.
problem-again-at = It was sent a moment ago. Try again { $when }.
problem-last-owner = One owner must remain. Make somebody else owner first.
problem-role-changed = Nothing was changed: { $name } got another role meanwhile. Look at it again.
