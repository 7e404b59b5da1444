"""The manual as a site, with the pages of the examples: ``make docs`` builds it."""

from tusd_py import __version__

project = "tusd_py"
version = release = __version__
project_copyright = "MIT licence"
extensions = ["myst_parser"]
myst_heading_anchors = 3
root_doc = "docs/index"
include_patterns = ["docs/**", "examples/*/README.md", "C*.md", "SECURITY.md"]
html_theme = "furo"
html_title = f"tusd_py {version}"
html_copy_source = False
html_show_sphinx = False
# What the site begins with: it leads to the first page.
html_extra_path = ["site"]
