"""A server that is busy, slow, broken or gone: nothing is lost, and the error is printed once."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.processes import wait_for
from support.translations import got

from llamax_cli import cli
from llamax_cli.translation.engines import http_client

Reply = Callable[["Handler", dict[str, Any]], None]


class Handler(BaseHTTPRequestHandler):
    """Answers by the function that the test has set."""

    server: "Loopback"

    def do_POST(self) -> None:
        """Read the request, record it, reply."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.seen.append((self.path, body, self.headers.get("Authorization")))
            self.server.busy += 1
            self.server.busiest = max(self.server.busiest, self.server.busy)
        self.is_counted = True
        try:
            self.server.reply(self, body)
        finally:
            self.release()

    def release(self) -> None:
        """Count as no longer busy, before the answer is sent: its reader may be quick."""
        with self.server.lock:
            self.server.busy -= self.is_counted
            self.is_counted = False

    def say(self, status: int, body: object, **headers: str) -> None:
        """Send a status, and a body as JSON or raw bytes."""
        self.release()
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Length": str(len(data)), **named}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class Loopback(ThreadingHTTPServer):
    """A server on this machine."""

    daemon_threads = True

    def __init__(self, reply: Reply) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reply = reply
        self.seen: list[tuple[str, dict[str, Any], str | None]] = []
        self.lock = threading.Lock()
        self.busy = self.busiest = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *_: object) -> None:
        """Ignore clients that disconnected."""


