"""The dashboard in a real Chromium: a segment by keyboard, people, a privacy officer's work."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.integration.product import PATIENCE_S, Product
from tests.servers.process import wait_until

AGREED = {"consent": {"categoryPreferences": {"measure": True, "profile": True}}}
PHONE = {"width": 375, "height": 740}

# Every field has a name that is read aloud, every table headers, the page a language and a heading,
# and nothing reaches beyond the screen.
_FAULTS = """() => {
  const faults = [];
  for (const one of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (!one.labels?.length && !one.ariaLabel) faults.push(`no label: ${one.name}`);
  // What is hidden from who listens is not read aloud: it needs no name.
  for (const one of document.querySelectorAll("button:not([aria-hidden=true]), a[href]"))
    if (!(one.textContent || one.ariaLabel || one.title).trim())
      faults.push(`no name: ${one.outerHTML}`);
  for (const one of document.querySelectorAll("table"))
    if (!one.querySelector("th[scope]")) faults.push("a table without headers");
  for (const one of document.querySelectorAll("img"))
    if (!one.alt) faults.push(`no text for ${one.src}`);
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  if (new Set(ids).size < ids.length) faults.push("an id twice");
  if (!["nl", "en"].includes(document.documentElement.lang)) faults.push("no language");
  if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) faults.push(`${wide} px too wide`);
  return faults;
}"""


@pytest.fixture
def page(product: Product, chromium: Browser) -> Iterator[Page]:
    """A recruiter's window, logged in; whatever the browser complains of is a fault."""
    context = chromium.new_context(locale="nl-NL")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.goto(f"{product.api_url}/login#{product.api_key}")
    page.wait_for_selector("#live")
    yield page
    context.close()
    assert [one for one in complaints if "status of 404" not in one] == []


def _right(page: Page) -> None:
    """Nothing is amiss on a wide screen, nor on a telephone."""
    size = page.viewport_size
    assert size is not None
    assert page.evaluate(_FAULTS) == []
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert page.evaluate(_FAULTS) == []
    page.set_viewport_size(size)


def _known(product: Product, user: str, *events: str) -> str:
    calls = [
        {"type": "track", "event": event, "userId": user, "context": AGREED} for event in events
    ]
    traits = {"email": f"{user}@post.example", "name": user.capitalize(), "region": "Noord"}
    product.collect([{"type": "identify", "userId": user, "traits": traits, "context": AGREED}])
    product.collect(calls)
    return str(product.await_events("user_id", user, len(events) + 1)["id"])


def test_a_segment_is_made_by_keyboard_and_shown(product: Product, page: Page) -> None:
    _known(product, "ben", "applied")
    _known(product, "cas", "vacancy_viewed")
    page.get_by_role("link", name="Nieuw segment").click()
    expect(page.get_by_label("Naam")).to_be_focused()
    page.keyboard.type("Klaar in Noord")
    page.get_by_label("Do (klaar voor een gesprek)").focus()
    page.keyboard.press("Space")
    page.get_by_label("Voorwaarde erbij").select_option("attribute")
    page.get_by_role("button", name="Voeg toe").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Do (klaar voor een gesprek)")).to_be_checked()
    page.get_by_label("kenmerk", exact=True).fill("region")
    page.get_by_label("waarde", exact=True).fill("Noord")
    page.keyboard.press("Enter")  # in a field it previews
    expect(page.locator("#preview")).to_be_focused()
    expect(page.locator("#preview")).to_contain_text("1 van de 2 mensen zit erin.")
    expect(page.locator("#preview")).to_contain_text("Ben")
    expect(page.locator("#preview")).to_contain_text("regio is Noord")
    _right(page)
    page.get_by_role("button", name="Bewaar").click()
    page.wait_for_url("**/segments/klaar-in-noord*")

    def filled() -> bool:
        found = product.get("/v1/segments/klaar-in-noord")
        return bool(found["status"] == "live" and found["count"] == 1)

    wait_until(filled, "the segment to be filled", timeout_s=PATIENCE_S)
    page.reload()
    expect(page.get_by_role("row", name="Ben")).to_be_visible()
    picture = page.locator("img[src*='trend.svg']")
    assert picture.evaluate("one => one.naturalWidth") > 0
    _right(page)
    page.get_by_role("link", name="EN", exact=True).click()
    expect(page.get_by_role("heading", name="Who is in it")).to_be_visible()
    page.get_by_role("link", name="Openness", exact=True).click()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Openness")
    page.goto(f"{product.api_url}/segments/none")
    expect(page.get_by_role("heading", name="Dat is hier niet")).to_be_visible()
    _right(page)


def test_a_privacy_officer_finds_hands_out_and_erases(product: Product, page: Page) -> None:
    _known(product, "dana", "vacancy_viewed")
    page.get_by_label("Zoek iemand").fill("dana@post.example")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Dana")).to_be_visible()
    _right(page)
    with page.expect_download() as known:
        page.get_by_role("link", name="Download alles wat we weten (JSON)").click()
    assert "dana@post.example" in known.value.path().read_text()
    page.get_by_role("link", name="Bezwaar vastleggen").click()
    page.get_by_label("Reden, zoals de persoon die gaf").fill("telefonisch")
    _right(page)
    page.get_by_role("button", name="Leg het bezwaar vast").click()
    expect(page.get_by_role("heading", name="Van Dana wordt geen schatting meer")).to_be_visible()
    page.get_by_role("link", name="Open de pagina van deze persoon").click()
    page.get_by_role("link", name="Wissen").click()
    page.get_by_label("Ja, wis deze persoon voorgoed").check()
    _right(page)
    page.get_by_role("button", name="Wis", exact=True).click()
    expect(page.get_by_role("heading", name="Dana is gewist.")).to_be_visible()
    page.get_by_role("link", name="Privacy").first.click()
    page.get_by_label("Waarde").fill("dana@post.example")
    page.get_by_role("button", name="Zoek", exact=True).click()
    expect(page.get_by_text("Niemand is hieraan bekend.")).to_be_visible()
    expect(page.get_by_text("(op verzoek)")).to_be_visible()
    _right(page)
    page.goto(f"{product.api_url}/audit")
    expect(page.get_by_role("heading", name="Wie heeft wat veranderd")).to_be_visible()
    _right(page)


