// Kentering in the browser: page views and clicks on links, to the tracker that served this file.
//
//   <script src="https://TRACKER/k.js" data-key="kw_…" data-consent="measure,profile" defer></script>
//
//   kentering("consent", {measure: true, profile: true})   what the visitor agreed to, or took back
//   kentering("identify", "user-7", {email: "…"})          who it is; sent once there is consent
//   kentering("track", "sign_up", {content_id: "…"})       something else that happened
//   kentering("page")                                      another view, without a page load
//
// Before consent there is no cookie and no identifier, and addresses go without their query.
(function (w, d, n) {
  "use strict";
  var COOKIE_SECONDS = 34128000; // 395 days: thirteen months at most
  var tag = d.currentScript;
  var data = (tag && tag.dataset) || {};
  var source = new URL((tag && tag.src) || "KENTERING_URL" + "/k.js", d.baseURI);
  var base = source.href.replace(/\/k\.js.*$/, "");
  var key = data.key || source.searchParams.get("key");
  var declined = n.globalPrivacyControl === true || n.doNotTrack === "1";
  var consent = named(data.consent || source.searchParams.get("consent"), ",");
  var id = "";
  var known = null; // an identify call that waits for consent
  var view = null;

  // What a mail's link brought along, taken out of the address before anybody shares it.
  var arrived = {};
  var search = location.search.replace(/[?&](kt_click|kt_person)=([^&]*)/g, function (_, name, value) {
    arrived[name] = value;
    return "";
  });
  if (search !== location.search) {
    history.replaceState(history.state, "", location.pathname + search.replace(/^&/, "?") + location.hash);
  }

  function named(words, mark) {
    var purposes = {};
    (words || "").split(mark).forEach(function (word) {
      if (word.trim()) purposes[word.trim()] = true;
    });
    return purposes;
  }

  function random() {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), function (byte) {
      return (byte + 256).toString(16).slice(1);
    }).join("");
  }

  function follows() {
    return consent.measure === true && !declined;
  }

  function readCookie() {
    var found = /(?:^|; )kentering=([0-9a-f]{32})\.([a-z-]*)/.exec(d.cookie);
    if (!found) return;
    id = found[1];
    if (consent.measure === undefined) consent = named(found[2], "-");
  }

  function keepCookie() {
    if (!follows() && !id) return;
    id = follows() ? id || random() : "";
    var purposes = Object.keys(consent).filter(function (purpose) {
      return consent[purpose] === true;
    });
    d.cookie =
      "kentering=" + id + "." + purposes.join("-") + "; path=/; samesite=lax; max-age=" +
      (id ? COOKIE_SECONDS : 0) + (location.protocol === "https:" ? "; secure" : "");
  }

  function send(route, call) {
    call.writeKey = key;
    call.messageId = call.messageId || random();
    call.sentAt = new Date().toISOString();
    call.timestamp = call.timestamp || call.sentAt;
    call.context = Object.assign({ consent: { categoryPreferences: consent } }, call.context);
    if (id) call.anonymousId = id;
    var body = JSON.stringify(call);
    var url = base + "/v1/" + route;
    // A text is sent as text/plain, which needs no preflight from another origin.
    if (n.sendBeacon && n.sendBeacon(url, body)) return;
    fetch(url, { method: "POST", body: body, keepalive: true, credentials: "omit" }).catch(function () {});
  }

  function contentOf(element) {
    return element
      ? { content_id: element.dataset.contentId, content_type: element.dataset.contentType }
      : {};
  }

  // One content on the page: a meta element says it, or the one element that holds it.
  function content() {
    var meta = d.querySelector('meta[name="kentering:content"]');
    if (meta) return { content_id: meta.content, content_type: meta.dataset.type };
    var holders = d.querySelectorAll(":is(html,body,main,article)[data-content-id]");
    return contentOf(holders.length === 1 ? holders[0] : null);
  }

  function sendView() {
    var about = { url: location.origin + location.pathname };
    if (follows()) about = { url: location.href, title: d.title, referrer: d.referrer };
    send("page", {
      messageId: view.id,
      timestamp: view.at,
      context: view.arrived,
      properties: Object.assign(about, content()),
    });
  }

  function page() {
    view = { id: random(), at: new Date().toISOString(), arrived: arrived };
    arrived = {};
    sendView();
  }

  function track(name, properties) {
    send("track", { event: name, properties: Object.assign({ channel: "website" }, content(), properties) });
  }

  function identify(userId, traits) {
    known = { userId: userId, traits: traits };
    if (!follows()) return;
    send("identify", known);
    known = null;
  }

  // A view that was only counted is told again, under its own id, once it may be followed. One
  // that a mail's link let follow already needs a new id, or the cookie would go unheard; by
  // their common kt_click the two count once.
  function agree(purposes) {
    var followed = follows();
    consent = Object.assign({}, consent, purposes);
    keepCookie();
    if (followed || !follows()) return;
    if (view && view.arrived.kt_person) view.id = random();
    if (view) sendView();
    if (known) identify(known.userId, known.traits);
  }

  var commands = { consent: agree, identify: identify, page: page, track: track };
  var waiting = (w.kentering && w.kentering.q) || [];
  w.kentering = function (command) {
    if (commands[command]) commands[command].apply(null, [].slice.call(arguments, 1));
  };

  d.addEventListener(
    "click",
    function (event) {
      var link = event.target.closest && event.target.closest("a[href]");
      if (!link) return;
      var about = contentOf(link.closest("[data-content-id]"));
      about.channel = "website";
      about.url = follows() ? link.href : link.origin + link.pathname;
      send("track", { event: "click", properties: about });
    },
    true
  );

  function start() {
    readCookie();
    keepCookie();
    page();
    waiting.forEach(function (call) {
      w.kentering.apply(null, call);
    });
  }
  if (d.readyState === "loading") d.addEventListener("DOMContentLoaded", start);
  else start();
})(window, document, navigator);
