// A link may carry the key behind "#": browsers never send that part, so no log sees it.
"use strict";
(() => {
  const enter = () => {
    const key = decodeURIComponent(location.hash.slice(1));
    if (!key) return;
    history.replaceState(null, "", location.pathname + location.search);
    document.getElementById("key").value = key;
    document.querySelector("form.with-key").submit();
  };
  enter();
  // In a tab that is here already, a pasted link loads nothing anew.
  addEventListener("hashchange", enter);
})();
