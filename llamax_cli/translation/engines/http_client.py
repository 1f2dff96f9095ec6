"""An HTTP client for a server that may be busy: retries with back-off, a rate limit, and errors of one line."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import urljoin, urlsplit

from llamax_cli.errors import RecordError, ServerError, UsageError
from llamax_cli.models.server_address import MASK, ServerAddress, masked

ATTEMPTS = 7
FIRST_WAIT = 0.5  # seconds; each later wait is twice as long
LONGEST_WAIT = 60.0
RETRYABLE = {408, 409, 425, 429, 500, 502, 503, 504, 529}
REFUSED = {400, 413, 422}  # concern this request only, not the others
# What an error that comes with status 200 is called where it may pass.
PASSING = ("rate_limit", "server_error", "overloaded", "timeout", "unavailable", "internal_error")
FOLLOWED = {307, 308}  # redirects that ask for the same request again
REDIRECTS = 5
PIECE = 1 << 16  # bytes
SHOWN = 200  # characters of what a server says
SHORTEST_SECRET = 3  # characters; masking a shorter one would garble the message


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
    """A server to which JSON is posted.

    `key` is sent as bearer token, unless the address has a user and a password, which are sent instead. Neither of
    them appears in a message, even where the server repeats them.
    """

    def __init__(self, address: ServerAddress, key: str | None, timeout: float, rate_limiter: RateLimiter) -> None:
        if key and not (key.isascii() and key.isprintable()):  # it goes into a header
            raise UsageError("OPENAI_API_KEY is not a valid key: it has a line break or characters other than ASCII")
        self.address = address
        authorization = address.authorization or (f"Bearer {key}" if key else None)
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        self._headers |= {"Authorization": authorization} if authorization else {}
        secrets = {*address.secrets, *([key] if key else [])}
        self._secrets = sorted((each for each in secrets if len(each) >= SHORTEST_SECRET), key=len, reverse=True)
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
                    raise ServerError(f"{self.address}: {error} ({attempt} attempts)") from error
                # The server may ask for a longer wait, but `Retry-After: 0` does not make it less busy.
                wait = max(FIRST_WAIT * 2 ** (attempt - 1), error.retry_after or 0.0)
                stop.wait(min(LONGEST_WAIT, wait))
        raise AssertionError("unreachable")

    def cleaned(self, text: object) -> str:
        """Return what a server says in one line, cut, and without the secrets that it repeats."""
        line = " ".join(str(text).split())
        for secret in self._secrets:
            line = line.replace(secret, MASK)
        return line[:SHOWN]

    def _attempt(self, path: str, payload: bytes) -> Any:
        """Post once, and again where the server redirects to itself."""
        # A query in the URL belongs to every request, such as `api-version` of Azure.
        query = f"?{self.address.query}" if self.address.query else ""
        address, target = self.address, self.address.path + path + query
        for _ in range(REDIRECTS):
            response, data = self._exchange(address, target, payload)
            if response.status not in FOLLOWED or not response.getheader("Location"):
                return self._parse(response, data)
            address, target = self._redirected(address, target, response)
        raise ServerError(f"{self.address}: it redirects again and again")

    def _exchange(self, address: ServerAddress, target: str, payload: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = kind(address.host, address.port, timeout=self._timeout)
        deadline = _Deadline(connection, self._timeout)
        try:
            connection.request("POST", target, payload, self._headers)
            with connection.getresponse() as response:
                data = _read(response, deadline.check)
            deadline.check()
            return response, data
        except (OSError, http.client.HTTPException) as error:
            if deadline.has_passed or isinstance(error, TimeoutError):
                raise _RetryableError(f"no answer within {self._timeout:g} s") from error
            if isinstance(error, http.client.IncompleteRead):
                raise _RetryableError("the answer is incomplete") from error
            reason = str(getattr(error, "strerror", None) or error or type(error).__name__).lower()
            raise _RetryableError(self.cleaned(reason)) from error
        finally:
            deadline.cancel()
            connection.close()

    def _redirected(
        self, address: ServerAddress, target: str, response: http.client.HTTPResponse
    ) -> tuple[ServerAddress, str]:
        """Return where a redirect leads; ServerError for another host, which must get neither texts nor key."""
        try:
            url = urljoin(address.origin + target, response.getheader("Location"))
            other = ServerAddress(url)
        except (UsageError, ValueError):  # the latter of urljoin, for a host such as [::1
            raise ServerError(f"{self.address}: {self._redirect(response)}") from None
        if not address.is_same_host(other):
            raise ServerError(f"{self.address}: {self._redirect(response)}")
        parts = urlsplit(url)
        return other, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def _redirect(self, response: http.client.HTTPResponse) -> str:
        location = self.cleaned(masked(response.getheader("Location") or ""))
        return f"{self.cleaned(f'{response.status} {response.reason}')} to {location}; name that address with --server"

    def _parse(self, response: http.client.HTTPResponse, data: bytes) -> Any:
        if response.status in RETRYABLE:
            raise _RetryableError(self._reason(response, data), _retry_after(response.getheader("Retry-After")))
        if response.status in REFUSED:
            raise RecordError(f"the server refuses this request: {self._reason(response, data)}")
        if 300 <= response.status < 400 and response.getheader("Location"):
            raise ServerError(f"{self.address}: {self._redirect(response)}")
        if response.status != 200:
            raise ServerError(f"{self.address}: {self._reason(response, data)}{self._hint(response.status)}")
        answer = self._decode(response, data)
        if error := _error(answer):
            self._raise(*error)
        return answer

    def _decode(self, response: http.client.HTTPResponse, data: bytes) -> Any:
        """Return the answer in a body; asking again helps where it was cut, but not where it is something else."""
        kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        if kind == "text/event-stream" or data.lstrip().startswith((b"data:", b"event:")):
            raise ServerError(f"{self.address}: the answer is a stream of events; turn off streaming on the server")
        try:
            return json.loads(data.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                raise ServerError(f"{self.address}: the answer is not UTF-8, so it is not JSON") from error
            raise _RetryableError("the answer is incomplete") from error
        except (ValueError, RecursionError) as error:
            raise _RetryableError("the answer is not valid JSON") from error

    def _raise(self, message: str, code: object) -> NoReturn:
        """Raise the error that an answer with status 200 tells, as gateways give it for a server behind them."""
        text = self.cleaned(f"the server reports an error: {message}" + (f" ({code})" if code else ""))
        number = int(code) if isinstance(code, int) or (isinstance(code, str) and code.isdecimal()) else 0
        if number in REFUSED:
            raise RecordError(text)
        if number in RETRYABLE or number >= 500 or (not number and any(name in str(code) for name in PASSING)):
            raise _RetryableError(text)
        raise ServerError(f"{self.address}: {text}")

    def _hint(self, status: int) -> str:
        if status not in (401, 403):
            return ""
        if self.address.authorization is not None:
            return "; check the user and the password in --server"
        return "; check OPENAI_API_KEY" if "Authorization" in self._headers else "; set OPENAI_API_KEY"

    def _reason(self, response: http.client.HTTPResponse, data: bytes) -> str:
        """Return the status and the server's error message in one line."""
        try:
            error = _error(json.loads(data))
        except (ValueError, RecursionError):
            error = None
        text = self.cleaned(error[0]) if error else ""
        return self.cleaned(f"{response.status} {response.reason}") + (f": {text}" if text else "")


