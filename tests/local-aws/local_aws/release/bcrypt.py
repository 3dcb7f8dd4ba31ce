"""Passwords as Mautic keeps them: bcrypt, by the C library's crypt(3), which Python no longer carries."""

import ctypes
import ctypes.util
import secrets
import string

LETTERS = "./" + string.ascii_letters + string.digits
COST = "04"  # the least: this is no secret worth a second


def hashed(password: str) -> str:
    """The bcrypt hash of a password, as PHP writes it."""
    library = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    salt = "".join(secrets.choice(LETTERS) for _ in range(22))
    answer = library.crypt(password.encode(), f"$2b${COST}${salt}".encode())
    if answer is None or not answer.startswith(b"$2b$"):
        raise RuntimeError("this machine's libcrypt does not know bcrypt: install libcrypt1 of the distribution")
    return answer.decode().replace("$2b$", "$2y$", 1)
