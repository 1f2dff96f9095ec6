"""What stands on the PATH in place of llamax and Python: asks the zygote at a socket to be the command.

Run as `python -IS zygote_client.py SOCKET COMMAND...`, which starts within a hundredth of a second. It gives the
command its own standard streams, folder and environment, waits for it, and ends as it does. SIGINT and SIGTERM are
passed on; if this process is killed, so are the command and what it has started.
"""

import _signal  # json, signal and socket would take longer to import than all else takes
import _socket
import marshal
import os
import sys


def main(address: str, *command: str) -> None:
    """Have the command run, and end as it does."""
    reading, writing = os.pipe()
    request = {"arguments": command, "cwd": os.getcwd(), "env": dict(os.environ)}
    request |= {"limit": None, "fresh": False, "start_new_session": False}
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)  # open while this process lives
    connection.connect(address)
    descriptors = b"".join(each.to_bytes(4, sys.byteorder) for each in (0, 1, 2, writing))
    connection.sendmsg([marshal.dumps(request)], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, descriptors)])
    for descriptor in (writing, 0, 1):  # who reads or writes at the other end must not wait for this process
        os.close(descriptor)
    with os.fdopen(reading) as status:
        pid = int(status.readline())
        for number in (_signal.SIGINT, _signal.SIGTERM):
            _signal.signal(number, lambda number, frame: os.kill(pid, number))
        code = int(status.readline())
    if code < 0:
        _signal.signal(-code, _signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
