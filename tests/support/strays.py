"""What desktops, editors and interrupted copies leave in every folder."""

from pathlib import Path

STRAYS = (
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    "._000001.json",
    "000001.json~",
    ".000001.json.swp",
    "copy.bak",
    "~$x",
)


def strew(folder: Path) -> None:
    """Leave all of them in a folder, and an empty folder beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in STRAYS:
        (folder / name).write_bytes(b"\0\xff no text")
    (folder / "new folder").mkdir()
