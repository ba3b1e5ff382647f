// Before anything is painted: the colours that the person chose, and the language.
(function () {
  var chosen = null, language = null;
  try {
    chosen = localStorage.getItem("mantine-color-scheme-value");
    language = localStorage.getItem("passerelle.language");
  } catch (_) { /* storage is refused: the system's colours */ }
  var dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.mantineColorScheme = dark ? "dark" : "light";
  document.documentElement.lang = language || ((navigator.language || "").indexOf("pl") === 0 ? "pl" : "en");
})();
