"""Datacards of CMS's Combine: counting and template analyses."""

from pyhf_func.documents.formats.datacards.reading import is_datacard, read
from pyhf_func.documents.formats.datacards.writing import text_of, write

__all__ = ["is_datacard", "read", "text_of", "write"]
