"""What a sample must show to teach its lesson: ``pooled(depression) < 0 < within(depression)``.

A lesson as text compares statistics of the data that the reader gets:

- ``pooled(x)``: the slope of the response on x alone, by least squares, clusters ignored;
- ``within(x)``: the slope inside the clusters (both centred on their cluster's mean);
- ``between(x)``: the slope of the clusters' means of the response on their means of x;
- ``mean(v)``, ``sd(v)``, ``cor(x, z)``, ``share(v == 'level')``, ``missing(v)`` (a share of the rows), ``rows()``;
- ``icc()``: the intraclass correlation of the response, by analysis of variance.

With several clusters ``within``, ``between`` and ``icc`` take the name of one as their last argument. Where a variable
stands, a comparison may stand, which is 1 where true: ``pooled(arm == 'new')``. Around the statistics there are
numbers, ``+ - * / **``, ``abs``, ``sqrt``, ``exp`` and ``log``, comparisons, also in a chain, and ``and``, ``or``,
``not``.

As with expressions, Python's own parser takes the text apart, and only these nodes are ever evaluated.

>>> import mixedsim as ms
>>> clinic = ms.scenarios.therapist_plain(therapists=10, patients=5).with_(lesson="icc() < 0 < pooled(depression)")
>>> sample = clinic.draw(seed=1, lesson=True)
>>> sample.truth.skipped, sample.truth.seed
(2, 2000000001)
"""

from mixedsim.simulate.lesson.walking import Lesson, drawn, lesson_text, settled_lesson, shows_lesson

__all__ = ["Lesson", "drawn", "lesson_text", "settled_lesson", "shows_lesson"]
