"""The instructor's guide lists the assignments as their keys have them."""

from __future__ import annotations

from pathlib import Path

from mixedsim.classroom.marking import load_key

ROOT = Path(__file__).parents[2]


def test_every_assignment_stands_in_the_guide_with_its_questions_and_points() -> None:
    text = (ROOT / "book" / "instructors-guide.md").read_text(encoding="utf-8")
    listed = [line for line in text.splitlines() if line.startswith("| `") and line.count("|") == 6]
    keys = [load_key(path) for path in sorted((ROOT / "exercises" / "keys").glob("*.py"))]
    assert listed == [
        f"| `{key.name}` | {key.title} | {', '.join(map(str, key.chapters)) or '–'} | {len(key.questions)} "
        f"| {sum(key.points.values()):g} |"
        for key in keys
    ]
    assert len(keys) >= 12
    assert sum(len(key.questions) for key in keys) > 90
