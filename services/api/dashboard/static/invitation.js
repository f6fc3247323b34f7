// What proves the invitation stands behind "#": browsers never send that part, so no log sees it.
"use strict";
(() => {
  const take = () => {
    const token = decodeURIComponent(location.hash.slice(1));
    if (!token) return;
    history.replaceState(null, "", location.pathname + location.search);
    document.getElementById("token").value = token;
    document.getElementById("password").focus();
  };
  take();
  // In a tab that is here already, a pasted link loads nothing anew.
  addEventListener("hashchange", take);
})();
