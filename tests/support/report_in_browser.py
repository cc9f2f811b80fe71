#!/usr/bin/env python3
"""Uses the page of `mica report` as people do:  report_in_browser.py PAGE LARGE-PAGE.  tests/cli/report.sh says what is in them."""
import sys

from webdriver import Browser

page, large = ("file://" + path for path in sys.argv[1:3])
FOCUSED = "return document.activeElement.getAttribute('aria-label') || document.activeElement.id || document.activeElement.tagName"
INFO = "return document.getElementById('map-info').textContent"
FOLDER = "return document.querySelector('#crumbs [aria-current]').textContent"


def equal(what, expected, actual):
    assert expected == actual, f"{what}\n  expected: {expected!r}\n  actual:   {actual!r}"


def check(what, condition):
    assert condition, what


def column(browser, table, number):
    return browser.run("return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)].map((row) => Number(row.cells[arguments[1]].dataset.v))", table, number)


def quiet(browser, address):
    equal("what the console says", [], browser.errors())
    asked = [url for url in browser.requests() if not url.startswith(("file://", "data:", "chrome:", "about:"))]
    equal("what was asked of the network", [], asked)
    # No text of the image became an element or ran.
    check("a title of its own", browser.run("return document.title").endswith("– image report"))
    equal("elements out of file names", 0, browser.run("return document.querySelectorAll('img, iframe, object, b > script').length"))
    equal("scripts", 2, browser.run("return document.scripts.length"))


with Browser(width=1200, height=900) as browser:
    browser.open(page)
    browser.wait("return document.querySelectorAll('#map rect').length > 10")
    quiet(browser, page)
    # The areas are the bytes: of the two largest cells, and all of them fill the map.
    areas = browser.run("""const groups = [...document.querySelectorAll('#map > g')];
        return groups.map((one) => { const r = one.firstElementChild; return Number(r.getAttribute('width')) * Number(r.getAttribute('height')); })""")
    data = browser.run("return JSON.parse(document.getElementById('data').textContent)")
    whole = browser.run("const map = document.getElementById('map'); return map.clientWidth * map.clientHeight")
    first = max(child[1] for child in data["report"]["tree"][6]) / data["report"]["tree"][1]
    check("the largest cell has its share", abs(areas[0] / whole - first) < 0.01)
    check("the cells fill the map", sum(areas) / whole > 0.97)

    # Keyboard: "/" searches, Escape leaves; the map is one stop of the tab order, arrows move in it, Enter opens, Escape goes up.
    browser.keys("/")
    equal("what / does", "search", browser.run(FOCUSED))
    browser.keys(*"cacache")
    check("the search finds the cache", "1 place" in browser.run("return document.getElementById('found').textContent"))
    check("rows that do not match are gone", browser.run("return [...document.querySelectorAll('#waste-table tbody tr')].every((row) => row.offsetHeight === 0)"))
    check("cells that do not match are dimmed", browser.run("return document.querySelectorAll('#map .dim').length") > 0)
    browser.keys("Escape")
    equal("dimmed cells after Escape", 0, browser.run("return document.querySelectorAll('#map .dim').length"))
    check("rows are back", browser.run("return document.querySelector('#waste-table tbody tr').offsetHeight") > 0)
    equal("stops of the map in the tab order", 1, browser.run("return document.querySelectorAll('#map [tabindex=\"0\"]').length"))
    browser.run("document.getElementById('dead').focus()")
    for _ in range(4):
        browser.keys("Tab")
        if browser.run("return document.activeElement.closest('#map') !== null"):
            break
    first = browser.run(FOCUSED)
    check("the tab key reaches the map", browser.run("return document.activeElement.closest('#map') !== null"))
    folder = first.split(" · ")[0]
    check("its largest cell is a folder", folder.startswith("/"))
    check("the focus is seen", browser.run("return document.querySelector('#map .ring.focus') !== null"))
    browser.keys("Right")
    second = browser.run(FOCUSED)
    check("an arrow moves", second != first and second.startswith("/"))
    browser.keys("Left")
    equal("and the other one back", first, browser.run(FOCUSED))
    browser.keys("Enter")
    equal("Enter opens", folder[1:], browser.run(FOLDER))
    equal("and the address says so", f"#path={folder}", browser.run("return location.hash"))
    check("the focus is in it", browser.run(FOCUSED).startswith(folder + "/"))
    browser.keys("Escape")
    equal("Escape goes up", "/", browser.run(FOLDER))
    equal("to where it came from", first, browser.run(FOCUSED))

    # Switches.
    colours = "return [...document.querySelectorAll('#legend span')].map((one) => one.textContent)"
    by_layer = browser.run(colours)
    browser.click("input[value=owner]")
    check("packages have colours", any("express" in text for text in browser.run(colours)))
    check("other ones than layers", browser.run(colours) != by_layer)
    equal("dead bytes are not there", 0, browser.run("return document.querySelectorAll('#map .dead').length"))
    browser.click("#dead")
    check("dead bytes are there", browser.run("return document.querySelectorAll('#map .dead').length") >= 2)
    browser.click("#dead")

    # Tables.
    before = column(browser, "waste-table", 0)
    check("waste comes the largest first", before == sorted(before, reverse=True) and len(before) > 1)
    browser.click("#waste-table th button")
    check("a click on the head sorts", column(browser, "waste-table", 0) == sorted(before, reverse=True))
    browser.click("#waste-table th button")
    equal("a second one the other way", sorted(before), column(browser, "waste-table", 0))
    equal("and says so", "ascending", browser.run("return document.querySelector('#waste-table th').getAttribute('aria-sort')"))
    equal("the base is folded", 0, browser.run("return document.getElementById('layer-0').offsetHeight"))
    browser.click("#layers-table .fold")
    check("and opens", browser.run("return document.getElementById('layer-0').offsetHeight") > 0)

    # Colours by hand.
    ground = "return getComputedStyle(document.body).backgroundColor"
    equal("light", "rgb(255, 255, 255)", browser.run(ground))
    browser.click("#theme")
    browser.click("#theme")
    equal("dark by the button", "dark", browser.run("return document.documentElement.dataset.theme"))
    check("it is dark", browser.run(ground) != "rgb(255, 255, 255)")
    browser.click("#theme")
    quiet(browser, page)

    # Addresses.
    browser.open("about:blank")
    browser.open(page + "#layer-0")
    check("an address opens the base's layers", browser.run("return document.getElementById('layer-0').offsetHeight") > 0)
    browser.open("about:blank")
    browser.open(page + "#path=/srv/again")
    equal("an address opens a folder", "srv", browser.run(FOLDER))
    check("and points at the file", browser.run(INFO).startswith("/srv/again · 300kB"))
    hostile = browser.run("return document.querySelector('#largest-table a[href*=\"onerror\"]').getAttribute('href')")
    browser.open("about:blank")
    browser.open(page + hostile)
    check("a hostile name is found as it is", browser.run(INFO).startswith('/srv/<img src=x onerror=alert(1)>"& · 5kB'))
    browser.open(page + "#path=%ff%")
    quiet(browser, page)

