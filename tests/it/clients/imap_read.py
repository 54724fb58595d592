"""Prints the newest message whose subject is MAIL_MARKER, with imaplib (LOGIN, the password in quotes)."""

import imaplib
import os
import ssl
import sys

context = ssl.create_default_context(cafile=os.environ["MAIL_CA"])
with imaplib.IMAP4_SSL("localhost", int(os.environ["MAIL_PORT"]), ssl_context=context, timeout=20) as imap:
    imap.login(os.environ["MAIL_USER"], os.environ["MAIL_PASSWORD"])
    imap.select("INBOX", readonly=True)
    _, found = imap.search(None, "SUBJECT", os.environ["MAIL_MARKER"])
    _, parts = imap.fetch(found[0].split()[-1], "(BODY.PEEK[])")
    sys.stdout.buffer.write(parts[0][1])
