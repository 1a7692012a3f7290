"""A file that a visitor sends, in parts of bounded size: put together in memory, never kept."""

import base64
import binascii
from typing import Any

from sim.model.declare import ScenarioError
from sim.page.limits import UPLOAD


class Upload:
    """The parts of one file that have come so far."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def add(self, part: Any) -> tuple[str, bytes] | None:
        """(name, content) once all parts have come, else None; ScenarioError for what is no part, or too much."""
        if not isinstance(part, dict) or not all(isinstance(part.get(k), int) for k in ("n", "of")):
            self.parts = []
            raise ScenarioError(["upload: this is no part of a file"])
        if part["n"] == 0:
            self.parts = []
        if part["n"] != len(self.parts):
            self.parts = []
            raise ScenarioError(["upload: parts are missing; choose the file again"])
        try:
            self.parts.append(base64.b64decode(str(part.get("data", "")), validate=True))
        except binascii.Error:
            self.parts = []
            raise ScenarioError(["upload: this is no part of a file"]) from None
        if sum(map(len, self.parts)) > UPLOAD:
            self.parts = []
            raise ScenarioError([f"upload: more than {UPLOAD:,} bytes; use the command line: panel=FILE"])
        if part["n"] + 1 < part["of"]:
            return None
        content, self.parts = b"".join(self.parts), []
        return str(part.get("name", "file"))[-80:], content
