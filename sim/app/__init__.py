"""The page in the browser: `solara run sim.app`, or `stickiness page`, and a market to play.

`stage` is what is played, `pictures` what is drawn of it, `export` what one takes home, `visit` one visitor's state,
`controls` and `page` what is clicked and seen, `serve` the server.
"""

import solara

from sim.app.page import Page

__all__ = ["Page", "routes"]

routes = [solara.Route("/", component=Page, label="Stickiness")]