def upper(handler: Handler, body: dict[str, Any], **more: object) -> None:
    """Translate the line before the last, without the name of its language, into capitals."""
    source = body["messages"][0]["content"].split("\n")[-2].partition(": ")[2]
    choices = [
        {"message": {"content": f"{source.upper()} {number or ''}"}, "finish_reason": "stop", **more}
        for number in range(body.get("n", 1))
    ]
    handler.say(200, {"choices": choices})


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Reply], Loopback]]:
    """Return a function that starts a server; waiting is short in these tests."""
    monkeypatch.setattr(http_client, "FIRST_WAIT", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    started: list[Loopback] = []

    def start(reply: Reply) -> Loopback:
        server = Loopback(reply)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of 40 texts, in the folder where the test is."""
    monkeypatch.chdir(tmp_path)
    lines = [json.dumps({"id": str(number), "text": f"text {number}", "lang": "en"}) for number in range(40)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path / "in.jsonl"


def run(server: Loopback | str, *more: str) -> int:
    """Run `llamax translate in.jsonl` with a server and return the exit code."""
    url = server if isinstance(server, str) else server.url
    arguments = ["translate", "in.jsonl", "--engine", "openai", "--server", url, "-o", "out.jsonl"]
    defaults = {"--model": "m", "--into": "de"}
    return cli.run([*arguments, *(word for flag in defaults.items() if flag[0] not in more for word in flag), *more])


def test_a_server_translates(
    serve: Callable[[Reply], Loopback], texts: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """In the order of the input, with several requests at once, with the key, as a chat."""

    def slow(handler: Handler, body: dict[str, Any]) -> None:
        time.sleep(0.02)
        upper(handler, body)

    server = serve(slow)
    assert run(server, "--concurrency", "4") == 0
    assert [record["mt"] for record in got()] == [f"TEXT {number}" for number in range(40)]
    assert got()[0] == {
        "id": "0",
        "src": "text 0",
        "src_lang": "en",
        "tgt_lang": "de",
        "mt": "TEXT 0",
    }
    assert 1 < server.busiest <= 4
    assert {(path, key) for path, _, key in server.seen} == {("/v1/chat/completions", "Bearer secret")}
    assert server.seen[0][1].items() >= {"model": "m", "temperature": 0.0, "max_tokens": 256}.items()
    assert capfd.readouterr().err.startswith("llamax translate: 40 records; ")


def test_the_query_of_the_url_is_sent_with_every_request(serve: Callable[[Reply], Loopback], texts: Path) -> None:
    """Some hosted models expect their version there."""
    server = serve(upper)
    assert run(f"{server.url}/deployments/m/?api-version=2024-10-21", "--limit", "2") == 0
    assert {path for path, *_ in server.seen} == {"/v1/deployments/m/chat/completions?api-version=2024-10-21"}


def test_temporary_failures_are_retried(serve: Callable[[Reply], Loopback], texts: Path) -> None:
    """429 with and without Retry-After, 500, half a body, invalid JSON, a closed connection: the output is the same."""
    failures: list[Reply] = [
        lambda handler, body: handler.say(429, {"error": {"message": "slow down"}}, Retry_After="0.05"),
        lambda handler, body: handler.say(429, {}, Retry_After=formatdate(time.time() - 5, usegmt=True)),
        lambda handler, body: handler.say(503, b"", Retry_After="soon"),
        lambda handler, body: handler.say(500, b"oops"),
        lambda handler, body: handler.say(200, b'{"choices": [{"mess'),
        lambda handler, body: handler.say(200, b"{}", Content_Length="500"),
        lambda handler, body: handler.connection.close(),
    ]
    tried: Counter[str] = Counter()

    def moody(handler: Handler, body: dict[str, Any]) -> None:
        source = body["messages"][0]["content"]
        with handler.server.lock:
            tried[source] += 1
        if tried[source] <= 2:
            failures[(sum(map(ord, source)) + tried[source]) % len(failures)](handler, body)
        else:
            upper(handler, body)

    assert run(serve(moody), "--timeout", "1") == 0
    assert [record["mt"] for record in got()] == [f"TEXT {number}" for number in range(40)]
    assert set(tried.values()) == {3}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            lambda handler, body: handler.say(401, {"error": {"message": "bad\nkey"}}),
            "401 Unauthorized: bad key; check OPENAI_API_KEY",
        ),
        (lambda handler, body: handler.say(404, {"error": "no model m"}), "404 Not Found: no model m"),
        (lambda handler, body: handler.say(429, {}), "429 Too Many Requests (7 attempts)"),
        (
            lambda handler, body: handler.say(200, {"text": "x"}),
            "the answer has no choices; does the server have OpenAI's API?",
        ),
        (
            lambda handler, body: handler.say(200, {"choices": [{}]}),
            "the answer has no text; does the server have OpenAI's API?",
        ),
        (lambda handler, body: time.sleep(3), "no answer within 0.1 s (7 attempts)"),
        (lambda handler, body: handler.say(200, b"{}", Content_Length="500"), "the answer is incomplete (7 attempts)"),
    ],
)
def test_lasting_failures_are_one_line(
    serve: Callable[[Reply], Loopback], texts: Path, capfd: pytest.CaptureFixture[str], reply: Reply, expected: str
) -> None:
    """With the address and the reason."""
    server = serve(reply)
    assert run(server, "--timeout", "0.1") == 1
    assert capfd.readouterr().err == f"llamax translate: {server.url}: {expected}\n"


def test_a_key_that_is_not_set_is_asked_for(
    serve: Callable[[Reply], Loopback], texts: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is set has to be checked instead, as above."""
    monkeypatch.delenv("OPENAI_API_KEY")
    server = serve(lambda handler, body: handler.say(401, {}))
    assert run(server) == 1
    assert capfd.readouterr().err == f"llamax translate: {server.url}: 401 Unauthorized; set OPENAI_API_KEY\n"


def test_no_server_at_the_address(
    texts: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused connection, and invalid addresses."""
    monkeypatch.setattr(http_client, "FIRST_WAIT", 0.01)
    assert run("http://127.0.0.1:9/v1") == 1
    assert capfd.readouterr().err == "llamax translate: http://127.0.0.1:9/v1: connection refused (7 attempts)\n"
    for url in (
        "localhost:8000",
        "http://localhost:abc/v1",
        "http://localhost:99999/v1",
        "http://[::1/v1",
        "http://a..b",
    ):
        assert run(url) == 2
        assert capfd.readouterr().err == (
            f"llamax translate: --server {url} is not a URL such as http://localhost:8000/v1\n"
        )


@pytest.mark.parametrize("key", ["secret\n", "schlüssel"])
def test_an_invalid_key(
    texts: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """It is refused before any request is sent."""
    monkeypatch.setenv("OPENAI_API_KEY", key)
    assert run("http://127.0.0.1:9/v1") == 2
    error = capfd.readouterr().err
    assert error.startswith("llamax translate: OPENAI_API_KEY is not a valid key: ") and error.count("\n") == 1


def test_a_thread_that_dies_ends_the_run(
    texts: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run does not wait for its answer."""
    dead = threading.Event()

    def die(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(http_client.Server, "post", die)
    monkeypatch.setattr(threading, "excepthook", lambda _: dead.set())
    assert run("http://127.0.0.1:9/v1", "--concurrency", "1") == 1
    assert capfd.readouterr().err == "llamax translate: a thread that sends requests to the server has died\n"
    assert dead.wait(10)


def test_a_request_that_is_refused_is_one_bad_record(serve: Callable[[Reply], Loopback], texts: Path) -> None:
    """It is rejected, the others are translated."""

    def choosy(handler: Handler, body: dict[str, Any]) -> None:
        if "text 7\n" in body["messages"][0]["content"]:
            handler.say(400, {"error": {"message": "too long"}})
        else:
            upper(handler, body)

    assert run(serve(choosy), "--rejects", "bad.jsonl") == 0
    assert len(got()) == 39
    bad = json.loads(Path("bad.jsonl").read_text())
    assert (bad["line"], bad["reason"]) == (8, "the server refuses this request: 400 Bad Request: too long")


@pytest.mark.parametrize(("content", "ending"), [("Som", "content_filter"), (None, "stop"), (None, None)])
def test_a_withheld_translation_is_one_bad_record(
    serve: Callable[[Reply], Loopback], texts: Path, content: str | None, ending: str | None
) -> None:
    """It is not an empty translation, unlike one that reached its limit before the first word."""

    def prudish(handler: Handler, body: dict[str, Any]) -> None:
        withheld = {"message": {"content": content}, "finish_reason": ending}
        long = {"message": {"content": None}, "finish_reason": "length"}
        prompt = body["messages"][0]["content"]
        choice = withheld if "text 1\n" in prompt else long if "text 2\n" in prompt else None
        upper(handler, body) if choice is None else handler.say(200, {"choices": [choice]})

    assert run(serve(prudish), "--rejects", "bad.jsonl", "--limit", "3") == 0
    assert [record["mt"] for record in got()] == ["TEXT 0", "", "TEXT 3"]
    assert got()[1]["truncated"] is True
    reason = f"the server withholds the translation: {'content_filter' if content else 'no text'}"
    assert json.loads(Path("bad.jsonl").read_text())["reason"] == reason


def test_a_server_that_gives_too_few_candidates(
    serve: Callable[[Reply], Loopback], texts: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not every server supports several."""
    server = serve(lambda handler, body: upper(handler, {**body, "n": 1}))
    assert run(server, "--sample", "--nbest", "3") == 1
    assert capfd.readouterr().err == f"llamax translate: {server.url}: got 1 of 3 candidates; `n` is not supported\n"


def test_the_rate_limit_is_kept(serve: Callable[[Reply], Loopback], texts: Path) -> None:
    """Ten requests at 600 a minute take most of a second, with any number of threads."""
    start = time.monotonic()
    assert run(serve(upper), "--limit", "10", "--per-minute", "600") == 0
    assert time.monotonic() - start > 0.85


def test_samples_and_cuts(serve: Callable[[Reply], Loopback], texts: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One request gives all candidates, finish reason `length` is a cut, other templates are sent as plain prompts."""
    server = serve(lambda handler, body: upper(handler, body, finish_reason="length"))
    assert run(server, "--sample", "--nbest", "2", "--limit", "4", "--max-new-tokens", "9") == 0
    assert [(record["id"], record["candidate"], record["truncated"]) for record in got()] == [
        ("0", 1, True),
        ("0", 2, True),
        ("1", 1, True),
        ("1", 2, True),
    ]
    assert "4 records (the limit); 2 cut at --max-new-tokens (en-de 2)" in capfd.readouterr().err
    plain = serve(lambda handler, body: handler.say(200, {"choices": [{"text": " Ja.\nEnglish: more"}]}))
    assert run(plain, "--template", "lines", "--limit", "1") == 0
    assert got()[0]["mt"] == "Ja."
    path, body, _ = plain.seen[0]
    assert (path, body["prompt"].split("\n")[1]) == ("/v1/completions", "German:")
    assert run(plain, "--template", "lines", "--limit", "1", "--max-new-tokens", "auto") == 0
    assert "max_tokens" in body and "max_tokens" not in plain.seen[-1][1]


def test_terminated_midway_and_resumed(serve: Callable[[Reply], Loopback], texts: Path) -> None:
    """SIGTERM ends it at once; --resume gives the bytes of an uninterrupted run, and repeats few requests."""

    def slow(handler: Handler, body: dict[str, Any]) -> None:
        time.sleep(0.1)
        upper(handler, body)

    server = serve(slow)
    assert run(server) == 0
    whole = Path("out.jsonl").read_bytes()
    Path("out.jsonl").unlink()
    arguments = ["--model", "m", "--engine", "openai", "--server", server.url, "--into", "de", "--concurrency", "2"]
    command = [sys.executable, "-m", "llamax_cli", "translate", "in.jsonl", *arguments, "-o", "out.jsonl"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ}) as process:
        wait_for(Path("out.jsonl.partial"), 399)
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        error = process.stderr.read().decode()
        assert process.wait(5) == 143
    assert error.startswith("llamax translate: terminated; ") and "go on with --resume" in error
    before = len(server.seen)
    assert run(server, "--resume", "--model", "other") == 1
    assert run(server, "--resume") == 0
    assert Path("out.jsonl").read_bytes() == whole
    assert len(server.seen) - before < 40


def test_options_that_contradict_each_other(
    texts: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are refused before anything is loaded."""
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    server, converted = ["--engine", "openai", "--server", "http://x"], ["--engine", "ctranslate2"]
    for more, expected in (
        (["--engine", "openai"], "--engine openai needs --server URL or OPENAI_BASE_URL in the environment"),
        ([*server, "--beam", "4"], "--engine openai does not support beam search; leave --beam out"),
        ([*server, "--quantize", "8bit"], "--engine openai does not support --quantize 8bit"),
        (["--sample", "--beam", "4"], "--sample does not use beams; leave --beam out"),
        (["--nbest", "5"], "--nbest 5 needs at least as many beams (--beam 5), or --sample"),
        (
            [*converted, "--lora", "x"],
            "--engine ctranslate2 does not support --lora; merge the adapter into the model first",
        ),
        (
            [*converted, "--quantize", "4bit"],
            "--engine ctranslate2 does not support --quantize 4bit; it supports 8bit",
        ),
        ([*converted, "--sample"], "--engine ctranslate2 does not support --sample; use --engine hf"),
        (["--template", "quen2"], "unknown template 'quen2'; did you mean qwen2?"),
        (["--into", "klingonish"], None),
        (["--max-new-tokens", "many"], None),
        (["--engine", "hg"], None),
    ):
        assert cli.run(["translate", "in.jsonl", "--model", "m", *more]) == 2
        error = capfd.readouterr().err
        assert error.startswith("llamax translate: ") and error.count("\n") == 1
        assert expected is None or error == f"llamax translate: {expected}\n"


# -- secrets -----------------------------------------------------------------------------------------------------------

SECRETS = ["pa:ss", "pa%3Ass", "K3Y", "sk-0123", "Ym9iOnBhOnNz"]  # the last is bob:pa:ss as it is sent


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_secret_in_the_address_is_told_nowhere(
    serve: Callable[[Reply], Loopback],
    texts: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    by_variable: bool,
) -> None:
    """Not in the manifest, the state of a run, the rejects or an error, even where the server repeats it."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123")

    def parrot(handler: Handler, body: dict[str, Any]) -> None:
        if "text 3\n" in body["messages"][0]["content"]:
            echo = f"{handler.path} {handler.headers['Authorization']} {' '.join(SECRETS)} {'x' * 190}K3Y"
            handler.say(status, {"error": {"message": echo}})
        else:
            upper(handler, body)

    server = serve(parrot)
    address = server.url.replace("//", "//bob:pa%3Ass@") + "?key=K3Y&api-version=7"
    for status in (400, 401, 404, 500):
        rejects = ["--rejects", "bad.jsonl", "--limit", "5"] if status == 400 else []
        arguments = ["translate", "in.jsonl", "--model", "m", "--engine", "openai", "--into", "de", "-o", "out.jsonl"]
        arguments += ["--manifest", "manifest.json", *rejects]
        monkeypatch.setenv("OPENAI_BASE_URL", address if by_variable else "http://127.0.0.1:9")
        code = cli.run([*arguments, *([] if by_variable else ["--server", address])])
        assert code == (0 if rejects else 1)
        told = capfd.readouterr().err + "".join(path.read_text() for path in texts.parent.glob("*"))
        assert not [secret for secret in SECRETS if secret in told], told
        assert "***" in told
    assert {(path, key) for path, _, key in server.seen} == {
        ("/v1/chat/completions?key=K3Y&api-version=7", "Basic Ym9iOnBhOnNz")
    }
    shown = "http://***@127.0.0.1:9/v1?key=***&api-version=7"
    assert json.loads(Path("manifest.json").read_text())["arguments"]["server"] == (
        None if by_variable else shown.replace(":9/", f":{server.server_port}/")
    )


def test_a_run_is_resumed_with_another_password(serve: Callable[[Reply], Loopback], texts: Path) -> None:
    """It does not change the translations."""

    def strict(handler: Handler, body: dict[str, Any]) -> None:
        handler.say(401, {}) if "text 9\n" in body["messages"][0]["content"] else upper(handler, body)

    server = serve(strict)
    assert run(server.url.replace("//", "//bob:old@")) == 1
    server.reply = upper
    assert run(server.url.replace("//", "//bob:new@"), "--resume") == 0
    assert len(got()) == 40


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("bob:secret@host", "***@host"),
        ("http://bob:sec/ret@host", "http://***@host"),
        ("http://bob:secret@host:abc/v1?key=secret", "http://***@host:abc/v1?key=***"),
    ],
)
def test_a_wrong_address_does_not_tell_its_secrets(
    texts: Path, capfd: pytest.CaptureFixture[str], url: str, shown: str
) -> None:
    """It is refused by the form without them."""
    assert run(url) == 2
    assert capfd.readouterr().err == (
        f"llamax translate: --server {shown} is not a URL such as http://localhost:8000/v1\n"
    )


# -- servers that speak otherwise --------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["0", "-5", "nan", formatdate(0, usegmt=True), "0.0"])
def test_a_server_that_asks_for_no_wait_is_waited_out(
    serve: Callable[[Reply], Loopback], texts: Path, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    """Its hint can lengthen the pauses, but not shorten them."""
    monkeypatch.setattr(http_client, "FIRST_WAIT", 0.05)
    started = time.monotonic()

    def busy(handler: Handler, body: dict[str, Any]) -> None:
        if time.monotonic() - started < 0.6:
            handler.say(429, {}, Retry_After=header)
        else:
            upper(handler, body)

    assert run(serve(busy), "--limit", "1") == 0


def test_half_of_a_character_is_one_bad_record(serve: Callable[[Reply], Loopback], texts: Path) -> None:
    """A model that was cut within an emoji, as JSON can say it and UTF-8 cannot."""

    def cut(handler: Handler, body: dict[str, Any]) -> None:
        if "text 1\n" in body["messages"][0]["content"]:
            handler.say(200, b'{"choices":[{"finish_reason":"stop","message":{"content":"a\\ud83d"}}]}')
        else:
            upper(handler, body)

    assert run(serve(cut), "--rejects", "bad.jsonl", "--limit", "3") == 0
    assert [record["mt"] for record in got()] == ["TEXT 0", "TEXT 2", "TEXT 3"]
    reason = json.loads(Path("bad.jsonl").read_text())["reason"]
    assert reason == r"the answer is not a text: it has half of a character, \ud83d"


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"message": "upstream overloaded", "code": 502}},
        {"error": {"message": "slow down", "code": "429"}},
        {"error": {"message": "slow down", "type": "rate_limit_error"}},
        {"choices": [{"error": {"message": "upstream", "code": 503}, "finish_reason": "error"}]},
        {"object": "error", "message": "engine is dead", "code": 500},
    ],
)
def test_a_passing_error_with_status_200_is_asked_again(
    serve: Callable[[Reply], Loopback], texts: Path, answer: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """And told in the server's words where it lasts."""
    asked: Counter[str] = Counter()

    def gateway(handler: Handler, body: dict[str, Any]) -> None:
        with handler.server.lock:
            asked[str(body)] += 1
        handler.say(200, answer) if asked[str(body)] < 3 else upper(handler, body)

    assert run(serve(gateway), "--limit", "2") == 0
    assert [record["mt"] for record in got()] == ["TEXT 0", "TEXT 1"]
    capfd.readouterr()
    assert run(serve(lambda handler, body: handler.say(200, answer)), "--limit", "1") == 1
    error = capfd.readouterr().err
    assert "the server reports an error: " in error and "(7 attempts)" in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            lambda handler, body: handler.say(200, {"error": "no such model"}),
            "the server reports an error: no such model",
        ),
        (
            lambda handler, body: handler.say(200, b'data: {"choices": []}\n\n', Content_Type="text/event-stream"),
            "the answer is a stream of events; turn off streaming on the server",
        ),
        (
            lambda handler, body: handler.say(200, b'data: {"x": 1}\n'),
            "the answer is a stream of events; turn off streaming on the server",
        ),
        (
            lambda handler, body: handler.say(200, '{"choices":[{"message":{"content":"schön"}}]}'.encode("latin-1")),
            "the answer is not UTF-8, so it is not JSON",
        ),
        (
            lambda handler, body: handler.say(307, b"", Location="http://elsewhere.example/v1?key=K"),
            "307 Temporary Redirect to http://elsewhere.example/v1?key=***; name that address with --server",
        ),
        (
            lambda handler, body: handler.say(302, b"", Location="/login"),
            "302 Found to /login; name that address with --server",
        ),
        (
            lambda handler, body: handler.say(307, b"", Location="http://[::1/v1"),
            "307 Temporary Redirect to http://[::1/v1; name that address with --server",
        ),
        (lambda handler, body: handler.say(308, b"", Location=handler.path), "it redirects again and again"),
        (lambda handler, body: handler.say(404, {"detail": "Not Found"}), "404 Not Found: Not Found"),
    ],
)
def test_what_asking_again_cannot_mend_is_told_at_once(
    serve: Callable[[Reply], Loopback], texts: Path, capfd: pytest.CaptureFixture[str], reply: Reply, expected: str
) -> None:
    """After the first answer."""
    server = serve(reply)
    assert run(server, "--concurrency", "1") == 1
    assert capfd.readouterr().err == f"llamax translate: {server.url}: {expected}\n"
    assert len(server.seen) <= http_client.REDIRECTS


