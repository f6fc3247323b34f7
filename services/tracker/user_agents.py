"""What a user agent tells of software.

The kept list of crawlers, and rules of our own for what no list has yet. All patterns are RE2's:
their time grows with the text's length and no faster, whatever somebody sends.
"""

from typing import Any, Literal

import re2

from services.tracker.crawlers import listed

AgentReason = Literal[
    "crawler",
    "names_itself",
    "software_word",
    "monitoring",
    "client_library",
    "mail_scanner",
    "headless",
    "gmail_prefetch",
    "image_proxy",
    "bare_mozilla",
    "bare_name",
    "no_user_agent",
]

USER_AGENT_LENGTH_MAX = 512
"""Characters of a user agent that are looked at; people's are shorter."""

_PATTERN_MEMORY_BYTES_MAX = 2**20
"""What RE2 may use for a pattern's automaton; one that is full begins anew."""


def _compiled(pattern: str, *, ignore_case: bool = False) -> Any:
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.never_capture = True
    options.max_mem = _PATTERN_MEMORY_BYTES_MAX
    return re2.compile(pattern, options)


# A page or a mail address where its maker can be asked. No browser carries one.
_ADDRESS = _compiled(r"https?:|\bwww\.|mailto:|[\w.+-]+@[\w-]+\.[a-z]{2,}", ignore_case=True)
# "compatible", and not with what browsers and Outlook say or once said to be compatible.
_COMPATIBLE = _compiled(r"Mozilla/\d\.\d+ ?\(compatible\b|Gecko; compatible\b")
_SAY_COMPATIBLE = _compiled(
    r"msie|trident|konqueror|icab|omniweb|opera|ms-?office|windows|series60|risc os|haiku|viera"
    r"|linux|polaris|; u;",
    ignore_case=True,
)
# Words that software uses of itself and no browser does.
_SOFTWARE_WORD = _compiled(
    r"bot\b|bot[/_-]|robot|crawl|spider|spyder|scan(?:s|ner|ning)?\b|scrap(?:e|ing|y)|fetch"
    r"|check(?:er|s)?\b|valid(?:ator|ation)|verif(?:y|ier|ication)|probe|survey|recon\b|research"
    r"|index(?:er|ing)|archiv|thumb(?:\b|nail|shot)|screen ?(?:shot|ie)|snapshot|(?:site|web)-?shot"
    r"|m?shots\b|preview(?:er|bot)|link.?preview|analy[sz]er|downloader|extract|exractor|collector"
    r"|grab(?:ber|ify)|sniff|resolver|expander|unshort|feedparser|feeder|syndicat|search ?engine"
    r"|\bseo|sitemap|inspect|audit|lookup|prerender|transcoder|traceroute|benchmark|tester|parser"
    r"|simulator|hunter|semantic|classif|worker\b|gofeed|google-|favicon|httrack|siege|nmap|sqlmap",
    ignore_case=True,
)
_MONITORING = _compiled(
    r"monitor|uptime|ping(?:er|s|dom)|lighthouse|ptst\b|page ?speed|synthetic|catchpoint|neustar"
    r"|debugbear|gtmetrix|dynatrace|statuscake|site24x7|newrelic|gomez|datadog|sitespeed",
    ignore_case=True,
)
_CLIENT_LIBRARY = _compiled(
    r"^(?:aiohttp|aria2|asynchttp|attohttp|axios|cpp-httplib|curb|curl|dart|dispatch|docker|faraday"
    r"|fasthttp|git/|go http|go-|got[ /(]|gradle|guzzle|gvfs|hackney|insomnia|ja(?:karta|unt|va)"
    r"|jetty|lib(?:curl|www)|lua|lwp|mechanize|needle|node|npm|okhttp|pear |perl|php|pip/|pnpm"
    r"|postman|python|reactor|request|reqwest|restsharp|ruby|scalaj|snoopy|spray-can|superagent"
    r"|symfony|twisted|undici|unirest|ureq|wget|winhttp|www::|zend)"
    r"|http.?(?:client|request|component|kit|tiny|plugin)|http\.rb|resty-http|ruby client",
    ignore_case=True,
)
_HEADLESS = _compiled(
    r"headless|phantomjs|puppeteer|playwright|selenium|webdriver|slimerjs|zombie\.js|wkhtmlto"
    r"|browserkit|htmlunit|splash\b",
    ignore_case=True,
)
_MAIL_SCANNER = _compiled(
    r"barracuda|mimecast|proofpoint|safelinks|fireeye|trend ?micro|ironport|sophos|forcepoint"
    r"|zscaler|spamexperts|spamassassin|urldefense|virustotal|kaspersky lab|checkpoint"
    r"|hornetsecurity|messagelabs|cloudmark|vade ?secure|bitdefender|palo ?alto|ms-?atp",
    ignore_case=True,
)
_GMAIL_PREFETCH = _compiled(r"Chrome/42\.0\.2311\.135 .*Edge/12\.246 Mozilla/5\.0$")
_IMAGE_PROXY = _compiled(r"GoogleImageProxy|YahooMailProxy|EmailProxy")
# A name, perhaps a version, and nothing of a system: browsers and apps tell what they run on.
_BARE_NAME = _compiled(r"^[^()\[\]/;,%]{1,40}(?:/v?[\d.\w-]*)?$")
_SYSTEM = _compiled(
    r"android|ios|iphone|ipad|darwin|linux|windows|mac|midp|mobile|phone|nokia|samsung|blackberry"
    r"|opera|browser|outlook|mail|thunderbird|lotus|office|spark|player|radio|music|media|sound"
    r"|pod|cast|tunes|stream|watch|apple|airplay|garmin",
    ignore_case=True,
)
# What an app runs on. A crawler that dresses as a telephone begins with Mozilla.
_DEVICE = _compiled(r"Android|iOS|iPhone|iPad|macOS|Windows|Darwin")
# An Android's first parenthesis ends with the device's model, and devices are called Bot,
# Butterfly, Expanse and Spider.
_ANDROID = _compiled(
    r"^(Mozilla/5\.0 \()Linux; (?:U; )?Android [^;)]*;[^()]*(?:\([^()]*\)[^()]*)*\)"
)


