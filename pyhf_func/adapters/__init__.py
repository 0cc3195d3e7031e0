"""The door from a checkout to the folder `adapters` at the top level, which is shipped in this package's place.

A wheel holds the contents of that folder here instead of this file. In a checkout, an editable installation included,
this file makes them importable under the same name, so that the source tree works as it is.
"""

from pathlib import Path

__path__ = [str(Path(__file__).resolve().parents[2] / "adapters")]
