// What a site adds to the script by itself: its consent banner, and who fills in its forms. What its
// buttons and forms mean is told by their data-kentering-track.
(function () {
  "use strict";
  const tell = window.kentering || function () {}; // the site works without the tracker too
  const banner = document.querySelector("[data-consent]");
  const choice = localStorage.getItem("consent");
  const contact = banner.querySelector("[data-consent-contact]");

  function choose(agreed) {
    contact.checked &&= agreed;
    localStorage.setItem("consent", agreed ? "yes" : "no");
    localStorage.setItem("contact", contact.checked ? "yes" : "no");
    banner.hidden = true;
    tell("consent", { measure: agreed, profile: agreed, contact: contact.checked });
  }

  contact.checked = localStorage.getItem("contact") === "yes";
  banner.hidden = choice !== null;
  banner.querySelector("[data-consent-yes]").addEventListener("click", () => choose(true));
  banner.querySelector("[data-consent-no]").addEventListener("click", () => choose(false));
  document.querySelector("[data-consent-open]").addEventListener("click", () => {
    banner.hidden = false;
    banner.querySelector("button").focus();
  });

  for (const form of document.querySelectorAll("main form")) {
    form.addEventListener("submit", () => {
      const fields = new FormData(form);
      tell("identify", undefined, { name: fields.get("name"), email: fields.get("email") });
      form.elements.agreed.value = localStorage.getItem("consent") ?? "no";
    });
  }
})();
