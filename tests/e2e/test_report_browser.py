"""The report in a real browser, from disk."""

from pathlib import Path

import pandas as pd
import pytest

import report_experiment
from browser import chromium
from quantrag.presentation.report.assemble import make_report
from quantrag.scoring.evidence import ABSENT, THIRDS, place_of_evidence

DOWN = "\ue015"
RESULT = "document.querySelectorAll('#explorer-list button').length"
EVIDENCE_SHOWN = "document.querySelector('#explorer [name=evidence]').checkVisibility()"


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("a report")
    files, config = report_experiment.make(folder, precisions=3, queries=12)
    path = folder / "report.html"
    path.write_text(make_report(files, config), encoding="utf-8")
    return path


@pytest.fixture
def page(browser, path):
    browser.window(1400, 900)
    browser.open(path)
    browser.wait("document.readyState === 'complete'")
    yield browser
    assert browser.console() == []
    assert browser.run("return document.title").startswith("synthetic:")


def show(page, css):
    page.run("document.querySelector(arguments[0]).scrollIntoView({behavior: 'instant'})", css)


def draw_all(page):
    number = page.run("return document.querySelectorAll('[data-figure]').length")
    for i in range(number):
        show(page, f"[data-figure='{i}']")
        page.wait(f"document.querySelector('[data-figure=\"{i}\"]').dataset.drawn")
    return number


def test_every_view_of_every_figure_is_drawn(page):
    assert draw_all(page) == 8
    for i in range(8):
        options = page.run(
            f"return [...document.querySelectorAll('[data-figure=\"{i}\"] option')]"
            ".map(o => [o.value, o.textContent])"
        )
        for value, text in options:
            page.choose(f"[data-figure='{i}'] select", value)
            page.wait(f"document.querySelector('[data-figure=\"{i}\"]').dataset.drawn === {text!r}")
            marks = f"document.querySelectorAll('[data-figure=\"{i}\"] svg .role-mark path').length"
            assert page.run(f"return {marks}") > 0
            label = page.run(
                f"return document.querySelector('[data-figure=\"{i}\"] .chart').ariaLabel"
            )
            assert len(label) > 40


def test_switches_leave_out_precisions(page):
    show(page, "#figure-flips")
    lines = "document.querySelectorAll('#figure-flips .mark-line path[stroke]').length"
    page.wait(f"{lines} === 4")  # two retrievers, two precisions
    for name, left in (
        ("INT4 GPTQ", f"{lines} === 2"),
        ("INT4 AWQ", "document.querySelector('#figure-flips .empty')"),
    ):
        show(page, "#figures")
        page.click(f"input[value='{name}']")
        show(page, "#figure-flips")
        page.wait(left)


def test_pointing_at_a_mark_tells_its_numbers(page):
    show(page, "#figure-k_sweep")
    page.wait("document.querySelector('#figure-k_sweep').dataset.drawn")
    place = page.run(
        "const r = document.querySelector('#figure-k_sweep .mark-symbol.role-mark path')"
        ".getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]"
    )
    for shift in (0, 1):
        page.cdp("Input.dispatchMouseEvent", type="mouseMoved", x=place[0] + shift, y=place[1])
    page.wait("document.querySelector('#vg-tooltip-element.visible')")
    text = page.run("return document.querySelector('#vg-tooltip-element').textContent")
    assert "FP16" in text
    assert "95% from" in text


def test_tables_sort_by_value_both_ways(page):
    column = 7
    head = f"#tables table th:nth-child({column + 1})"
    values = (
        "return [...document.querySelectorAll('#tables table')[0].tBodies[0].rows]"
        f".map(row => Number(row.cells[{column}].dataset.v))"
    )
    assert page.run(f"return document.querySelector({head!r}).textContent") == "difference"
    page.run(f"document.querySelector({head!r} + ' button').click()")
    rising = page.run(values)
    assert rising == sorted(rising)
    page.run(f"document.querySelector({head!r} + ' button').click()")
    assert page.run(values) == rising[::-1]
    assert page.run(f"return document.querySelector({head!r}).ariaSort") == "descending"


