"""Strict, frozen models of everything that can be configured. Light: importing them loads only Pydantic."""
