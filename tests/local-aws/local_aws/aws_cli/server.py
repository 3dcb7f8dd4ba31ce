"""`python -m local_aws.aws_cli.server SOCKET`: loads the AWS CLI, then forks for every call.

It has one thread, for only so a fork is a whole process; it waits for calls, for their ends and for their callers at once.
"""

import contextlib
import functools
import gc
import importlib
import json
import os
import random
import selectors
import signal
import socket
import sys
from typing import NoReturn

import awscli
import awscli.botocore.loaders
import awscli.clidriver
import awscli.customizations.cloudformation  # noqa: F401 - what the CLI imports only when a call needs it
import awscli.customizations.s3.subcommands  # noqa: F401 - the same

# Whose models are read before anybody asks: nearly all calls are theirs.
ASKED_MOST = ("cloudformation", "ecr", "ecs", "s3")


class KeptFiles(awscli.botocore.loaders.JSONFileLoader):
    """The CLI's models: what was read before a fork is not read again after it."""

    load_file = staticmethod(functools.cache(awscli.botocore.loaders.JSONFileLoader().load_file))


class Call:
    """One call: the process that runs the CLI, and the connection of whoever waits for it."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        _, self.streams, _, _ = socket.recv_fds(connection, 1, 3)
        self.text = b""
        self.pid = self.process = None

    def hear(self, selector: selectors.BaseSelector) -> None:
        """The call's words in a line, then signals, a byte each; the end of the connection is the end of the caller."""
        try:
            heard = self.connection.recv(65536)
        except ConnectionError:
            heard = b""
        if not heard:
            self.leave(selector)
        elif self.pid is None:
            self.text += heard
            words, is_whole, heard = self.text.partition(b"\n")
            if not is_whole:
                return
            self.start(json.loads(words), selector)
        for number in heard:
            os.kill(self.pid, number)

    def leave(self, selector: selectors.BaseSelector) -> None:
        """Nobody waits any longer."""
        if self.pid is None:
            self.close(selector)
        else:
            os.kill(self.pid, signal.SIGKILL)
            selector.unregister(self.connection)

    def start(self, words: dict, selector: selectors.BaseSelector) -> None:
        """Fork; the child never returns."""
        self.pid = os.fork()
        if self.pid == 0:
            _run(words, self.streams)
        self.process = os.pidfd_open(self.pid)
        selector.register(self.process, selectors.EVENT_READ, self.ended)
        for stream in self.streams:
            os.close(stream)
        self.streams = []

    def ended(self, selector: selectors.BaseSelector) -> None:
        """Tell the caller its status and the signal that ended it; one of the two is 0."""
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        # It is no error that the caller is gone.
        with contextlib.suppress(OSError):
            self.connection.send(bytes([max(code, 0), max(-code, 0)]))
        selector.unregister(self.process)
        os.close(self.process)
        self.close(selector)

    def close(self, selector: selectors.BaseSelector) -> None:
        """Forget it."""
        if self.connection.fileno() in selector.get_map():
            selector.unregister(self.connection)
        self.connection.close()
        for stream in self.streams:
            os.close(stream)


def _run(words: dict, streams: list[int]) -> NoReturn:
    """Become the CLI, in the caller's place."""
    status = 255
    # A call ends before anything would be worth collecting.
    gc.disable()
    try:
        # The server may have been started by one who ignores it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
        # The connections of others' calls: their callers wait for the ends of these.
        for descriptor in map(int, os.listdir("/proc/self/fd")):
            if descriptor > 2:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        os.chdir(words["directory"])
        os.environ.clear()
        os.environ.update(words["environment"])
        # It notes in the environment where its data are.
        importlib.reload(awscli)
        random.seed()
        sys.argv = ["aws", *words["arguments"]]
        status = awscli.clidriver.main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            # A caller that has closed its end hears nothing more.
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(status)


def _load() -> None:
    """Import and read what every call needs; the driver and the clients themselves are made anew by each."""
    awscli.botocore.loaders.Loader.FILE_LOADER_CLASS = KeptFiles
    driver = awscli.clidriver.create_clidriver()
    for service in ASKED_MOST:
        driver.session.create_client(service, region_name="eu-central-1")
    # It is never looked at by the collector again: a call would copy every page of it.
    gc.freeze()


def main() -> None:
    """Listen below a name in the working directory; a line on the output says that it does."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen(128)
    _load()
    os.write(1, b"\n")
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ, None)
        while True:
            for key, _ in selector.select():
                if key.data is None:
                    connection, _ = listener.accept()
                    call = Call(connection)
                    selector.register(connection, selectors.EVENT_READ, call.hear)
                elif key.fd in selector.get_map():
                    key.data(selector)


if __name__ == "__main__":
    main()
