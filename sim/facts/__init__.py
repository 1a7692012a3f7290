"""Stylized facts: what has been measured of customers, and what the simulated ones do; a function a fact."""