for dark in (False, True):
    for width in (320, 400, 800, 1600):
        with Browser(dark=dark, width=width, height=800) as browser:
            browser.open(page)
            browser.wait("return document.querySelectorAll('#map rect').length > 5")
            equal(f"width of the page at {width}", [width, width], browser.run("return [document.documentElement.scrollWidth, innerWidth]"))
            wide = browser.run("return [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 200))")
            equal(f"what reaches beyond {width}", [], wide)
            contrast = browser.run("""
                const light = (text) => { const [r, g, b] = text.match(/[\\d.]+/g).map((part) => { const c = part / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
                  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
                const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
                const ground = getComputedStyle(document.body).backgroundColor;
                const texts = ['h1', '.about', 'td', 'th', 'td a', '.tag.ran', '.quiet'].map((one) => document.querySelector('main ' + one)).filter(Boolean);
                const cells = [...document.querySelectorAll('#map text')].map((text) => ratio(getComputedStyle(text).fill, getComputedStyle(text.parentNode.firstElementChild).fill.startsWith('rgb') ? getComputedStyle(text.parentNode.firstElementChild).fill : ground));
                return Math.min(...texts.map((one) => ratio(getComputedStyle(one).color, ground)), ...cells);""")
            check(f"contrast {contrast:.2f} at {width}, dark {dark}", contrast >= 4.5)
            check("dark as the system wants it", (browser.run(ground) != "rgb(255, 255, 255)") == dark)
            equal("what the console says", [], browser.errors())

with Browser(width=1200, height=900, script=False) as browser:
    browser.open(page)
    text = browser.devtools("DOM.getDocument", {"depth": 0}) and browser.devtools("Accessibility.getFullAXTree")
    names = [node.get("name", {}).get("value", "") for node in text["nodes"] if not node.get("ignored")]
    check("without script the tables are there", any("/build/out/" in name for name in names))
    check("the base's layers are open", any(name == "+" for name in names) is False)
    check("and the map is explained", any("drawn by a script" in name for name in names))
    check("and what needs a script is not there", "path, line, word  ( / )" not in names and not any(name == "Search" for name in names))

with Browser(width=1200, height=900) as browser:
    browser.open(large)
    browser.wait("return document.querySelectorAll('#map rect').length > 100")
    quiet(browser, large)
    took = browser.run("const start = performance.now(); document.querySelector('input[value=kind]').click(); return performance.now() - start")
    check(f"drawing takes {took:.0f} ms", took < 1000)
    printed = browser.devtools("Page.printToPDF", {"printBackground": False})
    check("it prints", len(printed["data"]) > 10000)
