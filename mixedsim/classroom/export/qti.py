"""Canvas' flavour of IMS QTI 1.2: a zip archive with one quiz, whose every question is a group that picks one variant.

.. code-block:: text

    imsmanifest.xml     what the archive holds
    NAME/NAME.xml       the quiz
    media/*.csv         the data that the questions link to

Source: IMS Question & Test Interoperability: ASI XML Binding Specification 1.2 (2002); what Canvas writes itself is in
its ``lib/cc/qti``, what it reads in its ``qti_exporter``.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from html import escape
from typing import IO, Final
from urllib.parse import quote

from mixedsim.classroom.export.qti_item import item_xml
from mixedsim.classroom.export.variants import Exam, Variant

MEDIA: Final = "media"
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)  # the same archive from the same data, whenever it is written
_QTI: Final = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
_PACKAGE: Final = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"


def write(exam: Exam, questions: Sequence[str], variants: Sequence[Variant], file: IO[bytes]) -> None:
    """Write the variants of `questions` as one archive."""
    name = exam.key.name
    with zipfile.ZipFile(file, "w") as archive:
        _add(archive, "imsmanifest.xml", "".join(_manifest(name, variants)))
        _add(archive, f"{name}/{name}.xml", "".join(_quiz(exam, questions, variants)))
        for variant in variants:
            for called, text in variant.files.items():
                _add(archive, f"{MEDIA}/{called}", text)


def _add(archive: zipfile.ZipFile, path: str, text: str) -> None:
    entry = zipfile.ZipInfo(path, _LONG_AGO)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, text.encode())


def _manifest(name: str, variants: Sequence[Variant]) -> Iterator[str]:
    """The data are files of the quiz's own resource: Canvas takes a file that is a resource by itself for no data."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<manifest identifier="{_ident("manifest", name)}" xmlns="{_PACKAGE}">\n'
    yield "<metadata>\n<schema>IMS Content</schema>\n<schemaversion>1.1.3</schemaversion>\n</metadata>\n"
    yield f'<organizations/>\n<resources>\n<resource identifier="{_ident("quiz", name)}" type="imsqti_xmlv1p2">\n'
    yield f'<file href="{quote(name)}/{quote(name)}.xml"/>\n'
    for variant in variants:
        for called in variant.files:
            yield f'<file href="{MEDIA}/{quote(called)}"/>\n'
    yield "</resource>\n</resources>\n</manifest>\n"


def _quiz(exam: Exam, questions: Sequence[str], variants: Sequence[Variant]) -> Iterator[str]:
    name = exam.key.name
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<questestinterop xmlns="{_QTI}" xmlns:xsi="{_INSTANCE}" xsi:schemaLocation="{_QTI} {_QTI}p1.xsd">\n'
    yield f'<assessment ident="{_ident("quiz", name)}" title="{escape(f"{name} {exam.key.title}")}">\n'
    yield "<qtimetadata>\n<qtimetadatafield>\n<fieldlabel>cc_maxattempts</fieldlabel>\n<fieldentry>1</fieldentry>\n"
    yield '</qtimetadatafield>\n</qtimetadata>\n<section ident="root_section">\n'
    for question in questions:
        yield from _group(exam, question, variants)
    yield "</section>\n</assessment>\n</questestinterop>\n"


def _group(exam: Exam, question: str, variants: Sequence[Variant]) -> Iterator[str]:
    """All variants of one question, of which every student gets one at random."""
    name, points = exam.key.name, exam.key.points[question]
    yield f'<section ident="{_ident("group", name, question)}" title="{escape(f"{name} {question}")}">\n'
    yield "<selection_ordering>\n<selection>\n<selection_number>1</selection_number>\n"
    yield f"<selection_extension>\n<points_per_item>{points:g}</points_per_item>\n</selection_extension>\n"
    yield "</selection>\n</selection_ordering>\n"
    for variant in variants:
        yield from item_xml(variant.items[question], _ident("item", name, question, variant.student), f"{MEDIA}/")
    yield "</section>\n"


def _ident(*parts: str) -> str:
    """An identifier that begins with a letter, has no odd character and is the same every time."""
    return "i" + hashlib.blake2b("\n".join(parts).encode(), digest_size=15).hexdigest()
