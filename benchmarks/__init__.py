"""Benchmarks of tusd_py beside its peers: ``python -m benchmarks --help``."""
