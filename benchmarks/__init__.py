"""Comparisons with what a user would pick instead; run by hand, never by the tests."""
