// Boxes that scroll can be reached with the keyboard; the theme makes them after the page is there.
function markScrolling() {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap, .shown, .shown > div")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
addEventListener("load", markScrolling);
addEventListener("resize", markScrolling);
