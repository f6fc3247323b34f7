// Kentering in the browser: what somebody does on a site, told to the tracker that served this file.
// docs/script.md says how to use it, what it sends, and when.
//
// It is served without its comment lines and indentation, so a comment has a line of its own.
// Browsers from before 2020 do not run it, and are not counted.
(function (w, d, n, h) {
  "use strict";
  // 395 days: thirteen months at most.
  const COOKIE_S = 34128000;
  // An application shows its new page a moment after it changed the address.
  const SETTLE_MS = 50;
  const TRIES_MAX = 12;
  const PAUSE_S_MAX = 300;
  const UNSENT_MAX = 100;

  const stub = w.kentering || {};
  const tag = d.currentScript || d.querySelector("script[data-key]");
  if (stub.loaded || !tag) return;
  const source = new URL(tag.src);
  const option = (name) => tag.dataset[name] || source.searchParams.get(name);
  const writeKey = option("key");
  const signal = n.globalPrivacyControl === true || n.doNotTrack === "1";
  const random = () =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte + 256).toString(16).slice(1)).join("");

  // What a mail's link brought along, taken out of the address before anybody shares it.
  let arrived = {};
  const address = new URL(location);
  address.search = address.search
    .replace(/[?&](kt_click|kt_person)=([^&]*)/g, (_, name, value) => ((arrived[name] = value), ""))
    .replace(/^&/, "");
  if (address.href !== location.href) h.replaceState(h.state, "", address);

  // CONSENT. Somebody is followed exactly while there is an id, and there is an id exactly while
  // there is its cookie: another tab may have changed or removed it, so it is read before each use.

  let consent = {};
  let id = "";
  let ends_s = 0;
  // Whether they agreed on this site in spite of their browser's signal.
  let specific = false;
  // An identify call that waits for consent.
  let known;

  const words = () => Object.keys(consent).map((purpose) => purpose + +consent[purpose]).join("-");
  const unheard = () => signal && !specific;
  const declined = () => unheard() || consent.measure === false;

  function follows() {
    const kept = /(?:^|; )kentering=(\w{32})\.([\w-]*)\.(\d+)(s?)/.exec(d.cookie);
    if (kept && (kept[4] || !signal)) {
      id = kept[1];
      ends_s = kept[3];
      specific = !!kept[4];
      consent = {};
      for (const said of kept[2].split("-")) consent[said.slice(0, -1)] = said.endsWith("1");
    } else if (kept || id) {
      consent = {};
      forget();
    }
    return id;
  }

  function keep() {
    d.cookie =
      `kentering=${id && [id, words(), ends_s].join(".")}${specific ? "s" : ""}; path=/; samesite=lax; expires=` +
      new Date(ends_s * 1000).toUTCString() + (location.protocol === "https:" ? "; secure" : "");
  }

  function forget() {
    id = "";
    ends_s = 0;
    specific = false;
    keep();
  }

  // While the browser says no for its user, only an answer counts that a hand gave just now.
  function agree(said, proof) {
    const followed = follows();
    const before = words();
    for (const purpose in said)
      if (/^\w+$/.test(purpose) && typeof said[purpose] === "boolean") consent[purpose] = said[purpose];
    if (signal && said.measure && n.userActivation?.isActive) specific = true;
    const may = consent.measure && !declined();
    if (may) {
      id = id || random();
      ends_s = ends_s || Math.floor(Date.now() / 1000) + COOKIE_S;
      keep();
      follows();
    } else {
      known = null;
      unsent.forEach((item) => item.call.anonymousId && unsent.delete(item));
    }
    if (id && words() !== before) send("track", { event: "consent_changed", properties: proof });
    if (!may && id) forget();
    if (id && !followed) begin();
  }

  // A view that was only counted is told again, under its own id, once it may be followed. One
  // that a mail's link let follow already needs a new id, or the cookie would go unheard; by
  // their common kt_click the two count once.
  function begin() {
    if (view) {
      watch();
      if (view.arrived.kt_person) view.id = random();
      tellView();
    }
    if (known) identify(known.userId, known.traits);
  }

  // SENDING. While the page lives, answers are read and what failed is sent again. When it is left,
  // beacons take over. What arrives twice has one messageId, and counts once.

  const unsent = new Set();
  // Whether a request that is under way outlives its page.
  const outlives = "keepalive" in Request.prototype;
  let leaving;

  // Of somebody who is not followed nothing is told but what happened, and with which content.
  function send(route, call) {
    const { content_id, content_type, channel } = call.properties || {};
    deliver({
      url: new URL("v1/" + route, source),
      tries: 0,
      call: {
        writeKey,
        messageId: random(),
        timestamp: new Date(),
        ...call,
        ...(id ? { anonymousId: id } : { name: undefined, properties: { content_id, content_type, channel } }),
        context: {
          consent: {
            categoryPreferences: unheard() ? { measure: false } : { ...consent },
            specific: specific || undefined,
          },
          ...call.context,
        },
      },
    });
  }

  function deliver(item) {
    item.call.sentAt = new Date();
    const body = JSON.stringify(item.call);
    clearTimeout(item.timer);
    unsent.delete(item);
    if ((leaving && n.sendBeacon?.(item.url, body)) || unsent.size >= UNSENT_MAX) return;
    unsent.add(item);
    // More than 64 KB at once are refused where a request is to outlive its page, not elsewhere.
    const keepalive = !item.tries;
    item.safe = keepalive && outlives;
    fetch(item.url, { method: "POST", body, keepalive, credentials: "omit" }).then(
      (answer) => {
        if (answer.status === 429 || answer.status >= 500) again(item, answer.headers.get("retry-after"));
        else unsent.delete(item);
      },
      () => again(item, 0)
    );
  }

  function again(item, asked_s) {
    item.safe = false;
    item.tries++;
    if (item.tries > TRIES_MAX) unsent.delete(item);
    const pause_s = Math.min(PAUSE_S_MAX, Math.max(asked_s, 2 ** item.tries * Math.random()));
    item.timer = setTimeout(() => unsent.has(item) && deliver(item), pause_s * 1000);
  }

  // VIEWS. One for each page, and one for each real change of address in an application.

  let view, timer, path, query, since, deepest;

  function look() {
    path = location.pathname + (/^#!?\//.test(location.hash) ? location.hash : "");
    query = location.search;
  }

  function show(name, properties) {
    clearTimeout(timer);
    timer = deepest = 0;
    rest();
    look();
    view = {
      id: random(),
      at: new Date(),
      url: location.href,
      from: view ? view.url : d.referrer,
      content: content(),
      arrived,
      name,
      properties,
    };
    arrived = {};
    watch();
    follows();
    tellView();
  }

  function tellView() {
    let campaign;
    new URL(view.url).searchParams.forEach((value, name) => {
      if (name.startsWith("utm_"))
        campaign = { ...campaign, [name === "utm_campaign" ? "name" : name.slice(4)]: value };
    });
    send("page", {
      messageId: view.id,
      timestamp: view.at,
      name: view.name,
      properties: { url: view.url, title: d.title, referrer: view.from, ...view.content, ...view.properties },
      context: declined() ? {} : { ...view.arrived, campaign: id ? campaign : undefined },
    });
  }

  // A query that an application only noted down (replaceState) makes no other page.
  function moved(noted) {
    const was = [path, query];
    look();
    if (!view || (path === was[0] && (noted || query === was[1]))) return;
    rest();
    clearTimeout(timer);
    timer = setTimeout(show, SETTLE_MS);
  }

  function watch() {
    since = d.visibilityState === "hidden" ? 0 : performance.now();
    scrolled();
  }

  function scrolled() {
    deepest = Math.max(deepest, w.scrollY + w.innerHeight);
  }

  // How long the view was seen since this was last told, and how far at most. A page that was made
  // ready beforehand, or loaded in a hidden tab, may become visible before it has a view.
  function rest() {
    const visible_ms = since && Math.round(performance.now() - since);
    since = 0;
    if (!visible_ms || !view || !follows()) return;
    const scroll_percent = Math.min(100, Math.round((100 * deepest) / d.documentElement.scrollHeight));
    send("track", {
      event: "page_left",
      properties: { channel: "website", ...view.content, url: view.url, view_id: view.id, visible_ms, scroll_percent },
    });
  }

  // WHAT PEOPLE DO

  const contentOf = (element) =>
    element ? { content_id: element.dataset.contentId, content_type: element.dataset.contentType } : {};

  // One content on the page: a meta element says it, or the one element that holds it.
  function content() {
    const meta = d.querySelector('meta[name="kentering:content"]');
    if (meta) return { content_id: meta.content, content_type: meta.dataset.type };
    const holders = d.querySelectorAll(":is(html,body,main,article)[data-content-id]");
    return contentOf(holders.length === 1 ? holders[0] : null);
  }

  function page(...said) {
    show(
      said.filter((word) => typeof word === "string").pop(),
      said.find((word) => typeof word === "object")
    );
  }

  function track(event, properties) {
    follows();
    send("track", { event, properties: { channel: "website", ...content(), ...properties } });
  }

  function identify(userId, traits) {
    if (typeof userId === "object") return identify(undefined, userId);
    known = { userId, traits };
    if (!follows()) return;
    send("identify", known);
    known = null;
  }

  // data-kentering-content-phase="think" is told as content_phase: "think".
  function marksOf(element) {
    const told = {};
    for (const name in element.dataset)
      if (/^kentering(?!Track)/.test(name))
        told[name.slice(9).replace(/[A-Z]/g, (c, at) => (at ? "_" : "") + c.toLowerCase())] = element.dataset[name];
    return told;
  }

  function acted({ type, target, button }) {
    if (!target.closest || button > 1) return;
    const around = contentOf(target.closest("[data-content-id]"));
    const marked = target.closest("[data-kentering-track]");
    if (marked && (marked.tagName === "FORM") === (type === "submit"))
      return track(marked.dataset.kenteringTrack, { ...around, ...marksOf(marked) });
    const link = target.closest("a[href]");
    if (!link || type === "submit") return;
    const outbound = /^http/.test(link.protocol) && link.host !== location.host;
    if (!outbound && !around.content_id) return;
    follows();
    send("track", { event: "click", properties: { channel: "website", ...around, url: link.href, outbound } });
  }

  // THE PAGE'S LIFE

  function leave() {
    leaving = true;
    if (timer) show();
    rest();
    unsent.forEach((item) => item.safe || deliver(item));
  }

  function start() {
    if (d.prerendering) return d.addEventListener("prerenderingchange", start, { once: true });
    if (follows()) keep();
    else if (option("consent")) agree(Object.fromEntries(option("consent").split(",").map((word) => [word.trim(), true])));
    ready = true;
    waiting.forEach(run);
    if (!view) show();
  }

  const commands = { consent: agree, identify, page, track };
  const waiting = stub.q || [];
  let ready;

  function run([command, ...said]) {
    try {
      commands[command]?.(...said);
    } catch (error) {
      console.warn("kentering", error);
    }
  }

  w.kentering = (...call) => void (ready ? run(call) : waiting.push(call));
  w.kentering.loaded = true;

  for (const name of ["pushState", "replaceState"]) {
    const original = h[name];
    h[name] = function () {
      original.apply(this, arguments);
      moved(name === "replaceState");
    };
  }
  for (const type of ["click", "auxclick", "submit"]) d.addEventListener(type, acted, true);
  d.addEventListener("scroll", scrolled, { passive: true });
  d.addEventListener("visibilitychange", () => {
    if (d.visibilityState === "hidden") return leave();
    leaving = false;
    watch();
  });
  w.addEventListener("popstate", () => moved());
  w.addEventListener("hashchange", () => moved());
  w.addEventListener("pagehide", leave);
  w.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    leaving = false;
    since = 0;
    view = null;
    show();
  });
  if (d.readyState === "loading") d.addEventListener("DOMContentLoaded", start);
  else start();
})(window, document, navigator, history);