def test_the_explorer_filters_and_compares(page):
    show(page, "#explorer")
    page.wait(f"{RESULT} === 12")
    # There is nothing to choose where no evidence is known.
    assert not page.run(f"return {EVIDENCE_SHOWN}")
    page.choose("[name=show]", "changed")
    changed = page.run(f"return {RESULT}")
    count = page.run("return document.getElementById('explorer-count').textContent")
    assert f"{changed} of 12 queries shown; INT4 AWQ changed the answer to {changed} of" in count
    assert page.run("return document.querySelectorAll('#explorer-query .chosen .badge').length") > 0
    assert page.run("return document.querySelectorAll('#explorer-query .chosen ins').length") > 0
    page.choose("[name=show]", "worse")
    worse = page.run(f"return {RESULT}")
    page.choose("[name=show]", "better")
    assert worse + page.run(f"return {RESULT}") <= changed
    page.choose("[name=show]", "all")
    page.choose("[name=task]", "1")
    page.choose("[name=k]", "0")
    assert page.run("return document.querySelector('#explorer [name=retriever]').disabled")
    page.choose("[name=k]", "3")
    page.type("[name=text]", "50007")
    page.wait(f"{RESULT} === 1")
    text = page.run("return document.getElementById('explorer-query').textContent")
    assert "Query 50007" in text
    assert "3 documents kept" in text
    assert "ROUGE-L" in text


def test_questions_on_a_corpus_are_filtered_by_evidence_and_metadata(browser, tmp_path):
    files, config = report_experiment.make(tmp_path, corpus=True, queries=20)
    path = tmp_path / "report.html"
    path.write_text(make_report(files, config), encoding="utf-8")
    browser.window(1400, 900)
    browser.open(path)
    show(browser, "#explorer")
    browser.wait(f"{RESULT} === 20")
    assert browser.run(f"return {EVIDENCE_SHOWN}")
    browser.choose("[name=k]", "3")
    queries = pd.read_parquet(files.queries["handbook"])
    prompts = pd.read_parquet(next(path for path in files.prompts if path.endswith("bm25.parquet")))
    found = prompts[prompts["k"] == "3"].merge(queries, on="query_id")
    places = [
        place_of_evidence(list(documents), list(evidence))
        for documents, evidence in zip(found["document_ids"], found["evidence"], strict=True)
    ]
    wanted = {place: places.count(place) for place in (*THIRDS, ABSENT)}
    assert min(wanted.values()) > 0
    for place, number in {**wanted, "in": sum(wanted[third] for third in THIRDS)}.items():
        browser.choose("[name=evidence]", place)
        assert browser.run(f"return {RESULT}") == number
        marked = browser.run("return document.querySelectorAll('.passages .evidence').length")
        assert marked == 1
    browser.choose("[name=evidence]", "absent")
    text = browser.run("return document.getElementById('explorer-query').textContent")
    assert "Evidence that is not in the prompt" in text
    browser.choose("[name=evidence]", "all")
    browser.choose("#explorer-metadata select", "=faq")
    faq = sum("faq" in metadata for metadata in queries["metadata"])
    assert browser.run(f"return {RESULT}") == faq
    assert browser.run("return document.querySelectorAll('.passages img').length") == 0
    assert browser.console() == []


def test_the_difference_is_told_word_by_word(page):
    """What is not struck is the answer, what is not underlined is the baseline's."""
    show(page, "#explorer")
    page.choose("[name=task]", "1")
    page.wait(f"{RESULT} === 12")
    page.choose("[name=show]", "changed")
    texts = page.run(
        "const [base, own] = document.querySelectorAll('#explorer-query .answer .text');"
        "const kept = drop => [...own.childNodes].filter(n => n.nodeName !== drop)"
        ".map(n => n.textContent).join('');"
        "return [base.textContent, own.textContent, kept('INS'), kept('DEL')]"
    )
    base, _, before, now = texts
    assert before == base
    assert now != base


