"""What stands on the PATH in place of llamax and Python: asks the zygote at a socket to be the command.

Run as `python -IS zygote_client.py SOCKET COMMAND...`, which starts within a few hundredths of a second. It gives the
command its own standard streams, folder and environment, waits for it, and ends as it does. SIGINT and SIGTERM are
passed on.
"""

import json
import os
import signal
import socket
import sys


def main(address: str, *command: str) -> None:
    """Have the command run, and end as it does."""
    reading, writing = os.pipe()
    request = {"arguments": command, "cwd": os.getcwd(), "env": dict(os.environ), "limit": None, "fresh": False}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.connect(address)
        socket.send_fds(connection, [json.dumps(request).encode()], [0, 1, 2, writing])
    for descriptor in (writing, 0, 1):  # who reads or writes at the other end must not wait for this process
        os.close(descriptor)
    with os.fdopen(reading) as status:
        pid = int(status.readline())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, frame: os.kill(pid, number))
        code = int(status.readline())
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