def test_a_redirect_on_the_same_host_is_followed(serve: Callable[[Reply], Loopback], texts: Path) -> None:
    """With the key, which no other host gets."""

    def moved(handler: Handler, body: dict[str, Any]) -> None:
        if handler.path.startswith("/v1"):
            handler.say(307, b"", Location="/v2/chat/completions?x=1")
        else:
            upper(handler, body)

    server = serve(moved)
    assert run(server, "--limit", "2") == 0
    assert [record["mt"] for record in got()] == ["TEXT 0", "TEXT 1"]
    assert {key for *_, key in server.seen} == {"Bearer secret"}
    other = serve(upper)
    elsewhere = serve(lambda handler, body: handler.say(307, b"", Location=f"{other.url}/chat/completions"))
    Path("out.jsonl").unlink()
    assert run(elsewhere, "--limit", "2") == 1
    assert not other.seen


def test_the_newer_name_of_the_limit_is_learnt(serve: Callable[[Reply], Loopback], texts: Path) -> None:
    """At the first answer, so that no record is rejected."""

    def newer(handler: Handler, body: dict[str, Any]) -> None:
        if "max_tokens" in body:
            message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            handler.say(400, {"error": {"message": message}})
        else:
            upper(handler, body)

    server = serve(newer)
    assert run(server, "--concurrency", "1", "--limit", "5") == 0
    assert len(got()) == 5
    assert [body.get("max_completion_tokens") for _, body, _ in server.seen] == [None, *[256] * 5]