def test_text_from_data_stays_text(page):
    show(page, "#explorer")
    page.wait(f"{RESULT} === 12")
    page.type("[name=text]", "no idea")
    page.wait(f"{RESULT} > 0 && {RESULT} < 12")
    text = page.run("return document.getElementById('explorer-query').textContent")
    assert report_experiment.EVIL in text
    assert page.run("return document.querySelectorAll('#explorer img, #explorer b').length") == 0


def test_the_explorer_works_with_keys_alone(page):
    show(page, "#explorer")
    page.wait(f"{RESULT} === 12")
    page.run("document.querySelector('#explorer-list button').focus()")
    page.keys(DOWN, DOWN)
    current = "document.querySelector('#explorer-list [aria-current]')"
    assert page.run(f"return [...{current}.parentNode.children].indexOf({current})") == 2
    assert page.run(f"return document.activeElement === {current}")
    page.run("document.querySelectorAll('#explorer-query .step')[1].click()")
    assert page.run(f"return [...{current}.parentNode.children].indexOf({current})") == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_it_fits_a_phone_and_a_wide_screen(page, width, scheme):
    page.window(width, 850, scheme)
    draw_all(page)
    show(page, "#explorer")
    page.wait(f"{RESULT} === 12")
    wide, room = page.run(
        "const e = document.documentElement; return [e.scrollWidth, e.clientWidth]"
    )
    assert wide <= room
    colors = page.run(
        "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
    )
    ink, paper = (sum(map(int, c.strip("rgb()").split(","))) for c in colors)
    assert (ink > paper) == (scheme == "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(page, scheme):
    """WCAG 2.2, 1.4.3: 4.5 to 1 for every colour of text on what lies under it."""
    page.window(1400, 900, scheme)
    poor = page.run(
        """
        const light = c => { const v = c.map(x => x / 255).map(x =>
            x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
            return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
        const parse = text => text.match(/[\\d.]+/g).map(Number);
        const found = [];
        for (const element of document.querySelectorAll('main *, nav a, h1')) {
            if (element.closest('svg') || ![...element.childNodes].some(n => n.nodeType === 3 &&
                n.textContent.trim())) continue;
            let under = element, paper = [0, 0, 0, 0];
            while (under && (paper[3] ?? 1) === 0) {
                paper = parse(getComputedStyle(under).backgroundColor); under = under.parentElement;
            }
            const [a, b] = [light(parse(getComputedStyle(element).color)), light(paper)];
            const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (ratio < 4.5) found.push(`${element.tagName}.${element.className} ${ratio}`);
        }
        return found;
        """
    )
    assert poor == []


def test_every_control_has_a_name(page):
    show(page, "#explorer")
    page.wait(f"{RESULT} === 12")
    nameless = page.run(
        "return [...document.querySelectorAll('button, select, input, a')].filter(e =>"
        " !e.textContent.trim() && !e.closest('label')?.textContent.trim()).map(e => e.outerHTML)"
    )
    assert nameless == []


def test_it_prints_in_black_on_white(page):
    page.window(1400, 900, "dark")
    draw_all(page)
    page.cdp("Emulation.setEmulatedMedia", media="print", features=[])
    try:
        assert page.run("return getComputedStyle(document.body).backgroundColor") in (
            "rgb(255, 255, 255)", "rgba(0, 0, 0, 0)",
        )  # fmt: skip
        assert page.run("return getComputedStyle(document.querySelector('nav')).display") == "none"
        assert len(page.cdp("Page.printToPDF")["data"]) > 20_000
    finally:
        page.cdp("Emulation.setEmulatedMedia", media="")
