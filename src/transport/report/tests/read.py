"""Reads a report on standard input as any program would, and prints what it says as JSON."""

import email
import email.policy
import json
import sys


def fields(message):
    return [[name, str(value)] for name, value in message.items()]


def blocks(part):
    """The blocks of fields of a status part; of an international one Python knows nothing, but that it is a message."""
    inner = part.get_payload()
    if part.get_content_type() == "message/delivery-status":
        return [fields(block) for block in inner if block.items()]
    octets = inner[0].as_bytes(policy=email.policy.SMTPUTF8)
    texts = octets.replace(b"\r\n", b"\n").strip().split(b"\n\n")
    return [fields(email.message_from_bytes(text + b"\n", policy=email.policy.default)) for text in texts]


def returned(part):
    if part.get_content_maintype() == "message":
        return [fields(part.get_payload(0)), part.get_payload(0).get_payload(decode=True).decode()]
    return part.get_payload(decode=True).decode(errors="replace")


report = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
text, status, third = report.iter_parts()
json.dump(
    {
        "type": report.get_content_type(),
        "report_type": report["Content-Type"].params["report-type"],
        "from": [address.addr_spec for address in report["From"].addresses],
        "to": str(report["To"]),
        "subject": report["Subject"],
        "date": report["Date"].datetime.isoformat(),
        "auto": report["Auto-Submitted"],
        "types": [part.get_content_type() for part in (text, status, third)],
        "text": text.get_content(),
        "status": blocks(status),
        "returned": returned(third),
        "defects": [str(defect) for part in report.walk() for defect in part.defects],
    },
    sys.stdout,
)
