"""How an answer looks: terminal, figures, files, the ODD description, and the Hydra task that makes them."""