_WORDS: tuple[tuple[Any, AgentReason], ...] = (
    (_MAIL_SCANNER, "mail_scanner"),
    (_HEADLESS, "headless"),
    (_MONITORING, "monitoring"),
    (_CLIENT_LIBRARY, "client_library"),
)


def reason_of(agent: str) -> AgentReason | None:
    """Why this user agent looks like software's, or None where it does not.

    Args:
        agent: at most ``USER_AGENT_LENGTH_MAX`` characters are looked at.
    """
    agent = agent[:USER_AGENT_LENGTH_MAX].strip()
    if not agent:
        return "no_user_agent"
    if agent == "Mozilla/5.0":
        return "bare_mozilla"
    if _IMAGE_PROXY.search(agent):
        return "image_proxy"
    if _GMAIL_PREFETCH.search(agent):
        return "gmail_prefetch"
    return _reason_of_words(agent, _without_model(agent))


def _reason_of_words(whole: str, agent: str) -> AgentReason | None:
    for pattern, reason in _WORDS:
        if pattern.search(agent):
            return reason
    by_list = listed(agent)
    if by_list is not None:
        return by_list
    if _ADDRESS.search(whole) and not _is_app(whole):
        return "names_itself"
    if _COMPATIBLE.search(agent) and not _SAY_COMPATIBLE.search(agent):
        return "names_itself"
    if _SOFTWARE_WORD.search(agent):
        return "software_word"
    if _BARE_NAME.search(whole) and not _SYSTEM.search(whole):
        return "bare_name"
    return None


def _is_app(agent: str) -> bool:
    return not agent.startswith("Mozilla") and bool(_DEVICE.search(agent))


def _without_model(agent: str) -> str:
    found = _ANDROID.search(agent)
    return agent if found is None else agent[found.end() :]
