"""What is right, what is nearly right, and which mistake a wrong answer is the mark of.

The key of an assignment, ``exercises/keys/NN_name.py``, is a list of questions of these kinds. A key says how the
right answer is computed from a student's own data (`Own`), and how the usual wrong ones are: an answer that equals one
of those names its misconception.
"""

from mixedsim.classroom.marking.assignment import Assignment, load_key
from mixedsim.classroom.marking.design_question import Design
from mixedsim.classroom.marking.formula_question import Formula
from mixedsim.classroom.marking.misconceptions import MISCONCEPTIONS, Misconception, misconception
from mixedsim.classroom.marking.number_question import Number
from mixedsim.classroom.marking.own import Own
from mixedsim.classroom.marking.question import Question
from mixedsim.classroom.marking.ranking_question import Ranking
from mixedsim.classroom.marking.showcase import Showcase
from mixedsim.classroom.marking.verdict import Verdict
from mixedsim.classroom.marking.word_questions import Choice, Sorting

__all__ = [
    "MISCONCEPTIONS",
    "Assignment",
    "Choice",
    "Design",
    "Formula",
    "Misconception",
    "Number",
    "Own",
    "Question",
    "Ranking",
    "Showcase",
    "Sorting",
    "Verdict",
    "load_key",
    "misconception",
]
