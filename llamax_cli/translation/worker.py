"""What every process but the main one does when several share the work: translate what the main process sends."""

import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection

from llamax_cli.errors import LlamaxError
from llamax_cli.models.contracts import Decoding, ModelChoice
from llamax_cli.models.fingerprint import fingerprints
from llamax_cli.ranks import local_rank, rank, ranks
from llamax_cli.translation.engines.registry import open_engine
from llamax_cli.translation.rendezvous import DISCONNECTED, connect_to_main


def run_worker(choices: Sequence[ModelChoice], decoding: Decoding) -> None:
    """Connect to the main process and translate for it until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal signals every process; the main one decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    serve(connect_to_main(), choices, decoding)


def serve(main: Connection, choices: Sequence[ModelChoice], decoding: Decoding) -> None:
    """Answer messages (engine number, requests) until the main process sends None or disconnects.

    Sends the fingerprints of the models first, then each (index, answer) by itself; an error is sent in their place.
    """
    with suppress(*DISCONNECTED):
        try:
            engines = [open_engine(on_local_gpu(choice), decoding) for choice in choices]
            main.send(fingerprints(choices))
            while (message := main.recv()) is not None:
                number, requests = message
                for answer in engines[number].translate(requests):
                    main.send(answer)
        except LlamaxError as error:
            main.send(type(error)(f"{error} (process {rank()} of {ranks()}, on {socket.gethostname()})"))


def on_local_gpu(choice: ModelChoice) -> ModelChoice:
    """Return the choice with this process's GPU as its device, if there are GPUs and none was chosen."""
    import torch

    if choice.device not in ("auto", "cuda") or not torch.cuda.is_available():
        return choice
    # If each process sees only its own GPU, that is number 0 in all of them.
    return replace(choice, device=f"cuda:{local_rank() % torch.cuda.device_count()}")
