"""The folders a pack's documents were in, as the user would name them."""

from __future__ import annotations

from app.services.pack_roots import roots_of


def test_documents_of_one_folder_have_one_root() -> None:
    paths = ["/home/ann/papers/a.txt", "/home/ann/papers/2024/b.txt", "/home/ann/papers/2025/may/c.txt"]
    assert roots_of(paths, windows=False) == [("/home/ann/papers", 3)]


def test_branches_below_a_folder_of_ones_own_stay_together() -> None:
    paths = ["/home/ann/papers/2024/b.txt", "/home/ann/papers/2025/may/c.txt"]
    assert roots_of(paths, windows=False) == [("/home/ann/papers", 2)]


def test_a_home_folder_is_too_high_up() -> None:
    paths = ["/home/ann/papers/a.txt", "/home/ann/letters/b.txt", "/mnt/scans/c.txt"]
    assert roots_of(paths, windows=False) == [
        ("/home/ann/letters", 1),
        ("/home/ann/papers", 1),
        ("/mnt/scans", 1),
    ]


def test_windows_paths_are_read_as_such() -> None:
    paths = [r"C:\Users\Ann\Papers\a.txt", r"C:\Users\Ann\Papers\x\b.txt", r"D:\Scans\c.txt"]
    assert roots_of(paths, windows=True) == [(r"C:\Users\Ann\Papers", 2), (r"D:\Scans", 1)]


def test_a_file_high_up_has_its_folder_as_root() -> None:
    assert roots_of(["/a.txt", "/home/ann/b.txt"], windows=False) == [("/", 2)]
    assert roots_of([], windows=False) == []
