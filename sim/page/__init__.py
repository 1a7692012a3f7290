"""The parts of the page that `sim/app.py` serves: a market to play in the browser.

`game` is the market with its twin, `history` what is kept of every week, `people` what is read of the state arrays,
`names` how names are shown; `captions`, `charts` and `picture` are what is shown, as plain data, and `frame` all of it
together; `figure_export`, `export` and `downloads` are the files; `session` is one visitor's state, `controls`,
`parameters` and `layout` the components; `serve` is the server, `gate` decides which requests it answers and `limits`
how much one server carries.
"""

from importlib.util import find_spec

from sim.model.declare import ScenarioError


def main(arguments: list[str]) -> int:
    """`stickiness page`: serve the page until stopped; ScenarioError where its packages are missing."""
    missing = [name for name in ("solara", "mesa") if find_spec(name) is None]
    if missing:
        raise ScenarioError([f"page: {' and '.join(missing)} missing; pip install -e '.[page]'"])
    from sim.page.serve import serve

    return serve(arguments)
