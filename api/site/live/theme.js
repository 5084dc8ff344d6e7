// Loaded before the page is painted, so that it does not flash. Only the choice of colours is kept beyond a visit.
(() => {
  const CHOICES = ["system", "light", "dark"];
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = "system";
  try {
    chosen = localStorage.getItem("gridtick-theme") ?? "system";
  } catch {
    // Storage may be forbidden: the system's colours then.
  }
  const paint = () => {
    root.dataset.theme = chosen === "system" ? (system.matches ? "dark" : "light") : chosen;
    root.dataset.themeChosen = chosen;
    dispatchEvent(new Event("gridtick-theme"));
  };
  system.addEventListener("change", paint);
  addEventListener("gridtick-theme-next", () => {
    chosen = CHOICES[(CHOICES.indexOf(chosen) + 1) % CHOICES.length];
    try {
      localStorage.setItem("gridtick-theme", chosen);
    } catch {
      // It lasts for this visit alone.
    }
    paint();
  });
  paint();
})();
