"""Compilation: functions that are compiled with little waiting, and kept on disk for the next session."""

from pyhf_func.compiled.function import Compiled as Compiled
from pyhf_func.compiled.function import clear_programs as clear_programs
from pyhf_func.compiled.platform import is_for_cpus as is_for_cpus
from pyhf_func.compiled.store import use_cache as use_cache
