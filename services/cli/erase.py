"""``kentering erase``: forget somebody, by the id of the person or by any identity."""

import click
import httpx

from services.cli.away import away


@click.command("erase")
@click.argument("who", metavar="PERSON|NAMESPACE", required=True)
@click.argument("value", required=False)
@click.option("--by", metavar="NAME", help="Who decided it.")
@click.option(
    "--whole/--surely",
    "whole",
    default=None,
    help="Erase what pages alone tied to the person too, or leave it. Needed where there is any.",
)
@click.option("--url", default="http://localhost:8000", show_default=True, help="Of the API.")
@click.option("--key", required=True, envvar="KENTERING_API_KEY", help="An api key.")
@click.option("--yes", is_flag=True, help="Do not ask whether to, as in a script.")
def command(
    who: str,
    value: str | None,
    by: str | None,
    url: str,
    key: str,
    *,
    whole: bool | None,
    yes: bool,
) -> None:
    """Erase a person: `erase p_…`, or `erase email anna@example.org`.

    Events, identities, scores and what was told of them go, and nothing brings them back but
    consent that they give anew.
    """
    if not yes:
        click.confirm(f"Erase {who} {value or ''}".rstrip() + " for good?", abort=True)
    with httpx.Client(base_url=url, auth=(key, ""), timeout=60) as client:
        try:
            if value is None:
                params: dict[str, str | bool] = {} if by is None else {"by": by}
                if whole is not None:
                    params["whole"] = whole
                answer = client.delete(f"/v1/persons/{who}", params=params)
            else:
                body = {"namespace": who, "value": value, "by": by, "whole": whole}
                answer = client.post("/v1/erasures", json=body)
        except httpx.TransportError as error:
            raise click.ClickException(away(url, error)) from None
    if answer.status_code != httpx.codes.ACCEPTED:
        raise click.ClickException(_why(answer))
    person = answer.json()["person"]
    print(f"{person} is being erased" if person else "nobody is known by it, and nobody will be")


def _why(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError):
        return f"the API answered {answer.status_code}"