@pytest.mark.parametrize(
    ("more", "hint"),
    [([], "; the model only draws at random: add --sample --top-p 1"), (["--sample"], "")],
)
def test_a_setting_that_the_model_does_not_support_ends_the_run(
    serve: Callable[[Reply], Loopback], texts: Path, capfd: pytest.CaptureFixture[str], more: list[str], hint: str
) -> None:
    """It is the same in all requests, so that --rejects would set all records aside; also after the newer limit."""

    def reasoning(handler: Handler, body: dict[str, Any]) -> None:
        message = "Unsupported value: 'temperature' does not support this value with this model."
        if "max_tokens" in body:
            message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        if body.get("temperature") == 1 and body.get("top_p") == 1 and "max_tokens" not in body:
            upper(handler, body)
        else:
            handler.say(400, {"error": {"message": message}})

    server = serve(reasoning)
    assert run(server, "--concurrency", "1", "--rejects", "bad.jsonl", *more) == 1
    refusal = "the server refuses this request: 400 Bad Request: Unsupported value: 'temperature' does not support"
    assert capfd.readouterr().err == f"llamax translate: {server.url}: {refusal} this value with this model.{hint}\n"
    assert len(server.seen) == 2
    assert run(server, "--concurrency", "1", "--limit", "2", "--sample", "--top-p", "1") == 0
    assert [record["mt"] for record in got()] == ["TEXT 0", "TEXT 1"]


