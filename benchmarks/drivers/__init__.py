"""Drivers: small client processes that put load on a server and check its answers."""
