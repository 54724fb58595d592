-- Who gave the password that a waiting notice tells of: they are told too. They may be gone by then.
ALTER TABLE notice ADD COLUMN user_id INTEGER;
-- Of which mailbox the password is, where somebody gave one: of each mailbox only a few devices wait because of one person.
ALTER TABLE notice ADD COLUMN mailbox_id INTEGER;
-- Whether its kind was switched off when it happened: then only those are told who sign in with an address of the mailbox.
ALTER TABLE notice ADD COLUMN while_off INTEGER NOT NULL DEFAULT 0 CHECK (while_off IN (0, 1));
CREATE INDEX notice_giver ON notice (user_id, mailbox_id, while_off, device_id) WHERE user_id IS NOT NULL;
