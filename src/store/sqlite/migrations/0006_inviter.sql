-- The user who wrote an invitation, or sent it again last; NULL: the command line. It ends with their right to write it.
ALTER TABLE invitation ADD COLUMN inviter INTEGER;
