"""get_file: downloads, hashes, the cache; archives that are honest and archives that are not."""

import hashlib
import io
import os
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from minitf.keras.utils import archives, get_file

DATA = b"some bytes of data" * 1000


@pytest.fixture
def origin(tmp_path):
    path = tmp_path / "server" / "data.bin"
    path.parent.mkdir()
    path.write_bytes(DATA)
    return path.as_uri()


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_downloads_once(origin, home, capsys):
    path = get_file("copy.bin", origin)
    assert path == str(home / "datasets" / "copy.bin")
    assert Path(path).read_bytes() == DATA
    out = capsys.readouterr().out
    assert out.startswith(f"Downloading data from {origin}\n")
    assert re.search(r"\r18000/18000 \[={30}\] - 0s \S+/step\n$", out)
    assert get_file("copy.bin", origin) == path
    assert capsys.readouterr().out == ""
    assert os.listdir(home / "datasets") == ["copy.bin"]


def test_the_name_comes_from_the_address(origin, home):
    assert get_file(origin=origin) == str(home / "datasets" / "data.bin")
    with pytest.raises(ValueError, match='Please specify the "origin" argument'):
        get_file("a")
    with pytest.raises(ValueError, match="Can't parse the file name from the origin provided: 'http://x/'"):
        get_file(origin="http://x/")


def test_another_folder(origin, tmp_path, home):
    path = get_file("a", origin, cache_dir=tmp_path / "other", cache_subdir="sub")
    assert path == str(tmp_path / "other" / "sub" / "a")
    assert not home.exists()


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_hashes(origin, home, capsys, algorithm):
    right = hashlib.new(algorithm, DATA).hexdigest()
    path = get_file("a", origin, file_hash=right)
    (home / "datasets" / "a").write_bytes(b"damaged")
    assert get_file("a", origin, file_hash=right) == path
    assert "so we will re-download the data." in capsys.readouterr().out
    assert Path(path).read_bytes() == DATA
    wrong = right[::-1]
    with pytest.raises(
        ValueError, match=f"Incomplete or corrupted file detected. .* provided value of {wrong}"
    ):
        get_file("b", origin, file_hash=wrong)
    assert os.listdir(home / "datasets") == ["a"]


def test_a_missing_file(tmp_path, home):
    gone = (tmp_path / "gone.bin").as_uri()
    with pytest.raises(
        OSError, match="To go on without a network, put that file at .*home/datasets/gone.bin"
    ):
        get_file(origin=gone)
    assert os.listdir(home / "datasets") == []


def test_a_read_only_cache_is_used(origin, home):
    path = get_file("a", origin)
    os.chmod(home / "datasets", 0o555)
    try:
        assert get_file("a", "http://localhost:1/a") == path
    finally:
        os.chmod(home / "datasets", 0o755)


def _tar(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, data in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def _zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def test_untar(tmp_path, home):
    archive = _tar(tmp_path / "flowers.tar.gz", [("flowers/a.txt", b"a"), ("flowers/sub/b.txt", b"b")])
    folder = get_file("flowers", archive.as_uri(), untar=True)
    assert folder == str(home / "datasets" / "flowers")
    assert Path(folder, "sub", "b.txt").read_text() == "b"
    assert sorted(os.listdir(home / "datasets")) == ["flowers", "flowers.tar.gz"]
    assert get_file("flowers.tar.gz", archive.as_uri(), untar=True) == folder


@pytest.mark.parametrize("pack", [_tar, _zip])
def test_extract(tmp_path, home, pack):
    archive = pack(tmp_path / "things.archive", [("x/a", b"1"), ("b", b"2")])
    path = get_file(origin=archive.as_uri(), extract=True)
    assert path == str(home / "datasets" / "things.archive")
    assert (home / "datasets" / "x" / "a").read_bytes() == b"1"
    (home / "datasets" / "x" / "mine").write_bytes(b"stays")
    get_file(origin=archive.as_uri(), extract=True)  # once more, over what is there
    assert sorted(os.listdir(home / "datasets" / "x")) == ["a", "mine"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_kinds_of_tar(tmp_path, mode):
    archive = _tar(tmp_path / "archive", [("a", b"1")], mode)
    assert archives.extract_archive(archive, tmp_path / "out", "tar")
    assert (tmp_path / "out" / "a").read_bytes() == b"1"


def test_what_is_no_archive(tmp_path):
    path = tmp_path / "plain"
    path.write_bytes(b"text")
    assert not archives.extract_archive(path, tmp_path)
    assert not archives.extract_archive(_zip(tmp_path / "z", [("a", b"")]), tmp_path, "tar")
    assert not archives.extract_archive(_zip(tmp_path / "z", [("a", b"")]), tmp_path, None)
    with pytest.raises(ValueError, match="Unknown archive_format: 'rar'"):
        archives.extract_archive(path, tmp_path, "rar")


@pytest.mark.parametrize("pack", [_tar, _zip])
@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/tmp/minitf-evil", "..\\evil", "C:\\evil"])
def test_paths_that_leave_the_folder(tmp_path, pack, name):
    archive = pack(tmp_path / "archive", [("good", b"1"), (name, b"2")])
    with pytest.raises(ValueError, match="points outside of the folder; not extracted"):
        archives.extract_archive(archive, tmp_path / "deep" / "out")
    assert os.listdir(tmp_path / "deep" / "out") == []
    assert not os.path.exists("/tmp/minitf-evil") and not (tmp_path / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices(tmp_path, kind):
    link = tarfile.TarInfo("link")
    link.type, link.linkname = kind, "/etc/passwd"
    archive = _tar(tmp_path / "archive", [(link, b""), ("link/file", b"2")])
    with pytest.raises(ValueError, match="'link' is a link or device"):
        archives.extract_archive(archive, tmp_path / "out")
    assert os.listdir(tmp_path / "out") == []


def test_links_in_zip_files(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    archive = _zip(tmp_path / "archive", [(info, b"/etc/passwd")])
    with pytest.raises(ValueError, match="'link' is a link"):
        archives.extract_archive(archive, tmp_path / "out")


@pytest.mark.parametrize("pack", [_tar, _zip])
def test_bombs(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(archives, "_ALLOWANCE", 1000)
    archive = pack(tmp_path / "archive", [("zeros", bytes(10_000_000))])
    with pytest.raises(ValueError, match="would unpack to far more than its size allows"):
        archives.extract_archive(archive, tmp_path / "out")
    assert os.listdir(tmp_path / "out") == []