def test_a_refusal_that_depends_on_the_text_makes_a_bad_record(serve: Callable[[Reply], Loopback], texts: Path) -> None:
    """Such as one about the limit of tokens, which the next record may not reach."""

    def full(handler: Handler, body: dict[str, Any]) -> None:
        if source_of(body) == "text 1":
            handler.say(400, {"error": {"message": "'max_tokens' is too large; the model supports 9 tokens"}})
        else:
            upper(handler, body)

    assert run(serve(full), "--limit", "2", "--rejects", "bad.jsonl") == 0
    assert [record["mt"] for record in got()] == ["TEXT 0", "TEXT 2"]


@pytest.mark.parametrize("part", ["body", "headers", "status"])
def test_an_answer_that_never_ends_is_a_slow_one(
    serve: Callable[[Reply], Loopback], texts: Path, capfd: pytest.CaptureFixture[str], part: str
) -> None:
    """However often a piece of it comes; the timeout of a socket would begin anew each time."""

    def drip(handler: Handler, body: dict[str, Any]) -> None:
        handler.release()
        if part == "body":
            handler.send_response(200)
            handler.send_header("Content-Length", "9999")
            handler.end_headers()
        elif part == "headers":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(200):
            handler.wfile.write(b" ")
            time.sleep(0.05)

    server = serve(drip)
    started = time.monotonic()
    assert run(server, "--concurrency", "1", "--timeout", "0.2", "--limit", "1") == 1
    assert time.monotonic() - started < 8
    assert capfd.readouterr().err == f"llamax translate: {server.url}: no answer within 0.2 s (7 attempts)\n"


