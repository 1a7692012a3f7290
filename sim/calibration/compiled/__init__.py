"""What is compiled of the estimator: the likelihood, the sampler, and prediction from posterior draws."""
