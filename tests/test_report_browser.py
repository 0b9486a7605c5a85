"""The page of a path in headless Chromium, where it and selenium are installed (extra ``browser``)."""

from __future__ import annotations

import base64
import os
import re
import shutil

import numpy as np
import pytest
from handmade import make, several
from test_report import NASTY

import fastreg
from fastreg.report.text import number

WIDE, NARROW = (1280, 900), (390, 844)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
# Text that is read must stand out by this ratio of luminances (WCAG 2.2, success criterion 1.4.3).
CONTRAST = 4.5

# The boxes of texts, not of their elements, which may span the whole chart.
OVERLAPS = """(() => {
  const boxes = [...document.querySelectorAll(SELECTOR)].map((element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const own = element.getBoundingClientRect(), text = range.getBoundingClientRect();
    return [element.textContent, text.left, Math.min(text.right, Math.max(own.right, text.left)), own.top,
      own.bottom];
  }).filter(([, left, right]) => right > left);
  const found = [];
  boxes.forEach(([a, left, right, top, bottom], i) => boxes.slice(i + 1).forEach((other) => {
    const [b, l, r, t, u] = other;
    if (left < r - 0.5 && l < right - 0.5 && top < u - 1 && t < bottom - 1) found.push(a + " | " + b);
  }));
  return found;
})()"""

# Both canvases made small, and read from a copy that is meant to be read.
PIXELS = """[...document.querySelectorAll("canvas")].map((canvas) => {
  const copy = document.createElement("canvas");
  copy.width = 120;
  copy.height = 60;
  const pen = copy.getContext("2d", { willReadFrequently: true });
  pen.drawImage(canvas, 0, 0, 120, 60);
  return [...pen.getImageData(0, 0, 120, 60).data];
})"""


@pytest.fixture(scope="module")
def browser():
    """Return a browser, or skip."""
    webdriver = pytest.importorskip("selenium.webdriver")
    # No Python package brings a browser; what the page says without one is tested in test_report*.
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("chromium and chromedriver are not installed (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.chrome.service.Service(DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


class Visit:
    """One page in the browser."""

    def __init__(self, browser, folder):
        self.browser, self.folder = browser, folder

    def load(self, result, size=WIDE, scheme="light", script=True, **options):
        """Write the page of a result and load it on a screen of this size."""
        file = self.folder / "page.html"
        result.to_html(file, **options)
        command = self.browser.execute_cdp_cmd
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == NARROW}
        command("Emulation.setDeviceMetricsOverride", metrics)
        self.media(scheme)
        command("Emulation.setScriptExecutionDisabled", {"value": not script})
        self.browser.get_log("browser")
        self.browser.get(file.as_uri())
        return self

    def media(self, scheme, media=""):
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})

    def run(self, script):
        return self.browser.execute_script(f"return {script}")

    def do(self, script):
        """Run a script, and wait until what follows from it is drawn."""
        return self.browser.execute_async_script(
            f"{script}; requestAnimationFrame(() => requestAnimationFrame(arguments[arguments.length - 1]))"
        )

    def move(self, k):
        self.do(
            f"const s = document.getElementById('alpha'); s.value = {k}; s.dispatchEvent(new Event('input'))"
        )

    def texts(self, selector):
        return self.run(f"[...document.querySelectorAll({selector!r})].map((e) => e.textContent)")

    @property
    def names(self):
        return self.texts("#features th")

    @property
    def ink(self):
        """Return how many pixels the two canvases have coloured."""
        return [sum(alpha > 0 for alpha in pixels[3::4]) for pixels in self.run(PIXELS)]

    def overlaps(self, selector):
        """Return the texts of shown elements whose boxes meet."""
        return self.run(OVERLAPS.replace("SELECTOR", repr(selector)))

    def complaints(self):
        return [entry["message"] for entry in self.browser.get_log("browser")]


@pytest.fixture
def visit(browser, tmp_path):
    page = Visit(browser, tmp_path)
    yield page
    assert page.complaints() == []


def grown(p=30, K=20, seed=4):
    """Return a path on which features enter one after the other."""
    rng = np.random.default_rng(seed)
    entry = rng.integers(1, K - 1, size=p)
    steps = np.clip(np.arange(K)[None] - entry[:, None] + 1, 0, None)
    return make(rng.standard_normal((p, 1)) * np.sqrt(steps), np.geomspace(2.0, 0.02, K))


def model(path, k):
    """Return the names in the model at one alpha, largest coefficient first."""
    values = path.coefs[:, k]
    order = np.argsort(-np.abs(values), kind="stable")
    return [path.label(j) for j in order if values[j] != 0.0]


