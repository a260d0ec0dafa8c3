"""`get_file` and its cache; `Sequence`, the base of data that come in batches."""

import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from minitf.keras.utils.archives import extract_archive
from minitf.keras.utils.progbar import Progbar

_BLOCK = 8192


def keras_home() -> str:
    """The folder of Keras's cache and settings: $KERAS_HOME, else ~/.keras."""
    return os.path.expanduser(os.environ.get("KERAS_HOME") or os.path.join("~", ".keras"))


def get_file(
    fname: Any = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: Any = None,
) -> str:
    """The path of a file in the cache; it is downloaded from `origin` first if it is not there.

    The file is `cache_dir`/`cache_subdir`/`fname`, where `cache_dir` is by default $KERAS_HOME or ~/.keras,
    and `fname` the last part of the URL. With a `file_hash` (SHA-256 or MD5) a file that does not match is
    downloaded again. `untar=True` keeps the archive as `fname`.tar.gz and returns the unpacked `fname`;
    `extract=True` unpacks beside the archive, see `extract_archive`. A file appears under its name only
    when it is complete.

    Raises OSError, saying where to put the file, when it cannot be fetched, and ValueError when what
    arrives does not match its hash.
    """
    if origin is None:
        raise ValueError('Please specify the "origin" argument (URL of the file to download).')
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    name = _name(fname, origin)
    if untar:
        name = name.removesuffix(".tar.gz")
    file_name = name + ".tar.gz" if untar else name
    folder = os.path.join(os.path.expanduser(os.fspath(cache_dir or keras_home())), cache_subdir)
    if not os.path.exists(os.path.join(folder, file_name)):
        if untar and os.path.isdir(os.path.join(folder, name)):
            return os.path.join(folder, name)
        folder = _writable(folder, cache_subdir)
    path = os.path.join(folder, file_name)
    if not _cached(path, file_hash, hash_algorithm):
        _download(origin, path, file_hash, hash_algorithm)
    if untar:
        unpacked = os.path.join(folder, name)
        if not os.path.exists(unpacked):
            extract_archive(path, folder, "tar")
        return unpacked
    if extract:
        extract_archive(path, os.path.dirname(path), archive_format)
    return path


def _name(fname: Any, origin: str) -> str:
    name = os.fspath(fname) if fname else os.path.basename(urlsplit(origin).path)
    if name in ("", ".", ".."):
        raise ValueError(
            f"Can't parse the file name from the origin provided: '{origin}'."
            "Please specify the `fname` as the input param."
        )
    return name


def _writable(folder: str, cache_subdir: str) -> str:
    """`folder`, or as Keras does one of the temporary folder when it cannot be written to."""
    try:
        os.makedirs(folder, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    folder = os.path.join(tempfile.gettempdir(), ".keras", cache_subdir)
    os.makedirs(folder, exist_ok=True)
    return folder


def _cached(path: str, file_hash: str | None, algorithm: str) -> bool:
    if not os.path.exists(path):
        return False
    if file_hash is None or validate_file(path, file_hash, algorithm):
        return True
    print(
        "A local file was found, but it seems to be incomplete or outdated because the "
        f"{algorithm} file hash does not match the original value of {file_hash} so we will "
        "re-download the data."
    )
    return False


def _download(origin: str, path: str, file_hash: str | None, algorithm: str) -> None:
    print(f"Downloading data from {origin}")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle, partial = tempfile.mkstemp(
        prefix=os.path.basename(path) + ".", suffix=".part", dir=os.path.dirname(path)
    )
    try:
        with os.fdopen(handle, "wb") as out:
            _fetch(origin, out, path, file_hash)
        if file_hash is not None and not validate_file(partial, file_hash, algorithm):
            raise ValueError(
                f"Incomplete or corrupted file detected. The {algorithm} file hash does not match the "
                f"provided value of {file_hash}."
            )
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def _fetch(origin: str, out: Any, path: str, file_hash: str | None) -> None:
    try:
        with urllib.request.urlopen(origin) as response:
            length = response.headers.get("Content-Length")
            total = int(length) if length is not None else None
            received = _copy_with_bar(response, out, total)
        if total is not None and received < total:
            raise urllib.error.URLError(f"got only {received} out of {total} bytes")
    except urllib.error.HTTPError as error:
        raise _unreachable(origin, error.code, error.msg, path, file_hash) from None
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise _unreachable(origin, error.errno, reason, path, file_hash) from None


def _copy_with_bar(response: Any, out: Any, total: int | None) -> int:
    bar = Progbar(total)
    received = 0
    bar.update(0)
    while block := response.read(_BLOCK):
        out.write(block)
        received += len(block)
        bar.update(received)
    return received


def _unreachable(origin: str, code: Any, reason: Any, path: str, file_hash: str | None) -> OSError:
    checked = f" (its hash must be {file_hash})" if file_hash else ""
    return OSError(
        f"URL fetch failure on {origin}: {code} -- {reason}. To go on without a network, put that file at "
        f"{path}{checked}."
    )


def validate_file(fpath: Any, file_hash: str, algorithm: str = "auto", chunk_size: int = 65535) -> bool:
    """Whether a file has this SHA-256 or MD5 hash ('auto' goes by its length)."""
    is_sha256 = algorithm == "sha256" or algorithm == "auto" and len(file_hash) == 64
    digest = hashlib.sha256() if is_sha256 else hashlib.md5(usedforsecurity=False)
    with open(fpath, "rb") as file:
        while chunk := file.read(chunk_size):
            digest.update(chunk)
    return digest.hexdigest() == str(file_hash)


class Sequence:
    """Base of data that can give any batch by its number.

    A subclass defines `__len__`, the number of batches, and `__getitem__(index)`, which returns a whole
    batch: (inputs, targets) or (inputs, targets, sample_weights).
    """

    def __getitem__(self, index: int) -> Any:
        """The batch number `index`."""
        raise NotImplementedError

    def __len__(self) -> int:
        """The number of batches."""
        raise NotImplementedError

    def on_epoch_end(self) -> None:
        """Called after every epoch."""

    def __iter__(self) -> Iterator[Any]:
        """The batches in order."""
        return (self[i] for i in range(len(self)))
