"""Unpacking downloaded archives without trusting them."""

import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from typing import IO, Any

# What an archive may unpack to: so many bytes, and so many more for each of its own.
_ALLOWANCE = 256 * 2**20
_RATIO = 100


def extract_archive(file_path: Any, path: Any = ".", archive_format: Any = "auto") -> bool:
    """Unpacks a tar (plain, gz, bz2, xz) or zip file into the folder `path`; False if it is neither.

    `archive_format` is 'tar', 'zip', a list of these, 'auto' for both, or None for neither.
    Files appear under their names only when the whole archive has been read. Archives with paths that leave
    the folder, with links or devices, or that would unpack to absurdly much raise ValueError; nothing of
    them is kept.
    """
    if archive_format == "auto":
        archive_format = ["tar", "zip"]
    formats = [archive_format] if isinstance(archive_format, str) else archive_format or []
    for name in formats:
        if name not in _KINDS:
            raise ValueError(f"Unknown archive_format: {name!r}. Expected 'tar', 'zip', 'auto' or None.")
        is_kind, members = _KINDS[name]
        if is_kind(file_path):
            _unpack(os.fspath(file_path), os.fspath(path), members)
            return True
    return False


def _tar_members(file_path: str) -> Iterator[tuple[str, int | None, Any]]:
    with tarfile.open(file_path) as archive:
        for member in archive:
            if member.isdir():
                yield member.name, None, None
            elif member.isreg():
                yield member.name, member.size, archive.extractfile(member)
            else:
                raise ValueError(f"{file_path}: {member.name!r} is a link or device; such are not extracted.")


def _zip_members(file_path: str) -> Iterator[tuple[str, int | None, Any]]:
    with zipfile.ZipFile(file_path) as archive:
        for member in archive.infolist():
            if (member.external_attr >> 16) & 0o170000 == 0o120000:
                raise ValueError(f"{file_path}: {member.filename!r} is a link; such are not extracted.")
            if member.is_dir():
                yield member.filename, None, None
            else:
                with archive.open(member) as file:
                    yield member.filename, member.file_size, file


_KINDS = {"tar": (tarfile.is_tarfile, _tar_members), "zip": (zipfile.is_zipfile, _zip_members)}


def _unpack(file_path: str, path: str, members: Any) -> None:
    os.makedirs(path, exist_ok=True)
    limit = _ALLOWANCE + _RATIO * os.path.getsize(file_path)
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=path) as staging:
        for name, size, file in members(file_path):
            target = _inside(staging, name, file_path)
            if file is None:
                os.makedirs(target, exist_ok=True)
                continue
            limit -= size
            if limit < 0:
                raise ValueError(f"{file_path} would unpack to far more than its size allows; not extracted.")
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as out:
                _copy(file, out, size)
        _move_all(staging, path)


def _inside(folder: str, name: str, file_path: str) -> str:
    """The path of a member in `folder`. Raises ValueError when it would lie outside."""
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise ValueError(f"{file_path}: {name!r} points outside of the folder; not extracted.")
    return os.path.join(folder, *[part for part in parts if part not in ("", ".")])


def _copy(file: IO[bytes], out: IO[bytes], size: int) -> None:
    """Copies at most the announced number of bytes."""
    while size > 0:
        block = file.read(min(size, 1 << 20))
        if not block:
            raise ValueError(f"{out.name}: the archive ends in the middle of this file.")
        out.write(block)
        size -= len(block)


def _move_all(staging: str, path: str) -> None:
    """Moves what was unpacked to its place: whole folders where they are new, else file by file."""
    for entry in os.scandir(staging):
        target = os.path.join(path, entry.name)
        if entry.is_dir() and os.path.isdir(target):
            _move_all(entry.path, target)
        else:
            if os.path.isdir(target):
                shutil.rmtree(target)
            os.replace(entry.path, target)