def test_the_slider_lists_the_model_at_each_alpha(visit):
    path = grown()
    visit.load(path)
    for k in (0, 3, 10, 19):
        visit.move(k)
        assert visit.names == model(path, k)
        shown = visit.texts("#features td.num:nth-of-type(1)")
        values = path.coefs[:, k]
        assert shown == [number(values[int(name[1:])]) for name in visit.names]
        assert visit.texts("#at-alpha") == [number(path.alphas[k], 5)]
        assert visit.texts("#at-features") == [str(path.n_nonzero[k])]
        said = visit.run("document.getElementById('alpha').getAttribute('aria-valuetext')")
        assert said == f"alpha {number(path.alphas[k])}, {path.n_nonzero[k]} features"
    assert min(visit.ink) > 100


def test_everything_works_by_keyboard(visit):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    path = grown()
    visit.load(path)
    start = visit.run("Number(document.getElementById('alpha').value)")
    seen = []
    for _ in range(14):
        ActionChains(visit.browser).send_keys(Keys.TAB).perform()
        active = visit.browser.switch_to.active_element
        seen.append(active.get_attribute("id") or active.get_attribute("name") or active.tag_name)
        outline = visit.run(
            "getComputedStyle(document.activeElement.name === 'along' "
            "? document.activeElement.nextElementSibling : document.activeElement).outlineStyle"
        )
        assert outline == "solid"
        if seen[-1] == "along":
            active.send_keys(Keys.ARROW_RIGHT)
            assert visit.texts("#path .axis-label.x") == ["sum of |coefficient|"]
        if seen[-1] == "alpha":
            active.send_keys(Keys.ARROW_LEFT)
            visit.do("0")
            assert visit.names == model(path, start - 1)
        if seen[-1] == "filter":
            break
    assert seen[0] == "a"
    assert [name for name in seen if name in ("along", "alpha", "filter")] == ["along", "alpha", "filter"]


def test_axes_switch(visit):
    path = grown()
    visit.load(path)
    labels = {"alpha": "alpha (log scale)", "norm": "sum of |coefficient|", "deviance": "share of deviance"}
    pictures = []
    for name in ("norm", "deviance", "alpha"):
        visit.do(f"document.querySelector('input[value={name}]').click()")
        assert visit.texts("#path .axis-label.x")[0].startswith(labels[name])
        pictures.append((visit.texts("#path .tick.x"), visit.ink))
        assert visit.overlaps("#path .tick") == []
    assert pictures[0] != pictures[1] != pictures[2]


def test_filter_and_order(visit):
    names = tuple(f"gene {j}" for j in range(12))
    path = make(np.outer(np.arange(1.0, 13), [0.0, 0.5, 1.0]), feature_names=names)
    visit.load(path)
    visit.move(2)
    assert visit.names == list(names)[::-1]
    visit.do("document.querySelector('[data-sort=name] button').click()")
    assert visit.names == list(names)
    assert visit.run("document.querySelector('[data-sort=name]').ariaSort") == "ascending"
    visit.do(
        "const f = document.getElementById('filter'); f.value = 'NE 1'; f.dispatchEvent(new Event('input'))"
    )
    assert visit.names == ["gene 1", "gene 10", "gene 11"]
    assert visit.texts("#found") == ["3 features"]
    visit.do(
        "const f = document.getElementById('filter'); f.value = 'none'; f.dispatchEvent(new Event('input'))"
    )
    assert visit.names == []
    assert visit.texts("#found") == ["no name in the model matches"]


def test_pointing_and_pressing_name_a_line(visit):
    from selenium.webdriver.common.action_chains import ActionChains

    path = make(np.array([[0.0, 1.0, 1.0], [0.0, 0.0, -1.0]]), feature_names=("up", "down"))
    visit.load(path)
    plot = visit.browser.find_element("css selector", "#path .plot")
    # Offsets are taken from the middle of what is in view: all of it must be.
    visit.do("document.querySelector('#path .tools').scrollIntoView()")
    height = visit.run("document.querySelector('#path .plot').clientHeight")
    wide = visit.run("document.querySelector('#path .plot').clientWidth")
    low, high = visit.run("JSON.parse(document.getElementById('fastreg-data').textContent).y")
    up = height * (0.5 - (1.0 - low) / (high - low))
    ActionChains(visit.browser).move_to_element_with_offset(plot, int(0.25 * wide), int(up)).perform()
    assert visit.run("document.querySelector('.tip').hidden") is False
    assert visit.texts(".tip")[0].startswith("up1 at alpha")
    assert visit.texts("tr.on th") == ["up"]
    visit.do("document.querySelectorAll('#features button')[1].click()")
    assert visit.run("document.querySelectorAll('#features button')[1].ariaPressed") == "true"


def test_one_output_at_a_time(visit):
    path = several()
    visit.load(path)
    assert len(visit.names) == 9
    visit.do(
        "const o = document.getElementById('output'); o.value = '1'; o.dispatchEvent(new Event('change'))"
    )
    assert set(visit.texts("#features td:nth-child(2)")) == {"beech"}
    assert len(visit.names) == int((path.coefs[1, :, 2] != 0.0).sum())


