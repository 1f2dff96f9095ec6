"""An HTTP client for a server that may be busy: retries with back-off, a rate limit, and errors of one line."""

import http.client
import json
import threading
import time
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from llamax_cli.errors import RecordError, ServerError, UsageError

ATTEMPTS = 7
FIRST_WAIT = 0.5  # seconds; each later wait is twice as long
LONGEST_WAIT = 60.0
RETRYABLE = {408, 409, 425, 429, 500, 502, 503, 504, 529}
REFUSED = {400, 413, 422}  # concern this request only, not the others


class RateLimiter:
    """Spreads the requests of all threads evenly, at most `per_minute` of them in a minute."""

    def __init__(self, per_minute: int | None) -> None:
        self._interval = 60 / per_minute if per_minute else 0.0
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self, stop: threading.Event) -> None:
        """Wait until the next request may be sent, or until `stop` is set."""
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + self._interval
        stop.wait(start - now)


class Server:
    """A server at `url`, to which JSON is posted; `key` is sent as bearer token."""

    def __init__(self, url: str, key: str | None, timeout: float, rate_limiter: RateLimiter) -> None:
        parts = _split(url)
        if key and not (key.isascii() and key.isprintable()):  # it goes into a header
            raise UsageError("OPENAI_API_KEY is not a valid key: it has a line break or characters other than ASCII")
        self.url = url.rstrip("/")
        self._parts = parts
        self._headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        self._timeout = timeout
        self._rate_limiter = rate_limiter

    def post(self, path: str, body: dict[str, Any], stop: threading.Event) -> Any:
        """Return the answer, parsed from JSON.

        ServerError after ATTEMPTS failures or if the server refuses every request, RecordError if it refuses this one.
        """
        payload = json.dumps(body).encode()
        for attempt in range(1, ATTEMPTS + 1):
            self._rate_limiter.wait(stop)
            try:
                return self._attempt(path, payload)
            except _RetryableError as error:
                if attempt == ATTEMPTS or stop.is_set():
                    raise ServerError(f"{self.url}: {error} ({attempt} attempts)") from error
                wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1))
                stop.wait(wait if error.retry_after is None else min(error.retry_after, LONGEST_WAIT))
        raise AssertionError("unreachable")

    def _attempt(self, path: str, payload: bytes) -> Any:
        secure = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(str(self._parts.hostname), self._parts.port, timeout=self._timeout)
        try:
            connection.request("POST", self._path(path), payload, self._headers)
            response = connection.getresponse()
            data = response.read()
        except TimeoutError as error:
            raise _RetryableError(f"no answer within {self._timeout:g} s") from error
        except http.client.IncompleteRead as error:
            raise _RetryableError("the answer is incomplete") from error
        except (OSError, http.client.HTTPException) as error:
            raise _RetryableError(
                str(getattr(error, "strerror", None) or error or type(error).__name__).lower()
            ) from error
        finally:
            connection.close()
        return self._parse(response, data)

    def _path(self, path: str) -> str:
        # A query in the URL belongs to every request, such as `api-version` of Azure.
        query = f"?{self._parts.query}" if self._parts.query else ""
        return self._parts.path.rstrip("/") + path + query

    def _parse(self, response: http.client.HTTPResponse, data: bytes) -> Any:
        if response.status in RETRYABLE:
            raise _RetryableError(_reason(response, data), _retry_after(response.getheader("Retry-After")))
        if response.status in REFUSED:
            raise RecordError(f"the server refuses this request: {_reason(response, data)}")
        if response.status != 200:
            hint = "; set OPENAI_API_KEY" if response.status in (401, 403) else ""
            raise ServerError(f"{self.url}: {_reason(response, data)}{hint}")
        try:
            return json.loads(data)
        except ValueError as error:
            raise _RetryableError("the answer is not valid JSON") from error


def _split(url: str) -> SplitResult:
    """Return the parts of a URL; UsageError if it is not the address of a server."""
    try:
        parts = urlsplit(url)
        # The host name and the port are checked here, because nothing else does before a thread connects.
        is_address = (
            parts.scheme in ("http", "https") and bool((parts.hostname or "").encode("idna")) and parts.port != 0
        )
    except ValueError:
        is_address = False
    if not is_address or not (url.isascii() and url.isprintable()) or " " in url:
        raise UsageError(f"--server {url} is not a URL such as http://localhost:8000/v1")
    return parts


class _RetryableError(Exception):
    """A failure that may not recur; `retry_after` is the number of seconds that the server asks to wait."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


def _retry_after(header: str | None) -> float | None:
    """Return the seconds to wait by a Retry-After header, a number or a date: `_retry_after("2") -> 2.0`."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None


def _reason(response: http.client.HTTPResponse, data: bytes) -> str:
    """Return the status and the server's error message in one line."""
    try:
        error = json.loads(data)["error"]
        message = error if isinstance(error, str) else error["message"]
    except (ValueError, KeyError, TypeError):
        message = ""
    text = " ".join(str(message).split())[:200]
    return f"{response.status} {response.reason}" + (f": {text}" if text else "")
