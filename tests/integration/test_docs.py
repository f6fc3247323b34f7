"""The API's documentation in a real browser that can reach nothing but Kentering."""

from playwright.sync_api import Browser, Route, expect

from tests.integration.product import Product


def test_the_docs_work_without_any_other_host(chromium: Browser, product: Product) -> None:
    context = chromium.new_context()
    elsewhere: list[str] = []

    def only_ours(route: Route) -> None:
        if route.request.url.startswith((product.api_url, "data:")):
            route.continue_()
        else:
            elsewhere.append(route.request.url)
            route.abort()

    context.route("**/*", only_ours)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{product.api_url}/docs")
    expect(page.locator("#operations-access-post_key")).to_be_visible(timeout=30_000)
    assert page.locator(".opblock").count() > 60
    page.goto(f"{product.api_url}/problems/not_found")
    expect(page.locator("h1")).to_have_text("not_found")
    assert not elsewhere
    assert not errors
    context.close()
