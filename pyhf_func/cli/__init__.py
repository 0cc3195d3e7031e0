"""The shell: ``pyhf-func COMMAND``. Thin: reads files, calls the library, writes JSON.

Importing this room loads click and nothing else; each command imports what it needs when it runs.
"""

from pyhf_func.cli.main import main as cli
from pyhf_func.cli.main import main as main

__all__ = ["cli", "main"]
