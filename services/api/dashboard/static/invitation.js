// What proves the invitation stands behind "#": browsers never send that part, so no log sees it.
"use strict";
(() => {
  const token = decodeURIComponent(location.hash.slice(1));
  if (!token) return;
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("token").value = token;
  document.getElementById("password").focus();
})();
