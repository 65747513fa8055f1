"""Writes the dashboards; with --check, only says whether those on disk are what this would write."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True

from boards import ALL  # noqa: E402
from kit.links import MENU  # noqa: E402
from kit.schema import same_after_reading  # noqa: E402

FOLDER = Path(__file__).parent.parent / "dashboards"


def main() -> int:
    parser = argparse.ArgumentParser(prog="dashboards", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    check = parser.parse_args().check
    wanted = {f"{board.uid}.json": board.text() for board in (module.board() for module in ALL)}
    if {f"{uid}.json" for uid, _, _ in MENU} != set(wanted):
        print("dashboards: the menu and the dashboards are not the same", file=sys.stderr)
        return 1
    for name, text in wanted.items():
        same_after_reading(name, text)
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    stale = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if check:
        for name in stale:
            print(f"dashboards: grafana/dashboards/{name} is not what the generator says; run `make dashboards`",
                  file=sys.stderr)
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        if name in wanted:
            (FOLDER / name).write_text(wanted[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()
    print(f"dashboards: {len(wanted)} in grafana/dashboards, {len(stale)} of them changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