class _Deadline:
    """Hangs up after some seconds, for a server that sends a byte now and then but never ends, be it in its headers.

    The timeout of a socket is for each piece by itself.
    """

    def __init__(self, connection: http.client.HTTPConnection, seconds: float) -> None:
        self.has_passed = False
        self._connection = connection
        self._end = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._hang_up)
        self._timer.daemon = True
        self._timer.start()

    def _hang_up(self) -> None:
        self.has_passed = True
        found = self._connection.sock
        if found is not None:
            with suppress(OSError):
                socket.socket.shutdown(found, socket.SHUT_RDWR)  # not TLS's own, which asks the server

    def check(self) -> None:
        """Raise TimeoutError if the time has passed: what came until then may look like all of it."""
        if self.has_passed or time.monotonic() > self._end:
            raise TimeoutError

    def cancel(self) -> None:
        """Do not hang up any more."""
        self._timer.cancel()


def _read(response: http.client.HTTPResponse, check: Callable[[], None]) -> bytes:
    """Return the body; `check` raises TimeoutError at the deadline.

    http.client.IncompleteRead if the server ends too early.
    """
    pieces = []
    while piece := response.read1(PIECE):
        pieces.append(piece)
        check()
    data = b"".join(pieces)
    if response.length:  # what is left of Content-Length
        raise http.client.IncompleteRead(data, response.length)
    return data


def _error(answer: Any) -> tuple[str, object] | None:
    """Return the message and the code of an error that an answer tells in place of choices, None if it tells none.

    `{"error": {"message": ..., "code": ...}}`, or `"error"` in the first choice, or the flat form of vLLM and FastAPI.
    """
    if not isinstance(answer, Mapping):
        return None
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else answer
    error = first.get("error") if isinstance(first, Mapping) else None
    if not error and not choices:
        is_flat = answer.get("object") == "error" or "detail" in answer
        error = {"message": answer.get("message") or answer.get("detail"), **answer} if is_flat else None
    if not error:
        return None
    if not isinstance(error, Mapping):
        return str(error), None
    message = error.get("message") or error.get("detail") or error.get("code") or error.get("type") or ""
    return str(message), error.get("code") or error.get("status") or error.get("type")


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
        seconds = float(header)
        return seconds if 0 <= seconds < float("inf") else None
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
