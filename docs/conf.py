"""How Sphinx builds the site; run `docs/build`, which makes every warning an error."""

from __future__ import annotations

import re
import sys
import warnings
from pathlib import Path
from typing import Any

import matplotlib

import fastreg

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "tutorials"))  # the tutorials share helpers for drawing
matplotlib.use("Agg")

project = "fastreg"
author = copyright = "The fastreg developers"
version = release = fastreg.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "examples", "tutorials"]
default_role = "code"  # a single backtick means the same in docstrings as in Markdown
highlight_language = "default"  # Python where it parses, else plain: indented blocks also hold formulas
nitpicky = True

# Markdown: every heading can be linked to, as on GitHub.
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # a page may begin below level 1, as the changelog does

# Reference: types stand in the parameter sections, in words; signatures show names and defaults.
autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False
toc_object_entries_show_parents = "hide"
numpydoc_xref_param_type = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = "fastreg"
html_static_path = ["_static"]
html_css_files = ["fastreg.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "fastreg"},
    "navbar_end": ["theme-switcher"],
    "navbar_align": "left",
    "header_links_before_dropdown": 4,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "back_to_top_button": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": [], "changelog": [], "contributing": []}

sphinx_gallery_conf = {
    "examples_dirs": "tutorials",
    "gallery_dirs": "auto_tutorials",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"^_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": False,
    "only_warn_on_example_error": False,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1,
    "image_srcset": ["2x"],
    # What a page shows is printed: values of last lines, such as axes, are not.
    "capture_repr": (),
    "plot_gallery": True,
    "write_computation_times": False,
}
warnings.filterwarnings("ignore", message=".*FigureCanvasAgg is non-interactive.*")

# Pages of the repository that are shown on the site under another name.
ELSEWHERE = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "README.md": "index.md"}
OUTWARD = re.compile(r"\[([^\]]+)\]\((?:\.\./)+([^)#]+?)(#[^)]*)?\)")


def _keep_links_inside(app: Any, docname: str, source: list[str]) -> None:
    """Turn links that lead out of docs/, good on GitHub, into pages of the site or plain text."""

    def inward(found: re.Match[str]) -> str:
        text, target = found[1], found[2]
        up = "../" * docname.count("/")
        if target in ELSEWHERE:
            return f"[{text}]({up}{ELSEWHERE[target]})"
        return f"`{target}`" if text == target else f"{text} (`{target}`)"

    source[0] = OUTWARD.sub(inward, source[0]).replace("](tutorials/)", "](auto_tutorials/index.rst)")


# Sections of a docstring in which indentation is structure; elsewhere an indented block is a formula.
STRUCTURED = {"Parameters", "Returns", "Attributes", "Raises", "See Also"}
UNDERLINE = re.compile(r"-{3,}\s*")


def _formulas_stand_alone(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Mark indented formulas as blocks of their own and let |b| and lambda_ mean what they say."""
    shown: list[str] = []
    section, in_formula, in_example = "", False, False
    for here, line in enumerate(lines):
        if here + 1 < len(lines) and UNDERLINE.fullmatch(lines[here + 1]):
            section = line.strip()
        in_example = line.lstrip().startswith(">>>") or (in_example and bool(line.strip()))
        is_formula = section not in STRUCTURED and line.startswith("    ") and not in_example
        if is_formula and not in_formula:
            shown += ["", "::", ""]
        elif in_formula and line.strip() and not is_formula:
            shown.append("")
        in_formula = is_formula or (in_formula and not line.strip())
        is_literal = in_formula or in_example or UNDERLINE.fullmatch(line)
        shown.append(line if is_literal else _as_written(line))
    lines[:] = shown


def _as_written(line: str) -> str:
    """Escape what reStructuredText would take for markup, outside of code."""
    parts = re.split(r"(``.+?``|`.+?`)", line)
    parts[::2] = [re.sub(r"\||(?<=[a-z0-9])_(?=[\s,.;:)]|$)(?! : )", r"\\\g<0>", part) for part in parts[::2]]
    return "".join(parts)


def _link_the_pages(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Make docs/math.md and the decisions, which docstrings name by path, links."""
    lines[:] = [
        re.sub(r"`{0,2}docs/((?:decisions/)?[a-z0-9_-]+)\.md`{0,2}", r":doc:`/\1`", line) for line in lines
    ]


def _only_ours(app: Any, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what classes inherit from elsewhere, such as scikit-learn's or tuple's methods."""
    if what != "class" or skip:
        return None
    owner = getattr(thing, "fget", None) or getattr(thing, "func", None) or thing
    module = getattr(owner, "__module__", None)
    return True if module is None or not str(module).startswith("fastreg") else None


def setup(app: Any) -> None:
    """Connect the changes above; the second one comes before numpydoc reads the docstrings."""
    app.connect("source-read", _keep_links_inside)
    app.connect("autodoc-process-docstring", _formulas_stand_alone, priority=100)
    app.connect("autodoc-process-docstring", _link_the_pages, priority=900)
    app.connect("autodoc-skip-member", _only_ours)
