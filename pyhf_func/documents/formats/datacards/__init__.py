"""Datacards of CMS's Combine: counting and template analyses."""

from pyhf_func.documents.formats.datacards.reading import is_datacard, read

__all__ = ["is_datacard", "read"]