@pytest.mark.parametrize(
    ("ending", "expected"),
    [("length", []), ("stop", ["the server withholds the translation: no text"])],
)
def test_a_message_without_content_has_no_text(
    serve: Callable[[Reply], Loopback], texts: Path, ending: str, expected: list[str]
) -> None:
    """As some servers answer where the limit of tokens was spent on reasoning; the run goes on."""
    choice = {"message": {"role": "assistant"}, "finish_reason": ending}
    server = serve(lambda handler, body: handler.say(200, {"choices": [choice]}))
    texts.write_text(texts.read_text().partition("\n")[0] + "\n")
    assert run(server, "--rejects", "bad.jsonl") == 0
    assert [(record["mt"], record["truncated"]) for record in got()] == ([] if expected else [("", True)])
    assert [json.loads(line)["reason"] for line in Path("bad.jsonl").read_text().splitlines()] == expected


def test_content_may_be_a_list_of_parts(serve: Callable[[Reply], Loopback], texts: Path) -> None:
    """Of which the text is read."""
    parts = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Ja"}, {"type": "text", "text": "!"}]
    choice = {"message": {"content": parts}, "finish_reason": "stop"}
    assert run(serve(lambda handler, body: handler.say(200, {"choices": [choice]})), "--limit", "1") == 0
    assert got()[0]["mt"] == "Ja!"


