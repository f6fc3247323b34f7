// An import: the first bytes of the file tell its columns; then a trial of the whole, then for real.
"use strict";
(() => {
  const PAUSE_MS = 1000;
  const file = document.getElementById("file");
  const columns = document.getElementById("columns");
  const after = document.getElementById("after");
  const result = document.getElementById("result");
  const next = document.getElementById("next");
  const { csrf } = file.dataset;
  const lang = `lang=${after.dataset.lang}`;
  let turn = 0;

  async function look() {
    const mine = ++turn;
    const chosen = file.files[0];
    columns.textContent = "";
    after.hidden = true;
    if (!chosen) return;
    const sample = chosen.slice(0, Number(file.dataset.sample));
    const answer = await ask(file.dataset.columns, { method: "POST", headers: { "X-CSRF": csrf }, body: sample });
    if (mine !== turn) return;
    columns.innerHTML = await told(answer);
    const form = document.getElementById("mapping");
    if (!form) return;
    form.elements.file_name.value = chosen.name;
    form.elements.modified.value = String(chosen.lastModified);
    const day = new Date(chosen.lastModified - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 10);
    if (day <= form.elements.as_of.max) form.elements.as_of.value = day;
    for (const one of form.querySelectorAll("select[name^=means_]")) {
      const named = () => { form.elements[one.name.replace("means", "name")].disabled = !one.value.startsWith("as:"); };
      one.addEventListener("change", named);
      named();
    }
    // What is changed after a trial has to be tried again.
    form.addEventListener("input", () => { real(form).disabled = true; });
    form.addEventListener("submit", (event) => { event.preventDefault(); begin(form, event.submitter.value, chosen); });
    form.querySelector("select").focus();
  }

  const real = (form) => form.querySelector("button[value=no]");

  async function begin(form, dryRun, chosen) {
    const mine = ++turn;
    const wrong = document.getElementById("wrong");
    wrong.textContent = "";
    result.textContent = "";
    next.hidden = true;
    const body = new URLSearchParams(new FormData(form));
    body.set("dry_run", dryRun);
    busy(form, true);
    const answer = await ask(form.action, { method: "POST", body });
    if (!answer?.ok) {
      wrong.innerHTML = await told(answer);
      busy(form, false);
      return;
    }
    const { job } = await answer.json();
    after.hidden = false;
    after.scrollIntoView();
    const refused = await send(`/jobs/${job}/file?${lang}`, chosen);
    if (refused) {
      result.innerHTML = refused;
      ask(`/jobs/${job}/cancel?${lang}`, { method: "POST", body: new URLSearchParams({ csrf }) });
      busy(form, false);
      return;
    }
    if (dryRun === "no") {
      location.href = `/jobs/${job}?${lang}`;
      return;
    }
    await watch(job, mine, form);
  }

  function send(address, chosen) {
    const sending = document.getElementById("sending");
    const sent = document.getElementById("sent");
    sending.hidden = false;
    sent.value = 0;
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      request.upload.onprogress = (event) => { sent.value = event.loaded / Math.max(event.total, 1); };
      request.onloadend = () => {
        sending.hidden = true;
        done(request.status === 204 ? "" : said(request.responseText));
      };
      request.open("PUT", address);
      request.setRequestHeader("X-CSRF", csrf);
      request.send(chosen);
    });
  }

  async function watch(job, mine, form) {
    while (mine === turn) {
      const answer = await ask(`/jobs/${job}/part?${lang}`);
      if (mine !== turn) return;
      if (answer?.ok) {
        result.innerHTML = await answer.text();
        const state = result.querySelector("[data-status]").dataset;
        if (!state.open) {
          busy(form, false);
          const some = state.status === "done" && Number(state.good) > 0;
          real(form).disabled = !some;
          next.textContent = some ? after.dataset.trial : after.dataset.none;
          next.hidden = false;
          if (some) real(form).focus({ preventScroll: true });
          return;
        }
      }
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
  }

  function busy(form, is) {
    form.querySelector("button[value=yes]").disabled = is;
    if (is) real(form).disabled = true;
  }

  // What is wrong our routes say in a paragraph; what others answer is not for who looks at a page.
  const said = (text) => (text.startsWith("<p") ? text : away());
  const told = async (answer) => (answer?.ok ? answer.text() : said((await answer?.text()) ?? ""));

  function away() {
    const wrong = document.createElement("p");
    wrong.className = "wrong";
    wrong.setAttribute("role", "alert");
    wrong.textContent = after.dataset.away;
    return wrong.outerHTML;
  }

  async function ask(address, init) {
    try {
      const answer = await fetch(address, { credentials: "same-origin", ...init });
      if (answer.redirected) location.reload(); // the session is over
      return answer;
    } catch {
      return null;
    }
  }

  file.addEventListener("change", look);
  // Who chose before this was here, on a slow line, or whose choice the browser kept for them, waits
  // for it. Browsers put back what was chosen between `load` and `pageshow`.
  addEventListener("pageshow", () => { if (!turn && file.files.length) look(); });
})();
