"""Sends the message on standard input with smtplib (lower-case ehlo, AUTH PLAIN with an initial response)."""

import os
import smtplib
import ssl
import sys

context = ssl.create_default_context(cafile=os.environ["MAIL_CA"])
with smtplib.SMTP_SSL("localhost", int(os.environ["MAIL_PORT"]), context=context, timeout=20) as smtp:
    smtp.login(os.environ["MAIL_USER"], os.environ["MAIL_PASSWORD"])
    smtp.sendmail(os.environ["MAIL_FROM"], [os.environ["MAIL_TO"]], sys.stdin.buffer.read())
