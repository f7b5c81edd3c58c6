"""Refuses messages that carry programs, also those packed into ZIP archives. An archive that can't be looked into is held for an
operator to see. An exception that nobody catches is a fault of the sink's, and its traceback goes to the sink's log."""

# Modules are imported while the component is built, and never later: there are no files in the sandbox. `zipfile` needs this one for names
# that are not in UTF-8.
import encodings.cp437
import io
import json
import zipfile

from wit_world import exports
from wit_world.imports import config
from wit_world.imports.types import Message, Part, Reply, Session, Status, Verdict, Verdict_Hold, Verdict_Next, Verdict_Reject

# Larger archives are held without being unpacked: the sink's memory is limited.
ARCHIVE_MAX = 16 << 20


class TransportSubmit(exports.TransportSubmit):
    """`transport.submit`"""

    def handle(self, message: Message, session: Session) -> Verdict:
        banned = tuple("." + extension.lower() for extension in json.loads(config.get())["extensions"])
        for part in message.parts():
            if not part.is_attachment:
                continue
            name = part.file_name or ""
            if name.lower().endswith(banned):
                return refusal(name)
            if part.content_type == "application/zip" or name.lower().endswith(".zip"):
                try:
                    inside = names_in_zip(message, part)
                except (ValueError, zipfile.BadZipFile) as error:
                    return Verdict_Hold(f"{name}: {error}")
                for packed in inside:
                    if packed.lower().endswith(banned):
                        return refusal(f"{packed} in {name}")
        return Verdict_Next()


def refusal(name: str) -> Verdict:
    """The text goes to the sender, most likely in a report by its own server."""
    return Verdict_Reject(Reply(550, Status(5, 7, 1), f"We don't accept programs by mail: {name}"))


def names_in_zip(message: Message, part: Part) -> list[str]:
    """The names of the files in an archive, which is read in pieces as the host hands them out."""
    if part.size > ARCHIVE_MAX:
        raise ValueError("the archive is too large to look into")
    octets = bytearray()
    while piece := message.read_part(part.index, len(octets), 1 << 20):
        octets += piece
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        return archive.namelist()
