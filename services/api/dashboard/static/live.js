// Keeps the first page live: asks for its changing part every few seconds while it is looked at.
"use strict";
(() => {
  const part = document.getElementById("live");
  const offline = document.getElementById("offline");
  const PAUSE_MS = 4000;
  const PAUSE_MS_MAX = 60000;
  let pause = PAUSE_MS;
  let shown = "";

  async function refresh() {
    if (document.hidden) return;
    try {
      const answer = await fetch(part.dataset.from, { credentials: "same-origin" });
      if (answer.status === 401) {
        location.reload();
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.text());
      pause = PAUSE_MS;
      offline.hidden = true;
    } catch {
      pause = Math.min(pause * 2, PAUSE_MS_MAX);
      offline.hidden = false;
    }
  }

  function show(text) {
    if (text === shown) return;
    const open = part.querySelector("details")?.open;
    const focused = part.contains(document.activeElement) && document.activeElement.getAttribute("href");
    part.innerHTML = text;
    shown = text;
    if (open) part.querySelector("details").open = true;
    if (focused) part.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  }

  async function forever() {
    for (;;) {
      await new Promise((done) => setTimeout(done, pause));
      await refresh();
    }
  }
  document.addEventListener("visibilitychange", refresh);
  forever();
})();
