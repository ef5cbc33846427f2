"""Bags, metrics, reports."""
