-- Requests to the API that came with a key, so that one that comes again makes nothing again.
CREATE TABLE api_request (
    id       INTEGER PRIMARY KEY,
    token_id INTEGER NOT NULL REFERENCES api_token (id) ON DELETE CASCADE,
    key      BLOB    NOT NULL CHECK (length(key) = 32),     -- a hash of what the client calls it
    request  BLOB    NOT NULL CHECK (length(request) = 32), -- a hash of what it asks for
    made     TEXT,    -- the id of what it made; none while it is being worked on
    begun_at INTEGER NOT NULL,
    UNIQUE (token_id, key)
) STRICT;
CREATE INDEX api_request_begun ON api_request (begun_at);
CREATE INDEX api_request_of_token ON api_request (token_id, begun_at);
