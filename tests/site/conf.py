"""Sphinx's configuration for the site."""

import oxisocket

project = "oxisocket"
author = "the contributors of oxisocket"
copyright = "the contributors of oxisocket; MIT or Apache 2.0"
version = release = oxisocket.__version__

extensions = ["myst_parser"]
exclude_patterns: list[str] = []
language = "en"
default_role = None
highlight_language = "text"
# In b'' the quotes are code, also where a docstring has no marks for that.
smartquotes = False

# The anchors that the documents use are those of their headings on the web.
myst_heading_anchors = 6
myst_links_external_new_tab = False
myst_enable_extensions: list[str] = []

toc_object_entries_show_parents = "hide"
add_module_names = False
python_maximum_signature_line_length = 80
manpages_url = "https://man7.org/linux/man-pages/man{section}/{page}.{section}.html"

html_theme = "furo"
html_title = "oxisocket"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b4a8f", "color-brand-content": "#0b5cad", "color-brand-visited": "#0b5cad"},
    "dark_css_variables": {"color-brand-primary": "#7cb8ff", "color-brand-content": "#7cb8ff", "color-brand-visited": "#7cb8ff"},
}
