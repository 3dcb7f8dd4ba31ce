# The command `aws`: hands its call to the server below ADDRESS, its signals too, and ends as the call ends.
import json
import os
import signal
import socket
import sys

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    directory, name = os.path.split(ADDRESS)  # noqa: F821 - the line above, which `served` writes
    call = {"arguments": sys.argv[1:], "environment": dict(os.environ), "directory": os.getcwd()}
    # Relative: a socket's address may have 107 bytes, and a folder's more.
    os.chdir(directory)
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(name)
        except OSError as error:
            sys.exit(f"aws: the server of this command, {ADDRESS}, does not answer: {error}")  # noqa: F821
        for number in PASSED_ON:
            # What whoever calls has us ignore, as a shell does for what it runs in the background, is not passed on either.
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, lambda number, _: server.send(bytes([number])))
        with socket.socket(fileno=os.dup(server.fileno())) as sending:
            socket.send_fds(sending, [b"\n"], [0, 1, 2])
            sending.sendall(json.dumps(call).encode() + b"\n")
        answer = server.recv(2)
    if len(answer) < 2:
        sys.exit("aws: the server of this command ended before the call did")
    status, number = answer
    if number:
        # As whoever waits expects of a process that a signal ended.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    return status


sys.exit(main())
