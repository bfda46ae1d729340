"""The gradebook's tables, and what is asked of them, in SQL."""

from __future__ import annotations

from typing import Final

FORMAT: Final = 1
APPLICATION: Final = 0x6D697873  # "mixs": tells a gradebook from other files of SQLite
TABLES: Final = """
CREATE TABLE runs (
    run INTEGER PRIMARY KEY, source TEXT NOT NULL, walls TEXT NOT NULL, again INTEGER NOT NULL, started TEXT NOT NULL,
    finished TEXT
);
CREATE TABLE submissions (
    submission INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL REFERENCES runs, file TEXT NOT NULL,
    sha256 TEXT NOT NULL, assignment TEXT NOT NULL, version TEXT NOT NULL, student TEXT NOT NULL, claimed TEXT NOT NULL,
    status TEXT NOT NULL, total REAL NOT NULL, max REAL NOT NULL, graded TEXT NOT NULL, seconds REAL NOT NULL
);
CREATE INDEX by_file ON submissions (file, sha256);
CREATE TABLE handed_in (
    run INTEGER NOT NULL REFERENCES runs, file TEXT NOT NULL, submission INTEGER NOT NULL REFERENCES submissions,
    PRIMARY KEY (run, file)
);
CREATE TABLE marks (
    submission INTEGER NOT NULL REFERENCES submissions, question TEXT NOT NULL, position INTEGER NOT NULL,
    kind TEXT NOT NULL, level INTEGER NOT NULL, points REAL NOT NULL, max REAL NOT NULL, outcome TEXT NOT NULL,
    misconception TEXT NOT NULL, feedback TEXT NOT NULL, given TEXT NOT NULL, right TEXT NOT NULL,
    PRIMARY KEY (submission, question)
);
CREATE TABLE adjustments (
    adjustment INTEGER PRIMARY KEY AUTOINCREMENT, student TEXT NOT NULL, assignment TEXT NOT NULL,
    question TEXT NOT NULL, points REAL, reason TEXT NOT NULL, made TEXT NOT NULL
);
"""
# Of each student and assignment the file that the latest run with any of them saw, the last by name if it saw several:
# not by the order of grading, which differs from one time to the next where notebooks are graded in parallel.
CURRENT: Final = """
WITH seen AS (
    SELECT h.run AS seen_in, s.* FROM handed_in h JOIN submissions s USING (submission)
    WHERE s.student != '' AND s.assignment != ''
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY student, assignment ORDER BY seen_in DESC, file DESC, submission DESC)
        AS place
    FROM seen
), current AS (SELECT * FROM ranked WHERE place = 1),
latest AS (
    SELECT student, assignment, question, points, reason FROM adjustments WHERE adjustment IN (
        SELECT max(adjustment) FROM adjustments GROUP BY student, assignment, question
    ) AND points IS NOT NULL
)
"""
MARKS: Final = f"""{CURRENT}
SELECT c.student, c.assignment, m.question, m.kind, m.level, coalesce(a.points, m.points) AS points, m.max, m.outcome,
    m.misconception, m.feedback, m.given, m.right, a.points IS NOT NULL AS adjusted, coalesce(a.reason, '') AS reason,
    c.submission, c.file, c.status
FROM current c JOIN marks m USING (submission) LEFT JOIN latest a USING (student, assignment, question)
ORDER BY c.student, c.assignment, m.position
"""
SUBMISSIONS: Final = f"""{CURRENT}
SELECT s.submission, s.run, s.file, s.sha256, s.assignment, s.student, s.claimed, s.status, s.total + coalesce((
    SELECT sum(a.points - m.points) FROM marks m JOIN latest a USING (question)
    WHERE m.submission = s.submission AND a.student = s.student AND a.assignment = s.assignment
        AND s.submission IN (SELECT submission FROM current)
), 0) AS total, s.max, s.graded, s.seconds, s.submission IN (SELECT submission FROM current) AS current
FROM submissions s
"""
POINTS: Final = f"""{CURRENT}
SELECT m.submission, m.question, coalesce(a.points, m.points) AS points
FROM handed_in h JOIN submissions s USING (submission) JOIN marks m USING (submission)
LEFT JOIN latest a ON a.student = s.student AND a.assignment = s.assignment AND a.question = m.question
    AND s.submission IN (SELECT submission FROM current)
WHERE h.run = ? ORDER BY s.file, m.position
"""