def test_a_tool_is_connected_and_what_is_kept_is_shown(product: Product, page: Page) -> None:
    page.get_by_role("link", name="Webhooks", exact=True).click()
    page.get_by_label("Adres (https)").fill("https://93.184.216.34/kentering")
    page.get_by_label("triggers").check()
    _right(page)
    page.get_by_role("button", name="Maak de webhook").click()
    expect(page.get_by_role("status")).to_contain_text("whsec_")
    page.get_by_role("button", name="Stuur een testbericht").click()
    expect(page.get_by_role("cell", name="Test")).to_be_visible()
    _right(page)
    page.get_by_role("link", name="Triggers", exact=True).click()
    page.get_by_label("Naam").fill("Nodig uit")
    page.locator("select[name=when]").select_option("after")
    _right(page)
    page.get_by_role("button", name="Maak de trigger").click()
    expect(page.get_by_text("na 7 dagen")).to_be_visible()
    _right(page)
    for place in ("Bestanden", "Bewaren"):
        page.get_by_role("link", name=place, exact=True).click()
        expect(page.get_by_role("link", name=place, exact=True)).to_have_attribute(
            "aria-current", "page"
        )
        _right(page)
    assert len(product.get("/v1/triggers")["triggers"]) == 1


def test_a_file_of_people_is_checked_and_then_brought_in(
    product: Product, page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "open dag.csv"
    file.write_text(
        "E-mail;Naam;Akkoord op\neva@post.example;Eva;03-05-2025\nfout;Fred;03-05-2025\n"
    )
    page.get_by_role("link", name="Bestanden", exact=True).click()
    page.get_by_role("link", name="Mensen inlezen").click()
    page.get_by_label("Bestand", exact=True).set_input_files(file)
    expect(page.get_by_label("Dit is: E-mail")).to_have_value("id:email")
    expect(page.get_by_label("Dit is: Akkoord op")).to_have_value("given_at")
    for purpose in ("meten", "een schatting maken"):
        page.get_by_label(purpose, exact=True).check()
    page.get_by_label("Met welke tekst ze instemden").fill("privacyverklaring 3")
    page.get_by_label("Waar dat gevraagd en bewaard wordt").fill("de open dag")
    for_real = page.get_by_role("button", name="Lees het in")
    expect(for_real).to_be_disabled()
    page.get_by_role("button", name="Kijk het bestand na").click()
    expect(page.get_by_text("Dit is geen e-mailadres")).to_be_visible()
    expect(for_real).to_be_enabled()
    _right(page)
    for_real.click()
    page.wait_for_url("**/jobs/j_*")
    expect(page.get_by_text("klaar", exact=True)).to_be_visible()
    expect(page.get_by_text("open dag.csv")).to_be_visible()
    _right(page)
    assert product.await_events("email", "eva@post.example", 1)["attributes"]["name"] == "Eva"


def test_a_file_chosen_before_the_script_is_there_is_looked_at_when_it_comes(
    product: Product, page: Page, tmp_path: Path
) -> None:
    """As on a slow line: the page can be used before all of it is there."""
    file = tmp_path / "people.csv"
    file.write_text("E-mail\neva@post.example\n")
    on_their_way: list[Route] = []
    page.route("**/static/import.js", lambda route: on_their_way.append(route))  # noqa: PLW0108 (it takes no builtin)
    with page.expect_request("**/static/import.js"):
        page.goto(f"{product.api_url}/new-import?lang=nl", wait_until="commit")
    page.get_by_label("Bestand", exact=True).set_input_files(file)
    on_their_way.pop().continue_()
    expect(page.get_by_label("Dit is: E-mail")).to_have_value("id:email")


def test_a_file_that_the_browser_kept_is_looked_at_again(
    product: Product, page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("E-mail\neva@post.example\n")
    page.goto(f"{product.api_url}/new-import?lang=nl")
    page.get_by_label("Bestand", exact=True).set_input_files(file)
    expect(page.get_by_label("Dit is: E-mail")).to_be_visible()
    page.goto(f"{product.api_url}/jobs?lang=nl")
    page.go_back()
    expect(page.get_by_label("Dit is: E-mail")).to_have_value("id:email")


def test_what_is_no_answer_of_the_import_page_is_told_in_its_words(
    product: Product, page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("E-mail\neva@post.example\n")
    away = {"type": "/problems/not_found"}
    page.goto(f"{product.api_url}/new-import?lang=nl")
    page.get_by_label("Bestand", exact=True).set_input_files(file)
    expect(page.get_by_label("Dit is: E-mail")).to_be_visible()
    page.route("**/new-import/columns*", lambda route: route.fulfill(json=away, status=404))
    page.get_by_label("Bestand", exact=True).set_input_files(file.rename(tmp_path / "two.csv"))
    expect(page.get_by_text("Er kwam geen goed antwoord.")).to_be_visible()
    expect(page.get_by_text("not_found")).to_have_count(0)
