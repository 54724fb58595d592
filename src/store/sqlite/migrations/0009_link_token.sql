-- A set-up link that was made with a token of the API is dead where the token is. A token's row is gone with the token: that
-- there was one is remembered, so that such a link is never taken for one that was made in person.
ALTER TABLE device_link ADD COLUMN by_token INTEGER NOT NULL DEFAULT 0 CHECK (by_token IN (0, 1));
ALTER TABLE device_link ADD COLUMN token_id INTEGER REFERENCES api_token (id) ON DELETE SET NULL
    CHECK (token_id IS NULL OR by_token = 1);
CREATE INDEX device_link_token ON device_link (token_id) WHERE token_id IS NOT NULL;
