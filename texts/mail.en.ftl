# What Postern's mails say, in English. The other languages have the same keys and the same values.
#
# { $by } is the name of a person (or the operator, where it was done at the command line), { $org } of an organisation,
# { $device } of a device; each may be up to 100 characters long. A mail is: subject, one sentence (lead; the first thing that a phone shows), a table of facts, one button, a note.

## All mails

moment = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }, { $time } { $zone }
colon = :
link-hint = If the button does not work, copy this address into your browser:
footer = Sent by Postern for { $place }. Nobody reads answers to this mail.
operator = The operator of { $host }

fact-by = By
fact-device = Device
fact-devices = { $count ->
    [one] Device disconnected
   *[other] Devices disconnected
}
fact-from = From network address
fact-link-until = The link works until
fact-mailbox = Mailbox
fact-mailboxes = { $count ->
    [one] Mailbox
   *[other] Mailboxes
}
fact-new-address = New sign-in address
fact-old-address = Old sign-in address
fact-organisation = Organisation
fact-rights = You may
fact-role = Your role
fact-sign-in-address = Sign-in address
fact-until = Until
fact-when = When

right-see-devices = see its devices
right-add-own-devices = add devices of your own
right-manage-devices = manage all its devices
right-manage-aliases = manage its aliases
right-send-as = send as this address from your devices
right-none = nothing yet
rights-until = { $rights } (until { $until })

role-owner = Owner: may do everything
role-administrator = Administrator: people, mailboxes and devices
role-mailbox-manager = Mailbox manager: mailboxes, aliases, devices and access
role-auditor = Auditor: may see everything and change nothing
role-member = Member: what is listed here, nothing else
role-member-alone = Member: no mailbox yet

## Invitation

invitation-subject = { $by } invites you to { $org }
invitation-lead = { $by } invites you to use mail of { $org }. The link below works once, until { $until }.
invitation-button = Accept the invitation
invitation-note = You do not know { $by }? Then do nothing: without you nothing happens. Do not forward this mail, because whoever has the link could accept in your place.

## Password reset

password-reset-subject = Choose a new password
password-reset-lead = Somebody, probably you, asked for a new password for { $address }. The link below works once, until { $until }.
password-reset-button = Choose a new password
password-reset-note = It was not you? Then do nothing: your password stays as it is.

## Sign-in changed

sign-in-changed-subject = Your sign-in was changed
sign-in-changed-lead = The sign-in of { $address } was changed.
sign-in-changed-subject-password = Your password was changed
sign-in-changed-lead-password = The password of { $address } was changed.
sign-in-changed-subject-codes-on = One-time codes are on
sign-in-changed-lead-codes-on = To sign in as { $address }, a one-time code from your authenticator program is now needed as well.
sign-in-changed-subject-codes-off = One-time codes are off
sign-in-changed-lead-codes-off = To sign in as { $address }, no one-time code is needed any more.
sign-in-changed-subject-recovery-codes = You have new recovery codes
sign-in-changed-lead-recovery-codes = New recovery codes were made for { $address }. The old ones no longer work.
sign-in-changed-subject-recovery-code-used = A recovery code was used
sign-in-changed-lead-recovery-code-used = Somebody signed in as { $address } with a recovery code in place of a one-time code. This code no longer works.
sign-in-changed-button = Open my account
sign-in-changed-note = It was not you? Then choose a new password on the sign-in page at once, and tell an owner of your organisation.

## New sign-in address

address-confirm-subject = Confirm your new sign-in address
address-confirm-lead = You want to sign in as { $new } from now on. The link below works once, until { $until }; sign in as before to use it.
address-confirm-button = Confirm the address
address-confirm-note = It was not you? Then do nothing: whoever signs in with { $old } cannot use your address without this link.

address-confirmed-subject = You sign in with another address now
address-confirmed-lead = From now on you sign in as { $new }, no longer as { $old }.
address-confirmed-button = Open my account
address-confirmed-note = It was not you? Then tell an owner of your organisation at once.

## Access given

access-given-subject = You have access to { $mailbox }
access-given-lead = { $by } gave you access to { $mailbox } ({ $org }).
access-given-button = Open my mailboxes
access-given-note = A mail program needs a device password: add a device in the Manager and it shows you how.

## Access withdrawn

