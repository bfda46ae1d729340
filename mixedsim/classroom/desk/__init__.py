"""The instructor's desk: a course and its roster, who owns a notebook, grading, the gradebook, hand-outs and lists."""
