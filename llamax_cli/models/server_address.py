"""The address of a server, which may hold a password or a key and shows neither."""

import base64
import re
from urllib.parse import parse_qsl, unquote, urlsplit

from llamax_cli.errors import UsageError

MASK = "***"
# The version of Azure's API is no secret; any other value in a query may be one.
PUBLIC = {"api-version"}
_USER = re.compile(r"(//)[^/?#]*@")
_ANYTHING = re.compile(r"^(\w+://|).*@")
_VALUE = re.compile(r"([?&;]([^=&;#]*)=)[^&;#]*")


def masked(url: str) -> str:
    """Return a URL without its secrets: `masked("http://me:pw@host/v1?key=K") -> "http://***@host/v1?key=***"`."""
    url = _USER.sub(rf"\1{MASK}@", url)
    return _VALUE.sub(lambda found: found[0] if found[2] in PUBLIC else f"{found[1]}{MASK}", url)


class ServerAddress:
    """The address of a server. As text it is masked, so that manifests, states and messages cannot hold a secret.

    `scheme`, `host`, `port` (None for that of the scheme), `path` and `query` are its parts. `authorization` is the
    header for a user and a password in it, None without them. `secrets` are the texts that nobody may see.
    UsageError if it is not the address of a server.
    """

    def __init__(self, url: str) -> None:
        self._masked = masked(url).rstrip("/")
        try:
            parts = urlsplit(url)
            # The host name and the port are checked here, because nothing else does before a thread connects.
            is_address = (
                parts.scheme in ("http", "https") and bool((parts.hostname or "").encode("idna")) and parts.port != 0
            )
        except ValueError:
            is_address = False
        if not is_address or not (url.isascii() and url.isprintable()) or " " in url:
            # A password with a slash in it may be what is wrong.
            shown = masked(_ANYTHING.sub(rf"\1{MASK}@", url))
            raise UsageError(f"--server {shown} is not a URL such as http://localhost:8000/v1")
        self.scheme, self.host, self.port = parts.scheme, str(parts.hostname), parts.port
        self.path, self.query = parts.path.rstrip("/"), parts.query
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        self.authorization: str | None = None
        self.secrets = {value for name, value in parse_qsl(parts.query) if name not in PUBLIC}
        if user or password:
            token = base64.b64encode(f"{user}:{password}".encode()).decode()
            self.authorization = f"Basic {token}"
            self.secrets |= {token, password, parts.password or "", "" if password else user} - {""}

    @property
    def origin(self) -> str:
        """The address without path and query: `http://localhost:8000`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port else "")

    def __str__(self) -> str:
        """Return the address without its secrets."""
        return self._masked

    def __repr__(self) -> str:
        """Return the same: a repr ends in logs and tracebacks."""
        return f"ServerAddress({self._masked!r})"

    def is_same_host(self, other: "ServerAddress") -> bool:
        """Return whether what is meant for this server may be sent to another address: the same one, no less secure."""
        defaults = {"http": 80, "https": 443}
        ours, theirs = self.port or defaults[self.scheme], other.port or defaults[other.scheme]
        if (self.scheme, other.scheme) == ("http", "https") and self.port is None and other.port is None:
            return self.host == other.host
        return (self.scheme, self.host, ours) == (other.scheme, other.host, theirs)
