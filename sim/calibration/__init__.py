"""From a purchase panel to a market: estimates tastes, price weights, promotions and habit; predicts; runs on freely.

`calibrate` fits the simulator's choice rule to a panel and writes a market preset with its posterior; `predict` gives
the chance of every brand at each purchase of a later file from the choices before it; `simulate` lets households go
on from the end of their history by their own choices.
"""
