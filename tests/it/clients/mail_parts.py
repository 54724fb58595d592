"""Reads a mail from standard input with Python's own library and prints what a mail program would make of it."""

import email
import email.policy
import json
import sys

mail = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
headers = {}
for name, value in mail.items():
    headers.setdefault(name.lower(), []).append(str(value))
parts = [
    {"type": part.get_content_type(), "text": part.get_content()}
    for part in mail.walk()
    if not part.is_multipart()
]
defects = [str(defect) for part in mail.walk() for defect in part.defects]
json.dump({"headers": headers, "type": mail.get_content_type(), "parts": parts, "defects": defects}, sys.stdout)
