"""The manual as a site: ``make docs`` builds it into ``site/``."""

from tusd_py import __version__

project = "tusd_py"
version = release = __version__
project_copyright = "MIT licence"
extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"tusd_py {version}"
html_copy_source = False
html_show_sphinx = False
