"""A small client for the control endpoints of the simulator and the merchant: JSON over HTTP."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from payops.errors import LabError


class Control:
    """The control endpoint at `url`, of the server that is called `name` in messages."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url

    def get(self, path: str) -> Any:
        """What it answers. Raises LabError when it does not, or refuses."""
        return self._ask("GET", path)

    def put(self, path: str, body: Any) -> Any:
        """Set something; see `get` for errors."""
        return self._ask("PUT", path, body)

    def post(self, path: str, body: Any) -> Any:
        """Do something; see `get` for errors."""
        return self._ask("POST", path, body)

    def delete(self, path: str) -> Any:
        """Remove something; see `get` for errors."""
        return self._ask("DELETE", path)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        try:
            encoded = None if body is None else json.dumps(body).encode()
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, encoded, headers)
            answer = connection.getresponse()
            text = answer.read()
            told = json.loads(text) if text else None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise LabError(
                f"the {self.name}'s control endpoint {self.url} does not answer: {error}",
                hint="payops lab status, then payops lab up to bring it back",
            ) from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise LabError(f"the {self.name} refused {method} {path}: {told}")
        return told
