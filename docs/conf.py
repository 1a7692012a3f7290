"""How Sphinx builds the site: `sphinx-build -W --keep-going docs docs/_build`; pages that code writes come first.

The pages may also be a copy elsewhere: `sphinx-build -c docs COPY OUT`. What code writes then goes there.
"""

import os
import subprocess
import sys
from atexit import register
from pathlib import Path
from tempfile import TemporaryDirectory

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


def first(name: str, folder: Path) -> None:
    """Put a folder at the front of a search path of the environment."""
    os.environ[name] = os.pathsep.join(filter(None, (str(folder), os.environ.get(name))))


# The tutorial's cells run with this Python, whatever `python` is in the shell, and with no settings of the user's.
first("PYTHONPATH", ROOT)
first("PATH", Path(sys.executable).parent)
_settings = TemporaryDirectory(prefix="stickiness-docs-")
register(_settings.cleanup)
for _name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
    os.environ[_name] = _settings.name
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"

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


def setup(app: Sphinx) -> None:
    """Write the generated pages before the sources are read."""
    from docs.pages import api, fields, gallery, unknown

    source = Path(app.srcdir)
    laws = [sys.executable, "-m", "docs.pages.laws", str(source / "generated" / "laws")]
    subprocess.run(laws, cwd=ROOT, check=True)
    api.write(source / "reference")
    fields.write(source / "reference")
    gallery.write(source)
    unknown.write(source)
