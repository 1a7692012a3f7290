"""The parts of the page that `sim/app.py` serves: a market to play in the browser.

`game` is what is played, `crowd` what is read of its people, `history` what is remembered of its weeks; `charts`,
`picture` and `words` are what is shown, as plain data, `paper` the same as a figure, `export` what one takes home;
`session` is one visitor's state, `controls`, `parameters` and `layout` what is clicked and seen, `serve` the server,
`gate` whom it answers, `limits` how much of anything it takes.
"""