@pytest.mark.parametrize(
    ("content", "ending", "expected"),
    [
        ("<think>\nHm, ja.\n</think>\n\nJa.", "stop", ["Ja."]),
        ("Hm, ja.\n</think>\n\nJa.", "stop", ["Ja."]),
        ("<think>\nHm, ja", "length", [""]),
        ("<think>\nHm, ja", "stop", []),
    ],
)
def test_reasoning_is_left_out_and_counted(
    serve: Callable[[Reply], Loopback],
    texts: Path,
    capfd: pytest.CaptureFixture[str],
    content: str,
    ending: str,
    expected: list[str],
) -> None:
    """It is no translation; what was cut in it has none."""
    choice = {"message": {"content": content}, "finish_reason": ending}
    server = serve(lambda handler, body: handler.say(200, {"choices": [choice]}))
    texts.write_text(texts.read_text().partition("\n")[0] + "\n")
    assert run(server, "--rejects", "bad.jsonl") == 0
    assert [record["mt"] for record in got()] == expected
    assert all(record.get("truncated", False) is (ending == "length") for record in got())
    if expected:
        assert "1 after reasoning, which is left out" in capfd.readouterr().err
    else:
        assert json.loads(Path("bad.jsonl").read_text())["reason"] == "the answer is reasoning without a translation"