def test_very_many_rows_come_on_request(visit):
    path = make(np.outer(np.arange(1.0, 301), [0.0, 1.0]), (2.0, 1.0))
    visit.load(path)
    assert len(visit.names) == 200
    assert visit.texts("#more") == ["The first 200 of 300."]
    visit.do("document.getElementById('all').click()")
    assert len(visit.names) == 300
    assert visit.run("document.getElementById('all').hidden") is True


def test_names_do_nothing(visit):
    names = (*NASTY[:3], "<svg onload=hit()>")
    visit.load(make(feature_names=names), title="</title><script>window.hit = 1</script>")
    assert visit.run("window.hit === undefined && document.scripts.length") == 2
    assert sorted(visit.names) == sorted(name for j, name in enumerate(names) if j != 1)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overlaps_or_is_cut_and_all_is_legible(visit, size, scheme):
    names = tuple(f"a long name of gene {j}" for j in range(30))
    path = grown()
    path = make(path.coefs, path.alphas, feature_names=names)
    visit.load(path, size=size, scheme=scheme)
    assert visit.run("document.documentElement.scrollWidth") <= size[0]
    for chart in ("#path", "#certificates"):
        for kind in (".tick.x", ".tick.y", ".tick.top", ".edge", ".axis-label"):
            assert visit.overlaps(f"{chart} {kind}") == []
    background = _rgb(visit.run("getComputedStyle(document.body).backgroundColor"))
    assert (_luminance(background) < 0.05) is (scheme == "dark")
    for selector in ("h1", ".lead", ".subtitle", "#path .tick", ".edge", "#features th", "nav a", "td.num"):
        color = _rgb(visit.run(f"getComputedStyle(document.querySelector({selector!r})).color"))
        assert _contrast(color, background) >= CONTRAST, selector


def test_the_dark_side_is_drawn_anew(visit):
    visit.load(grown())

    def colour():
        pixels = np.array(visit.run(PIXELS)[1]).reshape(-1, 4)
        return pixels[pixels[:, 3].argmax(), :3]

    light = colour()
    visit.media("dark")
    visit.do("0")
    assert colour().sum() > light.sum()


def test_print_holds_lines_and_no_controls(visit):
    path = grown()
    visit.load(path, scheme="dark")
    done = visit.browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert base64.b64decode(done["data"]).startswith(b"%PDF")
    visit.media("dark", media="print")
    visit.do("window.dispatchEvent(new Event('beforeprint'))")
    assert visit.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    hidden = visit.run(
        "['.tools', '.slide', '.find', 'nav', 'canvas'].map((s) => getComputedStyle("
        "document.querySelector(s)).display)"
    )
    assert set(hidden) == {"none"}
    drawn = visit.run("[...document.querySelectorAll('.paper')].map((e) => e.getAttribute('d'))")
    assert "".join(drawn).count("M") >= 30
    visit.do("window.dispatchEvent(new Event('afterprint'))")
    assert visit.run("document.querySelectorAll('.paper').length") == 0


def test_without_script_the_page_is_whole(visit, tmp_path):
    path = grown()
    visit.load(path, script=False)
    shot = visit.browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    assert len(base64.b64decode(shot["data"])) > 10_000
    find = visit.browser.find_elements
    assert not any(each.is_displayed() for each in find("css selector", ".js-only"))
    listed = [each.text for each in find("css selector", "#features th")]
    start = int(find("css selector", "#alpha")[0].get_attribute("value"))
    assert listed == model(path, start)
    assert len(find("css selector", "#path .picture path.quiet, #path .picture path.strong")) == 30


@pytest.mark.compiled_only
@pytest.mark.parametrize("case", ["leukemia", "20000 features"])
def test_real_paths(visit, case, request):
    if case == "leukemia":
        data = request.getfixturevalue("load_data")(case)
        path = fastreg.logistic_path(data["X"], data["y"], eps=1e-2, standardize=True)
    else:
        wide = fastreg.datasets.make_wide(n=200, p=20_000, seed=0)
        path = fastreg.lasso_path(wide.X, wide.y, eps=1e-2, fit_intercept=True)
    visit.load(path)
    assert (visit.folder / "page.html").stat().st_size < 2_000_000
    for k in (10, 50, 99):
        visit.move(k)
        shown = {number(value) for value in path.coefs[:, k]}
        assert set(visit.texts("#features td.num:nth-of-type(1)")) <= shown
        assert visit.names[0] == model(path, k)[0]
    assert min(visit.ink) > 100


def _rgb(text):
    return [float(part) for part in re.findall(r"[\d.]+", text)[:3]]


def _luminance(color):
    parts = np.array(color) / 255.0
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _contrast(one, other):
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
