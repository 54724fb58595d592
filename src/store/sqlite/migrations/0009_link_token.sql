-- A set-up link that was made with a token of the API is dead where the token is. A token's row is gone with the token: that
-- there was one is remembered, so that such a link is never taken for one that was made in person.
ALTER TABLE device_link ADD COLUMN by_token INTEGER NOT NULL DEFAULT 0 CHECK (by_token IN (0, 1));
ALTER TABLE device_link ADD COLUMN token_id INTEGER REFERENCES api_token (id) ON DELETE SET NULL
    CHECK (token_id IS NULL OR by_token = 1);
CREATE INDEX device_link_token ON device_link (token_id) WHERE token_id IS NOT NULL;
-- What somebody sent ends with their membership, and where their password is reset.
CREATE INDEX device_link_sender ON device_link (sender, expires_at) WHERE withdrawn_at IS NULL;
-- The set-up link that a mail brings, so that its sender sees what became of it. As all of a mail's row it refers to nothing.
ALTER TABLE mail ADD COLUMN link_id INTEGER;
CREATE INDEX mail_link ON mail (link_id, id) WHERE link_id IS NOT NULL;
