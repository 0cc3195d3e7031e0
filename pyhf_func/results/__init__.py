"""The common part of all results: names, a status in words, tables, files."""

from pyhf_func.results.base import Result as Result
from pyhf_func.results.names import ModelNames as ModelNames
from pyhf_func.results.status import Status as Status
from pyhf_func.results.status import Statuses as Statuses

__all__ = ["ModelNames", "Result", "Status", "Statuses"]