access-withdrawn-subject = Your access at { $org } was withdrawn
access-withdrawn-lead = { $by } withdrew your access at { $org }.
access-withdrawn-subject-left = You are no longer a member of { $org }
access-withdrawn-lead-left = { $by } ended your membership of { $org }.
access-withdrawn-button = Open my mailboxes
access-withdrawn-note = The devices named here were yours and can no longer sign in there. Other people's devices go on.

## Device added

device-added-subject = New device password for { $mailbox }
device-added-lead = The device { $device } has a new password and can now sign in as { $mailbox }.
device-added-subject-set-up = { $device } of { $mailbox } was set up
device-added-lead-set-up = The new device { $device } of { $mailbox } signed in for the first time.
device-added-note-set-up = Nobody of you set it up there? Open the Manager with the button and press "Disconnect": somebody else may have its password. A phone on its mobile network has another address than the browser in which it was added; then there is nothing to do.
device-added-button = See the devices
device-added-note = You did not expect this? Open the Manager and disconnect the device there.

## What happened to a device

fact-last-use = Last used
fact-notices = Switched off
fact-program = Program
fact-token = API token
fact-token-role = Role at most
fact-token-scope = May
protocol-imap = IMAP (receiving)
protocol-smtp = SMTP (sending)
choice = Owners and administrators choose in the settings of the organisation which notices are sent.

device-network-subject = { $device }: sign-in from a new network
device-network-lead = The device { $device } signed in to { $mailbox } from a network that it was not known from.
device-network-button = See this device
device-network-note = Nobody of you was there? Open the Manager with the button and press "Pause" or "Disconnect": its connections end at once. Travelling, or another internet line at home, is a new network, too; then there is nothing to do.

device-digest-subject = { $device }: several things happened
device-digest-lead = Several things happened to the device { $device } of { $mailbox }.
device-digest-added = New password, by { $by }
device-digest-set-up = First sign-in, from { $from }: { $program }
device-digest-network = New network { $from }: { $program }
device-digest-more = { $count ->
    [one] One more is not listed here; it may be of another device of this mailbox.
   *[other] { $count } more are not listed here; they may be of other devices of this mailbox.
}
device-digest-button = See this device
device-digest-note = You did not expect this? Open the Manager with the button and press "Pause" or "Disconnect": its connections end at once. About one device there is one mail an hour at most.

## Devices that are not used

device-unused-subject = { $device } is not used any more
device-unused-lead = The device { $device } of { $mailbox } was not used for { $days } days.
device-unused-subject-several = { $count } devices are not used any more
device-unused-lead-several = These { $count } devices were not used for { $days } days.
device-unused-used = { $mailbox }, last used { $at }
device-unused-never = never, added { $at }
device-unused-button = See it in the Manager
device-unused-more = { $count ->
    [one] One more is not listed here.
   *[other] { $count } more are not listed here.
}
device-unused-note = Nobody needs it any more? Open the Manager and disconnect it: a password that is gone cannot be stolen. Otherwise there is nothing to do; it goes on working, and there is no further mail until it was used again.
device-unused-note-several = Nobody needs them any more? Open the Manager and disconnect them: a password that is gone cannot be stolen. Otherwise there is nothing to do; they go on working, and there is no further mail about one until it was used again.

## API token

scope-read = read, and change nothing
scope-write = read and change
notices-off-subject = { $org }: notices were switched off
notices-off-lead = { $by } switched off notices of devices at { $org }: they are not sent by mail any more. What waited before is still sent.
notices-off-button = See the notices
notices-off-note = You did not expect this? Open the Manager, switch them on again, and look at the activity: who switches notices off may want that nobody hears of a device.
notice-device-added = New device or new device password
notice-device-network = Sign-in from a new network
notice-device-unused = Device not used for 90 days

token-made-subject = A new API token acts in your name
token-made-lead = The API token { $token } was made: whoever has it acts in your name at { $org }.
token-made-button = See the tokens
token-made-note = It was not you? Open the Manager and revoke the token, then choose a new password.
## Device to be set up

device-link-subject = Set up a device for { $mailbox }
device-link-lead = { $by } asks you to set up { $device } for the mailbox { $mailbox }. Open the link on that device; it works once, until { $until }.
device-link-unnamed = a device
device-link-button = Set up the device
device-link-note = You do not know { $by }? Then do nothing: without you nothing happens. Do not forward this mail, because whoever opens the link first gets the password.

## Test

test-subject = Test mail from Postern
test-lead = Mail from Postern at { $host } arrives.
test-button = Open the Manager
test-note = Somebody who runs { $host } sent this to see whether it does. There is nothing to do.
