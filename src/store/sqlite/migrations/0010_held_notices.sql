-- Who gave the password that a waiting notice tells of: they are told too. They may be gone by then.
ALTER TABLE notice ADD COLUMN user_id INTEGER;
