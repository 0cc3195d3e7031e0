"""Tests of the frameworks' adapters: the contract, clause by clause, and the bridge."""
