"""Other people's files, brought into the ledger: exactly once, every row accounted for."""

from ledger.importing.problems import InputError
from ledger.importing.retail_importer import OnlineRetailImporter
from ledger.importing.stock_importer import StockImporter
from ledger.importing.summary import Fate, Summary

__all__ = ["Fate", "InputError", "OnlineRetailImporter", "StockImporter", "Summary"]
