"""HS3, the HEP statistics serialisation standard: read in its four dialects, written as ROOT and pyhs3 read it."""

from pyhf_func.documents.formats.hs3.reading import is_hs3, read
from pyhf_func.documents.formats.hs3.writing import write

__all__ = ["is_hs3", "read", "write"]