# -- answers that are kept ---------------------------------------------------------------------------------------------


def source_of(body: dict[str, Any]) -> str:
    """Return the text that a request is about."""
    text: str = body["messages"][0]["content"].split("\n")[-2].partition(": ")[2]
    return text


@pytest.mark.parametrize("number", [0, 3])
def test_answers_that_are_there_when_a_run_ends_are_kept(
    serve: Callable[[Reply], Loopback], texts: Path, number: int
) -> None:
    """A record that fails holds back the others; resuming asks for it alone. Another model is asked for all."""

    def failing(handler: Handler, body: dict[str, Any]) -> None:
        if source_of(body) == f"text {number}":
            time.sleep(0.5)
            handler.say(401, {})
        else:
            upper(handler, body)

    server = serve(failing)
    assert run(server, "--concurrency", "4") == 1
    assert Path("out.jsonl.partial.answers").exists()
    assert len(server.seen) == 40
    server.reply = upper
    if number == 0:  # nothing is written yet, so there is nothing to compare the model with
        assert run(server, "--resume", "--model", "other", "--manifest", "m.json") == 0
        assert len(server.seen) == 80
        Path("out.jsonl").unlink()
        server.reply = failing
        assert run(server, "--concurrency", "4") == 1
        server.reply = upper
    before = len(server.seen)
    assert run(server, "--resume") == 0
    assert [source_of(body) for _, body, _ in server.seen[before:]] == [f"text {number}"]
    assert [record["mt"] for record in got()] == [f"TEXT {each}" for each in range(40)]
    assert not list(texts.parent.glob("*.answers*"))


def test_a_pivot_keeps_the_answers_of_both_steps(serve: Callable[[Reply], Loopback], texts: Path) -> None:
    """So that no sentence is translated twice."""
    pairs = [{"id": str(number), "src": f"text {number}", "src_lang": "fr", "tgt_lang": "de"} for number in range(9)]
    texts.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))

    def failing(handler: Handler, body: dict[str, Any]) -> None:
        if source_of(body) == "TEXT 0":
            time.sleep(0.5)
            handler.say(401, {})
        else:
            upper(handler, body)

    server = serve(failing)
    arguments = ["pivot", "in.jsonl", "--model", "m", "--engine", "openai", "--server", server.url, "-o", "out.jsonl"]
    assert cli.run(arguments) == 1
    before = len(server.seen)
    server.reply = upper
    assert cli.run([*arguments, "--resume"]) == 0
    assert [source_of(body) for _, body, _ in server.seen[before:]] == ["TEXT 0"]
    assert [(record["mt"], record["pivot"]) for record in got()] == [(f"TEXT {each}",) * 2 for each in range(9)]


def test_kept_answers_that_are_damaged_are_asked_for_again(serve: Callable[[Reply], Loopback], texts: Path) -> None:
    """They only save time."""
    server = serve(upper)
    Path("out.jsonl.partial.answers").write_bytes(b'{"key": 3')
    assert run(server, "--resume") == 0
    assert len(server.seen) == 40
