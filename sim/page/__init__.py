"""The parts of the page that `sim/app.py` serves: a market to play in the browser.

`game` is the market with its twin, `history` what is kept of every week, `people` what is read of the state arrays,
`names` how names are shown; `captions`, `charts` and `picture` are what is shown, as plain data, and `frame` all of it
together; `figure_export`, `export` and `downloads` are the files; `session` is one visitor's state, `controls`,
`parameters` and `layout` the components; `serve` is the server, `gate` decides which requests it answers and `limits`
how much one server carries.
"""
