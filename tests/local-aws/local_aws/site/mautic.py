"""What Mautic answers, as far as a test from outside asks: the shapes are those of its controllers, the contents its own."""

import base64
import datetime
import hmac
import html
import itertools
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from local_aws.site.server import Answer, Request, as_json

# Path in the API, the member that holds one, and where the name is that a search looks at.
KINDS = {"forms": "form", "contacts": "contact", "emails": "email"}


@dataclass(frozen=True, repr=False)
class Settings:
    """What the web tasks of a site were given. It has no representation: there are passwords in it."""

    api: bool
    basic_auth: bool
    administrator: tuple[str, str]
    sender: str
    headers: dict[str, str]
    send: Callable[[EmailMessage], None] | None
    """Hands a mail over, or raises what the SMTP server said; None where mail is discarded."""


@dataclass
class Memory:
    """Everything that one site was told."""

    things: dict[str, dict[int, dict[str, Any]]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    submissions: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    ids: Any = field(default_factory=lambda: itertools.count(1))
    lock: threading.RLock = field(default_factory=threading.RLock)


class Mautic:
    """One site."""

    def __init__(self) -> None:
        self.memory = Memory()

    def answer(self, request: Request, settings: Settings) -> Answer:
        """Answers one request."""
        with self.memory.lock:
            if request.path.startswith("/api/"):
                return self._refusal(request, settings) or self._api(request, settings)
            if request.path == "/s/login":
                return Answer(200, LOGIN)
            if (request.method, request.path) == ("POST", "/form/submit"):
                return self._submit(request)
            if found := re.fullmatch(r"/form/(\d+)", request.path):
                return self._page(int(found[1]))
            return Answer(404, "<h1>404 Not Found</h1>")

    # --- Visitors -------------------------------------------------------------------------------------------------

    def _form(self, number: str) -> dict[str, Any] | None:
        form = self.memory.things["forms"].get(int(number) if number.isdigit() else 0)
        return form if form and form.get("isPublished") else None

    def _page(self, number: int) -> Answer:
        form = self._form(str(number))
        if form is None:
            return Answer(404, "<h1>404 Not Found</h1>")
        inputs = [
            f'<input type="{html.escape(one["type"])}" name="mauticform[{html.escape(one["alias"])}]">'
            for one in form["fields"]
            if one["type"] != "button"
        ]
        hidden = f'<input type="hidden" name="mauticform[formId]" value="{number}">'
        action = f"/form/submit?formId={number}"
        return Answer(
            200, f'<form method="post" action="{action}">{"".join(inputs)}{hidden}<button>Submit</button></form>'
        )

    def _submit(self, request: Request) -> Answer:
        given = {name[11:-1]: value for name, value in request.fields.items() if name.startswith("mauticform[")}
        form = self._form(given.get("formId", ""))
        if form is None:
            return as_json(200, {"success": 0, "errorMessage": "Form is unavailable."})
        fields = [one for one in form["fields"] if one["type"] != "button"]
        missing = [one for one in fields if one.get("isRequired") and not given.get(one["alias"])]
        if missing:
            errors = {one["alias"]: f"'{one['label']}' is required." for one in missing}
            return as_json(200, {"success": 0, "validationErrors": errors})
        results = {one["alias"]: given.get(one["alias"], "") for one in fields}
        mapped = {one["mappedField"]: results[one["alias"]] for one in fields if one.get("mappedField")}
        contact = self._contact(mapped)
        self.memory.submissions.setdefault(form["id"], []).append(
            {"id": next(self.memory.ids), "dateSubmitted": now(), "lead": {"id": contact["id"]}, "results": results}
        )
        return as_json(200, {"success": 1, "results": results, "successMessage": form.get("postActionProperty") or ""})

    def _contact(self, fields: dict[str, str]) -> dict[str, Any]:
        """The contact with this address, or a new one."""
        contacts = self.memory.things["contacts"]
        address = fields.get("email")
        for one in contacts.values():
            if address and one["fields"]["all"].get("email") == address:
                return one
        contact = {"id": next(self.memory.ids), "dateAdded": now(), "fields": {"all": dict(fields)}}
        contacts[contact["id"]] = contact
        return contact

    # --- The API --------------------------------------------------------------------------------------------------

    def _refusal(self, request: Request, settings: Settings) -> Answer | None:
        authorization = request.headers.get("authorization", "")
        if not settings.api:
            return _error(403, "API disabled.", "api_disabled")
        if authorization.startswith("Basic ") and not settings.basic_auth:
            return _error(403, "Basic auth is disabled.", "access_denied")
        expected = "Basic " + base64.b64encode(":".join(settings.administrator).encode()).decode()
        if not hmac.compare_digest(authorization.encode(), expected.encode()):
            return _error(401, "Authorization denied.", "access_denied")
        return None

    def _api(self, request: Request, settings: Settings) -> Answer:
        kind, *rest = request.path.removeprefix("/api/").split("/")
        things = self.memory.things.get(kind, {})
        match (request.method, [int(part) if part.isdigit() else part for part in rest]):
            case _ if kind not in KINDS:
                pass
            case ("GET", []):
                return self._list(kind, request.query.get("search", ""))
            case ("POST", ["new"]):
                return self._new(kind, request.json)
            case ("GET", [number, "submissions"]) if kind == "forms" and number in things:
                found = self.memory.submissions.get(number, [])
                return as_json(200, {"total": str(len(found)), "submissions": found})
            case ("DELETE", [number, "delete"]) if number in things:
                self.memory.submissions.pop(number, None)
                return as_json(200, {KINDS[kind]: {**things.pop(number), "id": None}})
            case ("POST", [number, "contact", contact, "send"]) if kind == "emails" and number in things:
                return self._send(settings, things[number], self.memory.things["contacts"].get(contact))
        return _error(404, "Item was not found.")

    def _list(self, kind: str, search: str) -> Answer:
        found = {number: one for number, one in self.memory.things[kind].items() if search in _name(kind, one)}
        # As Mautic has it: contacts by id, the others in a row.
        shown = {str(number): one for number, one in found.items()} if kind == "contacts" else list(found.values())
        return as_json(200, {"total": str(len(found)), kind: shown})

    def _new(self, kind: str, given: dict[str, Any]) -> Answer:
        if kind == "contacts":
            known = len(self.memory.things[kind])
            contact = self._contact({name: str(value) for name, value in given.items()})
            return as_json(201 if len(self.memory.things[kind]) > known else 200, {"contact": contact})
        missing = [name for name in ("name", *(["subject"] if kind == "emails" else [])) if not given.get(name)]
        if missing:
            return _error(400, f"{missing[0]}: A value is required.")
        thing = {"isPublished": False, "fields": [], **given, "id": next(self.memory.ids), "dateAdded": now()}
        self.memory.things[kind][thing["id"]] = thing
        return as_json(201, {KINDS[kind]: thing})

    def _send(self, settings: Settings, email: dict[str, Any], contact: dict[str, Any] | None) -> Answer:
        if contact is None:
            return _error(404, "Item was not found.")
        message = EmailMessage()
        message["From"], message["To"] = settings.sender, contact["fields"]["all"].get("email", "")
        message["Subject"] = email["subject"]
        for name, value in settings.headers.items():
            message[name] = value
        message.set_content(email.get("customHtml") or "", subtype="html")
        try:
            if settings.send is not None:
                settings.send(message)
        except OSError as error:
            return as_json(200, {"success": False, "failed": str(error)})
        return as_json(200, {"success": True})


def _name(kind: str, thing: dict[str, Any]) -> str:
    return str(thing["fields"]["all"].get("email", "") if kind == "contacts" else thing["name"])


def _error(code: int, message: str, kind: str | None = None) -> Answer:
    return as_json(code, {"errors": [{"message": message, "code": code, "type": kind}]})


def now() -> str:
    """The time as Mautic's API writes it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


LOGIN = """<!DOCTYPE html>
<title>Stand-in for Mautic</title>
<form name="login" action="/s/login_check" method="post">
<input type="text" name="_username"><input type="password" name="_password"><button>login</button>
</form>
"""
