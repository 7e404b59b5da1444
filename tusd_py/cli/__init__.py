"""The command line: ``tusd-py`` and ``python -m tusd_py``."""
