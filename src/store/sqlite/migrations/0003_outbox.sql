-- Mails that Postern sends. Rows outlive what they tell of, so they refer to nothing.
CREATE TABLE mail (
    id            INTEGER PRIMARY KEY,
    kind          TEXT    NOT NULL,
    org_id        INTEGER,
    invitation_id INTEGER,
    recipient     TEXT    NOT NULL,
    language      TEXT    NOT NULL,
    sealed        BLOB,    -- the content, sealed with the server key; forgotten when the mail waits no more
    state         TEXT    NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'withdrawn')),
    attempts      INTEGER NOT NULL DEFAULT 0,
    next_at       INTEGER, -- not before
    taken_until   INTEGER, -- under way: somebody else may take it then
    useful_until  INTEGER, -- when its link ends
    last_error    TEXT,
    created_at    INTEGER NOT NULL,
    ended_at      INTEGER, -- sent, given up or withdrawn
    CHECK ((state = 'queued') = (sealed IS NOT NULL)),
    CHECK ((state = 'queued') = (next_at IS NOT NULL)),
    CHECK ((state = 'queued') = (ended_at IS NULL))
) STRICT;
CREATE INDEX mail_due ON mail (next_at, taken_until) WHERE state = 'queued';
CREATE INDEX mail_ended ON mail (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX mail_org ON mail (org_id, id);
CREATE INDEX mail_invitation ON mail (invitation_id, id) WHERE invitation_id IS NOT NULL;
