"""What has been measured of customers, and what the simulated ones do: a function for every fact that is modeled."""
