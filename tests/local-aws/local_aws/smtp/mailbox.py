"""The mail that was accepted: one file a message, and beside it who sent it to whom."""

import json
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mailbox:
    """A folder that begins empty with each start."""

    folder: Path

    def clear(self) -> None:
        """Forget the mail of the last start."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def keep(self, user: str, sender: str, recipients: list[str], content: bytes) -> str:
        """Store a message; the id that SES gives it."""
        message_id = f"{uuid.uuid4().hex[:16]}-{uuid.uuid4()}-000000"
        envelope = {"user": user, "sender": sender, "recipients": recipients}
        self._write(f"{message_id}.json", json.dumps(envelope).encode())
        # Last: who waits for a message finds it whole.
        self._write(f"{message_id}.eml", content)
        return message_id

    def _write(self, name: str, content: bytes) -> None:
        new = self.folder / f"{name}.new"
        new.write_bytes(content)
        os.replace(new, self.folder / name)
