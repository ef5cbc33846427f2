"""Reading an XML file that somebody else may have written: bounded in bytes, without entities.

A document type can let a few hundred bytes stand for billions of characters or name files of this
machine; it is refused before anything in it is expanded.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree


class XmlError(ValueError):
    """A file that is no XML, or more of it than is read; the text names the file."""


class _NoDoctype(ElementTree.TreeBuilder):
    """Refuses a document type where it begins."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Called where a document type begins."""
        del pubid, system
        raise XmlError(f'document type {name!r}: entities are refused; expected a file without')


def read_xml(path: Path, most_bytes: int) -> ElementTree.Element:
    """The root element of a file of at most ``most_bytes``; XmlError or OSError."""
    if not path.is_file():
        raise XmlError(f'{path} is no file; expected one of XML')
    if (size := path.stat().st_size) > most_bytes:
        raise XmlError(f'{path}: {size} bytes; expected at most {most_bytes}')
    parser = ElementTree.XMLParser(target=_NoDoctype())  # noqa: S314  (see _NoDoctype)
    try:
        parser.feed(path.read_bytes())
        root: ElementTree.Element = parser.close()
    except ElementTree.ParseError as error:
        raise XmlError(f'{path}: no XML: {error}') from None
    except XmlError as error:
        raise XmlError(f'{path}: {error}') from None
    return root
