"""How Sphinx builds the site: `sphinx-build -W --keep-going docs docs/_build`; pages that code writes come first."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(HERE.parent), os.environ.get("PYTHONPATH"))))

project = "stickiness"
copyright = "the authors of stickiness"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "sphinx_copybutton"]
exclude_patterns = ["_build", "pages"]
html_theme = "furo"
html_title = "stickiness"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nitpicky = False  # names of NumPy and pandas are not looked up elsewhere: the build needs no network
nb_execution_mode = "force"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
copybutton_prompt_text = r"\$ "


def setup(app: object) -> None:
    """Write the generated pages before the sources are read."""
    from docs.pages import api, fields, gallery, unknown

    generated = HERE / "generated"
    generated.mkdir(exist_ok=True)
    laws = [sys.executable, "-m", "docs.pages.laws", str(generated / "laws")]
    subprocess.run(laws, cwd=HERE.parent, check=True)
    api.write(HERE / "reference")
    fields.write(HERE / "reference")
    gallery.write(HERE)
    unknown.write(HERE)
